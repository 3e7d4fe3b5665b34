/* playout.c: a ring of samples that forgets its oldest when full. */
#include "config.h"

#include "sandbox/playout.h"

#include <string.h>

#define RING (PLAYOUT_FRAMES * SOUND_FRAME)
#define GATHER (2 * SOUND_FRAME) /* one packet may be 20 ms late without being heard */

void playout_put(struct playout *playout, int16_t sample)
{
	if (playout->count == RING) {
		playout->first = (playout->first + 1) % RING;
		playout->count--;
	}
	playout->samples[(playout->first + playout->count) % RING] = sample;
	playout->count++;
}

void playout_take(struct playout *playout, int16_t frame[SOUND_FRAME])
{
	size_t enough = playout->playing ? SOUND_FRAME : GATHER;

	playout->playing = playout->count >= enough;
	if (!playout->playing) {
		memset(frame, 0, SOUND_FRAME * sizeof(frame[0]));
		return;
	}
	for (size_t i = 0; i < SOUND_FRAME; i++)
		frame[i] = playout->samples[(playout->first + i) % RING];
	playout->first = (playout->first + SOUND_FRAME) % RING;
	playout->count -= SOUND_FRAME;
}
