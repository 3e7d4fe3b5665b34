/* test_db_campaigns.c: campaigns, their leases, lists, imports and queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/campaigns.h"
#include "db/data_lists.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

static struct db *db;

static int setup(void **state)
{
	int rc = db_cluster_setup(state);

	if (rc == 0)
		db = db_connect();
	return rc;
}

static int teardown(void **state)
{
	db_close(&db);
	return db_cluster_teardown(state);
}

static struct db_campaign plain(void)
{
	return (struct db_campaign){.name = "Plain",
		.description = "d",
		.dial_method = "progressive",
		.caller_id = "+15551230000",
		.batch_size = 5,
		.call_gap_ms = 100,
		.batch_gap_ms = 200,
		.ring_timeout_s = 25,
		.wrap_up_s = 7,
		.max_attempts = 4,
		.max_attempts_24h = 2,
		.preview_s = 30,
		.priority = 3,
		.weight = 20,
		.retry_after_s = {60, 70, 80, 90, 100, 110, 120},
		.retry_max = {1, 2, 3, 4, 5, 6, 7},
		.hours = "mon 09:00-17:00",
		.hours_zone = "contact",
		.time_zone = "Europe/London",
		.fallback_zone = "Asia/Kolkata",
		.record = true,
		.announcement_text = "This call is recorded.",
		.announcement_url = "https://example.com/a.wav",
		.recording_days = 30,
		.amd = "detect",
		.script = "Good day",
		.limits = {1000, 2000, 12.5, 99.75, 0.014}};
}

static int64_t new_campaign(void)
{
	struct db_campaign campaign = plain();
	int64_t id = 0;

	assert_int_equal(db_campaign_create(db, &campaign, &id), 0);
	return id;
}

static void note(int64_t id, const char *node, const char *reason, int64_t said)
{
	const struct db_campaign_note told = {
		.id = id, .node = node, .code = "gap", .reason = reason, .said = said};

	assert_int_equal(db_campaign_note(db, &told), 0);
}

static void a_campaign_is_read_as_it_was_written(void **state)
{
	struct db_campaign c, *all = NULL;
	int64_t id = new_campaign();
	size_t count = 0;

	(void)state;
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_string_equal(c.state, "draft");
	assert_true(c.id == id && !c.auto_dial && c.wrap_up_s == 7 && c.archived_ms == 0);
	assert_memory_equal(
		c.retry_after_s, plain().retry_after_s, sizeof(c.retry_after_s));
	assert_memory_equal(c.retry_max, plain().retry_max, sizeof(c.retry_max));
	assert_true(c.max_attempts_24h == 2 && c.preview_s == 30 && c.priority == 3 &&
		    c.weight == 20 && c.record);
	assert_string_equal(c.hours, plain().hours);
	assert_string_equal(c.time_zone, "Europe/London");
	assert_string_equal(c.fallback_zone, "Asia/Kolkata");
	assert_string_equal(c.announcement_text, plain().announcement_text);
	assert_string_equal(c.announcement_url, plain().announcement_url);
	assert_int_equal(c.recording_days, 30);
	assert_string_equal(c.amd, "detect");
	assert_string_equal(c.script, "Good day");
	assert_true(c.limits.calls_day == 1000 && c.limits.minutes_day == 2000);
	assert_true(c.limits.cost_day == 12.5 && c.limits.cost == 99.75 &&
		    c.limits.cost_per_minute == 0.014);
	(void)snprintf(c.name, sizeof(c.name), "Other");
	c.max_attempts = 9;
	assert_int_equal(db_campaign_update(db, &c), 0);
	/* Written in either order: the one that was said later stands. */
	note(id, NODE, "nobody is ready", 2);
	note(id, NODE, "all were dialled", 1);
	assert_int_equal(db_campaign_list(db, 0, &all, &count), 0);
	assert_string_equal(all[count - 1].name, "Other");
	assert_string_equal(all[count - 1].run_reason, "nobody is ready");
	assert_int_equal(all[count - 1].max_attempts, 9);
	free(all);
	c.batch_size = 0;
	assert_int_equal(db_campaign_update(db, &c), -EINVAL);
	c = plain();
	c.id = -1;
	assert_int_equal(db_campaign_update(db, &c), -ENOENT);
	assert_int_equal(db_campaign_get(db, -1, &c), -ENOENT);
	(void)snprintf(c.caller_id, sizeof(c.caller_id), "0123");
	assert_int_equal(db_campaign_create(db, &c, &id), -EINVAL);
}

