/* test_db_grants.c: for how long what a role allowed is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/api_keys.h"
#include "db/users.h"
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

/* Of its session's and its key's grants, as staff and as an agent, which are good. */
static const char *good_grants(int64_t session, int64_t key)
{
	static const char *const names[] = {
		"session as staff", "session as agent", "key as staff", "key as agent"};
	const struct db_grant grants[] = {
		{session, true}, {session, false}, {-key, true}, {-key, false}};
	static char text[128];
	struct db_grant *ended = NULL;
	size_t count = 0;

	text[0] = '\0';
	assert_int_equal(db_grants_ended(db, grants, 4, &ended, &count), 0);
	for (size_t i = 0; i < 4; i++) {
		size_t at = 0, used = strlen(text);

		while (at < count && (ended[at].id != grants[i].id ||
					     ended[at].staff != grants[i].staff))
			at++;
		if (at == count)
			(void)snprintf(text + used, sizeof(text) - used, "%s%s",
				used ? ", " : "", names[i]);
	}
	free(ended);
	return text;
}

static void another_role_ends_what_was_granted_to_the_old_one(void **state)
{
	static const unsigned char token[32] = "of who is lowered";
	struct db_user who = {.username = "sue",
		.name = "Sue",
		.role = "supervisor",
		.password_hash = "$y$",
		.active = true};
	struct db_api_key k = {.name = "k", .role = "supervisor"};
	int64_t user, session, key, low, agent_session = 0;

	(void)state;
	assert_int_equal(db_user_create(db, &who, &user), 0);
	k.user_id = user;
	assert_int_equal(db_session_create(db, token, user, 60), 0);
	assert_int_equal(db_session_user(db, token, &who, &session), 0);
	assert_int_equal(db_api_key_create(db, &k, token, &key), 0);
	(void)snprintf(k.role, sizeof(k.role), "agent");
	assert_int_equal(db_api_key_create(db, &k, token, &low), 0);
	assert_string_equal(good_grants(session, key), "session as staff, key as staff");
	assert_string_equal(good_grants(session, low), "session as staff, key as agent");
	assert_int_equal(db_user_update(db,
				 &(struct db_user_change){
					 .id = user, .role = "agent", .active = -1},
				 &agent_session),
		0);
	assert_string_equal(good_grants(session, key), "session as agent, key as agent");
	assert_int_equal(db_user_update(db,
				 &(struct db_user_change){
					 .id = user, .role = "admin", .active = -1},
				 &agent_session),
		0);
	assert_string_equal(good_grants(session, key), "session as staff, key as staff");
	assert_string_equal(good_grants(session, low), "session as staff, key as agent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_role_ends_what_was_granted_to_the_old_one),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
