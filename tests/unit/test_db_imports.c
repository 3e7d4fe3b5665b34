/* test_db_imports.c: db/imports.h and db/import_rows.h. */
#include "db/imports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/data_lists.h"
#include "db/import_rows.h"
#include "unit/cmocka_all.h"
#include "unit/db_world.h"

static struct db *db;
static struct db_import result; /* large, so not on the stack */
static char told[256];
static const char *staged_zone = "";

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

static void expect_state(int64_t id, const char *state)
{
	static struct db_import read;

	assert_int_equal(db_import_get(db, id, &read), 0);
	assert_string_equal(read.state, state);
}

static void tell(void *arg, int64_t number)
{
	(void)arg;
	(void)snprintf(told + strlen(told), sizeof(told) - strlen(told), "%lld ",
		(long long)number);
}

/* Stages the numbers +1555<n>, row by row from 2 on; those below 0 are refused, 0 ends. */
static void stage(const int *numbers)
{
	struct buf buf = {0};
	char phone[24];

	told[0] = '\0';
	memset(&result, 0, sizeof(result));
	assert_int_equal(db_import_rows_begin(db), 0);
	for (int64_t i = 0; numbers[i] != 0; i++) {
		(void)snprintf(phone, sizeof(phone), "+1555%07d", abs(numbers[i]));
		db_import_row_write(&buf, &(struct db_import_row){.number = i + 2,
						  .phone = phone,
						  .first_name = "a\tb\\\n\r",
						  .last_name = "\xc3\xa9",
						  .email = "",
						  .country = "US",
						  .time_zone = staged_zone,
						  .custom = "{\"k\": \"v\\n\\\"\\\\\"}",
						  .refused = numbers[i] < 0});
	}
	assert_int_equal(db_import_rows_put(db, &buf), 0);
	assert_int_equal(db_import_rows_end(db), 0);
	assert_int_equal(db_import_rows_keep(db), 0);
	buf_free(&buf);
}

/* Adds what was staged, and ends the import. */
static int add(int64_t import, int64_t list, bool update, bool replace)
{
	int rc = db_import_rows_add(db,
		&(struct db_import_add){.import_id = import,
			.list_id = list,
			.update = update,
			.replace = replace,
			.known = tell,
			.too_long = tell},
		&result);

	(void)snprintf(result.report, sizeof(result.report), "{}");
	result.id = import;
	if (rc == 0)
		rc = db_import_rows_commit(db, &result);
	db_import_rows_rollback(db);
	return rc;
}

static int64_t import(int64_t list, const int *numbers)
{
	int64_t id = new_import(list);

	stage(numbers);
	assert_int_equal(add(id, list, false, false), 0);
	return id;
}

static int64_t contacts_of(int64_t list)
{
	struct db_list read;

	assert_int_equal(db_list_get(db, list, &read), 0);
	return read.contacts;
}

static void rows_become_contacts_as_they_were_written(void **state)
{
	int64_t list = new_list(), id = import(list, (int[]){1, 2, 0});

	(void)state;
	assert_true(result.added == 2 && result.updated == 0);
	assert_string_equal(told, "");
	assert_string_equal(
		world_text(
			"SELECT first_name = E'a\\tb\\\\\\n\\r' AND last_name = U&'\\00e9'"
			" AND custom->>'k' = E'v\\n\"\\\\' AND import_id = %lld AND country = 'US'"
			" FROM contacts WHERE list_id = %lld AND phone = '+15550000001'",
			(long long)id, (long long)list),
		"t");
	expect_state(id, "done");
	assert_int_equal(db_import_get(db, id, &result), 0);
	assert_true(result.added == 2 && result.ended_ms > 0 && result.bytes_done == 10);
}

