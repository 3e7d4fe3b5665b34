/* test_db_lists.c: db/data_lists.h and db/contacts.h. */
#include "db/data_lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/contacts.h"
#include "db/exec.h"
#include "db/queue.h"
#include "unit/cmocka_all.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

static struct db *db;

static int setup(void **state)
{
	return world_open(state, &db);
}

static int teardown(void **state)
{
	return world_close(state, &db);
}

static int64_t new_list(const char *name)
{
	struct db_list list = {.active = true, .blend_weight = 100};
	int64_t id;

	(void)snprintf(list.name, sizeof(list.name), "%s", name);
	assert_int_equal(db_list_create(db, &list, &id), 0);
	return id;
}

static int64_t add(int64_t list, const char *phone, const char *first, const char *last)
{
	struct db_contact_full c = {.is.list_id = list, .custom = "{}"};
	int64_t id;

	(void)snprintf(c.is.phone, sizeof(c.is.phone), "%s", phone);
	(void)snprintf(c.is.first_name, sizeof(c.is.first_name), "%s", first);
	(void)snprintf(c.is.last_name, sizeof(c.is.last_name), "%s", last);
	assert_int_equal(db_contact_create(db, &c, &id), 0);
	return id;
}

static int64_t contacts_of(int64_t list)
{
	struct db_list read;

	assert_int_equal(db_list_get(db, list, &read), 0);
	return read.contacts;
}

static void a_list_is_read_as_it_was_written(void **state)
{
	int64_t campaign = world_campaign(1, 0), id;
	struct db_list list = {.name = "A",
			       .campaign_id = campaign,
			       .blend_weight = 30,
			       .country = "GB"},
		       read, *all = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_list_create(db, &list, &id), 0);
	assert_int_equal(db_list_get(db, id, &read), 0);
	assert_true(
		read.campaign_id == campaign && !read.active && read.blend_weight == 30);
	assert_string_equal(read.country, "GB");
	assert_true(read.caller_id[0] == '+' && read.contacts == 0);
	read.campaign_id = 0;
	read.active = true;
	read.blend_weight = 101;
	assert_int_equal(db_list_update(db, &read), -EINVAL);
	read.blend_weight = 1;
	assert_int_equal(db_list_update(db, &read), 0);
	assert_int_equal(db_list_get(db, id, &read), 0);
	assert_true(read.campaign_id == 0 && read.active && read.blend_weight == 1);
	assert_string_equal(read.caller_id, "");
	assert_int_equal(db_list_assign(db, id, campaign, 0), 0);
	assert_int_equal(db_list_of_campaign(db, campaign, &all, &count), 0);
	assert_true(count >= 1 && all[count - 1].id == id &&
		    all[count - 1].blend_weight == 1);
	free(all);
	assert_int_equal(db_list_assign(db, id, campaign, 55), 0);
	assert_int_equal(db_list_get(db, id, &read), 0);
	assert_int_equal(read.blend_weight, 55);
	list.campaign_id = -1;
	assert_int_equal(db_list_create(db, &list, &id), -ENOENT);
	assert_int_equal(db_list_assign(db, -1, campaign, 0), -ENOENT);
	assert_int_equal(db_list_get(db, -1, &read), -ENOENT);
}

/* What the campaign had queued waits, and is woken when the list comes back. */
static void a_list_that_was_moved_is_dialled_by_its_campaign_only(void **state)
{
	int64_t from = world_campaign(1, 1), to = world_campaign(1, 0);
	int64_t list =
		strtoll(world_text("SELECT id FROM data_lists WHERE campaign_id = %lld",
				(long long)from),
			NULL, 10);
	int64_t entry =
		strtoll(world_text("SELECT id FROM queue_entries WHERE campaign_id ="
				   " %lld",
				(long long)from),
			NULL, 10);
	struct db_claim_facts facts;

	(void)state;
	for (int back = 0; back < 2; back++) {
		assert_int_equal(db_list_assign(db, list, back ? from : to, 0), 0);
		assert_int_equal(db_facts_read(db, from, entry, &facts), 0);
		assert_true(facts.list_active == back);
		assert_string_equal(
			world_text("SELECT (run_at <= now())::text FROM queue_entries"
				   " WHERE id = %lld",
				(long long)entry),
			"true");
		(void)world_text(
			"UPDATE queue_entries SET reason = 'list',"
			" run_at = now() + interval '15 minutes' WHERE id = %lld",
			(long long)entry);
	}
}

