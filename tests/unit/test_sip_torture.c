/* test_sip_torture.c: the messages of RFC 4475 at the edge, which must live on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>

#include "unit/sip_rig.h"

#define MESSAGES 49
#define DATA_DIR "/data/rfc4475/"

static void expect_alive(struct peer *peer, unsigned n)
{
	char answer[64];

	peer_send(peer,
		"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
		"127.0.0.1:%u;branch=z9hG4bKalive%u\r\nFrom: <sip:x@127.0.0.1>;tag=f\r\n"
		"To: <sip:y@127.0.0.1>\r\nCall-ID: alive%u\r\nCSeq: %u OPTIONS\r\n"
		"Content-Length: 0\r\n\r\n",
		(unsigned)peer->port, n, n, n + 1);
	for (;;) {
		const char *text = peer_expect(peer, "SIP/2.0");
		char id[64];

		(void)snprintf(answer, sizeof(answer), "alive%u", n);
		if (strcmp(header_of(text, "Call-ID", id, sizeof(id)), answer) == 0)
			return;
	}
}

static void the_edge_outlives_every_torture_message(void **state)
{
	const char *top = TEST_SRCDIR;
	struct rig rig = {0};
	struct peer peer;
	struct dirent *entry;
	char path[4096], data[65536];
	unsigned count = 0;
	DIR *dir;

	(void)state;
	rig_start(&rig, 0);
	peer_open(&peer, &rig);
	(void)snprintf(path, sizeof(path), "%s" DATA_DIR, top);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		FILE *file;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
			path, sizeof(path), "%s" DATA_DIR "%.255s", top, entry->d_name);
		file = fopen(path, "rb");
		assert_non_null(file);
		len = fread(data, 1, sizeof(data), file);
		(void)fclose(file);
		peer_send_raw(&peer, data, len);
		expect_alive(&peer, count++);
	}
	(void)closedir(dir);
	assert_int_equal(count, MESSAGES);
	peer_close(&peer);
	rig_stop(&rig);
}

static void noise_is_passed_over(void **state)
{
	static const char *const noise[] = {"\r\n\r\n", "keep-alive\r\n", "\0\0\0\0", "x",
		"SIP/2.0 200 OK\r\n\r\n", "INVITE\r\n\r\n"};
	struct rig rig = {0};
	struct peer peer;
	unsigned i;

	(void)state;
	rig_start(&rig, 0);
	peer_open(&peer, &rig);
	peer_send_raw(&peer, "", 0);
	for (i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		peer_send_raw(&peer, noise[i], i == 2 ? 4 : strlen(noise[i]));
		expect_alive(&peer, 1000 + i);
	}
	peer_close(&peer);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_edge_outlives_every_torture_message),
		cmocka_unit_test(noise_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
