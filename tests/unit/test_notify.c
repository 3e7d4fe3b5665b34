/* test_notify.c: base/notify.h, with a socket of our own in systemd's place. */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/cmocka_all.h"

/* A datagram socket at `path`; '@' in front: abstract. */
static int listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(at.sun_path, path, strlen(path));
	if (path[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	return fd;
}

static void check_told(int fd, const char *expected)
{
	char got[256] = "";
	ssize_t len = recv(fd, got, sizeof(got) - 1, 0);

	assert_int_equal(len, strlen(expected));
	assert_string_equal(got, expected);
}

static void without_systemd_nothing_happens(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(notify_send("READY=1"), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
	assert_int_equal(notify_send("READY=1"), 0);
}

static void what_is_told_arrives_at_a_path_and_at_an_abstract_name(void **state)
{
	char path[64];
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/ovx-notify-%d", (int)getpid());
	fd = listen_at(path);
	assert_int_equal(notify_send("READY=1\nSTATUS=x"), 0);
	check_told(fd, "READY=1\nSTATUS=x");
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "@ovx-notify-%d", (int)getpid());
	fd = listen_at(path);
	assert_int_equal(notify_send("STOPPING=1"), 0);
	check_told(fd, "STOPPING=1");
	assert_int_equal(close(fd), 0);
	assert_int_equal(notify_send("WATCHDOG=1"), -ECONNREFUSED);
}

static void a_socket_that_is_no_socket_is_an_error(void **state)
{
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	assert_int_equal(setenv("NOTIFY_SOCKET", "here", 1), 0);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
}

static void the_watchdog_wants_to_hear_twice_in_its_time(void **state)
{
	char pid[16];

	(void)state;
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
	assert_int_equal(notify_watchdog_ms(), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "30000000", 1), 0);
	assert_int_equal(notify_watchdog_ms(), 15000);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	assert_int_equal(notify_watchdog_ms(), 15000);
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	assert_int_equal(notify_watchdog_ms(), 0); /* it means somebody else */
	assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "5", 1), 0);
	assert_int_equal(notify_watchdog_ms(), 1);
	assert_int_equal(setenv("WATCHDOG_USEC", "often", 1), 0);
	assert_int_equal(notify_watchdog_ms(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_systemd_nothing_happens),
		cmocka_unit_test(what_is_told_arrives_at_a_path_and_at_an_abstract_name),
		cmocka_unit_test(a_socket_that_is_no_socket_is_an_error),
		cmocka_unit_test(the_watchdog_wants_to_hear_twice_in_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
