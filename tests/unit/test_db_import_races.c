/* test_db_import_races.c: what others do to a list while an import adds to it. */
#include "db/imports.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/contacts.h"
#include "db/data_lists.h"
#include "db/import_rows.h"
#include "unit/cmocka_all.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

#define WAIT_MS 20000

static struct db *db;

static int setup(void **state)
{
	return world_open(state, &db);
}

static int teardown(void **state)
{
	return world_close(state, &db);
}

static int64_t new_list(void)
{
	int64_t id;

	assert_int_equal(
		db_list_create(db,
			&(struct db_list){
				.name = "l", .active = true, .blend_weight = 100},
			&id),
		0);
	return id;
}

static int64_t new_import(int64_t list)
{
	struct db_import import = {.list_id = list, .format = "csv", .bytes = 10};
	int64_t id;

	assert_int_equal(db_import_create(db, &import, NODE, &id), 0);
	return id;
}

static int64_t contacts_of(int64_t list)
{
	struct db_list read;

	assert_int_equal(db_list_get(db, list, &read), 0);
	return read.contacts;
}

/* Stages the numbers +1555<n>; 0 ends. */
static void stage(struct db *own, const int *numbers)
{
	struct buf buf = {0};
	char phone[24];

	assert_int_equal(db_import_rows_begin(own), 0);
	for (int64_t i = 0; numbers[i] != 0; i++) {
		(void)snprintf(phone, sizeof(phone), "+1555%07d", numbers[i]);
		db_import_row_write(&buf, &(struct db_import_row){.number = i + 2,
						  .phone = phone,
						  .first_name = "",
						  .last_name = "",
						  .email = "",
						  .country = "",
						  .time_zone = "",
						  .custom = "{}"});
	}
	assert_int_equal(db_import_rows_put(own, &buf), 0);
	assert_int_equal(db_import_rows_end(own), 0);
	assert_int_equal(db_import_rows_keep(own), 0);
	buf_free(&buf);
}

/* One thread's import, of two numbers. */
struct rival {
	struct db *db;
	int64_t list, id;
	bool replace;
	int rc;
	struct db_import result;
	pthread_t thread;
};

static void tell_nobody(void *arg, int64_t number)
{
	(void)arg;
	(void)number;
}

/* All but the commit. */
static void add(struct rival *rival)
{
	rival->rc = db_import_rows_add(rival->db,
		&(struct db_import_add){.import_id = rival->id,
			.list_id = rival->list,
			.update = rival->replace,
			.replace = rival->replace,
			.known = tell_nobody,
			.too_long = tell_nobody},
		&rival->result);
}

static void commit(struct rival *rival)
{
	rival->result.id = rival->id;
	(void)snprintf(rival->result.report, sizeof(rival->result.report), "{}");
	if (rival->rc == 0)
		rival->rc = db_import_rows_commit(rival->db, &rival->result);
	db_import_rows_rollback(rival->db);
}

static void *add_rows(void *arg)
{
	add(arg);
	commit(arg);
	return NULL;
}

static void *clear(void *arg)
{
	struct rival *rival = arg;

	rival->rc = db_list_clear(rival->db, rival->list, &rival->result.removed);
	return NULL;
}

static struct rival *new_rival(int64_t list)
{
	struct rival *rival = calloc(1, sizeof(*rival));

	assert_non_null(rival);
	rival->db = db_connect();
	rival->list = list;
	return rival;
}

static struct rival *new_import_rival(int64_t list, const int *numbers)
{
	struct rival *rival = new_rival(list);

	rival->id = new_import(list);
	stage(rival->db, numbers);
	return rival;
}

static void begin_rival(struct rival *rival, void *(*work)(void *arg))
{
	assert_int_equal(pthread_create(&rival->thread, NULL, work, rival), 0);
}

/* Must have done what it wanted; returns how many contacts came or went. */
static int64_t end_rival(struct rival **rival)
{
	int64_t moved;

	(void)pthread_join((*rival)->thread, NULL);
	assert_int_equal((*rival)->rc, 0);
	moved = (*rival)->result.added + (*rival)->result.removed;
	db_close(&(*rival)->db);
	free(*rival);
	*rival = NULL;
	return moved;
}

static void import(int64_t list, const int *numbers)
{
	struct rival *rival = new_import_rival(list, numbers);

	begin_rival(rival, add_rows);
	(void)end_rival(&rival);
}

static void wait_for_waiting(int count)
{
	int64_t deadline = clock_mono_ms() + WAIT_MS;

	while (atoi(world_text("SELECT count(*) FROM pg_stat_activity"
			       " WHERE wait_event_type = 'Lock'")) < count) {
		assert_true(clock_mono_ms() < deadline);
		(void)usleep(1000);
	}
}

