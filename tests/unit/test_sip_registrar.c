/* test_sip_registrar.c: REGISTER at the edge, and what is answered without state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "unit/sip_rig.h"

#include "base/err.h"

static void no_account(void *arg, uint64_t query, const char *user)
{
	(void)arg;
	(void)query;
	(void)user;
}

static void no_bind(void *arg, uint64_t query, const struct sip_binding *binding)
{
	(void)arg;
	(void)query;
	(void)binding;
}

struct bench {
	struct rig rig;
	struct peer phone;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->rig.pending_max = 2;
	rig_start(&b->rig, 0);
	peer_open(&b->phone, &b->rig);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	peer_close(&b->phone);
	rig_stop(&b->rig);
	free(b);
	return 0;
}

#define CONTACT "Contact: <sip:agent1@127.0.0.1:5099>;expires=300\r\n"

/* Registers once without and once with credentials; returns the second answer's text. */
static const char *register_twice(struct bench *b, const char *user, const char *password,
	const char *to_user, const char *contact, const char *algorithm,
	const char *start)
{
	char credentials[1024];
	struct rig_register reg = {
		.call_id = "c1", .cseq = 1, .to_user = to_user, .contact = contact};

	peer_register(&b->phone, &reg);
	(void)rig_credentials(peer_expect(&b->phone, "SIP/2.0 401"), user, password, 1,
		algorithm, credentials, sizeof(credentials));
	reg.cseq = 2;
	reg.authorization = credentials;
	peer_register(&b->phone, &reg);
	return peer_expect(&b->phone, start);
}

static void a_phone_with_the_password_is_bound(void **state)
{
	struct bench *b = *state;
	const char *ok = register_twice(
		b, "agent1", "secret", "agent1", CONTACT, "MD5", "SIP/2.0 ");
	char value[256], source[64];

	assert_memory_equal(ok, "SIP/2.0 200", 11);
	assert_string_equal(header_of(ok, "Contact", value, sizeof(value)),
		"<sip:agent1@127.0.0.1:5099>;expires=300");
	assert_string_not_equal(header_of(ok, "Date", value, sizeof(value)), "");
	assert_string_equal(b->rig.bound.user, "agent1");
	assert_string_equal(b->rig.bound.contact, "sip:agent1@127.0.0.1:5099");
	assert_int_equal(b->rig.bound.expires_s, 300);
	(void)snprintf(source, sizeof(source), "127.0.0.1:%u", (unsigned)b->phone.port);
	assert_string_equal(b->rig.bound.source, source);
}

static void a_phone_may_use_sha_256(void **state)
{
	(void)register_twice(
		*state, "agent1", "secret", "agent1", CONTACT, "SHA-256", "SIP/2.0 200");
}

static void unknown_user_and_wrong_password_get_the_same_answer(void **state)
{
	struct bench *b = *state;
	char wrong[2048], unknown[2048], line[512];
	const char *text;

	text = register_twice(
		b, "agent1", "guess", "agent1", CONTACT, "MD5", "SIP/2.0 401");
	(void)header_of(text, "WWW-Authenticate", line, sizeof(line));
	assert_null(strstr(line, "stale"));
	(void)snprintf(wrong, sizeof(wrong), "%zu", strlen(text));
	text = register_twice(
		b, "nobody", "guess", "agent1", CONTACT, "MD5", "SIP/2.0 401");
	(void)snprintf(unknown, sizeof(unknown), "%zu", strlen(text));
	(void)header_of(text, "WWW-Authenticate", line, sizeof(line));
	assert_null(strstr(line, "stale"));
	assert_string_equal(wrong, unknown);
	assert_int_equal(b->rig.bind_asked, 0);
}

static void nobody_registers_for_another(void **state)
{
	struct bench *b = *state;

	(void)register_twice(
		b, "agent1", "secret", "agent2", CONTACT, "MD5", "SIP/2.0 403");
	assert_int_equal(b->rig.bind_asked, 0);
}

