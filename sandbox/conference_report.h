/* conference_report.h: the conference's status callback. Main loop only. */
#ifndef OMNIVOX_SANDBOX_CONFERENCE_REPORT_H
#define OMNIVOX_SANDBOX_CONFERENCE_REPORT_H

#include "sandbox/conference.h"

/* What there is to tell; what is not given is NULL. */
struct happening {
	unsigned event;                        /* enum conference_event */
	const char *name;                      /* StatusCallbackEvent */
	const struct participant *participant; /* NULL: the conference itself */
	const char *left;                      /* ReasonParticipantLeft */
	const char *announce_url;              /* of announcement-end and -fail */
	const char *why;                       /* ReasonAnnouncementFailed */
};

/* Tells the callback, where the event is asked for. */
void conference_report(struct conference *conference, const struct happening *happening);

#endif
