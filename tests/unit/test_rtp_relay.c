/* test_rtp_relay.c: real sockets on both sides of a relay, and strangers beside them. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rtp/relay.h"

#define WAIT_MS 5000
#define SILENT_MS 400
#define EVENTS_MAX 64
#define SESSION 42
#define PHONE_SSRC 0x11111111U
#define TWILIO_SSRC 0x22222222U

/* An RTP endpoint: a pair of sockets of our own. */
struct peer {
	int rtp, rtcp;
	struct addr addr;
	uint16_t seq;
	uint32_t ssrc;
};

struct bench {
	struct rtp_relay *relay;
	uint16_t ports[RTP_SIDES];
	struct peer phone, twilio;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct rtp_event events[EVENTS_MAX];
	size_t event_count;
};

static void take_event(void *arg, const struct rtp_event *event)
{
	struct bench *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	if (b->event_count < EVENTS_MAX)
		b->events[b->event_count++] = *event;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
}

static int open_udp(const char *host, uint16_t port, struct addr *ret_addr)
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

static void peer_open(struct peer *p, const char *host, uint32_t ssrc)
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

static void peer_close(struct peer *p)
{
	(void)close(p->rtp);
	(void)close(p->rtcp);
}

static void send_to(int fd, uint16_t port, const void *data, size_t len)
{
	struct addr a;

	assert_int_equal(addr_from_host("127.0.0.1", port, &a), 0);
	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&a.sa, a.len), len);
}

/* The next packet of its stream; `fill` makes it recognisable. */
static void make_rtp(struct peer *p, uint8_t fill, uint8_t packet[172])
{
	const uint8_t head[12] = {0x80, 0, (uint8_t)(p->seq >> 8), (uint8_t)p->seq, 0, 0,
		0, fill, (uint8_t)(p->ssrc >> 24), (uint8_t)(p->ssrc >> 16),
		(uint8_t)(p->ssrc >> 8), (uint8_t)p->ssrc};

	memcpy(packet, head, sizeof(head));
	memset(packet + 12, fill, 160);
	p->seq++;
}

static void say(struct peer *p, uint16_t port, uint8_t fill)
{
	uint8_t packet[172];

	make_rtp(p, fill, packet);
	send_to(p->rtp, port, packet, sizeof(packet));
}

/* The next packet within `ms`, or -1. */
static ssize_t hear(int fd, uint8_t *data, size_t size, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, ms) != 1)
		return -1;
	return recv(fd, data, size, 0);
}

static bool is_silence(const uint8_t *data, ssize_t len)
{
	if (len != 172)
		return false;
	for (size_t i = 12; i < 172; i++)
		if (data[i] != 0xff)
			return false;
	return true;
}

/* The next packet that is not the relay's silence, byte for byte. */
static void assert_hears(int fd, const void *want, size_t want_len)
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

static void assert_hears_from(struct peer *from, uint16_t port, uint8_t fill, int fd)
{
	uint8_t packet[172];

	make_rtp(from, fill, packet);
	send_to(from->rtp, port, packet, sizeof(packet));
	assert_hears(fd, packet, sizeof(packet));
}

/* One event of that kind and side has come; a copy of the newest. */
static struct rtp_event wait_event(
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

static size_t count_events(struct bench *b, enum rtp_event_kind kind, enum rtp_side side)
{
	size_t seen = 0;

	(void)pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < b->event_count; i++)
		seen += b->events[i].kind == kind && b->events[i].side == side;
	(void)pthread_mutex_unlock(&b->lock);
	return seen;
}

static struct rtp_stats stats_of(struct bench *b, enum rtp_side side)
{
	struct rtp_stats stats[RTP_SIDES];

	assert_int_equal(rtp_session_stats(b->relay, SESSION, stats), 0);
	return stats[side];
}

/* Everything that was sent before has been judged once `side` has dropped `count`. */
static void wait_dropped(struct bench *b, enum rtp_side side, uint64_t count)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int64_t deadline = clock_mono_ms() + WAIT_MS;

	while (stats_of(b, side).dropped < count && clock_mono_ms() < deadline)
		(void)nanosleep(&pause, NULL);
	assert_int_equal(stats_of(b, side).dropped, count);
}