static void known_numbers_are_told_changed_or_replaced(void **state)
{
	int64_t list = new_list(), id;

	(void)state;
	(void)import(list, (int[]){11, 12, 0});
	(void)import(list, (int[]){12, 13, 0});
	assert_int_equal(result.added, 1);
	assert_string_equal(told, "2 ");
	stage((int[]){11, 14, 0});
	id = new_import(list);
	assert_int_equal(add(id, list, true, false), 0);
	assert_true(result.added == 1 && result.updated == 1);
	assert_int_equal(contacts_of(list), 4);
	stage((int[]){14, 15, 0});
	id = new_import(list);
	assert_int_equal(add(id, list, true, true), 0);
	assert_true(result.added == 1 && result.updated == 1 && result.removed == 3);
	assert_int_equal(contacts_of(list), 2);
}

/* How often the list's campaign wants who waits looked at anew, after an upload of one contact. */
static const char *rechecks_after(int64_t list, int64_t campaign, const char *zone)
{
	staged_zone = zone;
	stage((int[]){71, 0});
	staged_zone = "";
	assert_int_equal(add(new_import(list), list, true, false), 0);
	assert_int_equal(result.updated, 1);
	return world_text(
		"SELECT rechecks FROM campaigns WHERE id = %lld", (long long)campaign);
}

static void who_gets_another_zone_is_looked_at_anew(void **state)
{
	int64_t list = new_list(), campaign = world_campaign(1, 1);

	(void)state;
	assert_int_equal(db_list_assign(db, list, campaign, 0), 0);
	(void)import(list, (int[]){71, 72, 0});
	assert_string_equal(rechecks_after(list, campaign, "Europe/Paris"), "1");
	assert_string_equal(rechecks_after(list, campaign, "Europe/Paris"), "1");
	assert_string_equal(rechecks_after(list, campaign, ""), "1");
	assert_string_equal(rechecks_after(list, campaign, "Europe/Rome"), "2");
}

static void a_number_of_the_file_is_not_replaced(void **state)
{
	int64_t list = new_list(), id, others = -1;

	(void)state;
	(void)import(list, (int[]){71, 72, 73, 0});
	(void)world_text("INSERT INTO dnc_numbers (number, source)"
			 " VALUES ('+15550000072', 'operator') RETURNING 1");
	stage((int[]){-71, 72, 74, 0});
	id = new_import(list);
	assert_int_equal(db_import_rows_drop_dnc(db, list, tell, NULL), 0);
	assert_string_equal(told, "3 ");
	assert_int_equal(db_import_rows_others(db, list, &others), 0);
	assert_int_equal(others, 1);
	assert_int_equal(add(id, list, true, true), 0);
	assert_true(result.added == 1 && result.updated == 0 && result.removed == 1);
	assert_string_equal(
		world_text("SELECT string_agg(right(phone, 2), ' ' ORDER BY phone)"
			   " FROM contacts WHERE list_id = %lld",
			(long long)list),
		"71 72 74");
}

static void fields_that_do_not_fit_beside_others_change_nothing(void **state)
{
	int64_t list = new_list(), id;

	(void)state;
	(void)import(list, (int[]){16, 17, 0});
	(void)world_text(
		"UPDATE contacts SET custom = jsonb_build_object('x',"
		" repeat('x', 8170)) WHERE list_id = %lld AND phone = '+15550000016'"
		" RETURNING 'done'",
		(long long)list);
	stage((int[]){16, 17, 18, 0});
	id = new_import(list);
	assert_int_equal(add(id, list, true, true), 0);
	assert_true(result.added == 1 && result.updated == 1 && result.removed == 0);
	assert_string_equal(told, "2 ");
	assert_string_equal(
		world_text("SELECT count(*) FROM contacts WHERE list_id = %lld"
			   " AND custom ? 'k'",
			(long long)list),
		"2");
}

