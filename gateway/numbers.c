/* numbers.c: keeps the account's numbers known. See numbers.h. */
#include "gateway/numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/post.h"
#include "base/text.h"
#include "base/timers.h"
#include "db/numbers.h"
#include "dialer/number.h"
#include "gateway/number_api.h"
#include "twilio/account.h"

#define SYNC_MS 3600000
#define RETRY_MS 60000 /* after a list that could not be read */
#define NUMBERS_MAX 10000
#define WAITERS_MAX 32

/* On the loop. */
struct numbers {
	struct gateway *gw;
	struct timer timer;
	bool busy;    /* lists are being read, or written down */
	uint64_t run; /* of the list under way: an answer of an earlier one is not ours */
	struct db_number *rows;
	size_t count, room;
	uint64_t waiters[WAITERS_MAX];
	size_t waiting;
};

/* ---- what becomes of it ---- */

struct store_job {
	struct job job;
	struct gateway *gw;
	struct db_number *rows;
	size_t count;
	char error[256]; /* "": the rows are the whole list */
	uint64_t waiters[WAITERS_MAX];
	size_t waiting;
	bool failed;
};

static void store_work(struct job *job, void *ctx)
{
	struct store_job *task = list_entry(job, struct store_job, job);
	int err = task->error[0] != '\0' ? db_numbers_failed(ctx, task->error)
					 : db_numbers_sync(ctx, task->rows, task->count);

	task->failed = err < 0 || task->error[0] != '\0';
	if (err < 0)
		log_warn("numbers", 0, "not stored: %s", db_error(ctx));
	for (size_t i = 0; i < task->waiting; i++)
		number_api_answer(task->gw, ctx, task->waiters[i], task->error);
}

static void store_drop(struct job *job)
{
	struct store_job *task = list_entry(job, struct store_job, job);

	free(task->rows);
	free(task);
}

static void store_done(struct job *job)
{
	struct store_job *task = list_entry(job, struct store_job, job);
	struct numbers *numbers = task->gw->numbers;

	if (numbers != NULL) { /* else the worker is stopping */
		numbers->busy = false;
		timer_start(numbers->gw->timers, &numbers->timer,
			numbers->waiting > 0 ? 0
			: task->failed       ? RETRY_MS
					     : SYNC_MS);
	}
	store_drop(job);
}

/* `error` "": the lists have been read to their end. */
static void finish(struct numbers *numbers, const char *error)
{
	struct store_job *task = calloc(1, sizeof(*task));

	numbers->run++;
	if (error[0] != '\0')
		log_warn(
			"numbers", 0, "Twilio's list of numbers was not read: %s", error);
	if (task != NULL) {
		task->job.work = store_work;
		task->job.done = store_done;
		task->job.drop = store_drop;
		task->gw = numbers->gw;
		task->rows = numbers->rows;
		task->count = numbers->count;
		(void)text_copy(task->error, sizeof(task->error), error);
		memcpy(task->waiters, numbers->waiters, sizeof(task->waiters));
		task->waiting = numbers->waiting;
		if (jobs_put(numbers->gw->db, &task->job) == 0) {
			numbers->rows = NULL;
			numbers->count = numbers->room = numbers->waiting = 0;
			return;
		}
		free(task);
	}
	/* Too busy: all of it again in a minute, and whoever waits waits on. */
	numbers->busy = false;
	timer_start(numbers->gw->timers, &numbers->timer, RETRY_MS);
}

/* ---- reading ---- */

static int add(
	struct numbers *numbers, const struct twilio_number *number, const char *kind)
{
	struct db_number *row;

	if (!number_valid(number->number))
		return 0; /* a short code, or a SIP address: nothing to show as caller id */
	if (numbers->count == numbers->room) {
		size_t room = numbers->room > 0 ? numbers->room * 2 : 64;
		struct db_number *rows =
			room > NUMBERS_MAX * 2
				? NULL
				: realloc(numbers->rows, room * sizeof(*rows));

		if (rows == NULL)
			return -ENOMEM;
		numbers->rows = rows;
		numbers->room = room;
	}
	row = &numbers->rows[numbers->count++];
	*row = (struct db_number){.seen_ms = 0};
	(void)text_copy(row->number, sizeof(row->number), number->number);
	(void)text_copy(row->sid, sizeof(row->sid), number->sid);
	(void)snprintf(row->kind, sizeof(row->kind), "%s", kind);
	(void)snprintf(row->friendly_name, sizeof(row->friendly_name), "%.64s",
		number->friendly_name);
	return 0;
}

