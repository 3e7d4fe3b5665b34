/*
 * amd.h: answering machine detection: what it would say about a customer, and when. Main loop
 * only. Source: twilio.com/docs/voice/answering-machine-detection.
 */
#ifndef OMNIVOX_SANDBOX_AMD_H
#define OMNIVOX_SANDBOX_AMD_H

#include <stdbool.h>

#include "base/timers.h"

struct call;

/* A part of struct call; texts owned. */
struct amd {
	bool on, to_the_end; /* Enable; DetectMessageEnd */
	bool asynchronous;
	int64_t timeout_ms, speech_ms, speech_end_ms, silence_ms; /* amd_init() */
	char *callback_url, *callback_method;
	const char *answered_by; /* NULL: not known yet */
	const char *verdict;     /* what it is going to be */
	long duration_ms;
	struct timer timer;
	void (*decided)(struct call *call); /* may be NULL */
};

/* The documented defaults. */
void amd_init(struct amd *amd);

/* On answer. When it has decided: `answered_by` is set, the callback sent, decided() called. */
void amd_start(struct call *call, void (*decided)(struct call *call));
void amd_stop(struct call *call);

#endif