static void a_list_counts_its_contacts_whoever_adds_or_removes_them(void **state)
{
	int64_t a = new_list("a"), b = new_list("b"), id, copy = 0, count = 0;

	(void)state;
	id = add(a, "+15551000001", "", "");
	(void)add(a, "+15551000002", "", "");
	(void)world_text(
		"INSERT INTO contacts (list_id, phone) SELECT l, '+1555100010' || i"
		" FROM unnest(ARRAY[%lld, %lld]::bigint[]) l, generate_series(1, 3) i",
		(long long)a, (long long)b);
	assert_int_equal(contacts_of(a), 5);
	assert_int_equal(contacts_of(b), 3);
	assert_int_equal(db_contact_delete(db, id), 0);
	assert_int_equal(contacts_of(a), 4);
	assert_int_equal(db_list_clone(db, a, "copy", true, &copy, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(contacts_of(copy), 4);
	assert_int_equal(db_list_clear(db, b, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(contacts_of(b), 0);
	assert_int_equal(db_list_delete(db, a, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(db_list_delete(db, a, &count), -ENOENT);
	assert_int_equal(db_list_clone(db, a, "copy", true, &copy, &count), -ENOENT);
}

/* Short as it is sent; the database shows all the digits. */
static const char *digits_of_more(void)
{
	static char custom[1024];
	size_t len = 0;

	for (int i = 0; i < 30; i++)
		len += (size_t)snprintf(custom + len, sizeof(custom) - len,
			"%c\"%d\":1e300", i == 0 ? '{' : ',', i);
	(void)snprintf(custom + len, sizeof(custom) - len, "}");
	return custom;
}

static void a_contact_is_read_as_it_was_written(void **state)
{
	int64_t list = new_list("c");
	struct db_contact_full c = {.is = {.list_id = list,
					    .phone = "+442079460958",
					    .first_name = "\xc3\x89va",
					    .email = "e@example.com"},
				       .country = "GB",
				       .time_zone = "Europe/London",
				       .custom = "{\"a\":\"b\"}"},
			       read;
	int64_t id, other;

	(void)state;
	assert_int_equal(db_contact_create(db, &c, &id), 0);
	assert_int_equal(db_contact_create(db, &c, &other), -EEXIST);
	c.is.list_id = -1;
	assert_int_equal(db_contact_create(db, &c, &other), -ENOENT);
	assert_int_equal(db_contact_get(db, id, &read), 0);
	assert_string_equal(read.is.phone, "+442079460958");
	assert_string_equal(read.is.first_name, "\xc3\x89va");
	assert_string_equal(read.country, "GB");
	assert_string_equal(read.time_zone, "Europe/London");
	assert_string_equal(read.custom, "{\"a\": \"b\"}");
	assert_true(read.import_id == 0 && read.created_ms > 0);
	(void)snprintf(read.is.phone, sizeof(read.is.phone), "+442079460959");
	(void)snprintf(read.custom, sizeof(read.custom), "[]");
	assert_int_equal(db_contact_update(db, &read), -EINVAL);
	(void)snprintf(read.custom, sizeof(read.custom), "%s", digits_of_more());
	assert_int_equal(db_contact_update(db, &read), -EINVAL);
	read.custom[0] = '\0';
	assert_int_equal(db_contact_update(db, &read), 0);
	assert_int_equal(db_contact_get(db, id, &read), 0);
	assert_string_equal(read.custom, "{\"a\": \"b\"}");
	(void)snprintf(read.custom, sizeof(read.custom), "{}");
	assert_int_equal(db_contact_update(db, &read), 0);
	other = add(list, "+442079460958", "", "");
	read.is.id = other;
	assert_int_equal(db_contact_update(db, &read), -EEXIST);
	read.is.id = -1;
	assert_int_equal(db_contact_update(db, &read), -ENOENT);
	assert_int_equal(db_contact_delete(db, id), 0);
	assert_int_equal(db_contact_delete(db, id), -ENOENT);
	assert_int_equal(db_contact_get(db, id, &read), -ENOENT);
}

static void another_number_or_zone_is_looked_at_anew(void **state)
{
	static const struct {
		const char *reason, *field, *value;
		bool due;
	} cases[] = {{"hours", "time_zone", "Europe/Paris", true},
		{"time_zone", "time_zone", "Europe/Paris", true},
		{"attempts_24h", "phone", "+15558880001", true},
		{"busy", "phone", "+15558880002", true},
		{"hours", "phone", "+15558880003", true},
		{"retry", "phone", "+15558880004", false},
		{"", "phone", "+15558880005", false},
		{"hours", "first_name", "Ada", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t campaign = world_campaign(1, 1);
		struct db_contact_full c;

		(void)world_text(
			"UPDATE queue_entries SET reason = '%s',"
			" run_at = now() + interval '1 day' WHERE campaign_id = %lld",
			cases[i].reason, (long long)campaign);
		assert_int_equal(
			db_contact_get(db,
				atoll(world_text("SELECT contact_id FROM queue_entries"
						 " WHERE campaign_id = %lld",
					(long long)campaign)),
				&c),
			0);
		if (strcmp(cases[i].field, "phone") == 0)
			(void)snprintf(
				c.is.phone, sizeof(c.is.phone), "%s", cases[i].value);
		else if (strcmp(cases[i].field, "time_zone") == 0)
			(void)snprintf(
				c.time_zone, sizeof(c.time_zone), "%s", cases[i].value);
		else
			(void)snprintf(c.is.first_name, sizeof(c.is.first_name), "%s",
				cases[i].value);
		assert_int_equal(db_contact_update(db, &c), 0);
		assert_string_equal(
			world_text("SELECT concat_ws(' ', run_at <= now(), reason)"
				   " FROM queue_entries WHERE campaign_id = %lld",
				(long long)campaign),
			cases[i].due ? "t "
				     : world_text("SELECT 'f %s'", cases[i].reason));
	}
}

static void what_is_in_a_call_stays_and_calls_stay_without_it(void **state)
{
	int64_t campaign = world_campaign(1, 2), list, contact, count = 0;
	struct db_claimed call = world_call(db, campaign);
	struct db_contact_full read;

	(void)state;
	contact = atoll(world_text(
		"SELECT contact_id FROM calls WHERE id = %lld", (long long)call.call_id));
	list = atoll(world_text(
		"SELECT list_id FROM contacts WHERE id = %lld", (long long)contact));
	assert_int_equal(db_contact_delete(db, contact), -EBUSY);
	assert_int_equal(db_contact_get(db, contact, &read), 0);
	(void)snprintf(read.is.first_name, sizeof(read.is.first_name), "New");
	assert_int_equal(db_contact_update(db, &read), 0);
	(void)snprintf(read.is.phone, sizeof(read.is.phone), "+15559999999");
	assert_int_equal(db_contact_update(db, &read), -EBUSY);
	assert_int_equal(db_list_clear(db, list, &count), -EBUSY);
	assert_int_equal(db_list_delete(db, list, &count), -EBUSY);
	assert_int_equal(contacts_of(list), 2);
	(void)world_event(db, call.call_id, "completed", 1);
	assert_int_equal(db_list_delete(db, list, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(
		world_text("SELECT contact_id IS NULL AND number <> '' FROM calls"
			   " WHERE id = %lld",
			(long long)call.call_id),
		"t");
}

static void expect_page(const struct db_contact_query *query, const char *phones)
{
	struct db_contact_full *rows = NULL;
	char text[256] = "";
	size_t count = 0;

	assert_int_equal(db_contact_page(db, query, &rows, &count), 0);
	for (size_t i = 0; i < count; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			i == 0 ? "" : " ", rows[i].is.phone + 8);
	free(rows);
	assert_string_equal(text, phones);
}

static void contacts_are_found_by_the_beginnings_of_names_and_numbers(void **state)
{
	int64_t list = new_list("s"), first;

	(void)state;
	first = add(list, "+15552000001", "Ada", "Lovelace");
	(void)add(list, "+15552000102", "Grace", "Adams");
	(void)add(list, "+15552010003", "\xc3\x89va", "O'Hara");
	(void)add(list, "+15552010004", "", "100%_x\\");
	expect_page(&(struct db_contact_query){.list_id = list, .limit = 10},
		"0001 0102 0003 0004");
	expect_page(&(struct db_contact_query){.list_id = list, .limit = 1}, "0001 0102");
	expect_page(
		&(struct db_contact_query){.list_id = list, .after = first, .limit = 10},
		"0102 0003 0004");
	expect_page(
		&(struct db_contact_query){
			.list_id = list, .limit = 10, .phone = "+155520000"},
		"0001");
	expect_page(
		&(struct db_contact_query){
			.list_id = list, .limit = 10, .phone = "+15552"},
		"0001 0102 0003 0004");
	expect_page(
		&(struct db_contact_query){.list_id = list, .limit = 10, .name = "ADA"},
		"0001 0102");
	expect_page(
		&(struct db_contact_query){
			.list_id = list, .limit = 10, .name = "lovelacex"},
		"");
	expect_page(
		&(struct db_contact_query){
			.list_id = list, .limit = 10, .name = "100%_X\\"},
		"0004");
	expect_page(
		&(struct db_contact_query){.list_id = list, .limit = 10, .name = "o'h"},
		"0003");
	expect_page(
		&(struct db_contact_query){
			.list_id = list, .limit = 10, .first = "gra", .last = "ad"},
		"0102");
	expect_page(
		&(struct db_contact_query){
			.list_id = list, .limit = 10, .first = "ada", .last = "ad"},
		"");
}

static void a_search_in_a_long_list_reads_an_index(void **state)
{
	int64_t list = new_list("long");
	const char *plan;

	(void)state;
	(void)world_text("INSERT INTO contacts (list_id, phone, first_name, last_name)"
			 " SELECT %lld, '+1555' || 3000000 + i, 'F' || i, 'L' || i"
			 " FROM generate_series(1, 20000) i",
		(long long)list);
	(void)world_text("ANALYZE contacts");
	plan = world_text(
		"EXPLAIN (FORMAT JSON) SELECT id FROM contacts WHERE list_id = %lld"
		" AND phone ~>=~ '+155530123' AND phone ~<~ '+155530124'",
		(long long)list);
	assert_null(strstr(plan, "Seq Scan"));
	plan = world_text(
		"EXPLAIN (FORMAT JSON) SELECT id FROM contacts WHERE list_id = %lld"
		" AND ((first_name <> '' AND lower(first_name) ~>=~ 'f12345'"
		" AND lower(first_name) ~<~ 'f12346') OR (last_name <> '' AND"
		" lower(last_name) ~>=~ 'f12345' AND lower(last_name) ~<~ 'f12346'))",
		(long long)list);
	assert_null(strstr(plan, "Seq Scan"));
}

static struct db_claim_verdict anybody(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	(void)facts;
	return (struct db_claim_verdict){.allowed = true, .rule = "ok"};
}

static void a_preview_of_a_list_that_is_deleted_gives_another_contact(void **state)
{
	struct db_preview preview = {
		.campaign_id = world_campaign(1, 2), .hold_s = 600, .verdict = anybody};
	struct db *other = db_connect();
	int64_t first = 0, second = 0;

	(void)state;
	preview.user_id = atoll(
		world_text("SELECT user_id FROM agent_sessions WHERE campaign_id = %lld",
			(long long)preview.campaign_id));
	assert_int_equal(db_entry_preview(db, &preview, &first), 0);
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(db_run(other,
				 "DELETE FROM contacts WHERE id = (SELECT contact_id"
				 " FROM queue_entries WHERE id = $1)",
				 ARGS(arg_int(first)), NULL),
		0);
	assert_int_equal(db_entry_preview(db, &preview, &second), 0);
	assert_int_not_equal(second, first);
	db_rollback(other);
	db_close(&other);
	assert_int_equal(db_entry_preview(db, &preview, &second), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read_as_it_was_written),
		cmocka_unit_test(a_list_that_was_moved_is_dialled_by_its_campaign_only),
		cmocka_unit_test(a_list_counts_its_contacts_whoever_adds_or_removes_them),
		cmocka_unit_test(a_contact_is_read_as_it_was_written),
		cmocka_unit_test(another_number_or_zone_is_looked_at_anew),
		cmocka_unit_test(what_is_in_a_call_stays_and_calls_stay_without_it),
		cmocka_unit_test(
			contacts_are_found_by_the_beginnings_of_names_and_numbers),
		cmocka_unit_test(a_search_in_a_long_list_reads_an_index),
		cmocka_unit_test(
			a_preview_of_a_list_that_is_deleted_gives_another_contact),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
