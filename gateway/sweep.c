/* sweep.c: acts on deadlines. See sweep.h. */
#include "gateway/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/ticker.h"
#include "db/callbacks.h"
#include "db/calls.h"
#include "db/data_lists.h"
#include "db/idempotency.h"
#include "db/legs.h"
#include "db/sessions.h"
#include "gateway/agent.h"
#include "gateway/call.h"
#include "gateway/call_table.h"
#include "gateway/customer_twiml.h"
#include "gateway/events.h"
#include "gateway/recheck.h"
#include "twilio/calls.h"
#include "twilio/conferences.h"

#define SWEEP_MS 500
#define DUE_MAX 20    /* rows of one sweep: at most 40 calls are asked for a second */
#define TIDY_MS 60000 /* what only takes room is looked for this often */
/*
 * What a call has told is kept for a quarter: long after Twilio's last retry of a webhook and the
 * last question about an open call, and as long as people ask what happened.
 */
#define EVENTS_DAYS 90
#define EVENTS_CALLS 500 /* at a time: 720,000 calls a day, more than come */
/*
 * Twilio ends every call after four hours (TimeLimit). A quarter of an hour before that, an idle
 * agent's leg is renewed; most conversations are shorter, and one that is not keeps its customer,
 * whose conference the next leg joins. Not all at once: agents sign in together, and each needs
 * a call of Twilio.
 */
#define LEG_AGE_MS (225 * 60 * INT64_C(1000))
#define RENEW_MS 5000
#define RENEW_MAX 10
#define ALONE_GAP_MS 10000   /* not looked for so long: who is away gets another chance */
#define ALONE_AGAIN_MS 30000 /* by then the message has been heard, or it is said again */
#define AGAIN_MAX_MS \
	15000 /* an unanswered question is asked again after this at the latest */
#define LIST_SLACK_MS 5000 /* clocks differ, and Twilio's times have whole seconds */

/* A question to Twilio that is out. On the loop. */
struct lookup {
	struct list node;
	struct db_due due;
};

struct sweeper {
	struct gateway *gw;
	struct ticker *ticker;
	struct list lookups;
	unsigned again_ms;
	int64_t doubt_ms; /* AMBIGUOUS_AFTER; never changes */
	/* The ticker's rounds': when it was last done, and what the last one found. */
	int64_t tidy_ms, renew_ms, alone_ms;
	struct db_due *due;
	size_t due_count;
	struct db_alone *alone;
	size_t alone_count;
};

static struct lookup *lookup_find(struct sweeper *sweeper, int64_t call_id)
{
	struct list *node, *tmp;

	list_for_each(&sweeper->lookups, node, tmp)
	{
		struct lookup *lookup = list_entry(node, struct lookup, node);

		if (lookup->due.call_id == call_id)
			return lookup;
	}
	return NULL;
}

static void lookup_free(struct lookup *lookup)
{
	list_remove(&lookup->node);
	free(lookup);
}

/*
 * Asks Twilio for a call: by its SID when known, else by To and From. Who has answered is looked for
 * in the conference first: the news that they are there may be lost.
 */
static int ask_for(struct gateway *gw, const struct db_due *due)
{
	uint64_t id = (uint64_t)due->call_id;

	if (due->leg_sid[0] == '\0')
		return twilio_call_list(gw->twilio, id, due->number, due->caller_id);
	if (strcmp(due->state, "answered") == 0)
		return twilio_conference_find(
			gw->twilio, SWEEP_FIND_ID | id, due->conference);
	return twilio_call_fetch(gw->twilio, id, due->leg_sid);
}

static void ask(struct sweeper *sweeper, const struct db_due *due)
{
	struct gateway *gw = sweeper->gw;
	struct lookup *lookup;

	if (lookup_find(sweeper, due->call_id) != NULL)
		return;
	lookup = calloc(1, sizeof(*lookup));
	if (lookup == NULL)
		return;
	lookup->due = *due;
	if (ask_for(gw, due) < 0)
		free(lookup); /* too many are out: the next deadline asks again */
	else
		list_add_tail(&sweeper->lookups, &lookup->node);
}

