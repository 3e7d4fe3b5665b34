/* test_db_users.c: managing people, their keys, first answers, and the audit log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/api_keys.h"
#include "db/audit.h"
#include "db/campaigns.h"
#include "db/idempotency.h"
#include "db/sessions.h"
#include "db/users.h"
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

static int64_t new_user(const char *name, const char *role)
{
	struct db_user user = {.password_hash = "$y$", .active = true};
	int64_t id = 0;

	(void)snprintf(user.username, sizeof(user.username), "%s", name);
	(void)snprintf(user.name, sizeof(user.name), "Name of %s", name);
	(void)snprintf(user.role, sizeof(user.role), "%s", role);
	assert_int_equal(db_user_create(db, &user, &id), 0);
	return id;
}

static int update(const struct db_user_change *change)
{
	int64_t session = 0;

	return db_user_update(db, change, &session);
}

/* ---- people ---- */

static void users_are_found_by_role_activity_and_part_of_a_name(void **state)
{
	int64_t boss = new_user("find-boss", "supervisor");
	int64_t ana = new_user("find-ana", "agent"), bo = new_user("find-bo%_", "agent");
	struct db_user *rows = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(update(&(struct db_user_change){.id = bo, .active = 0}), 0);
	assert_int_equal(db_user_page(db,
				 &(struct db_user_filter){
					 .search = "FIND-", .active = -1, .limit = 2},
				 &rows, &count),
		0);
	assert_int_equal(count, 3); /* one more: there is a next page */
	assert_true(rows[0].id == boss && rows[1].id == ana);
	assert_true(rows[0].created_ms > 0);
	free(rows);
	assert_int_equal(db_user_page(db,
				 &(struct db_user_filter){.search = "of find-",
					 .role = "agent",
					 .active = 1,
					 .after = boss,
					 .limit = 9},
				 &rows, &count),
		0);
	assert_true(count == 1 && rows[0].id == ana);
	free(rows);
	/* What is special in patterns is a character like any other. */
	assert_int_equal(db_user_page(db,
				 &(struct db_user_filter){
					 .search = "%_", .active = -1, .limit = 9},
				 &rows, &count),
		0);
	assert_true(count == 1 && rows[0].id == bo);
	free(rows);
}

static void a_new_password_ends_the_other_sessions(void **state)
{
	const unsigned char one[32] = "pass one", two[32] = "pass two";
	int64_t id = new_user("pass", "supervisor"), kept = 0, other = 0;
	struct db_user user;

	(void)state;
	assert_int_equal(db_session_create(db, one, id, 3600), 0);
	assert_int_equal(db_session_create(db, two, id, 3600), 0);
	assert_int_equal(db_session_user(db, one, &user, &kept), 0);
	assert_int_equal(db_session_user(db, two, &user, &other), 0);
	assert_int_not_equal(kept, other);
	assert_int_equal(update(&(struct db_user_change){.id = id,
				 .password_hash = "$new$",
				 .active = -1,
				 .keep_session = kept}),
		0);
	assert_int_equal(db_session_user(db, one, &user, &kept), 0);
	assert_string_equal(user.password_hash, "$new$");
	assert_int_equal(db_session_user(db, two, &user, &other), -ENOENT);
}

