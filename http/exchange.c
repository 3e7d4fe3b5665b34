/* exchange.c: head, body, checks, hand-over, wait, answer: the life of one request. */
#include "http/exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/list.h"
#include "http/feeds.h"
#include "http/files.h"
#include "http/request.h"
#include "http/stream.h"

/* Idle time of a connection that comes when most are taken, until it is let in. */
#define CROWDED_S 5

enum phase { PHASE_HEAD, PHASE_ASK, PHASE_BODY, PHASE_WAIT };

struct exchange {
	struct exchange_rules *rules;
	struct wait wait;
	int64_t began_us;
	enum phase phase;
	const struct http_route *route;
	struct http_request *request; /* NULL once handed over */
	struct stream *stream;        /* the answer, when it is one */
	struct http_feed *feed;       /* the same */
	enum refusal refusal;         /* answered once the body has been read */
	unsigned allowed;             /* methods, for REFUSE_METHOD */
	struct answer early; /* instead of a request: sent once the body is read */
	size_t drained;
	bool is_file;
	char *if_none_match; /* only for a file */
	char *path;          /* in uri */
	char *query;         /* in uri; "" when absent */
	char uri[];          /* as on the wire, then cut in two */
};

/*
 * libmicrohttpd would parse the query now, which we do ourselves; and with more arguments than
 * fit its memory 0.9.75 loses the exchange and sends nothing. So it gets an empty one. The
 * text is in its own receive buffer, which it goes on to cut up itself.
 */
static void hide_query(const char *uri)
{
	char *query = strchr(uri, '?');

	if (query != NULL)
		query[1] = '\0';
}

void *exchange_open(void *arg, const char *uri, struct MHD_Connection *connection)
{
	/* One byte more than allowed is enough to know that it is too long. */
	size_t len = strnlen(uri, EXCHANGE_URI_MAX + 1);
	struct exchange *exchange = malloc(sizeof(*exchange) + len + 1);

	if (exchange == NULL)
		return NULL;
	memset(exchange, 0, sizeof(*exchange));
	exchange->rules = arg;
	exchange->wait.connection = connection;
	exchange->began_us = clock_mono_us();
	memcpy(exchange->uri, uri, len);
	exchange->uri[len] = '\0';
	hide_query(uri);
	return exchange;
}

void exchange_close(void *arg, struct MHD_Connection *connection, void **held,
	enum MHD_RequestTerminationCode why)
{
	struct exchange *exchange = *held;

	(void)arg;
	(void)connection;
	(void)why;
	if (exchange == NULL)
		return;
	if (exchange->stream != NULL)
		stream_close(exchange->stream);
	if (exchange->feed != NULL)
		feed_end(exchange->feed);
	waiting_leave(exchange->rules->waiting, &exchange->wait);
	http_request_free(&exchange->request);
	answer_drop(&exchange->early);
	free(exchange->if_none_match);
	free(exchange);
	*held = NULL;
}

/* Whether idle connections of others should make room for Twilio's. */
static bool crowded(const struct exchange_rules *rules, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);
	const union MHD_DaemonInfo *now =
		MHD_get_daemon_info(info->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return now->num_connections > rules->config.connections / 4 * 3;
}

void exchange_greet(void *arg, struct MHD_Connection *connection, void **held,
	enum MHD_ConnectionNotificationCode code)
{
	const struct exchange_rules *rules = arg;

	(void)held;
	if (code == MHD_CONNECTION_NOTIFY_STARTED && rules->config.idle_s > CROWDED_S &&
		crowded(rules, connection))
		(void)MHD_set_connection_option(
			connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)CROWDED_S);
}

static bool is_signed(const struct exchange *exchange)
{
	return exchange->route != NULL &&
	       (exchange->route->flags & HTTP_ROUTE_SIGNED) != 0;
}

