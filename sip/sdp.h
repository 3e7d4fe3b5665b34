/*
 * sdp.h: the little SDP that G.711 audio needs (RFC 8866, RFC 3264). Pure, any thread.
 */
#ifndef OMNIVOX_SIP_SDP_H
#define OMNIVOX_SIP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

struct sdp_audio {
	struct addr remote;      /* RTP; port 0: refused */
	struct addr remote_rtcp; /* a=rtcp, else RTP port + 1 */
	enum sdp_direction direction;
	bool pcmu, pcma;
	int telephone_event; /* payload type, -1: none */
};

/* Our offer or answer: PCMU, telephone-event 101, ptime 20, at host:port. -EMSGSIZE. */
int sdp_write(char *buf, size_t size, const char *host, uint16_t port, uint64_t session,
	unsigned version, enum sdp_direction direction);

/* The first audio stream. -EINVAL with broken text, -ENOENT without audio. */
int sdp_parse(const char *text, struct sdp_audio *ret_audio);

#endif