static void deactivation_ends_sessions_keys_and_phone_and_keeps_the_past(void **state)
{
	const unsigned char token[32] = "gone";
	struct db_user user = {.username = "gone",
		.name = "Gone",
		.role = "agent",
		.password_hash = "$y$",
		.active = true};
	struct db_sip_account account = {
		.username = "gone", .ha1_md5 = "m", .ha1_sha256 = "s"};
	struct db_registration phone = {.contact = "sip:x", .expires_s = 60};
	struct db_api_key key = {.name = "k", .role = "agent"};
	unsigned char sha[32] = "secret", got[32];
	int64_t session;

	(void)state;
	assert_int_equal(db_agent_create(db, &user, &account, NULL, &user.id), 0);
	assert_int_equal(db_registration_put(db, "gone", &phone), 0);
	assert_int_equal(db_session_create(db, token, user.id, 3600), 0);
	key.user_id = user.id;
	assert_int_equal(db_api_key_create(db, &key, sha, &key.id), 0);
	assert_int_equal(db_api_key_find(db, key.id, &key, &user, got), 0);
	assert_memory_equal(sha, got, 32);

	assert_int_equal(update(&(struct db_user_change){.id = user.id, .active = 0}), 0);
	assert_int_equal(db_session_user(db, token, &user, &session), -ENOENT);
	assert_int_equal(db_api_key_find(db, key.id, &key, &user, got), -ENOENT);
	assert_int_equal(db_registration_find(db, user.id, &phone), -ENOENT);
	assert_int_equal(db_sip_account_find(db, "gone", &account), -ENOENT);
	assert_int_equal(db_user_get(db, user.id, &user), 0);
	assert_false(user.active);

	/* Who comes back signs in anew: what had ended stays ended. */
	assert_int_equal(update(&(struct db_user_change){.id = user.id, .active = 1}), 0);
	assert_int_equal(db_session_user(db, token, &user, &session), -ENOENT);
	assert_int_equal(db_api_key_find(db, key.id, &key, &user, got), -ENOENT);
	assert_int_equal(db_sip_account_find(db, "gone", &account), 0);
}

static void a_deactivated_agent_is_signed_out_at_once_or_after_its_call(void **state)
{
	int64_t campaign = world_campaign(2, 2), touched = 0;
	struct db_claimed call = world_call(db, campaign);
	struct db_agent_session busy, idle, *swept = NULL;
	size_t count = 0;
	int64_t other;

	(void)state;
	assert_int_equal(db_agent_session_get(db, call.session_id, &busy), 0);
	other = strtoll(
		world_text("SELECT user_id FROM agent_sessions WHERE campaign_id ="
			   " %lld AND id <> %lld",
			(long long)campaign, (long long)busy.id),
		NULL, 10);
	assert_int_equal(
		db_user_update(
			db, &(struct db_user_change){.id = other, .active = 0}, &touched),
		0);
	assert_int_equal(db_agent_session_get(db, touched, &idle), 0);
	assert_string_equal(idle.state, "offline");

	assert_int_equal(
		db_user_update(db,
			&(struct db_user_change){.id = busy.user_id, .active = 0},
			&touched),
		0);
	assert_int_equal(touched, busy.id);
	assert_int_equal(db_agent_session_get(db, busy.id, &busy), 0);
	assert_string_equal(busy.state, "reserved");
	assert_false(busy.wants_ready);
	assert_int_equal(db_sweep(db, NODE, &swept, &count), 0);
	free(swept);
	assert_int_equal(db_agent_session_get(db, busy.id, &busy), 0);
	assert_string_equal(busy.state, "reserved");

	(void)world_event(db, call.call_id, "answered", 1);
	(void)world_event(db, call.call_id, "completed", 2);
	swept = NULL;
	assert_int_equal(db_sweep(db, NODE, &swept, &count), 0);
	free(swept);
	assert_int_equal(db_agent_session_get(db, busy.id, &busy), 0);
	assert_string_equal(busy.state, "offline");
	assert_string_equal(busy.pause_reason, "deactivated");
}

static void an_agent_that_is_signed_in_keeps_its_role(void **state)
{
	int64_t campaign = world_campaign(1, 1), user, session;

	(void)state;
	user = strtoll(world_text("SELECT user_id FROM agent_sessions WHERE campaign_id ="
				  " %lld",
			       (long long)campaign),
		NULL, 10);
	assert_int_equal(update(&(struct db_user_change){
				 .id = user, .role = "supervisor", .active = -1}),
		-EBUSY);
	assert_int_equal(update(&(struct db_user_change){
				 .id = user, .role = "agent", .active = -1}),
		0);
	session = strtoll(world_text("SELECT id FROM agent_sessions WHERE user_id = %lld",
				  (long long)user),
		NULL, 10);
	/* While it is signed in there it sees the campaign, on its list or not. */
	assert_int_equal(db_agent_on_campaign(db, user, campaign), 0);
	assert_int_equal(db_agent_session_end(db, session), 0);
	assert_int_equal(db_agent_on_campaign(db, user, campaign), -ENOENT);
	assert_int_equal(db_campaign_join(db, campaign, user), 0);
	assert_int_equal(db_agent_on_campaign(db, user, campaign), 0);
	assert_int_equal(update(&(struct db_user_change){
				 .id = user, .role = "supervisor", .active = -1}),
		0);
	/* It is on no campaign any more. */
	assert_int_equal(db_agent_on_campaign(db, user, campaign), -ENOENT);
}

