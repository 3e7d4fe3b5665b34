/* supervisor.c: keeps one worker running. See supervisor.h. */
#include "gateway/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/stop.h"
#include "db/cluster.h"
#include "gateway/addresses.h"
#include "gateway/data_dir.h"
#include "gateway/pulse.h"
#include "gateway/worker.h"
#include "http/server.h"

#define LOCK_WAIT_MS 3000  /* for the worker of a supervisor that was killed to be gone */
#define STOP_WAIT_MS 20000 /* for the worker to finish its requests */
#define RESTART_MAX_MS \
	1000               /* a worker that keeps dying is restarted at most this often */
#define MEND_AGAIN_MS 2000 /* between two tries to start PostgreSQL again */
#define STEADY_MS 10000    /* a worker that lived so long starts afresh at once */

struct supervisor {
	struct config *config;
	const char *data_dir;
	int lock_fd, listen_fd, metrics_fd;
	struct pulse *pulse;
	int64_t hung_ms;     /* a loop that stands still so long is ended */
	int64_t watchdog_ms; /* systemd wants to hear of us so often; 0: never */
	int64_t barked_ms;
	bool own_cluster;
	bool served; /* a worker has answered: what keeps the next from it will pass */
	pid_t worker;
	pid_t postmaster;   /* 0: it has ended */
	pid_t mender;       /* starts it again; 0: none is at it */
	int64_t mend_at_ms; /* not before */
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
	int result;

	if (config_text(sup->config, "DATABASE_URL")[0] != '\0')
		return 0;
	result = db_cluster_start(sup->data_dir, &sup->postmaster, url, sizeof(url), err);
	if (result < 0 && stop_asked()) {
		log_warn("supervisor", 0, "PostgreSQL: %s", err->text);
		sup->own_cluster = true; /* what there is of it is put away */
		return err_set(err, -EINTR, "told to stop.");
	}
	if (result < 0)
		return result; /* it may get ready yet: the next start finds it */
	sup->own_cluster = true;
	log_debug("supervisor", 0, "private PostgreSQL pid=%d", (int)sup->postmaster);
	return config_derive(sup->config, "DATABASE_URL", url);
}

/* Opens the address of the setting `name`; the port of an earlier run when it may be any. */
static int open_listener(struct supervisor *sup, const char *name, const char *before,
	int *ret_fd, struct err *err)
{
	struct addr wanted, real;
	char text[ADDR_TEXT_SIZE];
	int result;

	(void)addr_parse(config_text(sup->config, name), &wanted);
	addresses_keep_port(before, &wanted);
	result = http_listen(&wanted, ret_fd, &real);
	if (result < 0)
		return err_set(err, result,
			"%s %s cannot be used: %s. Choose another address, or stop what uses "
			"it.",
			name, addr_text(&wanted, text), strerror(-result));
	return config_derive(sup->config, name, addr_text(&real, text));
}