static void a_completed_campaign_stays_completed(void **state)
{
	int64_t id = new_campaign();
	struct db_campaign c;

	(void)state;
	assert_int_equal(db_campaign_set_state(db, id, "draft"), -EINVAL);
	assert_int_equal(db_campaign_auto_dial(db, id, true), 0);
	assert_int_equal(db_campaign_auto_dial(db, id, true), -EALREADY);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_true(c.auto_dial && strcmp(c.state, "active") == 0);
	assert_int_equal(db_campaign_auto_dial(db, id, false), 0);
	assert_int_equal(db_campaign_auto_dial(db, id, false), -EALREADY);
	assert_int_equal(db_campaign_auto_dial(db, id, true), 0);
	assert_int_equal(db_campaign_set_state(db, id, "paused"), 0);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_false(c.auto_dial);
	assert_int_equal(db_campaign_set_state(db, id, "completed"), 0);
	assert_int_equal(db_campaign_set_state(db, id, "active"), -EINVAL);
	assert_int_equal(db_campaign_auto_dial(db, id, true), -EINVAL);
	assert_int_equal(db_campaign_set_state(db, -1, "active"), -ENOENT);
	assert_int_equal(db_campaign_auto_dial(db, -1, true), -ENOENT);
}

static int64_t of_campaign(int64_t campaign, const char *column, const char *table)
{
	return strtoll(world_text("SELECT %s FROM %s WHERE campaign_id = %lld", column,
			       table, (long long)campaign),
		NULL, 10);
}

static void an_archived_campaign_is_hidden_with_its_history(void **state)
{
	int64_t busy = world_campaign(1, 1), id = new_campaign();
	struct db_campaign c, *all = NULL;
	size_t count = 0;

	(void)state;
	world_tables(db, 1000);
	(void)world_call(db, busy);
	assert_int_equal(db_campaign_archive(db, busy), -EBUSY);
	assert_int_equal(db_campaign_auto_dial(db, busy, false), 0);
	assert_int_equal(db_campaign_archive(db, id), 0);
	assert_int_equal(db_campaign_archive(db, id), -EALREADY);
	assert_int_equal(db_campaign_archive(db, -1), -ENOENT);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_true(c.archived_ms > 0 && strcmp(c.state, "completed") == 0);
	assert_int_equal(db_campaign_update(db, &c), -ENOENT);
	assert_int_equal(
		db_campaign_join(db, id, of_campaign(busy, "user_id", "campaign_agents")),
		-ENOENT);
	assert_int_equal(db_list_assign(db, of_campaign(busy, "id", "data_lists"), id, 0),
		-ENOENT);
	assert_int_equal(db_campaign_list(db, 0, &all, &count), 0);
	for (size_t i = 0; i < count; i++)
		assert_true(all[i].id != id);
	free(all);
}

static size_t lease(const char *node, unsigned ms)
{
	struct db_campaign *campaigns = NULL;
	size_t count = 0;

	assert_int_equal(db_campaign_lease(db, node, ms, &campaigns, &count), 0);
	free(campaigns);
	return count;
}

static void one_node_runs_a_campaign_until_its_lease_is_over(void **state)
{
	int64_t id = new_campaign();

	(void)state;
	assert_int_equal(lease(NODE, 10000), 0);
	assert_int_equal(db_campaign_auto_dial(db, id, true), 0);
	assert_int_equal(lease(NODE, 10000), 1);
	assert_int_equal(lease(OTHER_NODE, 10000), 0);
	assert_int_equal(lease(NODE, 0), 1); /* its own at any time */
	assert_int_equal(lease(OTHER_NODE, 10000), 1);
	assert_int_equal(lease(NODE, 10000), 0);
	assert_int_equal(db_campaign_auto_dial(db, id, false), 0);
	assert_int_equal(lease(OTHER_NODE, 10000), 0);
}

static void who_has_lost_a_campaign_says_nothing_about_it(void **state)
{
	struct db_campaign c;
	int64_t id = new_campaign();

	(void)state;
	assert_int_equal(db_campaign_auto_dial(db, id, true), 0);
	assert_int_equal(lease(NODE, 0), 1);
	note(id, NODE, "the first", 1);
	assert_int_equal(lease(OTHER_NODE, 10000), 1);
	note(id, OTHER_NODE, "the other", 2);
	note(id, NODE, "stopped", 3);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_string_equal(c.run_reason, "the other");
	/* Nobody else has it any more: whoever had it may say why nothing is dialled. */
	assert_int_equal(lease(OTHER_NODE, 0), 1);
	note(id, NODE, "stopped", 4);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_string_equal(c.run_reason, "stopped");
	assert_int_equal(db_campaign_auto_dial(db, id, false), 0);
}