static void act_on(struct sweeper *sweeper, const struct db_due *due)
{
	struct gateway *gw = sweeper->gw;

	if (due->action[0] != '\0' && due->leg_sid[0] != '\0') {
		call_act(gw, due->call_id, due->leg_sid, due->action);
		return;
	}
	if (strcmp(due->state, "ended") == 0)
		return;
	if (strcmp(due->state, "claimed") == 0) {
		call_news(gw, &(struct call_news){.call_id = due->call_id,
				      .events = {"agent_missing"},
				      .count = 1,
				      .at_ms = clock_wall_ms(),
				      .duration_s = -1,
				      .detail = "The agent did not answer in time."});
		return;
	}
	if (strcmp(due->state, "placing") == 0) {
		/* Nobody waits for its answer any more. */
		if (!due->mine || !call_is_placing(gw, due->call_id))
			call_news(gw, &(struct call_news){.call_id = due->call_id,
					      .events = {"lost"},
					      .count = 1,
					      .at_ms = clock_wall_ms(),
					      .duration_s = -1,
					      .detail = "No answer to the request."});
		return;
	}
	ask(sweeper, due);
}

/* ---- the rounds ---- */

static void tidy(struct sweeper *sweeper, struct db *db)
{
	int64_t now_ms = clock_mono_ms(), calls = 0;

	if (sweeper->tidy_ms != 0 && now_ms - sweeper->tidy_ms < TIDY_MS)
		return;
	sweeper->tidy_ms = now_ms;
	recheck_soon(sweeper->gw);
	if (db_idempotency_sweep(db) < 0)
		log_warn("sweep", 0, "old answers were not removed: %s", db_error(db));
	if (db_lists_fold(db) < 0)
		log_warn("sweep", 0, "counts of lists were not summed up: %s",
			db_error(db));
	if (db_call_events_forget(db, EVENTS_DAYS, EVENTS_CALLS, &calls) < 0)
		log_warn("sweep", 0, "events of old calls were not removed: %s",
			db_error(db));
	else if (calls > 0)
		log_info("sweep", 0, "events of %" PRId64 " old calls were removed",
			calls);
}

static void tell_sessions(
	struct gateway *gw, struct db_agent_session *sessions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		agent_changed(gw, &sessions[i]);
	free(sessions);
}

static void renew_legs(struct sweeper *sweeper, struct db *db)
{
	struct db_agent_session *sessions = NULL;
	int64_t now_ms = clock_mono_ms();
	size_t count = 0;

	if (sweeper->renew_ms != 0 && now_ms - sweeper->renew_ms < RENEW_MS)
		return;
	sweeper->renew_ms = now_ms;
	if (db_agent_legs_renew(
		    db, sweeper->gw->node, LEG_AGE_MS, RENEW_MAX, &sessions, &count) < 0)
		log_warn("sweep", 0, "old legs were not renewed: %s", db_error(db));
	for (size_t i = 0; i < count; i++)
		log_info("agent", 0, "%s: its leg is renewed before Twilio's four hours",
			sessions[i].username);
	tell_sessions(sweeper->gw, sessions, count);
}

/*
 * Customers whose agents did not come back. What nobody could store or look at while the gateway or
 * the database was away says nothing: after that agents have all of their time again.
 */
static void find_alone(struct sweeper *sweeper, struct db *db)
{
	int64_t now_ms = clock_mono_ms();
	int err = 0;

	if (sweeper->alone_ms == 0 || now_ms - sweeper->alone_ms > ALONE_GAP_MS)
		err = db_agent_sessions_wait(db, sweeper->gw->node);
	if (err == 0)
		err = db_agent_sessions_alone(db, sweeper->gw->node, ALONE_AGAIN_MS,
			&sweeper->alone, &sweeper->alone_count);
	if (err < 0) {
		log_warn("sweep", 0, "customers alone: %s", db_error(db));
		return;
	}
	sweeper->alone_ms = now_ms;
	for (size_t i = 0; i < sweeper->alone_count; i++) {
		bool missing = sweeper->alone[i].missing;

		(void)call_tell(sweeper->gw, db, sweeper->alone[i].call_id,
			missing ? "agent_missing" : "agent_lost",
			missing ? "The agent did not answer."
				: "The agent's phone was lost and did not come back.");
	}
}

