/*
 * tone.c: ovx-tone FILE FREQUENCY...: what can be heard in a WAV file, window by window.
 *
 * Prints for each whole 100 ms `t_ms frequency dBFS` a frequency and `t_ms total dBFS`. 0 dBFS
 * is the loudest sine, so a pure tone has the same level in both lines. Mono, any rate, 16 bit
 * or float; a file whose writer was killed before it could mend the header is read to its end.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOWS_A_SECOND 10
#define FLOOR_DB (-120.0)
#define FORMAT_PCM 1
#define FORMAT_FLOAT 3
#define FORMAT_EXTENSIBLE 0xfffe

struct wav {
	unsigned char *file;
	size_t len;
	unsigned format, channels, rate, bits;
	const unsigned char *data;
	size_t data_len;
};

static unsigned get_16(const unsigned char *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t get_32(const unsigned char *p)
{
	return get_16(p) | (uint32_t)get_16(p + 2) << 16;
}

static bool read_all(const char *path, struct wav *wav)
{
	FILE *f = fopen(path, "rb");
	bool done = false;
	long len;

	if (f == NULL)
		return false;
	if (fseek(f, 0, SEEK_END) == 0 && (len = ftell(f)) > 0 &&
		fseek(f, 0, SEEK_SET) == 0) {
		wav->len = (size_t)len;
		wav->file = malloc(wav->len);
		done = wav->file != NULL && fread(wav->file, 1, wav->len, f) == wav->len;
	}
	(void)fclose(f);
	return done;
}

static void take_format(struct wav *wav, const unsigned char *chunk, size_t size)
{
	if (size < 16)
		return;
	wav->format = get_16(chunk);
	wav->channels = get_16(chunk + 2);
	wav->rate = get_32(chunk + 4);
	wav->bits = get_16(chunk + 14);
	if (wav->format == FORMAT_EXTENSIBLE && size >= 26)
		wav->format = get_16(chunk + 24);
}

static bool parse(struct wav *wav)
{
	size_t at = 12;

	if (wav->len < 12 || memcmp(wav->file, "RIFF", 4) != 0 ||
		memcmp(wav->file + 8, "WAVE", 4) != 0)
		return false;
	while (wav->len - at >= 8) {
		const unsigned char *chunk = wav->file + at;
		size_t size = get_32(chunk + 4), left = wav->len - at - 8;
		bool is_data = memcmp(chunk, "data", 4) == 0;

		if (size > left || (is_data && size == 0))
			size = left;
		if (is_data) {
			wav->data = chunk + 8;
			wav->data_len = size;
			break;
		}
		if (memcmp(chunk, "fmt ", 4) == 0)
			take_format(wav, chunk + 8, size);
		at += 8 + size;
		at += size % 2 != 0 && at < wav->len;
	}
	return wav->data != NULL && wav->channels == 1 && wav->rate >= WINDOWS_A_SECOND &&
	       ((wav->format == FORMAT_PCM && wav->bits == 16) ||
		       (wav->format == FORMAT_FLOAT && wav->bits == 32));
}

/* -1 to 1. */
static double sample_at(const struct wav *wav, size_t i)
{
	uint32_t bits;
	float value;

	if (wav->format == FORMAT_PCM)
		return (int16_t)get_16(wav->data + 2 * i) / 32768.0;
	bits = get_32(wav->data + 4 * i);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static double decibel(double amplitude)
{
	double db = amplitude > 0 ? 20 * log10(amplitude) : FLOOR_DB;

	return db > FLOOR_DB ? db : FLOOR_DB;
}

/* Goertzel under a Hann window, so that a tone beside a bin does not spill into others. */
static double tone_level(const double *window, size_t count, double turns_a_sample)
{
	double coefficient = 2 * cos(2 * M_PI * turns_a_sample), s1 = 0, s2 = 0;

	for (size_t i = 0; i < count; i++) {
		double hann = 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)count);
		double s0 = window[i] * hann + coefficient * s1 - s2;

		s2 = s1;
		s1 = s0;
	}
	/* Half of the samples' weight is left by the window, and half of that is the tone's. */
	return decibel(sqrt(fabs(s1 * s1 + s2 * s2 - coefficient * s1 * s2)) /
		       ((double)count / 4));
}

static double total_level(const double *window, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += window[i] * window[i];
	return decibel(sqrt(2 * sum / (double)count));
}

static void print_window(
	const struct wav *wav, const double *window, size_t t_ms, char **frequencies)
{
	size_t count = wav->rate / WINDOWS_A_SECOND;

	for (char **f = frequencies; *f != NULL; f++)
		(void)printf("%zu %s %.1f\n", t_ms, *f,
			tone_level(window, count, atof(*f) / wav->rate));
	(void)printf("%zu total %.1f\n", t_ms, total_level(window, count));
}

static bool print_levels(const struct wav *wav, char **frequencies)
{
	size_t count = wav->rate / WINDOWS_A_SECOND;
	size_t samples = wav->data_len / (wav->bits / 8);
	double *window = calloc(count, sizeof(*window));

	if (window == NULL)
		return false;
	for (size_t at = 0; samples - at >= count; at += count) {
		for (size_t i = 0; i < count; i++)
			window[i] = sample_at(wav, at + i);
		print_window(
			wav, window, at / count * 1000 / WINDOWS_A_SECOND, frequencies);
	}
	free(window);
	return true;
}

int main(int argc, char **argv)
{
	struct wav wav = {0};
	int status = 2;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: ovx-tone FILE.wav [FREQUENCY...]\n");
		return status;
	}
	errno = 0;
	if (!read_all(argv[1], &wav))
		(void)fprintf(
			stderr, "%s: %s\n", argv[1], errno ? strerror(errno) : "empty");
	else if (!parse(&wav))
		(void)fprintf(stderr, "%s: not a mono WAV of 16 bit or float\n", argv[1]);
	else if (print_levels(&wav, argv + 2))
		status = 0;
	free(wav.file);
	return status;
}
