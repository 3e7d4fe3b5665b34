/* test_timers.c: base/timers.h. */
#include "base/timers.h"

#include <errno.h>
#include <stdlib.h>

#include "unit/cmocka_all.h"
#include "unit/failing_alloc.h"

#define BIRTH 1000003 /* in the middle of a slot */

struct bell {
	struct timer timer;
	struct timers *timers;
	struct bell *other;
	int rung;
};

static struct bell *order[64];
static size_t order_count;

static struct bell *bell_of(struct timer *timer)
{
	return list_entry(timer, struct bell, timer);
}

static void ring(struct timer *timer)
{
	struct bell *bell = bell_of(timer);

	assert_false(timer_started(timer));
	bell->rung++;
	if (order_count < 64)
		order[order_count++] = bell;
}

static void ring_and_restart(struct timer *timer)
{
	ring(timer);
	timer_start(bell_of(timer)->timers, timer, 0);
}

static void ring_and_stop_other(struct timer *timer)
{
	ring(timer);
	timer_stop(&bell_of(timer)->other->timer);
}

static void ring_and_delay_other(struct timer *timer)
{
	ring(timer);
	timer_start(bell_of(timer)->timers, &bell_of(timer)->other->timer, 50);
}

static void free_owner(struct timer *timer)
{
	free(bell_of(timer));
}

static int make_timers(void **state)
{
	struct timers *timers = NULL;

	order_count = 0;
	if (timers_new(BIRTH, &timers) < 0)
		return -1;
	*state = timers;
	return 0;
}

static int free_timers(void **state)
{
	struct timers *timers = *state;

	timers_free(&timers);
	timers_free(&timers);
	return 0;
}

static void a_timer_fires_once_when_its_time_has_come_and_not_before(void **state)
{
	struct timers *timers = *state;
	struct bell bell = {.timer.fire = ring};

	timer_start(timers, &bell.timer, 100);
	assert_true(timer_started(&bell.timer));
	timers_advance(timers, BIRTH + 99);
	assert_int_equal(bell.rung, 0);
	timers_advance(timers, BIRTH + 100);
	assert_int_equal(bell.rung, 1);
	timers_advance(timers, BIRTH + 1000000);
	assert_int_equal(bell.rung, 1);
}

static void timers_fire_in_order_of_due_time_and_then_of_start(void **state)
{
	static const int64_t delays[] = {40000, 5, 70000, 5, 3, 32768, 0, 33000, 4, 120};
	static const size_t expected[] = {6, 4, 8, 1, 3, 9, 5, 7, 0, 2};
	struct timers *timers = *state;
	struct bell bells[10] = {{.rung = 0}};

	for (size_t i = 0; i < 10; i++) {
		bells[i].timer.fire = ring;
		timer_start(timers, &bells[i].timer, delays[i]);
	}
	timers_advance(timers, BIRTH + 70000); /* more than two turns at once */
	assert_int_equal(order_count, 10);
	for (size_t i = 0; i < 10; i++)
		assert_ptr_equal(order[i], &bells[expected[i]]);
}

static void a_timer_of_a_later_turn_waits_for_its_turn(void **state)
{
	struct timers *timers = *state;
	struct bell bell = {.timer.fire = ring};
	int64_t hour = 3600000;

	timer_start(timers, &bell.timer, hour);
	for (int64_t at = 0; at < hour; at += 777) {
		timers_advance(timers, BIRTH + at);
		assert_int_equal(bell.rung, 0);
		assert_int_equal(timers_next(timers), hour - at);
	}
	timers_advance(timers, BIRTH + hour);
	assert_int_equal(bell.rung, 1);
	assert_int_equal(timers_next(timers), -1);
}

static void a_stopped_timer_does_not_fire(void **state)
{
	struct timers *timers = *state;
	struct bell bell = {.timer.fire = ring};

	timer_stop(&bell.timer);
	timer_start(timers, &bell.timer, 10);
	timer_stop(&bell.timer);
	timer_stop(&bell.timer);
	assert_false(timer_started(&bell.timer));
	timers_advance(timers, BIRTH + 100);
	assert_int_equal(bell.rung, 0);
}

static void starting_again_moves_the_due_time(void **state)
{
	struct timers *timers = *state;
	struct bell bell = {.timer.fire = ring};

	timer_start(timers, &bell.timer, 10);
	timers_advance(timers, BIRTH + 5);
	timer_start(timers, &bell.timer, 10);
	timers_advance(timers, BIRTH + 10);
	assert_int_equal(bell.rung, 0);
	assert_int_equal(timers_next(timers), 5);
	timers_advance(timers, BIRTH + 15);
	assert_int_equal(bell.rung, 1);
}

static void a_timer_that_restarts_itself_fires_once_in_each_advance(void **state)
{
	struct timers *timers = *state;
	struct bell bell = {.timer.fire = ring_and_restart, .timers = timers};

	timer_start(timers, &bell.timer, 0);
	timers_advance(timers, BIRTH);
	assert_int_equal(bell.rung, 1);
	assert_int_equal(timers_next(timers), 0);
	timers_advance(timers, BIRTH);
	assert_int_equal(bell.rung, 2);
	timer_stop(&bell.timer);
}

