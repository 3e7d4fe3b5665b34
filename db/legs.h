/*
 * legs.h: the legs of agents at Twilio, each of one turn of a session: the second dialog of a SIP
 * phone, or the one leg of a plain phone or a browser, which Twilio calls for us.
 *
 * call_legs of kind agent is written here. Their news come in any order and any number of times.
 */
#ifndef OMNIVOX_DB_LEGS_H
#define OMNIVOX_DB_LEGS_H

#include <stddef.h>

#include "db/sessions.h"

/* An agent's leg at Twilio: a new one, of the session's next turn, or into `conference`. */
struct db_agent_leg {
	int64_t id, agent_session_id;
	int turn;
	char token[65];
	char label[64];
	char conference[64];
	char caller_id[DB_NUMBER_SIZE]; /* whom Twilio shows when it rings it; else "" */
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
 * Sets twilio_up when it is the session's newest leg. -ENOENT: not an agent's leg of ours. One that
 * joins in the place of another in mid-call is wished muted if that was (db/controls.h).
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

/*
 * Legs of nailed agents of this node who have no call, made more than `age_ms` ago, the oldest
 * first, `max` at most: marks them to be renewed and takes their sessions out of reach, so that
 * no call is offered until the new leg has joined. What the agent wants stays: so does its state,
 * but ready, which comes back with the leg. free() *ret_sessions.
 */
int db_agent_legs_renew(struct db *db, const char *node, int64_t age_ms, int max,
	struct db_agent_session **ret_sessions, size_t *ret_count);

/* ---- phones and browsers: legs that Twilio calls ---- */

/* Whom to ring. Texts are borrowed. */
struct db_leg_ring {
	int64_t session_id;
	const char *install;
	const char *caller_id; /* of a session that is of no one campaign */
};

/*
 * Makes the leg that POST Participants is to ring, and takes a calls-per-second token for it.
 * -EAGAIN: no token; *ret_wait_ms. -EBUSY: Twilio refuses the account or the caller id, and there
 * is no call; *ret_wait_ms. -EALREADY: the newest leg has not ended. -ENOENT: the session is over,
 * or is not nailed and has no call.
 */
int db_agent_leg_ring(struct db *db, const struct db_leg_ring *ring,
	struct db_agent_leg *ret_leg, int64_t *ret_wait_ms);

/*
 * After -EBUSY: an agent who only waits for the phone is told when it is the caller id's fault.
 * -ENOENT: it is not, or has been told.
 */
int db_agent_leg_held(struct db *db, const struct db_leg_ring *ring,
	struct db_agent_session *ret_session);

/*
 * The leg that an agent's browser makes itself, kept by its SID: the same SID gets the same leg.
 * -ENOENT: not signed in; -EPERM: the session is no browser's.
 */
int db_agent_leg_own(struct db *db, int64_t user_id, const char *provider_sid,
	const char *install, struct db_agent_leg *ret_leg);

/* Twilio took the leg: its SID. Harmless when it is known. */
int db_agent_leg_accepted(struct db *db, int64_t leg_id, const char *provider_sid,
	struct db_agent_session *ret_session);

/* How a leg of a phone or browser ended. */
enum db_leg_end {
	DB_LEG_HUNG_UP, /* by the agent; one that never joined was not answered */
	DB_LEG_LOST,    /* nobody wanted it: it is replaced while it is wanted */
	DB_LEG_REFUSED, /* Twilio will not call it */
	DB_LEG_UNSENT, /* Twilio was never asked, or refuses us: as if it had not been there */
};

/* What follows, for the caller to do. Told again when the news comes again, but SIGN_OUT. */
enum db_leg_after {
	DB_LEG_AFTER_NOTHING,
	DB_LEG_AFTER_MISSING, /* rung for a call, and not there: tell it agent_missing */
	DB_LEG_AFTER_UNSENT,  /* rung for a call, or not even that: tell it unsent */
	DB_LEG_AFTER_AWAY, /* its call goes on, and it could not be rung: tell it agent_away */
	DB_LEG_AFTER_HANGUP,   /* the agent's red button: tell its call hangup */
	DB_LEG_AFTER_SIGN_OUT, /* the red button of a nailed agent without a call */
};

/* Why a nailed agent is not rung again until it is ready: pause_reason is one of these. */
#define DB_REASON_UNANSWERED "did not answer"
#define DB_REASON_HUNG_UP "phone hung up"
#define DB_REASON_REFUSED "cannot be called"
/* Why one is not rung although it would be. */
#define DB_REASON_CALLER "Twilio refuses the caller id"

/*
 * The leg, told by its id, or by its label when `leg_id` is 0, has ended. When it was the newest:
 * clears both legs of the session; a nailed agent who hung up or did not answer is not ready any
 * more. Who "hung up" a leg that is being renewed, or after Twilio's four hours, is not the agent:
 * that is DB_LEG_LOST. -ENOENT: no such leg of a phone or browser.
 */
int db_agent_leg_ended(struct db *db, int64_t leg_id, const char *label,
	const char *provider_sid, enum db_leg_end how, enum db_leg_after *ret_after,
	struct db_agent_session *ret_session);

#endif
