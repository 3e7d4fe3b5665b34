/* recording_api.c: the routes of recordings. See recording_api.h. */
#include "gateway/recording_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "gateway/call_api.h"
#include "gateway/events.h"
#include "gateway/recording.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200

static json_t *recording_json(const struct db_recording *r)
{
	bool has_media = strcmp(r->state, "completed") == 0;
	json_t *doc = json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o}",
		"id", api_id(r->id), "recordingId", api_id(r->id), "callId",
		api_id(r->call_id), "campaignId", api_id(r->campaign_id), "agentId",
		api_id(r->agent_id), "state", r->state, "pauseWanted", r->pause_wanted,
		"twilioRecordingSid", api_text(r->provider_sid), "channels",
		r->channels == 0 ? json_null() : json_integer(r->channels), "durationS",
		r->duration_s < 0 ? json_null() : json_integer(r->duration_s));
	json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "errorCode",
		r->error_code == 0 ? json_null() : json_integer(r->error_code),
		"errorText", api_text(r->error_text), "createdAt",
		api_time(r->created_ms), "startedAt", api_time(r->started_ms),
		"completedAt", api_time(r->completed_ms), "deletedAt",
		api_time(r->deleted_ms), "deleteAt", api_time(r->delete_ms), "media",
		has_media ? json_sprintf("/api/recordings/%lld/media", (long long)r->id)
			  : json_null());

	if (doc != NULL && more != NULL)
		(void)json_object_update(doc, more);
	json_decref(more);
	return doc;
}

static bool is_state(const char *word)
{
	static const char *const states[] = {"announcing", "wanted", "starting",
		"recording", "paused", "processing", "completed", "absent", "failed",
		"deleted"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i], word) == 0)
			return true;
	return false;
}

static int read_filter(struct api_call *call, struct api_reply *reply,
	struct db_recording_filter *f, int64_t *ret_limit)
{
	const char *state = form_get(&call->request->query, "state");
	int64_t self = api_agent(call);

	*f = (struct db_recording_filter){
		.campaign_id = api_query_id(call, "campaignId"),
		.agent_id = api_query_id(call, "agentId"),
		.call_id = api_query_id(call, "callId"),
		.state = state != NULL && state[0] != '\0' ? state : NULL,
		.from_ms = api_query_time(call, "from", 0),
		.to_ms = api_query_time(call, "to", 0),
		.before = api_query_int(call, "before", INT64_MAX, 0),
	};
	*ret_limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	if (f->campaign_id < 0 || f->agent_id < 0 || f->call_id < 0 || f->before < 0 ||
		f->from_ms < 0 || f->to_ms < 0 || *ret_limit < 1 ||
		(f->state != NULL && !is_state(f->state))) {
		api_fail(reply, 422, "VALIDATION",
			"campaignId, agentId, callId and before must be ids, from and to times "
			"such as 2026-01-31T18:30:00Z, state a state of recordings, limit a number "
			"from 1 to %d.",
			PAGE_MAX);
		return -EINVAL;
	}
	if (self != 0)
		f->agent_id = self;
	return 0;
}

void recordings_list(struct api_call *call, struct api_reply *reply)
{
	struct db_recording_filter filter;
	struct db_recording *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int64_t limit;
	int err;

	if (read_filter(call, reply, &filter, &limit) < 0)
		return;
	err = db_recording_page(call->db, &filter, (unsigned)limit, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "recording", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < (size_t)limit; i++)
		(void)json_array_append_new(list, recording_json(&rows[i]));
	if (count > (size_t)limit)
		next = api_id(rows[limit - 1].id);
	free(rows);
	api_ok(reply, 200,
		json_pack("{s:o, s:o}", "recordings", list, "nextCursor", next));
}

int recording_of_path(
	struct api_call *call, struct api_reply *reply, struct db_recording *ret_row)
{
	int64_t self = api_agent(call);
	int err = db_recording_get(call->db, api_param_id(call, 0), ret_row);

	if (err == 0 && self != 0 && ret_row->agent_id != self)
		err = -ENOENT;
	if (err < 0)
		api_fail_db(reply, err, "recording", call->db);
	return err;
}

void recording_get(struct api_call *call, struct api_reply *reply)
{
	struct db_recording row;

	if (recording_of_path(call, reply, &row) == 0)
		api_ok(reply, 200, json_pack("{s:o}", "recording", recording_json(&row)));
}