/* The message ends the call, and that its agent. */
static void say_goodbye(struct gateway *gw, const struct db_alone *alone)
{
	struct buf doc = {0};

	customer_goodbye(gw, alone->inbound, &doc);
	if (doc.failed || twilio_call_redirect(gw->twilio, (uint64_t)alone->call_id,
				  alone->leg_sid, NULL, doc.data) < 0)
		log_warn("sweep", alone->call_id, "the goodbye must wait");
	else
		log_info("sweep", alone->call_id,
			"the agent did not come back: the customer is told, and let go");
	buf_free(&doc);
}

/* Whose callback a call, a disposition or time has changed hears of it. */
static void sweep_callbacks(struct sweeper *sweeper, struct db *db)
{
	struct db_callback callback;
	int64_t *changed = NULL;
	size_t count = 0;

	if (db_callback_sweep(db, &changed, &count) < 0)
		log_warn("sweep", 0, "callbacks: %s", db_error(db));
	for (size_t i = 0; i < count; i++)
		if (db_callback_get(db, changed[i], &callback) == 0)
			events_callback(sweeper->gw, &callback, 0);
	free(changed);
}

static void sweep_work(void *arg, void *ctx)
{
	struct sweeper *sweeper = arg;
	struct db_agent_session *sessions = NULL;
	size_t count = 0;

	if (db_sweep(ctx, sweeper->gw->node, &sessions, &count) < 0) {
		log_warn("sweep", 0, "the database did not answer: %s", db_error(ctx));
		return;
	}
	tell_sessions(sweeper->gw, sessions, count);
	renew_legs(sweeper, ctx);
	find_alone(sweeper, ctx);
	sweep_callbacks(sweeper, ctx);
	tidy(sweeper, ctx);
	if (db_call_due(ctx, sweeper->gw->node, sweeper->again_ms, DUE_MAX, &sweeper->due,
		    &sweeper->due_count) < 0)
		sweeper->due_count = 0;
}

static void sweep_done(void *arg)
{
	struct sweeper *sweeper = arg;

	for (size_t i = 0; i < sweeper->due_count; i++)
		act_on(sweeper, &sweeper->due[i]);
	free(sweeper->due);
	sweeper->due = NULL;
	sweeper->due_count = 0;
	for (size_t i = 0; i < sweeper->alone_count; i++)
		say_goodbye(sweeper->gw, &sweeper->alone[i]);
	free(sweeper->alone);
	sweeper->alone = NULL;
	sweeper->alone_count = 0;
}

int sweeper_new(struct gateway *gw, struct sweeper **ret_sweeper)
{
	struct sweeper *sweeper = calloc(1, sizeof(*sweeper));
	int64_t reconcile_ms = config_int(gw->config, "RECONCILE_AFTER") * 1000;
	int err;

	if (sweeper == NULL)
		return -ENOMEM;
	sweeper->gw = gw;
	sweeper->again_ms =
		(unsigned)(reconcile_ms < AGAIN_MAX_MS ? reconcile_ms : AGAIN_MAX_MS);
	sweeper->doubt_ms = config_int(gw->config, "AMBIGUOUS_AFTER") * 1000;
	list_init(&sweeper->lookups);
	err = ticker_new(&(struct ticker_config){.timers = gw->timers,
				 .jobs = gw->db,
				 .rest_ms = SWEEP_MS,
				 .work = sweep_work,
				 .done = sweep_done,
				 .arg = sweeper},
		&sweeper->ticker);
	if (err < 0) {
		free(sweeper);
		return err;
	}
	*ret_sweeper = sweeper;
	return 0;
}

void sweeper_free(struct sweeper **sweeper)
{
	struct list *node, *tmp;

	if (*sweeper == NULL)
		return;
	ticker_free(&(*sweeper)->ticker);
	free((*sweeper)->due);
	free((*sweeper)->alone);
	list_for_each(&(*sweeper)->lookups, node, tmp)
		lookup_free(list_entry(node, struct lookup, node));
	free(*sweeper);
	*sweeper = NULL;
}

/* ---- asking out of turn ---- */

struct soon_job {
	struct job job;
	struct sweeper *sweeper;
	int64_t call_id;
	struct db_due due;
	bool found;
};

