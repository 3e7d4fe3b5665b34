/* twilio_health.c: see twilio_health.h. */
#include "gateway/twilio_health.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "base/ticker.h"
#include "db/stops.h"
#include "dialer/numbering.h"
#include "gateway/agent_ring.h"
#include "twilio/account.h"
#include "twilio/errors.h"

#define TICK_MS 1000  /* health is written, and probes are due, this often */
#define TROUBLE_MAX 3 /* requests in a row without an answer: Twilio is away */
#define REFUSED_MAX \
	3 /* different numbers of a country in a row: it is not allowed at all */

struct twilio_health {
	struct gateway *gw;
	struct ticker *ticker;
	struct db_health seen;
	unsigned trouble; /* requests in a row that Twilio did not answer */
	bool changed;     /* `seen` is newer than `told` */
	bool probing;     /* a probe is out */
	bool asked;       /* the first one went out */
	/* The ticker's rounds': */
	struct db_health told;
	bool tell; /* `told` is newer than its row */
	bool due;  /* a probe */
};

/* ---- opening and ending stops ---- */

static void fill_reason(const struct twilio_error *error, struct db_stop *stop)
{
	(void)snprintf(stop->reason, sizeof(stop->reason), "%s%s%s", error->what,
		error->todo[0] != '\0' ? " " : "", error->todo);
}

/* Opens it and says so once. */
static void open_stop(struct gateway *gw, struct db *db, const struct db_stop *stop)
{
	bool fresh = false;

	if (db_stop_add(db, stop, &fresh) < 0) {
		log_warn("twilio", stop->call_id, "a stop was not stored: %s",
			db_error(db));
		return;
	}
	if (fresh)
		log_warn("twilio", stop->call_id, "%s%s%s is stopped: %s code=%d",
			stop->scope, stop->key[0] != '\0' ? " " : "", stop->key,
			stop->reason, stop->code);
	/* What waits would only be told the same. */
	if (fresh && strcmp(stop->scope, "account") == 0)
		twilio_cancel_creates(gw->twilio);
}

/* The country of a number; NULL: it has none. */
static const char *country_of(const char *number)
{
	struct numbering numbering;

	return numbering_lookup(number, &numbering) == 0 && numbering.country[0] != '\0'
		       ? numbering.country
		       : NULL;
}

/*
 * Permissions are given to ranges of numbers, and refused to single ones that are a high risk: the
 * country is stopped when several of it were refused, -EAGAIN until then.
 */
static int fill_country(struct db *db, const char *number, struct db_stop *stop)
{
	const char *country = country_of(number);
	int refused = 0, err;

	if (country == NULL)
		return -ENOENT;
	err = db_country_refused(db, country, number, &refused);
	if (err < 0)
		return err;
	if (refused < REFUSED_MAX)
		return -EAGAIN;
	(void)snprintf(stop->reason, sizeof(stop->reason),
		"The account may not call this country: %d of its numbers were refused in a"
		" row. Allow it in Twilio's console (Voice, Geo permissions), then resume.",
		refused);
	return text_copy(stop->key, sizeof(stop->key), country);
}

/* Whom the error of a call is about; -ENOENT or -EAGAIN when it is nobody that can be told. */
static int fill_scope(
	struct db *db, const struct twilio_error *error, struct db_stop *stop)
{
	struct db_call call;
	int err;

	if (error->stop >= TWILIO_STOP_PAUSE) {
		(void)snprintf(stop->scope, sizeof(stop->scope), "account");
		return 0;
	}
	err = db_call_get(db, stop->call_id, &call);
	if (err < 0)
		return err;
	(void)snprintf(stop->scope, sizeof(stop->scope), "%s", stop->kind);
	if (error->stop == TWILIO_STOP_CALLER)
		return text_copy(stop->key, sizeof(stop->key), call.caller_id);
	return fill_country(db, call.number, stop);
}

/* It rings, so its country is allowed. A call that was only taken may be refused yet. */
static bool note_rang(struct db *db, int64_t call_id)
{
	char number[DB_NUMBER_SIZE];
	const char *country;

	if (db_country_suspect(db, call_id, number) < 0)
		return false; /* as good as always there is nothing to end */
	country = country_of(number);
	if (country != NULL)
		(void)db_country_rang(db, country);
	return true;
}