/* Who came in a crowd and was let in has as much time as others. */
static void give_time(const struct exchange *exchange)
{
	const struct http_config *config = &exchange->rules->config;

	if (config->idle_s > CROWDED_S)
		(void)MHD_set_connection_option(exchange->wait.connection,
			MHD_CONNECTION_OPTION_TIMEOUT, config->idle_s);
}

static void tell(const struct exchange *exchange, const struct answer *answer)
{
	const struct http_config *config = &exchange->rules->config;
	struct http_answered answered = {
		.route = exchange->route == NULL
				 ? SIZE_MAX
				 : (size_t)(exchange->route - config->routes),
		.status = answer->status,
		.late = answer->late,
		.took_us = clock_mono_us() - exchange->began_us,
	};

	if (config->answered != NULL)
		config->answered(config->arg, &answered);
}

/* Sends the answer and lets go of it. MHD_NO closes the connection. */
static enum MHD_Result send_answer(struct exchange *exchange, struct answer answer)
{
	bool crowd = crowded(exchange->rules, exchange->wait.connection);
	/* A 5xx is our fault, not his. */
	bool let_in =
		exchange->route != NULL && (answer.status < 400 || answer.status >= 500);
	enum MHD_Result result;

	if (answer.response == NULL)
		return MHD_NO;
	tell(exchange, &answer);
	if (answer.stream != NULL) {
		exchange->stream = answer.stream;
		stream_open(answer.stream, exchange->wait.connection);
	}
	if (answer.feed != NULL) {
		exchange->feed = answer.feed;
		feed_begin(answer.feed, exchange->wait.connection);
	}
	/* A short time would be no news to the peer: its next request could meet a closed line. */
	if (!crowd || let_in)
		give_time(exchange);
	if (exchange->refusal == REFUSE_UNCLEAR_BODY ||
		(crowd && !answer.shared && !(let_in && is_signed(exchange))))
		(void)MHD_add_response_header(answer.response, "Connection", "close");
	result = MHD_queue_response(
		exchange->wait.connection, (unsigned)answer.status, answer.response);
	answer_drop(&answer);
	return result;
}

/* A route with a late body never answers 5xx: what we cannot do now is to be asked for again. */
static bool is_put_off(const struct exchange *exchange, enum refusal why)
{
	return (why == REFUSE_BUSY || why == REFUSE_FAULT) && exchange->route != NULL &&
	       exchange->route->late_body != NULL;
}

static enum MHD_Result send_late(struct exchange *exchange)
{
	struct answer answer = {0};

	(void)reply_late(exchange->route, exchange->path, exchange->query, &answer);
	answer.late = true;
	return send_answer(exchange, answer);
}

static enum MHD_Result send_refusal(struct exchange *exchange, enum refusal why)
{
	const struct http_config *config = &exchange->rules->config;
	const char *path = exchange->path != NULL ? exchange->path : exchange->uri;
	struct answer answer = {0};
	char text[HTTP_REFUSAL_MAX];

	if (is_put_off(exchange, why))
		return send_late(exchange);
	(void)reply_refuse(why, exchange->allowed, &answer);
	if (config->refused != NULL && answer.response != NULL) {
		struct http_reply own = {.status = answer.status};

		if (config->refused(config->arg, path, text, &own)) {
			answer_drop(&answer);
			(void)reply_make(&own, &answer);
		}
	}
	return send_answer(exchange, answer);
}

int exchange_late(const struct wait *wait, bool closing, struct answer *ret_answer)
{
	const struct exchange *exchange = list_entry(wait, const struct exchange, wait);
	int err;

	if (exchange->route->late_body != NULL)
		err = reply_late(
			exchange->route, exchange->path, exchange->query, ret_answer);
	else
		err = reply_refuse(
			closing ? REFUSE_BUSY : REFUSE_NO_ANSWER, 0, ret_answer);
	ret_answer->late = true;
	return err;
}

static unsigned parse_method(const char *method)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_GET}, {"POST", HTTP_POST},
		{"PUT", HTTP_PUT}, {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(method, methods[i].name) == 0)
			return methods[i].method;
	return 0;
}