/* A row of an import that changes waits for us where it is said, until open_gate(). */
static void close_gate(const char *when, const char *which)
{
	(void)db_text("SELECT pg_advisory_lock(42)");
	(void)db_text(
		"CREATE OR REPLACE FUNCTION wait_at_gate() RETURNS trigger"
		" LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42);"
		" RETURN coalesce(NEW, OLD); END $$");
	(void)world_text(
		"CREATE OR REPLACE TRIGGER gate %s ON contacts FOR EACH ROW WHEN (%s)"
		" EXECUTE FUNCTION wait_at_gate()",
		when, which);
}

static void remove_gate(void)
{
	(void)db_text("DROP TRIGGER gate ON contacts");
}

static void open_gate(void)
{
	(void)db_text("SELECT pg_advisory_unlock(42)");
}

/* Each has its first number and wants the other's: who does not take turns dies of it. */
static void imports_of_the_same_numbers_into_one_list_take_turns(void **state)
{
	int64_t list = new_list();
	struct rival *up = new_import_rival(list, (int[]){81, 82, 0});
	struct rival *down = new_import_rival(list, (int[]){82, 81, 0});
	char which[256];

	(void)state;
	(void)snprintf(which, sizeof(which),
		"NEW.import_id = %lld AND NEW.phone LIKE '%%82'"
		" OR NEW.import_id = %lld AND NEW.phone LIKE '%%81'",
		(long long)up->id, (long long)down->id);
	close_gate("BEFORE INSERT", which);
	begin_rival(up, add_rows);
	begin_rival(down, add_rows);
	wait_for_waiting(2);
	open_gate();
	assert_int_equal(end_rival(&up) + end_rival(&down), 2);
	remove_gate();
	assert_int_equal(contacts_of(list), 2);
}

/* One has the contacts and wants the list, the other has the list and wants the contacts. */
static void a_list_is_cleared_when_its_import_has_ended(void **state)
{
	int64_t list = new_list();
	struct rival *import_rival, *clearer = new_rival(list);

	(void)state;
	import(list, (int[]){83, 84, 0});
	import_rival = new_import_rival(list, (int[]){85, 0});
	import_rival->replace = true;
	close_gate("BEFORE DELETE", "OLD.phone LIKE '%84'");
	begin_rival(import_rival, add_rows);
	wait_for_waiting(1);
	begin_rival(clearer, clear);
	wait_for_waiting(2);
	open_gate();
	assert_int_equal(end_rival(&import_rival), 3);
	assert_int_equal(end_rival(&clearer), 1);
	remove_gate();
	assert_int_equal(contacts_of(list), 0);
}

/* Of an import that has done everything but commit. */
static void a_list_and_its_other_contacts_change_while_it_is_imported(void **state)
{
	int64_t list = new_list(), by_hand = 0;
	struct rival *rival;
	struct db_contact_full contact = {
		.is = {.list_id = list, .phone = "+15550000094"}, .custom = "{}"};
	struct db_list changed;

	(void)state;
	import(list, (int[]){91, 92, 93, 0});
	rival = new_import_rival(list, (int[]){93, 95, 0});
	rival->replace = true;
	add(rival);
	assert_int_equal(db_list_get(db, list, &changed), 0);
	assert_int_equal(changed.contacts, 3);
	(void)snprintf(changed.name, sizeof(changed.name), "changed");
	assert_int_equal(db_list_update(db, &changed), 0);
	assert_int_equal(db_contact_create(db, &contact, &by_hand), 0);
	assert_int_equal(contacts_of(list), 4);
	commit(rival);
	assert_int_equal(rival->rc, 0);
	assert_int_equal(contacts_of(list), 3);
	db_close(&rival->db);
	free(rival);
}

static void changes_of_a_long_list_are_folded_and_count_the_same(void **state)
{
	int64_t list = new_list(), other = new_list();
	static const char rows[] =
		"SELECT count(*) FROM list_counts WHERE list_id = %lld";

	(void)state;
	for (int i = 0; i < 110; i++)
		(void)world_text("INSERT INTO contacts (list_id, phone)"
				 " VALUES (%lld, '+1555%07d') RETURNING 1",
			(long long)list, 1000 + i);
	import(other, (int[]){96, 97, 0});
	(void)db_text("SELECT fold_list_counts()");
	assert_string_equal(world_text(rows, (long long)list), "1");
	assert_int_equal(contacts_of(list), 110);
	assert_int_equal(contacts_of(other), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imports_of_the_same_numbers_into_one_list_take_turns),
		cmocka_unit_test(a_list_is_cleared_when_its_import_has_ended),
		cmocka_unit_test(
			a_list_and_its_other_contacts_change_while_it_is_imported),
		cmocka_unit_test(changes_of_a_long_list_are_folded_and_count_the_same),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
