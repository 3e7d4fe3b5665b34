/* request.c: one allocation for a request's texts, decoding and checking of its parts. */
#include "http/request.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "http/spool.h"

#define FORM_TYPE "application/x-www-form-urlencoded"
/* Bytes of a declared body that have room from the start: who declares more has sent nothing. */
#define BODY_FIRST (16 * 1024)

struct request {
	struct http_request pub; /* first: they are one pointer */
	size_t body_max;
	size_t body_cap;
	size_t body_expected; /* declared; SIZE_MAX: not */
	char *grown;          /* the body when it did not fit behind the texts */
	size_t used;          /* of text */
	size_t size;
	char text[];
};

struct header_name {
	const char *name;
	size_t len;
};

#define HEADER_NAME(text)                               \
	{                                               \
		.name = (text), .len = sizeof(text) - 1 \
	}

static const struct header_name header_names[HEADER_COUNT] = {
	[HEADER_AUTHORIZATION] = HEADER_NAME("Authorization"),
	[HEADER_COOKIE] = HEADER_NAME("Cookie"),
	[HEADER_ORIGIN] = HEADER_NAME("Origin"),
	[HEADER_HOST] = HEADER_NAME("Host"),
	[HEADER_SEC_FETCH_SITE] = HEADER_NAME("Sec-Fetch-Site"),
	[HEADER_IDEMPOTENCY_KEY] = HEADER_NAME("Idempotency-Key"),
	[HEADER_LAST_EVENT_ID] = HEADER_NAME("Last-Event-ID"),
	[HEADER_TWILIO_SIGNATURE] = HEADER_NAME("X-Twilio-Signature"),
	[HEADER_TWILIO_TOKEN] = HEADER_NAME("I-Twilio-Idempotency-Token"),
	[HEADER_CONTENT_TYPE] = HEADER_NAME("Content-Type"),
	[HEADER_RANGE] = HEADER_NAME("Range"),
	[HEADER_CONTENT_LENGTH] = HEADER_NAME("Content-Length"),
	[HEADER_TRANSFER_ENCODING] = HEADER_NAME("Transfer-Encoding"),
	[HEADER_FORWARDED_FOR] = HEADER_NAME("X-Forwarded-For"),
	[HEADER_IF_NONE_MATCH] = HEADER_NAME("If-None-Match"),
};

void request_head_add(struct request_head *head, const char *name, size_t name_len,
	const char *value, size_t value_len)
{
	for (size_t i = 0; i < HEADER_COUNT; i++) {
		bool ends_body =
			i == HEADER_CONTENT_LENGTH || i == HEADER_TRANSFER_ENCODING;

		/*
		 * A blank before the colon stays with the name; and of a folded line
		 * libmicrohttpd 0.9.75 makes a name: "Transfer-Encodingchunked".
		 */
		if (ends_body && name_len > header_names[i].len &&
			strncasecmp(header_names[i].name, name, header_names[i].len) == 0)
			head->unclear = true;
		if (header_names[i].len != name_len ||
			strcasecmp(header_names[i].name, name) != 0)
			continue;
		if (ends_body && head->values[i] != NULL)
			head->unclear = true;
		head->values[i] = value;
		head->lens[i] = value_len;
		return;
	}
}

bool request_head_is_clear(const struct request_head *head)
{
	const char *length = head->values[HEADER_CONTENT_LENGTH];
	const char *coding = head->values[HEADER_TRANSFER_ENCODING];

	if (head->unclear || (length != NULL && coding != NULL))
		return false;
	if (length != NULL)
		return length[0] != '\0' && length[strspn(length, "0123456789")] == '\0';
	return coding == NULL || strcasecmp(coding, "chunked") == 0;
}

size_t request_head_body_len(const struct request_head *head)
{
	const char *text = head->values[HEADER_CONTENT_LENGTH];
	unsigned long long len;

	if (head->values[HEADER_TRANSFER_ENCODING] != NULL)
		return SIZE_MAX;
	if (text == NULL)
		return 0;
	/* What is not a number is not clear: request_head_is_clear() has refused it. */
	len = strtoull(text, NULL, 10);
	return len < SIZE_MAX ? (size_t)len : SIZE_MAX - 1;
}