/* What Twilio said does not fit, or did not come. */
static const char *trouble(const struct twilio_answer *answer)
{
	return answer->message[0] != '\0' ? answer->message : "Twilio did not answer.";
}

/* Asks for what comes next: a page, the other list, nothing. 1: something was asked. */
static int ask_next(struct numbers *numbers, const struct twilio_answer *answer)
{
	struct twilio_client *twilio = numbers->gw->twilio;
	int err;

	if (answer->next_page != NULL)
		err = twilio_next_page(
			twilio, answer->op, numbers->run, answer->next_page);
	else if (answer->op == TWILIO_NUMBER_LIST)
		err = twilio_caller_id_list(twilio, numbers->run);
	else
		return 0;
	return err < 0 ? err : 1;
}

void numbers_answer(struct gateway *gw, const struct twilio_answer *answer)
{
	struct numbers *numbers = gw->numbers;
	bool rented = answer->op == TWILIO_NUMBER_LIST;
	int err = 0;

	if (numbers == NULL || !numbers->busy || answer->id != numbers->run)
		return;
	if (answer->result != TWILIO_OK) {
		finish(numbers, trouble(answer));
		return;
	}
	for (size_t i = 0; err == 0 && i < answer->count; i++)
		err = add(numbers, &answer->list.numbers[i],
			rented ? "incoming" : "caller_id");
	if (err == 0)
		err = ask_next(numbers, answer);
	if (err < 0)
		finish(numbers, "The gateway was too busy.");
	else if (err == 0)
		finish(numbers, "");
}

static void begin(struct numbers *numbers)
{
	if (numbers->busy)
		return;
	numbers->busy = true;
	numbers->count = 0;
	numbers->run++;
	timer_stop(&numbers->timer);
	if (twilio_number_list(numbers->gw->twilio, numbers->run) < 0)
		finish(numbers, "The gateway was too busy.");
}

static void sync_fire(struct timer *timer)
{
	begin(list_entry(timer, struct numbers, timer));
}

int numbers_new(struct gateway *gw, struct numbers **ret_numbers)
{
	struct numbers *numbers = calloc(1, sizeof(*numbers));

	if (numbers == NULL)
		return -ENOMEM;
	numbers->gw = gw;
	numbers->timer.fire = sync_fire;
	timer_start(gw->timers, &numbers->timer, 0);
	*ret_numbers = numbers;
	return 0;
}

void numbers_free(struct numbers **numbers)
{
	if (*numbers == NULL)
		return;
	timer_stop(&(*numbers)->timer);
	free((*numbers)->rows);
	free(*numbers);
	*numbers = NULL;
}

/* ---- from any thread ---- */

struct sync_post {
	struct post post;
	struct gateway *gw;
	uint64_t waiter;
};

static void sync_drop(struct post *post)
{
	free(list_entry(post, struct sync_post, post));
}

static void sync_run(struct post *post)
{
	struct sync_post *told = list_entry(post, struct sync_post, post);
	struct numbers *numbers = told->gw->numbers;

	if (numbers != NULL) {
		if (told->waiter != 0 && numbers->waiting < WAITERS_MAX)
			numbers->waiters[numbers->waiting++] = told->waiter;
		else if (told->waiter != 0)
			number_api_busy(told->gw, told->waiter);
		begin(numbers);
	}
	sync_drop(post);
}

void numbers_sync(struct gateway *gw, uint64_t waiter)
{
	struct sync_post *told = calloc(1, sizeof(*told));

	if (told == NULL) {
		if (waiter != 0)
			number_api_busy(gw, waiter);
		return;
	}
	told->post.run = sync_run;
	told->post.drop = sync_drop;
	told->gw = gw;
	told->waiter = waiter;
	post_queue_answer(gw->queue, &told->post);
}
