/*
 * calllog.h: calls.jsonl, what truly happened, one line per event: the judge of "no queue entry
 * is dialled twice". Main loop only.
 *
 * A line is one write(2) at the event's moment; a kill leaves whole lines.
 */
#ifndef OMNIVOX_SANDBOX_CALLLOG_H
#define OMNIVOX_SANDBOX_CALLLOG_H

#include <stdint.h>

struct calllog;

/* Absent texts are NULL and written as null; http_status 0 too. All borrowed. */
struct calllog_line {
	const char *
		event; /* create queued initiated ringing answered twiml webhook join leave
			      ended cancel warning */
	const char *call_sid, *parent_sid, *to, *from, *status, *url, *status_callback;
	int http_status;
	const char *conference; /* friendly name */
	const char *fault, *amd;
	int error; /* of a warning: Twilio's number; 0: this and the next are left out */
	const char *detail;
};

/* Appends to `path`; the running number `n` goes on after the last line. -errno. */
int calllog_new(const char *path, struct calllog **ret_log);
void calllog_free(struct calllog **log);

void calllog_write(struct calllog *log, const struct calllog_line *line);
int64_t calllog_count(const struct calllog *log); /* lines so far, of earlier runs too */

#endif