/* ---- the last administrator ---- */

static int64_t active_admins(void)
{
	return db_number("SELECT count(*) FROM users WHERE role = 'admin' AND active");
}

static void the_last_active_admin_can_be_neither_deactivated_nor_demoted(void **state)
{
	int64_t one, two;

	(void)state;
	(void)db_text("UPDATE users SET active = false WHERE role = 'admin'");
	one = new_user("last-one", "admin");
	two = new_user("last-two", "admin");
	assert_int_equal(update(&(struct db_user_change){.id = one, .active = 0}), 0);
	assert_int_equal(
		update(&(struct db_user_change){.id = two, .active = 0}), -EPERM);
	assert_int_equal(update(&(struct db_user_change){
				 .id = two, .role = "supervisor", .active = -1}),
		-EPERM);
	/* Nobody is kept by who is no admin, or may not sign in. */
	assert_int_equal(update(&(struct db_user_change){.id = one, .active = 0}), 0);
	assert_int_equal(
		update(&(struct db_user_change){.id = two, .name = "x", .active = -1}),
		0);
	assert_int_equal(active_admins(), 1);
}

static void *deactivate(void *arg)
{
	struct db *own = db_connect();
	int64_t session;

	(void)db_user_update(own,
		&(struct db_user_change){.id = *(int64_t *)arg, .active = 0}, &session);
	db_close(&own);
	return NULL;
}

static void two_admins_who_remove_each_other_do_not_both_succeed(void **state)
{
	pthread_t threads[2];
	int64_t ids[2];
	char name[32];

	(void)state;
	for (int round = 0; round < 20; round++) {
		(void)db_text("UPDATE users SET active = false WHERE role = 'admin'");
		for (int i = 0; i < 2; i++) {
			(void)snprintf(name, sizeof(name), "duel-%d-%d", round, i);
			ids[i] = new_user(name, "admin");
		}
		for (int i = 0; i < 2; i++)
			assert_int_equal(
				pthread_create(&threads[i], NULL, deactivate, &ids[i]),
				0);
		for (int i = 0; i < 2; i++)
			(void)pthread_join(threads[i], NULL);
		assert_int_equal(active_admins(), 1);
	}
}

/* ---- keys ---- */

static void a_key_is_never_above_what_its_user_has_become(void **state)
{
	int64_t user = new_user("keys", "admin");
	struct db_api_key key = {.user_id = user, .name = "k", .role = "admin"};
	struct db_user who;
	unsigned char sha[32] = {0}, got[32];

	(void)state;
	(void)new_user("keys-other-admin", "admin");
	assert_int_equal(db_api_key_create(db, &key, sha, &key.id), 0);
	assert_int_equal(db_api_key_find(db, key.id, &key, &who, got), 0);
	assert_string_equal(who.role, "admin");
	assert_int_equal(update(&(struct db_user_change){
				 .id = user, .role = "supervisor", .active = -1}),
		0);
	assert_int_equal(db_api_key_find(db, key.id, &key, &who, got), 0);
	assert_string_equal(who.role, "supervisor");
	assert_string_equal(key.role, "supervisor");
}

