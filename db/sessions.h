/*
 * sessions.h: agent sessions, from sign-in to sign-out.
 *
 * agent_sessions.state is written here and by apply_call_events(), nowhere else. Each function
 * is one conditional UPDATE: what does not fit the present state is -EINVAL and changes nothing.
 */
#ifndef OMNIVOX_DB_SESSIONS_H
#define OMNIVOX_DB_SESSIONS_H

#include <stddef.h>

#include "db/conn.h"

struct db_agent_session {
	int64_t version; /* goes up with every change: tells an old reading from a new one */
	int64_t id, user_id, campaign_id, call_id;
	char username[64], sip_username[64];
	char node[DB_NODE_SIZE];
	char state[DB_WORD_SIZE];
	char pause_reason[64];
	bool wants_ready, phone_up, twilio_up;
	int turn;
	int port_phone, port_twilio;
	int64_t state_since_ms, hold_until_ms; /* wall; 0: none */
	char call_conference[64],
		call_state[DB_WORD_SIZE]; /* of call_id; "" without a call */
	/* How the agent is reached, as it was at sign-in. */
	char endpoint[DB_WORD_SIZE]; /* sip, phone, browser */
	char endpoint_number[DB_NUMBER_SIZE];
	bool nailed; /* false: rung for each call */
	/* The newest leg at Twilio of a phone or browser; id 0: none yet. SIP: the first two fields. */
	int64_t leg_id;
	bool leg_renew; /* to be ended by us, because Twilio soon would */
	char leg_sid[DB_SID_SIZE], leg_label[64], leg_conference[64];
	bool leg_joined, leg_left;
	int64_t leg_created_ms;
};

/*
 * Signs in: a new session, paused until its legs are up. -EEXIST when signed in already,
 * -EPERM when the agent is not on the campaign, -EINVAL when that is completed. Campaign 0: all
 * that the agent is on, now and later, among them completed ones, whose customers may call us.
 */
int db_agent_session_start(struct db *db, int64_t user_id, int64_t campaign_id,
	const char *node, struct db_agent_session *ret_session);

/* Signs out; -EBUSY while a call holds it (end the call first). */
int db_agent_session_end(struct db *db, int64_t session_id);

int db_agent_session_get(
	struct db *db, int64_t session_id, struct db_agent_session *ret_session);
int db_agent_session_of_user(
	struct db *db, int64_t user_id, struct db_agent_session *ret_session);
/* All open sessions of a node, and closed ones whose leg at Twilio is not; for recovery. */
int db_agent_session_list(struct db *db, const char *node,
	struct db_agent_session **ret_sessions, size_t *ret_count);

/* What the agent wants. From wrap_up both end it; during a call the wish is kept for later. */
int db_agent_session_ready(
	struct db *db, int64_t session_id, struct db_agent_session *ret_session);
struct db_pause_wish {
	const char *type, *reason; /* of the table pause_reasons (db/pauses.h) */
	const char *comment;
};
int db_agent_session_pause(struct db *db, int64_t session_id,
	const struct db_pause_wish *wish, struct db_agent_session *ret_session);

/*
 * For so long only a claim by hand that names the session gets it for a call; the call that it gets
 * ends that, and so does 0. -ENOENT: it is over.
 */
int db_agent_session_keep(struct db *db, int64_t session_id, int64_t for_ms);

/*
 * The phone's leg came up or went away. Going away while idle makes ready paused. With a `reason`
 * (the agent hung up) the wish to be ready is taken back and the agent is paused for it; NULL: it
 * is waited for. Who is paused for another reason stays so.
 */
int db_agent_session_phone(struct db *db, int64_t session_id, bool up, const char *reason,
	struct db_agent_session *ret_session);
int db_agent_session_ports(
	struct db *db, int64_t session_id, int port_phone, int port_twilio);

/*
 * Customers whose agent, of this node, has been away for longer than away_time() of 0001_core.sql:
 * each comes again `again_ms` later, if the agent is still away and the call goes on. free()
 * *ret_alone.
 */
struct db_alone {
	int64_t call_id;
	char leg_sid[DB_SID_SIZE]; /* the customer's */
	bool inbound;
	bool missing; /* the agent was rung for this caller, and never came */
};
int db_agent_sessions_alone(struct db *db, const char *node, unsigned again_ms,
	struct db_alone **ret_alone, size_t *ret_count);

/* Nobody has looked for a while, so phones could not come back either: their time begins anew. */
int db_agent_sessions_wait(struct db *db, const char *node);

#endif
