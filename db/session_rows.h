/*
 * session_rows.h: how statements read and write agent_sessions. Private to sessions.c and legs.c.
 */
#ifndef OMNIVOX_DB_SESSION_ROWS_H
#define OMNIVOX_DB_SESSION_ROWS_H

#include "db/exec.h"
#include "db/sessions.h"

/* Of the newest leg of a session that Twilio calls; SIP sessions have a dialog instead. */
#define NEWEST_LEG(column)                                          \
	"(SELECT " column " FROM call_legs l WHERE l.id = s.leg_id" \
	" AND s.endpoint <> 'sip')"

/* Of an agent_sessions row named s; every function that returns a session ends with this. */
#define SESSION_COLUMNS                                                                                                                        \
	"s.version, s.id, s.user_id, s.campaign_id, s.call_id,"                                                                                \
	" (SELECT u.username FROM users u WHERE u.id = s.user_id),"                                                                            \
	" COALESCE((SELECT a.username FROM sip_accounts a WHERE a.user_id = s.user_id), ''),"                                                  \
	" s.node_id, s.state, s.pause_reason, s.wants_ready, s.phone_up, s.twilio_up,"                                                         \
	" s.turn, s.port_phone, s.port_twilio, " MS("s.state_since") ", " MS(                                                                  \
		"s.hold_until") ","                                                                                                            \
				" COALESCE((SELECT c.conference FROM calls c WHERE c.id = s.call_id), ''),"                                    \
				" COALESCE((SELECT c.state FROM calls c WHERE c.id = s.call_id), ''),"                                         \
				" s.endpoint, COALESCE(s.endpoint_number, ''), s.nailed, s.leg_id, COALESCE(s.renew_leg = s.leg_id, false),"   \
				" " NEWEST_LEG("l.provider_sid") ", " NEWEST_LEG(                                                              \
					"l.label") ","                                                                                         \
						   " " NEWEST_LEG("l.conference") ", " NEWEST_LEG(                                             \
							   "l.joined_at IS NOT NULL") ","                                                      \
										      " " NEWEST_LEG("l.left_at IS NOT NULL") ", " NEWEST_LEG( \
											      MS("l.created_at"))

/* Runs a statement that returns SESSION_COLUMNS of one row. */
int db_one_session(struct db *db, const char *sql, const struct db_arg *args, int count,
	struct db_agent_session *ret_session);

/* The same of any number; free() *ret_sessions. */
int db_many_sessions(struct db *db, const char *sql, const struct db_arg *args, int count,
	struct db_agent_session **ret_sessions, size_t *ret_count);

/*
 * SQL: ready and paused follow what can be reached; a wrap-up or a call goes on whatever the
 * legs do. `reachable` and `wants` are SQL, of the row as it will be.
 */
#define REST_AFTER(reachable, wants)                                                      \
	" state = CASE WHEN s.state NOT IN ('ready', 'paused') THEN s.state"              \
	"  WHEN " reachable " AND " wants " THEN 'ready' ELSE 'paused' END,"              \
	" state_since = CASE WHEN s.state IN ('ready', 'paused') AND (s.state = 'ready')" \
	"  <> (" reachable " AND " wants ") THEN now() ELSE s.state_since END"

#endif
