/* reply.c: responses with their headers, and the sentences of our own refusals. */
#include "http/reply.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

#define JSON_TYPE "application/json"

struct refusal_text {
	int status;
	const char *code;
	const char *message; /* what happened, what to do; goes into JSON as it is */
};

static const struct refusal_text refusals[REFUSE_COUNT] = {
	[REFUSE_BROKEN] = {400, "BAD_REQUEST",
		"The address, a header or the form has a broken %-escape, a control character, "
		"bytes that are no UTF-8 or more than 256 fields. Send it again, correctly "
		"encoded."},
	[REFUSE_UNCLEAR_BODY] = {400, "BAD_REQUEST",
		"The headers do not say clearly where the body ends, so the connection was "
		"closed. Send one Content-Length in digits, or Transfer-Encoding: chunked "
		"alone."},
	[REFUSE_SIGNATURE] = {403, "SIGNATURE_INVALID",
		"The request's signature does not match. Sign it with this account's auth "
		"token over the exact public address and fields."},
	[REFUSE_UNKNOWN_PATH] = {404, "NOT_FOUND",
		"Nothing is at this address. Check the path; docs/openapi.yaml lists them all."},
	[REFUSE_METHOD] = {405, "METHOD_NOT_ALLOWED",
		"This address does not take this method. Use one that the Allow header names."},
	[REFUSE_LONG_BODY] = {413, "BODY_TOO_LARGE",
		"The request's body is larger than this address takes. Send less at a time."},
	[REFUSE_LONG_URI] = {414, "URI_TOO_LONG",
		"The request's address is too long. Put the fields into the body."},
	[REFUSE_LONG_HEAD] = {431, "HEADERS_TOO_LARGE",
		"The request's headers are too large. Send fewer or shorter ones; deleting "
		"this site's cookies often helps."},
	[REFUSE_NO_SPACE] = {507, "DISK_FULL",
		"The server's disk has no room for this upload. Nothing was changed. Free space "
		"in DATA_DIR, then send it again."},
	[REFUSE_NO_SPOOL] = {503, "NO_SPOOL",
		"The server cannot write uploads to DATA_DIR; its log says why. Nothing was "
		"changed."},
	[REFUSE_FAULT] = {500, "INTERNAL",
		"The server ran out of memory for this request. Send it again."},
	[REFUSE_BUSY] = {503, "OVERLOADED",
		"The server has as many requests as it can take. Send this one again in a "
		"second."},
	[REFUSE_NO_ANSWER] = {504, "NO_ANSWER",
		"The server found no answer in time. Look whether the request took effect "
		"before sending it again."},
};

static const char *const secure_headers[][2] = {
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "same-origin"},
	{"Content-Security-Policy",
		"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
};

int reply_secure(struct MHD_Response *response)
{
	for (size_t i = 0; i < sizeof(secure_headers) / sizeof(secure_headers[0]); i++)
		if (MHD_add_response_header(response, secure_headers[i][0],
			    secure_headers[i][1]) != MHD_YES)
			return -ENOMEM;
	return 0;
}

int reply_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (value == NULL)
		return 0;
	return MHD_add_response_header(response, name, value) == MHD_YES ? 0 : -ENOMEM;
}

static struct MHD_Response *make_body(const struct http_reply *reply)
{
	struct MHD_Response *response;

	if (reply->body_fd == NULL)
		/* COPY does not write through the pointer, but its type cannot say so. */
		return MHD_create_response_from_buffer(
			reply->body == NULL ? 0 : reply->body_len,
			(void *)(uintptr_t)reply->body, MHD_RESPMEM_MUST_COPY);
	response = MHD_create_response_from_fd64(reply->body_len, *reply->body_fd);
	if (response == NULL)
		(void)close(*reply->body_fd);
	return response;
}

