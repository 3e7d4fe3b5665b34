/* twiml_verbs.h: what the files share that act on TwiML. Not for others. Main loop only. */
#ifndef OMNIVOX_SANDBOX_TWIML_VERBS_H
#define OMNIVOX_SANDBOX_TWIML_VERBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/timers.h"
#include "sandbox/chance.h"
#include "sandbox/recording.h"
#include "sandbox/twiml.h"
#include "sandbox/twiml_run.h"

struct dial;

struct twiml_run {
	struct call *call;
	struct twiml *twiml;           /* NULL: not here yet */
	const struct twiml_node *next; /* verb; NULL: the end */
	const struct twiml_node *verb; /* the one that goes on; NULL: none */
	char *url;   /* of this document: relative addresses start here */
	bool callee; /* on a dialled leg that is not bridged yet */
	bool fallback_used;
	unsigned fetches;
	uint64_t ticket;    /* of the fetch that is awaited */
	struct timer pause; /* of the verb */
	struct dial *dial;  /* the legs that are called; NULL: none */
	/* Gather and Record. */
	struct buf digits;
	const char *speech;
	struct timer typing, silence;
	size_t typed;
	char recording_sid[SID_SIZE];
};

/* The next verb, or the end of the document. The run may be gone afterwards, as after all here. */
void run_next(struct twiml_run *run);
void run_go_to(struct twiml_run *run, const char *url, const char *method,
	const struct buf *extra);

/* To the verb's action with these parameters, or to the next verb. */
void run_action(
	struct twiml_run *run, const struct twiml_node *verb, const struct buf *extra);

/* The document cannot be followed: the fallback, or the end. */
void run_fail(struct twiml_run *run, int error);

/* A line in the log and in calls.jsonl. */
void run_warn(struct twiml_run *run, int code, const char *text);

/* Plays what is in `from` (a verb, or its children); `done` gets the run. */
void run_play(struct twiml_run *run, const struct twiml_node *from, bool children,
	void (*done)(void *run));
void run_stop_playing(struct twiml_run *run);

/* A verb's statusCallback, resolved; the callback's texts are the caller's. */
void run_callback(const struct twiml_run *run, const struct twiml_node *node,
	const char *name, struct callback *callback);

/* How a verb wants to be recorded. End it with recording_wish_free(). */
void run_recording_wish(const struct twiml_run *run, const struct twiml_node *node,
	struct recording_wish *wish);

/* twiml_listen.c */
void gather_begin(struct twiml_run *run, const struct twiml_node *verb);
void gather_digit(struct twiml_run *run, char digit);
void record_begin(struct twiml_run *run, const struct twiml_node *verb);
void record_digit(struct twiml_run *run, char digit);
void record_call_over(struct twiml_run *run);

/* twiml_start.c */
void start_begin(struct twiml_run *run, const struct twiml_node *verb);
void stop_begin(struct twiml_run *run, const struct twiml_node *verb);

#endif
