/* import_api.c: the routes of uploads. See import_api.h. */
#include "gateway/import_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/text.h"
#include "db/data_lists.h"
#include "gateway/afterwork.h"
#include "gateway/again.h"
#include "gateway/api_reply.h"
#include "gateway/events.h"
#include "gateway/import.h"
#include "gateway/list_api.h"

#define WAIT_DEFAULT_S \
	10 /* for an upload to be done, before it is told that it takes longer */
#define WAIT_MAX_S 20    /* the server waits 30 s for an answer */
#define WAIT_LOOK_MS 250 /* how late it may be told */
#define PAGE_DEFAULT 50
#define PAGE_MAX 100
#define ERRORS_SHOWN 10

static const char *const open_states[] = {"queued", "reading", "adding", NULL};

static bool is_open(const struct db_import *import)
{
	for (size_t i = 0; open_states[i] != NULL; i++)
		if (strcmp(import->state, open_states[i]) == 0)
			return true;
	return false;
}

/* NULL without memory. */
static json_t *import_json(const struct db_import *i)
{
	json_t *report = json_loads(i->report, 0, NULL);

	if (json_object_size(report) == 0) {
		json_decref(report);
		report = json_null();
	}
	return json_pack(
		"{s:o, s:o, s:o, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
		" s:I, s:o, s:o, s:o, s:o}",
		"importId", api_id(i->id), "listId", api_id(i->list_id), "userId",
		api_id(i->user_id), "format", i->format, "state", i->state, "dryRun",
		i->dry_run, "replaceExisting", i->replaces, "bytes", (json_int_t)i->bytes,
		"bytesDone", (json_int_t)i->bytes_done, "rows", (json_int_t)i->rows,
		"added", (json_int_t)i->added, "updated", (json_int_t)i->updated,
		"removed", (json_int_t)i->removed, "skipped", (json_int_t)i->skipped,
		"rejected", (json_int_t)i->rejected, "report", report, "error",
		api_text(i->error), "createdAt", api_time(i->created_ms), "endedAt",
		api_time(i->ended_ms));
}

/* ---- what an upload is answered ---- */

/* The first rows that were not taken, as older front ends show them. */
static json_t *errors_json(const struct db_import *import)
{
	json_t *report = json_loads(import->report, 0, NULL);
	json_t *errors = json_array(), *cause, *row;
	size_t i, j;

	json_array_foreach(json_object_get(report, "causes"), i, cause)
	{
		json_array_foreach(json_object_get(cause, "rows"), j, row)
		{
			if (json_array_size(errors) >= ERRORS_SHOWN)
				break;
			(void)json_array_append_new(
				errors, json_pack("{s:O, s:O}", "row", row, "reason",
						json_object_get(cause, "message")));
		}
	}
	json_decref(report);
	return errors;
}

static const char *message_of(const struct db_import *import)
{
	if (is_open(import))
		return "The file is being imported. Ask for the import's state, or watch the events.";
	return import->dry_run ? "This was a dry run. Nothing was changed."
			       : "The file was imported.";
}

void import_answer(struct db *db, int64_t import_id, struct api_reply *reply)
{
	struct db_import *import = malloc(sizeof(*import));
	struct db_list list;
	int err = import == NULL ? -ENOMEM : db_import_get(db, import_id, import);

	if (err == 0)
		err = db_list_get(db, import->list_id, &list);
	if (err < 0)
		api_fail_db(reply, err, "list", db);
	else
		api_ok(reply, is_open(import) ? 202 : 200,
			json_pack(
				"{s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:o}, s:o, s:s}",
				"dataList", list_json(&list), "upload", "totalSubmitted",
				(json_int_t)import->rows, "uploaded",
				(json_int_t)import->added, "updated",
				(json_int_t)import->updated, "removed",
				(json_int_t)import->removed, "skipped",
				(json_int_t)import->skipped, "rejected",
				(json_int_t)import->rejected, "errors",
				errors_json(import), "import", import_json(import),
				"message", message_of(import)));
	free(import);
}

