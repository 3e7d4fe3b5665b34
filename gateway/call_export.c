/*
 * call_export.c: pages of calls into a feed. See call_export.h.
 *
 * An export belongs to one of three: a database job that writes a page, the feed while its reader
 * catches up, or a post to the loop on the way back to a job. `turn` says whose it is.
 */
#include "gateway/call_export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/post.h"
#include "base/text.h"
#include "gateway/call_api.h"
#include "gateway/csv_write.h"
#include "http/feed.h"

#define PAGE 400 /* rows of one statement; a row takes 3 kB */

enum turn {
	TURN_JOB,
	TURN_READER, /* the job has ended; the feed calls */
	TURN_CALLED, /* the feed called before the job had ended */
};

struct export
{
	struct job job;
	struct post post;
	struct gateway *gw;
	struct http_feed *feed;
	atomic_int turn;
	struct db_call_filter filter; /* its texts are those below */
	char number[DB_NUMBER_SIZE], state[DB_WORD_SIZE], outcome[DB_WORD_SIZE],
		direction[DB_WORD_SIZE];
};

static void end(struct export *export, bool whole)
{
	http_feed_close(&export->feed, whole);
	free(export);
}

/* ---- rows ---- */

static const char *const columns[] = {"callId", "placedAt", "ringingAt", "answeredAt",
	"bridgedAt", "endedAt", "durationS", "direction", "mode", "state", "outcome",
	"answeredBy", "number", "callerId", "campaignId", "campaign", "agentId", "agent",
	"contactId", "firstName", "lastName", "attempt", "disposition", "notes",
	"errorCode", "errorText", "twilioCallSid"};

static void cell_number(struct buf *out, int64_t number, int64_t none)
{
	char text[24] = "";

	if (number != none)
		(void)snprintf(text, sizeof(text), "%" PRId64, number);
	csv_cell(out, text);
}

static void cell_time(struct buf *out, int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	csv_cell(out, wall_ms == 0 ? "" : clock_text(wall_ms, text));
}

static void add_row(struct buf *out, const struct db_call_named *n)
{
	const struct db_call *c = &n->call;

	cell_number(out, c->id, 0);
	cell_time(out, c->placed_ms);
	cell_time(out, c->ringing_ms);
	cell_time(out, c->answered_ms);
	cell_time(out, c->bridged_ms);
	cell_time(out, c->ended_ms);
	cell_number(out, c->duration_s, -1);
	csv_cell(out, c->direction);
	csv_cell(out, c->mode);
	csv_cell(out, c->state);
	csv_cell(out, c->outcome);
	csv_cell(out, c->answered_by);
	csv_cell(out, c->number);
	csv_cell(out, c->caller_id);
	cell_number(out, c->campaign_id, 0);
	csv_cell(out, n->campaign);
	cell_number(out, c->agent_id, 0);
	csv_cell(out, n->agent);
	cell_number(out, c->contact_id, 0);
	csv_cell(out, n->first_name);
	csv_cell(out, n->last_name);
	cell_number(out, c->attempt, 0);
	csv_cell(out, c->disposition);
	csv_cell(out, n->notes);
	cell_number(out, c->error_code, 0);
	csv_cell(out, c->error_text);
	csv_cell(out, c->provider_sid);
	csv_end_row(out);
}

static void add_head(struct buf *out)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		csv_cell(out, columns[i]);
	csv_end_row(out);
}

/* ---- pages ---- */

