/*
 * client.c: the thread that talks to Twilio. It starts what waits, repeats what may be
 * repeated, and decides what the end of each request means for money.
 */
#include "config.h"
#include "twilio/client.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/post.h"
#include "base/timers.h"
#include "twilio/ask.h"
#include "twilio/exchange.h"
#include "twilio/reply.h"

/* Twilio refuses too many requests at once, unpublished how many (error 20429). */
#define ACTIVE_MAX 16
#define TRIES_MAX 4
/* Full jitter below base * 2^n, as Twilio's own libraries do. */
#define BACKOFF_BASE_MS 100U
#define BACKOFF_MAX_MS 3000U
#define RETRY_AFTER_MAX_MS 5000
#define IDLE_WAIT_MS 60000

struct request {
	struct post post;
	struct list node; /* in the client's waiting, delayed or active */
	struct timer retry;
	struct twilio_client *client;
	enum twilio_op op;
	uint64_t id;
	unsigned tries;
	bool maybe; /* some try may have been processed */
	struct exchange exchange;
};

struct twilio_client {
	void (*answer_cb)(void *arg, const struct twilio_answer *answer);
	void *arg;
	struct exchange_target target;
	size_t limit;
	atomic_size_t open; /* admitted and not yet answered */
	struct post_queue *asked;
	struct post stop_post;
	pthread_t thread;
	bool started;

