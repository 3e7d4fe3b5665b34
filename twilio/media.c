/* media.c: transfers on a curl multi of their own. See media.h. */
#include "config.h"
#include "twilio/media.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/list.h"
#include "base/post.h"
#include "base/text.h"
#include "twilio/exchange.h"

#define IDLE_WAIT_MS 60000
#define SILENCE_S 30L /* a download that stands still so long is over */
#define REDIRECTS 3L

struct twilio_media {
	struct exchange_target target;
	size_t limit;
	atomic_size_t open;
	atomic_bool stopped;
	atomic_uint_fast64_t last_id;
	struct post_queue *asked;
	struct post stop_post;
	pthread_t thread;
	bool started;
	/* The thread's own. */
	CURLM *multi;
	struct list transfers;
	bool stopping;
};

struct transfer {
	struct post post;
	struct list node;
	struct twilio_media *media;
	uint64_t id;
	struct twilio_media_sink sink;
	CURL *easy;
	char *url;
	char range[64]; /* without "bytes="; "" none */
	char content_range[96];
	bool headed;  /* head() was called */
	bool waits;   /* for resume: what comes next is not taken */
	bool refused; /* by the sink */
};

static void transfer_free(struct transfer *t)
{
	list_remove(&t->node);
	curl_easy_cleanup(t->easy);
	free(t->url);
	(void)atomic_fetch_sub(&t->media->open, 1);
	free(t);
}

/* The one place where a transfer ends. */
static void transfer_end(struct transfer *t, int error)
{
	struct twilio_media_sink sink = t->sink;

	if (t->media->multi != NULL)
		(void)curl_multi_remove_handle(t->media->multi, t->easy);
	transfer_free(t);
	sink.done(sink.arg, error);
}

/* ---- curl's callbacks ---- */

/* A redirect or a 100 has a head of its own: the last one counts. */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	static const char name[] = "content-range:";
	struct transfer *t = arg;
	size_t len = size * count, at = sizeof(name) - 1;

	if (len >= 5 && strncasecmp(data, "HTTP/", 5) == 0)
		t->content_range[0] = '\0';
	if (len <= at || strncasecmp(data, name, at) != 0)
		return len;
	while (at < len && data[at] == ' ')
		at++;
	(void)snprintf(t->content_range, sizeof(t->content_range), "%.*s",
		(int)(len - at), data + at);
	t->content_range[strcspn(t->content_range, "\r\n")] = '\0';
	return len;
}

static int call_head(struct transfer *t)
{
	struct twilio_media_head head = {.content_range = t->content_range};
	const char *type = NULL;
	curl_off_t length = -1;
	long status = 0;

	t->headed = true;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	(void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	head.status = (int)status;
	head.type = type == NULL ? "" : type;
	head.length = length;
	return t->sink.head(t->sink.arg, &head);
}

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * count;
	int r = 0;

	if (t->waits)
		return CURL_WRITEFUNC_PAUSE;
	if (!t->headed)
		r = call_head(t);
	if (r == 0)
		r = t->sink.data(t->sink.arg, data, len);
	t->refused = r < 0 || r > 1;
	t->waits = r == 1;
	return t->refused ? 0 : len;
}

/* ---- the thread ---- */

static struct transfer *find(struct twilio_media *media, uint64_t id)
{
	struct list *node, *tmp;

	list_for_each(&media->transfers, node, tmp)
	{
		struct transfer *t = list_entry(node, struct transfer, node);

		if (t->id == id)
			return t;
	}
	return NULL;
}

static void run_asked(struct post *post)
{
	struct transfer *t = list_entry(post, struct transfer, post);

	list_add_tail(&t->media->transfers, &t->node);
	if (t->media->stopping)
		transfer_end(t, -ECANCELED);
	else if (curl_multi_add_handle(t->media->multi, t->easy) != CURLM_OK)
		transfer_end(t, -EIO);
}

static void drop_asked(struct post *post)
{
	transfer_end(list_entry(post, struct transfer, post), -ECANCELED);
}

static void settle(struct transfer *t, CURLcode code)
{
	int r = 0;

	/* An answer without a body never came to on_data(). */
	if (code == CURLE_OK && !t->headed)
		r = call_head(t);
	if (t->refused || r != 0)
		transfer_end(t, -ECANCELED);
	else
		transfer_end(t, code == CURLE_OK ? 0 : -EIO);
}

static void settle_ended(struct twilio_media *media)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(media->multi, &left)) != NULL) {
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
	struct twilio_media *media = arg;
	struct curl_waitfd wake = {
		.fd = post_queue_fd(media->asked), .events = CURL_WAIT_POLLIN};
	sigset_t pipe;
	int running;

	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	while (!media->stopping) {
		(void)curl_multi_perform(media->multi, &running);
		settle_ended(media);
		(void)curl_multi_poll(media->multi, &wake, 1, IDLE_WAIT_MS, NULL);
		(void)post_queue_run(media->asked, 64);
	}
	(void)post_queue_run(media->asked, media->limit + 64);
	while (!list_empty(&media->transfers))
		transfer_end(list_entry(media->transfers.next, struct transfer, node),
			-ECANCELED);
	return NULL;
}

static void run_stop(struct post *post)
{
	list_entry(post, struct twilio_media, stop_post)->stopping = true;
}

/* ---- asking ---- */

#define SET(option, value)                                               \
	do {                                                             \
		if (code == CURLE_OK)                                    \
			code = curl_easy_setopt(t->easy, option, value); \
	} while (0)