/* ---- an upload ---- */

static bool is_csv(const char *type)
{
	static const char *const types[] = {"text/csv", "application/csv", "text/plain",
		"application/vnd.ms-excel", "application/octet-stream",
		"text/tab-separated-values", "", NULL};

	for (size_t i = 0; types[i] != NULL; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* As in JSON: true, false, or a text; a mapping is an object. */
static json_t *query_value(const struct form_pair *pair)
{
	if (strcmp(pair->value, "true") == 0 || strcmp(pair->value, "1") == 0)
		return json_true();
	if (strcmp(pair->value, "false") == 0 || strcmp(pair->value, "0") == 0)
		return json_false();
	if (strcmp(pair->name, "mapping") == 0)
		return json_loads(pair->value, 0, NULL);
	return json_string(pair->value);
}

static int read_options(struct api_call *call, struct import_options *options,
	int64_t *wait_s, struct err *err)
{
	const struct form *query = &call->request->query;
	int rc = 0;

	for (size_t i = 0; i < query->count && rc == 0; i++) {
		const struct form_pair *pair = &query->pairs[i];
		json_t *value;

		if (strcmp(pair->name, "wait") == 0) {
			if (text_int(pair->value, 0, WAIT_MAX_S, wait_s) < 0)
				rc = err_set(err, -EINVAL,
					"wait must be a number of seconds from 0 to %d.",
					WAIT_MAX_S);
			continue;
		}
		value = query_value(pair);
		rc = import_options_set(options, pair->name, value, err);
		json_decref(value);
	}
	return rc;
}

struct waiter {
	uint64_t request_id;
	int64_t import_id;
};

/* The import may be in a statement of minutes when the time of who waits is over. */
static bool answer_waiter(struct gateway *gw, struct db *db, void *arg, bool last)
{
	const struct waiter *waiter = arg;
	struct api_reply reply = {.status = 0};
	struct after *after;

	if (!last)
		return !afterwork_waits(gw->afterwork, waiter->request_id);
	import_answer(db, waiter->import_id, &reply);
	after = afterwork_take(gw->afterwork, waiter->request_id);
	if (after != NULL) {
		api_finish(gw, db, after, waiter->request_id, &reply);
	} else { /* it has its answer */
		json_decref(reply.data);
		json_decref(reply.details);
	}
	return true;
}

/* Lets the request wait for the end, for so long. -EAGAIN, -ENOMEM: it cannot. */
static int wait_for(struct api_call *call, int64_t import_id, int64_t wait_s)
{
	struct waiter *waiter = malloc(sizeof(*waiter));
	int err;

	if (waiter == NULL)
		return -ENOMEM;
	waiter->request_id = call->request->id;
	waiter->import_id = import_id;
	err = again_start(call->gw, &(struct again_wish){
					    .every_ms = WAIT_LOOK_MS,
					    .for_ms = (unsigned)wait_s * 1000,
					    .attempt = answer_waiter,
					    .done = free,
					    .arg = waiter,
				    });
	if (err < 0)
		free(waiter);
	return err;
}

static void put_order(struct api_call *call, struct api_reply *reply,
	struct import_order *order, int64_t wait_s)
{
	struct db_import *import = calloc(1, sizeof(*import));
	int err = -ENOMEM;

	order->fd = fcntl(call->request->body_fd, F_DUPFD_CLOEXEC, 0);
	if (import != NULL && order->fd >= 0) {
		import->list_id = order->list_id;
		import->user_id = call->user.id;
		import->dry_run = order->options.dry_run;
		import->replaces = order->options.replace_existing;
		import->bytes = order->size;
		(void)text_copy(import->format, sizeof(import->format),
			order->json ? "json" : "csv");
		err = db_import_create(
			call->db, import, call->gw->node, &order->import_id);
	}
	free(import);
	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		json_decref(order->options.mapping);
		if (order->fd >= 0)
			(void)close(order->fd);
		return;
	}
	/* Who would wait for others' imports first is told at once. */
	if (wait_s == 0 || imports_busy(call->gw) ||
		wait_for(call, order->import_id, wait_s) < 0)
		import_answer(call->db, order->import_id, reply);
	else
		order->request_id = call->request->id;
	reply->deferred = order->request_id != 0;
	if (imports_put(call->gw, order) == 0)
		return;
	(void)db_import_fail(
		call->db, order->import_id, "Too many imports were waiting.");
	json_decref(reply->data);
	*reply = (struct api_reply){.retry_after_s = 10};
	api_fail(reply, 503, "TOO_MANY_IMPORTS",
		"Too many imports are waiting. Nothing was changed; upload it again later.");
}

void list_upload(struct api_call *call, struct api_reply *reply)
{
	struct import_order order = {.fd = -1, .list_id = api_param_id(call, 0)};
	int64_t wait_s = WAIT_DEFAULT_S;
	struct err problem = {{0}};
	struct db_list list;
	int err = db_list_get(call->db, order.list_id, &list);

	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	order.json = strcmp(call->request->content_type, "application/json") == 0;
	if (!order.json && !is_csv(call->request->content_type)) {
		api_fail(reply, 415, "NOT_A_LIST",
			"The body must be text/csv or application/json, not %.64s. Send the file "
			"itself, not a form.",
			call->request->content_type);
		return;
	}
	import_options_default(&order.options, list_country(call->gw, &list));
	if (read_options(call, &order.options, &wait_s, &problem) < 0) {
		api_fail(reply, 422, "VALIDATION", "%s", problem.text);
		json_decref(order.options.mapping);
		return;
	}
	order.size = (int64_t)call->request->body_len;
	if (call->request->awaits_body)
		json_decref(order.options.mapping); /* all is well so far */
	else
		put_order(call, reply, &order, wait_s);
}

/* ---- what became of it ---- */

void import_get(struct api_call *call, struct api_reply *reply)
{
	struct db_import *import = malloc(sizeof(*import));
	int err = import == NULL ? -ENOMEM
				 : db_import_get(call->db, api_param_id(call, 0), import);

	if (err < 0)
		api_fail_db(reply, err, "import", call->db);
	else
		api_ok(reply, 200, json_pack("{s:o}", "import", import_json(import)));
	free(import);
}

void imports_list(struct api_call *call, struct api_reply *reply)
{
	int64_t list = api_query_id(call, "listId");
	int64_t before = api_query_int(call, "after", INT64_MAX, 0);
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	struct db_import *rows = NULL;
	json_t *array, *next = NULL;
	size_t count = 0;
	int err;

	if (list < 0 || before < 0 || limit < 1) {
		api_fail(reply, 422, "VALIDATION",
			"listId and after must be ids, limit a number from 1 to %d.",
			PAGE_MAX);
		return;
	}
	err = db_import_page(call->db, list, before, (unsigned)limit, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "import", call->db);
		return;
	}
	array = json_array();
	for (size_t i = 0; i < count && i < (size_t)limit; i++)
		(void)json_array_append_new(array, import_json(&rows[i]));
	next = count > (size_t)limit ? api_id(rows[limit - 1].id) : json_null();
	free(rows);
	api_ok(reply, 200, json_pack("{s:o, s:o}", "imports", array, "nextCursor", next));
}