void twilio_health_told(struct gateway *gw, struct db *db,
	const struct db_call_event *events, size_t count)
{
	bool suspects = true; /* asked once of many events */

	for (size_t i = 0; i < count; i++) {
		const struct twilio_error *error = twilio_error(events[i].code, 0);
		struct db_stop stop = {
			.code = events[i].code, .call_id = events[i].call_id};

		if (suspects && strcmp(events[i].event, "ringing") == 0)
			suspects = note_rang(db, events[i].call_id);
		if (events[i].code == 0 || error->stop < TWILIO_STOP_COUNTRY)
			continue;
		(void)snprintf(stop.kind, sizeof(stop.kind), "%s",
			twilio_stop_word(error->stop));
		fill_reason(error, &stop);
		if (events[i].detail != NULL)
			text_cut(stop.detail, sizeof(stop.detail), events[i].detail);
		if (fill_scope(db, error, &stop) == 0)
			open_stop(gw, db, &stop);
	}
}

void twilio_health_explain(const struct twilio_answer *answer, char *text, size_t size)
{
	const struct twilio_error *error =
		twilio_error(answer->code, answer->http_status);

	(void)snprintf(text, size, "%s%s%s (%s, %d)", error->what,
		error->todo[0] != '\0' ? " " : "", error->todo, answer->message,
		answer->code != 0 ? answer->code : answer->http_status);
}