static void a_timer_may_stop_or_delay_another_that_is_due_with_it(void **state)
{
	struct timers *timers = *state;
	struct bell second = {.timer.fire = ring}, fourth = {.timer.fire = ring};
	struct bell first = {.timer.fire = ring_and_stop_other, .other = &second};
	struct bell third = {
		.timer.fire = ring_and_delay_other, .timers = timers, .other = &fourth};

	timer_start(timers, &first.timer, 1);
	timer_start(timers, &second.timer, 2);
	timer_start(timers, &third.timer, 3);
	timer_start(timers, &fourth.timer, 4);
	timers_advance(timers, BIRTH + 10);
	assert_int_equal(order_count, 2);
	assert_int_equal(timers_next(timers), 50);
	timers_advance(timers, BIRTH + 60);
	assert_int_equal(second.rung, 0);
	assert_int_equal(fourth.rung, 1);
}

static void a_timer_may_free_its_owner(void **state)
{
	struct timers *timers = *state;
	struct bell *bell = calloc(1, sizeof(*bell));

	assert_non_null(bell);
	bell->timer.fire = free_owner;
	timer_start(timers, &bell->timer, 1);
	timers_advance(timers, BIRTH + 1);
	assert_int_equal(timers_next(timers), -1);
}

static void the_next_due_time_is_known_to_the_millisecond(void **state)
{
	struct timers *timers = *state;
	struct bell a = {.timer.fire = ring}, b = {.timer.fire = ring};

	assert_int_equal(timers_next(timers), -1);
	timer_start(timers, &a.timer, 32768 + 7); /* slot of the next turn */
	assert_int_equal(timers_next(timers), 32775);
	timer_start(timers, &b.timer, 9);
	assert_int_equal(timers_next(timers), 9);
	timer_stop(&b.timer);
	assert_int_equal(timers_next(timers), 32775);
	timer_start(timers, &b.timer, 40000);
	timers_advance(timers, BIRTH + 32775);
	assert_int_equal(timers_next(timers), 40000 - 32775);
	timer_stop(&b.timer);
	assert_int_equal(timers_next(timers), -1);
}

static void time_does_not_run_back(void **state)
{
	struct timers *timers = *state;

	timers_advance(timers, BIRTH - 10);
	assert_int_equal(timers_now(timers), BIRTH);
}

static void freeing_the_wheel_stops_all_and_fires_none(void **state)
{
	struct timers *timers = NULL;
	struct bell bell = {.timer.fire = ring};

	(void)state;
	assert_int_equal(timers_new(0, &timers), 0);
	timer_start(timers, &bell.timer, 0);
	timers_free(&timers);
	assert_null(timers);
	assert_false(timer_started(&bell.timer));
	timer_stop(&bell.timer);
	assert_int_equal(bell.rung, 0);
}

#define MANY 20000

static int64_t last_due;
static size_t fired;

static void check_order(struct timer *timer)
{
	assert_true(timer->due_ms >= last_due);
	last_due = timer->due_ms;
	fired++;
}

/* Compares the wheel with the plainest thing there is: looking at every timer. */
static void twenty_thousand_timers_fire_each_at_its_time(void **state)
{
	static struct timer timers_of_all[MANY];
	struct timers *timers = *state;
	unsigned seed = 7;
	size_t left = 0;

	fired = 0;
	last_due = 0;
	for (size_t i = 0; i < MANY; i++) {
		seed = seed * 1103515245u + 12345u;
		timers_of_all[i] = (struct timer){.fire = check_order};
		timer_start(timers, &timers_of_all[i], (seed >> 8) % 100000);
		if (i % 3 == 0)
			timer_stop(&timers_of_all[i]);
	}
	for (int64_t at = BIRTH; at <= BIRTH + 100000; at += 1 + at % 250)
		timers_advance(timers, at);
	for (size_t i = 0; i < MANY; i++)
		if (timer_started(&timers_of_all[i])) {
			assert_true(timers_of_all[i].due_ms > timers_now(timers));
			left++;
		}
	assert_int_equal(fired + left, MANY - (MANY + 2) / 3);
}

static void without_memory_there_is_no_wheel(void **state)
{
	struct timers *timers = NULL;

	(void)state;
	failing_alloc_at(1);
	assert_int_equal(timers_new(0, &timers), -ENOMEM);
	assert_null(timers);
}

#define with_timers(test) cmocka_unit_test_setup_teardown(test, make_timers, free_timers)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_timers(a_timer_fires_once_when_its_time_has_come_and_not_before),
		with_timers(timers_fire_in_order_of_due_time_and_then_of_start),
		with_timers(a_timer_of_a_later_turn_waits_for_its_turn),
		with_timers(a_stopped_timer_does_not_fire),
		with_timers(starting_again_moves_the_due_time),
		with_timers(a_timer_that_restarts_itself_fires_once_in_each_advance),
		with_timers(a_timer_may_stop_or_delay_another_that_is_due_with_it),
		with_timers(a_timer_may_free_its_owner),
		with_timers(the_next_due_time_is_known_to_the_millisecond),
		with_timers(time_does_not_run_back),
		with_timers(twenty_thousand_timers_fire_each_at_its_time),
		cmocka_unit_test(freeing_the_wheel_stops_all_and_fires_none),
		cmocka_unit_test(without_memory_there_is_no_wheel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