static void too_short_a_time_is_told_the_shortest(void **state)
{
	char value[32];
	const char *text = register_twice(*state, "agent1", "secret", "agent1",
		"Contact: <sip:agent1@127.0.0.1:5099>\r\nExpires: 10\r\n", "MD5",
		"SIP/2.0 423");

	assert_string_equal(header_of(text, "Min-Expires", value, sizeof(value)), "60");
}

static void too_long_a_time_is_cut(void **state)
{
	struct bench *b = *state;

	(void)register_twice(b, "agent1", "secret", "agent1",
		"Contact: <sip:agent1@127.0.0.1:5099>\r\nExpires: 86400\r\n", "MD5",
		"SIP/2.0 200");
	assert_int_equal(b->rig.bound.expires_s, 600);
}

static void a_star_removes_all_only_with_expires_0(void **state)
{
	struct bench *b = *state;

	(void)register_twice(
		b, "agent1", "secret", "agent1", "Contact: *\r\n", "MD5", "SIP/2.0 400");
	assert_int_equal(b->rig.bind_asked, 0);
}

static void a_star_with_expires_0_is_passed_on(void **state)
{
	struct bench *b = *state;

	(void)register_twice(b, "agent1", "secret", "agent1",
		"Contact: *\r\nExpires: 0\r\n", "MD5", "SIP/2.0 200");
	assert_string_equal(b->rig.bound.contact, "*");
	assert_int_equal(b->rig.bound.expires_s, 0);
}

static void a_contact_that_is_ourselves_is_forbidden(void **state)
{
	struct bench *b = *state;
	char contact[128];

	(void)snprintf(contact, sizeof(contact), "Contact: <sip:agent1@127.0.0.1:%u>\r\n",
		(unsigned)b->rig.port);
	(void)register_twice(
		b, "agent1", "secret", "agent1", contact, "MD5", "SIP/2.0 403");
}

static void a_captured_request_is_worth_nothing(void **state)
{
	struct bench *b = *state;
	struct peer thief;
	char credentials[1024], line[512];
	struct rig_register reg = {
		.call_id = "c9", .cseq = 1, .to_user = "agent1", .contact = CONTACT};

	peer_open(&thief, &b->rig);
	peer_register(&b->phone, &reg);
	(void)rig_credentials(peer_expect(&b->phone, "SIP/2.0 401"), "agent1", "secret",
		1, "MD5", credentials, sizeof(credentials));
	reg.cseq = 2;
	reg.authorization = credentials;
	reg.branch = "z9hG4bK-same";
	peer_register(&b->phone, &reg);
	(void)peer_expect(&b->phone, "SIP/2.0 200");
	/* the phone's own retransmission is answered again */
	peer_register(&b->phone, &reg);
	(void)peer_expect(&b->phone, "SIP/2.0 200");
	/* from another place it is a replay */
	peer_register(&thief, &reg);
	(void)header_of(peer_expect(&thief, "SIP/2.0 401"), "WWW-Authenticate", line,
		sizeof(line));
	assert_null(strstr(line, "stale"));
	/* and so is a new binding under the same count */
	reg.cseq = 3;
	reg.branch = NULL;
	reg.contact = "Contact: <sip:thief@127.0.0.1:6666>\r\n";
	peer_register(&b->phone, &reg);
	(void)peer_expect(&b->phone, "SIP/2.0 401");
	assert_string_equal(b->rig.bound.contact, "sip:agent1@127.0.0.1:5099");
	peer_close(&thief);
}

static void a_nonce_of_another_life_is_stale_and_not_wrong(void **state)
{
	struct bench *b = *state;
	char credentials[1024], line[512];
	const char *made_up =
		"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest nonce=\"00000000000000010"
		"1234567890abcdef0123456789abcdef0123456789abcde\"\r\n\r\n";
	struct rig_register reg = {
		.call_id = "c3", .cseq = 2, .to_user = "agent1", .contact = CONTACT};

	reg.authorization = rig_credentials(
		made_up, "agent1", "secret", 1, "MD5", credentials, sizeof(credentials));
	peer_register(&b->phone, &reg);
	(void)header_of(peer_expect(&b->phone, "SIP/2.0 401"), "WWW-Authenticate", line,
		sizeof(line));
	assert_non_null(strstr(line, "stale=true"));
}

