/*
 * fuzz_agent_body.c: a JSON document as what agents and who signs in send: session, pause,
 * endpoint, token, preview, Call Now, a number dialled by hand, sign-in and password; from an
 * administrator and from an agent. Each request gets one answer, a refusal with a sentence; what
 * comes to the database is looked at there, and refused as by one that is away.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "db/calls.h"
#include "db/pauses.h"
#include "db/queue.h"
#include "db/sessions.h"
#include "dialer/number.h"
#include "gateway/again.h"
#include "gateway/agent_api.h"
#include "gateway/auth_api.h"
#include "gateway/call.h"
#include "gateway/dial_api.h"
#include "gateway/drain.h"
#include "gateway/endpoint_api.h"
#include "gateway/entry_api.h"
#include "gateway/metrics.h"
#include "gateway/password.h"
#include "gateway/queue_api.h"
#include "gateway/rate.h"
#include "gateway/session_api.h"
#include "gateway/token_api.h"
#include "twilio/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of whatever nobody gets to: fuzz.mk says what that is. */
void fuzz_never(void);
void fuzz_never(void)
{
	assert(false);
}

/* ---- answers ---- */

static int answered;

/* A sentence, or one of the bodies that are fixed, which has one too. */
static void check_reply(struct api_reply *reply)
{
	const json_t *flat = json_object_get(reply->flat, "error");

	assert(reply->status >= 400 && reply->data == NULL);
	assert(strlen(reply->message) > 12 || json_is_object(flat));
	json_decref(reply->details);
	json_decref(reply->flat);
	answered++;
}

void api_send(struct gateway *gw, uint64_t request_id, struct api_reply *reply)
{
	(void)gw;
	assert(request_id == 1);
	check_reply(reply);
}

int again_start(struct gateway *gw, const struct again_wish *wish)
{
	if (!wish->attempt(gw, NULL, wish->arg, false))
		assert(wish->attempt(gw, NULL, wish->arg, true));
	wish->done(wish->arg);
	return 0;
}

/* ---- what is there: agent 1, who is signed in to campaign 1; 2 has a call ---- */

const char *config_text(const struct config *config, const char *name)
{
	(void)config;
	(void)name;
	return "a text";
}

bool drain_refuses(const struct gateway *gw, struct api_reply *reply)
{
	(void)gw;
	(void)reply;
	return false;
}

int rate_login(
	struct rate *rate, const struct addr *peer, const char *username, int64_t now_ms)
{
	(void)rate;
	(void)peer;
	(void)now_ms;
	assert(username[0] != '\0' && strlen(username) < 64);
	return 0;
}

void metrics_claim(int err, const struct db_claimed *claimed)
{
	(void)claimed;
	assert(err == -EIO);
}

void metrics_password(const char *result)
{
	assert(strcmp(result, "other") != 0);
}

void call_news(struct gateway *gw, const struct call_news *news)
{
	(void)gw;
	assert(news->call_id == 7);
}

int64_t agent_of_path(struct api_call *call, struct api_reply *reply)
{
	(void)call;
	(void)reply;
	return 1;
}

int db_agent_get(struct db *db, int64_t user_id, struct db_agent *ret_agent)
{
	(void)db;
	memset(ret_agent, 0, sizeof(*ret_agent));
	return user_id <= 2 ? 0 : -ENOENT;
}

int db_agent_on_campaign(struct db *db, int64_t user_id, int64_t campaign_id)
{
	(void)db;
	assert(user_id > 0 && campaign_id > 0);
	return campaign_id == 1 ? 0 : -ENOENT;
}

int db_agent_only_campaign(struct db *db, int64_t user_id, int64_t *ret_campaign_id)
{
	(void)db;
	*ret_campaign_id = 1;
	return user_id == 2 ? -ENOENT : 0;
}

static int session(int64_t id, struct db_agent_session *ret_session)
{
	*ret_session = (struct db_agent_session){.id = id,
		.user_id = id,
		.campaign_id = id % 2,
		.call_id = id == 2 ? 7 : 0};
	return id <= 2 ? 0 : -ENOENT;
}

int db_agent_session_of_user(
	struct db *db, int64_t user_id, struct db_agent_session *ret_session)
{
	(void)db;
	assert(user_id > 0);
	return session(user_id, ret_session);
}

int db_agent_session_get(struct db *db, int64_t id, struct db_agent_session *ret_session)
{
	(void)db;
	return session(id, ret_session);
}

int db_agent_session_keep(struct db *db, int64_t session_id, int64_t for_ms)
{
	(void)db;
	assert(session_id > 0 && for_ms >= 0);
	return 0;
}

int db_campaign_get(struct db *db, int64_t id, struct db_campaign *ret_campaign)
{
	(void)db;
	*ret_campaign = (struct db_campaign){.id = id, .state = "active"};
	return 0;
}

int db_call_get(struct db *db, int64_t id, struct db_call *ret_call)
{
	(void)db;
	*ret_call = (struct db_call){.id = id, .agent_id = 2, .number = "+14155552671"};
	return 0;
}

int db_call_by_correlation(struct db *db, const char *correlation, int64_t *ret_call_id)
{
	(void)db;
	assert(strlen(correlation) >= 8 && strlen(correlation) <= 128);
	for (const char *c = correlation; *c != '\0'; c++)
		assert(isalnum((unsigned char)*c) || *c == '-' || *c == '_');
	*ret_call_id = 7;
	return correlation[0] == 'x' ? 0 : -ENOENT;
}

int db_call_open_with(struct db *db, const char *number, int64_t *ret_call_id)
{
	(void)db;
	(void)number;
	(void)ret_call_id;
	return -ENOENT;
}

