/* exchange.c: sets up curl handles so that a POST leaves at most once. */
#include "config.h"
#include "twilio/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

/* A page of 50 calls is about 100 kB. */
#define REPLY_MAX (4U * 1024 * 1024)
/* Load balancers drop idle connections after 60 s and more; be gone before that. */
#define IDLE_MAX_S 30L
#define API_VERSION "/2010-04-01/"

static bool host_is_loopback(const char *host)
{
	char bare[ADDR_TEXT_SIZE];
	struct addr a;
	size_t len = strlen(host);

	/* libcurl itself takes "localhost" for the loopback addresses, without DNS. */
	if (strcmp(host, "localhost") == 0)
		return true;
	if (len >= sizeof(bare))
		return false;
	memcpy(bare, host, len + 1);
	if (bare[0] == '[' && bare[len - 1] == ']') {
		memmove(bare, bare + 1, len - 2);
		bare[len - 2] = '\0';
	}
	return addr_from_host(bare, 0, &a) == 0 && addr_is_loopback(&a);
}

/* Nothing but scheme, host and port; and the password crosses no network in clear. */
static bool base_is_safe(CURLU *url)
{
	char *scheme = NULL, *host = NULL, *path = NULL, *rest = NULL;
	bool safe = false;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		goto out;
	if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		goto out;
	if (curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK)
		goto out;
	if (strcmp(path, "/") != 0)
		goto out;
	if (curl_url_get(url, CURLUPART_QUERY, &rest, 0) == CURLUE_OK ||
		curl_url_get(url, CURLUPART_FRAGMENT, &rest, 0) == CURLUE_OK ||
		curl_url_get(url, CURLUPART_USER, &rest, 0) == CURLUE_OK)
		goto out;
	safe = strcmp(scheme, "https") == 0 ||
	       (strcmp(scheme, "http") == 0 && host_is_loopback(host));
out:
	curl_free(scheme);
	curl_free(host);
	curl_free(path);
	curl_free(rest);
	return safe;
}

/*
 * Sets host and root from `api_base`: "https://host[:port]", or "http://" on loopback. -EINVAL
 * for anything else, -ENOMEM. Both are the target's then, also after -ENOMEM.
 */
static int set_root(
	const char *api_base, const char *account_sid, struct exchange_target *target)
{
	CURLU *url = curl_url();
	struct buf root = {0};
	size_t len = strlen(api_base);
	int err = -EINVAL;

	if (url == NULL)
		return -ENOMEM;
	if (curl_url_set(url, CURLUPART_URL, api_base, 0) != CURLUE_OK ||
		!base_is_safe(url))
		goto out;
	while (len > 0 && api_base[len - 1] == '/')
		len--;
	target->host = strndup(api_base, len);
	buf_printf(
		&root, "%.*s" API_VERSION "Accounts/%s", (int)len, api_base, account_sid);
	target->root = buf_take(&root);
	err = target->host != NULL && target->root != NULL ? 0 : -ENOMEM;
out:
	curl_url_cleanup(url);
	return err;
}