/* Takes `len` bytes and a NUL from the request's text; the plan has counted them. */
static char *take(struct request *request, const char *text, size_t len)
{
	char *at = request->text + request->used;

	assert(len < request->size - request->used);
	if (len > 0)
		memcpy(at, text, len);
	at[len] = '\0';
	request->used += len + 1;
	return at;
}

/* A header value may hold no control character but tab (RFC 9110, 5.5). */
static int take_header(struct request *request, const struct request_plan *plan,
	enum request_header which, char **ret_value)
{
	const char *value = plan->head->values[which];
	size_t len = plan->head->lens[which];

	for (size_t i = 0; i < len; i++)
		if (((unsigned char)value[i] < ' ' && value[i] != '\t') ||
			value[i] == 127)
			return -EINVAL;
	*ret_value = take(request, value, len);
	return 0;
}

static int take_headers(struct request *request, const struct request_plan *plan)
{
	struct http_request *pub = &request->pub;
	char **const kept[] = {
		[HEADER_AUTHORIZATION] = &pub->authorization,
		[HEADER_COOKIE] = &pub->cookie,
		[HEADER_ORIGIN] = &pub->origin,
		[HEADER_HOST] = &pub->host,
		[HEADER_SEC_FETCH_SITE] = &pub->sec_fetch_site,
		[HEADER_IDEMPOTENCY_KEY] = &pub->idempotency_key,
		[HEADER_LAST_EVENT_ID] = &pub->last_event_id,
		[HEADER_TWILIO_SIGNATURE] = &pub->twilio_signature,
		[HEADER_TWILIO_TOKEN] = &pub->twilio_token,
		[HEADER_CONTENT_TYPE] = &pub->content_type,
		[HEADER_RANGE] = &pub->range,
	};
	int err = 0;

	for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]) && err == 0; i++)
		err = take_header(request, plan, i, kept[i]);
	if (err != 0)
		return err;
	pub->has_idempotency_key = plan->head->values[HEADER_IDEMPOTENCY_KEY] != NULL;
	pub->content_type[strcspn(pub->content_type, "; \t")] = '\0';
	for (char *c = pub->content_type; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return 0;
}

/* %-decodes in place; '+' stays, this is a path. -EINVAL: broken, a control character, no UTF-8. */
static int decode_param(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; in++) {
		unsigned char c = (unsigned char)*in;

		if (c == '%') {
			int high = text_hex_digit(in[1]);
			int low = high < 0 ? -1 : text_hex_digit(in[2]);

			if (low < 0)
				return -EINVAL;
			c = (unsigned char)(high * 16 + low);
			in += 2;
		}
		if (c < ' ' || c == 127)
			return -EINVAL;
		*out++ = (char)c;
	}
	*out = '\0';
	return text_mend(text) ? -EINVAL : 0;
}

static int take_params(struct request *request, const struct route_match *match)
{
	int err = 0;

	for (size_t i = 0; i < match->param_count && err == 0; i++) {
		request->pub.params[i] =
			take(request, match->params[i].text, match->params[i].len);
		err = decode_param(request->pub.params[i]);
	}
	return err;
}

/* Room for every text of the plan, each with its NUL, and for the body. */
static size_t measure(const struct request_plan *plan, size_t body_cap)
{
	size_t size = strlen(plan->path) + 1 + strlen(plan->query) + 1 + body_cap + 1;

	for (size_t i = 0; i < plan->match->param_count; i++)
		size += plan->match->params[i].len + 1;
	for (size_t i = 0; i <= HEADER_RANGE; i++)
		size += plan->head->lens[i] + 1;
	return size;
}

