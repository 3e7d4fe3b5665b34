/* recording.c: what is due for recordings, and what Twilio answers. See recording.h. */
#include "gateway/recording.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/post.h"
#include "base/ticker.h"
#include "base/timers.h"
#include "gateway/events.h"
#include "gateway/recording_api.h"
#include "gateway/urls.h"
#include "twilio/conferences.h"
#include "twilio/recordings.h"

#define LOOK_MS 1000
#define DUE_MAX 50
#define WAIT_MS 5000 /* who waits for Twilio waits so long */

struct recordings {
	struct gateway *gw;
	struct ticker *ticker;
	struct db_recording_due *due; /* what the ticker's round found */
	size_t due_count;
	struct list waiters;
};

/* An HTTP request that waits for Twilio's word on a recording. On the loop. */
struct waiter {
	struct list node;
	struct gateway *gw;
	int64_t recording_id;
	uint64_t request_id;
	struct timer timer;
};

static void waiter_free(struct waiter *waiter)
{
	timer_stop(&waiter->timer);
	list_remove(&waiter->node);
	free(waiter);
}

static void waiter_late(struct timer *timer)
{
	struct waiter *waiter = list_entry(timer, struct waiter, timer);

	recording_api_answer(waiter->gw, waiter->request_id, waiter->recording_id, "");
	waiter_free(waiter);
}

static void answer_waiters(struct gateway *gw, int64_t recording_id, const char *refused)
{
	struct list *node, *tmp;

	list_for_each(&gw->recordings->waiters, node, tmp)
	{
		struct waiter *waiter = list_entry(node, struct waiter, node);

		if (waiter->recording_id != recording_id)
			continue;
		recording_api_answer(gw, waiter->request_id, recording_id, refused);
		waiter_free(waiter);
	}
}

/* ---- what is due ---- */

static int announce(struct gateway *gw, const struct db_recording_due *due)
{
	bool sound = due->announcement_url[0] != '\0';
	char url[URL_SIZE];

	if (due->conference_sid[0] == '\0' || due->call_sid[0] == '\0')
		return -EINVAL;
	url_announce(gw, due->id, url);
	/* A sound by its own address: one that is not there is told, inside a document it is not. */
	return twilio_participant_update(gw->twilio,
		(uint64_t)due->id | RECORDING_ANNOUNCE_ID, due->conference_sid,
		due->call_sid,
		&(struct twilio_participant_change){
			.announce_url = sound ? due->announcement_url : url,
			.announce_method = sound ? "GET" : "POST"});
}

static int create(struct gateway *gw, const struct db_recording_due *due)
{
	char url[URL_SIZE];

	url_recording(gw, due->id, url);
	log_info("recording", due->call_id, "recording asked for");
	return twilio_recording_create(gw->twilio, (uint64_t)due->id, due->call_sid, url);
}

/* -EAGAIN or -EINVAL: it was not asked; it is due again, as was noted. */
static int act(struct gateway *gw, const struct db_recording_due *due)
{
	struct twilio_client *twilio = gw->twilio;
	uint64_t id = (uint64_t)due->id;

	if (strcmp(due->op, "announce") == 0)
		return announce(gw, due);
	if (strcmp(due->op, "create") == 0)
		return create(gw, due);
	if (strcmp(due->op, "find") == 0)
		return twilio_recording_list(twilio, id, due->call_sid);
	if (strcmp(due->op, "pause") == 0 || strcmp(due->op, "resume") == 0)
		return twilio_recording_update(twilio, id, due->call_sid,
			due->recording_sid,
			strcmp(due->op, "pause") == 0 ? "paused" : "in-progress");
	if (due->recording_sid[0] == '\0')
		return 0;
	if (strcmp(due->op, "fetch") == 0)
		return twilio_recording_fetch(twilio, id, due->recording_sid);
	if (strcmp(due->op, "delete") == 0)
		return twilio_recording_delete(twilio, id, due->recording_sid);
	return 0;
}

static void look_work(void *arg, void *ctx)
{
	struct recordings *recordings = arg;

	if (db_recording_due(ctx, recordings->gw->node, DUE_MAX, &recordings->due,
		    &recordings->due_count) < 0) {
		log_warn("recording", 0, "what is due is not known: %s", db_error(ctx));
		recordings->due_count = 0;
	}
}

static void news_put(
	struct gateway *gw, const struct db_recording_news *news, const char *refused);

