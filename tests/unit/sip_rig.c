/* sip_rig.c: see sip_rig.h. */
#include "unit/sip_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/post.h"
#include "base/timers.h"
#include "sip/digest.h"

/* --- the edge --- */

void rig_account(struct rig *rig, uint64_t query, const char *user)
{
	struct sip_account account = {.user = RIG_USER};
	char ha1[DIGEST_HEX_SIZE];

	if (strcmp(user, RIG_USER) != 0) {
		sip_edge_account(rig->edge, query, NULL);
		return;
	}
	assert_int_equal(
		digest_ha1(DIGEST_MD5, RIG_USER, RIG_REALM, RIG_PASSWORD, ha1), 0);
	(void)strcpy(account.ha1_md5, ha1);
	assert_int_equal(
		digest_ha1(DIGEST_SHA256, RIG_USER, RIG_REALM, RIG_PASSWORD, ha1), 0);
	(void)strcpy(account.ha1_sha256, ha1);
	sip_edge_account(rig->edge, query, &account);
}

static void on_account(void *arg, uint64_t query, const char *user)
{
	struct rig *rig = arg;

	rig->account_asked++;
	rig->query = query;
	if (!rig->answer_later)
		rig_account(rig, query, user);
}

static void on_bind(void *arg, uint64_t query, const struct sip_binding *binding)
{
	struct rig *rig = arg;

	rig->bind_asked++;
	rig->bound = *binding;
	rig->query = query;
	if (!rig->answer_later)
		sip_edge_bound(rig->edge, query, rig->bind_result);
}

void rig_start(struct rig *rig, uint16_t port)
{
	char listen_on[32];
	struct err err = {""};

	(void)snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%u", (unsigned)port);
	assert_int_equal(post_queue_new(64, &rig->queue), 0);
	assert_int_equal(timers_new(clock_mono_ms(), &rig->timers), 0);
	assert_int_equal(sip_loop_new(rig->queue, rig->timers, &rig->loop), 0);
	if (sip_edge_new(&(struct sip_edge_config){.loop = rig->loop,
				 .timers = rig->timers,
				 .listen = listen_on,
				 .realm = RIG_REALM,
				 .user_agent = "test",
				 .expires_min_s = 60,
				 .expires_max_s = 600,
				 .pending_max = rig->pending_max ? rig->pending_max : 16,
				 .account = on_account,
				 .bind = on_bind,
				 .arg = rig},
		    &rig->edge, &err) < 0)
		fail_msg("%s", err.text);
	rig->port = addr_port(sip_edge_addr(rig->edge));
	assert_int_not_equal(rig->port, 0);
}

void rig_stop(struct rig *rig)
{
	sip_edge_free(&rig->edge);
	sip_loop_free(&rig->loop);
	timers_free(&rig->timers);
	post_queue_free(&rig->queue);
}

struct wait {
	struct timer timer;
	struct rig *rig;
	bool (*done)(void *arg);
	void *arg;
	int64_t deadline_ms;
	bool met;
};

static void on_check(struct timer *timer)
{
	struct wait *wait = list_entry(timer, struct wait, timer);

	wait->met = wait->done(wait->arg);
	if (wait->met || clock_mono_ms() >= wait->deadline_ms)
		sip_loop_stop(wait->rig->loop);
	else
		timer_start(wait->rig->timers, timer, 2);
}

bool rig_run(struct rig *rig, bool (*done)(void *arg), void *arg, int64_t ms)
{
	struct wait wait = {.timer.fire = on_check, .rig = rig, .done = done, .arg = arg};

	wait.deadline_ms = clock_mono_ms() + ms;
	timer_start(rig->timers, &wait.timer, 0);
	sip_loop_run(rig->loop);
	timer_stop(&wait.timer);
	return wait.met;
}

/* --- peers --- */

static void on_datagram(void *arg)
{
	struct peer *peer = arg;
	char *text = calloc(1, 65536);
	ssize_t len = recv(peer->fd, text, 65535, MSG_DONTWAIT);

	if (len <= 0 || peer->waiting == RIG_INBOX) {
		free(text);
		return;
	}
	peer->inbox[peer->waiting++] = text;
}

void peer_open(struct peer *peer, struct rig *rig)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);

	memset(peer, 0, sizeof(*peer));
	peer->rig = rig;
	peer->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(peer->fd >= 0);
	assert_int_equal(bind(peer->fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&sa, &len), 0);
	peer->port = ntohs(sa.sin_port);
	peer_rewatch(peer);
}

void peer_rewatch(struct peer *peer)
{
	peer->watch = sip_loop_watch(peer->rig->loop, peer->fd, on_datagram, peer);
	assert_true(peer->watch >= 0);
}

void peer_close(struct peer *peer)
{
	sip_loop_unwatch(peer->rig->loop, peer->watch);
	while (peer->waiting > 0)
		free(peer->inbox[--peer->waiting]);
	close(peer->fd);
}

void peer_send_raw(struct peer *peer, const void *data, size_t len)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(peer->rig->port)};

	assert_int_equal(
		sendto(peer->fd, data, len, 0, (struct sockaddr *)&sa, sizeof(sa)), len);
}

void peer_send(struct peer *peer, const char *fmt, ...)
{
	char text[16384];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_true(len > 0 && (size_t)len < sizeof(text));
	peer_send_raw(peer, text, (size_t)len);
}

struct wanted {
	struct peer *peer;
	const char *start;
};

