/* webhook.c: the curl thread. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/text.h"
#include "sandbox/memory.h"
#include "sandbox/webhook.h"

#define REPLY_MAX 65536 /* Twilio's error 11750 */
#define MEDIA_MAX (16 << 20)
#define POLL_MS 1000 /* longest wait; deadlines shorten it */
#define REDIRECTS 10L

struct webhooks {
	CURLM *multi;
	struct post_queue *inbox; /* main loop -> this thread */
	struct post_queue *answers;
	struct list tries;
	pthread_t thread;
	bool started, stop;
	struct post wake;
};

/* One request under way. */
struct webhook_try {
	struct list node;
	struct webhooks *webhooks;
	struct webhook *hook;
	struct webhook_rules rules;
	CURL *curl;
	struct curl_slist *headers;
	int64_t deadline_ms; /* total, over all tries */
	int64_t quiet_ms; /* since when the far end has been silent; 0: not connected */
	bool partial;     /* something came back */
	bool too_large;
};

void webhook_free(struct webhook **hook)
{
	if (*hook == NULL)
		return;
	free((*hook)->url);
	free((*hook)->body);
	free((*hook)->cookies);
	buf_free(&(*hook)->reply);
	free(*hook);
	*hook = NULL;
}

static void rule_number(
	const struct form *form, const char *name, int64_t low, long *value)
{
	const char *text = form_get(form, name);
	int64_t number;

	if (text != NULL && text_int(text, low, low == 0 ? 5 : 15000, &number) == 0)
		*value = (long)number;
}

static bool policy_has(const char *policy, const char *word)
{
	size_t len = strlen(word);

	for (; *policy != '\0'; policy += strcspn(policy, ",")) {
		policy += *policy == ',';
		if (strncmp(policy, word, len) == 0 &&
			(policy[len] == ',' || policy[len] == '\0'))
			return true;
	}
	return false;
}

struct webhook_rules webhook_rules(const char *url)
{
	struct webhook_rules rules = {.connect_ms = 5000,
		.read_ms = 15000,
		.total_ms = 15000,
		.retries = 1,
		.on_connect = true};
	const char *fragment = strchr(url, '#');
	struct form form = {0};
	const char *policy;
	long retries = 1;

	if (fragment == NULL ||
		form_parse(fragment + 1, strlen(fragment + 1), 16, &form) < 0)
		return rules;
	rule_number(&form, "ct", 100, &rules.connect_ms);
	if (rules.connect_ms > 10000)
		rules.connect_ms = 5000;
	rule_number(&form, "rt", 100, &rules.read_ms);
	rule_number(&form, "tt", 100, &rules.total_ms);
	rule_number(&form, "rc", 0, &retries);
	rules.retries = (unsigned)retries;
	policy = form_get(&form, "rp");
	if (policy != NULL) {
		bool all = policy_has(policy, "all");

		rules.on_connect = all || policy_has(policy, "ct");
		rules.on_read = all || policy_has(policy, "rt");
		rules.on_4xx = all || policy_has(policy, "4xx");
		rules.on_5xx = all || policy_has(policy, "5xx");
	}
	form_free(&form);
	return rules;
}

/* curl's callbacks: each sign of life restarts the read time-out. */

static int on_connected(void *arg, char *ip, char *local, int port, int local_port)
{
	struct webhook_try *attempt = arg;

	(void)ip, (void)local, (void)port, (void)local_port;
	attempt->quiet_ms = clock_mono_ms();
	return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct webhook_try *attempt = arg;

	(void)data;
	attempt->quiet_ms = clock_mono_ms();
	attempt->partial = true;
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct webhook_try *attempt = arg;
	struct buf *reply = &attempt->hook->reply;

	attempt->quiet_ms = clock_mono_ms();
	if (reply->len + size * count > (attempt->hook->media ? MEDIA_MAX : REPLY_MAX)) {
		attempt->too_large = true;
		return 0;
	}
	buf_add(reply, data, size * count);
	return size * count;
}

static void add_header(struct webhook_try *attempt, const char *name, const char *value)
{
	struct curl_slist *grown;
	char line[256];

	(void)snprintf(line, sizeof(line), "%s: %s", name, value);
	grown = curl_slist_append(attempt->headers, line);
	if (grown != NULL)
		attempt->headers = grown;
}

/* One cookie a line, in curl's own form. */
static void give_cookies(CURL *curl, const char *cookies)
{
	char *copy = memory_text(cookies), *rest = NULL, *line;

	(void)curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "");
	for (line = copy != NULL ? strtok_r(copy, "\n", &rest) : NULL; line != NULL;
		line = strtok_r(NULL, "\n", &rest))
		(void)curl_easy_setopt(curl, CURLOPT_COOKIELIST, line);
	free(copy);
}

