/* import.c: the threads of imports, and what was asked for. See import.h. */
#include "gateway/import.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/timers.h"
#include "dialer/numbering.h"
#include "gateway/events.h"
#include "gateway/import_run.h"

#define THREADS 2      /* so that ten rows need not wait for a million */
#define WAITING_MAX 16 /* each holds a file */
#define STATEMENT_MS 5000
#define EXPIRE_MS 30000
#define REJECTS_KEPT_DAYS \
	30 /* rows that were not taken: people's data that nobody needs */
#define FORGET_MS (60 * 60 * 1000)

struct imports {
	struct gateway *gw;
	struct jobs *jobs;
	struct timer expire;
	int64_t forgot_ms; /* loop; when old rows were dropped last */
	atomic_bool ending;
	atomic_int running;
	/* Handlers may still put while the worker stops. */
	pthread_mutex_t lock;
	struct hands *hands[THREADS];
	size_t hand_count;
};

/* A thread's connections. */
struct hands {
	struct db *work, *note;
};

struct import_job {
	struct job job;
	struct gateway *gw;
	struct import_order order;
	struct list_job list; /* work NULL: it is an order */
};

/* ---- options ---- */

void import_options_default(struct import_options *options, const char *country)
{
	*options = (struct import_options){.skip_duplicates = true, .dnc_check = true};
	(void)strncpy(
		options->rules.country, country, sizeof(options->rules.country) - 1);
}

static int set_bool(bool *ret, const char *name, const json_t *value, struct err *err)
{
	if (!json_is_boolean(value))
		return err_set(err, -EINVAL, "%s must be true or false.", name);
	*ret = json_is_true(value);
	return 0;
}

static int set_country(
	struct import_options *options, const json_t *value, struct err *err)
{
	const char *text = json_string_value(value);
	const char *country = text == NULL ? NULL : numbering_country(text);

	if (country == NULL)
		return err_set(err, -EINVAL,
			"country must be a country such as GB, or a calling code such as 44.");
	(void)strncpy(
		options->rules.country, country, sizeof(options->rules.country) - 1);
	return 0;
}

static int set_encoding(
	struct import_options *options, const json_t *value, struct err *err)
{
	const char *text = json_string_value(value);
	int encoding = text == NULL ? -1 : import_encoding_named(text);

	if (encoding < 0)
		return err_set(err, -EINVAL,
			"encoding must be auto, utf-8, windows-1252, utf-16le or utf-16be.");
	options->encoding = (enum import_encoding)encoding;
	return 0;
}

static int set_delimiter(
	struct import_options *options, const json_t *value, struct err *err)
{
	const char *text = json_string_value(value);

	if (text != NULL && strcmp(text, "tab") == 0)
		text = "\t";
	if (text == NULL || strlen(text) != 1 || strchr(",;\t|:^~", text[0]) == NULL)
		return err_set(
			err, -EINVAL, "delimiter must be one of , ; | : ^ ~ or tab.");
	options->delimiter = text[0];
	return 0;
}

static int set_mapping(
	struct import_options *options, const json_t *value, struct err *err)
{
	int rc = import_mapping_check(value, err);

	if (rc == 0) {
		json_decref(options->mapping);
		options->mapping = json_deep_copy(value);
	}
	return rc;
}

int import_options_set(struct import_options *options, const char *name,
	const json_t *value, struct err *err)
{
	struct {
		const char *name;
		bool *value;
	} const flags[] = {
		{"dryRun", &options->dry_run},
		{"replaceExisting", &options->replace_existing},
		{"skipDuplicates", &options->skip_duplicates},
		{"validateEmails", &options->rules.validate_emails},
		{"dncCheck", &options->dnc_check},
		{"skipInOtherLists", &options->skip_in_other_lists},
		{"requireValid", &options->rules.require_valid},
	};
	bool header = true;
	int rc;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(name, flags[i].name) == 0)
			return set_bool(flags[i].value, name, value, err);
	if (strcmp(name, "header") == 0) {
		rc = set_bool(&header, name, value, err);
		options->no_header = !header;
		return rc;
	}
	if (strcmp(name, "country") == 0)
		return set_country(options, value, err);
	if (strcmp(name, "encoding") == 0)
		return set_encoding(options, value, err);
	if (strcmp(name, "delimiter") == 0)
		return set_delimiter(options, value, err);
	if (strcmp(name, "mapping") == 0)
		return set_mapping(options, value, err);
	return err_set(err, -EINVAL,
		"There is no option \"%.40s\". There are dryRun, replaceExisting, skipDuplicates, "
		"validateEmails, dncCheck, skipInOtherLists, requireValid, country, encoding, "
		"delimiter, header and mapping.",
		name);
}

/* ---- threads ---- */

static int hands_start(void *arg, void **ret_ctx)
{
	struct imports *imports = arg;
	const char *url = config_text(imports->gw->config, "DATABASE_URL");
	struct hands *hands = calloc(1, sizeof(*hands));
	int err;

	if (hands == NULL)
		return -ENOMEM;
	err = db_open(url, STATEMENT_MS, &hands->work);
	if (err == 0)
		err = db_open(url, STATEMENT_MS, &hands->note);
	(void)pthread_mutex_lock(&imports->lock);
	imports->hands[imports->hand_count++] = hands;
	(void)pthread_mutex_unlock(&imports->lock);
	*ret_ctx = hands;
	return err;
}

static void hands_stop(void *arg, void *ctx)
{
	struct hands *hands = ctx;

	(void)arg;
	db_close(&hands->work);
	db_close(&hands->note);
	free(hands);
}