static void a_key_ends_when_revoked_or_expired(void **state)
{
	int64_t user = new_user("ends", "supervisor"), soon, revoked, good;
	struct db_api_key key = {.user_id = user, .name = "k", .role = "agent"}, *all;
	struct db_user who;
	unsigned char sha[32] = {0}, got[32];
	struct db_grant grants[4], *ended = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_api_key_create(db, &key, sha, &good), 0);
	assert_int_equal(db_api_key_create(db, &key, sha, &revoked), 0);
	key.expires_ms = 1000;
	assert_int_equal(db_api_key_create(db, &key, sha, &soon), 0);
	assert_int_equal(db_api_key_revoke(db, revoked), 0);
	assert_int_equal(db_api_key_revoke(db, revoked), -ENOENT);
	assert_int_equal(db_api_key_find(db, revoked, &key, &who, got), -ENOENT);
	assert_int_equal(db_api_key_find(db, soon, &key, &who, got), -ENOENT);
	assert_int_equal(db_api_key_find(db, good, &key, &who, got), 0);
	assert_true(who.id == user && key.expires_ms == 0 && key.last_used_ms == 0);
	assert_int_equal(db_api_key_used(db, good), 0);
	assert_int_equal(db_api_key_find(db, good, &key, &who, got), 0);
	assert_true(key.last_used_ms > 0);

	assert_int_equal(db_api_key_page(db, user, 0, 10, &all, &count), 0);
	assert_int_equal(count, 2); /* the expired one is still to be seen */
	free(all);
	grants[0] = (struct db_grant){-good, false};
	grants[1] = (struct db_grant){-revoked, false};
	grants[2] = (struct db_grant){-soon, false};
	grants[3] = (struct db_grant){999999, false}; /* no such session */
	assert_int_equal(db_grants_ended(db, grants, 4, &ended, &count), 0);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		assert_true(ended[i].id != -good);
	free(ended);
}

/* ---- first answers ---- */

static struct db_idempotency_request question(const char *key)
{
	return (struct db_idempotency_request){.principal = "u1",
		.route = "POST /x",
		.key = key,
		.sha256 = "body",
		.node = NODE,
		.deadline_s = 60,
		.lives_s = 3600};
}

static enum db_idempotency_state ask(
	const struct db_idempotency_request *request, struct db_idempotency *found)
{
	assert_int_equal(db_idempotency_begin(db, request, found), 0);
	return found->state;
}

static void the_first_answer_is_given_again(void **state)
{
	struct db_idempotency_request request = question("again");
	struct db_idempotency found;
	int64_t row;

	(void)state;
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
	row = found.id;
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_OPEN);
	assert_int_equal(db_idempotency_finish(db, row, 201, "{\"a\":1}"), 0);
	assert_int_equal(db_idempotency_finish(db, row, 500, "other"), -ENOENT);
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_DONE);
	assert_int_equal(found.status, 201);
	assert_string_equal(found.body, "{\"a\":1}");
	free(found.body);
	/* Done is done: nothing opens it again. */
	assert_int_equal(db_idempotency_release(db, row), 0);
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_DONE);
	free(found.body);

	request.sha256[0] ^= 1;
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_MISMATCH);
	request.sha256[0] ^= 1;
	request.principal = "k1";
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
	request.principal = "u1";
	request.route = "POST /y";
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
}

static void an_answer_with_a_secret_leaves_only_its_status(void **state)
{
	struct db_idempotency_request request = question("secret");
	struct db_idempotency found;

	(void)state;
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
	assert_int_equal(db_idempotency_finish(db, found.id, 201, NULL), 0);
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_DONE);
	assert_true(found.status == 201 && found.body == NULL);
}

static void what_was_interrupted_is_lost_and_not_done_again(void **state)
{
	struct db_idempotency_request request = question("lost");
	struct db_idempotency found;

	(void)state;
	request.deadline_s = 0;
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_LOST);

	/* A new worker of the node knows that the old one is gone. */
	request = question("restart");
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
	assert_int_equal(db_idempotency_abandon(db, OTHER_NODE), 0);
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_OPEN);
	assert_int_equal(db_idempotency_abandon(db, NODE), 0);
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_LOST);
}

static void a_key_may_be_used_anew_when_nothing_was_done_or_its_day_is_over(void **state)
{
	struct db_idempotency_request request = question("free");
	struct db_idempotency found;

	(void)state;
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
	assert_int_equal(db_idempotency_release(db, found.id), 0);
	request.lives_s = 0;
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
	assert_int_equal(db_idempotency_finish(db, found.id, 200, "{}"), 0);
	request.sha256[0] ^= 1;
	assert_int_equal(ask(&request, &found), DB_IDEMPOTENCY_NEW);
	assert_int_equal(db_idempotency_sweep(db), 0);
	assert_int_equal(
		db_number("SELECT count(*) FROM idempotency_keys WHERE key = 'free'"), 0);
	assert_true(db_number("SELECT count(*) FROM idempotency_keys") > 0);
}

static atomic_int won;

