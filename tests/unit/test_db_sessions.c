/* test_db_sessions.c: people, their phones, and agent sessions from sign-in to sign-out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/campaigns.h"
#include "db/dialogs.h"
#include "db/legs.h"
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

/* A new agent with a phone account of the same name. */
static int64_t new_agent(const char *name)
{
	struct db_user user = {.role = "agent", .password_hash = "$y$", .active = true};
	struct db_sip_account account = {.ha1_md5 = "m", .ha1_sha256 = "s"};
	int64_t id = 0;

	(void)snprintf(user.username, sizeof(user.username), "%s", name);
	(void)snprintf(user.name, sizeof(user.name), "Agent %s", name);
	(void)snprintf(account.username, sizeof(account.username), "%s", name);
	assert_int_equal(db_agent_create(db, &user, &account, NULL, &id), 0);
	return id;
}

/* A campaign with one agent on it who signed in. */
static struct db_agent_session new_session(const char *name)
{
	struct db_agent_session s;
	int64_t user = new_agent(name), campaign = world_campaign(0, 3);

	assert_int_equal(db_campaign_join(db, campaign, user), 0);
	assert_int_equal(db_agent_session_start(db, user, campaign, NODE, &s), 0);
	return s;
}

static int pause_for(const char *reason, struct db_agent_session *s)
{
	return db_agent_session_pause(db, s->id,
		&(struct db_pause_wish){.type = "break", .reason = reason, .comment = ""},
		s);
}

static struct db_agent_leg new_leg(const struct db_agent_session *s, const char *token)
{
	struct db_agent_leg leg;

	assert_int_equal(db_agent_leg_new(db, s->id, INSTALL, token, &leg), 0);
	return leg;
}

/* Both legs up. */
static struct db_agent_leg bring_up(struct db_agent_session *s, const char *token)
{
	struct db_agent_leg leg = new_leg(s, token);

	assert_int_equal(db_agent_session_phone(db, s->id, true, NULL, s), 0);
	assert_int_equal(db_agent_leg_joined(db, leg.label, token, s), 0);
	assert_true(s->phone_up && s->twilio_up);
	return leg;
}

/* ---- people ---- */

static void a_username_is_taken_once_in_any_case(void **state)
{
	struct db_user user = {.username = "Boss",
		.name = "B",
		.role = "admin",
		.password_hash = "$y$",
		.active = true};
	struct db_user found;
	int64_t before = 0, after = 0;

	(void)state;
	assert_int_equal(db_user_count(db, &before), 0);
	assert_int_equal(db_user_create(db, &user, NULL), 0);
	assert_int_equal(db_user_create(db, &user, NULL), -EEXIST);
	assert_int_equal(db_user_count(db, &after), 0);
	assert_int_equal(after, before + 1);
	assert_int_equal(db_user_by_name(db, "BOSS", &found), 0);
	assert_string_equal(found.username, "boss");
	assert_string_equal(found.role, "admin");
	assert_true(found.active);
	assert_int_equal(db_user_by_name(db, "nobody", &found), -ENOENT);
}

static void a_web_session_ends_by_itself_or_on_demand(void **state)
{
	const unsigned char one[32] = "one\0x", two[32] = "one\0y";
	struct db_user user;
	int64_t id = new_agent("web"), session = 0;

	(void)state;
	assert_int_equal(db_session_create(db, one, id, 3600), 0);
	assert_int_equal(db_session_create(db, one, id, 3600), -EEXIST);
	assert_int_equal(db_session_create(db, two, id, 0), 0);
	assert_int_equal(db_session_user(db, one, &user, &session), 0);
	assert_true(user.id == id);
	assert_int_equal(db_session_user(db, two, &user, &session), -ENOENT);
	(void)world_text(
		"UPDATE users SET active = false WHERE id = %lld", (long long)id);
	assert_int_equal(db_session_user(db, one, &user, &session), -ENOENT);
	(void)world_text("UPDATE users SET active = true WHERE id = %lld", (long long)id);
	assert_int_equal(db_session_end(db, one), 0);
	assert_int_equal(db_session_user(db, one, &user, &session), -ENOENT);
}

