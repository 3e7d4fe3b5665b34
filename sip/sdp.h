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

/*
 * The first audio stream over plain RTP. -EINVAL with broken text or a host that is a name,
 * -ENOENT without such audio. An address 0.0.0.0 means hold (RFC 2543) and reads as sendonly.
 */
int sdp_parse(const char *text, struct sdp_audio *ret_audio);

/*
 * Our answer to `offer`, from the address and session of `local`, our last text: PCMU, their
 * telephone-event, their direction mirrored, other streams refused. -EINVAL for broken text,
 * -ENOTSUP without common audio (488), -EMSGSIZE.
 */
int sdp_answer(const char *offer, const char *local, char *buf, size_t size);

/* Our next offer after `local`: the same address, one version on. */
int sdp_reoffer(const char *local, enum sdp_direction direction, char *buf, size_t size);

#endif