/* Sockets outlive workers: a request that comes while one restarts waits in the backlog. */
static int start_listening(struct supervisor *sup, struct err *err)
{
	struct addresses before = {0};
	char url[ADDR_TEXT_SIZE + 8];
	int result;

	(void)addresses_read(sup->data_dir, &before);
	result = open_listener(sup, "HTTP_LISTEN", before.http, &sup->listen_fd, err);
	if (result == 0 && config_text(sup->config, "METRICS_LISTEN")[0] != '\0')
		result = open_listener(
			sup, "METRICS_LISTEN", before.metrics, &sup->metrics_fd, err);
	if (result == 0 && config_text(sup->config, "BACKEND_URL")[0] == '\0') {
		(void)snprintf(url, sizeof(url), "http://%s",
			config_text(sup->config, "HTTP_LISTEN"));
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
	_exit(worker_run(&(struct worker_params){
		.config = sup->config,
		.listen_fd = sup->listen_fd,
		.metrics_fd = sup->metrics_fd,
		.supervisor = parent,
		.pulse = sup->pulse,
	}));
}

static int start_worker(struct supervisor *sup)
{
	pid_t parent = getpid();

	sup->started_ms = clock_mono_ms();
	atomic_store(&sup->pulse->beat_ms, 0);
	atomic_store(&sup->pulse->ready, false);
	(void)atomic_fetch_add(&sup->pulse->starts, 1);
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

/* The wish outlives the worker that is told. */
static void drain(struct supervisor *sup)
{
	pulse_drain(sup->pulse, config_int(sup->config, "DRAIN_TIMEOUT") * 1000);
	(void)notify_send("STATUS=Draining: waiting for calls to end.");
	(void)kill(sup->worker, SIGUSR1);
}

/* For the database. */
static bool may_wait(const struct supervisor *sup)
{
	return sup->served && !pulse_drain_is_over(sup->pulse);
}

/* The worker's death in words; whether a new one makes sense. */
static bool worker_may_restart(struct supervisor *sup, int status)
{
	sup->served = sup->served || atomic_load(&sup->pulse->ready);
	if (WIFSIGNALED(status)) {
		log_error("supervisor", 0,
			"worker killed by signal %d, starting a new one",
			WTERMSIG(status));
		return true;
	}
	if (WEXITSTATUS(status) == EX_CONFIG ||
		(WEXITSTATUS(status) == EX_UNAVAILABLE && !may_wait(sup)))
		return false; /* it said why */
	log_error("supervisor", 0, "worker ended with status %d, starting a new one",
		WEXITSTATUS(status));
	return true;
}

/* ---- a private PostgreSQL that died ---- */

/* In a process of its own: recovery takes its time, and the worker must be watched meanwhile. */
static void mend(struct supervisor *sup)
{
	char url[512];
	struct err err = {{0}};
	pid_t pid;

	log_error("supervisor", 0, "PostgreSQL has ended, starting it again");
	sup->mender = fork();
	if (sup->mender != 0)
		return;
	if (db_cluster_start(sup->data_dir, &pid, url, sizeof(url), &err) == 0)
		_exit(EX_OK);
	log_error("supervisor", 0, "PostgreSQL: %s", err.text);
	_exit(EX_UNAVAILABLE);
}

static void mended(struct supervisor *sup, int status)
{
	sup->mender = 0;
	sup->mend_at_ms = clock_mono_ms() + MEND_AGAIN_MS;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_OK)
		return;
	sup->postmaster = db_cluster_pid(sup->data_dir);
	log_info("supervisor", 0, "PostgreSQL runs again");
}

/* One that was found running is nobody's child: it is asked for. */
static void check_database(struct supervisor *sup)
{
	if (!sup->own_cluster || sup->mender > 0)
		return;
	if (sup->postmaster > 0 && kill(sup->postmaster, 0) < 0 && errno == ESRCH)
		sup->postmaster = 0;
	if (sup->postmaster <= 0 && clock_mono_ms() >= sup->mend_at_ms)
		mend(sup);
}

/* Of a worker that has no successor. What was to be drained is not to be started again. */
static int last_status(const struct supervisor *sup, int status)
{
	if (WEXITSTATUS(status) != EX_UNAVAILABLE || !atomic_load(&sup->pulse->draining))
		return WEXITSTATUS(status);
	log_warn("supervisor", 0, "drained, but agents may not have been signed out");
	return EX_OK;
}

/* Reaps all children; returns the exit status to end with, or -1 to go on. */
static int reap(struct supervisor *sup, bool stopping)
{
	int status, result = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == sup->postmaster)
			sup->postmaster = 0;
		if (pid == sup->mender)
			mended(sup, status);
		if (pid != sup->worker)
			continue;
		sup->worker = 0;
		if (stopping && WIFSIGNALED(status))
			log_error("supervisor", 0,
				"worker killed by signal %d while it stopped",
				WTERMSIG(status));
		if (stopping ||
			(atomic_load(&sup->pulse->draining) && WIFEXITED(status) &&
				WEXITSTATUS(status) == EX_OK))
			return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
		if (!worker_may_restart(sup, status))
			return last_status(sup, status);
		(void)notify_send("STATUS=Starting a new worker.");
		pause_before_restart(sup);
		if (start_worker(sup) < 0)
			result = EX_OSERR;
	}
	return result;
}

/* A worker whose loop stands still serves nobody, whatever its other threads do. */
static void check_pulse(struct supervisor *sup, bool stopping)
{
	int64_t now = clock_mono_ms(), beat = atomic_load(&sup->pulse->beat_ms);

	if (beat != 0 && !stopping && now - beat > sup->hung_ms && sup->worker > 0) {
		log_error("supervisor", 0,
			"the worker's loop has stood still for %lld ms: ending it",
			(long long)(now - beat));
		(void)atomic_fetch_add(&sup->pulse->hung, 1);
		atomic_store(&sup->pulse->beat_ms, 0);
		/* Not SIGKILL: a core shows where it stood. A stopped process must go on to die. */
		(void)kill(sup->worker, SIGABRT);
		(void)kill(sup->worker, SIGCONT);
	}
	if (sup->watchdog_ms > 0 && now - sup->barked_ms >= sup->watchdog_ms) {
		(void)notify_send("WATCHDOG=1");
		sup->barked_ms = now;
	}
}

static void tell_ready(const struct supervisor *sup)
{
	char lines[256];

	if (!atomic_load(&sup->pulse->ready))
		return;
	(void)snprintf(lines, sizeof(lines),
		"READY=1\nSTATUS=%s on %s, worker %d, start %u.",
		atomic_load(&sup->pulse->draining) ? "Draining" : "Serving",
		config_text(sup->config, "HTTP_LISTEN"), (int)sup->worker,
		atomic_load(&sup->pulse->starts));
	(void)notify_send(lines);
}

