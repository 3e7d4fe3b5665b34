/* call.c: placing calls, what Twilio answers, and what must be done there. See call.h. */
#include "gateway/call.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/post.h"
#include "base/timers.h"
#include "db/rate_state.h"
#include "gateway/agent.h"
#include "gateway/agent_ring.h"
#include "gateway/call_control.h"
#include "gateway/call_table.h"
#include "gateway/metrics.h"
#include "gateway/numbers.h"
#include "gateway/queue_api.h"
#include "gateway/recording.h"
#include "gateway/sweep.h"
#include "gateway/twilio_health.h"
#include "gateway/urls.h"
#include "twilio/calls.h"
#include "twilio/conferences.h"
#include "twilio/errors.h"

#define WAIT_MS 5000       /* Call Now waits this long for Twilio */
#define QUEUE_TIME_MS 2000 /* a longer queue at Twilio means: not now */

/* A POST that is out, and who waits for it. On the loop. */
struct placing {
	struct list node;
	struct gateway *gw;
	int64_t call_id;
	bool ringing;    /* the agent first: nothing is out yet */
	uint64_t waiter; /* HTTP request; 0: nobody, or answered already */
	call_answer_cb answer;
	struct timer timer;
};

struct calls {
	struct gateway *gw;
	struct list placing;
};

static void placing_free(struct placing *placing)
{
	timer_stop(&placing->timer);
	list_remove(&placing->node);
	free(placing);
}

int calls_new(struct gateway *gw, struct calls **ret_calls)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (calls == NULL)
		return -ENOMEM;
	calls->gw = gw;
	list_init(&calls->placing);
	*ret_calls = calls;
	return 0;
}

void calls_free(struct calls **calls)
{
	struct list *node, *tmp;

	if (*calls == NULL)
		return;
	list_for_each(&(*calls)->placing, node, tmp)
		placing_free(list_entry(node, struct placing, node));
	free(*calls);
	*calls = NULL;
}

static struct placing *placing_find(struct calls *calls, int64_t call_id)
{
	struct list *node, *tmp;

	list_for_each(&calls->placing, node, tmp)
	{
		struct placing *placing = list_entry(node, struct placing, node);

		if (placing->call_id == call_id)
			return placing;
	}
	return NULL;
}

bool call_is_placing(struct gateway *gw, int64_t call_id)
{
	const struct placing *placing = placing_find(gw->calls, call_id);

	return placing != NULL && !placing->ringing;
}

/* ---- events that we make ourselves, through a database worker ---- */

struct event_job {
	struct job job;
	struct gateway *gw;
	struct call_news news;
	uint64_t waiter;
	call_answer_cb answer;
	enum call_now_result result;
};

/*
 * What Twilio dials already waits in no queue, though its status is "queued" until it rings, which on
 * a long way takes many seconds.
 */
static void forget_slow(struct db *db, struct call_news *news)
{
	bool dialled = true;

	if (news->count == 0 || strcmp(news->events[news->count - 1], "slow") != 0)
		return;
	if (db_call_dialled(db, news->call_id, &dialled) < 0 || dialled)
		news->count--;
}

static void event_work(struct job *job, void *ctx)
{
	struct event_job *task = list_entry(job, struct event_job, job);
	struct call_news *news = &task->news;
	struct db_call_event events[CALL_NEWS_MAX];
	char self[24];
	const char *source = "gateway", *source_sid = self;

	if (news->conference_sid[0] != '\0') {
		source = "conference";
		source_sid = news->conference_sid;
	} else if (news->sid[0] != '\0') {
		source = "rest";
		source_sid = news->sid;
	}
	forget_slow(ctx, news);
	(void)snprintf(self, sizeof(self), "%" PRId64, news->call_id);
	for (size_t i = 0; i < news->count; i++)
		events[i] = (struct db_call_event){
			.call_id = news->call_id,
			.source = source,
			.source_sid = source_sid,
			.sequence = -1,
			.event = news->events[i],
			.at_ms = news->at_ms,
			.leg_sid = news->sid[0] != '\0' ? news->sid : NULL,
			.duration_s = news->duration_s,
			.code = news->code,
			.detail = news->detail,
		};
	if (news->count > 0 && calls_apply(task->gw, ctx, events, news->count) < 0)
		log_warn("call", news->call_id, "%s not stored, the sweeper will ask: %s",
			news->events[0], db_error(ctx));
	else if (news->action_done)
		(void)db_call_action_done(ctx, news->call_id);
	if (news->count > 0 && strcmp(news->events[news->count - 1], "slow") == 0 &&
		db_rate_lower(ctx) == 0)
		log_warn("call", news->call_id,
			"Twilio queues calls: calls per second are lowered");
	if (task->waiter != 0)
		task->answer(task->gw, task->waiter, news->call_id, task->result,
			news->detail);
	free(task);
}