static void an_older_cseq_of_the_same_call_id_is_refused(void **state)
{
	struct bench *b = *state;
	char credentials[1024];
	const char *text;
	char unauthorized[2048];
	struct rig_register reg = {
		.call_id = "c7", .cseq = 10, .to_user = "agent1", .contact = CONTACT};

	peer_register(&b->phone, &reg);
	text = peer_expect(&b->phone, "SIP/2.0 401");
	(void)snprintf(unauthorized, sizeof(unauthorized), "%s", text);
	reg.authorization = rig_credentials(unauthorized, "agent1", "secret", 1, "MD5",
		credentials, sizeof(credentials));
	reg.cseq = 11;
	peer_register(&b->phone, &reg);
	(void)peer_expect(&b->phone, "SIP/2.0 200");
	reg.authorization = rig_credentials(unauthorized, "agent1", "secret", 2, "MD5",
		credentials, sizeof(credentials));
	reg.cseq = 9;
	peer_register(&b->phone, &reg);
	(void)peer_expect(&b->phone, "SIP/2.0 500");
}

static bool was_asked(void *arg)
{
	return ((struct rig *)arg)->account_asked > 0;
}

static bool was_bound(void *arg)
{
	return ((struct rig *)arg)->bind_asked > 0;
}

static void answers_may_come_later_and_impatience_asks_once(void **state)
{
	struct bench *b = *state;
	char credentials[1024];
	struct rig_register reg = {
		.call_id = "c5", .cseq = 1, .to_user = "agent1", .contact = CONTACT};

	peer_register(&b->phone, &reg);
	reg.authorization = rig_credentials(peer_expect(&b->phone, "SIP/2.0 401"),
		"agent1", "secret", 1, "MD5", credentials, sizeof(credentials));
	reg.cseq = 2;
	reg.branch = "z9hG4bK-wait";
	b->rig.answer_later = true;
	peer_register(&b->phone, &reg);
	peer_register(&b->phone, &reg);
	assert_true(rig_run(&b->rig, was_asked, &b->rig, 5000));
	assert_true(peer_hears_no(&b->phone, "SIP/2.0", 50));
	assert_int_equal(b->rig.account_asked, 1);
	sip_edge_account(b->rig.edge, b->rig.query + 1, NULL); /* not a query of ours */
	rig_account(&b->rig, b->rig.query, "agent1");
	assert_true(rig_run(&b->rig, was_bound, &b->rig, 5000));
	sip_edge_bound(b->rig.edge, b->rig.query, -EIO);
	(void)peer_expect(&b->phone, "SIP/2.0 503");
	sip_edge_bound(b->rig.edge, b->rig.query, 0); /* too late: nothing happens */
}

static void more_than_may_wait_get_503(void **state)
{
	struct bench *b = *state;
	struct rig_register reg = {.cseq = 1,
		.to_user = "agent1",
		.contact = CONTACT,
		.authorization =
			"Digest username=\"agent1\", realm=\"" RIG_REALM
			"\", nonce=\"n\", uri=\"sip:x\", response=\"r\", qop=auth, "
			"nc=00000001, cnonce=\"c\""};

	b->rig.answer_later = true;
	reg.call_id = "w1";
	peer_register(&b->phone, &reg);
	reg.call_id = "w2";
	peer_register(&b->phone, &reg);
	reg.call_id = "w3";
	peer_register(&b->phone, &reg);
	(void)peer_expect(&b->phone, "SIP/2.0 503");
}

static void send_request(struct peer *peer, const char *method, const char *uri,
	const char *branch, const char *to_tag, const char *more)
{
	peer_send(peer,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=%s\r\n"
		"From: <sip:x@127.0.0.1>;tag=f\r\nTo: <sip:y@127.0.0.1>%s\r\nCall-ID: r%s%s\r\n"
		"CSeq: 7 %s\r\n%sContent-Length: 0\r\n\r\n",
		method, uri, (unsigned)peer->port, branch, to_tag, method, branch, method,
		more);
}