int reply_make(const struct http_reply *reply, struct answer *ret_answer)
{
	const char *type = reply->content_type == NULL ? JSON_TYPE : reply->content_type;
	struct MHD_Response *response;
	char retry[16];
	int err;

	response = make_body(reply);
	if (response == NULL)
		return -ENOMEM;
	err = reply_secure(response);
	if (err == 0)
		err = reply_header(response, "Cache-Control", "no-store");
	if (err == 0 && (reply->body != NULL || reply->body_fd != NULL))
		err = reply_header(response, "Content-Type", type);
	if (err == 0)
		err = reply_header(response, "Set-Cookie", reply->set_cookie);
	if (err == 0)
		err = reply_header(response, "Location", reply->location);
	for (size_t i = 0; i < reply->header_count && err == 0; i++)
		err = reply_header(
			response, reply->headers[i].name, reply->headers[i].value);
	if (err == 0 && reply->retry_after_s > 0) {
		(void)snprintf(retry, sizeof(retry), "%d", reply->retry_after_s);
		err = reply_header(response, "Retry-After", retry);
	}
	if (err != 0)
		MHD_destroy_response(response);
	else
		*ret_answer =
			(struct answer){.status = reply->status, .response = response};
	return err;
}

int reply_empty(struct MHD_Response **ret_response)
{
	struct answer answer;
	int err = reply_make(&(struct http_reply){.status = 204}, &answer);

	if (err == 0)
		*ret_response = answer.response;
	return err;
}

bool reply_is_empty(const struct http_reply *reply)
{
	return reply->body == NULL && reply->body_fd == NULL &&
	       reply->set_cookie == NULL && reply->location == NULL &&
	       reply->retry_after_s == 0 && reply->header_count == 0;
}

/* "GET, HEAD, POST" */
static void allow_text(unsigned methods, char *buf, size_t size)
{
	static const char *const names[] = {
		"GET, HEAD", "POST", "PUT", "PATCH", "DELETE"};
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++) {
		if ((methods & 1u << bit) == 0)
			continue;
		len += (size_t)snprintf(
			buf + len, size - len, "%s%s", len > 0 ? ", " : "", names[bit]);
		assert(len < size);
	}
}

int reply_refuse(enum refusal why, unsigned allowed, struct answer *ret_answer)
{
	const struct refusal_text *text = &refusals[why];
	char body[512], allow[64];
	struct http_reply reply = {.status = text->status, .body = body};
	struct answer answer;
	int len, err;

	len = snprintf(body, sizeof(body),
		"{\"success\":false,\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
		text->code, text->message);
	assert(why != REFUSE_NOTHING && len > 0 && (size_t)len < sizeof(body));
	reply.body_len = (size_t)len;
	reply.retry_after_s = why == REFUSE_BUSY ? 1 : 0;
	err = reply_make(&reply, &answer);
	if (err != 0)
		return err;
	if (why == REFUSE_METHOD) {
		allow_text(allowed, allow, sizeof(allow));
		err = reply_header(answer.response, "Allow", allow);
	}
	if (err != 0)
		answer_drop(&answer);
	else
		*ret_answer = answer;
	return err;
}

/* What no URL has unescaped is escaped here; what is escaped stays as it was signed. */
static void add_url(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			buf_add_str(b, "&amp;");
		else if (c <= ' ' || c >= 0x7f || strchr("\"#'<>", c) != NULL)
			buf_printf(b, "%%%02X", c);
		else
			buf_add_char(b, (char)c);
	}
}

int reply_late(const struct http_route *route, const char *path, const char *query,
	struct answer *ret_answer)
{
	struct buf body = {0};
	struct http_reply reply = {
		.status = MHD_HTTP_OK,
		.content_type = route->late_type,
	};
	int err;

	buf_add_str(&body, route->late_body);
	if (route->late_tail != NULL) {
		add_url(&body, strrchr(path, '/') + 1);
		if (query[0] != '\0')
			buf_add_char(&body, '?');
		add_url(&body, query);
		buf_add_str(&body, route->late_tail);
	}
	reply.body = body.data;
	reply.body_len = body.len;
	err = body.failed ? -ENOMEM : reply_make(&reply, ret_answer);
	buf_free(&body);
	return err;
}

void answer_drop(struct answer *answer)
{
	if (answer->response != NULL && !answer->shared)
		MHD_destroy_response(answer->response);
	http_request_free(&answer->proceed);
	*answer = (struct answer){0};
}