/* A new remote reaches the rtp thread as a post: speaks until it is heard, or dropped. */
static void say_until(struct bench *b, struct peer *p, enum rtp_side side, bool heard)
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

static void drain(int fd)
{
	uint8_t data[2048];

	while (hear(fd, data, sizeof(data), 0) > 0)
		;
}

static struct rtp_config config_of(struct bench *b)
{
	return (struct rtp_config){.bind_host = "127.0.0.1",
		.silent_ms = SILENT_MS,
		.event = take_event,
		.arg = b};
}

static int set_up(void **state)
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

static int tear_down(void **state)
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

/* Both remotes known, the phone learning. `phone_sdp` may be a lie, as behind NAT. */
static void open_session(struct bench *b, const struct addr *phone_sdp)
{
	const struct rtp_side_params sides[RTP_SIDES] = {
		{.remote = *phone_sdp, .learn = true},
		{.remote = b->twilio.addr},
	};

	assert_int_equal(rtp_session_open(b->relay, SESSION, sides, b->ports), 0);
	assert_int_equal(b->ports[RTP_PHONE] % 2, 0);
	assert_int_equal(b->ports[RTP_TWILIO] % 2, 0);
}

static struct addr elsewhere(void)
{
	struct addr a;

	/* Nobody listens there: the port answers with ICMP, too. */
	assert_int_equal(addr_parse("127.0.0.9:9", &a), 0);
	return a;
}

static void packets_pass_both_ways_unchanged(void **state)
{
	struct bench *b = *state;
	uint8_t odd[40] = {0xb1, 0xe5, 1, 2, 3, 4, 5, 6, 0x11, 0x11, 0x11, 0x11, 9, 9, 9,
		9, 0, 0, 0, 1, 7, 7, 7, 7};

	odd[39] = 4;
	open_session(b, &b->phone.addr);
	for (uint8_t i = 0; i < 50; i++) {
		assert_hears_from(&b->phone, b->ports[RTP_PHONE], i, b->twilio.rtp);
		assert_hears_from(&b->twilio, b->ports[RTP_TWILIO], i, b->phone.rtp);
	}
	/* marker, telephone event, CSRC, extension and padding: all left as they are */
	send_to(b->phone.rtp, b->ports[RTP_PHONE], odd, sizeof(odd));
	assert_hears(b->twilio.rtp, odd, sizeof(odd));
	assert_int_equal(stats_of(b, RTP_PHONE).received, 51);
	assert_int_equal(stats_of(b, RTP_TWILIO).received, 50);
	assert_int_equal(stats_of(b, RTP_PHONE).dropped, 0);
	assert_int_equal(wait_event(b, RTP_FIRST, RTP_PHONE, 1).session, SESSION);
	(void)wait_event(b, RTP_FIRST, RTP_TWILIO, 1);
	assert_int_equal(count_events(b, RTP_FIRST, RTP_PHONE), 1);
	assert_int_equal(count_events(b, RTP_LATCHED, RTP_PHONE), 1);
	assert_int_equal(count_events(b, RTP_LATCHED, RTP_TWILIO), 0);
}

static void a_burst_passes_whole_and_in_order(void **state)
{
	struct bench *b = *state;
	struct peer copy;

	open_session(b, &b->phone.addr);
	copy = b->phone;
	for (uint8_t i = 0; i < 100; i++)
		say(&b->phone, b->ports[RTP_PHONE], i);
	for (uint8_t i = 0; i < 100; i++) {
		uint8_t packet[172];

		make_rtp(&copy, i, packet);
		assert_hears(b->twilio.rtp, packet, sizeof(packet));
	}
}