static void look_done(void *arg)
{
	struct recordings *recordings = arg;
	struct gateway *gw = recordings->gw;

	for (size_t i = 0; i < recordings->due_count; i++) {
		const struct db_recording_due *due = &recordings->due[i];

		/* What did not leave is wanted again soon; the rest comes by itself. */
		if (act(gw, due) < 0 && (strcmp(due->op, "create") == 0 ||
						strcmp(due->op, "announce") == 0))
			news_put(gw,
				&(struct db_recording_news){.id = due->id,
					.status = "unsent",
					.certain = true,
					.duration_s = -1,
					.text = ""},
				NULL);
	}
	if (recordings->due_count == DUE_MAX)
		ticker_wake(recordings->ticker);
	free(recordings->due);
	recordings->due = NULL;
	recordings->due_count = 0;
}

int recordings_new(struct gateway *gw, struct recordings **ret_recordings)
{
	struct recordings *recordings = calloc(1, sizeof(*recordings));
	int err;

	if (recordings == NULL)
		return -ENOMEM;
	recordings->gw = gw;
	list_init(&recordings->waiters);
	err = ticker_new(&(struct ticker_config){.timers = gw->timers,
				 .jobs = gw->db,
				 .rest_ms = LOOK_MS,
				 .work = look_work,
				 .done = look_done,
				 .arg = recordings},
		&recordings->ticker);
	if (err < 0) {
		free(recordings);
		return err;
	}
	*ret_recordings = recordings;
	return 0;
}

void recordings_free(struct recordings **recordings)
{
	struct list *node, *tmp;

	if (*recordings == NULL)
		return;
	ticker_free(&(*recordings)->ticker);
	free((*recordings)->due);
	list_for_each(&(*recordings)->waiters, node, tmp)
		waiter_free(list_entry(node, struct waiter, node));
	free(*recordings);
	*recordings = NULL;
}

/* ---- waking ---- */

struct wake_post {
	struct post post;
	struct gateway *gw;
	int64_t recording_id;
	uint64_t waiter;
};

static void wake_drop(struct post *post)
{
	free(list_entry(post, struct wake_post, post));
}

static void wake_run(struct post *post)
{
	struct wake_post *wake = list_entry(post, struct wake_post, post);
	struct gateway *gw = wake->gw;
	struct waiter *waiter = wake->waiter == 0 ? NULL : calloc(1, sizeof(*waiter));

	if (waiter != NULL) {
		waiter->gw = gw;
		waiter->recording_id = wake->recording_id;
		waiter->request_id = wake->waiter;
		waiter->timer.fire = waiter_late;
		list_add_tail(&gw->recordings->waiters, &waiter->node);
		timer_start(gw->timers, &waiter->timer, WAIT_MS);
	}
	ticker_wake(gw->recordings->ticker);
	free(wake);
}

void recordings_wake_for(struct gateway *gw, int64_t recording_id, uint64_t waiter)
{
	struct wake_post *wake = calloc(1, sizeof(*wake));

	if (wake == NULL)
		return; /* the next look comes by itself, and the server answers 504 */
	wake->post.run = wake_run;
	wake->post.drop = wake_drop;
	wake->gw = gw;
	wake->recording_id = recording_id;
	wake->waiter = waiter;
	post_queue_answer(gw->queue, &wake->post);
}

void recordings_wake(struct gateway *gw)
{
	recordings_wake_for(gw, 0, 0);
}

/* ---- what was heard, into the database ---- */

struct news_job {
	struct job job;
	struct gateway *gw;
	struct db_recording_news news;
	char text[256], refused[256];
	bool waits; /* a pause, or its end, is still to be asked for */
};

static void news_work(struct job *job, void *ctx)
{
	struct news_job *task = list_entry(job, struct news_job, job);
	struct db_recording row;

	recording_news(task->gw, ctx, &task->news);
	if (db_recording_get(ctx, task->news.id, &row) < 0)
		return;
	task->waits = (strcmp(row.state, "recording") == 0 && row.pause_wanted) ||
		      (strcmp(row.state, "paused") == 0 && !row.pause_wanted);
}

static void news_drop(struct job *job)
{
	free(list_entry(job, struct news_job, job));
}

static void news_done(struct job *job)
{
	struct news_job *task = list_entry(job, struct news_job, job);

	if (!task->waits || task->refused[0] != '\0')
		answer_waiters(task->gw, task->news.id, task->refused);
	ticker_wake(task->gw->recordings->ticker);
	free(task);
}

/* `refused` NULL: Twilio did what was asked, or it is not known. */
static void news_put(
	struct gateway *gw, const struct db_recording_news *news, const char *refused)
{
	struct news_job *task = calloc(1, sizeof(*task));