static void who_starts_again_is_not_said_to_have_stopped(void **state)
{
	int64_t id = new_campaign();
	struct db_campaign_note late = {.id = id,
		.node = NODE,
		.code = "stopped",
		.reason = "It is stopped.",
		.said = 2};
	struct db_campaign c;

	(void)state;
	assert_int_equal(db_campaign_auto_dial(db, id, true), 0);
	note(id, NODE, "a gap", 1);
	assert_int_equal(db_campaign_auto_dial(db, id, false), 0);
	assert_int_equal(db_campaign_note(db, &late), 0);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_string_equal(c.run_code, "stopped");
	assert_int_equal(db_campaign_auto_dial(db, id, true), 0);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_true(c.run_code[0] == '\0' && c.run_reason[0] == '\0');
	/* The stop is told of late. */
	late.said = 3;
	assert_int_equal(db_campaign_note(db, &late), 0);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_string_equal(c.run_code, "");
	late = (struct db_campaign_note){.id = id,
		.node = NODE,
		.code = "limit",
		.reason = "The day is full.",
		.next_ms = 4102444800123,
		.said = 4};
	assert_int_equal(db_campaign_note(db, &late), 0);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_string_equal(c.run_code, "limit");
	assert_true(c.run_next_ms == 4102444800123);
	note(id, NODE, "a gap", 5);
	assert_int_equal(db_campaign_get(db, id, &c), 0);
	assert_true(strcmp(c.run_code, "gap") == 0 && c.run_next_ms == 0);
	assert_int_equal(db_campaign_auto_dial(db, id, false), 0);
}

static int queue_page(int64_t campaign, const char *state, int64_t after, unsigned limit,
	struct db_entry **ret_entries, size_t *ret_count)
{
	return db_queue_page(db,
		&(struct db_queue_query){.campaign_id = campaign,
			.state = state,
			.after = after,
			.limit = limit},
		ret_entries, ret_count);
}

static int64_t generate(int64_t campaign, int64_t max, int most_ms)
{
	struct db_generate made = {.max = max, .most_ms = most_ms};

	assert_int_equal(db_queue_generate(db, campaign, &made), 0);
	assert_true(made.more == (most_ms == 0));
	return made.added;
}