static void an_agent_and_its_phone_account_are_made_together_or_not_at_all(void **state)
{
	struct db_user user = {.username = "second",
		.role = "agent",
		.password_hash = "x",
		.active = true};
	struct db_sip_account account = {.username = "phone1"}, found;
	int64_t id = new_agent("phone1");

	(void)state;
	assert_int_equal(db_agent_create(db, &user, &account, NULL, NULL), -EEXIST);
	assert_int_equal(db_user_by_name(db, "second", &user), -ENOENT);
	assert_int_equal(db_sip_account_find(db, "phone1", &found), 0);
	assert_true(found.user_id == id);
	assert_string_equal(found.ha1_md5, "m");
	(void)snprintf(found.ha1_md5, sizeof(found.ha1_md5), "other");
	assert_int_equal(db_sip_account_update(db, &found), 0);
	assert_int_equal(db_sip_account_find(db, "phone1", &found), 0);
	assert_string_equal(found.ha1_md5, "other");
	assert_int_equal(db_sip_account_find(db, "phone2", &found), -ENOENT);
}

static void an_agent_whose_endpoint_fails_is_not_made(void **state)
{
	struct db_user user = {.username = "reached",
		.name = "Reached",
		.role = "agent",
		.password_hash = "$y$",
		.active = true};
	struct db_sip_account account = {
		.username = "reached", .ha1_md5 = "m", .ha1_sha256 = "s"};
	struct db_endpoint endpoint = {.type = "phone"};
	int64_t id = 0;

	(void)state;
	assert_int_equal(db_agent_create(db, &user, &account, &endpoint, &id), -EINVAL);
	assert_int_equal(db_user_by_name(db, "reached", &user), -ENOENT);
	assert_int_equal(db_sip_account_find(db, "reached", &account), -ENOENT);
	assert_true(id == 0);

	(void)snprintf(endpoint.number, sizeof(endpoint.number), "+14155552671");
	assert_int_equal(db_agent_create(db, &user, &account, &endpoint, &id), 0);
	assert_string_equal(world_text("SELECT concat_ws(' ', type, number, nailed)"
				       " FROM agent_endpoints WHERE user_id = %lld",
				    (long long)id),
		"phone +14155552671 f");
}

static void the_newest_registration_is_the_phone(void **state)
{
	struct db_registration one = {.contact = "sip:a@1",
				       .source = "1:5060",
				       .call_id = "x",
				       .cseq = 1,
				       .expires_s = 60},
			       two = one, found;
	int64_t id = new_agent("reg");

	(void)state;
	(void)snprintf(two.contact, sizeof(two.contact), "sip:a@2");
	two.cseq = 2;
	assert_int_equal(db_registration_put(db, "nobody", &one), -ENOENT);
	assert_int_equal(db_registration_put(db, "reg", &one), 0);
	assert_int_equal(db_registration_put(db, "reg", &two), 0);
	assert_int_equal(db_registration_put(db, "reg", &two), 0); /* a refresh */
	assert_int_equal(db_registration_find(db, id, &found), 0);
	assert_string_equal(found.contact, "sip:a@2");
	assert_string_equal(found.username, "reg");
	assert_in_range(found.expires_s, 55, 60);
	one.expires_s = 0; /* the old phone signs off: not the new one's business */
	assert_int_equal(db_registration_put(db, "reg", &one), 0);
	assert_int_equal(db_registration_find(db, id, &found), 0);
	(void)snprintf(one.contact, sizeof(one.contact), "*");
	assert_int_equal(db_registration_put(db, "reg", &one), 0);
	assert_int_equal(db_registration_find(db, id, &found), -ENOENT);
	two.expires_s = 1;
	assert_int_equal(db_registration_put(db, "reg", &two), 0);
	(void)world_text(
		"UPDATE registrations SET expires_at = now() WHERE user_id = %lld",
		(long long)id);
	assert_int_equal(db_registration_find(db, id, &found), -ENOENT);
}