static void what_needs_no_state_is_answered_by_method(void **state)
{
	static const struct {
		const char *method, *uri, *branch, *to_tag, *more, *status;
	} rows[] = {
		{"OPTIONS", "sip:x@127.0.0.1", "z9hG4bKa1", "", "", "SIP/2.0 200"},
		{"INVITE", "sip:x@127.0.0.1", "z9hG4bKa2", "", "", "SIP/2.0 403"},
		{"MESSAGE", "sip:x@127.0.0.1", "z9hG4bKa3", "", "", "SIP/2.0 405"},
		{"WONDER", "sip:x@127.0.0.1", "z9hG4bKa4", "", "", "SIP/2.0 405"},
		{"REFER", "sip:x@127.0.0.1", "z9hG4bKa5", "",
			"Refer-To: <sip:z@127.0.0.1>\r\n", "SIP/2.0 405"},
		{"SUBSCRIBE", "sip:x@127.0.0.1", "z9hG4bKa6", "",
			"Event: message-summary\r\n", "SIP/2.0 489"},
		{"BYE", "sip:x@127.0.0.1", "z9hG4bKa7", ";tag=t", "", "SIP/2.0 481"},
		{"INVITE", "sip:x@127.0.0.1", "z9hG4bKa8", ";tag=t", "", "SIP/2.0 481"},
		{"OPTIONS", "sip:x@127.0.0.1", "z9hG4", "", "", "SIP/2.0 400"},
		{"OPTIONS", "sip:x@127.0.0.1", "abcdefghijk", "", "", "SIP/2.0 400"},
		{"OPTIONS", "unknown:x", "z9hG4bKa9", "", "", "SIP/2.0 416"},
		{"OPTIONS", "sip:x@127.0.0.1", "z9hG4bKb1", "", "Max-Forwards: 0\r\n",
			"SIP/2.0 483"},
		{"REGISTER", "sip:127.0.0.1", "z9hG4bKb2", "", "Require: magic\r\n",
			"SIP/2.0 420"},
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		send_request(&b->phone, rows[i].method, rows[i].uri, rows[i].branch,
			rows[i].to_tag, rows[i].more);
		assert_memory_equal(
			peer_expect(&b->phone, "SIP/2.0"), rows[i].status, 11);
	}
}

static void a_port_that_is_taken_is_told(void **state)
{
	struct bench *b = *state;
	struct sip_edge_config config = {.loop = b->rig.loop,
		.timers = b->rig.timers,
		.realm = "r",
		.account = no_account,
		.bind = no_bind};
	struct sip_edge *edge = NULL;
	struct err err = {""};
	char listen_on[32];

	(void)snprintf(
		listen_on, sizeof(listen_on), "127.0.0.1:%u", (unsigned)b->rig.port);
	config.listen = listen_on;
	assert_int_equal(sip_edge_new(&config, &edge, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, listen_on));
	config.listen = "localhost:5060";
	assert_int_equal(sip_edge_new(&config, &edge, &err), -EINVAL);
	assert_null(edge);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_phone_with_the_password_is_bound),
		TEST(a_phone_may_use_sha_256),
		TEST(unknown_user_and_wrong_password_get_the_same_answer),
		TEST(nobody_registers_for_another),
		TEST(too_short_a_time_is_told_the_shortest),
		TEST(too_long_a_time_is_cut),
		TEST(a_star_removes_all_only_with_expires_0),
		TEST(a_star_with_expires_0_is_passed_on),
		TEST(a_contact_that_is_ourselves_is_forbidden),
		TEST(a_captured_request_is_worth_nothing),
		TEST(a_nonce_of_another_life_is_stale_and_not_wrong),
		TEST(an_older_cseq_of_the_same_call_id_is_refused),
		TEST(answers_may_come_later_and_impatience_asks_once),
		TEST(more_than_may_wait_get_503),
		TEST(what_needs_no_state_is_answered_by_method),
		TEST(a_port_that_is_taken_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
