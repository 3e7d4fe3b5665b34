/*
 * preload_kill.c: ovx-kill.so, an LD_PRELOAD that kills the gateway's worker with SIGKILL just
 * before the n-th of its calls that send, receive, read or write, over all its threads.
 *
 * OVX_KILL_PLAN names a file with one n a line: the k-th life of the worker takes line k, by
 * way of a counter in PLAN.pos; 0 or no more lines: it lives. With OVX_KILL_ARM set, a worker
 * that lives takes its n from PLAN.arm as soon as that file appears, removes it, and counts from
 * there: so a test can aim. Before dying it appends `life n call errno milliseconds-since-1970`
 * to PLAN.log. The supervisor itself, and whatever it executes (PostgreSQL),
 * is left alone: only a process that was forked from the program named omnivox-gateway counts,
 * known by a pid that is not the one in which this library was loaded.
 *
 * Everything here is a raw system call: no other preload, no stdio, no lock can be met, and
 * nothing of its own is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 1024
#define PLAN_LARGEST 65536

enum life { UNBORN, BEING_BORN, ALIVE };

static char plan_path[PATH_SIZE], pos_path[PATH_SIZE], log_path[PATH_SIZE];
static char arm_path[PATH_SIZE]; /* "": it cannot be armed */
static atomic_bool arming;       /* one thread looks at a time */
static long loaded_pid;          /* 0: not the gateway, or no plan */
static atomic_int life;
static long life_pid;
static long life_number;    /* from 1 */
static atomic_long kill_at; /* 0: never */
static atomic_long calls;

__attribute__((constructor)) static void loaded(void)
{
	const char *plan = getenv("OVX_KILL_PLAN");

	if (plan == NULL || strlen(plan) + sizeof(".pos") > PATH_SIZE ||
		strcmp(program_invocation_short_name, "omnivox-gateway") != 0)
		return;
	strcpy(plan_path, plan);
	strcat(strcpy(pos_path, plan), ".pos");
	strcat(strcpy(log_path, plan), ".log");
	if (getenv("OVX_KILL_ARM") != NULL)
		strcat(strcpy(arm_path, plan), ".arm");
	loaded_pid = syscall(SYS_getpid);
}

static long raw_open(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0666);
}

/* Digits at *at, which moves behind them and one line end. */
static long take_number(const char **at)
{
	long n = 0;

	while (**at >= '0' && **at <= '9')
		n = n * 10 + (*(*at)++ - '0');
	while (**at != '\0' && *(*at)++ != '\n')
		;
	return n;
}

/* `buf` must hold 21 bytes. Returns where the digits begin. */
static char *put_number(char *buf, long n)
{
	char *p = buf + 20;

	*p = '\0';
	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return p;
}

/* Counts this life in PLAN.pos, and says which one it is; 0 when that file cannot be had. */
static long next_life(void)
{
	char text[21] = {0}, *digits;
	const char *at = text;
	long fd = raw_open(pos_path, O_RDWR | O_CREAT), n = 0;

	if (fd < 0)
		return 0;
	while (syscall(SYS_flock, fd, LOCK_EX) < 0 && errno == EINTR)
		;
	(void)syscall(SYS_pread64, fd, text, sizeof(text) - 1, 0);
	n = take_number(&at) + 1;
	digits = put_number(text, n);
	if (syscall(SYS_pwrite64, fd, digits, strlen(digits), 0) < 0)
		n = 0;
	(void)syscall(SYS_close, fd);
	return n;
}

static long planned(long number)
{
	static char plan[PLAN_LARGEST];
	const char *at = plan;
	long fd = raw_open(plan_path, O_RDONLY), n = 0;

	if (fd < 0)
		return 0;
	(void)syscall(SYS_read, fd, plan, sizeof(plan) - 1);
	(void)syscall(SYS_close, fd);
	for (long line = 0; line < number; line++) {
		if (*at == '\0')
			return 0;
		n = take_number(&at);
	}
	return n;
}

static void be_born(long pid)
{
	static const char trouble[] =
		"ovx-kill: cannot write PLAN.pos, nobody will die\n";

	life_number = next_life();
	if (life_number == 0)
		(void)syscall(SYS_write, STDERR_FILENO, trouble, sizeof(trouble) - 1);
	else
		kill_at = planned(life_number);
	life_pid = pid;
	atomic_store(&life, ALIVE);
}

static void append(char *line, const char *text)
{
	strcat(strcat(line, line[0] != '\0' ? " " : ""), text);
}