static void a_phone_behind_nat_is_learned_and_remembered(void **state)
{
	struct bench *b = *state;
	struct addr private_addr = elsewhere();
	struct rtp_event event;

	open_session(b, &private_addr);
	for (uint8_t i = 0; i < 4; i++)
		say(&b->phone, b->ports[RTP_PHONE], i);
	wait_dropped(b, RTP_PHONE, 4);
	assert_int_equal(count_events(b, RTP_FIRST, RTP_PHONE), 0);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 4, b->twilio.rtp);
	event = wait_event(b, RTP_LATCHED, RTP_PHONE, 1);
	assert_true(addr_equal(&event.remote, &b->phone.addr));
	assert_true(event.at_ms > 0);
	assert_hears_from(&b->twilio, b->ports[RTP_TWILIO], 5, b->phone.rtp);
}

static void a_stranger_hears_nothing_and_says_nothing(void **state)
{
	struct bench *b = *state;
	struct peer stranger;
	uint8_t data[2048];

	peer_open(&stranger, "127.0.0.1", PHONE_SSRC);
	stranger.seq = b->phone.seq;
	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	for (uint8_t i = 0; i < 50; i++) {
		say(&stranger, b->ports[RTP_PHONE], 0xee);
		say(&stranger, b->ports[RTP_TWILIO], 0xee);
	}
	wait_dropped(b, RTP_PHONE, 50);
	wait_dropped(b, RTP_TWILIO, 50);
	for (uint8_t i = 2; i < 20; i++) {
		assert_hears_from(&b->phone, b->ports[RTP_PHONE], i, b->twilio.rtp);
		assert_hears_from(&b->twilio, b->ports[RTP_TWILIO], i, b->phone.rtp);
	}
	assert_int_equal(hear(stranger.rtp, data, sizeof(data), 0), -1);
	assert_int_equal(stats_of(b, RTP_PHONE).received, 19);
	peer_close(&stranger);
}

static void twilio_is_only_its_sdp_address(void **state)
{
	struct bench *b = *state;
	struct peer other;

	peer_open(&other, "127.0.0.1", TWILIO_SSRC);
	open_session(b, &b->phone.addr);
	for (uint8_t i = 0; i < 20; i++)
		say(&other, b->ports[RTP_TWILIO], 0xee);
	wait_dropped(b, RTP_TWILIO, 20);
	assert_int_equal(stats_of(b, RTP_TWILIO).received, 0);
	/* a redirect moves it: the new address counts, the old one does not */
	assert_int_equal(
		rtp_session_remote(b->relay, SESSION, RTP_TWILIO, &other.addr, false), 0);
	say_until(b, &other, RTP_TWILIO, true);
	drain(b->phone.rtp);
	assert_hears_from(&other, b->ports[RTP_TWILIO], 1, b->phone.rtp);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 2, other.rtp);
	say_until(b, &b->twilio, RTP_TWILIO, false);
	peer_close(&other);
}

static void broken_packets_are_dropped(void **state)
{
	struct bench *b = *state;
	uint8_t packet[172];
	uint8_t huge[4000] = {0x80};

	open_session(b, &b->phone.addr);
	make_rtp(&b->phone, 1, packet);
	send_to(b->phone.rtp, b->ports[RTP_PHONE], packet, 11);
	send_to(b->phone.rtp, b->ports[RTP_PHONE], packet, 0);
	packet[0] = 0x40;
	send_to(b->phone.rtp, b->ports[RTP_PHONE], packet, sizeof(packet));
	send_to(b->phone.rtp, b->ports[RTP_PHONE], huge, sizeof(huge));
	send_to(b->phone.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), "\x80\xc9\x00\x01",
		4);
	wait_dropped(b, RTP_PHONE, 5);
	assert_int_equal(stats_of(b, RTP_PHONE).received, 0);
}

static void rtcp_passes_beside_rtp(void **state)
{
	static const uint8_t report[8] = {0x80, 201, 0, 1, 0x11, 0x11, 0x11, 0x11};
	struct bench *b = *state;
	struct peer stranger;
	uint8_t data[64];

	peer_open(&stranger, "127.0.0.1", PHONE_SSRC + 1);
	open_session(b, &b->phone.addr);
	/* not before the phone has been heard */
	send_to(b->phone.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), report,
		sizeof(report));
	wait_dropped(b, RTP_PHONE, 1);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	send_to(b->phone.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), report,
		sizeof(report));
	assert_hears(b->twilio.rtcp, report, sizeof(report));
	send_to(b->twilio.rtcp, (uint16_t)(b->ports[RTP_TWILIO] + 1), report,
		sizeof(report));
	assert_hears(b->phone.rtcp, report, sizeof(report));
	send_to(stranger.rtcp, (uint16_t)(b->ports[RTP_TWILIO] + 1), report,
		sizeof(report));
	wait_dropped(b, RTP_TWILIO, 1);
	assert_int_equal(hear(stranger.rtcp, data, sizeof(data), 0), -1);
	peer_close(&stranger);
}

