/* test_sound.c: what simulated customers say, and the recording of what they hear. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sandbox/g711.h"
#include "sandbox/playout.h"
#include "sandbox/sound.h"

static char file[] = "/tmp/ovx-sound-XXXXXX";

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(file + strlen(file) - 6, "XXXXXX");
	fd = mkstemp(file);
	if (fd < 0)
		return -1;
	return close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

/* The level of one frequency in a second of sound, against the loudest sine. */
static double level(const int16_t *samples, double frequency)
{
	double coefficient = 2 * cos(2 * M_PI * frequency / SOUND_RATE), s1 = 0, s2 = 0;

	for (int i = 0; i < SOUND_RATE; i++) {
		double s0 = samples[i] + coefficient * s1 - s2;

		s2 = s1;
		s1 = s0;
	}
	return 20 * log10(sqrt(s1 * s1 + s2 * s2 - coefficient * s1 * s2) /
			    (SOUND_RATE / 2.0) / INT16_MAX);
}

static void test_a_tone_has_its_pitch_and_minus_ten_decibel(void **state)
{
	struct sound_source *source;
	int16_t second[SOUND_RATE];

	(void)state;
	assert_int_equal(sound_source_new("tone:440", &source), 0);
	/* Not from its start, so that a seam between two rounds would be heard. */
	for (int i = 0; i < 37; i++)
		sound_source_read(source, second);
	for (int i = 0; i < SOUND_RATE; i += SOUND_FRAME)
		sound_source_read(source, second + i);
	assert_true(fabs(level(second, 440) + 10) < 0.1);
	assert_true(level(second, 445) < -60);
	sound_source_free(&source);
	sound_source_free(&source);
}

static void test_silence_is_silent(void **state)
{
	struct sound_source *source;
	int16_t frame[SOUND_FRAME];

	(void)state;
	memset(frame, 1, sizeof(frame));
	assert_int_equal(sound_source_new("silence", &source), 0);
	sound_source_read(source, frame);
	for (int i = 0; i < SOUND_FRAME; i++)
		assert_int_equal(frame[i], 0);
	sound_source_free(&source);
}

static void test_a_wrong_tone_or_a_missing_file_is_refused(void **state)
{
	struct sound_source *source = NULL;

	(void)state;
	assert_int_equal(sound_source_new("tone:", &source), -EINVAL);
	assert_int_equal(sound_source_new("tone:4000", &source), -EINVAL);
	assert_int_equal(sound_source_new("tone:-1", &source), -EINVAL);
	assert_int_equal(sound_source_new("tone:440Hz", &source), -EINVAL);
	assert_int_equal(sound_source_new("/nowhere/at/all.wav", &source), -ENOENT);
	assert_int_equal(sound_source_new("/tmp", &source), -EINVAL);
	assert_null(source);
}

static void write_frames(struct sound_sink *sink, int count)
{
	int16_t frame[SOUND_FRAME];

	for (int n = 0; n < count; n++) {
		for (int i = 0; i < SOUND_FRAME; i++)
			frame[i] = (int16_t)(n * 100 - i);
		sound_sink_write(sink, frame);
	}
}

static void test_a_recording_is_played_back_and_then_again(void **state)
{
	struct sound_sink *sink;
	struct sound_source *source;
	int16_t frame[SOUND_FRAME];

	(void)state;
	assert_int_equal(sound_sink_new(file, 1, &sink), 0);
	write_frames(sink, 60);
	sound_sink_free(&sink);
	sound_sink_free(&sink);
	assert_int_equal(sound_source_new(file, &source), 0);
	for (int n = 0; n < 120; n++) {
		sound_source_read(source, frame);
		for (int i = 0; i < SOUND_FRAME; i++)
			assert_int_equal(frame[i], n % 60 * 100 - i);
	}
	sound_source_free(&source);
}