static void event_drop(struct job *job)
{
	free(list_entry(job, struct event_job, job));
}

/* `placing`: who waits for it, told the result; NULL nobody. */
static void event_put(struct gateway *gw, const struct call_news *news,
	const struct placing *placing, enum call_now_result result)
{
	struct event_job *task = calloc(1, sizeof(*task));

	assert(news->count <= CALL_NEWS_MAX);
	if (task != NULL) {
		task->job.work = event_work;
		task->job.drop = event_drop;
		task->gw = gw;
		task->news = *news;
		task->waiter = placing == NULL ? 0 : placing->waiter;
		task->answer = placing == NULL ? NULL : placing->answer;
		task->result = result;
		if (jobs_put(gw->db, &task->job) == 0)
			return;
		free(task);
	}
	/* The row keeps its deadline: the sweeper asks Twilio again. */
	log_warn("call", news->call_id, "%s dropped: database workers are busy",
		news->count > 0 ? news->events[0] : "answer");
}

void call_news(struct gateway *gw, const struct call_news *news)
{
	event_put(gw, news, NULL, CALL_NOW_PENDING);
}

/* ---- placing ---- */

struct place_post {
	struct post post;
	struct gateway *gw;
	struct db_claimed claimed;
	uint64_t waiter;
	call_answer_cb answer;
};

static void place_drop(struct post *post)
{
	/* The row stays `placing`; the next start finds it. */
	free(list_entry(post, struct place_post, post));
}

static void place_late(struct timer *timer)
{
	struct placing *placing = list_entry(timer, struct placing, timer);

	placing->answer(
		placing->gw, placing->waiter, placing->call_id, CALL_NOW_PENDING, "");
	placing->waiter = 0;
	if (placing->ringing)
		placing_free(placing);
}

static int place_send(struct gateway *gw, const struct db_claimed *claimed)
{
	bool detects = claimed->amd[0] != '\0' && strcmp(claimed->amd, "off") != 0;
	char status[URL_SIZE], conference[URL_SIZE], amd[URL_SIZE];

	url_status(gw, claimed->call_id, claimed->entry_id, claimed->attempt, status);
	url_conference(gw, claimed->session_id, conference);
	url_amd(gw, claimed->call_id, amd);
	return twilio_participant_create(gw->twilio, (uint64_t)claimed->call_id,
		&(struct twilio_participant){
			.conference = claimed->conference,
			.from = claimed->caller_id,
			.to = claimed->number,
			.label = claimed->label,
			.timeout_s = (unsigned)claimed->ring_timeout_s,
			.early_media = false,
			.status_callback = status,
			.conference_status_callback = conference,
			.machine_detection = detects ? "Enable" : NULL,
			.amd_callback = detects ? amd : NULL,
		});
}

static struct placing *placing_new(const struct place_post *place)
{
	struct placing *placing = calloc(1, sizeof(*placing));

	if (placing == NULL)
		return NULL;
	placing->gw = place->gw;
	placing->call_id = place->claimed.call_id;
	placing->waiter = place->waiter;
	placing->answer = place->answer;
	placing->timer.fire = place_late;
	list_add_tail(&place->gw->calls->placing, &placing->node);
	if (placing->waiter != 0)
		timer_start(place->gw->timers, &placing->timer, WAIT_MS);
	return placing;
}