static void rtcp_behind_nat_is_known_by_its_ssrc(void **state)
{
	static const uint8_t report[8] = {0x80, 201, 0, 1, 0x11, 0x11, 0x11, 0x11};
	static const uint8_t forged[8] = {0x80, 201, 0, 1, 0x11, 0x11, 0x11, 0x12};
	struct bench *b = *state;
	struct peer natted;

	peer_open(&natted, "127.0.0.1", PHONE_SSRC);
	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	send_to(natted.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), forged, sizeof(forged));
	wait_dropped(b, RTP_PHONE, 1);
	send_to(natted.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), report, sizeof(report));
	assert_hears(b->twilio.rtcp, report, sizeof(report));
	send_to(b->twilio.rtcp, (uint16_t)(b->ports[RTP_TWILIO] + 1), report,
		sizeof(report));
	assert_hears(natted.rtcp, report, sizeof(report));
	peer_close(&natted);
}

static void silence_stands_in_for_a_side_that_says_nothing(void **state)
{
	struct bench *b = *state;
	uint8_t data[2048], last[172];
	int64_t start;

	open_session(b, &b->phone.addr);
	start = clock_mono_ms();
	assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
	assert_true(clock_mono_ms() - start >= 150);
	assert_true(is_silence(data, 172));
	assert_int_equal(data[0], 0x80);
	assert_int_equal(data[1], 0x80); /* marker */
	for (unsigned i = 0; i < 20; i++) {
		memcpy(last, data, sizeof(last));
		assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
		assert_true(is_silence(data, 172));
		assert_int_equal(data[1], 0);
		assert_memory_equal(data + 8, last + 8, 4);
		assert_int_equal((uint16_t)(data[2] << 8 | data[3]),
			(uint16_t)((last[2] << 8 | last[3]) + 1));
		assert_int_equal((uint16_t)(data[6] << 8 | data[7]),
			(uint16_t)((last[6] << 8 | last[7]) + 160));
	}
	/* 20 packets at 20 ms: never in one heap */
	assert_true(clock_mono_ms() - start >= 500);
	/* counted after sending: the last may not be yet */
	assert_true(stats_of(b, RTP_TWILIO).silence >= 20);
	assert_true(stats_of(b, RTP_PHONE).silence >= 1);
}

static void silence_stops_at_once_when_sound_flows(void **state)
{
	struct bench *b = *state;
	uint8_t data[2048];
	int64_t end;

	open_session(b, &b->phone.addr);
	assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	drain(b->twilio.rtp);
	end = clock_mono_ms() + 300;
	for (uint8_t i = 2; clock_mono_ms() < end; i++) {
		int64_t said = clock_mono_ms();

		say(&b->phone, b->ports[RTP_PHONE], i);
		assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
		assert_false(is_silence(data, 172));
		(void)poll(NULL, 0, 20);
		/* on a busy machine this test may itself have been the silent side */
		if (clock_mono_ms() - said >= 150)
			drain(b->twilio.rtp);
	}
	/* and comes back with a marker */
	assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
	assert_true(is_silence(data, 172));
	assert_int_equal(data[1], 0x80);
}

static void a_side_that_falls_silent_is_told_once(void **state)
{
	struct bench *b = *state;

	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	(void)wait_event(b, RTP_SILENT, RTP_PHONE, 1);
	(void)wait_event(b, RTP_SILENT, RTP_TWILIO, 1);
	(void)poll(NULL, 0, SILENT_MS + 100);
	assert_int_equal(count_events(b, RTP_SILENT, RTP_PHONE), 1);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 2, b->twilio.rtp);
	(void)wait_event(b, RTP_SILENT, RTP_PHONE, 2);
	assert_int_equal(count_events(b, RTP_FIRST, RTP_PHONE), 1);
}