static void rows_are_taken_out_by_what_they_are(void **state)
{
	int64_t campaign = world_campaign(0, 0), list = new_list(), other = new_list(),
		n = 0;

	(void)state;
	assert_int_equal(db_list_assign(db, list, campaign, 0), 0);
	(void)import(other, (int[]){21, 0});
	(void)import(list, (int[]){22, 29, 0});
	(void)world_text(
		"INSERT INTO dnc_numbers (number, campaign_id, source) VALUES"
		" ('+15550000023', NULL, 'operator'), ('+15550000024', %lld, 'operator')",
		(long long)campaign);
	stage((int[]){21, 22, 23, 24, 25, 25, 0});
	assert_int_equal(db_import_rows_drop_repeated(db, tell, NULL), 0);
	assert_string_equal(told, "6 ");
	told[0] = '\0';
	assert_int_equal(db_import_rows_drop_dnc(db, other, tell, NULL), 0);
	assert_string_equal(told, "4 ");
	told[0] = '\0';
	assert_int_equal(db_import_rows_drop_dnc(db, list, tell, NULL), 0);
	assert_string_equal(told, "5 ");
	told[0] = '\0';
	assert_int_equal(db_import_rows_drop_elsewhere(db, list, tell, NULL), 0);
	assert_string_equal(told, "2 ");
	told[0] = '\0';
	assert_int_equal(db_import_rows_known(db, list, tell, NULL), 0);
	assert_string_equal(told, "3 ");
	assert_int_equal(db_import_rows_others(db, list, &n), 0);
	assert_int_equal(n, 1);
	db_import_rows_rollback(db);
	assert_int_equal(contacts_of(list), 2);
}