int exchange_target_copy(
	const struct twilio_config *config, struct exchange_target *target)
{
	bool key = config->api_key_sid != NULL;
	const char *password = key ? config->api_key_secret : config->auth_token;
	int err;

	if (config->account_sid == NULL || password == NULL || config->api_base == NULL)
		return -EINVAL;
	if (twilio_sid_check(config->account_sid, "AC") != 0)
		return -EINVAL;
	err = set_root(config->api_base, config->account_sid, target);
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

void exchange_target_free(struct exchange_target *target)
{
	if (target->password != NULL)
		explicit_bzero(target->password, strlen(target->password));
	free(target->host);
	free(target->root);
	free(target->user);
	free(target->password);
	free(target->ca_file);
}

static size_t read_form(char *dst, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t room = size * count, left = x->form_len - x->form_at;
	size_t len = left < room ? left : room;

	x->handed = true;
	memcpy(dst, x->form + x->form_at, len);
	x->form_at += len;
	return len;
}

/* libcurl asks for a rewind only to send the same request again. */
static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
	const struct exchange *x = arg;

	(void)offset;
	(void)origin;
	return x->handed ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static size_t take_reply(char *data, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t len = size * count;

	if (len > REPLY_MAX - x->reply.len)
		return 0;
	buf_add(&x->reply, data, len);
	return x->reply.failed ? 0 : len;
}

/* One table of options instead of a check after each: the first failure is kept. */
#define SET(option, value)                                               \
	do {                                                             \
		if (code == CURLE_OK)                                    \
			code = curl_easy_setopt(x->easy, option, value); \
	} while (0)

static CURLcode set_options(struct exchange *x, const struct exchange_target *target)
{
	bool tls = strncmp(target->root, "https:", 6) == 0;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_URL, x->url);
	SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (target->ca_file != NULL)
		SET(CURLOPT_CAINFO, target->ca_file);
	if (!tls)
		SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_USERNAME, target->user);
	SET(CURLOPT_PASSWORD, target->password);
	SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	/* With HTTP/2 a broken connection would take the POSTs of other calls with it. */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_MAXAGE_CONN, IDLE_MAX_S);
	SET(CURLOPT_CONNECTTIMEOUT_MS, target->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, target->total_ms);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_ERRORBUFFER, x->error);
	SET(CURLOPT_WRITEFUNCTION, take_reply);
	SET(CURLOPT_WRITEDATA, x);
	if (x->form == NULL)
		return code;
	/* Not CURLOPT_POSTFIELDS: libcurl could send those twice. */
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->form_len);
	SET(CURLOPT_READFUNCTION, read_form);
	SET(CURLOPT_READDATA, x);
	SET(CURLOPT_SEEKFUNCTION, refuse_rewind);
	SET(CURLOPT_SEEKDATA, x);
	return code;
}

int exchange_init(struct exchange *x, const struct exchange_target *target,
	const struct exchange_order *order, void *owner)
{
	bool whole = strncmp(order->path, API_VERSION, strlen(API_VERSION)) == 0;
	struct buf url = {0};

	*x = (struct exchange){.easy = curl_easy_init()};
	buf_add_str(&url, whole ? target->host : target->root);
	buf_add_str(&url, order->path);
	x->url = buf_take(&url);
	if (order->form != NULL) {
		x->form = strdup(order->form);
		x->form_len = strlen(order->form);
	}
	if (x->easy == NULL || x->url == NULL || (order->form != NULL && x->form == NULL))
		goto fail;
	if (set_options(x, target) != CURLE_OK)
		goto fail;
	if (order->deletes &&
		curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, "DELETE") != CURLE_OK)
		goto fail;
	if (curl_easy_setopt(x->easy, CURLOPT_PRIVATE, owner) != CURLE_OK)
		goto fail;
	return 0;
fail:
	buf_free(&url);
	exchange_free(x);
	return -ENOMEM;
}

void exchange_free(struct exchange *x)
{
	curl_easy_cleanup(x->easy);
	free(x->url);
	free(x->form);
	buf_free(&x->reply);
	*x = (struct exchange){0};
}

void exchange_rewind(struct exchange *x)
{
	x->form_at = 0;
	x->handed = false;
	x->error[0] = '\0';
	buf_reset(&x->reply);
}

bool exchange_sent(const struct exchange *x)
{
	long bytes = 0;

	if (x->form != NULL)
		return x->handed;
	if (curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &bytes) != CURLE_OK)
		return true;
	return bytes > 0;
}

int64_t exchange_retry_after_s(const struct exchange *x)
{
	curl_off_t seconds = 0;

	if (curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK)
		return 0;
	return seconds > 0 ? (int64_t)seconds : 0;
}

int exchange_status(const struct exchange *x)
{
	long status = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

const char *exchange_error(const struct exchange *x, CURLcode code)
{
	return x->error[0] != '\0' ? x->error : curl_easy_strerror(code);
}
