/* db_world.h: a campaign with agents who are ready and numbers to dial, for tests of calls. */
#ifndef OMNIVOX_TESTS_UNIT_DB_WORLD_H
#define OMNIVOX_TESTS_UNIT_DB_WORLD_H

#include "db/calls.h"
#include "db/legs.h"

#define NODE "11111111-1111-4111-8111-111111111111"
#define OTHER_NODE "22222222-2222-4222-8222-222222222222"
#define INSTALL "test"

/*
 * For the set-up and tear-down of a program: a cluster, a connection to it, and the tables below
 * under a rate that holds nobody up.
 */
int world_open(void **state, struct db **ret_db);
int world_close(void **state, struct db **db);

/* The tables that decide: as gateway/call_table.c, which this folder must not know. */
void world_tables(struct db *db, double calls_per_second);

/*
 * A new active campaign that auto-dials, `agents` sessions ready on NODE (wrap-up 10 s, ring
 * 30 s, 3 attempts, retry 1 h), `entries` pending entries of numbers nobody else has.
 */
int64_t world_campaign(unsigned agents, unsigned entries);

/* A claim by NODE that allows everything. */
struct db_claim world_claim(int64_t campaign_id);
/* ... and the call it must give. */
struct db_claimed world_call(struct db *db, int64_t campaign_id);

/* One event, told by Twilio about the leg "CA<call id>"; returns how many changes came back. */
size_t world_event(struct db *db, int64_t call_id, const char *event, int64_t sequence);

/* One event that the gateway itself tells; the last eight may be used at once. */
struct db_call_event world_gateway_event(int64_t call_id, const char *event);
void world_tell(struct db *db, int64_t call_id, const char *event);

/*
 * A campaign with three entries and one ready agent whose session is of this kind: "sip", "phone"
 * (which has a number) or "browser". One that is not nailed is up for no call.
 */
int64_t world_agent(struct db *db, const char *endpoint, bool nailed,
	struct db_agent_session *ret_session);
/* A leg of that session, which Twilio is about to ring. */
/* As a session that is of no one campaign is rung from. */
#define WORLD_CALLER_ID "+15550000009"
int world_try_ring(struct db *db, const struct db_agent_session *s,
	struct db_agent_leg *ret_leg, int64_t *ret_wait_ms);
/* Whether the session is told that its caller id is refused; reads it again. */
int world_held(struct db *db, struct db_agent_session *s);
struct db_agent_leg world_ring(struct db *db, const struct db_agent_session *s);
/* ... and its end, by no SID; the session as it is then. */
enum db_leg_after world_leg_end(struct db *db, int64_t leg_id, enum db_leg_end how,
	struct db_agent_session *ret_session);

/* One sweep of callbacks: how often it tells of this one. */
int world_sweep_tells(struct db *db, int64_t callback_id);

/* SQL with numbers in it; the first column of the first row. */
const char *world_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
