/*
 * controls.h: hold and mute of a call's legs: what was asked for, and what Twilio has confirmed.
 *
 * A wish is written first and then done; what was not confirmed is due again, so that a crash
 * leaves nobody muted for good. It ends with the call (settle_controls(), 0006_calls.sql). When an
 * agent's leg is replaced in mid-call the wish goes on: db_agent_leg_joined() gives it to the leg
 * that has joined.
 */
#ifndef OMNIVOX_DB_CONTROLS_H
#define OMNIVOX_DB_CONTROLS_H

#include <stddef.h>

#include "db/conn.h"

/* A leg, and what it shall be. */
struct db_control {
	int64_t leg_id, call_id;
	char kind[DB_WORD_SIZE]; /* customer agent */
	char leg_sid[DB_SID_SIZE], conference_sid[DB_SID_SIZE];
	bool hold, muted;       /* wanted */
	bool is_hold, is_muted; /* as Twilio said last */
};

/* -1: as it is, 0 or 1. */
struct db_control_wish {
	int64_t call_id;
	bool agent; /* the agent's leg, else the customer's */
	int hold, muted;
};

/*
 * One transaction, with an event in the call's history. -EBUSY: the call is not bridged, or that
 * leg is not in its conference. -ENOENT: no such call.
 */
int db_control_wish(struct db *db, const struct db_control_wish *wish,
	struct db_control *ret_control);

/* What is not confirmed and due, of legs that have not left; each is put off by 5 s. */
int db_control_due(
	struct db *db, unsigned limit, struct db_control **ret_rows, size_t *ret_count);

/* Twilio's answer: the leg is like this now. -ENOENT: no such leg. */
int db_control_confirm(struct db *db, int64_t leg_id, bool hold, bool muted,
	struct db_control *ret_control);
/* Twilio refused: the wish is given up, the leg is what it was. */
int db_control_give_up(struct db *db, int64_t leg_id, struct db_control *ret_control);

/*
 * The legs of a call that were ever asked for something, for people: the customer's, and of the
 * agent's the last. As long as that is not there, nothing of it is as wished.
 */
int db_control_of_call(
	struct db *db, int64_t call_id, struct db_control **ret_rows, size_t *ret_count);

#endif