void recording_delete(struct api_call *call, struct api_reply *reply)
{
	struct db_recording row;
	int err;

	if (recording_of_path(call, reply, &row) < 0)
		return;
	err = db_recording_remove(call->db, row.id);
	if (err == -EBUSY) {
		api_fail(reply, 409, "STILL_RECORDING",
			"The recording is still being made. Delete it when the call is over.");
		return;
	}
	if (err < 0) {
		api_fail_db(reply, err, "recording", call->db);
		return;
	}
	if (strcmp(row.state, "deleted") == 0) { /* Twilio has said so before */
		api_ok(reply, 200, json_pack("{s:o}", "recording", recording_json(&row)));
		return;
	}
	if (row.provider_sid[0] == '\0') {
		recordings_wake(call->gw);
		api_ok(reply, 202, json_pack("{s:o}", "recording", recording_json(&row)));
		return;
	}
	reply->deferred = true;
	recordings_wake_for(call->gw, row.id, call->request->id);
}

/* ---- pause for what may not be kept: card numbers ---- */

static void set_pause(struct api_call *call, struct api_reply *reply, bool pause)
{
	struct db_recording row;
	struct db_call of;
	bool paused;
	int err;

	if (call_of_path(call, reply, &of) < 0)
		return;
	err = db_recording_pause(call->db, of.id, pause, &row);
	if (err == -ENOENT) {
		api_fail(reply, 409, "NOT_RECORDED", "This call is not recorded.");
		return;
	}
	if (err == -EINVAL) {
		api_fail(reply, 409, "ENDED", "The recording of this call is over.");
		return;
	}
	if (err < 0) {
		api_fail_db(reply, err, "call", call->db);
		return;
	}
	paused = strcmp(row.state, "paused") == 0;
	if (paused == pause || strcmp(row.state, "wanted") == 0 ||
		strcmp(row.state, "announcing") == 0) {
		/* As wanted already, or it has not begun and will not while it is paused. */
		recordings_wake(call->gw);
		api_ok(reply, 200, json_pack("{s:o}", "recording", recording_json(&row)));
		return;
	}
	reply->deferred = true;
	recordings_wake_for(call->gw, row.id, call->request->id);
}

void call_recording_pause(struct api_call *call, struct api_reply *reply)
{
	set_pause(call, reply, true);
}

void call_recording_resume(struct api_call *call, struct api_reply *reply)
{
	set_pause(call, reply, false);
}

/* ---- the late answer ---- */

struct answer_job {
	struct job job;
	struct gateway *gw;
	uint64_t request_id;
	int64_t recording_id;
	char refused[256];
};

/* Does Twilio do what is wanted? */
static bool is_settled(const struct db_recording *row)
{
	if (strcmp(row->state, "recording") == 0)
		return !row->pause_wanted;
	if (strcmp(row->state, "paused") == 0)
		return row->pause_wanted;
	return strcmp(row->state, "starting") != 0 &&
	       strcmp(row->state, "completed") != 0;
}

static void answer_work(struct job *job, void *ctx)
{
	struct answer_job *task = list_entry(job, struct answer_job, job);
	struct api_reply reply = {.status = 0};
	struct db_recording row;
	int err = db_recording_get(ctx, task->recording_id, &row);

	if (err < 0)
		api_fail_db(&reply, err, "recording", ctx);
	else if (task->refused[0] != '\0')
		api_fail(&reply, 502, "TWILIO_REFUSED", "Twilio refused it: %s",
			task->refused);
	else
		api_ok(&reply, is_settled(&row) ? 200 : 202,
			json_pack("{s:o}", "recording", recording_json(&row)));
	api_send(task->gw, task->request_id, &reply);
	free(task);
}

static void answer_drop(struct job *job)
{
	free(list_entry(job, struct answer_job, job));
}

void recording_api_answer(struct gateway *gw, uint64_t request_id, int64_t recording_id,
	const char *refused)
{
	struct answer_job *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return; /* the server answers 504 */
	task->job.work = answer_work;
	task->job.drop = answer_drop;
	task->gw = gw;
	task->request_id = request_id;
	task->recording_id = recording_id;
	(void)snprintf(task->refused, sizeof(task->refused), "%s", refused);
	if (jobs_put(gw->db, &task->job) < 0)
		free(task);
}

int recording_news(
	struct gateway *gw, struct db *db, const struct db_recording_news *news)
{
	struct db_recording row;
	bool changed = false;
	int err = db_recording_apply(db, news, &changed);

	if (err < 0) {
		log_warn("recording", 0, "%lld: %s not stored: %s", (long long)news->id,
			news->status, db_error(db));
		return err;
	}
	if (changed && db_recording_get(db, news->id, &row) == 0) {
		log_info("recording", row.call_id, "recording %s", row.state);
		events_recording(gw, &row);
	}
	return 0;
}
