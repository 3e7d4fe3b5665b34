/*
 * sound.c: a source is an array of samples played round and round; a sink is a WAV file.
 *
 * A tone of a whole number of hertz repeats within one second, so it is such an array too.
 */
#include "config.h"

#include "sandbox/sound.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define TONE_PEAK 10362.0 /* a sine of -10 dB against the loudest one */
#define MUSIC_PEAK 2000.0
#define WAV_HEADER 44
#define BATCH (SOUND_FRAME * 2 * 10) /* bytes that are written at once: 200 ms */
#define WAV_LARGEST (16L << 20)      /* 17 minutes */

struct sound_source {
	size_t count; /* 0: silence */
	size_t next;
	int16_t samples[];
};

struct sound_sink {
	int fd;
	unsigned channels;
	size_t written; /* bytes of sound in the file */
	size_t waiting; /* bytes in `batch` */
	uint8_t batch[BATCH];
};

static unsigned get_16(const uint8_t *p)
{
	return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static uint32_t get_32(const uint8_t *p)
{
	return get_16(p) | (uint32_t)get_16(p + 2) << 16;
}

static void put_16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static void put_32(uint8_t *p, uint32_t value)
{
	put_16(p, value & 0xffff);
	put_16(p + 2, value >> 16);
}

static int source_alloc(size_t count, struct sound_source **ret_source)
{
	struct sound_source *source;

	source = calloc(1, sizeof(*source) + count * sizeof(source->samples[0]));
	if (source == NULL)
		return -ENOMEM;
	source->count = count;
	*ret_source = source;
	return 0;
}

static int tone_new(const char *hertz, double peak, struct sound_source **ret_source)
{
	struct sound_source *source;
	int64_t frequency;
	int err;

	if (text_int(hertz, 1, SOUND_RATE / 2 - 1, &frequency) < 0)
		return -EINVAL;
	err = source_alloc(SOUND_RATE, &source);
	if (err < 0)
		return err;
	for (size_t i = 0; i < source->count; i++) {
		double turns = (double)frequency * (double)i / SOUND_RATE;

		source->samples[i] = (int16_t)lrint(peak * sin(2 * M_PI * turns));
	}
	*ret_source = source;
	return 0;
}

/* The chunk of that name inside a RIFF file; NULL when missing or cut off. */
static const uint8_t *wav_chunk(
	const uint8_t *wav, size_t len, const char *name, size_t *ret_size)
{
	size_t at = 12;

	while (len - at >= 8) {
		size_t size = get_32(wav + at + 4);
		bool found = memcmp(wav + at, name, 4) == 0;

		at += 8;
		if (size > len - at)
			return NULL;
		if (found) {
			*ret_size = size;
			return wav + at;
		}
		size += size & 1; /* chunks are padded to even */
		if (size > len - at)
			return NULL;
		at += size;
	}
	return NULL;
}

static int wav_parse(const uint8_t *wav, size_t len, struct sound_source **ret_source)
{
	const uint8_t *format, *data;
	struct sound_source *source;
	size_t format_size, size;
	int err;

	if (len < WAV_HEADER || memcmp(wav, "RIFF", 4) != 0 ||
		memcmp(wav + 8, "WAVE", 4) != 0)
		return -EINVAL;
	format = wav_chunk(wav, len, "fmt ", &format_size);
	if (format == NULL || format_size < 16 || get_16(format) != 1 /* PCM */ ||
		get_16(format + 2) != 1 /* channel */ ||
		get_32(format + 4) != SOUND_RATE || get_16(format + 14) != 16 /* bits */)
		return -EINVAL;
	data = wav_chunk(wav, len, "data", &size);
	if (data == NULL || size < 2 || size % 2 != 0)
		return -EINVAL;
	err = source_alloc(size / 2, &source);
	if (err < 0)
		return err;
	for (size_t i = 0; i < source->count; i++)
		source->samples[i] = (int16_t)get_16(data + 2 * i);
	*ret_source = source;
	return 0;
}

static int file_read(int fd, uint8_t *data, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(fd, data + have, len - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EINVAL; /* became shorter while it was read */
		have += (size_t)n;
	}
	return 0;
}

static int wav_new(const char *path, struct sound_source **ret_source)
{
	uint8_t *wav = NULL;
	struct stat st;
	int err, fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < WAV_HEADER || st.st_size > WAV_LARGEST) {
		err = -EINVAL;
		goto out;
	}
	wav = malloc((size_t)st.st_size);
	if (wav == NULL) {
		err = -ENOMEM;
		goto out;
	}
	err = file_read(fd, wav, (size_t)st.st_size);
	if (err == 0)
		err = wav_parse(wav, (size_t)st.st_size, ret_source);
out:
	free(wav);
	(void)close(fd);
	return err;
}

