/* import_run.c: reads, checks, adds, tells. See import_run.h. */
#include "gateway/import_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "db/data_lists.h"
#include "gateway/campaign.h"
#include "gateway/events.h"
#include "gateway/import_api.h"
#include "gateway/import_report.h"
#include "gateway/recheck.h"

#define BATCH (256 * 1024) /* bytes that go to PostgreSQL at once */
#define NOTE_MS 500        /* between two notes of how far it is */
#define PART (64 * 1024)   /* of the rows that were not taken */

struct run {
	struct gateway *gw;
	struct db *work, *note;
	const struct import_order *order;
	struct import_options options; /* the order's, then the document's */
	struct import_columns columns;
	struct import_checker *checker;
	struct import_reader reader;
	struct buf batch;
	char headings[IMPORT_COLUMNS_MAX][IMPORT_HEADING_MAX + 1];
	int part;
	uint64_t request_id; /* 0: has its answer, or waits for none */
	int64_t noted_ms;
	struct db_import result;
	struct err err;
};

/* ---- the answer ---- */

static void send_reply(struct run *run, struct api_reply *reply)
{
	if (run->request_id != 0)
		api_send(run->gw, run->request_id, reply);
	run->request_id = 0;
}

static void answer(struct run *run)
{
	struct api_reply reply = {.status = 0};

	if (run->request_id == 0)
		return;
	import_answer(run->note, run->result.id, &reply);
	send_reply(run, &reply);
}

static void answer_error(struct run *run, int rc)
{
	struct api_reply reply = {.status = 0};

	if (run->request_id == 0)
		return;
	if (rc == -EINVAL || rc == -E2BIG)
		api_fail(&reply, 422, "BAD_LIST", "%s", run->err.text);
	else if (rc == -ECANCELED)
		api_fail(&reply, 409, "CANCELLED", "%s", run->err.text);
	else if (rc == -EBUSY)
		api_fail(&reply, 409, "IN_CALL", "%s", run->err.text);
	else if (rc == -ENOENT)
		api_fail(&reply, 404, "NOT_FOUND", "%s", run->err.text);
	else
		api_fail(&reply, 503, "IMPORT_FAILED", "%s", run->err.text);
	reply.details = json_pack("{s:o}", "importId", api_id(run->result.id));
	send_reply(run, &reply);
}

/* ---- reading ---- */

static int on_column(void *arg, size_t index, const char *name, struct err *err)
{
	struct run *run = arg;

	if (index < IMPORT_COLUMNS_MAX)
		(void)text_copy(run->headings[index], sizeof(run->headings[0]), name);
	return import_columns_add(&run->columns, name, run->options.mapping, err);
}

static void write_headings(const struct run *run, struct buf *csv)
{
	struct import_row row = {.count = run->columns.count};

	for (size_t i = 0; i < row.count; i++)
		row.fields[i] =
			(struct import_field){run->headings[i], strlen(run->headings[i])};
	import_csv_fields(csv, &row, &run->columns);
}

static int no_phone_column(struct run *run)
{
	struct buf names = {0};
	int rc;

	write_headings(run, &names);
	rc = err_set(&run->err, -EINVAL,
		"No column is the phone number. The first row has: %.200s. Name one of them "
		"phone, or send a mapping.",
		names.len == 0 ? "nothing" : names.data);
	buf_free(&names);
	return rc;
}

/* A refused row still says whose contact is in the file. */
static bool keeps_number(const struct run *run, const struct db_import_row *refused)
{
	return run->options.replace_existing && refused->phone[0] != '\0';
}

static int on_row(void *arg, const struct import_row *row)
{
	struct run *run = arg;
	struct db_import_row staged;
	int rc;

	if (!run->order->json && import_columns_find(&run->columns, IMPORT_PHONE) < 0)
		return no_phone_column(run);
	rc = import_check(run->checker, row, &staged);
	if (rc == -E2BIG)
		return err_set(&run->err, rc, "The file has more than %d rows. Cut it.",
			IMPORT_ROWS_MAX);
	if (rc < 0 || (staged.refused && !keeps_number(run, &staged)))
		return rc;
	db_import_row_write(&run->batch, &staged);
	if (run->batch.len < BATCH)
		return run->batch.failed ? -ENOMEM : 0;
	rc = db_import_rows_put(run->work, &run->batch);
	buf_reset(&run->batch);
	return rc;
}

