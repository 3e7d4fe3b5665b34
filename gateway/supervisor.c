/* supervisor.c: keeps one worker running. See supervisor.h. */
#include "gateway/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/cluster.h"
#include "gateway/addresses.h"
#include "gateway/data_dir.h"
#include "gateway/worker.h"
#include "http/server.h"

#define LOCK_WAIT_MS 3000  /* for the worker of a supervisor that was killed to be gone */
#define STOP_WAIT_MS 20000 /* for the worker to finish its requests */
#define RESTART_MAX_MS \
	1000            /* a worker that keeps dying is restarted at most this often */
#define STEADY_MS 10000 /* a worker that lived so long starts afresh at once */

struct supervisor {
	struct config *config;
	const char *data_dir;
	int lock_fd, listen_fd;
	bool own_cluster;
	pid_t worker;
	int64_t started_ms;
	unsigned quick_deaths;
	sigset_t signals;
};

static void sleep_ms(long ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&pause, NULL);
}

static int start_database(struct supervisor *sup, struct err *err)
{
	char url[512];
	pid_t postmaster;
	int result;

	if (config_text(sup->config, "DATABASE_URL")[0] != '\0')
		return 0;
	result = db_cluster_start(sup->data_dir, &postmaster, url, sizeof(url), err);
	if (result < 0)
		return result;
	sup->own_cluster = true;
	log_debug("supervisor", 0, "private PostgreSQL pid=%d", (int)postmaster);
	return config_derive(sup->config, "DATABASE_URL", url);
}

/* The socket outlives workers: a request that comes while one restarts waits in its backlog. */
static int start_listening(struct supervisor *sup, struct err *err)
{
	struct addresses before = {0};
	struct addr wanted, real;
	char text[ADDR_TEXT_SIZE], url[ADDR_TEXT_SIZE + 8];
	int result;

	(void)addresses_read(sup->data_dir, &before);
	(void)addr_parse(config_text(sup->config, "HTTP_LISTEN"), &wanted);
	addresses_keep_port(before.http, &wanted);
	result = http_listen(&wanted, &sup->listen_fd, &real);
	if (result < 0)
		return err_set(err, result, "HTTP_LISTEN %s cannot be used: %s.",
			addr_text(&wanted, text), strerror(-result));
	result = config_derive(sup->config, "HTTP_LISTEN", addr_text(&real, text));
	if (result == 0 && config_text(sup->config, "BACKEND_URL")[0] == '\0') {
		(void)snprintf(url, sizeof(url), "http://%s", text);
		result = config_derive(sup->config, "BACKEND_URL", url);
	}
	return result;
}

/* In the child: dies with the supervisor, also with one that is killed. */
static void become_worker(const struct supervisor *sup, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EX_UNAVAILABLE);
	_exit(worker_run(sup->config, sup->listen_fd, parent));
}

static int start_worker(struct supervisor *sup)
{
	pid_t parent = getpid();

	sup->started_ms = clock_mono_ms();
	sup->worker = fork();
	if (sup->worker == 0)
		become_worker(sup, parent);
	return sup->worker < 0 ? -errno : 0;
}

static void pause_before_restart(struct supervisor *sup)
{
	long wait = 0;

	if (clock_mono_ms() - sup->started_ms >= STEADY_MS)
		sup->quick_deaths = 0;
	for (unsigned i = 0; i < sup->quick_deaths && wait < RESTART_MAX_MS; i++)
		wait = wait == 0 ? 50 : 2 * wait;
	sup->quick_deaths++;
	sleep_ms(wait < RESTART_MAX_MS ? wait : RESTART_MAX_MS);
}

/* The worker's death in words; whether a new one makes sense. */
static bool worker_may_restart(int status)
{
	if (WIFSIGNALED(status)) {
		log_error("supervisor", 0,
			"worker killed by signal %d, starting a new one",
			WTERMSIG(status));
		return true;
	}
	if (WEXITSTATUS(status) == EX_CONFIG || WEXITSTATUS(status) == EX_UNAVAILABLE)
		return false; /* it said why */
	log_error("supervisor", 0, "worker ended with status %d, starting a new one",
		WEXITSTATUS(status));
	return true;
}

/* Reaps all children; returns the exit status to end with, or -1 to go on. */
static int reap(struct supervisor *sup, bool stopping)
{
	int status, result = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != sup->worker)
			continue;
		sup->worker = 0;
		if (stopping)
			return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
		if (!worker_may_restart(status))
			return WEXITSTATUS(status);
		pause_before_restart(sup);
		if (start_worker(sup) < 0)
			result = EX_OSERR;
	}
	return result;
}

/* Waits for signals until it is over. */
static int watch(struct supervisor *sup)
{
	struct timespec limit = {.tv_sec = 1};
	int64_t kill_at = INT64_MAX;
	bool stopping = false;
	int result = -1;

	while (result < 0) {
		int sig = sigtimedwait(&sup->signals, NULL, &limit);

		if ((sig == SIGTERM || sig == SIGINT) && !stopping) {
			stopping = true;
			kill_at = clock_mono_ms() + STOP_WAIT_MS;
			(void)kill(sup->worker, SIGTERM);
		}
		if (clock_mono_ms() > kill_at && sup->worker > 0)
			(void)kill(sup->worker, SIGKILL);
		result = reap(sup, stopping);
	}
	return result;
}

static int start(struct supervisor *sup, struct err *err)
{
	int result;

	(void)sigemptyset(&sup->signals);
	(void)sigaddset(&sup->signals, SIGTERM);
	(void)sigaddset(&sup->signals, SIGINT);
	(void)sigaddset(&sup->signals, SIGCHLD);
	result = data_dir_lock(sup->data_dir, LOCK_WAIT_MS, &sup->lock_fd, err);
	if (result == 0)
		result = start_database(sup, err);
	if (result == 0)
		result = start_listening(sup, err);
	if (result < 0)
		return result;
	/* Blocked from here on, in the worker as well: both wait for them. */
	(void)sigprocmask(SIG_BLOCK, &sup->signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	result = start_worker(sup);
	if (result < 0)
		return err_set(
			err, result, "No process can be started: %s.", strerror(-result));
	return 0;
}

int supervisor_run(struct config *config)
{
	struct supervisor sup = {
		.config = config,
		.data_dir = config_text(config, "DATA_DIR"),
		.lock_fd = -1,
		.listen_fd = -1,
	};
	struct err err = {{0}};
	int result = EX_UNAVAILABLE;

	if (start(&sup, &err) < 0)
		log_error("supervisor", 0, "not started: %s", err.text);
	else
		result = watch(&sup);
	if (sup.own_cluster && db_cluster_stop(sup.data_dir, STOP_WAIT_MS, &err) < 0)
		log_warn("supervisor", 0, "PostgreSQL: %s", err.text);
	if (sup.listen_fd >= 0)
		(void)close(sup.listen_fd);
	if (sup.lock_fd >= 0)
		(void)close(sup.lock_fd);
	return result;
}