static void a_queue_is_made_once_and_read_in_pages(void **state)
{
	int64_t campaign = new_campaign(), other = new_campaign(), list = 0;
	struct db_contact_full contact = {.custom = "{}"};
	struct db_queue_stats stats;
	struct db_entry *entries = NULL, entry;
	size_t count = 0;
	int64_t last;

	(void)state;
	assert_int_equal(db_list_create(db,
				 &(struct db_list){.name = "q",
					 .campaign_id = campaign,
					 .active = true,
					 .blend_weight = 100},
				 &list),
		0);
	contact.is.list_id = list;
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(contact.is.phone, sizeof(contact.is.phone),
			"+1555000100%u", i % 10);
		assert_int_equal(db_contact_create(db, &contact, &contact.is.id), 0);
	}
	assert_int_equal(generate(campaign, 3, 60000), 3);
	assert_int_equal(generate(campaign, 100, 60000), 2);
	assert_int_equal(generate(campaign, 100, 60000), 0);
	assert_int_equal(queue_page(campaign, "pending", 0, 2, &entries, &count), 0);
	assert_int_equal(count, 3); /* one more tells of a next page */
	last = entries[1].id;
	free(entries);
	assert_int_equal(queue_page(campaign, NULL, last, 10, &entries, &count), 0);
	assert_int_equal(count, 3);
	assert_string_equal(entries[0].list_name, "q");
	assert_true(entries[0].agent_id == 0 && entries[0].dialed_ms == 0);
	assert_int_equal(db_entry_get(db, campaign, entries[0].id, &entry), 0);
	assert_true(entry.contact.id == entries[0].contact.id && entry.priority == 2);
	assert_int_equal(db_entry_get(db, other, entries[0].id, &entry), -ENOENT);
	free(entries);
	assert_int_equal(queue_page(campaign, "skipped", 0, 2, &entries, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(db_queue_stats(db, campaign, &stats), 0);
	assert_true(stats.total == 5 && stats.pending == 5 && stats.skipped == 0);
}

/* Of 30,000 and 10,000 contacts with weights 60 and 20, three of the first to one of the other. */
static void a_long_queue_is_made_in_steps_that_mix_and_keep_what_is_there(void **state)
{
	long long campaign = new_campaign();
	int64_t a, b;

	(void)state;
	a = strtoll(world_text("INSERT INTO data_lists (campaign_id, name, blend_weight)"
			       " VALUES (%lld, 'a', 60) RETURNING id",
			    campaign),
		NULL, 10);
	b = strtoll(world_text("INSERT INTO data_lists (campaign_id, name, blend_weight)"
			       " VALUES (%lld, 'b', 20) RETURNING id",
			    campaign),
		NULL, 10);
	(void)world_text("INSERT INTO contacts (list_id, phone)"
			 " SELECT CASE WHEN g <= 30000 THEN %lld ELSE %lld END,"
			 "  '+1555' || 1000000 + g FROM generate_series(1, 40000) g",
		(long long)a, (long long)b);
	/* One in the middle is in a call, one at the end was dialled: neither is touched. */
	(void)world_text(
		"INSERT INTO queue_entries (campaign_id, contact_id, state)"
		" SELECT %lld, id, CASE phone WHEN '+15551040000' THEN 'completed'"
		"  ELSE 'dialing' END FROM contacts WHERE list_id IN (%lld, %lld)"
		" AND phone IN ('+15551015000', '+15551040000')",
		campaign, (long long)a, (long long)b);
	assert_int_equal(
		generate(campaign, 100000, 0), 20000); /* no time for a second step */
	assert_int_equal(generate(campaign, 100000, 60000), 19998);
	assert_string_equal(world_text("SELECT count(DISTINCT contact_id) || ' ' ||"
				       " count(*) FILTER (WHERE state <> 'pending')"
				       " FROM queue_entries WHERE campaign_id = %lld",
				    campaign),
		"40000 2");
	/* now() is a transaction's. */
	assert_string_equal(
		world_text("SELECT count(DISTINCT queued_at) FROM queue_entries"
			   " WHERE campaign_id = %lld AND state = 'pending'",
			campaign),
		"2");
	assert_string_equal(
		world_text(
			"SELECT max(abs(n * 3 / 4.0 - of_a)) < 4 FROM (SELECT"
			" row_number() OVER (ORDER BY q.id) AS n, count(*)"
			"  FILTER (WHERE c.list_id = %lld) OVER (ORDER BY q.id) AS of_a"
			" FROM queue_entries q JOIN contacts c ON c.id = q.contact_id"
			" WHERE q.campaign_id = %lld AND q.state = 'pending') m",
			(long long)a, campaign),
		"t");
	assert_int_equal(generate(campaign, 100000, 60000), 0);
}

/* Its entries have no foreign key of their own: their counts have it. */
static void an_entry_needs_its_campaign(void **state)
{
	int64_t contact = db_number("SELECT min(id) FROM contacts");
	PGconn *conn = PQconnectdb(db_cluster_url);
	char sql[160];
	PGresult *result;

	(void)state;
	(void)snprintf(sql, sizeof(sql),
		"INSERT INTO queue_entries (campaign_id, contact_id) VALUES (999999, %lld)",
		(long long)contact);
	result = PQexec(conn, sql);
	assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "23503");
	PQclear(result);
	result = PQexec(conn, "DELETE FROM campaigns WHERE id IN (SELECT campaign_id"
			      " FROM queue_entries LIMIT 1)");
	assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "23503");
	PQclear(result);
	PQfinish(conn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_campaign_is_read_as_it_was_written),
		cmocka_unit_test(a_completed_campaign_stays_completed),
		cmocka_unit_test(an_archived_campaign_is_hidden_with_its_history),
		cmocka_unit_test(one_node_runs_a_campaign_until_its_lease_is_over),
		cmocka_unit_test(who_has_lost_a_campaign_says_nothing_about_it),
		cmocka_unit_test(who_starts_again_is_not_said_to_have_stopped),
		cmocka_unit_test(a_queue_is_made_once_and_read_in_pages),
		cmocka_unit_test(
			a_long_queue_is_made_in_steps_that_mix_and_keep_what_is_there),
		cmocka_unit_test(an_entry_needs_its_campaign),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