static void keep_cookies(struct webhook *hook, CURL *curl)
{
	struct curl_slist *list = NULL, *at;
	struct buf lines = {0};

	if (curl_easy_getinfo(curl, CURLINFO_COOKIELIST, &list) != CURLE_OK ||
		list == NULL)
		return;
	for (at = list; at != NULL; at = at->next)
		buf_printf(&lines, "%s\n", at->data);
	curl_slist_free_all(list);
	free(hook->cookies);
	hook->cookies = buf_take(&lines);
}

static void set_up(struct webhook_try *attempt)
{
	struct webhook *hook = attempt->hook;
	CURL *curl = attempt->curl;

	add_header(attempt, "X-Twilio-Signature", hook->signature);
	add_header(attempt, "I-Twilio-Idempotency-Token", hook->token);
	add_header(attempt, "X-Home-Region", "us1");
	if (hook->body != NULL) {
		add_header(attempt, "Content-Type",
			"application/x-www-form-urlencoded; charset=UTF-8");
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, hook->body);
	}
	give_cookies(curl, hook->cookies);
	(void)curl_easy_setopt(curl, CURLOPT_URL, hook->url);
	/* Basic or digest, once challenged, with the URL's user and password. */
	(void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_ANY);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, attempt->headers);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "TwilioProxy/1.1");
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS);
	(void)curl_easy_setopt(
		curl, CURLOPT_CONNECTTIMEOUT_MS, attempt->rules.connect_ms);
	(void)curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_connected);
	(void)curl_easy_setopt(curl, CURLOPT_PREREQDATA, attempt);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, attempt);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, attempt);
	(void)curl_easy_setopt(curl, CURLOPT_PRIVATE, attempt);
}

static void try_begin(struct webhook_try *attempt)
{
	attempt->hook->tries++;
	attempt->quiet_ms = 0;
	attempt->partial = false;
	(void)curl_multi_add_handle(attempt->webhooks->multi, attempt->curl);
}

static void try_free(struct webhook_try *attempt)
{
	list_remove(&attempt->node);
	(void)curl_multi_remove_handle(attempt->webhooks->multi, attempt->curl);
	curl_easy_cleanup(attempt->curl);
	curl_slist_free_all(attempt->headers);
	free(attempt);
}

static void keep_type(struct webhook *hook, CURL *curl)
{
	char *type = NULL;
	size_t i, len;

	(void)curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	len = type != NULL ? strcspn(type, "; ") : 0;
	if (len >= sizeof(hook->type))
		len = 0;
	for (i = 0; i < len; i++)
		hook->type[i] =
			(char)(type[i] | (type[i] >= 'A' && type[i] <= 'Z' ? 32 : 0));
	hook->type[len] = '\0';
}

/* Notes how the try ended; true when the rules ask for another. */
static bool judge(struct webhook_try *attempt, CURLcode code)
{
	const struct webhook_rules *rules = &attempt->rules;
	struct webhook *hook = attempt->hook;
	long status = 0;

	(void)curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &status);
	hook->error = 0;
	hook->status = 0;
	if (code == CURLE_OK) {
		hook->status = (int)status;
		keep_type(hook, attempt->curl);
		keep_cookies(hook, attempt->curl);
		if (status >= 400)
			hook->error = 11200;
		return (status >= 500 && rules->on_5xx) ||
		       (status >= 400 && status < 500 && rules->on_4xx);
	}
	if (attempt->too_large) {
		hook->error = 11750;
		return false;
	}
	if (attempt->quiet_ms == 0) {
		hook->error = 11205;
		return rules->on_connect;
	}
	hook->error = code == CURLE_OPERATION_TIMEDOUT ? 11200 : 11206;
	return rules->on_read && !attempt->partial;
}

static void try_end(struct webhook_try *attempt, CURLcode code)
{
	struct webhook *hook = attempt->hook;
	bool again = judge(attempt, code);

	if (again && hook->tries <= attempt->rules.retries &&
		clock_mono_ms() < attempt->deadline_ms) {
		(void)curl_multi_remove_handle(attempt->webhooks->multi, attempt->curl);
		buf_reset(&hook->reply);
		try_begin(attempt);
		return;
	}
	hook->attempt = NULL;
	post_queue_answer(attempt->webhooks->answers, &hook->post);
	try_free(attempt);
}

static void run_done(struct post *post)
{
	struct webhook *hook = list_entry(post, struct webhook, post);

	hook->done(hook);
}

static void drop_hook(struct post *post)
{
	struct webhook *hook = list_entry(post, struct webhook, post);

	webhook_free(&hook);
}