void import_cancel(struct api_call *call, struct api_reply *reply)
{
	int err = db_import_cancel(call->db, api_param_id(call, 0));

	if (err == -EALREADY)
		api_fail(reply, 409, "IMPORT_ENDED",
			"The import has ended already. What it added can be undone.");
	else if (err < 0)
		api_fail_db(reply, err, "import", call->db);
	else
		import_get(call, reply);
}

/* On an import thread: a million contacts take their time to go. */
static void undo_work(struct gateway *gw, struct db *db, const struct list_job *job)
{
	struct db_import *import = malloc(sizeof(*import));
	struct api_reply reply = {.status = 0};
	int64_t removed = 0;
	int err = import == NULL ? -ENOMEM
				 : db_import_undo(db, job->id, gw->node, &removed);
	int known = -ENOENT;

	/* Also of one that was not undone: its row says why. */
	if (err == 0 || err == -EBUSY)
		known = db_import_get(db, job->id, import);
	if (known == 0)
		events_import(gw, import);
	if (err == -EALREADY)
		api_fail(&reply, 409, "NOTHING_TO_UNDO",
			"Only an import that has added contacts, was no dry run and replaced "
			"nothing can be undone, and only once.");
	else if (err == -EBUSY)
		api_fail(&reply, 409, "ALREADY_DIALED",
			"A contact of this import was called already. Nothing was removed.");
	else if (err == 0)
		err = known;
	if (err < 0 && reply.status == 0)
		api_fail_db(&reply, err, "import", db);
	else if (err == 0)
		api_ok(&reply, 200,
			json_pack("{s:o, s:I}", "import", import_json(import), "removed",
				(json_int_t)removed));
	free(import);
	list_job_end(gw, job, &reply, "undoing import");
}