static void *race(void *arg)
{
	struct db_idempotency_request request = question(arg);
	struct db_idempotency found = {.body = NULL};
	struct db *own = db_connect();

	assert_int_equal(db_idempotency_begin(own, &request, &found), 0);
	if (found.state == DB_IDEMPOTENCY_NEW)
		atomic_fetch_add(&won, 1);
	else
		assert_int_equal(found.state, DB_IDEMPOTENCY_OPEN);
	db_close(&own);
	return NULL;
}

static void of_many_at_once_one_is_first(void **state)
{
	pthread_t threads[8];

	(void)state;
	atomic_store(&won, 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, "race"), 0);
	for (int i = 0; i < 8; i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&won), 1);
}

/* ---- the audit log ---- */

static void the_audit_log_is_written_read_and_never_changed(void **state)
{
	int64_t user = new_user("audited", "supervisor");
	struct db_audit entry = {.user_id = user,
		.username = "audited",
		.role = "supervisor",
		.address = "192.0.2.1",
		.method = "PUT",
		.route = "/api/users/:userId",
		.status = 200,
		.targets = "{\"userId\":\"7\"}",
		.fields = "{\"name\":\"x\"}"};
	struct db_audit *rows = NULL;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(db_audit_add(db, &entry), 0);
	entry.user_id = 0;
	memcpy(entry.method, "POST", sizeof("POST"));
	assert_int_equal(db_audit_add(db, &entry), 0);
	assert_int_equal(
		db_audit_page(db, &(struct db_audit_filter){.user_id = user, .limit = 2},
			&rows, &count),
		0);
	assert_int_equal(count, 3);
	assert_true(rows[0].id > rows[1].id && rows[0].at_ms > 0);
	assert_string_equal(rows[0].targets, "{\"userId\": \"7\"}");
	free(rows);
	assert_int_equal(db_audit_page(db,
				 &(struct db_audit_filter){.method = "POST",
					 .route = "/api/users/:userId",
					 .since_ms = 1,
					 .limit = 9},
				 &rows, &count),
		0);
	assert_int_equal(count, 1);
	free(rows);
	assert_int_equal(
		db_audit_page(db, &(struct db_audit_filter){.until_ms = 1, .limit = 9},
			&rows, &count),
		0);
	assert_int_equal(count, 0);
	/* Each is tried in a block that swallows the refusal. */
	(void)db_text("CREATE FUNCTION try(sql text) RETURNS bool LANGUAGE plpgsql AS $$"
		      " BEGIN EXECUTE sql; RETURN true;"
		      " EXCEPTION WHEN check_violation THEN RETURN false; END $$");
	assert_int_equal(db_number("SELECT count(*) FROM unnest(ARRAY["
				   "'UPDATE audit_log SET status = 0',"
				   "'DELETE FROM audit_log WHERE id > 0',"
				   "'TRUNCATE audit_log']) s WHERE try(s)"),
		0);
	assert_int_equal(
		db_number("SELECT count(*) FROM audit_log WHERE status = 200"), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found_by_role_activity_and_part_of_a_name),
		cmocka_unit_test(a_new_password_ends_the_other_sessions),
		cmocka_unit_test(
			deactivation_ends_sessions_keys_and_phone_and_keeps_the_past),
		cmocka_unit_test(
			a_deactivated_agent_is_signed_out_at_once_or_after_its_call),
		cmocka_unit_test(an_agent_that_is_signed_in_keeps_its_role),
		cmocka_unit_test(
			the_last_active_admin_can_be_neither_deactivated_nor_demoted),
		cmocka_unit_test(two_admins_who_remove_each_other_do_not_both_succeed),
		cmocka_unit_test(a_key_is_never_above_what_its_user_has_become),
		cmocka_unit_test(a_key_ends_when_revoked_or_expired),
		cmocka_unit_test(the_first_answer_is_given_again),
		cmocka_unit_test(an_answer_with_a_secret_leaves_only_its_status),
		cmocka_unit_test(what_was_interrupted_is_lost_and_not_done_again),
		cmocka_unit_test(
			a_key_may_be_used_anew_when_nothing_was_done_or_its_day_is_over),
		cmocka_unit_test(of_many_at_once_one_is_first),
		cmocka_unit_test(the_audit_log_is_written_read_and_never_changed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