/* The agent is rung; agent_ring_go() places the call. Who waits, waits for both. */
static void ring_first(const struct place_post *place)
{
	struct placing *placing;

	agent_claimed(place->gw, place->claimed.session_id);
	if (place->waiter == 0)
		return;
	placing = placing_new(place);
	if (placing != NULL)
		placing->ringing = true;
}

static void place_now(const struct place_post *place)
{
	struct gateway *gw = place->gw;
	int64_t call_id = place->claimed.call_id;
	struct placing *placing = placing_find(gw->calls, call_id);
	/* Without memory for a placing the waiter is told all the same. */
	struct placing waiter = {.waiter = place->waiter, .answer = place->answer};
	char number[DB_NUMBER_SIZE];

	if (placing == NULL)
		placing = placing_new(place);
	if (placing == NULL || place_send(gw, &place->claimed) < 0) {
		event_put(gw,
			&(struct call_news){.call_id = call_id,
				.events = {"unsent"},
				.count = 1,
				.at_ms = clock_wall_ms(),
				.duration_s = -1,
				.detail =
					"Too many requests to Twilio were waiting, or the "
					"gateway was stopping."},
			placing == NULL ? &waiter : placing, CALL_NOW_REFUSED);
		if (placing != NULL)
			placing_free(placing);
		return;
	}
	placing->ringing = false;
	log_info("call", call_id, "placing number=%s conference=%s attempt=%d",
		log_mask(place->claimed.number, number, sizeof(number)),
		place->claimed.conference, place->claimed.attempt);
}

static void place_run(struct post *post)
{
	struct place_post *place = list_entry(post, struct place_post, post);

	if (place->claimed.ring_first)
		ring_first(place);
	else
		place_now(place);
	free(place);
}

void call_place_for(struct gateway *gw, const struct db_claimed *claimed, uint64_t waiter,
	call_answer_cb answer)
{
	struct place_post *place = calloc(1, sizeof(*place));

	if (place == NULL)
		return; /* the row stays `placing`, its deadline ends it */
	place->post.run = place_run;
	place->post.drop = place_drop;
	place->gw = gw;
	place->claimed = *claimed;
	place->waiter = waiter;
	place->answer = answer;
	post_queue_answer(gw->queue, &place->post);
}

void call_place(struct gateway *gw, const struct db_claimed *claimed, uint64_t waiter)
{
	call_place_for(gw, claimed, waiter, queue_api_answer);
}

/* ---- Twilio's answers, on the loop ---- */

static void news_of_create(const struct twilio_answer *answer, struct call_news *news,
	enum call_now_result *result)
{
	const struct twilio_error *error;

	switch (answer->result) {
	case TWILIO_OK:
		(void)snprintf(news->sid, sizeof(news->sid), "%s", answer->sid);
		news->events[news->count++] = "accepted";
		if (answer->queue_time_ms > QUEUE_TIME_MS)
			news->events[news->count++] = "slow";
		*result = CALL_NOW_PLACED;
		return;
	case TWILIO_REFUSED:
		/* What is not the number's fault costs its contact no attempt. */
		error = twilio_error(answer->code, answer->http_status);
		news->events[news->count++] =
			error->stop <= TWILIO_STOP_COUNTRY ? "refused" : "unsent";
		news->code = error->first != 0 && answer->code == 0 ? error->first
								    : answer->code;
		twilio_health_explain(answer, news->detail, sizeof(news->detail));
		*result = CALL_NOW_REFUSED;
		return;
	case TWILIO_NOT_SENT:
		news->events[news->count++] = "unsent";
		news->code = answer->code;
		*result = CALL_NOW_REFUSED;
		break;
	case TWILIO_LOST:
		news->events[news->count++] = "lost";
		*result = CALL_NOW_PENDING;
		break;
	}
	(void)snprintf(news->detail, sizeof(news->detail), "%s", answer->message);
}

