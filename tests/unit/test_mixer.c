/* test_mixer.c: who hears whom, and when. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "sandbox/mixer.h"
#include "unit/sandbox_loop.h"

#define DEADLINE_MS 5000

/* Says one value all the time and remembers the last one heard. */
struct voice {
	struct mixer_port port;
	int16_t says;
	int16_t hears;
	int said, heard;
};

static void voice_read(struct mixer_port *port, int16_t frame[SOUND_FRAME])
{
	struct voice *voice = list_entry(port, struct voice, port);

	for (int i = 0; i < SOUND_FRAME; i++)
		frame[i] = voice->says;
	voice->said++;
}

static void voice_write(struct mixer_port *port, const int16_t frame[SOUND_FRAME])
{
	struct voice *voice = list_entry(port, struct voice, port);

	for (int i = 1; i < SOUND_FRAME; i++)
		assert_int_equal(frame[i], frame[0]);
	voice->hears = frame[0];
	voice->heard++;
}

static struct voice voice_of(int16_t says)
{
	return (struct voice){
		.port = {.read = voice_read, .write = voice_write}, .says = says};
}

static bool heard_two_more(void *arg)
{
	const struct voice *voice = arg;

	return voice->heard >= 2;
}

static int16_t what_hears(struct voice *voice)
{
	voice->heard = 0;
	assert_true(sandbox_run_until(heard_two_more, voice, DEADLINE_MS));
	return voice->hears;
}

static struct mixer *mixer;

/* They outlive each test, because the mixer is freed after it. */
static struct voice a, b, c, d, e, f;

static int open_mixer(void **state)
{
	(void)state;
	return mixer_new(&mixer);
}

static int close_mixer(void **state)
{
	(void)state;
	mixer_free(&mixer);
	mixer_free(&mixer);
	return 0;
}

static void test_each_hears_the_sum_of_the_others_and_not_itself(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	c = voice_of(3);
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(what_hears(&a), 0);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &c.port), 0);
	assert_int_equal(what_hears(&a), 23);
	assert_int_equal(what_hears(&b), 103);
	assert_int_equal(what_hears(&c), 120);
}

static void test_rooms_do_not_hear_each_other(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	c = voice_of(3);
	assert_int_equal(mixer_join(mixer, "one", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "one", &b.port), 0);
	assert_int_equal(mixer_join(mixer, "two", &c.port), 0);
	assert_int_equal(what_hears(&a), 20);
	assert_int_equal(what_hears(&c), 0);
}

static void test_joining_another_room_leaves_the_first(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	c = voice_of(3);
	assert_int_equal(mixer_join(mixer, "one", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "one", &b.port), 0);
	assert_int_equal(mixer_join(mixer, "two", &c.port), 0);
	assert_int_equal(mixer_join(mixer, "two", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "two", &a.port), 0);
	assert_int_equal(what_hears(&b), 0);
	assert_int_equal(what_hears(&a), 3);
	assert_int_equal(what_hears(&c), 100);
}

static void test_one_who_left_says_and_hears_nothing(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	mixer_leave(&b.port);
	mixer_leave(&b.port);
	assert_null(b.port.room);
	assert_int_equal(what_hears(&a), 0);
	assert_int_equal(b.said + b.heard, 0);
	/* The last one out stops the clock; the next one in starts it again. */
	mixer_leave(&a.port);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(what_hears(&a), 20);
}

static void test_loud_voices_are_cut_and_do_not_wrap_around(void **state)
{
	(void)state;
	a = voice_of(30000);
	b = voice_of(30000);
	c = voice_of(1);
	d = voice_of(-30000);
	e = voice_of(-30000);
	f = voice_of(1);
	assert_int_equal(mixer_join(mixer, "high", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "high", &b.port), 0);
	assert_int_equal(mixer_join(mixer, "high", &c.port), 0);
	assert_int_equal(mixer_join(mixer, "low", &d.port), 0);
	assert_int_equal(mixer_join(mixer, "low", &e.port), 0);
	assert_int_equal(mixer_join(mixer, "low", &f.port), 0);
	assert_int_equal(what_hears(&c), INT16_MAX);
	assert_int_equal(what_hears(&f), INT16_MIN);
	assert_int_equal(what_hears(&a), 30001);
}

static void test_a_muted_port_hears_but_is_not_heard(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	a.port.muted = true;
	assert_int_equal(what_hears(&a), 20);
	assert_int_equal(what_hears(&b), 0);
	/* What it said meanwhile is gone, not kept for later. */
	assert_true(a.said >= 2);
}

static void test_a_held_port_neither_hears_nor_is_heard(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	a.port.held = true;
	assert_int_equal(what_hears(&a), 0);
	assert_int_equal(what_hears(&b), 0);
	a.port.held = false;
	assert_int_equal(what_hears(&b), 100);
}

static void test_a_silent_mixer_passes_nothing_on(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	mixer_set_silent(mixer, true);
	assert_int_equal(what_hears(&a), 0);
	mixer_set_silent(mixer, false);
	assert_int_equal(what_hears(&a), 20);
}

static void test_an_aside_is_heard_by_one_alone_even_on_hold(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	c = voice_of(3);
	c.port.only = &a.port;
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &c.port), 0);
	assert_int_equal(what_hears(&a), 23);
	assert_int_equal(what_hears(&b), 100);
	assert_int_equal(what_hears(&c), 120);
	a.port.held = true;
	assert_int_equal(what_hears(&a), 3);
	assert_int_equal(what_hears(&b), 0);
}