	if (task != NULL) {
		task->job.work = news_work;
		task->job.done = news_done;
		task->job.drop = news_drop;
		task->gw = gw;
		task->news = *news;
		(void)snprintf(task->text, sizeof(task->text), "%s", news->text);
		task->news.text = task->text;
		(void)snprintf(task->refused, sizeof(task->refused), "%s",
			refused == NULL ? "" : refused);
		if (jobs_put(gw->db, &task->job) == 0)
			return;
		free(task);
	}
	/* The row is due again, as was noted when it was taken. */
	log_warn(
		"recording", 0, "%s not stored: database workers are busy", news->status);
}

/* ---- Twilio's answers ---- */

/* What Twilio says of one recording. */
static struct db_recording_news news_of(int64_t id, const struct twilio_recording *row)
{
	struct db_recording_news news = {.id = id,
		.certain = true,
		.status = row->status,
		.duration_s = row->duration_s,
		.channels = row->channels,
		.code = row->error_code,
		.started_ms = row->started_ms,
		.text = ""};

	(void)snprintf(news.sid, sizeof(news.sid), "%s", row->sid);
	return news;
}

static struct db_recording_news plain_news(
	int64_t id, const char *status, const struct twilio_answer *answer)
{
	return (struct db_recording_news){.id = id,
		.status = status,
		.certain = true,
		.duration_s = -1,
		.code = answer->result == TWILIO_REFUSED ? answer->code : 0,
		.text = answer->message};
}

/*
 * The words of a status live in the answer, which is freed before the job runs: ours are static.
 */
static const char *own_word(const char *status)
{
	static const char *const words[] = {"in-progress", "paused", "stopped",
		"processing", "completed", "absent", "deleted", NULL};
	size_t i = 0;

	while (words[i] != NULL && strcmp(words[i], status) != 0)
		i++;
	return words[i] != NULL ? words[i] : "";
}

static void listed(struct gateway *gw, int64_t id, const struct twilio_answer *answer)
{
	struct db_recording_news news = plain_news(id, "missing", answer);

	/* One a call is all that we ever ask for: whatever is there is it. */
	for (size_t i = 0; i < answer->count; i++) {
		const struct twilio_recording *row = &answer->list.recordings[i];

		if (strcmp(row->status, "deleted") == 0)
			continue;
		news = news_of(id, row);
		news.status = own_word(row->status);
		break;
	}
	news_put(gw, &news, NULL);
}

static void answered(struct gateway *gw, int64_t id, const struct twilio_answer *answer)
{
	struct db_recording_news news = plain_news(id, "refused", answer);

	if (answer->op == TWILIO_RECORDING_LIST) {
		listed(gw, id, answer);
		return;
	}
	if (answer->op == TWILIO_RECORDING_DELETE) {
		news.status = "deleted";
	} else if (answer->count > 0) {
		news = news_of(id, &answer->list.recordings[0]);
		news.status = own_word(answer->list.recordings[0].status);
	} else {
		return;
	}
	news_put(gw, &news, NULL);
}

static void refused(struct gateway *gw, int64_t id, const struct twilio_answer *answer)
{
	struct db_recording_news news = plain_news(id, "refused", answer);

	log_warn("recording", 0, "%lld: Twilio refused: %s code=%d", (long long)id,
		answer->message, answer->code);
	/* Not there any more is what a delete wants, and an end for the rest. */
	if (answer->http_status == 404 && answer->op != TWILIO_RECORDING_CREATE &&
		answer->op != TWILIO_RECORDING_UPDATE)
		news.status = "gone";
	/* One runs already (16108): it can only be ours, whose answer was lost. */
	if (answer->op == TWILIO_RECORDING_CREATE && answer->code == 16108)
		news.status = "lost";
	news_put(gw, &news, strcmp(news.status, "refused") == 0 ? answer->message : NULL);
}

void recordings_answer(struct gateway *gw, const struct twilio_answer *answer)
{
	int64_t id = (int64_t)(answer->id & ~RECORDING_ANNOUNCE_ID);
	struct db_recording_news news;

	/* What plays is told by the conference's webhook; what does not is tried again. */
	if ((answer->id & RECORDING_ANNOUNCE_ID) != 0) {
		if (answer->result == TWILIO_OK || answer->result == TWILIO_LOST)
			return;
		news = plain_news(id, "unsent", answer);
		news_put(gw, &news, NULL);
		return;
	}
	if (answer->result == TWILIO_OK) {
		answered(gw, id, answer);
		return;
	}
	if (answer->result == TWILIO_REFUSED) {
		refused(gw, id, answer);
		return;
	}
	if (answer->op != TWILIO_RECORDING_CREATE)
		return; /* may be repeated, and is when it is due again */
	news = plain_news(id, answer->result == TWILIO_LOST ? "lost" : "unsent", answer);
	news_put(gw, &news, NULL);
}