static void test_a_recording_is_valid_while_it_is_being_written(void **state)
{
	struct sound_sink *sink;
	struct sound_source *source;
	int16_t frame[SOUND_FRAME];

	(void)state;
	assert_int_equal(sound_sink_new(file, 1, &sink), 0);
	write_frames(sink, 149);
	assert_int_equal(sound_source_new(file, &source), 0);
	for (int n = 0; n < 140; n++)
		sound_source_read(source, frame);
	assert_int_equal(frame[0], 13900);
	sound_source_read(source, frame); /* 2.8 seconds were there: from the start */
	assert_int_equal(frame[0], 0);
	sound_source_free(&source);
	sound_sink_free(&sink);
}

static void test_an_unwritable_recording_is_refused(void **state)
{
	struct sound_sink *sink = NULL;

	(void)state;
	assert_int_equal(sound_sink_new("/nowhere/at/all.wav", 1, &sink), -ENOENT);
	assert_null(sink);
}

static void test_a_pair_of_channels_is_written_and_its_tail_cut(void **state)
{
	int16_t left[SOUND_FRAME], right[SOUND_FRAME], got[2 * SOUND_FRAME];
	struct sound_sink *sink;
	uint8_t header[44];
	FILE *f;

	(void)state;
	for (int i = 0; i < SOUND_FRAME; i++) {
		left[i] = (int16_t)i;
		right[i] = (int16_t)-i;
	}
	assert_int_equal(sound_sink_new(file, 2, &sink), 0);
	for (int n = 0; n < 60; n++)
		sound_sink_write_pair(sink, left, right);
	sound_sink_cut(sink, 1);
	sound_sink_write_pair(sink, right, left);
	sound_sink_free(&sink);
	f = fopen(file, "r");
	assert_non_null(f);
	assert_int_equal(fread(header, 1, sizeof(header), f), sizeof(header));
	assert_int_equal(header[22], 2); /* channels */
	assert_int_equal(header[32], 4); /* bytes a moment */
	assert_int_equal(header[40] | header[41] << 8, 2 * 4 * SOUND_FRAME);
	for (int n = 0; n < 2; n++) {
		assert_int_equal(fread(got, 4, SOUND_FRAME, f), SOUND_FRAME);
		for (int i = 0; i < SOUND_FRAME; i++) {
			assert_int_equal(got[2 * i], n == 0 ? i : -i);
			assert_int_equal(got[2 * i + 1], n == 0 ? -i : i);
		}
	}
	assert_int_equal(fgetc(f), EOF);
	assert_int_equal(fclose(f), 0);
}

/* Spoils one byte of a good file. */
static int open_with(long at, int byte)
{
	struct sound_source *source = NULL;
	struct sound_sink *sink;
	FILE *f;
	int err;

	assert_int_equal(sound_sink_new(file, 1, &sink), 0);
	write_frames(sink, 3);
	sound_sink_free(&sink);
	f = fopen(file, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	assert_int_equal(fputc(byte, f), byte);
	assert_int_equal(fclose(f), 0);
	err = sound_source_new(file, &source);
	sound_source_free(&source);
	return err;
}

static void test_a_file_of_another_format_is_refused(void **state)
{
	(void)state;
	assert_int_equal(open_with(0, 'R'), 0);
	assert_int_equal(open_with(0, 'X'), -EINVAL);
	assert_int_equal(open_with(8, 'X'), -EINVAL);
	assert_int_equal(open_with(20, 3), -EINVAL);    /* not PCM */
	assert_int_equal(open_with(22, 2), -EINVAL);    /* stereo */
	assert_int_equal(open_with(25, 0x3e), -EINVAL); /* 16 kHz */
	assert_int_equal(open_with(34, 8), -EINVAL);    /* 8 bit */
	assert_int_equal(open_with(16, 2), -EINVAL);    /* short format */
	assert_int_equal(open_with(40, 1), -EINVAL);    /* half a sample */
	assert_int_equal(open_with(42, 9), -EINVAL);    /* more sound than file */
	assert_int_equal(open_with(36, 'X'), -EINVAL);  /* no sound */
	assert_int_equal(open_with(19, 0xff), -EINVAL); /* a chunk of 4 GB */
	assert_int_equal(truncate(file, 20), 0);
	assert_int_equal(sound_source_new(file, &(struct sound_source *){NULL}), -EINVAL);
}

static void test_every_byte_of_g711_survives_the_way_there_and_back(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		int mu = g711_from_linear_mu(g711_to_linear_mu((uint8_t)byte));

		/* mu-law has two zeros. */
		assert_int_equal(mu, byte == 0x7f ? 0xff : byte);
		assert_int_equal(
			g711_from_linear_a(g711_to_linear_a((uint8_t)byte)), byte);
	}
}

