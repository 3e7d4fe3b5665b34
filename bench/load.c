/*
 * load.c: a load generator that speaks as Twilio does: signed forms over kept-open connections.
 *
 * Every request is written and signed before the clock starts, so what is measured is the
 * server. Each connection sends its next request when the reply to the last one is complete; with
 * a rate, not before its moment has come, and how long the reply took counts from that moment.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/form.h"
#include "base/text.h"

#define STALL_MS 10000 /* no reply on any connection for so long ends the run */
#define STATUSES 4     /* of each call */
#define LIFE_STEPS 6
#define REPLY_MAX 262144
#define ACCOUNT "AC00000000000000000000000000000001"

struct request {
	char *text;
	size_t len;
};

struct connection {
	int fd;
	size_t begin, next, end; /* its requests */
	int64_t sent_us;         /* or should have been */
	bool busy;               /* a reply is awaited */
	char *reply;
	size_t reply_len;
};

enum kind { WEBHOOK, LIFE, TWIML, GET, KINDS };

struct load {
	enum kind kind;
	const char *public_url, *token;
	const char *wanted; /* in every reply */
	uint16_t port;
	size_t connection_count;
	struct request *requests; /* grouped by connection */
	size_t request_count;
	uint32_t *latencies_us;
	size_t done, errors;
	size_t left; /* requests without a reply so far */
	struct connection *connections;
	int epoll_fd;
	double rate; /* requests per second of all connections; 0: as fast as it goes */
	int64_t start_us;
};

/* The signature is over names and values in the order of the names: keep them sorted. */
struct field {
	const char *name;
	const char *value;
};

static int die(const char *what)
{
	(void)fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* base64(HMAC-SHA1(token, url + name + value + ...)) (Twilio: "Security") */
static void sign(const struct load *load, const char *url, const struct field *fields,
	char ret_signature[64])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	struct buf text = {0};

	buf_add_str(&text, url);
	for (; fields->name != NULL; fields++) {
		buf_add_str(&text, fields->name);
		buf_add_str(&text, fields->value);
	}
	if (text.failed || HMAC(EVP_sha1(), load->token, (int)strlen(load->token),
				   (const unsigned char *)text.data, text.len, mac,
				   &mac_len) == NULL)
		die("sign");
	(void)EVP_EncodeBlock((unsigned char *)ret_signature, mac, (int)mac_len);
	buf_free(&text);
}

static void write_request(struct load *load, const char *target,
	const struct field *fields, struct request *ret_request)
{
	struct buf body = {0}, text = {0}, url = {0};
	char signature[64];
	const char *host = strstr(load->public_url, "//");

	buf_printf(&url, "%s%s", load->public_url, target);
	sign(load, url.data, fields, signature);
	for (const struct field *f = fields; f->name != NULL; f++)
		form_add(&body, f->name, f->value);
	buf_printf(&text,
		"POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: TwilioProxy/1.1\r\n"
		"Accept: */*\r\nX-Twilio-Signature: %s\r\n"
		"I-Twilio-Idempotency-Token: 3f6d0f2c-7c1b-4d2a-9a4e-6f1d1c2b3a49\r\n"
		"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
		"Content-Length: %zu\r\n\r\n",
		target, host == NULL ? "localhost" : host + 2, signature, body.len);
	buf_add(&text, body.data, body.len);
	ret_request->len = text.len;
	ret_request->text = buf_take(&text);
	if (ret_request->text == NULL || body.failed || url.failed)
		die("memory");
	buf_free(&body);
	buf_free(&url);
}

static void write_webhook(
	struct load *load, uint64_t call, size_t step, struct request *ret_request)
{
	static const char *const statuses[STATUSES] = {
		"initiated", "ringing", "in-progress", "completed"};
	char sid[40], sequence[16], target[256], number[32];
	const struct field fields[] = {
		{"AccountSid", ACCOUNT},
		{"ApiVersion", "2010-04-01"},
		{"CallSid", sid},
		{"CallStatus", statuses[step]},
		{"CallbackSource", "call-progress-events"},
		{"Called", number},
		{"CalledCity", "SAN FRANCISCO"},
		{"CalledCountry", "US"},
		{"CalledState", "CA"},
		{"CalledZip", "94105"},
		{"Caller", "+14155550100"},
		{"CallerCity", "OAKLAND"},
		{"CallerCountry", "US"},
		{"CallerState", "CA"},
		{"CallerZip", "94607"},
		{"Direction", "outbound-api"},
		{"From", "+14155550100"},
		{"FromCity", "OAKLAND"},
		{"FromCountry", "US"},
		{"FromState", "CA"},
		{"FromZip", "94607"},
		{"SequenceNumber", sequence},
		{"Timestamp", "Fri, 20 Aug 2027 01:13:42 +0000"},
		{"To", number},
		{"ToCity", "SAN FRANCISCO"},
		{"ToCountry", "US"},
		{"ToState", "CA"},
		{"ToZip", "94105"},
		{NULL, NULL},
	};

