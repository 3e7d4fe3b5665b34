/*
 * announcer.h: what a URL says to a conference, to one who is held, or to one who waits: a
 * document of Play, Say, Pause and Redirect, or sound itself. Main loop only.
 *
 * Source: twilio.com/docs/voice/api/conference-participant-resource (HoldUrl, AnnounceUrl),
 * voice/twiml/conference (waitUrl).
 */
#ifndef OMNIVOX_SANDBOX_ANNOUNCER_H
#define OMNIVOX_SANDBOX_ANNOUNCER_H

#include <stdbool.h>

struct announcer;
struct buf;
struct call;
struct mixer_port;
struct sandbox;

#define ANNOUNCER_LEAVE (-1)

/* Texts borrowed for the call. */
struct announcer_config {
	const char *url; /* NULL: Twilio's own music */
	const char *method;
	const struct call *call; /* whose parameters are sent; NULL: `form` only */
	const struct buf *form;  /* more parameters; NULL: none */
	bool endless;            /* begins again at the end */
	bool may_leave;          /* Leave ends it, with ANNOUNCER_LEAVE */
	/* Over: 0, or the error (11200, 13238, ...). May free it. NULL: nobody asks. */
	void (*done)(void *arg, int error);
	void *arg;
};

struct announcer *announcer_new(
	struct sandbox *sandbox, const struct announcer_config *config);
void announcer_free(struct announcer **announcer);

/* As player_place(). */
void announcer_place(
	struct announcer *announcer, const char *room, const struct mixer_port *only);

#endif