int db_user_get(struct db *db, int64_t id, struct db_user *ret_user)
{
	(void)db;
	*ret_user = (struct db_user){.id = id, .username = "ana", .role = "agent"};
	return 0;
}

int password_check(const char *password, const char *hash)
{
	(void)hash;
	assert(password[0] != '\0');
	return password[0] == 'g' ? 0 : -EACCES;
}

int password_hash(const char *password, char *ret_hash, size_t size)
{
	assert(strlen(password) >= 8 && size > 1);
	(void)strcpy(ret_hash, "x");
	return 0;
}

/* ---- what is to be written ---- */

static void check_text(const char *text, size_t size)
{
	json_t *value;

	assert(strlen(text) < size);
	value = json_string(text);
	assert(value != NULL); /* UTF-8 */
	json_decref(value);
}

int db_user_by_name(struct db *db, const char *username, struct db_user *ret_user)
{
	(void)db;
	check_text(username, 64);
	*ret_user = (struct db_user){.id = 1, .username = "ana", .active = true};
	return strcmp(username, "ana") == 0 ? 0 : -ENOENT;
}

int db_session_create(struct db *db, const unsigned char token_sha256[32],
	int64_t user_id, unsigned lives_s)
{
	(void)db;
	(void)token_sha256;
	assert(user_id == 1 && lives_s > 0);
	return -EIO;
}

int db_user_update(
	struct db *db, const struct db_user_change *change, int64_t *ret_agent_session)
{
	(void)db;
	(void)ret_agent_session;
	assert(change->id == 1 && change->password_hash[0] != '\0' &&
		change->active == -1);
	return -EIO;
}

int db_agent_session_start(struct db *db, int64_t user_id, int64_t campaign_id,
	const char *node, struct db_agent_session *ret_session)
{
	(void)db;
	(void)node;
	(void)ret_session;
	assert(user_id == 1 && campaign_id >= 0);
	return campaign_id == 2 ? -EPERM : campaign_id == 3 ? -EEXIST : -EIO;
}

int db_pause_reason_find(struct db *db, const char *type, const char *reason,
	struct db_pause_reason *ret_reason)
{
	(void)db;
	if (type != NULL)
		check_text(type, DB_WORD_SIZE);
	check_text(reason, 64);
	*ret_reason = (struct db_pause_reason){.type = "break", .reason = "lunch"};
	return strcmp(reason, "none") == 0 ? -ENOENT : 0;
}

int db_agent_session_pause(struct db *db, int64_t session_id,
	const struct db_pause_wish *wish, struct db_agent_session *ret_session)
{
	(void)db;
	(void)ret_session;
	assert(session_id == 1);
	check_text(wish->comment, 256);
	return -EIO;
}

int db_endpoint_set(struct db *db, int64_t user_id, const struct db_endpoint *endpoint)
{
	bool phone = strcmp(endpoint->type, "phone") == 0;

	(void)db;
	assert(user_id == 1);
	assert(phone || strcmp(endpoint->type, "sip") == 0 ||
		strcmp(endpoint->type, "browser") == 0);
	assert(phone ? number_valid(endpoint->number) : endpoint->number[0] == '\0');
	return -EIO;
}

int twilio_token_make(const struct twilio_token *token, struct buf *ret_jwt)
{
	(void)ret_jwt;
	assert(strncmp(token->identity, "agent-", 6) == 0);
	return -EINVAL;
}

int db_entry_preview(
	struct db *db, const struct db_preview *preview, int64_t *ret_entry_id)
{
	(void)db;
	(void)ret_entry_id;
	assert(preview->campaign_id == 1 && preview->user_id > 0);
	return -EIO;
}

int db_queue_postpone(struct db *db, int64_t campaign_id, unsigned limit,
	db_verdict_fn *verdict, void *arg, size_t *ret_refused)
{
	(void)db;
	(void)campaign_id;
	(void)limit;
	(void)verdict;
	(void)arg;
	*ret_refused = 0;
	return 0;
}

int db_call_claim(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed)
{
	(void)db;
	(void)ret_claimed;
	assert(claim->campaign_id > 0 && claim->session_id >= 0);
	if (claim->dial != NULL) {
		assert(number_valid(claim->dial->number) && claim->session_id > 0);
		assert(claim->dial->contact_id >= 0);
		check_text(claim->dial->name, 128);
		assert(claim->dial->correlation == NULL ||
			strlen(claim->dial->correlation) >= 8);
	}
	return -EIO;
}

/* ---- the requests ---- */

static void ask(struct api_call *call, const char *role)
{
	static void (*const handlers[])(struct api_call *, struct api_reply *) = {
		agent_session_start, agent_session_pause, agent_endpoint_set,
		token_create, entry_next, queue_call_now, dial_rest_api, auth_login,
		auth_password};
	json_t *body = call->body;

	(void)strcpy(call->user.role, role);
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		struct api_reply reply = {0};

		answered = 0;
		call->body = json_deep_copy(body);
		handlers[i](call, &reply);
		if (!reply.deferred)
			check_reply(&reply);
		assert(answered == 1);
		json_decref(call->body);
	}
	call->body = body;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char one[] = "1";
	struct http_request request = {.id = 1, .params = {one, one}};
	struct gateway gw = {0};
	struct api_call call = {
		.gw = &gw, .request = &request, .user = {.id = 1, .username = "ana"}};

	call.body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(call.body)) {
		ask(&call, "admin");
		ask(&call, "agent");
	}
	json_decref(call.body);
	return 0;
}