static void a_cancelled_or_expired_import_adds_nothing(void **state)
{
	int64_t list = new_list(), id = new_import(list), *ids = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_import_start(db, id, false, false), 0);
	assert_int_equal(db_import_step(db, id, "adding", 1, 5), 0);
	assert_int_equal(db_import_cancel(db, id), 0);
	assert_int_equal(db_import_cancel(db, id), -EALREADY);
	assert_int_equal(db_import_cancel(db, -1), -ENOENT);
	assert_int_equal(db_import_step(db, id, "adding", 1, 5), -ECANCELED);
	stage((int[]){31, 0});
	assert_int_equal(add(id, list, false, false), -ECANCELED);
	assert_int_equal(contacts_of(list), 0);
	expect_state(id, "cancelled");

	id = new_import(list);
	assert_int_equal(db_import_expire(db, NULL, &ids, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(db_import_expire(db, OTHER_NODE, &ids, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(db_import_expire(db, NODE, &ids, &count), 0);
	assert_true(count == 1 && ids[0] == id);
	free(ids);
	expect_state(id, "failed");
	id = new_import(list);
	(void)world_text(
		"UPDATE imports SET deadline_at = now() - interval '1 s' WHERE id = %lld"
		" RETURNING 1",
		(long long)id);
	assert_int_equal(db_import_expire(db, NULL, &ids, &count), 0);
	assert_true(count == 1 && ids[0] == id);
	free(ids);
	stage((int[]){32, 0});
	assert_int_equal(add(id, list, false, false), -ECANCELED);
	assert_int_equal(db_import_fail(db, id, "late"), -ECANCELED);
	assert_int_equal(contacts_of(list), 0);
}

static void an_undo_removes_what_was_added_and_nothing_else(void **state)
{
	int64_t list = new_list(), first, second, removed = 0;

	(void)state;
	first = import(list, (int[]){41, 42, 0});
	second = import(list, (int[]){42, 43, 0});
	/* Whoever undoes it is who may die of it. */
	assert_int_equal(db_import_undo(db, second, OTHER_NODE, &removed), 0);
	assert_string_equal(world_text("SELECT node_id FROM imports WHERE id = %lld",
				    (long long)second),
		OTHER_NODE);
	assert_int_equal(removed, 1);
	assert_int_equal(contacts_of(list), 2);
	expect_state(second, "undone");
	assert_int_equal(db_import_undo(db, second, NODE, &removed), -EALREADY);
	assert_int_equal(db_import_undo(db, -1, NODE, &removed), -ENOENT);
	(void)world_text("UPDATE contacts SET attempts = 1 WHERE phone = '+15550000041'"
			 " AND list_id = %lld RETURNING 1",
		(long long)list);
	assert_int_equal(db_import_undo(db, first, NODE, &removed), -EBUSY);
	assert_int_equal(contacts_of(list), 2);
	expect_state(first, "done");
	assert_int_equal(db_import_get(db, first, &result), 0);
	assert_non_null(strstr(result.error, "was called"));
}

static void a_contact_in_a_call_is_not_replaced(void **state)
{
	int64_t campaign = world_campaign(1, 1), list, id;

	(void)state;
	(void)world_call(db, campaign);
	list = atoll(world_text("SELECT id FROM data_lists WHERE campaign_id = %lld",
		(long long)campaign));
	id = new_import(list);
	stage((int[]){51, 0});
	assert_int_equal(add(id, list, true, true), -EBUSY);
	assert_int_equal(contacts_of(list), 1);
	expect_state(id, "queued");
}

static void a_list_that_goes_takes_its_imports_along(void **state)
{
	int64_t list = new_list(), id = new_import(list), count;

	(void)state;
	stage((int[]){61, 0});
	(void)world_text(
		"DELETE FROM data_lists WHERE id = %lld RETURNING 1", (long long)list);
	assert_int_equal(add(id, list, false, false), -ENOENT);
	assert_int_equal(db_import_get(db, id, &result), -ENOENT);
	assert_int_equal(db_list_delete(db, list, &count), -ENOENT);
}

static void refused_rows_come_back_in_their_parts(void **state)
{
	int64_t list = new_list(), id = new_import(list);
	char *csv = NULL;

	(void)state;
	assert_int_equal(db_import_reject(db, id, 0, "a"), 0);
	assert_int_equal(db_import_reject(db, id, 1, "b"), 0);
	assert_int_equal(db_import_rejects(db, id, 1, &csv), 0);
	assert_string_equal(csv, "b");
	free(csv);
	assert_int_equal(db_import_rejects(db, id, 2, &csv), 0);
	assert_null(csv);
	assert_int_equal(db_import_cancel(db, id), 0);
	assert_int_equal(db_import_forget(db, 1), 0);
	assert_int_equal(db_import_rejects(db, id, 1, &csv), 0);
	free(csv);
	csv = NULL;
	assert_int_equal(db_import_forget(db, 0), 0);
	assert_int_equal(db_import_rejects(db, id, 1, &csv), 0);
	assert_null(csv);
}

static void imports_come_newest_first_page_by_page(void **state)
{
	int64_t list = new_list(), first = new_import(list), second = new_import(list);
	struct db_import *rows = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_import_page(db, list, 0, 1, &rows, &count), 0);
	assert_true(count == 2 && rows[0].id == second);
	free(rows);
	assert_int_equal(db_import_page(db, list, second, 1, &rows, &count), 0);
	assert_true(count == 1 && rows[0].id == first);
	free(rows);
	assert_int_equal(db_import_page(db, 0, 0, 1, &rows, &count), 0);
	assert_true(count == 2 && rows[0].id == second);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_contacts_as_they_were_written),
		cmocka_unit_test(known_numbers_are_told_changed_or_replaced),
		cmocka_unit_test(who_gets_another_zone_is_looked_at_anew),
		cmocka_unit_test(a_number_of_the_file_is_not_replaced),
		cmocka_unit_test(fields_that_do_not_fit_beside_others_change_nothing),
		cmocka_unit_test(rows_are_taken_out_by_what_they_are),
		cmocka_unit_test(a_cancelled_or_expired_import_adds_nothing),
		cmocka_unit_test(an_undo_removes_what_was_added_and_nothing_else),
		cmocka_unit_test(a_contact_in_a_call_is_not_replaced),
		cmocka_unit_test(a_list_that_goes_takes_its_imports_along),
		cmocka_unit_test(refused_rows_come_back_in_their_parts),
		cmocka_unit_test(imports_come_newest_first_page_by_page),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
