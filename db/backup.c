/* backup.c: pg_dump and pg_restore as children. See backup.h. */
#include "db/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/stop.h"
#include "db/cluster.h"
#include "db/exec.h"

#define STATEMENT_MS 10000

/* The lowest version of a program that knows servers of `major`; else the one in PATH. */
static void find_program(const char *name, int64_t major, char ret_path[PATH_MAX])
{
	DIR *dir = opendir(DB_VERSIONS_DIR);
	const struct dirent *entry;
	int best = 0;

	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX];
		int version = atoi(entry->d_name);

		(void)snprintf(
			path, sizeof(path), DB_VERSIONS_DIR "/%d/bin/%s", version, name);
		if (version >= major && (best == 0 || version < best) &&
			access(path, X_OK) == 0)
			best = version;
	}
	if (dir)
		(void)closedir(dir);
	if (best > 0)
		(void)snprintf(
			ret_path, PATH_MAX, DB_VERSIONS_DIR "/%d/bin/%s", best, name);
	else
		(void)snprintf(ret_path, PATH_MAX, "%s", name);
}

/* What the server says of itself; also whether the URL is right. */
static int look_at_server(
	struct db *db, int64_t *ret_major, int64_t *ret_used, struct err *err)
{
	int rc = db_run_number(db,
		"SELECT current_setting('server_version_num')::bigint / 10000", NO_ARGS,
		ret_major);

	if (rc == 0)
		rc = db_run_number(db,
			"SELECT (to_regclass('schema_migrations') IS NOT NULL)::int",
			NO_ARGS, ret_used);
	if (rc < 0)
		return err_set(err, rc, "PostgreSQL does not answer: %s.", db_error(db));
	return 0;
}

/* In the child: libpq of the program finds the database by its environment. */
static void set_environment(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);

	for (PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->envvar && o->val)
			(void)setenv(o->envvar, o->val, 1);
	PQconninfoFree(options);
}

/* Waits for it; ends it when we are told to stop. Its status as of waitpid(). */
static int wait_for(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	bool told = false;
	int status = -1;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 ||
		(got < 0 && errno == EINTR)) {
		if (!told && stop_asked()) {
			(void)kill(pid, SIGTERM);
			told = true;
		}
		(void)nanosleep(&pause, NULL);
	}
	return status;
}

/* Runs it with output to nowhere and complaints to our stderr. 0: it ended well. */
static int run(const char *url, char *const words[], struct err *err)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		sigset_t none;

		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)umask(077);
		set_environment(url);
		if (null >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0)
			(void)execvp(words[0], words);
		_exit(127);
	}
	if (pid < 0)
		return err_set(
			err, -errno, "No process can be started: %s.", strerror(errno));
	status = wait_for(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (stop_asked())
		return err_set(err, -EINTR,
			"Told to stop before it was done: nothing was changed.");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(err, -ENOPKG,
			"%s cannot be run. Install the PostgreSQL client of the server's "
			"version or a newer one.",
			words[0]);
	return err_set(err, -EIO, "%s failed; what it said stands above.", words[0]);
}

/* Before pg_dump runs, which would say of a file only that it failed. */
static int make_file(const char *draft, const char *path, struct err *err)
{
	int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(
			err, -errno, "%s cannot be written: %s.", path, strerror(errno));
	(void)close(fd);
	return 0;
}