/* 0: more comes; 1: more comes, but the reader must catch up first; 2: that was all. */
static int write_page(struct export *export, struct db *db)
{
	struct db_call_named *rows = NULL;
	struct buf text = {0};
	size_t count = 0;
	int r = db_call_page_named(db, &export->filter, PAGE, &rows, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		add_row(&text, &rows[i]);
	if (count > 0)
		export->filter.before = rows[count - 1].call.id;
	free(rows);
	r = text.failed ? -ENOMEM : http_feed_write(export->feed, text.data, text.len);
	buf_free(&text);
	if (r >= 0 && count < PAGE)
		return 2;
	return r;
}

static void step(struct export *export, struct db *db);

static void export_work(struct job *job, void *ctx)
{
	step(list_entry(job, struct export, job), ctx);
}

static void export_drop(struct job *job)
{
	end(list_entry(job, struct export, job), false);
}

/* True when the feed will call; false when it has called already. */
static bool wait_for_reader(struct export *export)
{
	int job = TURN_JOB;

	if (atomic_compare_exchange_strong(&export->turn, &job, TURN_READER))
		return true;
	atomic_store(&export->turn, TURN_JOB);
	return false;
}

/* One page a job, so that others get their turn; more only when the queue is full. */
static void step(struct export *export, struct db *db)
{
	int r;

	do {
		r = write_page(export, db);
		if (r < 0 || r == 2) {
			if (r < 0 && r != -EPIPE)
				log_warn("api", 0,
					"an export of calls broke off: %s (%d)",
					db_error(db), r);
			end(export, r == 2);
			return;
		}
		if (r == 1 && wait_for_reader(export))
			return;
	} while (jobs_put(export->gw->db, &export->job) < 0);
}

static void back_run(struct post *post)
{
	struct export *export = list_entry(post, struct export, post);

	if (jobs_put(export->gw->db, &export->job) == 0)
		return;
	log_warn("api", 0, "an export of calls broke off: database workers are busy");
	end(export, false);
}

static void back_drop(struct post *post)
{
	end(list_entry(post, struct export, post), false);
}

/* http thread, under the feed's lock: the reader has caught up, or has left. */
static void called(void *arg)
{
	struct export *export = arg;

	if (atomic_exchange(&export->turn, TURN_CALLED) != TURN_READER)
		return;
	atomic_store(&export->turn, TURN_JOB);
	post_queue_answer(export->gw->queue, &export->post);
}

/* ---- the request ---- */

static const char *keep(char *dst, size_t size, const char *text)
{
	if (text == NULL)
		return NULL;
	(void)text_copy(dst, size, text); /* call_filter() knows these words */
	return dst;
}

static struct export *export_new(struct gateway *gw, const struct db_call_filter *filter)
{
	struct export *export = calloc(1, sizeof(*export));

	if (export == NULL)
		return NULL;
	export->job.work = export_work;
	export->job.drop = export_drop;
	export->post.run = back_run;
	export->post.drop = back_drop;
	export->gw = gw;
	export->filter = *filter;
	export->filter.number =
		keep(export->number, sizeof(export->number), filter->number);
	export->filter.state = keep(export->state, sizeof(export->state), filter->state);
	export->filter.outcome =
		keep(export->outcome, sizeof(export->outcome), filter->outcome);
	export->filter.direction =
		keep(export->direction, sizeof(export->direction), filter->direction);
	return export;
}

void calls_export(struct api_call *call, struct api_reply *reply)
{
	static const struct http_header headers[] = {
		{"Content-Disposition", "attachment; filename=\"calls.csv\""},
		{"Cache-Control", "private, no-store"}};
	struct db_call_filter filter;
	struct export *export;
	struct buf head = {0};
	int err;

	if (call_filter(call, reply, &filter) < 0)
		return;
	export = export_new(call->gw, &filter);
	err = export == NULL ? -ENOMEM
			     : http_feed_open(call->gw->http, call->request->id,
				       &(struct http_feed_config){
					       .status = 200,
					       .content_type = "text/csv; charset=utf-8",
					       .length = -1,
					       .headers = headers,
					       .header_count = 2,
					       .room = called,
					       .gone = called,
					       .arg = export,
				       },
				       &export->feed);
	if (err < 0) {
		free(export);
		api_fail_db(reply, err, "call", call->db);
		return;
	}
	reply->deferred = true;
	add_head(&head);
	err = head.failed ? -ENOMEM : http_feed_write(export->feed, head.data, head.len);
	buf_free(&head);
	if (err < 0)
		end(export, false);
	else
		step(export, call->db);
}