	/* The thread's own from here on. */
	CURLM *multi;
	struct timers *timers;
	struct timer give_up;
	struct list waiting, delayed, active;
	size_t active_count;
	bool stopping;
	struct twilio_answer answer;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void init_curl(void)
{
	curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void request_free(struct request *r)
{
	timer_stop(&r->retry);
	list_remove(&r->node);
	exchange_free(&r->exchange);
	free(r);
}

/* The one place where a request ends. `client->answer` holds the rest of the answer. */
static void request_answer(struct request *r, enum twilio_result result)
{
	struct twilio_client *client = r->client;

	client->answer.result = result;
	if (result != TWILIO_OK)
		client->answer.count = 0;
	request_free(r);
	client->answer_cb(client->arg, &client->answer);
	(void)atomic_fetch_sub(&client->open, 1);
}

static void begin_answer(const struct request *r)
{
	struct twilio_answer *answer = &r->client->answer;

	memset(answer, 0, sizeof(*answer));
	answer->op = r->op;
	answer->id = r->id;
}

static bool is_create(const struct request *r)
{
	return r->op == TWILIO_PARTICIPANT_CREATE;
}

static void run_retry(struct timer *timer)
{
	struct request *r = list_entry(timer, struct request, retry);

	list_remove(&r->node);
	exchange_rewind(&r->exchange);
	list_add_tail(&r->client->waiting, &r->node);
}

/* False when the tries are used up. */
static bool try_again(struct request *r)
{
	unsigned most = BACKOFF_BASE_MS << (r->tries < 6 ? r->tries : 6);
	int64_t asked_ms = exchange_retry_after_s(&r->exchange) * 1000;
	unsigned dice = 0;

	if (r->tries >= TRIES_MAX || r->client->stopping)
		return false;
	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	if (asked_ms > RETRY_AFTER_MAX_MS)
		asked_ms = RETRY_AFTER_MAX_MS;
	/* Bad dice only mean less jitter. */
	(void)!getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	list_add_tail(&r->client->delayed, &r->node);
	timer_start(r->client->timers, &r->retry, asked_ms + dice % (most + 1));
	return true;
}

static void set_http_message(struct twilio_answer *answer)
{
	char text[32];

	if (answer->message[0] != '\0')
		return;
	(void)snprintf(text, sizeof(text), "HTTP status %d", answer->http_status);
	twilio_reply_message(answer, text);
}

/*
 * An answer came. A create is over with any of them but 429, which Twilio promises not to
 * have processed (error 20429). 408 is a 4xx that does not say so.
 */
static void settle_answered(struct request *r)
{
	struct twilio_answer *answer = &r->client->answer;
	const struct buf *reply = &r->exchange.reply;
	int status = answer->http_status;

	if (status >= 200 && status < 300) {
		if (twilio_reply_read(reply->data, reply->len, answer) == 0) {
			request_answer(r, TWILIO_OK);
			return;
		}
		twilio_reply_message(answer, "Twilio's answer cannot be read");
	} else {
		twilio_reply_read_error(reply->data, reply->len, answer);
		set_http_message(answer);
	}
	if (status == 429) {
		if (!try_again(r))
			request_answer(r, r->maybe ? TWILIO_LOST : TWILIO_NOT_SENT);
		return;
	}
	if (status >= 400 && status < 500 && status != 408) {
		request_answer(r, TWILIO_REFUSED);
		return;
	}
	r->maybe = true;
	if (is_create(r) || !try_again(r))
		request_answer(r, TWILIO_LOST);
}

/* No answer came. */
static void settle_broken(struct request *r, CURLcode code)
{
	twilio_reply_message(&r->client->answer, exchange_error(&r->exchange, code));
	if (exchange_sent(&r->exchange))
		r->maybe = true;
	if (is_create(r) || !try_again(r))
		request_answer(r, r->maybe ? TWILIO_LOST : TWILIO_NOT_SENT);
}

static void settle(struct request *r, CURLcode code)
{
	struct twilio_client *client = r->client;

	(void)curl_multi_remove_handle(client->multi, r->exchange.easy);
	list_remove(&r->node);
	client->active_count--;
	begin_answer(r);
	client->answer.http_status = exchange_status(&r->exchange);
	if (code == CURLE_OK)
		settle_answered(r);
	else
		settle_broken(r, code);
}

static void start_waiting(struct twilio_client *client)
{
	while (client->active_count < ACTIVE_MAX && !list_empty(&client->waiting)) {
		struct request *r =
			list_entry(client->waiting.next, struct request, node);

		list_remove(&r->node);
		list_add_tail(&client->active, &r->node);
		client->active_count++;
		r->tries++;
		if (curl_multi_add_handle(client->multi, r->exchange.easy) != CURLM_OK)
			settle(r, CURLE_OUT_OF_MEMORY);
	}
}

/* For the end: these have not been sent, or only in vain. */
static void drop_all(struct twilio_client *client, struct list *head)
{
	while (!list_empty(head)) {
		struct request *r = list_entry(head->next, struct request, node);

		begin_answer(r);
		twilio_reply_message(&client->answer, "the gateway is stopping");
		request_answer(r, r->maybe ? TWILIO_LOST : TWILIO_NOT_SENT);
	}
}

static void break_active(struct twilio_client *client, bool creates_too)
{
	struct list *node, *tmp;

	list_for_each(&client->active, node, tmp)
	{
		struct request *r = list_entry(node, struct request, node);

		if (creates_too || !is_create(r))
			settle(r, CURLE_ABORTED_BY_CALLBACK);
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
	drop_all(client, &client->waiting);
	drop_all(client, &client->delayed);
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
		settle(owner, code);
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
		if (client->active_count < ACTIVE_MAX && !list_empty(&client->waiting))
			continue;
		wait_ms = timers_next(client->timers);
		if (wait_ms < 0 || wait_ms > IDLE_WAIT_MS)
			wait_ms = IDLE_WAIT_MS;
		if (!client->stopping || client->active_count > 0)
			(void)curl_multi_poll(
				client->multi, &wake, 1, (int)wait_ms, NULL);
		(void)post_queue_run(client->asked, client->limit + 1);
	}
	/* Whoever asked while the client was being freed still gets an answer. */
	(void)post_queue_run(client->asked, client->limit + 1);
	drop_all(client, &client->waiting);
	return NULL;
}

int twilio_client_ask(struct twilio_client *client, enum twilio_op op, uint64_t id,
	const char *path, const char *form)
{
	struct request *r;
	int err = -ENOMEM;

	if (atomic_fetch_add(&client->open, 1) >= client->limit) {
		err = -EAGAIN;
		goto fail;
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		goto fail;
	r->post.run = run_asked;
	r->retry.fire = run_retry;
	r->client = client;
	r->op = op;
	r->id = id;
	if (exchange_init(&r->exchange, &client->target, path, form, r) != 0) {
		free(r);
		goto fail;
	}
	/* `open` is the bound; the queue takes whatever was admitted. */
	post_queue_answer(client->asked, &r->post);
	return 0;
fail:
	(void)atomic_fetch_sub(&client->open, 1);
	return err;
}

static int copy_target(const struct twilio_config *config, struct exchange_target *target)
{
	bool key = config->api_key_sid != NULL;
	const char *password = key ? config->api_key_secret : config->auth_token;
	int err;

	if (config->account_sid == NULL || password == NULL || config->api_base == NULL)
		return -EINVAL;
	if (twilio_sid_check(config->account_sid, "AC") != 0)
		return -EINVAL;
	err = exchange_root(config->api_base, config->account_sid, &target->root);
	if (err != 0)
		return err;
	target->connect_ms = config->connect_ms;
	target->total_ms = config->total_ms;
	target->user = strdup(key ? config->api_key_sid : config->account_sid);
	target->password = strdup(password);
	if (target->user == NULL || target->password == NULL)
		return -ENOMEM;
	if (config->ca_file != NULL) {
		target->ca_file = strdup(config->ca_file);
		if (target->ca_file == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void free_target(struct exchange_target *target)
{
	if (target->password != NULL)
		explicit_bzero(target->password, strlen(target->password));
	free(target->root);
	free(target->user);
	free(target->password);
	free(target->ca_file);
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
	client->stop_post.run = run_stop;
	client->give_up.fire = run_give_up;
	list_init(&client->waiting);
	list_init(&client->delayed);
	list_init(&client->active);
	err = copy_target(config, &client->target);
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
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)ACTIVE_MAX);
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

void twilio_client_free(struct twilio_client **ptr)
{
	struct twilio_client *client = *ptr;

	if (client == NULL)
		return;
	*ptr = NULL;
	if (client->started) {
		post_queue_answer(client->asked, &client->stop_post);
		(void)pthread_join(client->thread, NULL);
	}
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi);
	timers_free(&client->timers);
	post_queue_free(&client->asked);
	free_target(&client->target);
	free(client);
}