	(void)snprintf(sid, sizeof(sid), "CA%032llx", (unsigned long long)call);
	(void)snprintf(sequence, sizeof(sequence), "%zu", step);
	(void)snprintf(number, sizeof(number), "+1415%07llu", (unsigned long long)call);
	(void)snprintf(target, sizeof(target),
		"/api/calls-twiml/webhook/status?call=%llu&entry=0&attempt=1",
		(unsigned long long)call);
	write_request(load, target, fields, ret_request);
}

/* The customer joins or leaves the conference of its call, the `sequence`-th that happens there. */
static void write_participant(
	struct load *load, uint64_t call, size_t sequence, struct request *ret_request)
{
	bool joins = sequence == 2; /* after the agent */
	char sid[40], conference[40], label[48], number[16];
	const struct field fields[] = {
		{"AccountSid", ACCOUNT},
		{"CallSid", sid},
		{"Coaching", "false"},
		{"ConferenceSid", conference},
		{"EndConferenceOnExit", "false"},
		{"FriendlyName", "ovx-bench"},
		{"Hold", "false"},
		{"Muted", "false"},
		{"ParticipantLabel", label},
		{"SequenceNumber", number},
		{"StartConferenceOnEnter", "true"},
		{"StatusCallbackEvent", joins ? "participant-join" : "participant-leave"},
		{"Timestamp", "Fri, 20 Aug 2027 01:13:42 +0000"},
		{NULL, NULL},
	};

	(void)snprintf(sid, sizeof(sid), "CA%032llx", (unsigned long long)call);
	(void)snprintf(
		conference, sizeof(conference), "CF%032llx", (unsigned long long)call);
	(void)snprintf(label, sizeof(label), "ovx-bench-%llu", (unsigned long long)call);
	(void)snprintf(number, sizeof(number), "%zu", sequence);
	write_request(load, "/api/calls-twiml/webhook/conference?session=1", fields,
		ret_request);
}

/* All that is told of one call: it joins the conference once answered, and leaves at its end. */
static void write_life(
	struct load *load, uint64_t call, size_t step, struct request *ret_request)
{
	if (step < 3)
		write_webhook(load, call, step, ret_request);
	else if (step < 5)
		write_participant(load, call, step - 1, ret_request);
	else
		write_webhook(load, call, 3, ret_request);
}

static void write_twiml(struct load *load, uint64_t leg, struct request *ret_request)
{
	char sid[40], token[48];
	const struct field fields[] = {
		{"AccountSid", ACCOUNT},
		{"ApiVersion", "2010-04-01"},
		{"CallSid", sid},
		{"CallStatus", "ringing"},
		{"Called", "sip:agent@bench.sip.twilio.com"},
		{"Caller", "sip:gateway@bench.sip.twilio.com"},
		{"Direction", "inbound"},
		{"From", "sip:gateway@bench.sip.twilio.com"},
		{"SipCallId", "1f0c9e3a@127.0.0.1"},
		{"SipDomain", "bench.sip.twilio.com"},
		{"SipHeader_X-Ovx-Leg", token},
		{"SipSourceIp", "127.0.0.1"},
		{"To", "sip:agent@bench.sip.twilio.com"},
		{NULL, NULL},
	};

	/* Not the SID of any customer's leg. */
	(void)snprintf(sid, sizeof(sid), "CAa%031llx", (unsigned long long)leg);
	(void)snprintf(token, sizeof(token), "bench-%llu", (unsigned long long)leg);
	write_request(load, "/api/calls-twiml/twiml-agent", fields, ret_request);
}

