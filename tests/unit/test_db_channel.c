/* test_db_channel.c: what nodes tell each other is heard by who listens, and a loss is noticed. */
#include "db/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/exec.h"
#include "db/nodes.h"
#include "unit/cmocka_all.h"
#include "unit/db_cluster.h"

#define A "11111111-1111-4111-8111-111111111111"
#define B "22222222-2222-4222-8222-222222222222"
#define WAIT_MS 10000

struct heard {
	unsigned count;
	char last[DB_CHANNEL_MAX + 1];
};

static void note(void *arg, const char *payload)
{
	struct heard *heard = arg;

	heard->count++;
	assert_true(strlen(payload) < sizeof(heard->last));
	strcpy(heard->last, payload);
}

static struct db *listener(void)
{
	struct db *db = db_connect();

	assert_int_equal(db_channel_listen(db), 0);
	return db;
}

/* Waits until `count` payloads were heard. */
static void hear(struct db *db, struct heard *heard, unsigned count)
{
	int64_t end = clock_mono_ms() + WAIT_MS;

	while (heard->count < count && clock_mono_ms() < end) {
		assert_int_equal(db_channel_wait(db, -1, WAIT_MS), 0);
		db_channel_heard(db, note, heard);
	}
	assert_int_equal(heard->count, count);
}

static void what_is_told_is_heard_by_all_who_listen(void **state)
{
	struct db *teller = db_connect(), *one = listener(), *two = listener();
	struct heard heard[2] = {0};

	(void)state;
	assert_int_equal(db_channel_tell(teller, "first"), 0);
	assert_int_equal(db_channel_tell(teller, "second"), 0);
	hear(one, &heard[0], 2);
	hear(two, &heard[1], 2);
	assert_string_equal(heard[0].last, "second");
	assert_string_equal(heard[1].last, "second");
	db_close(&teller);
	db_close(&one);
	db_close(&two);
}

static void what_comes_during_other_statements_is_not_lost(void **state)
{
	struct db *teller = db_connect(), *db = listener();
	struct heard heard = {0};

	(void)state;
	assert_int_equal(db_channel_tell(teller, "by another"), 0);
	assert_int_equal(db_channel_tell(db, "by itself"), 0);
	assert_int_equal(db_ping(db), 0);
	db_channel_heard(db, note, &heard);
	assert_int_equal(heard.count, 2);
	db_close(&teller);
	db_close(&db);
}

static void a_payload_has_a_largest_size(void **state)
{
	struct db *db = listener();
	char text[DB_CHANNEL_MAX + 2];
	struct heard heard = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[DB_CHANNEL_MAX + 1] = '\0';
	assert_int_equal(db_channel_tell(db, text), -EINVAL);
	text[DB_CHANNEL_MAX] = '\0';
	assert_int_equal(db_channel_tell(db, text), 0);
	hear(db, &heard, 1);
	assert_string_equal(heard.last, text);
	db_close(&db);
}

static void a_wait_ends_by_its_time_or_by_the_other_descriptor(void **state)
{
	static const uint64_t one = 1;
	struct db *db = listener();
	struct heard heard = {0};
	int64_t began = clock_mono_ms();
	int fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(db_channel_wait(db, fd, 30), 0);
	assert_true(clock_mono_ms() - began >= 29);
	assert_int_equal(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
	assert_int_equal(db_channel_wait(db, fd, WAIT_MS), 0);
	assert_true(clock_mono_ms() - began < WAIT_MS);
	db_channel_heard(db, note, &heard);
	assert_int_equal(heard.count, 0);
	(void)close(fd);
	db_close(&db);
}

static void end_backend(struct db *db)
{
	int64_t pid = 0;
	struct db *other = db_connect();

	assert_int_equal(db_run_number(db, "SELECT pg_backend_pid()", NO_ARGS, &pid), 0);
	assert_int_equal(db_run(other, "SELECT pg_terminate_backend($1::int)",
				 ARGS(arg_int(pid)), NULL),
		0);
	db_close(&other);
}

static void a_lost_connection_is_said_until_it_listens_again(void **state)
{
	struct db *teller = db_connect(), *db = listener();
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	int64_t end = clock_mono_ms() + WAIT_MS;
	struct heard heard = {0};
	int rc;

	(void)state;
	end_backend(db);
	while ((rc = db_channel_wait(db, -1, WAIT_MS)) == 0 && clock_mono_ms() < end)
		;
	assert_int_equal(rc, -EIO);
	while (db_ping(db) < 0 && clock_mono_ms() < end)
		(void)nanosleep(&pause, NULL);
	/* Another statement has made a connection, but that one does not listen. */
	assert_int_equal(db_ping(db), 0);
	assert_int_equal(db_channel_wait(db, -1, WAIT_MS), -EIO);
	assert_int_equal(db_channel_listen(db), 0);
	assert_int_equal(db_channel_tell(teller, "again"), 0);
	hear(db, &heard, 1);
	db_close(&teller);
	db_close(&db);
}

static bool others_hear(struct db *db, const char *node, bool hears)
{
	bool others = !hears;

	assert_int_equal(db_node_hears(db, node, hears, &others), 0);
	return others;
}

static void a_node_knows_whether_another_one_that_lives_hears(void **state)
{
	struct db *db = db_connect();

	(void)state;
	assert_int_equal(db_node_seen(db, A), 0);
	assert_int_equal(db_node_seen(db, B), 0);
	assert_false(others_hear(db, A, true));
	assert_true(others_hear(db, B, false));
	assert_false(others_hear(db, A, true));
	assert_true(others_hear(db, B, true));
	assert_true(others_hear(db, A, false));
	(void)db_text(
		"UPDATE nodes SET seen_at = now() - interval '2 minutes' WHERE id = '" B
		"'");
	assert_false(others_hear(db, A, false));
	db_close(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_heard_by_all_who_listen),
		cmocka_unit_test(what_comes_during_other_statements_is_not_lost),
		cmocka_unit_test(a_payload_has_a_largest_size),
		cmocka_unit_test(a_wait_ends_by_its_time_or_by_the_other_descriptor),
		cmocka_unit_test(a_lost_connection_is_said_until_it_listens_again),
		cmocka_unit_test(a_node_knows_whether_another_one_that_lives_hears),
	};

	return cmocka_run_group_tests(tests, db_cluster_setup, db_cluster_teardown);
}