static void test_g711_is_never_further_off_than_its_step(void **state)
{
	(void)state;
	for (int sample = INT16_MIN; sample <= INT16_MAX; sample++) {
		int step = 16 + abs(sample) / 16;
		int mu = g711_to_linear_mu(g711_from_linear_mu((int16_t)sample));
		int a = g711_to_linear_a(g711_from_linear_a((int16_t)sample));

		assert_true(abs(mu - sample) <= step);
		assert_true(abs(a - sample) <= step);
	}
	/* ITU-T G.711 tables: silence, and the ends of the range. */
	assert_int_equal(g711_from_linear_mu(0), 0xff);
	assert_int_equal(g711_from_linear_mu(INT16_MAX), 0x80);
	assert_int_equal(g711_from_linear_mu(INT16_MIN), 0x00);
	assert_int_equal(g711_from_linear_a(0), 0xd5);
	assert_int_equal(g711_from_linear_a(INT16_MAX), 0xaa);
	assert_int_equal(g711_from_linear_a(INT16_MIN), 0x2a);
}

static void put_frame(struct playout *playout, int16_t value)
{
	for (int i = 0; i < SOUND_FRAME; i++)
		playout_put(playout, value);
}

static int16_t take_frame(struct playout *playout)
{
	int16_t frame[SOUND_FRAME];

	playout_take(playout, frame);
	for (int i = 1; i < SOUND_FRAME; i++)
		assert_int_equal(frame[i], frame[0]);
	return frame[0];
}

static void test_playout_gathers_two_frames_and_then_plays_in_order(void **state)
{
	struct playout playout = {0};

	(void)state;
	assert_int_equal(take_frame(&playout), 0);
	put_frame(&playout, 1);
	assert_int_equal(take_frame(&playout), 0);
	put_frame(&playout, 2);
	assert_int_equal(take_frame(&playout), 1);
	assert_int_equal(take_frame(&playout), 2);
	assert_int_equal(take_frame(&playout), 0);
	put_frame(&playout, 3);
	assert_int_equal(take_frame(&playout), 0);
}

static void test_playout_forgets_the_oldest_when_it_is_full(void **state)
{
	struct playout playout = {0};

	(void)state;
	for (int16_t n = 1; n <= PLAYOUT_FRAMES + 3; n++)
		put_frame(&playout, n);
	for (int16_t n = 4; n <= PLAYOUT_FRAMES + 3; n++)
		assert_int_equal(take_frame(&playout), n);
	assert_int_equal(take_frame(&playout), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tone_has_its_pitch_and_minus_ten_decibel),
		cmocka_unit_test(test_silence_is_silent),
		cmocka_unit_test(test_a_wrong_tone_or_a_missing_file_is_refused),
		cmocka_unit_test_setup_teardown(
			test_a_recording_is_played_back_and_then_again, make_file,
			remove_file),
		cmocka_unit_test_setup_teardown(
			test_a_recording_is_valid_while_it_is_being_written, make_file,
			remove_file),
		cmocka_unit_test(test_an_unwritable_recording_is_refused),
		cmocka_unit_test(test_a_pair_of_channels_is_written_and_its_tail_cut),
		cmocka_unit_test_setup_teardown(
			test_a_file_of_another_format_is_refused, make_file, remove_file),
		cmocka_unit_test(test_every_byte_of_g711_survives_the_way_there_and_back),
		cmocka_unit_test(test_g711_is_never_further_off_than_its_step),
		cmocka_unit_test(test_playout_gathers_two_frames_and_then_plays_in_order),
		cmocka_unit_test(test_playout_forgets_the_oldest_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
