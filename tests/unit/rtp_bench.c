/* rtp_bench.c: see rtp_bench.h. */
#include "unit/rtp_bench.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void take_event(void *arg, const struct rtp_event *event)
{
	struct bench *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	if (b->event_count < EVENTS_MAX)
		b->events[b->event_count++] = *event;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
}

int open_udp(const char *host, uint16_t port, struct addr *ret_addr)
{
	struct addr a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(addr_from_host(host, port, &a), 0);
	if (bind(fd, (struct sockaddr *)&a.sa, a.len) != 0) {
		(void)close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a.sa, &a.len), 0);
	*ret_addr = a;
	return fd;
}

void peer_open(struct peer *p, const char *host, uint32_t ssrc)
{
	struct addr ignored;

	*p = (struct peer){.rtp = -1, .rtcp = -1, .seq = 65530, .ssrc = ssrc};
	for (int i = 0; i < 100 && p->rtcp < 0; i++) {
		if (p->rtp >= 0)
			(void)close(p->rtp);
		p->rtp = open_udp(host, 0, &p->addr);
		if (addr_port(&p->addr) < UINT16_MAX)
			p->rtcp = open_udp(
				host, (uint16_t)(addr_port(&p->addr) + 1), &ignored);
	}
	assert_true(p->rtp >= 0 && p->rtcp >= 0);
}

void peer_close(struct peer *p)
{
	(void)close(p->rtp);
	(void)close(p->rtcp);
}

void send_to(int fd, uint16_t port, const void *data, size_t len)
{
	struct addr a;

	assert_int_equal(addr_from_host("127.0.0.1", port, &a), 0);
	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&a.sa, a.len), len);
}

void make_rtp(struct peer *p, uint8_t fill, uint8_t packet[172])
{
	const uint8_t head[12] = {0x80, 0, (uint8_t)(p->seq >> 8), (uint8_t)p->seq, 0, 0,
		0, fill, (uint8_t)(p->ssrc >> 24), (uint8_t)(p->ssrc >> 16),
		(uint8_t)(p->ssrc >> 8), (uint8_t)p->ssrc};

	memcpy(packet, head, sizeof(head));
	memset(packet + 12, fill, 160);
	p->seq++;
}

void say(struct peer *p, uint16_t port, uint8_t fill)
{
	uint8_t packet[172];

	make_rtp(p, fill, packet);
	send_to(p->rtp, port, packet, sizeof(packet));
}

ssize_t hear(int fd, uint8_t *data, size_t size, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, ms) != 1)
		return -1;
	return recv(fd, data, size, 0);
}

bool is_silence(const uint8_t *data, ssize_t len)
{
	if (len != 172)
		return false;
	for (size_t i = 12; i < 172; i++)
		if (data[i] != 0xff)
			return false;
	return true;
}

void assert_hears(int fd, const void *want, size_t want_len)
{
	uint8_t data[2048];
	int64_t deadline = clock_mono_ms() + WAIT_MS;
	ssize_t len;

	do {
		len = hear(fd, data, sizeof(data), WAIT_MS);
	} while (is_silence(data, len) && clock_mono_ms() < deadline);
	assert_int_equal(len, want_len);
	assert_memory_equal(data, want, want_len);
}

void assert_hears_from(struct peer *from, uint16_t port, uint8_t fill, int fd)
{
	uint8_t packet[172];

	make_rtp(from, fill, packet);
	send_to(from->rtp, port, packet, sizeof(packet));
	assert_hears(fd, packet, sizeof(packet));
}