/* Often enough to notice what no signal tells. */
static struct timespec next_look(const struct supervisor *sup)
{
	int64_t ms =
		sup->watchdog_ms > 0 && sup->watchdog_ms < 1000 ? sup->watchdog_ms : 1000;

	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

/* Waits for signals until it is over. */
static int watch(struct supervisor *sup)
{
	struct timespec limit = next_look(sup);
	int64_t kill_at = INT64_MAX;
	bool stopping = false;
	int result = -1;

	while (result < 0) {
		int sig = sigtimedwait(&sup->signals, NULL, &limit);

		if ((sig == SIGTERM || sig == SIGINT || sig == SIGHUP) && !stopping) {
			stopping = true;
			(void)notify_send("STOPPING=1\nSTATUS=Stopping.");
			kill_at = clock_mono_ms() + STOP_WAIT_MS;
			(void)kill(sup->worker, SIGTERM);
		}
		if (sig == SIGUSR1 && !stopping)
			drain(sup);
		if (sig == SIGUSR2)
			tell_ready(sup);
		check_pulse(sup, stopping);
		if (!stopping)
			check_database(sup);
		if (clock_mono_ms() > kill_at && sup->worker > 0)
			(void)kill(sup->worker, SIGKILL);
		result = reap(sup, stopping);
	}
	return result;
}

static int take_data_dir(struct supervisor *sup, struct err *err)
{
	int result = data_dir_lock(sup->data_dir, LOCK_WAIT_MS, &sup->lock_fd, err);

	if (result < 0)
		return result;
	result = data_dir_serve(sup->lock_fd);
	if (result < 0)
		log_warn("supervisor", 0,
			"%s/run/lock cannot be written: %s. --drain will not find this gateway: "
			"free some space and restart it, or send SIGUSR1 to process %d.",
			sup->data_dir, strerror(-result), (int)getpid());
	return 0;
}

/* Blocked from the first step on, in the worker as well: both wait for them. */
static void hold_signals(struct supervisor *sup)
{
	stop_signals(&sup->signals);
	(void)sigaddset(&sup->signals, SIGCHLD);
	(void)sigaddset(&sup->signals, SIGUSR1);
	(void)sigaddset(&sup->signals, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &sup->signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* -EINTR: it was told to stop before there was a worker. */
static int start(struct supervisor *sup, struct err *err)
{
	static int (*const steps[])(struct supervisor *, struct err *) = {
		take_data_dir, start_database, start_listening, NULL};
	int result = 0;

	hold_signals(sup);
	/* PostgreSQL's processes are ours to bury, also when their starter has ended. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t i = 0; result == 0 && steps[i] != NULL; i++) {
		result = steps[i](sup, err);
		if (result == 0 && stop_asked())
			result = err_set(err, -EINTR, "told to stop.");
	}
	if (result < 0)
		return result;
	result = start_worker(sup);
	if (result < 0)
		return err_set(
			err, result, "No process can be started: %s.", strerror(-result));
	return 0;
}

/* Of a start that did not come to an end, in a word of sysexits. */
static int status_of(const struct supervisor *sup, int rc)
{
	if (rc == -EINTR)
		return EX_OK;
	if (sup->lock_fd < 0)
		return rc == -EBUSY ? EX_TEMPFAIL : EX_CANTCREAT;
	return sup->worker < 0 ? EX_OSERR : EX_UNAVAILABLE;
}

int supervisor_run(struct config *config)
{
	struct supervisor sup = {
		.config = config,
		.data_dir = config_text(config, "DATA_DIR"),
		.lock_fd = -1,
		.listen_fd = -1,
		.metrics_fd = -1,
		.hung_ms = config_int(config, "HUNG_AFTER") * 1000,
		.watchdog_ms = notify_watchdog_ms(),
		.pulse = mmap(NULL, sizeof(struct pulse), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};
	struct err err = {{0}};
	int started, result;

	if (sup.pulse == MAP_FAILED)
		return EX_OSERR;
	started = start(&sup, &err);
	if (started == -EINTR)
		log_info("supervisor", 0, "not started: %s", err.text);
	else if (started < 0)
		log_error("supervisor", 0, "not started: %s", err.text);
	result = started == 0 ? watch(&sup) : status_of(&sup, started);
	if (sup.mender > 0)
		(void)waitpid(sup.mender, NULL, 0);
	if (sup.own_cluster && db_cluster_stop(sup.data_dir, STOP_WAIT_MS, &err) < 0)
		log_warn("supervisor", 0, "PostgreSQL: %s", err.text);
	if (sup.listen_fd >= 0)
		(void)close(sup.listen_fd);
	if (sup.metrics_fd >= 0)
		(void)close(sup.metrics_fd);
	(void)munmap(sup.pulse, sizeof(struct pulse));
	if (sup.lock_fd >= 0)
		(void)close(sup.lock_fd);
	return result;
}