static void a_side_without_remote_gets_nothing(void **state)
{
	struct bench *b = *state;
	struct addr nowhere = {.len = 0};
	uint8_t data[2048];

	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	assert_int_equal(
		rtp_session_remote(b->relay, SESSION, RTP_TWILIO, &nowhere, false), 0);
	say_until(b, &b->twilio, RTP_TWILIO, false);
	drain(b->twilio.rtp);
	say(&b->phone, b->ports[RTP_PHONE], 3);
	assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), 400), -1);
	assert_int_equal(count_events(b, RTP_SILENT, RTP_TWILIO), 0);
}

static void after_a_crash_the_same_ports_serve_the_same_phone(void **state)
{
	struct bench *b = *state;
	struct rtp_config config = config_of(b);
	struct addr private_addr = elsewhere();
	struct rtp_side_params again[RTP_SIDES] = {{.learn = true}, {.learn = false}};
	uint16_t ports[RTP_SIDES];

	open_session(b, &private_addr);
	for (uint8_t i = 0; i < 4; i++)
		say(&b->phone, b->ports[RTP_PHONE], i);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 4, b->twilio.rtp);
	again[RTP_PHONE].remote = wait_event(b, RTP_LATCHED, RTP_PHONE, 1).remote;
	again[RTP_PHONE].port = b->ports[RTP_PHONE];
	again[RTP_TWILIO].remote = b->twilio.addr;
	again[RTP_TWILIO].port = b->ports[RTP_TWILIO];
	rtp_relay_free(&b->relay);
	assert_int_equal(rtp_relay_new(&config, &b->relay), 0);

	assert_int_equal(rtp_session_open(b->relay, SESSION, again, ports), 0);
	assert_memory_equal(ports, b->ports, sizeof(ports));
	assert_hears_from(&b->twilio, ports[RTP_TWILIO], 5, b->phone.rtp);
	assert_hears_from(&b->phone, ports[RTP_PHONE], 6, b->twilio.rtp);
	assert_int_equal(stats_of(b, RTP_PHONE).dropped, 0);
}

static void closing_frees_the_ports_for_the_next_session(void **state)
{
	struct bench *b = *state;
	struct rtp_side_params same[RTP_SIDES] = {{.port = 0}, {.port = 0}};
	struct rtp_stats stats[RTP_SIDES];
	uint16_t ports[RTP_SIDES];

	open_session(b, &b->phone.addr);
	same[RTP_PHONE].port = b->ports[RTP_PHONE];
	same[RTP_TWILIO].port = b->ports[RTP_TWILIO];
	assert_int_equal(rtp_session_open(b->relay, SESSION, same, ports), -EEXIST);
	assert_int_equal(rtp_session_open(b->relay, 7, same, ports), -EADDRINUSE);
	for (uint64_t id = SESSION; id < SESSION + 200; id++) {
		rtp_session_close(b->relay, id);
		rtp_session_close(b->relay, id);
		assert_int_equal(rtp_session_stats(b->relay, id, stats), -ENOENT);
		assert_int_equal(
			rtp_session_remote(b->relay, id, RTP_PHONE, &b->phone.addr, true),
			-ENOENT);
		assert_int_equal(rtp_session_open(b->relay, id + 1, same, ports), 0);
		assert_memory_equal(ports, b->ports, sizeof(ports));
	}
}

/* A range of two pairs that is free at this moment. */
static uint16_t find_range(void)
{
	for (int i = 0; i < 100; i++) {
		struct addr a;
		int fd[4] = {-1, -1, -1, -1};
		uint16_t lo;
		bool ok = true;

		fd[0] = open_udp("127.0.0.1", 0, &a);
		lo = (uint16_t)((addr_port(&a) + 1) & 0xfffe);
		(void)close(fd[0]);
		for (uint16_t j = 0; j < 4; j++) {
			fd[j] = open_udp("127.0.0.1", (uint16_t)(lo + j), &a);
			ok = ok && fd[j] >= 0;
		}
		for (int j = 0; j < 4; j++)
			if (fd[j] >= 0)
				(void)close(fd[j]);
		if (ok)
			return lo;
	}
	fail_msg("no free range");
	return 0;
}

