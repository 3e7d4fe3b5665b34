/*
 * sound.h: what a simulated customer says and hears: tones, WAV files, recordings.
 *
 * 8 kHz, mono, 16 bit, frames of 20 ms. Main loop only.
 */
#ifndef OMNIVOX_SANDBOX_SOUND_H
#define OMNIVOX_SANDBOX_SOUND_H

#include <stddef.h>
#include <stdint.h>

#define SOUND_RATE 8000
#define SOUND_FRAME 160 /* samples in 20 ms */

struct sound_source;
struct sound_sink;

/*
 * `spec`: "tone:440", "music:262" (the same, softly), "silence", or the path of a WAV file
 * (8 kHz, mono, 16 bit), played again from its start when it ends. -EINVAL, -ENOENT.
 */
int sound_source_new(const char *spec, struct sound_source **ret_source);

/* The same of a WAV file in memory. */
int sound_source_parse(const void *wav, size_t len, struct sound_source **ret_source);
int64_t sound_source_ms(const struct sound_source *source); /* until it starts again */
void sound_source_free(struct sound_source **source);
void sound_source_read(struct sound_source *source, int16_t frame[SOUND_FRAME]);

/*
 * Writes a WAV file of 1 or 2 channels that is valid after every 200 ms, also when the program
 * is killed.
 */
int sound_sink_new(const char *path, unsigned channels, struct sound_sink **ret_sink);
void sound_sink_free(struct sound_sink **sink);
void sound_sink_write(struct sound_sink *sink, const int16_t frame[SOUND_FRAME]);
void sound_sink_write_pair(struct sound_sink *sink, const int16_t left[SOUND_FRAME],
	const int16_t right[SOUND_FRAME]); /* 2 channels */

/* Keeps only the first `frames` (of 20 ms); what is written later follows them. */
void sound_sink_cut(struct sound_sink *sink, size_t frames);

#endif