/* On the thread: a new hook from the inbox. */
static void run_begin(struct post *post)
{
	struct webhook *hook = list_entry(post, struct webhook, post);
	struct webhooks *webhooks = hook->attempt->webhooks;
	struct webhook_try *attempt = hook->attempt;

	hook->post.run = run_done;
	hook->post.drop = drop_hook;
	attempt->deadline_ms = clock_mono_ms() + attempt->rules.total_ms;
	list_add_tail(&webhooks->tries, &attempt->node);
	set_up(attempt);
	try_begin(attempt);
}

static void drop_begin(struct post *post)
{
	struct webhook *hook = list_entry(post, struct webhook, post);
	struct webhook_try *attempt = hook->attempt;

	list_init(&attempt->node);
	try_free(attempt);
	webhook_free(&hook);
}

/* When this try must have moved on, or ended. */
static int64_t due_ms(const struct webhook_try *attempt)
{
	int64_t due = attempt->deadline_ms;

	if (attempt->quiet_ms != 0 && attempt->quiet_ms + attempt->rules.read_ms < due)
		due = attempt->quiet_ms + attempt->rules.read_ms;
	return due;
}

static int end_overdue(struct webhooks *webhooks)
{
	struct list *node, *tmp;
	int64_t now = clock_mono_ms(), wait = POLL_MS;

	list_for_each(&webhooks->tries, node, tmp)
	{
		struct webhook_try *attempt = list_entry(node, struct webhook_try, node);
		int64_t left = due_ms(attempt) - now;

		if (left <= 0)
			try_end(attempt, CURLE_OPERATION_TIMEDOUT);
		else if (left < wait)
			wait = left;
	}
	return (int)wait;
}

static void end_finished(struct webhooks *webhooks)
{
	struct webhook_try *attempt = NULL;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(webhooks->multi, &left)) != NULL) {
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &attempt);
		try_end(attempt, code);
	}
}

static void *run_thread(void *arg)
{
	struct webhooks *webhooks = arg;
	struct curl_waitfd inbox = {
		.fd = post_queue_fd(webhooks->inbox), .events = CURL_WAIT_POLLIN};
	int running;

	while (!webhooks->stop) {
		(void)curl_multi_perform(webhooks->multi, &running);
		end_finished(webhooks);
		(void)curl_multi_poll(
			webhooks->multi, &inbox, 1, end_overdue(webhooks), NULL);
		(void)post_queue_run(webhooks->inbox, 64);
	}
	return NULL;
}

int webhooks_new(struct post_queue *answers, struct webhooks **ret_webhooks)
{
	struct webhooks *webhooks = memory_zero(sizeof(*webhooks));
	int r;

	list_init(&webhooks->tries);
	webhooks->answers = answers;
	webhooks->multi = curl_multi_init();
	r = webhooks->multi == NULL ? -ENOMEM : post_queue_new(1, &webhooks->inbox);
	if (r < 0)
		goto out;
	r = -pthread_create(&webhooks->thread, NULL, run_thread, webhooks);
	webhooks->started = r == 0;
out:
	if (r < 0)
		webhooks_free(&webhooks);
	else
		*ret_webhooks = webhooks;
	return r;
}

static void run_stop(struct post *post)
{
	list_entry(post, struct webhooks, wake)->stop = true;
}

void webhooks_free(struct webhooks **webhooks)
{
	struct webhooks *w = *webhooks;
	struct list *node, *tmp;

	if (w == NULL)
		return;
	if (w->started) {
		w->wake.run = run_stop;
		w->wake.drop = run_stop;
		post_queue_answer(w->inbox, &w->wake);
		(void)pthread_join(w->thread, NULL);
	}
	list_for_each(&w->tries, node, tmp)
	{
		struct webhook_try *attempt = list_entry(node, struct webhook_try, node);
		struct webhook *hook = attempt->hook;

		try_free(attempt);
		webhook_free(&hook);
	}
	post_queue_free(&w->inbox);
	(void)curl_multi_cleanup(w->multi);
	free(w);
	*webhooks = NULL;
}

void webhooks_send(struct webhooks *webhooks, struct webhook *hook)
{
	struct webhook_try *attempt = memory_zero(sizeof(*attempt));

	attempt->webhooks = webhooks;
	attempt->hook = hook;
	attempt->rules = webhook_rules(hook->url);
	attempt->curl = curl_easy_init();
	if (attempt->curl == NULL)
		abort(); /* memory.h's law */
	hook->attempt = attempt;
	hook->post.run = run_begin;
	hook->post.drop = drop_begin;
	post_queue_answer(webhooks->inbox, &hook->post);
}