/* MHD_KeyValueIteratorN */
static enum MHD_Result note_header(void *arg, enum MHD_ValueKind kind, const char *name,
	size_t name_len, const char *value, size_t value_len)
{
	(void)kind;
	if (value != NULL)
		request_head_add(arg, name, name_len, value, value_len);
	return MHD_YES;
}

/*
 * Cuts the target in two; an absolute form (RFC 9112, 3.2.2) loses its scheme and host.
 * -EINVAL: neither form.
 */
static int split_uri(struct exchange *exchange)
{
	char *at = exchange->uri;
	bool absolute =
		strncasecmp(at, "http://", 7) == 0 || strncasecmp(at, "https://", 8) == 0;
	size_t len;

	if (absolute) {
		at = strstr(at, "//") + 2;
		at += strcspn(at, "/?");
	}
	len = strcspn(at, "?");
	exchange->query = at[len] == '?' ? at + len + 1 : at + len;
	at[len] = '\0';
	exchange->path = absolute && len == 0 ? "/" : at;
	return exchange->path[0] == '/' ? 0 : -EINVAL;
}

static bool is_spooled(const struct exchange *exchange)
{
	return exchange->route != NULL &&
	       (exchange->route->flags & HTTP_ROUTE_SPOOLED) != 0;
}

/* Whether gateway is to see the head first: so much is not taken from strangers. */
static bool is_asked(const struct exchange *exchange)
{
	return exchange->route != NULL &&
	       (is_spooled(exchange) ||
		       exchange->route->body_max > exchange->rules->config.body_max);
}