/* GET of public_url, here only a path, with the session `token`. */
static void write_get(struct load *load, struct request *ret_request)
{
	struct buf text = {0};

	buf_printf(&text, "GET %s HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n",
		load->public_url, load->token);
	ret_request->len = text.len;
	ret_request->text = buf_take(&text);
	if (ret_request->text == NULL)
		die("memory");
}

/* The `step`-th request of the item. */
static void write_one(
	struct load *load, uint64_t item, size_t step, struct request *ret_request)
{
	switch (load->kind) {
	case WEBHOOK:
		write_webhook(load, item, step, ret_request);
		break;
	case LIFE:
		write_life(load, item, step, ret_request);
		break;
	case TWIML:
		write_twiml(load, item, ret_request);
		break;
	case GET:
		write_get(load, ret_request);
		break;
	case KINDS:
		break;
	}
}

/* All of one call's webhooks go over one connection, in order. */
static void write_all(struct load *load, uint64_t first, size_t count)
{
	static const size_t steps_of[KINDS] = {STATUSES, LIFE_STEPS, 1, 1};
	size_t steps = steps_of[load->kind];
	size_t at = 0;

	load->request_count = count * steps;
	load->requests = calloc(load->request_count, sizeof(load->requests[0]));
	load->latencies_us = calloc(load->request_count, sizeof(load->latencies_us[0]));
	load->connections = calloc(load->connection_count, sizeof(load->connections[0]));
	if (load->requests == NULL || load->latencies_us == NULL ||
		load->connections == NULL)
		die("memory");
	for (size_t c = 0; c < load->connection_count; c++) {
		load->connections[c].begin = load->connections[c].next = at;
		for (size_t i = c; i < count; i += load->connection_count)
			for (size_t step = 0; step < steps; step++, at++)
				write_one(load, first + i, step, &load->requests[at]);
		load->connections[c].end = at;
	}
}

static void open_connection(struct load *load, struct connection *connection)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(load->port)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	int on = 1;

	connection->reply = malloc(REPLY_MAX);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->reply == NULL || connection->fd < 0 ||
		connect(connection->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
		die("epoll");
}

/* The rest of this connection's requests count as errors. */
static void give_up(struct load *load, struct connection *connection)
{
	load->errors += connection->end - connection->next;
	load->left -= connection->end - connection->next;
	connection->next = connection->end;
	(void)close(connection->fd);
}

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* When the connection's next request is to go out. They take turns. */
static int64_t due(const struct load *load, const struct connection *connection)
{
	size_t turn = (connection->next - connection->begin) * load->connection_count +
		      (size_t)(connection - load->connections);

	return load->rate > 0
		       ? load->start_us + (int64_t)((double)turn / load->rate * 1e6)
		       : load->start_us;
}

static void send_next(struct load *load, struct connection *connection)
{
	const struct request *request;
	int64_t due_us;

	if (connection->next == connection->end) {
		(void)close(connection->fd);
		return;
	}
	due_us = due(load, connection);
	if (due_us > now_us())
		return; /* send_due() comes back to it */
	request = &load->requests[connection->next];
	connection->reply_len = 0;
	connection->busy = true;
	connection->sent_us = load->rate > 0 ? due_us : now_us();
	/* A request is far smaller than an empty socket's buffer: it goes whole or not at all. */
	if (send(connection->fd, request->text, request->len, MSG_NOSIGNAL) !=
		(ssize_t)request->len)
		give_up(load, connection);
}

/* Whether the reply is complete; its status, 0 while the head is not. */
static bool is_complete(const struct connection *connection, int *ret_status)
{
	const char *end = strstr(connection->reply, "\r\n\r\n");
	const char *length;
	size_t body = 0;

	if (end == NULL)
		return false;
	*ret_status = atoi(connection->reply + strlen("HTTP/1.1 "));
	length = strcasestr(connection->reply, "\r\nContent-Length:");
	if (length != NULL && length < end)
		body = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	return connection->reply_len >= (size_t)(end - connection->reply) + 4 + body;
}

static void take_reply(struct load *load, struct connection *connection)
{
	size_t room = REPLY_MAX - 1 - connection->reply_len;
	ssize_t n = recv(connection->fd, connection->reply + connection->reply_len, room,
		MSG_DONTWAIT);
	int status = 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		give_up(load, connection);
		return;
	}
	connection->reply_len += (size_t)n;
	connection->reply[connection->reply_len] = '\0';
	if (!is_complete(connection, &status))
		return;
	load->latencies_us[load->done++] = (uint32_t)(now_us() - connection->sent_us);
	connection->busy = false;
	if (status < 200 || status > 299 ||
		strstr(connection->reply, load->wanted) == NULL)
		load->errors++;
	connection->next++;
	load->left--;
	send_next(load, connection);
}