static void soon_work(struct job *job, void *ctx)
{
	struct soon_job *task = list_entry(job, struct soon_job, job);
	struct db_call call;
	bool ended;

	if (db_call_get(ctx, task->call_id, &call) < 0)
		return;
	ended = strcmp(call.state, "ended") == 0;
	/* Until its end is known it may live: its action stays due, and is repeated. */
	if (ended)
		(void)db_call_action_done(ctx, task->call_id);
	task->found = !ended && call.provider_sid[0] != '\0';
	task->due = (struct db_due){.call_id = call.id, .placed_ms = call.placed_ms};
	memcpy(task->due.state, call.state, sizeof(task->due.state));
	memcpy(task->due.leg_sid, call.provider_sid, sizeof(task->due.leg_sid));
	memcpy(task->due.conference, call.conference, sizeof(task->due.conference));
}

static void soon_drop(struct job *job)
{
	free(list_entry(job, struct soon_job, job));
}

static void soon_done(struct job *job)
{
	struct soon_job *task = list_entry(job, struct soon_job, job);

	if (task->found)
		ask(task->sweeper, &task->due);
	free(task);
}

void sweep_soon(struct gateway *gw, int64_t call_id)
{
	struct soon_job *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return; /* its deadline comes anyway */
	task->job.work = soon_work;
	task->job.done = soon_done;
	task->job.drop = soon_drop;
	task->sweeper = gw->sweeper;
	task->call_id = call_id;
	if (jobs_put(gw->db, &task->job) < 0)
		free(task);
}

/* ---- what Twilio said ---- */

/*
 * A fetched call: its status is news. A call still queued after its time is too slow; before, as when
 * a worker that has just started asks after all, there is nothing to say.
 */
static void fetched(
	struct gateway *gw, const struct db_due *due, const struct twilio_call *call)
{
	struct call_news news = {.call_id = due->call_id,
		.at_ms = clock_wall_ms(),
		.duration_s = call->duration_s};

	(void)snprintf(news.sid, sizeof(news.sid), "%s", call->sid);
	if (strcmp(call->status, "queued") != 0)
		news.events[news.count++] = call_table_event(call->status);
	else if (clock_wall_ms() - due->placed_ms >= CALL_QUEUED_S * 1000)
		news.events[news.count++] = "slow";
	if (call->ended_ms > 0)
		news.at_ms = call->ended_ms;
	if (news.events[0] != NULL)
		call_news(gw, &news);
}

static bool is_participant(const struct twilio_answer *answer)
{
	return answer->op == TWILIO_PARTICIPANT_FETCH && answer->result == TWILIO_OK &&
	       answer->count > 0 &&
	       strcmp(answer->list.participants[0].status, "connected") == 0;
}

/*
 * On the way to a customer in the conference: true when the next question is out. Who is not there
 * may be gone, so the call is asked for last.
 */
static bool ask_on(
	struct gateway *gw, const struct db_due *due, const struct twilio_answer *answer)
{
	if (answer->op == TWILIO_CONFERENCE_FIND && answer->result == TWILIO_OK &&
		answer->sid[0] != '\0')
		return twilio_participant_fetch(
			       gw->twilio, answer->id, answer->sid, due->leg_sid) == 0;
	if ((answer->op == TWILIO_CONFERENCE_FIND ||
		    answer->op == TWILIO_PARTICIPANT_FETCH) &&
		!is_participant(answer))
		return twilio_call_fetch(
			       gw->twilio, (uint64_t)due->call_id, due->leg_sid) == 0;
	return false;
}

/* The customer is in the conference, and nobody has told. */
static void joined(struct gateway *gw, const struct db_due *due,
	const struct twilio_participant_row *customer)
{
	struct call_news news = {.call_id = due->call_id,
		.events = {"joined"},
		.count = 1,
		.at_ms = clock_wall_ms(),
		.duration_s = -1};

	memcpy(news.sid, due->leg_sid, sizeof(news.sid));
	memcpy(news.conference_sid, customer->conference_sid,
		sizeof(news.conference_sid));
	log_info("sweep", due->call_id, "found in its conference");
	call_news(gw, &news);
}

/* Twilio does not know the SID: right after a create that can be so for a moment. */
static void not_found(struct gateway *gw, const struct db_due *due, const char *why)
{
	if (clock_wall_ms() - due->placed_ms < 60000)
		return;
	call_news(gw, &(struct call_news){.call_id = due->call_id,
			      .events = {"failed"},
			      .count = 1,
			      .at_ms = clock_wall_ms(),
			      .duration_s = -1,
			      .code = 20404});
	log_warn("sweep", due->call_id, "Twilio does not know the call: %s", why);
}