void import_undo(struct api_call *call, struct api_reply *reply)
{
	struct list_job job = {.work = undo_work, .id = api_param_id(call, 0)};
	struct db_import *import = malloc(sizeof(*import));
	int err = import == NULL ? -ENOMEM : db_import_get(call->db, job.id, import);

	if (err < 0)
		api_fail_db(reply, err, "import", call->db);
	else
		list_job_put(call, reply, &job,
			import->added < LIST_LONG
				? NULL
				: json_pack("{s:o}", "import", import_json(import)));
	free(import);
}

/* ---- rows that were not taken ---- */

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, text, len);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			text += done;
			len -= (size_t)done;
		}
	}
	return 0;
}

/* The parts one after the other into a file: they may be large, memory is not. */
static int gather(struct api_call *call, int64_t id, int fd, size_t *ret_len)
{
	size_t total = 0;
	char *part;
	int rc = 0;

	for (int number = 0; rc == 0; number++) {
		part = NULL;
		rc = db_import_rejects(call->db, id, number, &part);
		if (part == NULL)
			break;
		total += strlen(part);
		rc = write_all(fd, part, strlen(part));
		free(part);
	}
	if (rc == 0)
		*ret_len = total;
	return rc;
}

void import_rejected(struct api_call *call, struct api_reply *reply)
{
	const char *dir = config_text(call->gw->config, "DATA_DIR");
	struct db_import *import = malloc(sizeof(*import));
	int64_t id = api_param_id(call, 0);
	char name[96];
	size_t len = 0;
	int fd = -1;
	int err = import == NULL ? -ENOMEM : db_import_get(call->db, id, import);

	free(import);
	if (err < 0) {
		api_fail_db(reply, err, "import", call->db);
		return;
	}
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : gather(call, id, fd, &len);
	if (err < 0) {
		if (fd >= 0)
			(void)close(fd);
		api_fail(reply, 503, "NO_SPACE",
			"The rows could not be put together: %s. Try again later.",
			strerror(-err));
		return;
	}
	(void)snprintf(name, sizeof(name),
		"attachment; filename=\"import-%lld-rejected.csv\"", (long long)id);
	reply->deferred = true;
	http_reply(call->gw->http, call->request->id,
		&(struct http_reply){.status = 200,
			.content_type = "text/csv; charset=utf-8",
			.body_fd = &fd,
			.body_len = len,
			.headers = &(struct http_header){"Content-Disposition", name},
			.header_count = 1});
}
