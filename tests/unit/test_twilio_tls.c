/* test_twilio_tls.c: whom the client trusts with a password, and over what. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "twilio/conferences.h"

#define ACCOUNT "AC0123456789abcdef0123456789abcdef"
#define CALL "CA0123456789abcdef0123456789abcdef"
#define ANSWER                                                                    \
	"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 49\r\n\r\n" \
	"{\"call_sid\":\"" CALL "\"}"

/* A TLS server for one connection after another, until its listening socket is shut. */
struct server {
	SSL_CTX *ctx;
	int fd;
	uint16_t port;
	pthread_t thread;
	unsigned requests;
};

static EVP_PKEY *key;
static X509 *certificate;
static char ca_file[] = "/tmp/test_twilio_tls.XXXXXX";

static void *serve(void *arg)
{
	struct server *s = arg;
	sigset_t pipe;
	int fd;

	/* Here only: that the client needs no such help is part of the test. */
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(s->ctx);
		char data[8192];

		(void)SSL_set_fd(ssl, fd);
		/* The form follows the head; one read of each is enough to have it begun. */
		if (SSL_accept(ssl) == 1 && SSL_read(ssl, data, sizeof(data)) > 0) {
			s->requests++;
			(void)SSL_read(ssl, data, sizeof(data));
			(void)SSL_write(ssl, ANSWER, sizeof(ANSWER) - 1);
			(void)SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		(void)close(fd);
	}
	return NULL;
}

static void server_open(struct server *s, int highest_version)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);

	*s = (struct server){.ctx = SSL_CTX_new(TLS_server_method())};
	assert_non_null(s->ctx);
	/* The old versions need weak signatures, so level 0 on this side. */
	SSL_CTX_set_security_level(s->ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(s->ctx, TLS1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(s->ctx, highest_version), 1);
	assert_int_equal(SSL_CTX_use_certificate(s->ctx, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, key), 1);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sin, &len), 0);
	s->port = ntohs(sin.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_close(struct server *s)
{
	(void)shutdown(s->fd, SHUT_RDWR);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->fd);
	SSL_CTX_free(s->ctx);
}

struct outcome {
	sem_t come;
	enum twilio_result result;
};

static void take_answer(void *arg, struct twilio_answer *answer)
{
	struct outcome *outcome = arg;

	outcome->result = answer->result;
	twilio_answer_free(&answer);
	(void)sem_post(&outcome->come);
}

/* The result of one create there. */
static enum twilio_result dial(const struct server *s, const char *ca)
{
	struct outcome outcome = {.result = TWILIO_REFUSED};
	char base[64];
	struct twilio_client *client = NULL;
	const struct twilio_config config = {.account_sid = ACCOUNT,
		.auth_token = "secret",
		.api_base = base,
		.ca_file = ca,
		.connect_ms = 5000,
		.total_ms = 10000,
		.limit = 1,
		.answer = take_answer,
		.arg = &outcome};
	const struct twilio_participant p = {
		.conference = "c", .from = "+14155550000", .to = "+14155552671"};

	(void)snprintf(base, sizeof(base), "https://127.0.0.1:%u", s->port);
	assert_int_equal(sem_init(&outcome.come, 0, 0), 0);
	assert_int_equal(twilio_client_new(&config, &client), 0);
	assert_int_equal(twilio_participant_create(client, 1, &p), 0);
	/* The client's own deadlines end this. */
	while (sem_wait(&outcome.come) != 0)
		;
	twilio_client_free(&client);
	(void)sem_destroy(&outcome.come);
	return outcome.result;
}

static void a_server_vouched_for_by_the_ca_file_is_trusted(void **state)
{
	struct server s;

	(void)state;
	server_open(&s, TLS1_3_VERSION);
	assert_int_equal(dial(&s, ca_file), TWILIO_OK);
	server_close(&s);
}

static void a_server_that_nobody_vouches_for_gets_no_password(void **state)
{
	struct server s;

	(void)state;
	server_open(&s, TLS1_3_VERSION);
	assert_int_equal(dial(&s, NULL), TWILIO_NOT_SENT);
	assert_int_equal(s.requests, 0);
	server_close(&s);
}

static void tls_1_2_is_spoken_and_nothing_older(void **state)
{
	struct server s;

	(void)state;
	server_open(&s, TLS1_2_VERSION);
	assert_int_equal(dial(&s, ca_file), TWILIO_OK);
	server_close(&s);
	server_open(&s, TLS1_1_VERSION);
	assert_int_equal(dial(&s, ca_file), TWILIO_NOT_SENT);
	assert_int_equal(s.requests, 0);
	server_close(&s);
}

static void a_ca_file_that_is_missing_trusts_nobody(void **state)
{
	struct server s;

	(void)state;
	server_open(&s, TLS1_3_VERSION);
	assert_int_equal(dial(&s, "/nonexistent/ca.pem"), TWILIO_NOT_SENT);
	server_close(&s);
}

/* A certificate for 127.0.0.1 that is its own authority. */
static int make_certificate(void **state)
{
	X509_EXTENSION *ext;
	X509_NAME *name;
	FILE *file;
	int fd;

	(void)state;
	key = EVP_RSA_gen(2048);
	certificate = X509_new();
	assert_non_null(key);
	assert_non_null(certificate);
	name = X509_get_subject_name(certificate);
	(void)X509_set_version(certificate, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	(void)X509_set_pubkey(certificate, key);
	(void)X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	(void)X509_set_issuer_name(certificate, name);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	assert_non_null(ext);
	(void)X509_add_ext(certificate, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);

	fd = mkstemp(ca_file);
	file = fd >= 0 ? fdopen(fd, "w") : NULL;
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	return fclose(file);
}

static int free_certificate(void **state)
{
	(void)state;
	(void)unlink(ca_file);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_vouched_for_by_the_ca_file_is_trusted),
		cmocka_unit_test(a_server_that_nobody_vouches_for_gets_no_password),
		cmocka_unit_test(tls_1_2_is_spoken_and_nothing_older),
		cmocka_unit_test(a_ca_file_that_is_missing_trusts_nobody),
	};

	return cmocka_run_group_tests_name(
		"twilio_tls", tests, make_certificate, free_certificate);
}