int twilio_health_load(struct db *db)
{
	static const int sip[] = {404, 410, 484, 604};
	unsigned count, filled = 0;
	const struct twilio_error *errors = twilio_errors(&count);
	int(*codes)[2] = calloc(count + 4, sizeof(*codes));
	int err;

	if (codes == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		if (errors[i].stop == TWILIO_STOP_NUMBER ||
			errors[i].stop == TWILIO_STOP_COUNTRY) {
			codes[filled][0] = errors[i].first;
			codes[filled++][1] = errors[i].last;
		}
	for (size_t i = 0; i < 4; i++)
		if (twilio_error_sip(sip[i]) != NULL)
			codes[filled][0] = codes[filled][1] = sip[i], filled++;
	err = db_number_errors_load(db, (const int(*)[2])codes, filled);
	free(codes);
	return err;
}

/* ---- jobs of the loop ---- */

struct stop_job {
	struct job job;
	struct gateway *gw;
	struct db_stop stop; /* to open; without a scope: Twilio is well */
};

static void stop_work(struct job *job, void *ctx)
{
	struct stop_job *task = list_entry(job, struct stop_job, job);
	int64_t ended = 0;

	if (task->stop.scope[0] != '\0')
		open_stop(task->gw, ctx, &task->stop);
	else if (db_stop_probed(ctx, &ended) == 0 && ended > 0)
		log_info("twilio", 0, "Twilio answers again: dialling goes on");
	free(task);
}

static void stop_drop(struct job *job)
{
	free(list_entry(job, struct stop_job, job));
}

static int code_of(const struct twilio_answer *answer)
{
	return answer->code != 0 ? answer->code : answer->http_status;
}

/*
 * `error` NULL: all is well; else it stops `caller`, or the account with NULL. When it cannot be
 * queued, the next answer says it again.
 */
static void stop_put(struct gateway *gw, const struct twilio_error *error,
	const char *caller, int code, const char *detail)
{
	struct stop_job *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return;
	task->job.work = stop_work;
	task->job.drop = stop_drop;
	task->gw = gw;
	if (error != NULL) {
		task->stop.code = code;
		(void)snprintf(task->stop.scope, sizeof(task->stop.scope), "%s",
			caller != NULL ? "caller" : "account");
		(void)text_copy(task->stop.key, sizeof(task->stop.key),
			caller != NULL ? caller : "");
		(void)snprintf(task->stop.kind, sizeof(task->stop.kind), "%s",
			twilio_stop_word(error->stop));
		fill_reason(error, &task->stop);
		text_cut(task->stop.detail, sizeof(task->stop.detail), detail);
	}
	if (jobs_put(gw->db, &task->job) < 0)
		free(task);
}

void twilio_health_caller(
	struct gateway *gw, const struct twilio_answer *answer, const char *number)
{
	stop_put(gw, twilio_error(answer->code, answer->http_status), number,
		code_of(answer), answer->message);
}

/* ---- what Twilio answers ---- */

static void note_error(struct twilio_health *health, const struct twilio_answer *answer)
{
	health->seen.error_ms = clock_wall_ms();
	health->seen.error_code = code_of(answer);
	text_cut(health->seen.error_text, sizeof(health->seen.error_text),
		answer->message);
}

/* No answer, or one that says that Twilio is in trouble. */
static void heard_nothing(
	struct twilio_health *health, const struct twilio_answer *answer)
{
	int code = answer->http_status != 0 ? 20500 : TWILIO_ERROR_UNREACHABLE;

	health->seen.reachable = false;
	if (++health->trouble % TROUBLE_MAX == 0)
		stop_put(health->gw, twilio_error(code, 0), NULL, code, answer->message);
}

/*
 * Refused for a reason that is not about one call, and that no call's own news tells: nothing is
 * dialled whose end could not be learned, nor for agents who cannot be rung.
 */
static bool locks_out(
	const struct twilio_answer *answer, const struct twilio_error *error)
{
	switch (answer->op) {
	case TWILIO_CALL_FETCH:
	case TWILIO_CALL_LIST:
	case TWILIO_CALL_UPDATE:
		return answer->http_status == 401 || answer->http_status == 403;
	case TWILIO_PARTICIPANT_CREATE:
		return (answer->id & AGENT_RING_ID) != 0 &&
		       error->stop >= TWILIO_STOP_PAUSE;
	default:
		return false;
	}
}

static void heard_refusal(
	struct twilio_health *health, const struct twilio_answer *answer)
{
	const struct twilio_error *error =
		twilio_error(answer->code, answer->http_status);

	if (locks_out(answer, error) && error->stop >= TWILIO_STOP_PAUSE)
		stop_put(health->gw, error, NULL, code_of(answer), answer->message);
}

static void heard_probe(struct twilio_health *health, const struct twilio_answer *answer)
{
	const struct twilio_error *error =
		twilio_error(answer->code, answer->http_status);

	health->probing = false;
	if (answer->result == TWILIO_REFUSED && error->stop == TWILIO_STOP_ACCOUNT)
		stop_put(health->gw, error, NULL, code_of(answer), answer->message);
	/* Refused for another reason, it was understood all the same. */
	else if (answer->result == TWILIO_OK || answer->result == TWILIO_REFUSED)
		stop_put(health->gw, NULL, NULL, 0, "");
}

void twilio_health_heard(struct gateway *gw, const struct twilio_answer *answer)
{
	struct twilio_health *health = gw->health;

	if (answer->tries > 0) {
		health->changed = true;
		if (answer->result != TWILIO_OK)
			note_error(health, answer);
		if (answer->http_status == 0 || answer->http_status >= 500) {
			heard_nothing(health, answer);
		} else {
			health->trouble = 0;
			health->seen.reachable = true;
			health->seen.answered_ms = clock_wall_ms();
		}
	}
	if (answer->op == TWILIO_PROBE)
		heard_probe(health, answer);
	else if (answer->result == TWILIO_REFUSED)
		heard_refusal(health, answer);
}

/* ---- the clock ---- */

static bool tick_begin(void *arg)
{
	struct twilio_health *health = arg;

	if (health->changed) {
		health->told = health->seen;
		health->tell = true;
		health->changed = false;
	}
	return true;
}

static void tick_work(void *arg, void *ctx)
{
	struct twilio_health *health = arg;

	if (health->tell && db_health_put(ctx, health->gw->node, &health->told) == 0)
		health->tell = false;
	health->due = false;
	(void)db_stop_probe(ctx, &health->due);
}

static void tick_done(void *arg)
{
	struct twilio_health *health = arg;

	if ((health->due || !health->asked) && !health->probing &&
		twilio_probe(health->gw->twilio, 0) == 0)
		health->probing = health->asked = true;
}

int twilio_health_new(struct gateway *gw, struct twilio_health **ret_health)
{
	struct twilio_health *health = calloc(1, sizeof(*health));
	int err;

	if (health == NULL)
		return -ENOMEM;
	health->gw = gw;
	err = ticker_new(&(struct ticker_config){.timers = gw->timers,
				 .jobs = gw->db,
				 .rest_ms = TICK_MS,
				 .begin = tick_begin,
				 .work = tick_work,
				 .done = tick_done,
				 .arg = health},
		&health->ticker);
	if (err < 0) {
		free(health);
		return err;
	}
	*ret_health = health;
	return 0;
}

void twilio_health_free(struct twilio_health **health)
{
	if (*health == NULL)
		return;
	ticker_free(&(*health)->ticker);
	free(*health);
	*health = NULL;
}
