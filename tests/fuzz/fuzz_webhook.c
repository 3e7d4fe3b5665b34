/*
 * fuzz_webhook.c: a query, a line end, and the form of Twilio's request, to each handler of what
 * Twilio tells, over a database that finds something by some of what it says. Each request is
 * answered once and let go once, and what would be stored is what the database takes.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "db/calls.h"
#include "db/legs.h"
#include "db/recordings.h"
#include "db/sessions.h"
#include "gateway/agent.h"
#include "gateway/agent_ring.h"
#include "gateway/amd_webhook.h"
#include "gateway/call.h"
#include "gateway/metrics.h"
#include "gateway/recording.h"
#include "gateway/recording_api.h"
#include "gateway/webhook.h"
#include "gateway/webhook_batch.h"
#include "http/server.h"
#include "twilio/calls.h"

#include "fuzz_signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- who is answered ---- */

static int legs_told; /* since the last answer */

void http_reply(
	struct http_server *server, uint64_t request_id, const struct http_reply *reply)
{
	(void)server;
	assert(request_id == 1);
	assert(reply->status == 200 || reply->status == 204 || reply->status == 400 ||
		reply->status == 503);
	assert((reply->body_len > 0) == (reply->status != 204));
	assert(legs_told <= 1);
	legs_told = 0;
	answered++;
}

void batch_free(struct batch **batch)
{
	*batch = NULL;
}

void metrics_webhook_told(int64_t at_ms)
{
	(void)at_ms;
}

/* ---- what is stored ---- */

/* What PostgreSQL takes as a time, with the years that strptime() knows. */
static void check_time(int64_t at_ms)
{
	static const int64_t year_ms = INT64_C(366) * 86400 * 1000;

	assert(at_ms >= -1971 * year_ms && at_ms <= 8031 * year_ms);
}

static void check_text(const char *text)
{
	size_t step;

	for (; *text != '\0'; text += step) {
		step = text_char(text);
		assert(step > 0);
	}
}

static void check_sid(const char *sid)
{
	assert(strlen(sid) == 34);
	check_text(sid);
}

/* What a SID ends in says what is found by it. */
static int found_by(const char *sid)
{
	check_sid(sid);
	return sid[33] == 'e' ? -EIO : sid[33] == 'n' ? -ENOENT : 0;
}

int calls_apply(struct gateway *gw, struct db *db, const struct db_call_event *events,
	size_t count)
{
	(void)gw;
	(void)db;
	assert(count >= 1 && count <= WEBHOOK_EVENTS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct db_call_event *e = &events[i];

		assert(e->call_id > 0 && e->sequence >= -1 && e->duration_s >= -1 &&
			e->code >= 0 && e->source != NULL && e->event != NULL);
		check_time(e->at_ms);
		check_text(e->event);
		check_text(e->source_sid);
		check_sid(e->leg_sid);
		if (e->detail != NULL)
			check_text(e->detail);
	}
	return found_by(events[0].leg_sid) == -EIO ? -EIO : 0;
}

int db_call_by_sid(struct db *db, const char *sid, int64_t *ret_call_id)
{
	(void)db;
	*ret_call_id = 1;
	return found_by(sid);
}

int db_calls_by_label(
	struct db *db, const char *const *labels, size_t count, int64_t *ret_call_ids)
{
	(void)db;
	assert(count == 1);
	check_text(labels[0]);
	ret_call_ids[0] = strchr(labels[0], 'c') != NULL;
	return strchr(labels[0], 'e') != NULL ? -EIO : 0;
}

/* ---- agents' legs ---- */

int agent_leg_news_store(
	struct gateway *gw, struct db *db, const struct agent_leg_news *news)
{
	(void)gw;
	(void)db;
	legs_told++;
	check_text(news->label);
	check_text(news->detail);
	assert((news->leg_id > 0) != (news->label[0] != '\0'));
	return found_by(news->sid);
}

static void session_of(struct db_agent_session *ret_session, const char *label)
{
	*ret_session = (struct db_agent_session){.id = 1, .endpoint = "phone"};
	(void)text_copy(ret_session->leg_label, sizeof(ret_session->leg_label), label);
	ret_session->leg_left = strlen(label) % 2 == 0;
}

int db_agent_leg_joined(struct db *db, const char *label, const char *provider_sid,
	struct db_agent_session *ret_session)
{
	(void)db;
	check_text(label);
	session_of(ret_session, label);
	return found_by(provider_sid);
}

int db_agent_leg_left(struct db *db, const char *label, const char *provider_sid,
	struct db_agent_session *ret_session)
{
	(void)db;
	check_text(label);
	session_of(ret_session, label);
	return found_by(provider_sid);
}

void agent_changed(struct gateway *gw, const struct db_agent_session *session)
{
	(void)gw;
	assert(session->id > 0);
}

enum db_leg_end agent_leg_end(const char *call_status)
{
	return strcmp(call_status, "completed") == 0 ? DB_LEG_HUNG_UP : DB_LEG_LOST;
}

int twilio_call_update(
	struct twilio_client *client, uint64_t id, const char *sid, const char *status)
{
	(void)client;
	assert(id == AGENT_RING_ID && strcmp(status, "completed") == 0);
	check_sid(sid);
	return 0;
}

/* ---- recordings ---- */

int recording_news(
	struct gateway *gw, struct db *db, const struct db_recording_news *news)
{
	(void)gw;
	(void)db;
	assert(news->id > 0 && news->status != NULL && news->duration_s >= -1 &&
		news->channels >= 0 && news->code >= 0);
	check_time(news->started_ms);
	check_text(news->text);
	return news->sid[0] == '\0' ? 0 : found_by(news->sid);
}

void recordings_wake(struct gateway *gw)
{
	(void)gw;
}

int db_recording_announcement(
	struct db *db, int64_t id, char ret_text[DB_ANNOUNCEMENT_SIZE])
{
	(void)db;
	if (id > 9)
		return -ENOENT;
	(void)text_copy(ret_text, DB_ANNOUNCEMENT_SIZE, "This call is recorded.");
	return 0;
}

int db_recording_announcing(
	struct db *db, int64_t session_id, int64_t meant_id, int64_t *ret_id)
{
	(void)db;
	assert(session_id > 0);
	*ret_id = 1;
	return meant_id > 9 ? -ENOENT : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const fuzz_handler handlers[] = {webhook_call_status, webhook_conference,
		webhook_amd, webhook_recording, twiml_announce};
	static struct gateway gw = {.backend_url = "https://gateway.example"};

	assert(webhooks_new(&gw) == 0);
	fuzz_ask_each(&gw, data, size, handlers, sizeof(handlers) / sizeof(handlers[0]));
	return 0;
}