static void a_used_up_range_says_so(void **state)
{
	struct bench *b = *state;
	struct rtp_config config = config_of(b);
	struct rtp_side_params sides[RTP_SIDES] = {{.port = 0}, {.port = 0}};
	uint16_t lo = find_range(), ports[RTP_SIDES];
	struct rtp_relay *relay = NULL;

	config.port_lo = lo;
	config.port_hi = (uint16_t)(lo + 3);
	assert_int_equal(rtp_relay_new(&config, &relay), 0);
	assert_int_equal(rtp_session_open(relay, 1, sides, ports), 0);
	assert_int_equal(ports[0] + ports[1], lo + lo + 2);
	assert_int_equal(rtp_session_open(relay, 2, sides, ports), -EBUSY);
	rtp_session_close(relay, 1);
	assert_int_equal(rtp_session_open(relay, 2, sides, ports), 0);
	sides[0].port = (uint16_t)(lo + 1);
	assert_int_equal(rtp_session_open(relay, 3, sides, ports), -EINVAL);
	rtp_relay_free(&relay);
}

static void a_wrong_host_or_range_is_refused(void **state)
{
	struct bench *b = *state;
	struct rtp_config config = config_of(b);
	struct rtp_relay *relay = NULL;

	config.bind_host = "localhost";
	assert_int_equal(rtp_relay_new(&config, &relay), -EINVAL);
	config.bind_host = "127.0.0.1";
	config.port_lo = 20001;
	config.port_hi = 20002;
	assert_int_equal(rtp_relay_new(&config, &relay), -EINVAL);
	assert_null(relay);
}

static void a_dead_end_harms_nobody(void **state)
{
	struct bench *b = *state;

	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	(void)close(b->twilio.rtp);
	for (uint8_t i = 0; i < 20; i++)
		say(&b->phone, b->ports[RTP_PHONE], i);
	b->twilio.rtp =
		open_udp("127.0.0.1", addr_port(&b->twilio.addr), &b->twilio.addr);
	assert_true(b->twilio.rtp >= 0);
	for (uint8_t i = 0; i < 5; i++) {
		uint8_t data[2048];

		assert_hears_from(&b->twilio, b->ports[RTP_TWILIO], i, b->phone.rtp);
		say(&b->phone, b->ports[RTP_PHONE], i);
		assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
	}
}

int main(void)
{
#define RELAY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RELAY_TEST(packets_pass_both_ways_unchanged),
		RELAY_TEST(a_burst_passes_whole_and_in_order),
		RELAY_TEST(a_phone_behind_nat_is_learned_and_remembered),
		RELAY_TEST(a_stranger_hears_nothing_and_says_nothing),
		RELAY_TEST(twilio_is_only_its_sdp_address),
		RELAY_TEST(broken_packets_are_dropped),
		RELAY_TEST(rtcp_passes_beside_rtp),
		RELAY_TEST(rtcp_behind_nat_is_known_by_its_ssrc),
		RELAY_TEST(silence_stands_in_for_a_side_that_says_nothing),
		RELAY_TEST(silence_stops_at_once_when_sound_flows),
		RELAY_TEST(a_side_that_falls_silent_is_told_once),
		RELAY_TEST(a_side_without_remote_gets_nothing),
		RELAY_TEST(after_a_crash_the_same_ports_serve_the_same_phone),
		RELAY_TEST(closing_frees_the_ports_for_the_next_session),
		RELAY_TEST(a_used_up_range_says_so),
		RELAY_TEST(a_wrong_host_or_range_is_refused),
		RELAY_TEST(a_dead_end_harms_nobody),
	};

	return cmocka_run_group_tests_name("rtp_relay", tests, NULL, NULL);
}