/* The calls listed for an ambiguous one: which of them is it? */
struct match_job {
	struct job job;
	struct gateway *gw;
	struct db_due due;
	struct twilio_call calls[TWILIO_PAGE_SIZE];
	size_t count;
	struct call_news news;
};

static void match_work(struct job *job, void *ctx)
{
	struct match_job *task = list_entry(job, struct match_job, job);
	const char *sids[TWILIO_PAGE_SIZE];
	bool known[TWILIO_PAGE_SIZE];
	const struct twilio_call *match = NULL;
	struct call_news *news = &task->news;

	for (size_t i = 0; i < task->count; i++)
		sids[i] = task->calls[i].sid;
	if (task->count > 0 && db_sids_known(ctx, sids, task->count, known) < 0)
		return;
	for (size_t i = 0; i < task->count && match == NULL; i++)
		if (!known[i])
			match = &task->calls[i];
	*news = (struct call_news){
		.call_id = task->due.call_id, .at_ms = clock_wall_ms(), .duration_s = -1};
	if (match == NULL) {
		/* Twilio may list it later, as long as it is young: it is looked for again. */
		if (clock_wall_ms() - task->due.placed_ms < task->gw->sweeper->doubt_ms)
			return;
		news->events[news->count++] = "expired";
		(void)snprintf(news->detail, sizeof(news->detail),
			"Twilio lists no such call: counted as an attempt.");
		return;
	}
	(void)snprintf(news->sid, sizeof(news->sid), "%s", match->sid);
	news->events[news->count++] = "accepted";
	news->duration_s = match->duration_s;
	if (call_table_event(match->status) != NULL)
		news->events[news->count++] = call_table_event(match->status);
}

static void match_drop(struct job *job)
{
	free(list_entry(job, struct match_job, job));
}

static void match_done(struct job *job)
{
	struct match_job *task = list_entry(job, struct match_job, job);

	if (task->news.count > 0) {
		log_info("sweep", task->due.call_id, "ambiguous: %s",
			task->news.sid[0] != '\0' ? "found at Twilio" : "not at Twilio");
		call_news(task->gw, &task->news);
	}
	free(task);
}

static void listed(
	struct gateway *gw, const struct db_due *due, const struct twilio_answer *answer)
{
	struct match_job *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return;
	task->job.work = match_work;
	task->job.done = match_done;
	task->job.drop = match_drop;
	task->gw = gw;
	task->due = *due;
	for (size_t i = 0; i < answer->count && i < TWILIO_PAGE_SIZE; i++) {
		int64_t created_ms = answer->list.calls[i].created_ms;

		/* What Twilio has only queued may have no date yet. */
		if (created_ms == 0 || created_ms >= due->placed_ms - LIST_SLACK_MS)
			task->calls[task->count++] = answer->list.calls[i];
	}
	if (jobs_put(gw->db, &task->job) < 0)
		free(task);
}

void sweep_answer(struct gateway *gw, const struct twilio_answer *answer)
{
	struct lookup *lookup =
		lookup_find(gw->sweeper, (int64_t)(answer->id & ~SWEEP_FIND_ID));

	if (lookup == NULL || ask_on(gw, &lookup->due, answer))
		return;
	if (is_participant(answer))
		joined(gw, &lookup->due, &answer->list.participants[0]);
	else if (answer->op == TWILIO_CALL_LIST && answer->result == TWILIO_OK)
		listed(gw, &lookup->due, answer);
	else if (answer->op == TWILIO_CALL_FETCH && answer->result == TWILIO_OK &&
		 answer->count > 0)
		fetched(gw, &lookup->due, &answer->list.calls[0]);
	else if (answer->op == TWILIO_CALL_FETCH && twilio_call_over(answer))
		not_found(gw, &lookup->due, answer->message);
	else /* whether the call lives is not known: it is asked for again */
		log_debug("sweep", lookup->due.call_id, "Twilio: %s code=%d http=%d",
			answer->message, answer->code, answer->http_status);
	lookup_free(lookup);
}