static bool has_wanted(void *arg)
{
	struct wanted *wanted = arg;
	struct peer *peer = wanted->peer;

	while (peer->waiting > 0) {
		char *text = peer->inbox[0];
		bool fits = strncmp(text, wanted->start, strlen(wanted->start)) == 0;

		memmove(peer->inbox, peer->inbox + 1, --peer->waiting * sizeof(char *));
		if (fits)
			(void)strcpy(peer->taken, text);
		free(text);
		if (fits)
			return true;
	}
	return false;
}

const char *peer_expect(struct peer *peer, const char *start)
{
	struct wanted wanted = {peer, start};

	if (!rig_run(peer->rig, has_wanted, &wanted, 5000))
		fail_msg("no \"%s\" came", start);
	return peer->taken;
}

bool peer_hears_no(struct peer *peer, const char *start, int64_t ms)
{
	struct wanted wanted = {peer, start};

	return !rig_run(peer->rig, has_wanted, &wanted, ms);
}

/* --- messages --- */

const char *header_of(const char *message, const char *name, char *buf, size_t size)
{
	const char *line = message, *end;
	size_t len = strlen(name);

	buf[0] = '\0';
	while ((line = strstr(line, "\r\n")) != NULL &&
		strncmp(line, "\r\n\r\n", 4) != 0) {
		line += 2;
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " ");
		end = strstr(line, "\r\n");
		(void)snprintf(buf, size, "%.*s", (int)(end - line), line);
		break;
	}
	return buf;
}

const char *tag_of(const char *message, const char *name, char *buf, size_t size)
{
	char line[512];
	const char *tag;

	(void)header_of(message, name, line, sizeof(line));
	tag = strstr(line, ";tag=");
	(void)snprintf(buf, size, "%s", tag != NULL ? tag + 5 : "");
	buf[strcspn(buf, "; ")] = '\0';
	return buf;
}

const char *body_of(const char *message)
{
	const char *blank = strstr(message, "\r\n\r\n");

	return blank != NULL ? blank + 4 : "";
}

void peer_reply(struct peer *peer, const char *request, const char *status,
	const char *tag, const char *more, const char *body)
{
	char via[1024], from[512], to[512], call_id[256], cseq[64];

	(void)header_of(request, "Via", via, sizeof(via));
	(void)header_of(request, "From", from, sizeof(from));
	(void)header_of(request, "To", to, sizeof(to));
	(void)header_of(request, "Call-ID", call_id, sizeof(call_id));
	(void)header_of(request, "CSeq", cseq, sizeof(cseq));
	peer_send(peer,
		"SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n"
		"%s%sContent-Length: %zu\r\n\r\n%s",
		status, via, from, to, tag != NULL ? ";tag=" : "", tag != NULL ? tag : "",
		call_id, cseq, more, body[0] ? "Content-Type: application/sdp\r\n" : "",
		strlen(body), body);
}

void peer_register(struct peer *peer, const struct rig_register *reg)
{
	static unsigned count;
	char branch[64];

	(void)snprintf(branch, sizeof(branch), "z9hG4bK-reg-%u", ++count);
	peer_send(peer,
		"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=%s\r\n"
		"From: <sip:%s@127.0.0.1>;tag=f\r\nTo: <sip:%s@127.0.0.1>\r\nCall-ID: %s\r\n"
		"CSeq: %u REGISTER\r\nMax-Forwards: 70\r\n%s%s%s%sContent-Length: 0\r\n\r\n",
		(unsigned)peer->port, reg->branch != NULL ? reg->branch : branch,
		reg->to_user, reg->to_user, reg->call_id, reg->cseq, reg->contact,
		reg->authorization != NULL ? "Authorization: " : "",
		reg->authorization != NULL ? reg->authorization : "",
		reg->authorization != NULL ? "\r\n" : "");
}

const char *rig_credentials(const char *unauthorized, const char *user,
	const char *password, unsigned nc, const char *algorithm, char *buf, size_t size)
{
	char line[512], nonce[256], ha1[DIGEST_HEX_SIZE], ha2[DIGEST_HEX_SIZE];
	char response[DIGEST_HEX_SIZE], rest[512];
	enum digest_algorithm a =
		strcmp(algorithm, "MD5") == 0 ? DIGEST_MD5 : DIGEST_SHA256;
	const char *at;

	(void)header_of(unauthorized, "WWW-Authenticate", line, sizeof(line));
	at = strstr(line, "nonce=\"");
	assert_non_null(at);
	(void)snprintf(nonce, sizeof(nonce), "%s", at + 7);
	nonce[strcspn(nonce, "\"")] = '\0';
	assert_int_equal(digest_ha1(a, user, RIG_REALM, password, ha1), 0);
	/* H(a:b:c) serves for the other two hashes as well */
	assert_int_equal(digest_ha1(a, "REGISTER", "sip", "127.0.0.1", ha2), 0);
	(void)snprintf(rest, sizeof(rest), "%08x:cn:auth:%s", nc, ha2);
	assert_int_equal(digest_ha1(a, ha1, nonce, rest, response), 0);
	(void)snprintf(buf, size,
		"Digest username=\"%s\", realm=\"" RIG_REALM "\", nonce=\"%s\", "
		"uri=\"sip:127.0.0.1\", response=\"%s\", algorithm=%s, qop=auth, nc=%08x, "
		"cnonce=\"cn\"",
		user, nonce, response, algorithm, nc);
	return buf;
}