/* Tells how far it is, and learns whether it shall go on. */
static int note(struct run *run, const char *state, int64_t bytes_done)
{
	struct db_import *result = &run->result;

	result->rows = import_checker_seen(run->checker);
	result->bytes_done = bytes_done;
	(void)snprintf(result->state, sizeof(result->state), "%s", state);
	run->noted_ms = clock_mono_ms();
	if (imports_ending(run->gw))
		return err_set(&run->err, -EIO, "The program was told to end.");
	events_import(run->gw, result);
	return db_import_step(run->note, result->id, state, result->rows, bytes_done);
}

static int on_progress(void *arg, int64_t done)
{
	struct run *run = arg;

	return clock_mono_ms() - run->noted_ms < NOTE_MS ? 0 : note(run, "reading", done);
}

/* Of the passes that nobody watches: over a document's options, over rows that were refused. */
static int on_progress_quiet(void *arg, int64_t done)
{
	struct run *run = arg;

	(void)done;
	return imports_ending(run->gw)
		       ? err_set(&run->err, -EIO, "The program was told to end.")
		       : 0;
}

static int on_member(void *arg, const char *name, const json_t *value, struct err *err)
{
	struct run *run = arg;
	const char *option;
	json_t *inner;
	int rc = 0;

	if (strcmp(name, "mapping") == 0)
		return json_is_null(value)
			       ? 0
			       : import_options_set(&run->options, name, value, err);
	if (strcmp(name, "options") != 0)
		return err_set(err, -EINVAL,
			"The document may have contacts, options and mapping, not \"%.40s\".",
			name);
	if (!json_is_object(value))
		return err_set(err, -EINVAL, "options must be an object.");
	json_object_foreach((json_t *)value, option, inner)
	{
		rc = import_options_set(&run->options, option, inner, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int ignore_member(
	void *arg, const char *name, const json_t *value, struct err *err)
{
	(void)arg;
	(void)name;
	(void)value;
	(void)err;
	return 0;
}

static void set_reader(struct run *run)
{
	run->reader = (struct import_reader){
		.fd = run->order->fd,
		.size = run->order->size,
		.encoding = run->options.encoding,
		.delimiter = run->options.delimiter,
		.no_header = run->options.no_header,
		.column = on_column,
		.row = on_row,
		.member = ignore_member,
		.progress = on_progress,
		.arg = run,
	};
}

static int read_file(struct run *run)
{
	return run->order->json ? import_read_json(&run->reader, &run->err)
				: import_read_csv(&run->reader, &run->err);
}

/* A JSON document may have its options behind its contacts. */
static int read_options(struct run *run)
{
	int rc = 0;

	set_reader(run);
	if (run->order->json) {
		run->reader.row = NULL;
		run->reader.member = on_member;
		run->reader.progress = on_progress_quiet;
		rc = read_file(run);
	}
	set_reader(run);
	run->options.rules.last_wins =
		!run->options.skip_duplicates || run->options.replace_existing;
	return rc;
}

static int stage(struct run *run)
{
	int rc = db_import_rows_begin(run->work);

	if (rc == 0)
		rc = read_file(run);
	if (rc == 0 && run->batch.len > 0)
		rc = db_import_rows_put(run->work, &run->batch);
	if (rc == 0)
		rc = db_import_rows_end(run->work);
	if (rc == 0 && run->options.replace_existing)
		rc = db_import_rows_keep(run->work);
	if (rc == 0 && import_checker_seen(run->checker) == 0)
		rc = err_set(&run->err, -EINVAL,
			"The file has no rows besides its first one.");
	return rc;
}

/* ---- checking and adding ---- */

static void is_dnc(void *arg, int64_t number)
{
	import_checker_note(((struct run *)arg)->checker, number, IMPORT_DO_NOT_CALL);
}

static void is_in_file(void *arg, int64_t number)
{
	import_checker_note(((struct run *)arg)->checker, number, IMPORT_IN_FILE);
}

static void is_in_list(void *arg, int64_t number)
{
	import_checker_note(((struct run *)arg)->checker, number, IMPORT_IN_LIST);
}

static void is_elsewhere(void *arg, int64_t number)
{
	import_checker_note(((struct run *)arg)->checker, number, IMPORT_IN_OTHER_LIST);
}

static void is_counted(void *arg, int64_t number)
{
	(void)number;
	((struct run *)arg)->result.updated++;
}

/* Who sends a broken file does not mean to empty the list. */
static int check_empty(struct run *run)
{
	enum import_cause first = IMPORT_TAKEN;
	int64_t first_row = INT64_MAX, row = 0, count;

	import_count(run->checker, &run->result);
	if (run->result.skipped + run->result.rejected <
		import_checker_seen(run->checker))
		return 0;
	for (enum import_cause cause = IMPORT_NO_PHONE; cause < IMPORT_CAUSES; cause++)
		if (import_checker_rows(run->checker, cause, &count, &row, 1) > 0 &&
			row < first_row) {
			first = cause;
			first_row = row;
		}
	return err_set(&run->err, -EINVAL,
		"No row of the file could be taken, so nothing was removed. Row %lld: %s Mend the "
		"rows, or clear the list if it shall be empty.",
		(long long)first_row, import_cause_message(first));
}

static int check_all(struct run *run)
{
	const struct import_options *options = &run->options;
	int64_t list = run->order->list_id;
	int rc = 0;

	if (import_checker_repeated(run->checker) && options->rules.last_wins)
		rc = db_import_rows_drop_repeated(run->work, is_in_file, run);
	if (rc == 0 && options->dnc_check)
		rc = db_import_rows_drop_dnc(run->work, list, is_dnc, run);
	if (rc == 0 && options->skip_in_other_lists)
		rc = db_import_rows_drop_elsewhere(run->work, list, is_elsewhere, run);
	return rc == 0 && options->replace_existing ? check_empty(run) : rc;
}

static void is_too_long(void *arg, int64_t number)
{
	import_checker_note(((struct run *)arg)->checker, number, IMPORT_TOO_LONG);
}

/* It was counted before. */
static void is_too_long_dry(void *arg, int64_t number)
{
	is_too_long(arg, number);
	((struct run *)arg)->result.updated--;
}

/* What would be, if it were no dry run. The rows are of no use afterwards. */
static int add_dry(struct run *run)
{
	bool update = run->options.rules.last_wins;
	int64_t list = run->order->list_id;
	int rc = db_import_rows_known(
		run->work, list, update ? is_counted : is_in_list, run);

	if (rc == 0 && update)
		rc = db_import_rows_too_long(run->work, list, is_too_long_dry, run);
	if (rc == 0 && run->options.replace_existing)
		rc = db_import_rows_others(run->work, list, &run->result.removed);
	return rc == 0 ? db_import_rows_forget(run->work) : rc;
}

static int add_all(struct run *run)
{
	int rc;

	if (run->options.dry_run)
		return add_dry(run);
	rc = note(run, "adding", run->order->size);
	if (rc == 0)
		rc = db_import_rows_add(run->work,
			&(struct db_import_add){
				.import_id = run->result.id,
				.list_id = run->order->list_id,
				.update = run->options.rules.last_wins,
				.replace = run->options.replace_existing,
				.known = is_in_list,
				.too_long = is_too_long,
				.arg = run,
			},
			&run->result);
	if (rc == -EBUSY)
		(void)err_set(&run->err, rc,
			"A contact that would be removed is in a call just now. Nothing was "
			"changed; try again when the call is over.");
	return rc;
}

/* ---- what was not taken ---- */

static int flush_part(struct run *run)
{
	int rc = 0;

	if (run->batch.len > 0)
		rc = db_import_reject(
			run->work, run->result.id, run->part++, run->batch.data);
	buf_reset(&run->batch);
	return rc;
}

static int same_column(void *arg, size_t index, const char *name, struct err *err)
{
	(void)arg;
	(void)index;
	(void)name;
	(void)err;
	return 0;
}

static int reject_row(void *arg, const struct import_row *row)
{
	struct run *run = arg;
	enum import_cause cause = import_checker_cause(run->checker, row->number);

	if (cause == IMPORT_TAKEN)
		return 0;
	import_csv_reject(&run->batch, row, &run->columns, cause);
	if (run->batch.failed)
		return -ENOMEM;
	return run->batch.len < PART ? 0 : flush_part(run);
}

/* Reads the file once more: rows that are refused are fewer than rows, mostly. */
static int keep_rejects(struct run *run)
{
	int rc;

	if (run->result.skipped + run->result.rejected == 0)
		return 0;
	set_reader(run);
	run->reader.column = same_column;
	run->reader.row = reject_row;
	run->reader.progress = on_progress_quiet;
	buf_reset(&run->batch);
	write_headings(run, &run->batch);
	buf_add_str(&run->batch, IMPORT_CSV_NOTES);
	rc = read_file(run);
	return rc == 0 ? flush_part(run) : rc;
}

/* ---- all of it ---- */

static int finish(struct run *run)
{
	struct db_import *result = &run->result;
	char encoding[16];
	int rc;

	(void)snprintf(encoding, sizeof(encoding), "%s",
		import_checker_encoding(run->checker, run->reader.found));
	result->rows = import_checker_seen(run->checker);
	import_count(run->checker, result);
	if (run->options.dry_run)
		result->added = result->rows - result->skipped - result->rejected -
				result->updated;
	rc = import_report(&run->options, &run->columns, run->checker, encoding,
		run->order->json ? '\0' : run->reader.found_delimiter, result->report);
	if (rc == 0)
		rc = keep_rejects(run);
	if (rc == 0)
		rc = db_import_rows_commit(run->work, result);
	return rc;
}

static int run_all(struct run *run)
{
	int rc = read_options(run);

	if (rc == 0)
		rc = db_import_start(run->note, run->result.id, run->options.dry_run,
			run->options.replace_existing);
	if (rc == 0)
		rc = import_checker_new(&run->options.rules, &run->columns,
			run->gw->zones, &run->checker);
	if (rc == 0)
		rc = stage(run);
	if (rc == 0)
		rc = check_all(run);
	if (rc == 0)
		rc = add_all(run);
	if (rc == 0)
		rc = finish(run);
	return rc;
}

/* A sentence for whatever has none yet. */
static void explain(struct run *run, int rc)
{
	if (run->err.text[0] != '\0')
		return;
	if (rc == -ECANCELED)
		(void)err_set(
			&run->err, rc, "The import was cancelled. Nothing was added.");
	else if (rc == -ENOENT)
		(void)err_set(&run->err, rc, "The list was removed meanwhile.");
	else if (rc == -ENOMEM)
		(void)err_set(&run->err, rc, "Out of memory. Nothing was added.");
	else
		(void)err_set(&run->err, rc,
			"The database did not take it. Nothing was added; try again.");
}

/* The list's campaign has somebody more to dial. */
static void tell_campaign(struct run *run)
{
	struct db_list list;

	if (run->result.added > 0 && !run->options.dry_run &&
		db_list_get(run->note, run->order->list_id, &list) == 0 &&
		list.campaign_id != 0)
		campaign_changed(run->gw, list.campaign_id);
}

static void end(struct run *run, int rc)
{
	struct db_import *result = &run->result;

	db_import_rows_rollback(run->work);
	imports_leave(run->gw);
	if (rc < 0) {
		if (run->err.text[0] == '\0' && rc != -ECANCELED)
			log_warn("import", 0, "import %lld: %s (%d)",
				(long long)result->id, db_error(run->work), rc);
		explain(run, rc);
		(void)db_import_fail(run->note, result->id, run->err.text);
		answer_error(run, rc);
	} else {
		tell_campaign(run);
		if (result->zones)
			recheck_soon(run->gw);
	}
	if (db_import_get(run->note, result->id, result) == 0)
		events_import(run->gw, result);
	answer(run);
	log_info("import", 0,
		"import %lld %s: rows=%lld added=%lld skipped=%lld rejected=%lld",
		(long long)result->id, result->state, (long long)result->rows,
		(long long)result->added, (long long)result->skipped,
		(long long)result->rejected);
}

void import_run(struct gateway *gw, struct db *work, struct db *note,
	const struct import_order *order)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL) {
		(void)db_import_fail(note, order->import_id, "Out of memory.");
		imports_leave(gw);
		return;
	}
	run->gw = gw;
	run->work = work;
	run->note = note;
	run->order = order;
	run->options = order->options;
	json_incref(run->options.mapping);
	run->request_id = order->request_id;
	run->result.id = order->import_id;
	run->result.list_id = order->list_id;
	run->result.bytes = order->size;
	end(run, run_all(run));
	import_checker_free(&run->checker);
	json_decref(run->options.mapping);
	buf_free(&run->batch);
	free(run);
}
