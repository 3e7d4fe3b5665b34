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

/* Embedded in its owner; start with all zero and set the callbacks. */
struct mixer_port {
	/* What this port says in the next 20 ms; NULL: nothing. */
	void (*read)(struct mixer_port *port, int16_t frame[SOUND_FRAME]);
	/* What it hears; NULL: nobody listens. */
	void (*write)(struct mixer_port *port, const int16_t frame[SOUND_FRAME]);
	bool muted;              /* is not heard */
	bool held;               /* neither heard nor hears */
	struct list node;        /* the mixer's */
	struct mixer_room *room; /* the mixer's; NULL: in none */
};

/* Ticks by the loop's own timer from the first join on. */
int mixer_new(struct mixer **ret_mixer);
void mixer_free(struct mixer **mixer);

/* Joins the room of that name, leaving any other. -ENOMEM. */
int mixer_join(struct mixer *mixer, const char *room, struct mixer_port *port);
void mixer_leave(struct mixer_port *port); /* harmless when in no room */

/* Everything mixed becomes silence: for proving that the sound tests can fail. */
void mixer_set_silent(struct mixer *mixer, bool silent);

#endif