/* Sends what is due on connections that wait for their moment; microseconds to the next. */
static int64_t send_due(struct load *load)
{
	int64_t next_us = INT64_MAX;

	for (size_t c = 0; c < load->connection_count; c++) {
		struct connection *connection = &load->connections[c];

		if (connection->busy || connection->next == connection->end)
			continue;
		send_next(load, connection);
		if (!connection->busy && due(load, connection) < next_us)
			next_us = due(load, connection);
	}
	return next_us == INT64_MAX ? STALL_MS * 1000 : next_us - now_us();
}

static void run(struct load *load)
{
	struct epoll_event events[64];
	int64_t wait_us, last_us = now_us();
	struct timespec wait;
	int n;

	load->left = load->request_count;
	load->start_us = now_us();
	wait_us = send_due(load);
	while (load->left > 0 && now_us() - last_us < STALL_MS * 1000) {
		if (wait_us < 0)
			wait_us = 0;
		wait = (struct timespec){
			.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
		n = epoll_pwait2(load->epoll_fd, events, 64, &wait, NULL);
		for (int i = 0; i < n; i++)
			take_reply(load, events[i].data.ptr);
		if (n > 0)
			last_us = now_us();
		wait_us = load->rate > 0 ? send_due(load) : STALL_MS * 1000;
	}
	load->errors += load->left;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void report(struct load *load, double seconds)
{
	size_t last = load->done == 0 ? 0 : load->done - 1;

	qsort(load->latencies_us, load->done, sizeof(load->latencies_us[0]), compare);
	(void)printf(
		"requests=%zu seconds=%.3f rate=%.0f p50_us=%u p99_us=%u errors=%zu\n",
		load->done, seconds, (double)load->done / seconds,
		load->latencies_us[last / 2], load->latencies_us[last * 99 / 100],
		load->errors);
}

static long number(const char *text, long lo, long hi)
{
	int64_t value;

	if (text_int(text, lo, hi, &value) != 0) {
		(void)fprintf(stderr, "load: '%s' is not a number from %ld to %ld\n",
			text, lo, hi);
		exit(2);
	}
	return (long)value;
}

static const char usage[] =
	"usage: load webhook|life|twiml PORT PUBLIC_URL AUTH_TOKEN CONNECTIONS FIRST COUNT [RATE]\n"
	"       load get PORT TARGET COOKIE CONNECTIONS 1 COUNT [RATE]\n"
	"  webhook: four status webhooks for each of COUNT calls from id FIRST\n"
	"  life: the same, and its customer joins and leaves the conference meanwhile\n"
	"  twiml: one /twiml-agent for each of COUNT legs from number FIRST\n"
	"  get: COUNT times the same page\n"
	"  RATE: requests per second, by the clock; else each follows the reply to the last\n";

int main(int argc, char **argv)
{
	static const char *const kinds[KINDS] = {"webhook", "life", "twiml", "get"};
	static const char *const wanted[KINDS] = {
		"", "", "</Conference>", "\"success\":true"};
	struct load load = {0};
	size_t kind = 0;

	while (argc > 1 && kind < KINDS && strcmp(argv[1], kinds[kind]) != 0)
		kind++;
	if (argc < 8 || argc > 9 || kind == KINDS) {
		(void)fputs(usage, stderr);
		return 2;
	}
	load.kind = (enum kind)kind;
	load.wanted = wanted[kind];
	load.port = (uint16_t)number(argv[2], 1, 65535);
	load.public_url = argv[3];
	load.token = argv[4];
	load.connection_count = (size_t)number(argv[5], 1, 10000);
	load.rate = argc == 9 ? (double)number(argv[8], 0, 1000000) : 0;
	write_all(&load, (uint64_t)number(argv[6], 1, INT32_MAX),
		(size_t)number(argv[7], 1, 10000000));
	load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t c = 0; c < load.connection_count; c++)
		open_connection(&load, &load.connections[c]);
	run(&load);
	report(&load, (double)(now_us() - load.start_us) / 1e6);
	return load.errors == 0 ? 0 : 1;
}
