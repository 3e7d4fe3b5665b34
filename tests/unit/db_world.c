/* db_world.c: see db_world.h. */
#include "unit/db_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/callbacks.h"
#include "db/install.h"
#include "unit/db_cluster.h"

#define ENDINGS(state)                                               \
	{state, "completed", "ended", "completed", NULL, 0},         \
		{state, "busy", "ended", "busy", NULL, 0},           \
		{state, "no_answer", "ended", "no_answer", NULL, 0}, \
		{state, "failed", "ended", "failed", NULL, 0},       \
		{state, "canceled", "ended", "canceled", NULL, 0},   \
	{                                                            \
		state, "hangup", state, NULL, "hangup", 0            \
	}
#define MACHINE(state)                                 \
	{state, "machine", state, NULL, "hangup", 0},  \
	{                                              \
		state, "fax", state, NULL, "hangup", 0 \
	}
#define NEWS(state)                                             \
	{state, "ringing", "ringing", NULL, NULL, 0},           \
		{state, "answered", "answered", NULL, NULL, 0}, \
	{                                                       \
		state, "joined", "bridged", NULL, NULL, 0       \
	}

static const struct db_transition transitions[] = {
	{"claimed", "agent_joined", "placing", NULL, NULL, 0},
	{"claimed", "agent_missing", "ended", "canceled", NULL, 0},
	{"claimed", "unsent", "ended", "failed", NULL, 0},
	{"claimed", "hangup", "ended", "canceled", NULL, 0},
	{"placing", "accepted", "queued", NULL, NULL, 0},
	{"placing", "refused", "ended", "failed", NULL, 0},
	{"placing", "unsent", "ended", "failed", NULL, 0},
	{"placing", "lost", "ambiguous", NULL, NULL, 0},
	{"placing", "initiated", "queued", NULL, NULL, 10},
	NEWS("placing"),
	MACHINE("placing"),
	ENDINGS("placing"),
	{"ambiguous", "accepted", "queued", NULL, NULL, 0},
	{"ambiguous", "initiated", "queued", NULL, NULL, 10},
	{"ambiguous", "expired", "ended", "unknown", NULL, 0},
	NEWS("ambiguous"),
	MACHINE("ambiguous"),
	ENDINGS("ambiguous"),
	{"queued", "initiated", "queued", NULL, NULL, 10},
	{"queued", "slow", "queued", NULL, "cancel", 0},
	NEWS("queued"),
	MACHINE("queued"),
	ENDINGS("queued"),
	{"ringing", "answered", "answered", NULL, NULL, 0},
	{"ringing", "joined", "bridged", NULL, NULL, 0},
	{"ringing", "abandoned", "ended", "abandoned", NULL, 0},
	MACHINE("ringing"),
	ENDINGS("ringing"),
	{"answered", "joined", "bridged", NULL, NULL, 0},
	{"answered", "left", "answered", NULL, NULL, 1},
	MACHINE("answered"),
	ENDINGS("answered"),
	{"bridged", "left", "bridged", NULL, NULL, 1},
	MACHINE("bridged"),
	ENDINGS("bridged"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void world_tables(struct db *db, double calls_per_second)
{
	static const struct db_deadline deadlines[] = {{"placing", 20, false},
		{"ambiguous", 120, false}, {"queued", 3, false}, {"ringing", 7, true},
		{"answered", 60, false}, {"bridged", 60, false}, {"claimed", 60, false}};
	static const struct db_retry retries[] = {{"busy", 1, 3600, 5},
		{"no_answer", 2, 3600, 5}, {"failed", 3, 3600, 5},
		{"machine", 4, 3600, 5}, {"canceled", 5, 3600, 5},
		{"abandoned", 6, 3600, 5}, {"unknown", 7, 3600, 5}};
	struct db_tables tables = {transitions, COUNT(transitions), deadlines,
		COUNT(deadlines), retries, COUNT(retries), calls_per_second};

	assert_int_equal(db_load_tables(db, &tables), 0);
}

int world_open(void **state, struct db **ret_db)
{
	int rc = db_cluster_setup(state);

	if (rc == 0) {
		*ret_db = db_connect();
		world_tables(*ret_db, 1000000);
		(void)db_text("UPDATE account_rate SET tokens = 1000000");
	}
	return rc;
}

/* Whatever a test did: the calls of open_calls are those that have not ended. */
static int strays(void)
{
	return atoi(world_text("SELECT count(*) FROM calls c FULL JOIN open_calls o"
			       " ON o.call_id = c.id AND o.number = c.number"
			       "  AND o.campaign_id = c.campaign_id"
			       " WHERE c.id IS NULL OR (c.state = 'ended')"
			       "  = (o.call_id IS NOT NULL)"));
}

int world_close(void **state, struct db **db)
{
	int wrong = strays(), rc;

	db_close(db);
	rc = db_cluster_teardown(state);
	if (wrong == 0)
		return rc;
	/* A teardown that fails does not fail the program. */
	print_error("open_calls is wrong about %d calls\n", wrong);
	exit(EXIT_FAILURE);
}

const char *world_text(const char *fmt, ...)
{
	char sql[2048];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, args);
	va_end(args);
	return db_text(sql);
}

int64_t world_campaign(unsigned agents, unsigned entries)
{
	int64_t id, list;

	id = strtoll(
		db_text("INSERT INTO campaigns (name, state, caller_id, auto_dial)"
			" VALUES ('c', 'active', '+15550000000', true) RETURNING id"),
		NULL, 10);
	list = strtoll(world_text("INSERT INTO data_lists (campaign_id, name)"
				  " VALUES (%lld, 'l') RETURNING id",
			       (long long)id),
		NULL, 10);
	(void)world_text(
		"WITH u AS (INSERT INTO users (username, name, role, password_hash)"
		" SELECT 'u%lld-' || g, '', 'agent', '' FROM generate_series(1, %u) g"
		" RETURNING id)"
		" INSERT INTO agent_sessions (user_id, campaign_id, node_id, state,"
		"  wants_ready, phone_up, twilio_up, turn)"
		" SELECT id, %lld, '" NODE "', 'ready', true, true, true, 1 FROM u",
		(long long)id, agents, (long long)id);
	(void)world_text("WITH c AS (INSERT INTO contacts (list_id, phone)"
			 " SELECT %lld, '+1' || (%lld * 1000000 + g)"
			 " FROM generate_series(1, %u) g RETURNING id)"
			 " INSERT INTO queue_entries (campaign_id, contact_id)"
			 " SELECT %lld, id FROM c",
		(long long)list, (long long)id + 1000, entries, (long long)id);
	return id;
}

static struct db_claim_verdict allow(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	return (struct db_claim_verdict){.allowed = !facts->number_busy,
		.later = facts->number_busy,
		.rule = facts->number_busy ? "number.busy" : "ok",
		.version = 1};
}

struct db_claim world_claim(int64_t campaign_id)
{
	return (struct db_claim){.campaign_id = campaign_id,
		.node = NODE,
		.install = INSTALL,
		.deadline_ms = 20000,
		.verdict = allow};
}

struct db_claimed world_call(struct db *db, int64_t campaign_id)
{
	struct db_claim claim = world_claim(campaign_id);
	struct db_claimed claimed;

	assert_int_equal(db_call_claim(db, &claim, &claimed), 0);
	assert_int_equal(claimed.result, DB_CLAIM_CALL);
	return claimed;
}

size_t world_event(struct db *db, int64_t call_id, const char *event, int64_t sequence)
{
	struct db_call_change *changes = NULL;
	size_t count = 0;
	char sid[DB_SID_SIZE];
	struct db_call_event e = {.call_id = call_id,
		.source = "call",
		.source_sid = sid,
		.sequence = sequence,
		.event = event,
		.at_ms = 1800000000000 + sequence,
		.leg_sid = sid,
		.duration_s = -1};

	(void)snprintf(sid, sizeof(sid), "CA%032lld", (long long)call_id);
	assert_int_equal(db_call_events_apply(db, &e, 1, &changes, &count), 0);
	free(changes);
	return count;
}

struct db_call_event world_gateway_event(int64_t call_id, const char *event)
{
	static char self[8][24];
	static unsigned at;
	char *sid = self[at++ % 8];

	(void)snprintf(sid, sizeof(self[0]), "%lld", (long long)call_id);
	return (struct db_call_event){.call_id = call_id,
		.source = "gateway",
		.source_sid = sid,
		.sequence = -1,
		.event = event,
		.at_ms = 1800000000000,
		.duration_s = -1};
}

void world_tell(struct db *db, int64_t call_id, const char *event)
{
	struct db_call_event e = world_gateway_event(call_id, event);
	struct db_call_change *changes = NULL;
	size_t count = 0;

	assert_int_equal(db_call_events_apply(db, &e, 1, &changes, &count), 0);
	free(changes);
}

int64_t world_agent(
	struct db *db, const char *endpoint, bool nailed, struct db_agent_session *s)
{
	int64_t campaign = world_campaign(1, 3);

	(void)world_text(
		"UPDATE agent_sessions SET endpoint = '%s', nailed = %s,"
		" endpoint_number = %s, wants_ready = true, phone_up = %s, twilio_up = %s"
		" WHERE campaign_id = %lld",
		endpoint, nailed ? "true" : "false",
		strcmp(endpoint, "phone") == 0 ? "'+15557770001'" : "NULL",
		nailed ? "true" : "false", nailed ? "true" : "false",
		(long long)campaign);
	assert_int_equal(
		db_agent_session_get(db,
			atoll(world_text(
				"SELECT id FROM agent_sessions WHERE campaign_id = %lld",
				(long long)campaign)),
			s),
		0);
	return campaign;
}

static struct db_leg_ring ring_of(const struct db_agent_session *s)
{
	return (struct db_leg_ring){
		.session_id = s->id, .install = INSTALL, .caller_id = WORLD_CALLER_ID};
}

int world_try_ring(struct db *db, const struct db_agent_session *s,
	struct db_agent_leg *ret_leg, int64_t *ret_wait_ms)
{
	struct db_leg_ring ring = ring_of(s);

	return db_agent_leg_ring(db, &ring, ret_leg, ret_wait_ms);
}

int world_held(struct db *db, struct db_agent_session *s)
{
	struct db_leg_ring ring = ring_of(s);

	return db_agent_leg_held(db, &ring, s);
}

struct db_agent_leg world_ring(struct db *db, const struct db_agent_session *s)
{
	struct db_agent_leg leg;
	int64_t wait_ms = 0;

	assert_int_equal(world_try_ring(db, s, &leg, &wait_ms), 0);
	return leg;
}

enum db_leg_after world_leg_end(
	struct db *db, int64_t leg_id, enum db_leg_end how, struct db_agent_session *s)
{
	enum db_leg_after after;

	assert_int_equal(db_agent_leg_ended(db, leg_id, "", NULL, how, &after, s), 0);
	return after;
}

int world_sweep_tells(struct db *db, int64_t callback_id)
{
	int64_t *changed = NULL;
	size_t count = 0;
	int times = 0;

	assert_int_equal(db_callback_sweep(db, &changed, &count), 0);
	for (size_t i = 0; i < count; i++)
		times += changed[i] == callback_id;
	free(changed);
	return times;
}
