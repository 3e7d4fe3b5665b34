/* entry_reason.h: why queue entry q is where it is; SQL for the files of db/ only. */
#ifndef OMNIVOX_DB_ENTRY_REASON_H
#define OMNIVOX_DB_ENTRY_REASON_H

/* A code of gateway/reason.h; '' when it is due, and only its campaign may say why it waits. */
#define ENTRY_REASON                                                               \
	"CASE WHEN q.state = 'dialing' THEN 'dialing'"                             \
	" WHEN q.state = 'completed' THEN 'done'"                                  \
	" WHEN q.state = 'skipped' THEN COALESCE(NULLIF(q.reason, ''), 'removed')" \
	" WHEN q.run_at > now() THEN COALESCE(NULLIF(q.reason, ''), 'scheduled')"  \
	" WHEN q.agent_until > now() THEN 'owner' ELSE '' END"

/* What an entry waits for that settings, stops, its number or its zone told: another may be due. */
#define REASON_OF_FACTS \
	" IN ('hours', 'time_zone', 'attempts_24h', 'busy', 'locked', 'twilio')"

#endif
