/*
 * sip_name.h: the address of our SIP domain at Twilio. A name server that does not answer holds
 * who asks it for tens of seconds: it is asked on a thread of its own, one question at a time, and
 * what it said last is good while it says nothing.
 */
#ifndef OMNIVOX_GATEWAY_SIP_NAME_H
#define OMNIVOX_GATEWAY_SIP_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/jobs.h"
#include "gateway/gateway.h"

/* What is known of the one name that is asked for; all zero at first but `lookup`. */
struct sip_name {
	/* Blocks; "host" or "host:port" to a numeric address, or a negative errno. */
	int (*lookup)(const char *host, char ret_next_hop[ADDR_TEXT_SIZE]);
	char host[256];
	char next_hop[ADDR_TEXT_SIZE]; /* "": never known */
	int err;                       /* of the last question */
	int64_t asked_ms;              /* when its answer came; 0: never */
};

/*
 * On the thread that owns `name`. Asks when the last answer is a minute old, or 2 s if there has
 * never been an address; else, and when nobody answers, says what is known.
 */
int sip_name_find(
	struct sip_name *name, const char *host, char ret_next_hop[ADDR_TEXT_SIZE]);

/* The thread: the ctx of its jobs is a struct sip_name. They are answered on the loop. */
int sip_names_new(struct gateway *gw, struct jobs **ret_names);

#endif
