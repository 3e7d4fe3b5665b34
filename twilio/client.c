/*
 * client.c: the thread that talks to Twilio: takes what is asked, keeps so many exchanges under
 * way, and ends. What the end of an exchange means is outcome.c's. See client.h.
 */
#include "config.h"
#include "twilio/client.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "twilio/ask.h"
#include "twilio/reply.h"
#include "twilio/room.h"

#define IDLE_WAIT_MS 60000
#define LATE_WAIT_MS 1 /* between two looks for those who were admitted before the stop */

static const char stopping_text[] = "the gateway is stopping";

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void init_curl(void)
{
	curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

void twilio_answer_free(struct twilio_answer **answer)
{
	if (*answer == NULL)
		return;
	twilio_reply_clear(*answer);
	free(*answer);
	*answer = NULL;
}

static void request_free(struct request *r)
{
	timer_stop(&r->retry);
	list_remove(&r->node);
	exchange_free(&r->exchange);
	twilio_answer_free(&r->answer);
	free(r);
}

void request_answer(struct request *r, enum twilio_result result)
{
	struct twilio_client *client = r->client;
	struct twilio_answer *answer = r->answer;

	answer->result = result;
	answer->took_us = clock_mono_us() - r->asked_us;
	answer->tries = r->tries;
	r->answer = NULL;
	request_free(r);
	client->answer_cb(client->arg, answer);
	(void)atomic_fetch_sub(&client->open, 1);
}

bool request_creates(const struct request *r)
{
	return twilio_op_creates(r->answer->op);
}

static void run_retry(struct timer *timer)
{
	struct request *r = list_entry(timer, struct request, retry);

	list_remove(&r->node);
	exchange_rewind(&r->exchange);
	list_add_tail(&r->client->waiting, &r->node);
}

static void start_waiting(struct twilio_client *client)
{
	while (client->active_count < client->active_most &&
		!list_empty(&client->waiting)) {
		struct request *r =
			list_entry(client->waiting.next, struct request, node);

		list_remove(&r->node);
		list_add_tail(&client->active, &r->node);
		client->active_count++;
		r->tries++;
		if (curl_multi_add_handle(client->multi, r->exchange.easy) != CURLM_OK)
			request_settle(r, CURLE_OUT_OF_MEMORY);
	}
}

/* These have not been sent, or only in vain. */
static void drop_waiting(struct list *head, bool creates_only, const char *why)
{
	struct list *node, *tmp;

	list_for_each(head, node, tmp)
	{
		struct request *r = list_entry(node, struct request, node);

		if (creates_only && !request_creates(r))
			continue;
		text_cut(r->answer->message, sizeof(r->answer->message), why);
		request_answer(r, r->maybe ? TWILIO_LOST : TWILIO_NOT_SENT);
	}
}

static void break_active(struct twilio_client *client, bool creates_too)
{
	struct list *node, *tmp;

	list_for_each(&client->active, node, tmp)
	{
		struct request *r = list_entry(node, struct request, node);

		if (creates_too || !request_creates(r))
			request_settle(r, CURLE_ABORTED_BY_CALLBACK);
	}
}

static void run_give_up(struct timer *timer)
{
	break_active(list_entry(timer, struct twilio_client, give_up), true);
}

/* What has gone out may be a call that costs money: only its answer is waited for. */
static void run_stop(struct post *post)
{
	struct twilio_client *client = list_entry(post, struct twilio_client, stop_post);

	client->stopping = true;
	timer_start(client->timers, &client->give_up, client->target.total_ms);
	drop_waiting(&client->waiting, false, stopping_text);
	drop_waiting(&client->delayed, false, stopping_text);
	break_active(client, false);
}

static void run_asked(struct post *post)
{
	struct request *r = list_entry(post, struct request, post);

	list_add_tail(&r->client->waiting, &r->node);
}

static void settle_ended(struct twilio_client *client)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(client->multi, &left)) != NULL) {
		CURLcode code = msg->data.result;
		void *owner = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &owner);
		request_settle(owner, code);
	}
}

/* Who was admitted just before the stop and had not put its request yet gets an answer, too. */
static void answer_late(struct twilio_client *client)
{
	struct curl_waitfd wake = {
		.fd = post_queue_fd(client->asked), .events = CURL_WAIT_POLLIN};

	for (;;) {
		(void)post_queue_run(client->asked, client->limit + 1);
		drop_waiting(&client->waiting, false, stopping_text);
		if (atomic_load(&client->open) <= client->limit)
			return; /* what the stop itself has taken */
		(void)curl_multi_poll(client->multi, &wake, 1, LATE_WAIT_MS, NULL);
	}
}

static void *run(void *arg)
{
	struct twilio_client *client = arg;
	struct curl_waitfd wake = {
		.fd = post_queue_fd(client->asked), .events = CURL_WAIT_POLLIN};
	sigset_t pipe;

	/* OpenSSL writes without MSG_NOSIGNAL, and CURLOPT_NOSIGNAL leaves SIGPIPE to us. */
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	while (!client->stopping || client->active_count > 0) {
		int64_t wait_ms;
		int running;

		timers_advance(client->timers, clock_mono_ms());
		start_waiting(client);
		(void)curl_multi_perform(client->multi, &running);
		settle_ended(client);
		if (client->active_count < client->active_most &&
			!list_empty(&client->waiting))
			continue;
		wait_ms = timers_next(client->timers);
		if (wait_ms < 0 || wait_ms > IDLE_WAIT_MS)
			wait_ms = IDLE_WAIT_MS;
		if (!client->stopping || client->active_count > 0)
			(void)curl_multi_poll(
				client->multi, &wake, 1, (int)wait_ms, NULL);
		(void)post_queue_run(client->asked, client->limit + 1);
	}
	answer_late(client);
	return NULL;
}