static void the_list_of_agents_tells_phone_and_state(void **state)
{
	struct db_registration phone = {
		.contact = "sip:l@1", .user_agent = "Phone/1", .expires_s = 60};
	struct db_agent_session s = new_session("listed");
	struct db_agent *agents = NULL;
	struct db_agent agent;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_registration_put(db, "listed", &phone), 0);
	assert_int_equal(db_agent_get(db, s.user_id, &agent), 0);
	assert_true(agent.registered && agent.session_id == s.id);
	assert_string_equal(agent.state, "paused");
	assert_string_equal(agent.user_agent, "Phone/1");
	assert_string_equal(agent.user.password_hash, "");
	assert_int_equal(db_agent_session_end(db, s.id), 0);
	assert_int_equal(db_agent_list(db, &agents, &count), 0);
	assert_true(count >= 1);
	assert_true(agents[count - 1].user.id == s.user_id);
	assert_string_equal(agents[count - 1].state, "offline");
	free(agents);
	assert_int_equal(db_agent_get(db, -1, &agent), -ENOENT);
}

/* ---- sessions ---- */

static void an_agent_signs_in_once_and_only_where_it_belongs(void **state)
{
	int64_t user = new_agent("once"), campaign = world_campaign(0, 0);
	struct db_agent_session s, again, *all = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_agent_session_start(db, user, campaign, NODE, &s), -EPERM);
	assert_int_equal(db_campaign_join(db, campaign, user), 0);
	assert_int_equal(db_campaign_join(db, campaign, user), 0);
	assert_int_equal(db_agent_session_start(db, user, campaign, NODE, &s), 0);
	assert_string_equal(s.state, "paused");
	assert_string_equal(s.pause_reason, "signed in");
	assert_string_equal(s.username, "once");
	assert_string_equal(s.sip_username, "once");
	assert_string_equal(s.node, NODE);
	assert_int_equal(
		db_agent_session_start(db, user, campaign, NODE, &again), -EEXIST);
	assert_int_equal(db_agent_session_of_user(db, user, &again), 0);
	assert_true(again.id == s.id && again.version == s.version);
	assert_int_equal(db_agent_session_ports(db, s.id, 20000, 20002), 0);
	assert_int_equal(db_agent_session_list(db, NODE, &all, &count), 0);
	assert_true(count >= 1 && all[count - 1].id == s.id);
	assert_true(all[count - 1].port_phone == 20000 &&
		    all[count - 1].port_twilio == 20002);
	assert_true(all[count - 1].version > s.version);
	free(all);
	assert_int_equal(db_agent_session_end(db, s.id), 0);
	assert_int_equal(db_agent_session_end(db, s.id), -ENOENT);
	assert_int_equal(db_agent_session_of_user(db, user, &again), -ENOENT);
	assert_int_equal(db_agent_session_get(db, s.id, &again), 0);
	assert_string_equal(again.state, "offline");
	assert_int_equal(db_agent_session_ready(db, s.id, &again), -ENOENT);
	assert_int_equal(db_campaign_set_state(db, campaign, "completed"), 0);
	assert_int_equal(db_agent_session_start(db, user, campaign, NODE, &s), -EINVAL);
	assert_int_equal(db_agent_session_start(db, user, 0, NODE, &again), 0);
	assert_int_equal(db_campaign_leave(db, campaign, user), 0);
	assert_int_equal(db_campaign_leave(db, campaign, user), 0);
}

static void ready_waits_for_both_legs_in_any_order(void **state)
{
	struct db_agent_session s = new_session("legs");
	struct db_agent_leg leg;

	(void)state;
	assert_int_equal(db_agent_session_ready(db, s.id, &s), 0);
	assert_string_equal(s.state, "paused");
	assert_true(s.wants_ready);
	leg = new_leg(&s, "CAlegs1");
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAlegs1", &s), 0);
	assert_string_equal(s.state, "paused");
	assert_int_equal(db_agent_session_phone(db, s.id, true, NULL, &s), 0);
	assert_string_equal(s.state, "ready");
	assert_string_equal(s.pause_reason, "");
	/* A phone that is lost takes readiness away and brings it back. */
	assert_int_equal(db_agent_session_phone(db, s.id, false, NULL, &s), 0);
	assert_string_equal(s.state, "paused");
	assert_int_equal(db_agent_session_phone(db, s.id, true, NULL, &s), 0);
	assert_string_equal(s.state, "ready");
	/* One that was hung up does not. */
	assert_int_equal(
		db_agent_session_phone(db, s.id, false, DB_REASON_HUNG_UP, &s), 0);
	assert_int_equal(db_agent_session_phone(db, s.id, true, NULL, &s), 0);
	assert_string_equal(s.state, "paused");
	assert_false(s.wants_ready);
}

