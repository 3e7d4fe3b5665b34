/*
 * media.h: the sound of one SIP call: its SDP, its RTP both ways, and its port at the mixer.
 *
 * Main loop only.
 */
#ifndef OMNIVOX_SANDBOX_MEDIA_H
#define OMNIVOX_SANDBOX_MEDIA_H

#include <stdint.h>

#include "sandbox/libre.h"
#include "sandbox/mixer.h"

struct media;

/* Opens RTP at the host of `local`. Negative errno when no port is free. */
int media_new(const struct sa *local, struct media **ret_media);
void media_free(struct media **media); /* leaves its room */

/* -EINVAL when there is no sound in it that we can speak (PCMU or PCMA over RTP/AVP). */
int media_take_offer(struct media *media, struct mbuf *sdp);
int media_take_answer(struct media *media, struct mbuf *sdp);

/* SDP that the caller frees with mem_deref. The offer is for a re-INVITE without one. */
int media_make_answer(struct media *media, struct mbuf **ret_sdp);
int media_make_offer(struct media *media, struct mbuf **ret_sdp);

/* From now on it sends, and counts how long nothing came. */
void media_start(struct media *media);

/* To be called every 20 ms: sends silence while in no room. */
void media_tick(struct media *media);

/* Since the last packet, or since the start; 0 before. */
int64_t media_quiet_ms(const struct media *media);

/* The next key that the peer has pressed (RFC 4733); 0: none. */
char media_take_key(struct media *media);

struct mixer_port *media_port(struct media *media);

#endif
