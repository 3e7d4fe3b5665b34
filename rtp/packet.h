/*
 * packet.h: what must hold of an RTP or RTCP packet before anything else looks at it.
 * Private to this room. Pure functions, any thread. RFC 3550, 5.1 and 6.4; RFC 5761, 4.
 */
#ifndef OMNIVOX_RTP_PACKET_H
#define OMNIVOX_RTP_PACKET_H

#include <stdint.h>
#include <stddef.h>

#define RTP_SILENCE_SAMPLES 160
#define RTP_SILENCE_SIZE (12 + RTP_SILENCE_SAMPLES)

struct rtp_head {
	uint16_t seq;
	uint32_t ssrc;
};

/* -EBADMSG for runts, another version, lengths that do not fit, and RTCP. */
int rtp_packet_read(const uint8_t *data, size_t len, struct rtp_head *ret_head);

/* Walks the whole compound packet; the SSRC of its first sender. -EBADMSG. */
int rtcp_packet_read(const uint8_t *data, size_t len, uint32_t *ret_ssrc);

/* A stream of PCMU silence with an SSRC of its own. */
struct rtp_silence {
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t seq;
	int flowing; /* 0: the next packet is the first of a run and carries the marker */
};

void rtp_silence_init(struct rtp_silence *silence);

/* The next 20 ms. */
void rtp_silence_write(struct rtp_silence *silence, uint8_t ret_packet[RTP_SILENCE_SIZE]);

/* 20 ms without a packet: the stream's clock goes on (RFC 3550, 5.1), its numbers do not. */
void rtp_silence_pause(struct rtp_silence *silence);

#endif
