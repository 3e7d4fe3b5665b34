/* binding.h: what a REGISTER asks for, judged by RFC 3261 10.3 before anybody stores it. */
#ifndef OMNIVOX_SIP_BINDING_H
#define OMNIVOX_SIP_BINDING_H

#include "sip/room.h"

/*
 * Fills everything but `user` and `source`. Returns 0, or the status to refuse with: 400, 403
 * for a contact that is ourselves, 423 for less than the shortest time. Without a Contact (a
 * query) `contact` is "".
 */
int binding_read(
	const struct sip_edge *edge, const sip_t *sip, struct sip_binding *ret_binding);

#endif
