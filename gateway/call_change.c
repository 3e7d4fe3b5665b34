/* call_change.c: what news has changed about calls, told to everybody here. See call.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/post.h"
#include "gateway/agent.h"
#include "gateway/call.h"
#include "gateway/call_control.h"
#include "gateway/campaign.h"
#include "gateway/events.h"
#include "gateway/metrics.h"
#include "gateway/recording.h"
#include "gateway/twilio_health.h"
#include "twilio/calls.h"

struct changes_post {
	struct post post;
	struct gateway *gw;
	struct db_call_change *changes;
	size_t count;
};

static void changes_drop(struct post *post)
{
	struct changes_post *told = list_entry(post, struct changes_post, post);

	free(told->changes);
	free(told);
}

void call_act(struct gateway *gw, int64_t call_id, const char *sid, const char *action)
{
	const char *status = strcmp(action, "cancel") == 0 ? "canceled" : "completed";

	/* When the client is full, the sweeper comes back to it. */
	if (twilio_call_update(gw->twilio, (uint64_t)call_id, sid, status) < 0)
		log_warn("call", call_id, "%s must wait: too many requests to Twilio",
			action);
}

static void log_change(const struct db_call_change *change)
{
	char number[DB_NUMBER_SIZE];

	log_info("call", change->call_id, "%s -> %s%s%s number=%s agent=%" PRId64,
		change->old_state, change->state, change->outcome[0] != '\0' ? " " : "",
		change->outcome, log_mask(change->number, number, sizeof(number)),
		change->agent_id);
}

static void changes_run(struct post *post)
{
	struct changes_post *told = list_entry(post, struct changes_post, post);
	struct gateway *gw = told->gw;

	for (size_t i = 0; i < told->count; i++) {
		const struct db_call_change *change = &told->changes[i];

		if (strcmp(change->old_state, change->state) != 0) {
			log_change(change);
			metrics_call(change->state, change->outcome);
			events_call(gw, change);
			if (strcmp(change->state, "bridged") == 0)
				recordings_wake(gw);
		}
		if (change->action[0] != '\0' && change->leg_sid[0] != '\0')
			call_act(gw, change->call_id, change->leg_sid, change->action);
		if (strcmp(change->state, "ended") == 0) {
			campaign_wake(gw, change->campaign_id);
			if (change->controls_due)
				controls_wake(gw);
		}
	}
	changes_drop(post);
}

/*
 * Takes `changes` (malloc). On the loop they are published, their actions performed, the runner
 * of the campaign and the agents concerned woken.
 */
static void hand_over(struct gateway *gw, struct db_call_change *changes, size_t count)
{
	struct changes_post *told = count == 0 ? NULL : calloc(1, sizeof(*told));

	if (told == NULL) {
		/* Without memory the sweeper still finds what is to be done. */
		free(changes);
		return;
	}
	told->post.run = changes_run;
	told->post.drop = changes_drop;
	told->gw = gw;
	told->changes = changes;
	told->count = count;
	post_queue_answer(gw->queue, &told->post);
}

/* The agent's row moved with the call: let the loop know it. */
static void tell_agents(struct gateway *gw, struct db *db,
	const struct db_call_change *changes, size_t count)
{
	struct db_agent_session session;

	for (size_t i = 0; i < count; i++)
		if (changes[i].session_id != 0 &&
			strcmp(changes[i].old_state, changes[i].state) != 0 &&
			db_agent_session_get(db, changes[i].session_id, &session) == 0)
			agent_changed(gw, &session);
}

int calls_apply(struct gateway *gw, struct db *db, const struct db_call_event *events,
	size_t count)
{
	struct db_call_change *changes = NULL;
	size_t changed = 0;
	int err;

	err = db_call_events_apply(db, events, count, &changes, &changed);
	if (err < 0)
		return err;
	/* First what is stopped now: who hears of the end looks for the next call. */
	twilio_health_told(gw, db, events, count);
	tell_agents(gw, db, changes, changed);
	hand_over(gw, changes, changed);
	return 0;
}

int call_tell(struct gateway *gw, struct db *db, int64_t call_id, const char *event,
	const char *detail)
{
	char self[24];

	(void)snprintf(self, sizeof(self), "%" PRId64, call_id);
	return calls_apply(gw, db,
		&(struct db_call_event){
			.call_id = call_id,
			.source = "gateway",
			.source_sid = self,
			.sequence = -1,
			.event = event,
			.at_ms = clock_wall_ms(),
			.duration_s = -1,
			.detail = detail,
		},
		1);
}