static struct request *request_new(struct twilio_client *client, enum twilio_op op,
	uint64_t id, const char *path, const char *form)
{
	struct request *r = calloc(1, sizeof(*r));
	struct exchange_order order = {
		.path = path, .form = form, .deletes = twilio_op_deletes(op)};

	if (r == NULL)
		return NULL;
	r->post.run = run_asked;
	r->retry.fire = run_retry;
	r->client = client;
	r->asked_us = clock_mono_us();
	r->answer = calloc(1, sizeof(*r->answer));
	if (r->answer == NULL ||
		exchange_init(&r->exchange, &client->target, &order, r) != 0) {
		twilio_answer_free(&r->answer);
		free(r);
		return NULL;
	}
	r->answer->op = op;
	r->answer->id = id;
	return r;
}

static int ask(struct twilio_client *client, enum twilio_op op, uint64_t id,
	const char *path, const char *form)
{
	struct request *r = NULL;
	bool full = atomic_fetch_add(&client->open, 1) >= client->limit;

	if (!full)
		r = request_new(client, op, id, path, form);
	if (r == NULL) {
		(void)atomic_fetch_sub(&client->open, 1);
		return full ? -EAGAIN : -ENOMEM;
	}
	/* `open` is the bound; the queue takes whatever was admitted. */
	post_queue_answer(client->asked, &r->post);
	return 0;
}

int twilio_ask(struct twilio_client *client, enum twilio_op op, uint64_t id,
	struct buf *path, struct buf *form)
{
	int err = -ENOMEM;

	if (!path->failed && (form == NULL || !form->failed))
		err = ask(client, op, id, path->data, form != NULL ? form->data : NULL);
	buf_free(path);
	if (form != NULL)
		buf_free(form);
	return err;
}

int twilio_next_page(struct twilio_client *client, enum twilio_op op, uint64_t id,
	const char *next_page)
{
	if (!twilio_op_lists(op) || next_page == NULL || next_page[0] != '/')
		return -EINVAL;
	return ask(client, op, id, next_page, NULL);
}

struct cancel {
	struct post post;
	struct twilio_client *client;
};

static void drop_cancel(struct post *post)
{
	free(list_entry(post, struct cancel, post));
}

static void run_cancel(struct post *post)
{
	struct cancel *cancel = list_entry(post, struct cancel, post);

	drop_waiting(&cancel->client->waiting, true, "Cancelled before it was sent.");
	drop_waiting(&cancel->client->delayed, true, "Cancelled before it was sent.");
	free(cancel);
}

void twilio_cancel_creates(struct twilio_client *client)
{
	struct cancel *cancel = calloc(1, sizeof(*cancel));

	if (cancel == NULL)
		return; /* then Twilio says what there is to say */
	cancel->post.run = run_cancel;
	cancel->post.drop = drop_cancel;
	cancel->client = client;
	post_queue_answer(client->asked, &cancel->post);
}

int twilio_client_new(
	const struct twilio_config *config, struct twilio_client **ret_client)
{
	struct twilio_client *client = NULL;
	int err;

	if (config->answer == NULL || config->limit == 0 || config->total_ms == 0)
		return -EINVAL;
	(void)pthread_once(&curl_once, init_curl);
	if (curl_ready != CURLE_OK)
		return -ENOMEM;
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return -ENOMEM;
	client->answer_cb = config->answer;
	client->arg = config->arg;
	client->limit = config->limit;
	client->active_most = TWILIO_ACTIVE_MAX;
	client->stop_post.run = run_stop;
	client->give_up.fire = run_give_up;
	list_init(&client->waiting);
	list_init(&client->delayed);
	list_init(&client->active);
	err = exchange_target_copy(config, &client->target);
	if (err == 0)
		err = post_queue_new(config->limit, &client->asked);
	if (err == 0)
		err = timers_new(clock_mono_ms(), &client->timers);
	if (err != 0)
		goto out;
	err = -ENOMEM;
	client->multi = curl_multi_init();
	if (client->multi == NULL)
		goto out;
	(void)curl_multi_setopt(
		client->multi, CURLMOPT_MAXCONNECTS, (long)TWILIO_ACTIVE_MAX);
	err = -pthread_create(&client->thread, NULL, run, client);
	if (err != 0)
		goto out;
	client->started = true;
	*ret_client = client;
	client = NULL;
out:
	twilio_client_free(&client);
	return err;
}

void twilio_client_stop(struct twilio_client *client)
{
	if (client == NULL || !client->started)
		return;
	/* From here on it is full. */
	(void)atomic_fetch_add(&client->open, client->limit);
	post_queue_answer(client->asked, &client->stop_post);
	(void)pthread_join(client->thread, NULL);
	client->started = false;
}

void twilio_client_free(struct twilio_client **ptr)
{
	struct twilio_client *client = *ptr;

	if (client == NULL)
		return;
	*ptr = NULL;
	twilio_client_stop(client);
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi);
	timers_free(&client->timers);
	post_queue_free(&client->asked);
	exchange_target_free(&client->target);
	free(client);
}
