/* test_db_dialling.c: numbers that must not be called, the account's own, and what calls cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/dnc.h"
#include "db/numbers.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

static struct db *db;

static int setup(void **state)
{
	int rc = db_cluster_setup(state);

	if (rc == 0) {
		db = db_connect();
		world_tables(db, 1000000);
	}
	return rc;
}

static int teardown(void **state)
{
	db_close(&db);
	return db_cluster_teardown(state);
}

static const char *phone_of(int64_t campaign)
{
	return world_text("SELECT c.phone FROM contacts c JOIN queue_entries q"
			  " ON q.contact_id = c.id WHERE q.campaign_id = %lld"
			  " ORDER BY q.id LIMIT 1",
		(long long)campaign);
}

static const char *entry_of(int64_t campaign)
{
	return world_text("SELECT state || ' ' || reason FROM queue_entries"
			  " WHERE campaign_id = %lld ORDER BY id LIMIT 1",
		(long long)campaign);
}

static void a_number_is_added_once_and_its_waiting_entries_are_skipped(void **state)
{
	int64_t first = world_campaign(1, 2), second = world_campaign(0, 1);
	struct db_dnc dnc = {.source = "operator", .reason = "asked us"}, found;
	int64_t id = 0, skipped = 0;

	(void)state;
	(void)snprintf(dnc.number, sizeof(dnc.number), "%s", phone_of(first));
	(void)world_text("UPDATE contacts SET phone = '%s' WHERE id = (SELECT contact_id"
			 " FROM queue_entries WHERE campaign_id = %lld)",
		dnc.number, (long long)second);
	assert_int_equal(db_dnc_check(db, dnc.number, first, &found), -ENOENT);
	assert_int_equal(db_dnc_add(db, &dnc, &id, &skipped), 0);
	assert_int_equal(skipped, 2);
	assert_string_equal(entry_of(first), "skipped dnc");
	assert_string_equal(entry_of(second), "skipped dnc");
	assert_int_equal(db_dnc_add(db, &dnc, NULL, NULL), -EEXIST);
	assert_int_equal(db_dnc_check(db, dnc.number, first, &found), 0);
	assert_true(found.id == id && found.campaign_id == 0 && found.created_ms > 0);
	assert_string_equal(found.reason, "asked us");
	assert_int_equal(db_dnc_remove(db, id), 0);
	assert_int_equal(db_dnc_remove(db, id), -ENOENT);
	assert_int_equal(db_dnc_check(db, dnc.number, 0, &found), -ENOENT);
	(void)snprintf(dnc.number, sizeof(dnc.number), "0123");
	assert_int_equal(db_dnc_add(db, &dnc, NULL, NULL), -EINVAL);
}

static void a_ban_of_one_campaign_is_not_one_of_the_others(void **state)
{
	int64_t first = world_campaign(1, 1), second = world_campaign(0, 1);
	struct db_dnc dnc = {.source = "agent", .campaign_id = first}, found;
	int64_t skipped = 0;

	(void)state;
	(void)snprintf(dnc.number, sizeof(dnc.number), "%s", phone_of(first));
	(void)world_text("UPDATE contacts SET phone = '%s' WHERE id = (SELECT contact_id"
			 " FROM queue_entries WHERE campaign_id = %lld)",
		dnc.number, (long long)second);
	assert_int_equal(db_dnc_add(db, &dnc, NULL, &skipped), 0);
	assert_int_equal(skipped, 1);
	assert_string_equal(entry_of(second), "pending ");
	assert_int_equal(db_dnc_check(db, dnc.number, first, &found), 0);
	assert_int_equal(db_dnc_check(db, dnc.number, second, &found), -ENOENT);
	assert_int_equal(db_dnc_check(db, dnc.number, 0, &found), -ENOENT);
	dnc.campaign_id = 0;
	assert_int_equal(db_dnc_add(db, &dnc, NULL, &skipped), 0);
	assert_int_equal(db_dnc_check(db, dnc.number, first, &found), 0);
	assert_true(found.campaign_id == 0); /* the wider one speaks */
	dnc.campaign_id = -5;
	assert_int_equal(db_dnc_add(db, &dnc, NULL, NULL), -ENOENT);
}

static void many_numbers_are_added_in_one_go(void **state)
{
	static const char *const numbers[] = {
		"+15557770001", "+15557770002", "+15557770001"};
	struct db_dnc like = {.source = "import", .reason = "July list"};
	struct db_dnc *rows = NULL;
	struct db_dnc_counts counts;
	int64_t id, added = 0, skipped = 0;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_dnc_add_many(db, &like, numbers, 3, &added, &skipped), 0);
	assert_int_equal(added, 2);
	assert_int_equal(db_dnc_add_many(db, &like, numbers, 3, &added, &skipped), 0);
	assert_int_equal(added, 0);
	assert_int_equal(db_dnc_add_many(db, &like, NULL, 0, &added, &skipped), 0);
	assert_int_equal(db_dnc_page(db, "+1555777", 0, 1, &rows, &count), 0);
	assert_int_equal(count, 2); /* one more tells of a next page */
	id = rows[0].id;
	free(rows);
	assert_int_equal(db_dnc_page(db, "JULY", id, 9, &rows, &count), 0);
	assert_int_equal(count, 1);
	free(rows);
	assert_int_equal(db_dnc_page(db, "%", 0, 9, &rows, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(db_dnc_counts(db, &counts), 0);
	assert_true(counts.total == counts.today && counts.total >= 2);
}

static void the_list_of_numbers_is_what_twilio_has_now(void **state)
{
	struct db_number rows[] = {
		{.number = "+15550000001", .sid = "PN1", .kind = "incoming"},
		{.number = "+15550000002", .sid = "PN2", .kind = "caller_id"},
		{.number = "+15550000002", .sid = "PN3", .kind = "incoming"}};
	struct db_number *listed = NULL;
	struct db_number_state is;
	bool usable = false;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_number_usable(db, "+15559999999", &usable), 0);
	assert_true(usable); /* nobody knows yet */
	assert_int_equal(db_numbers_failed(db, "no answer"), 0);
	assert_int_equal(db_numbers_state(db, &is), 0);
	assert_true(is.synced_ms == 0 && is.tried_ms > 0);
	assert_string_equal(is.error, "no answer");
	assert_int_equal(db_numbers_sync(db, rows, 3), 0);
	assert_int_equal(db_number_usable(db, "+15559999999", &usable), 0);
	assert_false(usable);
	assert_int_equal(db_numbers_list(db, &listed, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(listed[1].sid, "PN3");
	free(listed);
	assert_int_equal(db_numbers_sync(db, rows, 1), 0);
	assert_int_equal(db_number_usable(db, "+15550000002", &usable), 0);
	assert_false(usable);
	assert_int_equal(db_numbers_sync(db, NULL, 0), 0);
	assert_int_equal(db_numbers_state(db, &is), 0);
	assert_true(is.synced_ms > 0 && is.error[0] == '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_number_is_added_once_and_its_waiting_entries_are_skipped),
		cmocka_unit_test(a_ban_of_one_campaign_is_not_one_of_the_others),
		cmocka_unit_test(many_numbers_are_added_in_one_go),
		cmocka_unit_test(the_list_of_numbers_is_what_twilio_has_now),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