static void a_phone_that_is_lost_changes_no_reason_that_the_agent_gave(void **state)
{
	struct db_agent_session s = new_session("lunch");

	(void)state;
	/* Called at sign-in, and not answered. */
	assert_int_equal(db_agent_session_phone(db, s.id, false, NULL, &s), 0);
	assert_string_equal(s.pause_reason, "signed in");
	(void)bring_up(&s, "CAlunch1");
	assert_int_equal(db_agent_session_ready(db, s.id, &s), 0);
	assert_string_equal(s.state, "ready");
	assert_int_equal(db_agent_session_phone(db, s.id, false, NULL, &s), 0);
	assert_string_equal(s.pause_reason, "waiting for the phone");
	assert_int_equal(db_agent_session_phone(db, s.id, true, NULL, &s), 0);
	assert_int_equal(
		db_agent_session_phone(db, s.id, false, DB_REASON_HUNG_UP, &s), 0);
	assert_string_equal(s.pause_reason, DB_REASON_HUNG_UP);
	assert_int_equal(pause_for("lunch", &s), 0);
	assert_int_equal(db_agent_session_phone(db, s.id, true, NULL, &s), 0);
	assert_int_equal(db_agent_session_phone(db, s.id, false, NULL, &s), 0);
	assert_string_equal(s.pause_reason, "lunch");
	assert_int_equal(
		db_agent_session_phone(db, s.id, false, DB_REASON_HUNG_UP, &s), 0);
	assert_string_equal(s.pause_reason, "lunch");
}

static void a_leg_that_left_stays_gone_whatever_is_told_later(void **state)
{
	struct db_agent_session s = new_session("gone");
	struct db_agent_leg old, leg;

	(void)state;
	old = bring_up(&s, "CAgone1");
	assert_int_equal(db_agent_session_ready(db, s.id, &s), 0);
	assert_string_equal(s.state, "ready");
	leg = new_leg(&s, "CAgone2");
	assert_int_equal(leg.turn, old.turn + 1);
	assert_string_not_equal(leg.conference, old.conference);
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_false(
		s.twilio_up); /* nobody is called into the new conference before it joined */
	assert_string_equal(s.state, "paused");
	assert_int_equal(db_agent_leg_left(db, leg.label, "CAgone2", &s), 0);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAgone2", &s), 0);
	assert_false(s.twilio_up);
	leg = new_leg(&s, "CAgone3");
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAgone3", &s), 0);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAgone3", &s), 0);
	assert_string_equal(s.state, "ready");
	/* The end of an older leg is old news. */
	assert_int_equal(db_agent_leg_left(db, old.label, "CAgone1", &s), 0);
	assert_true(s.twilio_up);
	assert_int_equal(db_agent_leg_lost(db, s.id, old.id, &s), 0);
	assert_true(s.twilio_up);
	assert_int_equal(db_agent_leg_lost(db, s.id, 0, &s), 0);
	assert_false(s.twilio_up);
	assert_string_equal(s.state, "paused");
	assert_int_equal(db_agent_leg_joined(db, "nobody", "CAx", &s), -ENOENT);
}

/* 0, or -ENOENT when this call gets no leg for the token. */
static int claim_leg(const char *token, const char *sid, struct db_agent_leg *ret_leg)
{
	const struct db_leg_claim claim = {.token = token, .provider_sid = sid};

	assert_int_equal(db_agent_legs_claim(db, &claim, 1, ret_leg), 0);
	return ret_leg->id == 0 ? -ENOENT : 0;
}

static void a_leg_token_belongs_to_the_first_call_that_shows_it(void **state)
{
	struct db_agent_session s = new_session("token");
	struct db_agent_leg leg = new_leg(&s, "secret"), claimed;

	(void)state;
	assert_int_equal(claim_leg("secret", "", &claimed), -ENOENT);
	assert_int_equal(claim_leg("secret", "CAone", &claimed), 0);
	assert_string_equal(claimed.conference, leg.conference);
	assert_string_equal(claimed.label, leg.label);
	assert_int_equal(claim_leg("secret", "CAone", &claimed), 0);
	assert_int_equal(claim_leg("secret", "CAtwo", &claimed), -ENOENT);
	assert_int_equal(claim_leg("guess", "CAone", &claimed), -ENOENT);
	assert_int_equal(claim_leg("", "CAone", &claimed), -ENOENT);
	assert_int_equal(db_agent_session_end(db, s.id), 0);
	assert_int_equal(claim_leg("secret", "CAone", &claimed), -ENOENT);
	assert_int_equal(db_agent_leg_new(db, s.id, INSTALL, "late", &claimed), -ENOENT);
}