int sound_source_new(const char *spec, struct sound_source **ret_source)
{
	if (strcmp(spec, "silence") == 0)
		return source_alloc(0, ret_source);
	if (strncmp(spec, "tone:", 5) == 0)
		return tone_new(spec + 5, TONE_PEAK, ret_source);
	if (strncmp(spec, "music:", 6) == 0)
		return tone_new(spec + 6, MUSIC_PEAK, ret_source);
	return wav_new(spec, ret_source);
}

int sound_source_parse(const void *wav, size_t len, struct sound_source **ret_source)
{
	return wav_parse(wav, len, ret_source);
}

int64_t sound_source_ms(const struct sound_source *source)
{
	return (int64_t)source->count * 1000 / SOUND_RATE;
}

void sound_source_free(struct sound_source **source)
{
	free(*source);
	*source = NULL;
}

void sound_source_read(struct sound_source *source, int16_t frame[SOUND_FRAME])
{
	if (source->count == 0) {
		memset(frame, 0, SOUND_FRAME * sizeof(frame[0]));
		return;
	}
	for (size_t i = 0; i < SOUND_FRAME; i++) {
		frame[i] = source->samples[source->next];
		if (++source->next == source->count)
			source->next = 0;
	}
}

static int write_at(int fd, const uint8_t *data, size_t len, size_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
		at += (size_t)n;
	}
	return 0;
}

static int write_header(const struct sound_sink *sink)
{
	uint8_t h[WAV_HEADER];

	memcpy(h, "RIFF....WAVEfmt ", 16);
	put_32(h + 4, (uint32_t)(WAV_HEADER - 8 + sink->written));
	put_32(h + 16, 16);
	put_16(h + 20, 1); /* PCM */
	put_16(h + 22, sink->channels);
	put_32(h + 24, SOUND_RATE);
	put_32(h + 28, SOUND_RATE * 2 * sink->channels);
	put_16(h + 32, 2 * sink->channels); /* bytes a moment */
	put_16(h + 34, 16);                 /* bits */
	memcpy(h + 36, "data", 4);
	put_32(h + 40, (uint32_t)sink->written);
	return write_at(sink->fd, h, sizeof(h), 0);
}

/* The sound first, then the header that admits it: what is on disk is always valid. */
static void sink_flush(struct sound_sink *sink)
{
	if (sink->waiting == 0)
		return;
	if (write_at(sink->fd, sink->batch, sink->waiting, WAV_HEADER + sink->written) ==
		0) {
		sink->written += sink->waiting;
		(void)write_header(sink);
	}
	/* A full disk costs this part of the recording, not the call. */
	sink->waiting = 0;
}

int sound_sink_new(const char *path, unsigned channels, struct sound_sink **ret_sink)
{
	struct sound_sink *sink = calloc(1, sizeof(*sink));
	int err;

	if (sink == NULL)
		return -ENOMEM;
	sink->channels = channels;
	sink->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (sink->fd < 0) {
		err = -errno;
		goto out;
	}
	err = write_header(sink);
	if (err == 0) {
		*ret_sink = sink;
		sink = NULL;
	}
out:
	sound_sink_free(&sink);
	return err;
}

void sound_sink_free(struct sound_sink **sink)
{
	if (*sink == NULL)
		return;
	if ((*sink)->fd >= 0) {
		sink_flush(*sink);
		(void)close((*sink)->fd);
	}
	free(*sink);
	*sink = NULL;
}

void sound_sink_write(struct sound_sink *sink, const int16_t frame[SOUND_FRAME])
{
	for (size_t i = 0; i < SOUND_FRAME; i++)
		put_16(sink->batch + sink->waiting + 2 * i, (uint16_t)frame[i]);
	sink->waiting += SOUND_FRAME * 2;
	if (sink->waiting == sizeof(sink->batch))
		sink_flush(sink);
}

void sound_sink_write_pair(struct sound_sink *sink, const int16_t left[SOUND_FRAME],
	const int16_t right[SOUND_FRAME])
{
	for (size_t i = 0; i < SOUND_FRAME; i++) {
		put_16(sink->batch + sink->waiting + 4 * i, (uint16_t)left[i]);
		put_16(sink->batch + sink->waiting + 4 * i + 2, (uint16_t)right[i]);
	}
	sink->waiting += SOUND_FRAME * 4;
	if (sink->waiting == sizeof(sink->batch))
		sink_flush(sink);
}

void sound_sink_cut(struct sound_sink *sink, size_t frames)
{
	size_t bytes = frames * SOUND_FRAME * 2 * sink->channels;

	sink_flush(sink);
	if (bytes >= sink->written)
		return;
	sink->written = bytes;
	(void)write_header(sink);
	/* Players believe the header; the tail is only waste. */
	(void)!ftruncate(sink->fd, (off_t)(WAV_HEADER + bytes));
}