static CURLcode set_options(struct transfer *t)
{
	const struct exchange_target *target = &t->media->target;
	bool tls = strncmp(target->root, "https:", 6) == 0;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_URL, t->url);
	SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (target->ca_file != NULL)
		SET(CURLOPT_CAINFO, target->ca_file);
	if (!tls)
		SET(CURLOPT_NOPROXY, "*");
	/* Twilio sends some on to its store: libcurl keeps the password for the first host. */
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, REDIRECTS);
	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_USERNAME, target->user);
	SET(CURLOPT_PASSWORD, target->password);
	SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CONNECTTIMEOUT_MS, target->connect_ms);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, SILENCE_S);
	SET(CURLOPT_NOSIGNAL, 1L);
	if (t->range[0] != '\0')
		SET(CURLOPT_RANGE, t->range);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_data);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_PRIVATE, t);
	return code;
}

/* One range only; what is none is left out, as RFC 9110 allows. */
static void take_range(const char *range, char *dst, size_t size)
{
	const char *at = range == NULL ? "" : range;

	if (strncmp(at, "bytes=", 6) != 0)
		return;
	at += 6;
	if (strspn(at, "0123456789-") == strlen(at) && strchr(at, '-') != NULL &&
		strlen(at) > 1 && text_copy(dst, size, at) < 0)
		dst[0] = '\0';
}

int twilio_media_get(struct twilio_media *media,
	const struct twilio_media_request *request, const struct twilio_media_sink *sink,
	uint64_t *ret_id)
{
	struct transfer *t;
	struct buf url = {0};

	if (twilio_sid_check(request->sid, "RE") != 0)
		return -EINVAL;
	if (atomic_load(&media->stopped))
		return -EAGAIN;
	if (atomic_fetch_add(&media->open, 1) >= media->limit) {
		(void)atomic_fetch_sub(&media->open, 1);
		return -EAGAIN;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		(void)atomic_fetch_sub(&media->open, 1);
		return -ENOMEM;
	}
	list_init(&t->node);
	t->media = media;
	t->sink = *sink;
	t->id = atomic_fetch_add(&media->last_id, 1) + 1;
	take_range(request->range, t->range, sizeof(t->range));
	buf_printf(&url, "%s/Recordings/%s.%s", media->target.root, request->sid,
		request->extension);
	if (request->channels > 0)
		buf_printf(&url, "?RequestedChannels=%d", request->channels);
	t->url = buf_take(&url);
	t->easy = curl_easy_init();
	if (t->url == NULL || t->easy == NULL || set_options(t) != CURLE_OK) {
		buf_free(&url);
		transfer_free(t);
		return -ENOMEM;
	}
	t->post.run = run_asked;
	t->post.drop = drop_asked;
	*ret_id = t->id;
	post_queue_answer(media->asked, &t->post);
	return 0;
}

/* ---- going on and giving up ---- */

struct word {
	struct post post;
	struct twilio_media *media;
	uint64_t id;
	bool cancel;
};

static void drop_word(struct post *post)
{
	free(list_entry(post, struct word, post));
}

static void run_word(struct post *post)
{
	struct word *word = list_entry(post, struct word, post);
	struct transfer *t = find(word->media, word->id);

	if (t != NULL && word->cancel) {
		transfer_end(t, -ECANCELED);
	} else if (t != NULL) {
		t->waits = false;
		(void)curl_easy_pause(t->easy, CURLPAUSE_CONT);
	}
	free(word);
}

static void say(struct twilio_media *media, uint64_t id, bool cancel)
{
	struct word *word = calloc(1, sizeof(*word));

	/* Without memory the reader's own time-out ends it. */
	if (word == NULL)
		return;
	word->post.run = run_word;
	word->post.drop = drop_word;
	word->media = media;
	word->id = id;
	word->cancel = cancel;
	post_queue_answer(media->asked, &word->post);
}

void twilio_media_resume(struct twilio_media *media, uint64_t id)
{
	say(media, id, false);
}

void twilio_media_cancel(struct twilio_media *media, uint64_t id)
{
	say(media, id, true);
}

/* ---- its life ---- */

int twilio_media_new(const struct twilio_config *config, struct twilio_media **ret_media)
{
	struct twilio_media *media = calloc(1, sizeof(*media));
	int err;

	if (media == NULL)
		return -ENOMEM;
	list_init(&media->transfers);
	media->limit = config->limit;
	media->stop_post.run = run_stop;
	media->stop_post.drop = run_stop;
	err = exchange_target_copy(config, &media->target);
	if (err == 0)
		err = post_queue_new(config->limit, &media->asked);
	if (err == 0) {
		media->multi = curl_multi_init();
		err = media->multi == NULL ? -ENOMEM : 0;
	}
	if (err == 0)
		err = -pthread_create(&media->thread, NULL, run, media);
	if (err == 0) {
		media->started = true;
		*ret_media = media;
		return 0;
	}
	twilio_media_free(&media);
	return err;
}

void twilio_media_stop(struct twilio_media *media)
{
	if (media == NULL || !media->started)
		return;
	atomic_store(&media->stopped, true);
	post_queue_answer(media->asked, &media->stop_post);
	(void)pthread_join(media->thread, NULL);
	media->started = false;
}

void twilio_media_free(struct twilio_media **held)
{
	struct twilio_media *media = *held;

	if (media == NULL)
		return;
	*held = NULL;
	twilio_media_stop(media);
	post_queue_free(&media->asked);
	if (media->multi != NULL)
		(void)curl_multi_cleanup(media->multi);
	exchange_target_free(&media->target);
	free(media);
}
