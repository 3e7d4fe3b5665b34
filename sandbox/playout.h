/*
 * playout.h: received sound waits here until the mixer wants it, so that packets may be late.
 *
 * No memory of its own beyond the struct. Main loop only.
 */
#ifndef OMNIVOX_SANDBOX_PLAYOUT_H
#define OMNIVOX_SANDBOX_PLAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/sound.h"

#define PLAYOUT_FRAMES 10 /* the longest wait; older sound is dropped */

/* Embedded in its owner; start with all zero. */
struct playout {
	int16_t samples[PLAYOUT_FRAMES * SOUND_FRAME];
	size_t first;
	size_t count;
	bool playing; /* false: gathers two frames first */
};

void playout_put(struct playout *playout, int16_t sample);

/* The next 20 ms; silence while there is not enough. */
void playout_take(struct playout *playout, int16_t frame[SOUND_FRAME]);

#endif