static void die(const char *call, int call_errno)
{
	char line[128] = "", digits[21];
	struct timespec now = {0};
	long fd = raw_open(log_path, O_WRONLY | O_CREAT | O_APPEND);

	append(line, put_number(digits, life_number));
	append(line, put_number(digits, kill_at));
	append(line, call);
	append(line, put_number(digits, call_errno));
	(void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	append(line, put_number(digits, now.tv_sec * 1000 + now.tv_nsec / 1000000));
	strcat(line, "\n");
	if (fd >= 0)
		(void)syscall(SYS_write, fd, line, strlen(line));
	(void)syscall(SYS_kill, life_pid, SIGKILL);
}

/* Takes an aim that the test has set meanwhile. */
static void look_for_arm(void)
{
	char text[21] = {0};
	const char *at = text;
	long fd, n;

	if (arm_path[0] == '\0' || atomic_exchange(&arming, true))
		return;
	fd = raw_open(arm_path, O_RDONLY);
	if (fd >= 0) {
		(void)syscall(SYS_read, fd, text, sizeof(text) - 1);
		(void)syscall(SYS_close, fd);
		(void)syscall(SYS_unlinkat, AT_FDCWD, arm_path, 0);
		n = take_number(&at);
		if (n > 0)
			atomic_store(&kill_at, atomic_load(&calls) + n);
	}
	atomic_store(&arming, false);
}

/* Before each call. Returns when the call may be made. */
static void count(const char *call)
{
	int saved = errno, unborn = UNBORN;
	long pid, n, at;

	if (loaded_pid == 0 || (pid = syscall(SYS_getpid)) == loaded_pid)
		return;
	if (atomic_compare_exchange_strong(&life, &unborn, BEING_BORN))
		be_born(pid);
	while (atomic_load(&life) != ALIVE)
		(void)syscall(SYS_sched_yield);
	/* A child of the worker does not count for it. */
	if (pid == life_pid) {
		if (atomic_load(&kill_at) == 0)
			look_for_arm();
		n = atomic_fetch_add(&calls, 1) + 1;
		at = atomic_load(&kill_at);
		if (n == at)
			die(call, saved);
		/* Nor does another thread come further while the signal is on its way. */
		while (at > 0 && n >= at)
			(void)syscall(SYS_sched_yield);
	}
	errno = saved;
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	count("send");
	return syscall(SYS_sendto, fd, buf, len, flags, NULL, 0);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	socklen_t to_len)
{
	count("sendto");
	return syscall(SYS_sendto, fd, buf, len, flags, to, to_len);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	count("sendmsg");
	return syscall(SYS_sendmsg, fd, msg, flags);
}

int sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	count("sendmmsg");
	return (int)syscall(SYS_sendmmsg, fd, msgs, n, flags);
}

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	count("recv");
	return syscall(SYS_recvfrom, fd, buf, len, flags, NULL, NULL);
}

ssize_t recvfrom(int fd, void *restrict buf, size_t len, int flags,
	struct sockaddr *restrict from, socklen_t *restrict from_len)
{
	count("recvfrom");
	return syscall(SYS_recvfrom, fd, buf, len, flags, from, from_len);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	count("recvmsg");
	return syscall(SYS_recvmsg, fd, msg, flags);
}

int recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *wait)
{
	count("recvmmsg");
	return (int)syscall(SYS_recvmmsg, fd, msgs, n, flags, wait);
}

ssize_t read(int fd, void *buf, size_t len)
{
	count("read");
	return syscall(SYS_read, fd, buf, len);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	count("write");
	return syscall(SYS_write, fd, buf, len);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	count("writev");
	return syscall(SYS_writev, fd, parts, n);
}

/* What the compiler calls instead under _FORTIFY_SOURCE. */
ssize_t __read_chk(int fd, void *buf, size_t len, size_t room);
ssize_t __recv_chk(int fd, void *buf, size_t len, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t len, size_t room, int flags,
	struct sockaddr *restrict from, socklen_t *restrict from_len);

ssize_t __read_chk(int fd, void *buf, size_t len, size_t room)
{
	if (len > room)
		abort();
	return read(fd, buf, len);
}

ssize_t __recv_chk(int fd, void *buf, size_t len, size_t room, int flags)
{
	if (len > room)
		abort();
	return recv(fd, buf, len, flags);
}

ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t len, size_t room, int flags,
	struct sockaddr *restrict from, socklen_t *restrict from_len)
{
	if (len > room)
		abort();
	return recvfrom(fd, buf, len, flags, from, from_len);
}
