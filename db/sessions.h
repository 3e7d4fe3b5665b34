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
	char call_conference[64];              /* of call_id; "" without a call */
};

/*
 * Signs in: a new session, paused until its legs are up. -EEXIST when signed in already,
 * -EPERM when the agent is not on the campaign.
 */
int db_agent_session_start(struct db *db, int64_t user_id, int64_t campaign_id,
	const char *node, struct db_agent_session *ret_session);

/* Signs out; -EBUSY while a call holds it (end the call first). */
int db_agent_session_end(struct db *db, int64_t session_id);

int db_agent_session_get(
	struct db *db, int64_t session_id, struct db_agent_session *ret_session);
int db_agent_session_of_user(
	struct db *db, int64_t user_id, struct db_agent_session *ret_session);
/* All open sessions of a node, for recovery. */
int db_agent_session_list(struct db *db, const char *node,
	struct db_agent_session **ret_sessions, size_t *ret_count);

/* What the agent wants. From wrap_up both end it; during a call the wish is kept for later. */
int db_agent_session_ready(
	struct db *db, int64_t session_id, struct db_agent_session *ret_session);
int db_agent_session_pause(struct db *db, int64_t session_id, const char *reason,
	struct db_agent_session *ret_session);

/*
 * The phone's leg came up or went away. Going away while idle makes ready paused; `refused`
 * (the agent hung up) also takes the wish to be ready back.
 */
int db_agent_session_phone(struct db *db, int64_t session_id, bool up, bool refused,
	struct db_agent_session *ret_session);
int db_agent_session_ports(
	struct db *db, int64_t session_id, int port_phone, int port_twilio);

/* An agent's leg at Twilio: a new one, of the session's next turn, or into `conference`. */
struct db_agent_leg {
	int64_t id, agent_session_id;
	int turn;
	char token[65];
	char label[64];
	char conference[64];
};

/*
 * Makes the leg row; without a call holding the session the turn goes up by one, with one the
 * leg joins the call's conference. `token` (one-time, from the caller) is stored as it is.
 */
int db_agent_leg_new(struct db *db, int64_t session_id, const char *install,
	const char *token, struct db_agent_leg *ret_leg);

/*
 * /twiml-agent: the legs of tokens whose sessions are open, all in one statement. The first SID
 * that asks keeps a leg: the same SID gets the same answer again, another one gets none
 * (ret_legs[i].id is 0). Texts are borrowed.
 */
struct db_leg_claim {
	const char *token, *provider_sid;
};
int db_agent_legs_claim(struct db *db, const struct db_leg_claim *claims, size_t count,
	struct db_agent_leg *ret_legs);

/*
 * A leg joined or left its conference, told by label or SID; any order, any number of times.
 * Sets twilio_up when it is the session's newest leg. -ENOENT: not an agent's leg of ours.
 */
int db_agent_leg_joined(struct db *db, const char *label, const char *provider_sid,
	struct db_agent_session *ret_session);
int db_agent_leg_left(struct db *db, const char *label, const char *provider_sid,
	struct db_agent_session *ret_session);
/*
 * The dialog of the session's leg is gone, or was not found again after a restart. `leg_id` 0:
 * whichever is the newest. Clears twilio_up when it is the newest.
 */
int db_agent_leg_lost(struct db *db, int64_t session_id, int64_t leg_id,
	struct db_agent_session *ret_session);

#endif