static void *claim_raced(void *arg)
{
	int *ret_rc = arg;
	struct db_agent_leg leg;

	*ret_rc = claim_leg("raced", "CAraced2", &leg);
	return NULL;
}

static void a_leg_token_that_is_shown_on_two_nodes_at_once_is_one_calls(void **state)
{
	struct db_agent_session s = new_session("raced");
	int64_t end = clock_mono_ms() + 20000;
	pthread_t thread;
	int rc = 0;

	(void)state;
	(void)new_leg(&s, "raced");
	(void)db_text("BEGIN");
	(void)db_text("UPDATE call_legs SET provider_sid = 'CAraced1'"
		      " WHERE token = 'raced' RETURNING 1");
	assert_int_equal(pthread_create(&thread, NULL, claim_raced, &rc), 0);
	while (db_number("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0 &&
		clock_mono_ms() < end)
		;
	(void)db_text("COMMIT");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(rc, -ENOENT);
	assert_string_equal(
		db_text("SELECT provider_sid FROM call_legs WHERE token = 'raced'"),
		"CAraced1");
}

static void legs_that_ask_together_get_each_its_own(void **state)
{
	struct db_agent_session one = new_session("together1"),
				two = new_session("together2");
	struct db_agent_leg first = new_leg(&one, "first"),
			    second = new_leg(&two, "second");
	const struct db_leg_claim claims[] = {
		{"second", "CAsecond"},
		{"first", "CAfirst"},
		{"first", "CAfirst"},
		{"nobody", "CAnobody"},
		{"first", "CAthief"},
		{"it\"s, {odd}", "CAodd"},
	};
	struct db_agent_leg legs[6];

	(void)state;
	assert_int_equal(db_agent_legs_claim(db, claims, 6, legs), 0);
	assert_true(legs[0].id == second.id);
	assert_true(legs[0].agent_session_id == two.id);
	assert_true(legs[1].id == first.id);
	assert_true(legs[2].id == first.id);
	assert_true(legs[3].id == 0);
	assert_true(legs[4].id == 0);
	assert_true(legs[5].id == 0);
	/* Another leg cannot have a SID that is taken: an error, and nothing is changed. */
	(void)new_leg(&one, "third");
	assert_int_equal(db_agent_legs_claim(db,
				 &(struct db_leg_claim){"third", "CAsecond"}, 1, legs),
		-EEXIST);
	assert_int_equal(claim_leg("third", "CAthird", legs), 0);
}

static void a_call_keeps_its_agent_until_it_ends(void **state)
{
	struct db_agent_session s = new_session("held");
	struct db_agent_leg leg;
	struct db_claimed call;

	(void)state;
	leg = bring_up(&s, "CAheld1");
	assert_int_equal(db_agent_session_ready(db, s.id, &s), 0);
	call = world_call(db, s.campaign_id);
	assert_true(call.session_id == s.id);
	assert_string_equal(call.conference, leg.conference);
	assert_int_equal(db_agent_session_end(db, s.id), -EBUSY);
	assert_int_equal(pause_for("lunch", &s), 0);
	assert_string_equal(s.state, "reserved");
	assert_string_equal(s.call_conference, call.conference);
	(void)world_event(db, call.call_id, "answered", 2);
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_string_equal(s.state, "on_call");
	/* The line to Twilio breaks: the new leg goes to the customer, the turn stays. */
	assert_int_equal(db_agent_leg_lost(db, s.id, leg.id, &s), 0);
	assert_string_equal(s.state, "on_call");
	leg = new_leg(&s, "CAheld2");
	assert_string_equal(leg.conference, call.conference);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAheld2", &s), 0);
	(void)world_event(db, call.call_id, "completed", 3);
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_string_equal(s.state, "wrap_up");
	assert_true(s.hold_until_ms > s.state_since_ms && s.call_id == 0);
	/* The wish made during the call is what comes after it. */
	(void)world_text("UPDATE agent_sessions SET hold_until = now() WHERE id = %lld",
		(long long)s.id);
	{
		struct db_agent_session *swept = NULL;
		size_t count = 0;

		assert_int_equal(db_sweep(db, NODE, &swept, &count), 0);
		assert_int_equal(count, 1);
		assert_string_equal(swept[0].state, "paused");
		assert_string_equal(swept[0].pause_reason, "lunch");
		free(swept);
	}
	assert_int_equal(db_agent_session_end(db, s.id), 0);
}

static void wrap_up_ends_early_when_the_agent_says_so(void **state)
{
	struct db_agent_session s = new_session("wrap");

	(void)state;
	(void)bring_up(&s, "CAwrap1");
	for (int i = 0; i < 2; i++) {
		(void)world_text(
			"UPDATE agent_sessions SET state = 'wrap_up',"
			" hold_until = now() + interval '1 hour' WHERE id = %lld",
			(long long)s.id);
		if (i == 0)
			assert_int_equal(db_agent_session_ready(db, s.id, &s), 0);
		else
			assert_int_equal(pause_for("break", &s), 0);
		assert_string_equal(s.state, i == 0 ? "ready" : "paused");
		assert_true(s.hold_until_ms == 0);
	}
	assert_string_equal(s.pause_reason, "break");
}

/* ---- dialogs ---- */

static void a_dialog_is_found_again_after_a_restart(void **state)
{
	struct db_agent_session s = new_session("dialog");
	struct db_dialog d = {.agent_session_id = s.id,
		.side = "phone",
		.call_id = "c",
		.local_uri = "sip:l",
		.local_tag = "lt",
		.remote_uri = "sip:r",
		.remote_tag = "rt",
		.remote_target = "sip:t",
		.routes = "<sip:p;lr>",
		.next_hop = "1.2.3.4:5060",
		.local_seq = 4294967295u,
		.remote_seq = 7,
		.local_sdp = "v=0\r\n",
		.remote_sdp = "v=0\r\no=-\r\n"};
	struct db_dialog *all = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_dialog_put(db, &d), 0);
	d.local_seq--;
	assert_int_equal(db_dialog_put(db, &d), 0);
	assert_int_equal(db_dialog_media(db, s.id, "phone", "1.2.3.4:4000"), 0);
	(void)snprintf(d.media_remote, sizeof(d.media_remote), "1.2.3.4:4000");
	assert_int_equal(db_dialog_list(db, NODE, &all, &count), 0);
	assert_int_equal(count, 1);
	assert_memory_equal(&all[0], &d, sizeof(d));
	free(all);
	assert_int_equal(db_dialog_list(db, OTHER_NODE, &all, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(db_dialog_delete(db, s.id, "phone"), 0);
	assert_int_equal(db_dialog_delete(db, s.id, "phone"), 0);
	assert_int_equal(db_dialog_list(db, NODE, &all, &count), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_username_is_taken_once_in_any_case),
		cmocka_unit_test(a_web_session_ends_by_itself_or_on_demand),
		cmocka_unit_test(
			an_agent_and_its_phone_account_are_made_together_or_not_at_all),
		cmocka_unit_test(an_agent_whose_endpoint_fails_is_not_made),
		cmocka_unit_test(the_newest_registration_is_the_phone),
		cmocka_unit_test(the_list_of_agents_tells_phone_and_state),
		cmocka_unit_test(an_agent_signs_in_once_and_only_where_it_belongs),
		cmocka_unit_test(ready_waits_for_both_legs_in_any_order),
		cmocka_unit_test(
			a_phone_that_is_lost_changes_no_reason_that_the_agent_gave),
		cmocka_unit_test(a_leg_that_left_stays_gone_whatever_is_told_later),
		cmocka_unit_test(a_leg_token_belongs_to_the_first_call_that_shows_it),
		cmocka_unit_test(
			a_leg_token_that_is_shown_on_two_nodes_at_once_is_one_calls),
		cmocka_unit_test(legs_that_ask_together_get_each_its_own),
		cmocka_unit_test(a_call_keeps_its_agent_until_it_ends),
		cmocka_unit_test(wrap_up_ends_early_when_the_agent_says_so),
		cmocka_unit_test(a_dialog_is_found_again_after_a_restart),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