struct ear {
	struct mixer_tap tap;
	int16_t said, heard;
};

static void note(struct mixer_tap *tap, const int16_t said[SOUND_FRAME],
	const int16_t heard[SOUND_FRAME])
{
	struct ear *ear = list_entry(tap, struct ear, tap);

	ear->said = said[0];
	ear->heard = heard[0];
}

static void test_a_tap_gets_both_sides_also_of_a_muted_port(void **state)
{
	struct ear ear = {.tap = {.frame = note}}, other = {.tap = {.frame = note}};

	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	mixer_tap(&a.port, &ear.tap);
	mixer_tap(&a.port, &other.tap);
	a.port.muted = true;
	assert_int_equal(what_hears(&b), 0);
	assert_int_equal(ear.said, 100);
	assert_int_equal(ear.heard, 20);
	assert_int_equal(other.heard, 20);
	ear = (struct ear){.tap = ear.tap};
	mixer_untap(&a.port, &ear.tap);
	mixer_untap(&a.port, &ear.tap);
	assert_int_equal(what_hears(&b), 0);
	assert_int_equal(ear.said, 0);
	mixer_untap(&a.port, &other.tap);
	assert_null(a.port.taps);
}

static void test_a_port_may_only_say_or_only_hear(void **state)
{
	(void)state;
	a = voice_of(100);
	b = voice_of(20);
	c = voice_of(3);
	a.port.write = NULL;
	b.port.read = NULL;
	assert_int_equal(mixer_join(mixer, "room", &a.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &b.port), 0);
	assert_int_equal(mixer_join(mixer, "room", &c.port), 0);
	assert_int_equal(what_hears(&b), 103);
	assert_int_equal(what_hears(&c), 100);
}

/* Counts loop turns, so that a test can tell which frames came in one. */
struct turns {
	struct tmr tmr;
	struct voice voice;
	int now;
	int frames_in_turn, most_in_turn, seen_turn;
	int stall_at, stall_ms;
};

static void turn_passed(void *arg)
{
	struct turns *turns = arg;

	turns->now++;
	tmr_start(&turns->tmr, 1, turn_passed, turns);
}

static void stalling_write(struct mixer_port *port, const int16_t frame[SOUND_FRAME])
{
	struct turns *turns = list_entry(port, struct turns, voice.port);
	struct timespec stall = {.tv_nsec = turns->stall_ms * 1000000L};

	(void)frame;
	if (turns->seen_turn != turns->now)
		turns->frames_in_turn = 0;
	turns->seen_turn = turns->now;
	if (++turns->frames_in_turn > turns->most_in_turn)
		turns->most_in_turn = turns->frames_in_turn;
	if (++turns->voice.heard == turns->stall_at)
		(void)nanosleep(&stall, NULL);
}

static bool heard_ten(void *arg)
{
	const struct turns *turns = arg;

	return turns->voice.heard >= 10;
}

/* Returns the most frames that came in one turn of the loop. */
static int frames_after_stall(int stall_ms)
{
	struct turns turns = {.voice = voice_of(1), .stall_at = 3, .stall_ms = stall_ms};
	int64_t start = clock_mono_ms();

	turns.voice.port.write = stalling_write;
	turn_passed(&turns);
	assert_int_equal(mixer_join(mixer, "room", &turns.voice.port), 0);
	assert_true(sandbox_run_until(heard_ten, &turns, DEADLINE_MS));
	/* Never ahead of the clock: the tenth frame is due after 200 ms. */
	assert_true(clock_mono_ms() - start >= 200);
	mixer_leave(&turns.voice.port);
	tmr_cancel(&turns.tmr);
	return turns.most_in_turn;
}

static void test_a_short_stall_is_caught_up(void **state)
{
	int most = 0;

	(void)state;
	/* A machine that is busy elsewhere may turn the stall into a long one. */
	for (int attempt = 0; attempt < 10 && most < 3; attempt++)
		most = frames_after_stall(65);
	assert_true(most >= 3);
}

static void test_a_long_stall_is_lost_instead_of_poured_out(void **state)
{
	(void)state;
	assert_true(frames_after_stall(400) <= 6);
}

#define MIXER_TEST(test) cmocka_unit_test_setup_teardown(test, open_mixer, close_mixer)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MIXER_TEST(test_each_hears_the_sum_of_the_others_and_not_itself),
		MIXER_TEST(test_rooms_do_not_hear_each_other),
		MIXER_TEST(test_joining_another_room_leaves_the_first),
		MIXER_TEST(test_one_who_left_says_and_hears_nothing),
		MIXER_TEST(test_loud_voices_are_cut_and_do_not_wrap_around),
		MIXER_TEST(test_a_muted_port_hears_but_is_not_heard),
		MIXER_TEST(test_a_held_port_neither_hears_nor_is_heard),
		MIXER_TEST(test_a_silent_mixer_passes_nothing_on),
		MIXER_TEST(test_an_aside_is_heard_by_one_alone_even_on_hold),
		MIXER_TEST(test_a_tap_gets_both_sides_also_of_a_muted_port),
		MIXER_TEST(test_a_port_may_only_say_or_only_hear),
		MIXER_TEST(test_a_short_stall_is_caught_up),
		MIXER_TEST(test_a_long_stall_is_lost_instead_of_poured_out),
	};
	int failed;

	if (libre_init() != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return failed;
}
