/*
 * fuzz_twiml_form.c: a query, a line end, and the form of Twilio's request, to each handler that
 * answers with TwiML, over a database that finds something by some of what it says. Each request
 * gets one document that Twilio's schema has, and is let go.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "db/calls.h"
#include "db/dnc.h"
#include "db/legs.h"
#include "db/reserve.h"
#include "db/sessions.h"
#include "dialer/number.h"
#include "gateway/again.h"
#include "gateway/agent_ring.h"
#include "gateway/agent_twiml.h"
#include "gateway/browser_twiml.h"
#include "gateway/call.h"
#include "gateway/customer_twiml.h"
#include "gateway/drain.h"
#include "gateway/metrics.h"
#include "http/server.h"
#include "sandbox/twiml.h"

#include "fuzz_signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of whatever nobody gets to: fuzz.mk says what that is. */
void fuzz_never(void);
void fuzz_never(void)
{
	assert(false);
}

/* ---- who asks, and who is answered ---- */

void http_reply(
	struct http_server *server, uint64_t request_id, const struct http_reply *reply)
{
	struct twiml *twiml = NULL;

	(void)server;
	assert(request_id == 1 && reply->status == 200);
	assert(twiml_parse(reply->body, reply->body_len, &twiml) == 0);
	assert(twiml->warning_count == 0);
	twiml_free(&twiml);
	answered++;
}

int again_start(struct gateway *gw, const struct again_wish *wish)
{
	if (!wish->attempt(gw, NULL, wish->arg, false))
		assert(wish->attempt(gw, NULL, wish->arg, true));
	wish->done(wish->arg);
	return 0;
}

/* ---- what is there ---- */

bool drain_active(const struct gateway *gw)
{
	(void)gw;
	return false;
}

void agent_changed(struct gateway *gw, const struct db_agent_session *session)
{
	(void)gw;
	assert(session->id > 0);
}

void metrics_claim(int err, const struct db_claimed *claimed)
{
	(void)err;
	(void)claimed;
}

void call_place(struct gateway *gw, const struct db_claimed *claimed, uint64_t request_id)
{
	(void)gw;
	assert(claimed->result == DB_CLAIM_CALL && request_id == 0);
}

int call_tell(struct gateway *gw, struct db *db, int64_t call_id, const char *event,
	const char *detail)
{
	(void)gw;
	(void)db;
	assert(call_id > 0 && event != NULL && detail != NULL);
	return 0;
}

/* What a SID ends in says what is found by it. */
static int found_by(const char *sid)
{
	assert(strlen(sid) == 34);
	return sid[33] == 'e' ? -EIO : sid[33] == 'n' ? -ENOENT : 0;
}

static void reserved(struct db_reserved *ret, bool somebody)
{
	*ret = (struct db_reserved){.call_id = 1,
		.session_id = somebody ? 1 : 0,
		.conference = "ovx-1",
		.label = "customer-1"};
}

int db_agent_legs_claim(struct db *db, const struct db_leg_claim *claims, size_t count,
	struct db_agent_leg *ret_legs)
{
	(void)db;
	assert(count == 1);
	assert(claims->provider_sid[0] == '\0' || strlen(claims->provider_sid) == 34);
	memset(ret_legs, 0, sizeof(*ret_legs));
	if (strcmp(claims->token, "known") == 0)
		*ret_legs = (struct db_agent_leg){.id = 1,
			.agent_session_id = 1,
			.label = "agent-1",
			.conference = "ovx-1"};
	return strcmp(claims->token, "taken") == 0 ? -EEXIST : 0;
}

int db_call_of_leg(struct db *db, const char *sid, int64_t call_id, int64_t entry_id,
	struct db_reserved *ret_reserved)
{
	(void)db;
	assert(call_id >= 0 && entry_id >= 0);
	reserved(ret_reserved, true);
	/* An error has no answer: Twilio is told by the prepared one. */
	return found_by(sid) == 0 ? 0 : -ENOENT;
}

int db_call_reserve(struct db *db, int64_t call_id, const char *sid, const char *install,
	struct db_reserved *ret_reserved)
{
	(void)db;
	(void)install;
	assert(call_id > 0);
	reserved(ret_reserved, sid[32] == 'a');
	return found_by(sid);
}

int db_call_inbound(struct db *db, const char *sid, const char *from, const char *to,
	const char *node, const char *install, int64_t *ret_call_id)
{
	(void)db;
	(void)node;
	(void)install;
	assert(number_valid(from) && to != NULL);
	*ret_call_id = 1;
	return found_by(sid);
}

int db_dnc_add(
	struct db *db, const struct db_dnc *dnc, int64_t *ret_id, int64_t *ret_skipped)
{
	(void)db;
	(void)ret_id;
	(void)ret_skipped;
	assert(number_valid(dnc->number));
	return -EEXIST;
}

int db_agent_session_get(struct db *db, int64_t id, struct db_agent_session *ret_session)
{
	(void)db;
	memset(ret_session, 0, sizeof(*ret_session));
	ret_session->id = id;
	return 0;
}

int db_agent_session_of_user(
	struct db *db, int64_t user_id, struct db_agent_session *ret_session)
{
	(void)db;
	assert(user_id > 0);
	*ret_session = (struct db_agent_session){.id = 1,
		.user_id = user_id,
		.campaign_id = user_id % 2,
		.call_id = user_id == 3,
		.nailed = user_id != 5};
	return user_id > 9 ? -ENOENT : 0;
}

int db_agent_only_campaign(struct db *db, int64_t user_id, int64_t *ret_campaign_id)
{
	(void)db;
	*ret_campaign_id = 1;
	return user_id == 2 ? -ENOENT : 0;
}

int db_agent_leg_own(struct db *db, int64_t user_id, const char *sid, const char *install,
	struct db_agent_leg *ret_leg)
{
	(void)db;
	(void)install;
	*ret_leg = (struct db_agent_leg){.id = 1,
		.agent_session_id = 1,
		.label = "agent-1",
		.conference = "ovx-1"};
	return user_id == 4 ? -EPERM : found_by(sid);
}

int db_call_by_correlation(struct db *db, const char *correlation, int64_t *ret_call_id)
{
	(void)db;
	*ret_call_id = 1;
	assert(strlen(correlation) == 34);
	return correlation[2] == 'c' ? 0 : -ENOENT;
}

int db_call_claim(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed)
{
	(void)db;
	assert(claim->campaign_id > 0 && claim->session_id > 0 && claim->entry_id == 0);
	assert(number_valid(claim->dial->number));
	*ret_claimed = (struct db_claimed){
		.result =
			claim->dial->number[1] == '1' ? DB_CLAIM_CALL : DB_CLAIM_REFUSED,
	};
	return 0;
}

int agent_leg_news_store(
	struct gateway *gw, struct db *db, const struct agent_leg_news *news)
{
	(void)gw;
	(void)db;
	assert(news->leg_id > 0 && news->ended);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const fuzz_handler handlers[] = {twiml_agent, twiml_outbound,
		twiml_customer, webhook_inbound, twiml_browser};
	static struct gateway gw = {.backend_url = "https://gateway.example"};

	assert(agent_twiml_new(&gw) == 0);
	fuzz_ask_each(&gw, data, size, handlers, sizeof(handlers) / sizeof(handlers[0]));
	return 0;
}