int request_new(const struct request_plan *plan, struct http_request **ret_request)
{
	size_t body_len = request_head_body_len(plan->head);
	size_t body_cap = body_len == SIZE_MAX || plan->spooled ? 0 : body_len;
	struct request *request;
	struct http_request *pub = NULL;
	size_t size;
	int err;

	assert(body_cap <= plan->body_max);
	if (body_cap > BODY_FIRST)
		body_cap = BODY_FIRST;
	size = measure(plan, body_cap);
	request = malloc(sizeof(*request) + size);
	if (request == NULL)
		return -ENOMEM;
	memset(request, 0, sizeof(*request));
	request->size = size;
	request->body_max = plan->body_max;
	request->body_cap = body_cap;
	request->body_expected = body_len;
	pub = &request->pub;
	pub->method = plan->method;
	pub->route = plan->match->route;
	pub->body_fd = -1;
	pub->peer = *plan->peer;
	pub->path = take(request, plan->path, strlen(plan->path));
	pub->query_text = take(request, plan->query, strlen(plan->query));
	err = take_params(request, plan->match);
	if (err == 0)
		err = take_headers(request, plan);
	if (err != 0)
		goto out;
	pub->body = request->text + request->used;
	pub->body[0] = '\0';
	*ret_request = pub;
	pub = NULL;
out:
	http_request_free(&pub);
	return err;
}

static int grow_body(struct request *request, size_t need)
{
	size_t cap = request->body_cap < 512 ? 1024 : request->body_cap * 2;
	size_t most = request->body_expected < request->body_max ? request->body_expected
								 : request->body_max;
	char *grown;

	if (cap > most)
		cap = most;
	if (cap < need)
		cap = need;
	grown = realloc(request->grown, cap + 1);
	if (grown == NULL)
		return -ENOMEM;
	if (request->grown == NULL)
		memcpy(grown, request->pub.body, request->pub.body_len);
	request->grown = grown;
	request->body_cap = cap;
	request->pub.body = grown;
	return 0;
}

int request_add_body(struct http_request *pub, const char *data, size_t len)
{
	struct request *request = (struct request *)pub;
	int err;

	if (len > request->body_max - pub->body_len)
		return -E2BIG;
	if (pub->body_fd >= 0) {
		pub->body_len += len;
		return spool_write(pub->body_fd, data, len);
	}
	if (pub->body_len + len > request->body_cap) {
		err = grow_body(request, pub->body_len + len);
		if (err != 0)
			return err;
	}
	memcpy(pub->body + pub->body_len, data, len);
	pub->body_len += len;
	pub->body[pub->body_len] = '\0';
	return 0;
}

int request_spool(struct http_request *pub, const char *dir)
{
	const struct request *request = (const struct request *)pub;

	return spool_open(dir, request->body_expected, &pub->body_fd);
}

int request_finish(struct http_request *request)
{
	size_t query_len = strlen(request->query_text);
	int err = 0;

	if (query_len > 0)
		err = form_parse(request->query_text, query_len, REQUEST_PAIRS_MAX,
			&request->query);
	if (err == 0 && request->body_len > 0 && request->body_fd < 0 &&
		strcmp(request->content_type, FORM_TYPE) == 0)
		err = form_parse(request->body, request->body_len, REQUEST_PAIRS_MAX,
			&request->form);
	return err;
}

void http_request_free(struct http_request **pub)
{
	struct request *request = (struct request *)*pub;

	if (request == NULL)
		return;
	form_free(&request->pub.query);
	form_free(&request->pub.form);
	if (request->pub.body_fd >= 0)
		(void)close(request->pub.body_fd);
	free(request->grown);
	free(request);
	*pub = NULL;
}

int http_cookie(
	const struct http_request *request, const char *name, char *buf, size_t size)
{
	size_t name_len = strlen(name);
	const char *at = request->cookie;

	/* "a=1; b=2" (RFC 6265, 4.2.1) */
	while (*(at += strspn(at, "; ")) != '\0') {
		size_t len = strcspn(at, ";");

		if (len > name_len && at[name_len] == '=' &&
			memcmp(at, name, name_len) == 0) {
			size_t value_len = len - name_len - 1;

			if (value_len >= size)
				return -ENAMETOOLONG;
			memcpy(buf, at + name_len + 1, value_len);
			buf[value_len] = '\0';
			return 0;
		}
		at += len;
	}
	return -ENOENT;
}