static void order_free(struct import_order *order)
{
	if (order->fd >= 0)
		(void)close(order->fd);
	json_decref(order->options.mapping);
}

static void job_drop(struct job *job)
{
	struct import_job *task = list_entry(job, struct import_job, job);

	order_free(&task->order);
	free(task);
}

void imports_leave(struct gateway *gw)
{
	atomic_fetch_sub(&gw->imports->running, 1);
}

static void job_work(struct job *job, void *ctx)
{
	struct import_job *task = list_entry(job, struct import_job, job);
	struct imports *imports = task->gw->imports;
	struct hands *hands = ctx;

	atomic_fetch_add(&imports->running, 1);
	if (task->list.work != NULL) {
		task->list.work(task->gw, hands->work, &task->list);
		imports_leave(task->gw);
	} else
		import_run(task->gw, hands->work, hands->note, &task->order);
	job_drop(job);
}

bool imports_ending(const struct gateway *gw)
{
	return atomic_load(&gw->imports->ending);
}

static int put(struct gateway *gw, const struct import_job *model)
{
	struct import_job *task = malloc(sizeof(*task));
	int err = -EAGAIN;

	if (task == NULL)
		return err;
	*task = *model;
	task->job.work = job_work;
	task->job.drop = job_drop;
	task->gw = gw;
	(void)pthread_mutex_lock(&gw->imports->lock);
	if (!imports_ending(gw))
		err = jobs_put(gw->imports->jobs, &task->job);
	(void)pthread_mutex_unlock(&gw->imports->lock);
	if (err < 0)
		free(task);
	return err;
}

int imports_put(struct gateway *gw, const struct import_order *order)
{
	struct import_job model = {.order = *order};
	int err = put(gw, &model);

	if (err < 0)
		order_free(&model.order);
	return err;
}

int imports_put_job(struct gateway *gw, const struct list_job *job)
{
	return put(gw, &(struct import_job){.order.fd = -1, .list = *job});
}

bool imports_busy(struct gateway *gw)
{
	return imports_ending(gw) || atomic_load(&gw->imports->running) >= THREADS;
}

/* ---- whose workers are gone ---- */

struct expire_job {
	struct job job;
	struct imports *imports;
	bool forget;
};

/* This process has just begun: nothing of this node is being worked on. */
static int expire(struct imports *imports, struct db *db, bool first)
{
	int64_t *ids = NULL;
	size_t count = 0;
	int err = db_import_expire(db, first ? imports->gw->node : NULL, &ids, &count);

	for (size_t i = 0; i < count; i++)
		log_warn("import", 0, "import %lld failed: its worker is gone",
			(long long)ids[i]);
	free(ids);
	return err;
}

static void expire_work(struct job *job, void *ctx)
{
	struct expire_job *task = list_entry(job, struct expire_job, job);

	(void)expire(task->imports, ctx, false);
	if (task->forget && db_import_forget(ctx, REJECTS_KEPT_DAYS) < 0)
		log_warn("import", 0, "old rows were not dropped: %s", db_error(ctx));
	free(task);
}

static void expire_drop(struct job *job)
{
	free(list_entry(job, struct expire_job, job));
}

static void expire_fire(struct timer *timer)
{
	struct imports *imports = list_entry(timer, struct imports, expire);
	struct expire_job *task = calloc(1, sizeof(*task));

	timer_start(imports->gw->timers, timer, EXPIRE_MS);
	if (task == NULL)
		return;
	task->job.work = expire_work;
	task->job.drop = expire_drop;
	task->imports = imports;
	task->forget = clock_mono_ms() - imports->forgot_ms > FORGET_MS;
	if (task->forget)
		imports->forgot_ms = clock_mono_ms();
	if (jobs_put(imports->gw->db, &task->job) < 0)
		free(task);
}

int imports_new(struct gateway *gw, struct imports **ret_imports)
{
	struct imports *imports = calloc(1, sizeof(*imports));
	struct db *db = NULL;
	int err;

	if (imports == NULL)
		return -ENOMEM;
	imports->gw = gw;
	(void)pthread_mutex_init(&imports->lock, NULL);
	err = db_open(config_text(gw->config, "DATABASE_URL"), STATEMENT_MS, &db);
	if (err == 0)
		err = expire(imports, db, true);
	db_close(&db);
	if (err == 0)
		err = jobs_new(
			&(struct jobs_config){
				.threads = THREADS,
				.limit = WAITING_MAX,
				.answers = gw->queue,
				.start = hands_start,
				.stop = hands_stop,
				.arg = imports,
			},
			&imports->jobs);
	if (err < 0) {
		free(imports);
		return err;
	}
	imports->expire.fire = expire_fire;
	timer_start(gw->timers, &imports->expire, EXPIRE_MS);
	*ret_imports = imports;
	return 0;
}

void imports_stop(struct imports *imports)
{
	if (imports == NULL ||
		imports->jobs == NULL) /* stopped before: its hands are gone */
		return;
	timer_stop(&imports->expire);
	(void)pthread_mutex_lock(&imports->lock);
	atomic_store(&imports->ending, true);
	(void)pthread_mutex_unlock(&imports->lock);
	for (size_t i = 0; i < imports->hand_count; i++)
		db_cancel(imports->hands[i]->work);
	jobs_free(&imports->jobs);
}

void imports_free(struct imports **imports)
{
	if (*imports == NULL)
		return;
	imports_stop(*imports);
	(void)pthread_mutex_destroy(&(*imports)->lock);
	free(*imports);
	*imports = NULL;
}
