/*
 * mixer.h: conferences that really mix: each port hears the sum of the others, every 20 ms.
 *
 * Main loop only. A port is in at most one room. A room exists while it has ports.
 */
#ifndef OMNIVOX_SANDBOX_MIXER_H
#define OMNIVOX_SANDBOX_MIXER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "sandbox/sound.h"

struct mixer;
struct mixer_room;

/* An ear at one port, for recordings. Start with all zero and set `frame`. */
struct mixer_tap {
	/*
	 * Every 20 ms while the port is in a room: what it said, muted or not, and what it
	 * heard. May not move ports.
	 */
	void (*frame)(struct mixer_tap *tap, const int16_t said[SOUND_FRAME],
		const int16_t heard[SOUND_FRAME]);
	struct mixer_tap *next; /* the mixer's, as all below */
	int16_t said[SOUND_FRAME];
};

/* Embedded in its owner; start with all zero and set the callbacks. */
struct mixer_port {
	/* What this port says in the next 20 ms; NULL: nothing. */
	void (*read)(struct mixer_port *port, int16_t frame[SOUND_FRAME]);
	/* What it hears; NULL: nobody listens. */
	void (*write)(struct mixer_port *port, const int16_t frame[SOUND_FRAME]);
	bool muted; /* is not heard */
	bool held;  /* hears nothing and is not heard, but for what is for it only */
	/* Who alone hears it: a coach, an announcement to one. NULL: everybody. Not followed. */
	const struct mixer_port *only;
	struct mixer_tap *taps;
	struct list node;        /* the mixer's */
	struct mixer_room *room; /* the mixer's; NULL: in none */
};

/* Ticks by the loop's own timer from the first join on. */
int mixer_new(struct mixer **ret_mixer);
void mixer_free(struct mixer **mixer);

/* Joins the room of that name, leaving any other. -ENOMEM. */
int mixer_join(struct mixer *mixer, const char *room, struct mixer_port *port);
void mixer_leave(struct mixer_port *port); /* harmless when in no room */

/* The tap is the caller's and stays with the port wherever that goes. */
void mixer_tap(struct mixer_port *port, struct mixer_tap *tap);
void mixer_untap(struct mixer_port *port, struct mixer_tap *tap); /* harmless twice */

/* Everything mixed becomes silence: for proving that the sound tests can fail. */
void mixer_set_silent(struct mixer *mixer, bool silent);

#endif