/* The file and its name are on the disk. */
static int settle_file(const char *draft, const char *path, struct err *err)
{
	char copy[PATH_MAX];
	int fd = open(draft, O_RDONLY | O_CLOEXEC), dir = -1, rc = 0;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	if (fd < 0 || fsync(fd) < 0 || rename(draft, path) < 0 ||
		(dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
		fsync(dir) < 0)
		rc = -errno;
	if (fd >= 0)
		(void)close(fd);
	if (dir >= 0)
		(void)close(dir);
	if (rc < 0)
		return err_set(err, rc, "%s cannot be written: %s.", path, strerror(-rc));
	return 0;
}

int db_backup(const char *url, const char *path, struct err *err)
{
	char program[PATH_MAX], reader[PATH_MAX], draft[PATH_MAX];
	char *const dump[] = {program, (char[]){"--format=custom"},
		(char[]){"--no-password"}, (char[]){"--file"}, draft, NULL};
	char *const list[] = {reader, (char[]){"--list"}, draft, NULL};
	struct db *db = NULL;
	int64_t major, used;
	int rc;

	if (snprintf(draft, sizeof(draft), "%s.part", path) >= (int)sizeof(draft))
		return err_set(
			err, -ENAMETOOLONG, "%.64s...: the path is too long.", path);
	rc = db_open(url, STATEMENT_MS, &db);
	if (rc == 0)
		rc = look_at_server(db, &major, &used, err);
	db_close(&db);
	if (rc < 0)
		return rc;
	if (!used)
		return err_set(err, -ENODATA,
			"The database holds no installation: there is nothing to back up.");
	find_program("pg_dump", major, program);
	find_program("pg_restore", major, reader);
	rc = make_file(draft, path, err);
	if (rc < 0)
		return rc;
	rc = run(url, dump, err);
	if (rc == 0)
		rc = run(url, list, err);
	if (rc == 0)
		rc = settle_file(draft, path, err);
	if (rc < 0)
		(void)unlink(draft);
	return rc;
}

/* Marked first: what follows is known as restored, wherever it ends. */
static int prepare(struct db *db, int64_t *ret_major, struct err *err)
{
	int64_t used;
	int rc = look_at_server(db, ret_major, &used, err);

	if (rc < 0)
		return rc;
	if (used)
		return err_set(err, -EEXIST,
			"The database already holds an installation. Restore into an empty "
			"one: another DATABASE_URL, or another DATA_DIR.");
	rc = db_script(db, "CREATE TABLE IF NOT EXISTS restored"
			   " (at timestamptz NOT NULL DEFAULT now())");
	if (rc < 0)
		return err_set(err, rc, "PostgreSQL refused: %s.", db_error(db));
	return 0;
}

int db_restore(const char *url, const char *path, struct err *err)
{
	char program[PATH_MAX], file[PATH_MAX];
	char *const words[] = {program, (char[]){"--single-transaction"},
		(char[]){"--exit-on-error"}, (char[]){"--no-owner"},
		(char[]){"--no-privileges"}, (char[]){"--no-password"},
		(char[]){"--dbname="}, file, NULL};
	struct db *db = NULL;
	bool settled;
	int64_t major;
	int rc;

	if (access(path, R_OK) < 0)
		return err_set(
			err, -ENODATA, "%s cannot be read: %s.", path, strerror(errno));
	(void)snprintf(file, sizeof(file), "%s", path);
	rc = db_open(url, STATEMENT_MS, &db);
	if (rc == 0)
		rc = prepare(db, &major, err);
	if (rc == 0) {
		find_program("pg_restore", major, program);
		rc = run(url, words, err);
	}
	if (rc == 0) {
		rc = db_restored(db, &settled);
		if (rc < 0)
			(void)err_set(err, rc, "PostgreSQL refused: %s.", db_error(db));
	}
	db_close(&db);
	return rc;
}

int db_restored(struct db *db, bool *ret_settled)
{
	int64_t marked;
	int rc;

	*ret_settled = false;
	rc = db_run_number(db,
		"SELECT (to_regclass('restored') IS NOT NULL"
		" AND to_regclass('campaigns') IS NOT NULL)::int",
		NO_ARGS, &marked);
	if (rc < 0 || marked == 0)
		return rc;
	rc = db_begin(db);
	if (rc == 0)
		rc = db_script(db,
			"UPDATE campaigns SET auto_dial = false, lease_node = NULL,"
			" lease_until = NULL, run_reason = 'Restored from a backup, which may"
			" not know the newest calls. Start auto-dial when you have looked.'"
			" WHERE auto_dial;"
			"DROP TABLE restored");
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	*ret_settled = rc == 0;
	return rc;
}