struct rtp_event wait_event(
	struct bench *b, enum rtp_event_kind kind, enum rtp_side side, size_t nth)
{
	struct timespec deadline;
	struct rtp_event found = {.kind = kind};
	size_t seen = 0;
	int err = 0;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_MS / 1000;
	(void)pthread_mutex_lock(&b->lock);
	while (seen < nth && err == 0) {
		seen = 0;
		for (size_t i = 0; i < b->event_count && seen < nth; i++)
			if (b->events[i].kind == kind && b->events[i].side == side) {
				found = b->events[i];
				seen++;
			}
		if (seen < nth)
			err = pthread_cond_timedwait(&b->changed, &b->lock, &deadline);
	}
	(void)pthread_mutex_unlock(&b->lock);
	assert_int_equal(seen, nth);
	return found;
}

size_t count_events(struct bench *b, enum rtp_event_kind kind, enum rtp_side side)
{
	size_t seen = 0;

	(void)pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < b->event_count; i++)
		seen += b->events[i].kind == kind && b->events[i].side == side;
	(void)pthread_mutex_unlock(&b->lock);
	return seen;
}

struct rtp_stats stats_of(struct bench *b, enum rtp_side side)
{
	struct rtp_stats stats[RTP_SIDES];

	assert_int_equal(rtp_session_stats(b->relay, SESSION, stats), 0);
	return stats[side];
}

void wait_dropped(struct bench *b, enum rtp_side side, uint64_t count)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int64_t deadline = clock_mono_ms() + WAIT_MS;

	while (stats_of(b, side).dropped < count && clock_mono_ms() < deadline)
		(void)nanosleep(&pause, NULL);
	assert_int_equal(stats_of(b, side).dropped, count);
}

void say_until(struct bench *b, struct peer *p, enum rtp_side side, bool heard)
{
	struct rtp_stats before = stats_of(b, side), now = before;
	int64_t deadline = clock_mono_ms() + WAIT_MS;

	while (clock_mono_ms() < deadline) {
		say(p, b->ports[side], 0xdd);
		(void)poll(NULL, 0, 5);
		now = stats_of(b, side);
		if (heard ? now.received > before.received : now.dropped > before.dropped)
			return;
	}
	fail_msg("the new remote never came into force");
}

void drain(int fd)
{
	uint8_t data[2048];

	while (hear(fd, data, sizeof(data), 0) > 0)
		;
}

struct rtp_config config_of(struct bench *b)
{
	return (struct rtp_config){.bind_host = "127.0.0.1",
		.silent_ms = SILENT_MS,
		.event = take_event,
		.arg = b};
}

int rtp_bench_open(void **state)
{
	static struct bench b;
	struct rtp_config config = config_of(&b);

	memset(&b, 0, sizeof(b));
	(void)pthread_mutex_init(&b.lock, NULL);
	(void)pthread_cond_init(&b.changed, NULL);
	assert_int_equal(rtp_relay_new(&config, &b.relay), 0);
	peer_open(&b.phone, "127.0.0.1", PHONE_SSRC);
	peer_open(&b.twilio, "127.0.0.1", TWILIO_SSRC);
	*state = &b;
	return 0;
}

int rtp_bench_close(void **state)
{
	struct bench *b = *state;

	rtp_relay_free(&b->relay);
	assert_null(b->relay);
	rtp_relay_free(&b->relay);
	peer_close(&b->phone);
	peer_close(&b->twilio);
	(void)pthread_cond_destroy(&b->changed);
	(void)pthread_mutex_destroy(&b->lock);
	return 0;
}

void open_session(struct bench *b, const struct addr *phone_sdp)
{
	const struct rtp_side_params sides[RTP_SIDES] = {
		{.remote = *phone_sdp, .learn = true},
		{.remote = b->twilio.addr},
	};

	assert_int_equal(rtp_session_open(b->relay, SESSION, sides, b->ports), 0);
	assert_int_equal(b->ports[RTP_PHONE] % 2, 0);
	assert_int_equal(b->ports[RTP_TWILIO] % 2, 0);
}

struct addr elsewhere(void)
{
	struct addr a;

	/* Nobody listens there: the port answers with ICMP, too. */
	assert_int_equal(addr_parse("127.0.0.9:9", &a), 0);
	return a;
}
