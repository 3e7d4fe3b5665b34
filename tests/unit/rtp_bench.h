/* rtp_bench.h: a relay between two RTP endpoints on real sockets, and what it tells. */
#ifndef OMNIVOX_TESTS_UNIT_RTP_BENCH_H
#define OMNIVOX_TESTS_UNIT_RTP_BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* For the set-up and tear-down of each test, whose state is a struct bench. */
int rtp_bench_open(void **state);
int rtp_bench_close(void **state);

/* What the bench's relay was made with. */
struct rtp_config config_of(struct bench *b);

/* Both remotes known, the phone learning. `phone_sdp` may be a lie, as behind NAT. */
void open_session(struct bench *b, const struct addr *phone_sdp);

/* An address where nobody listens: the port answers with ICMP, too. */
struct addr elsewhere(void);

/* ---- endpoints ---- */

/* A bound socket, or -1 when the port is taken. */
int open_udp(const char *host, uint16_t port, struct addr *ret_addr);
void peer_open(struct peer *p, const char *host, uint32_t ssrc);
void peer_close(struct peer *p);

void send_to(int fd, uint16_t port, const void *data, size_t len);
/* The next packet of its stream; `fill` makes it recognisable. */
void make_rtp(struct peer *p, uint8_t fill, uint8_t packet[172]);
void say(struct peer *p, uint16_t port, uint8_t fill);
/* A new remote reaches the rtp thread as a post: speaks until it is heard, or dropped. */
void say_until(struct bench *b, struct peer *p, enum rtp_side side, bool heard);

/* The next packet within `ms`, or -1. */
ssize_t hear(int fd, uint8_t *data, size_t size, int ms);
void drain(int fd);
bool is_silence(const uint8_t *data, ssize_t len);
/* The next packet that is not the relay's silence, byte for byte. */
void assert_hears(int fd, const void *want, size_t want_len);
/* What `from` says next comes out at `fd`. */
void assert_hears_from(struct peer *from, uint16_t port, uint8_t fill, int fd);

/* ---- what the relay tells ---- */

/* `nth` events of that kind and side have come; a copy of the newest. */
struct rtp_event wait_event(
	struct bench *b, enum rtp_event_kind kind, enum rtp_side side, size_t nth);
size_t count_events(struct bench *b, enum rtp_event_kind kind, enum rtp_side side);
struct rtp_stats stats_of(struct bench *b, enum rtp_side side);
/* Everything that was sent before has been judged once `side` has dropped `count`. */
void wait_dropped(struct bench *b, enum rtp_side side, uint64_t count);

#endif
