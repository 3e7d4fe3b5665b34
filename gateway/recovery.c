/* recovery.c: goes on where the last worker was cut off. See recovery.h. */
#include "gateway/recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "db/calls.h"
#include "db/dialogs.h"
#include "db/idempotency.h"
#include "db/recordings.h"
#include "db/sessions.h"
#include "gateway/agent.h"
#include "gateway/call.h"

static int resume_agents(struct gateway *gw, struct db *db)
{
	struct db_agent_session *rows = NULL;
	struct db_dialog *dialogs = NULL;
	size_t row_count = 0, dialog_count = 0, resumed;
	int err;

	err = db_agent_session_list(db, gw->node, &rows, &row_count);
	if (err == 0)
		err = db_dialog_list(db, gw->node, &dialogs, &dialog_count);
	if (err < 0)
		goto out;
	resumed = agents_resume(gw, rows, row_count, dialogs, dialog_count);
	if (row_count > 0)
		log_info("recovery", 0, "%zu agents signed in, %zu dialogs taken up",
			row_count, resumed);
out:
	free(dialogs);
	free(rows);
	return err;
}

/* The answer to their POST went to a worker that is no more. */
static int doubt_placing(struct gateway *gw, struct db *db)
{
	struct db_call_event *events = NULL;
	char(*names)[24] = NULL;
	int64_t *ids = NULL;
	size_t count = 0;
	int err;

	err = db_call_placing(db, gw->node, &ids, &count);
	if (err < 0 || count == 0)
		goto out;
	events = calloc(count, sizeof(*events));
	names = calloc(count, sizeof(*names));
	if (events == NULL || names == NULL)
		goto out;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%" PRId64, ids[i]);
		events[i] = (struct db_call_event){
			.call_id = ids[i],
			.source = "gateway",
			.source_sid = names[i],
			.sequence = -1,
			.event = "lost",
			.at_ms = clock_wall_ms(),
			.duration_s = -1,
			.detail =
				"The gateway was restarted while the request was under way.",
		};
	}
	err = calls_apply(gw, db, events, count);
	log_info("recovery", 0, "%zu calls are ambiguous", count);
out:
	free(names);
	free(events);
	free(ids);
	return err;
}

int recover(struct gateway *gw, struct db *db)
{
	int err = resume_agents(gw, db);

	if (err == 0)
		err = doubt_placing(gw, db);
	if (err == 0)
		err = db_idempotency_abandon(db, gw->node);
	if (err == 0)
		err = db_call_expire_deadlines(db, gw->node);
	if (err == 0)
		err = db_recording_doubt(db, gw->node);
	if (err == 0)
		err = db_recording_keep(
			db, (int)config_int(gw->config, "RECORDING_DAYS"));
	return err;
}