static void answer_create(struct gateway *gw, const struct twilio_answer *answer)
{
	struct placing *placing = placing_find(gw->calls, (int64_t)answer->id);
	struct call_news news = {.call_id = (int64_t)answer->id,
		.at_ms = clock_wall_ms(),
		.duration_s = -1};
	enum call_now_result result = CALL_NOW_PENDING;

	news_of_create(answer, &news, &result);
	if (answer->result != TWILIO_OK)
		log_warn("call", news.call_id, "Twilio %s: %s code=%d http=%d",
			news.events[0], answer->message, answer->code,
			answer->http_status);
	event_put(gw, &news, placing, result);
	if (placing != NULL)
		placing_free(placing);
}

/* The status in the answer is news, too: a call cancelled while queued sends no callback. */
static void answer_update(struct gateway *gw, const struct twilio_answer *answer)
{
	struct call_news news = {.call_id = (int64_t)answer->id,
		.at_ms = clock_wall_ms(),
		.duration_s = -1,
		.action_done = true};
	const char *event;

	if (twilio_call_over(answer)) {
		sweep_soon(gw, news.call_id); /* what has it become? */
		return;
	}
	if (answer->result != TWILIO_OK) /* its action stays due */
		log_warn("call", news.call_id, "Twilio: %s code=%d http=%d",
			answer->message, answer->code, answer->http_status);
	if (answer->result != TWILIO_OK || answer->count == 0)
		return;
	event = call_table_event(answer->list.calls[0].status);
	(void)snprintf(news.sid, sizeof(news.sid), "%s", answer->list.calls[0].sid);
	news.duration_s = answer->list.calls[0].duration_s;
	if (event != NULL)
		news.events[news.count++] = event;
	event_put(gw, &news, NULL, CALL_NOW_PENDING);
}

struct answer_post {
	struct post post;
	struct gateway *gw;
	struct twilio_answer *answer;
};

static void answer_drop(struct post *post)
{
	struct answer_post *told = list_entry(post, struct answer_post, post);

	twilio_answer_free(&told->answer);
	free(told);
}

static void answer_run(struct post *post)
{
	struct answer_post *told = list_entry(post, struct answer_post, post);

	twilio_health_heard(told->gw, told->answer);
	if ((told->answer->id & AGENT_RING_ID) != 0) {
		agent_ring_answer(told->gw, told->answer);
		answer_drop(post);
		return;
	}
	if ((told->answer->id & RECORDING_ANNOUNCE_ID) != 0) {
		recordings_answer(told->gw, told->answer);
		answer_drop(post);
		return;
	}
	if ((told->answer->id & SWEEP_FIND_ID) != 0) {
		sweep_answer(told->gw, told->answer);
		answer_drop(post);
		return;
	}
	switch (told->answer->op) {
	case TWILIO_PARTICIPANT_CREATE:
		answer_create(told->gw, told->answer);
		break;
	case TWILIO_CALL_UPDATE:
		answer_update(told->gw, told->answer);
		break;
	case TWILIO_CALL_FETCH:
	case TWILIO_CALL_LIST:
		sweep_answer(told->gw, told->answer);
		break;
	case TWILIO_CONFERENCE_FIND:
	case TWILIO_PARTICIPANT_LIST:
		agent_twilio_answer(told->gw, told->answer);
		break;
	case TWILIO_PARTICIPANT_UPDATE:
		controls_answer(told->gw, told->answer);
		break;
	case TWILIO_RECORDING_CREATE:
	case TWILIO_RECORDING_UPDATE:
	case TWILIO_RECORDING_FETCH:
	case TWILIO_RECORDING_DELETE:
	case TWILIO_RECORDING_LIST:
		recordings_answer(told->gw, told->answer);
		break;
	case TWILIO_NUMBER_LIST:
	case TWILIO_CALLER_ID_LIST:
		numbers_answer(told->gw, told->answer);
		break;
	default:
		break;
	}
	answer_drop(post);
}

void calls_twilio_answer(void *gateway, struct twilio_answer *answer)
{
	struct gateway *gw = gateway;
	struct answer_post *told = calloc(1, sizeof(*told));

	metrics_twilio(answer);
	if (told == NULL) {
		twilio_answer_free(
			&answer); /* as if it had been lost: the sweeper asks */
		return;
	}
	told->post.run = answer_run;
	told->post.drop = answer_drop;
	told->gw = gw;
	told->answer = answer;
	post_queue_answer(gw->queue, &told->post);
}