static enum refusal start_request(struct exchange *exchange, enum http_method method,
	const struct route_match *match, const struct request_head *head)
{
	const struct exchange_rules *rules = exchange->rules;
	const union MHD_ConnectionInfo *client = MHD_get_connection_info(
		exchange->wait.connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	size_t body_len = request_head_body_len(head);
	struct addr peer;
	struct request_plan plan = {
		.spooled = is_spooled(exchange),
		.method = method,
		.path = exchange->path,
		.query = exchange->query,
		.match = match,
		.head = head,
		.peer = &peer,
		.body_max = exchange->route->body_max,
	};
	int err;

	if (plan.body_max == 0)
		plan.body_max = rules->config.body_max;
	if (body_len != SIZE_MAX && body_len > plan.body_max)
		return REFUSE_LONG_BODY;
	peer_find(rules->trust, client->client_addr, head->values[HEADER_FORWARDED_FOR],
		&peer);
	err = request_new(&plan, &exchange->request);
	if (err == -ENOMEM)
		return REFUSE_FAULT;
	return err == 0 ? REFUSE_NOTHING : REFUSE_BROKEN;
}

static enum refusal start_file(struct exchange *exchange, const struct request_head *head)
{
	const char *tags = head->values[HEADER_IF_NONE_MATCH];

	exchange->is_file = true;
	if (tags != NULL)
		exchange->if_none_match = strdup(tags);
	return REFUSE_NOTHING;
}

/* The head is here: what will become of this request? */
static enum refusal judge_head(struct exchange *exchange, const char *method_name,
	const struct request_head *head)
{
	const struct exchange_rules *rules = exchange->rules;
	const union MHD_ConnectionInfo *size = MHD_get_connection_info(
		exchange->wait.connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	unsigned method = parse_method(method_name);
	struct route_match match;
	int err;

	if (!request_head_is_clear(head))
		return REFUSE_UNCLEAR_BODY;
	if (strlen(exchange->uri) > EXCHANGE_URI_MAX)
		return REFUSE_LONG_URI;
	if (size->header_size > EXCHANGE_HEAD_MAX)
		return REFUSE_LONG_HEAD;
	if (split_uri(exchange) != 0)
		return REFUSE_BROKEN;
	err = route_find(
		rules->routes, method, exchange->path, &match, &exchange->allowed);
	if (err == -EOPNOTSUPP)
		return REFUSE_METHOD;
	if (err == -ENOENT && rules->static_fd >= 0 && method == HTTP_GET)
		return start_file(exchange, head);
	if (err == -ENOENT)
		return REFUSE_UNKNOWN_PATH;
	exchange->route = &rules->config.routes[match.route];
	exchange->wait.reserved =
		(exchange->route->flags & (HTTP_ROUTE_SIGNED | HTTP_ROUTE_VITAL)) != 0;
	return start_request(exchange, method, &match, head);
}

/* Gives the request to gateway and waits for what it says. -EAGAIN: nobody takes it. */
static int hand_to_gateway(struct exchange *exchange)
{
	const struct exchange_rules *rules = exchange->rules;
	unsigned late_ms = exchange->route->late_ms;
	struct wait *wait = &exchange->wait;

	wait->due_ms = clock_mono_ms() + (late_ms > 0 ? late_ms : HTTP_ANSWER_MS);
	if (waiting_enter(rules->waiting, wait) != 0)
		return -EAGAIN;
	exchange->request->id = wait->id;
	if (rules->config.handle(rules->config.arg, exchange->request) != 0) {
		waiting_leave(rules->waiting, wait);
		return -EAGAIN;
	}
	exchange->request = NULL;
	return 0;
}

/*
 * Gateway has seen the head. libmicrohttpd goes on to the body now and takes no answer before
 * its end: a refused body is read and thrown away.
 */
static void take_word(struct exchange *exchange)
{
	struct waiting *waiting = exchange->rules->waiting;
	struct answer word = waiting_take(waiting, &exchange->wait);
	int err;

	waiting_leave(waiting, &exchange->wait);
	exchange->wait.answered = false;
	exchange->phase = PHASE_BODY;
	exchange->early = word;
	if (word.proceed == NULL)
		return;
	exchange->early = (struct answer){0};
	exchange->request = word.proceed;
	exchange->request->awaits_body = false;
	give_time(exchange);
	if (!is_spooled(exchange))
		return;
	err = request_spool(exchange->request, exchange->rules->config.spool_dir);
	if (err < 0) {
		exchange->refusal = err == -ENOSPC ? REFUSE_NO_SPACE : REFUSE_NO_SPOOL;
		http_request_free(&exchange->request);
	}
}

/* The head is here: may the body come? */
static enum MHD_Result ask(struct exchange *exchange)
{
	assert(!is_signed(exchange)); /* a signature is checked with the body only */
	exchange->request->awaits_body = true;
	if (hand_to_gateway(exchange) != 0) {
		http_request_free(&exchange->request);
		exchange->refusal = REFUSE_BUSY;
		return MHD_YES;
	}
	exchange->phase = PHASE_ASK;
	if (!waiting_pause(exchange->rules->waiting, &exchange->wait))
		take_word(exchange);
	return MHD_YES;
}

static enum MHD_Result take_head(struct exchange *exchange, const char *method)
{
	struct request_head head = {0};
	size_t body_len;

	(void)MHD_get_connection_values_n(
		exchange->wait.connection, MHD_HEADER_KIND, note_header, &head);
	exchange->phase = PHASE_BODY;
	exchange->refusal = judge_head(exchange, method, &head);
	if (exchange->refusal == REFUSE_NOTHING)
		return is_asked(exchange) ? ask(exchange) : MHD_YES;
	/* What follows may be the next request to a proxy and body to us, or the reverse. */
	if (exchange->refusal == REFUSE_UNCLEAR_BODY)
		return send_refusal(exchange, exchange->refusal);
	/*
	 * An answer before the end of the body closes the connection, and the reset may destroy
	 * the answer on its way. A body of bearable length is read first.
	 */
	body_len = request_head_body_len(&head);
	if (body_len != SIZE_MAX && body_len > EXCHANGE_DRAIN_MAX)
		return send_refusal(exchange, exchange->refusal);
	return MHD_YES;
}

static enum refusal refusal_of(int err)
{
	switch (err) {
	case -E2BIG:
		return REFUSE_LONG_BODY;
	case -ENOMEM:
		return REFUSE_FAULT;
	case -ENOSPC:
	case -EDQUOT:
		return REFUSE_NO_SPACE;
	default:
		return REFUSE_NO_SPOOL;
	}
}

static enum MHD_Result take_body(
	struct exchange *exchange, const char *data, size_t *data_len)
{
	size_t len = *data_len, drain_max = EXCHANGE_DRAIN_MAX;
	int err;

	*data_len = 0; /* all of it is taken */
	if (exchange->request != NULL) {
		err = request_add_body(exchange->request, data, len);
		if (err == 0)
			return MHD_YES;
		exchange->refusal = refusal_of(err);
		http_request_free(&exchange->request);
	}
	/* Who sends much shall read why it was for nothing. */
	if (is_asked(exchange))
		drain_max = exchange->route->body_max;
	exchange->drained += len;
	return exchange->drained <= drain_max ? MHD_YES : MHD_NO;
}

static enum MHD_Result send_file(struct exchange *exchange)
{
	struct answer answer = {0};

	if (files_find(exchange->rules->static_fd, exchange->path,
		    exchange->if_none_match, &answer) == -ENOENT)
		return send_refusal(exchange, REFUSE_UNKNOWN_PATH);
	return send_answer(exchange, answer);
}

/* The whole request is here and was found good: gateway's turn. */
static enum MHD_Result hand_over(struct exchange *exchange)
{
	struct waiting *waiting = exchange->rules->waiting;

	if (hand_to_gateway(exchange) != 0)
		return send_refusal(exchange, REFUSE_BUSY);
	exchange->phase = PHASE_WAIT;
	if (waiting_pause(waiting, &exchange->wait))
		return MHD_YES;
	return send_answer(exchange, waiting_take(waiting, &exchange->wait));
}

/* What Twilio passes on of others is taken as far as it is text. False: all of it is. */
static bool mend_text(struct http_request *request)
{
	bool query = form_mend(&request->query);

	return form_mend(&request->form) || query;
}

static enum MHD_Result finish(struct exchange *exchange)
{
	const struct http_config *config = &exchange->rules->config;
	int err;

	if (exchange->refusal != REFUSE_NOTHING)
		return send_refusal(exchange, exchange->refusal);
	if (exchange->is_file)
		return send_file(exchange);
	if (exchange->request == NULL) {
		struct answer early = exchange->early;

		exchange->early = (struct answer){0};
		return send_answer(exchange, early);
	}
	err = request_finish(exchange->request);
	if (err != 0)
		return send_refusal(
			exchange, err == -ENOMEM ? REFUSE_FAULT : REFUSE_BROKEN);
	if (is_signed(exchange) && config->verify(config->arg, exchange->request) != 0)
		return send_refusal(exchange, REFUSE_SIGNATURE);
	if (mend_text(exchange->request) && !is_signed(exchange))
		return send_refusal(exchange, REFUSE_BROKEN);
	return hand_over(exchange);
}

enum MHD_Result exchange_step(void *arg, struct MHD_Connection *connection,
	const char *url, const char *method, const char *version, const char *data,
	size_t *data_len, void **held)
{
	struct exchange *exchange = *held;

	(void)arg;
	(void)connection;
	(void)url;
	(void)version;
	if (exchange == NULL) /* exchange_open() had no memory */
		return MHD_NO;
	if (exchange->phase == PHASE_ASK) {
		take_word(exchange);
		/* Who was suspended is called for the head once more, not for the body's end. */
		if (*data_len == 0)
			return MHD_YES;
	}
	switch (exchange->phase) {
	case PHASE_HEAD:
		return take_head(exchange, method);
	case PHASE_ASK:
	case PHASE_BODY:
		return *data_len > 0 ? take_body(exchange, data, data_len)
				     : finish(exchange);
	case PHASE_WAIT:
		break;
	}
	return send_answer(
		exchange, waiting_take(exchange->rules->waiting, &exchange->wait));
}
