/*
 * cluster.c: the private PostgreSQL: made, started or found running, and stopped.
 *
 * postmaster.pid belongs to PostgreSQL: it is read here, never written, never deleted.
 */
#include "db/cluster.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <limits.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define ACCOUNT "postgres"
#define OWNER "omnivox" /* superuser and database inside the cluster */
#define SOCKET_NAME "/.s.PGSQL.5432"
#define SOCKET_PATH_MAX 107 /* sockaddr_un */
#define START_MS 60000      /* crash recovery of a busy cluster takes its time */

struct cluster {
	char data[PATH_MAX];     /* DATA_DIR */
	char postgres[PATH_MAX]; /* DATA_DIR/postgres */
	char run[PATH_MAX];      /* DATA_DIR/run */
	char log[PATH_MAX];      /* DATA_DIR/postgres.log */
	char bin[PATH_MAX];      /* where initdb and postgres are */
	bool drop;               /* we are root: PostgreSQL runs as `uid` */
	uid_t uid;
	gid_t gid;
};

static void nap(void)
{
	const struct timespec ts = {.tv_nsec = 10 * 1000 * 1000};

	(void)nanosleep(&ts, NULL);
}

static int put_path(char dst[PATH_MAX], struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int put_path(char dst[PATH_MAX], struct err *err, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(dst, PATH_MAX, fmt, args);
	va_end(args);
	if (length < 0 || length >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "DATA_DIR is too long a path");
	return 0;
}

/* The paths; DATA_DIR exists from here on. */
static int name_paths(struct cluster *c, const char *data_dir, struct err *err)
{
	int rc;

	if (mkdir(data_dir, 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, "cannot make DATA_DIR %s: %s", data_dir,
			strerror(errno));
	if (!realpath(data_dir, c->data))
		return err_set(err, -errno, "cannot use DATA_DIR %s: %s", data_dir,
			strerror(errno));
	if (strpbrk(c->data, "\"'\\"))
		return err_set(err, -EINVAL,
			"DATA_DIR %s must not have quotes or backslashes", c->data);
	if (strlen(c->data) + strlen("/run" SOCKET_NAME) > SOCKET_PATH_MAX)
		return err_set(err, -ENAMETOOLONG,
			"DATA_DIR %s is too long for a PostgreSQL socket: at most %zu bytes",
			c->data, SOCKET_PATH_MAX - strlen("/run" SOCKET_NAME));
	rc = put_path(c->postgres, err, "%s/postgres", c->data);
	if (rc == 0)
		rc = put_path(c->run, err, "%s/run", c->data);
	if (rc == 0)
		rc = put_path(c->log, err, "%s/postgres.log", c->data);
	return rc;
}

/* PostgreSQL refuses root. */
static int choose_account(struct cluster *c, struct err *err)
{
	const struct passwd *account;
	struct stat st;

	if (geteuid() != 0)
		return 0;
	/* One that is there stays with whoever made it: root may only be looking after it. */
	if (stat(c->postgres, &st) == 0 && st.st_uid != 0) {
		c->drop = true;
		c->uid = st.st_uid;
		c->gid = st.st_gid;
		return 0;
	}
	account = getpwnam(ACCOUNT);
	if (!account)
		return err_set(err, -ENOPKG,
			"PostgreSQL does not run as root and there is no account `" ACCOUNT
			"`: install postgresql, or set DATABASE_URL");
	c->drop = true;
	c->uid = account->pw_uid;
	c->gid = account->pw_gid;
	return 0;
}

/* The version that made an existing cluster; 0 when there is none. */
static int cluster_version(const struct cluster *c)
{
	char path[PATH_MAX + 16];
	int version = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/PG_VERSION", c->postgres);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &version) != 1)
		version = 0;
	(void)fclose(file);
	return version;
}

static int newest_version(void)
{
	DIR *dir = opendir(DB_VERSIONS_DIR);
	const struct dirent *entry;
	int newest = 0;

	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX];
		int version = atoi(entry->d_name);

		(void)snprintf(
			path, sizeof(path), DB_VERSIONS_DIR "/%d/bin/initdb", version);
		if (version > newest && access(path, X_OK) == 0)
			newest = version;
	}
	if (dir)
		(void)closedir(dir);
	return newest;
}

/* A cluster needs the version that made it; a new one gets the newest. */
static int choose_programs(struct cluster *c, struct err *err)
{
	int made_by = cluster_version(c);
	int version = made_by ? made_by : newest_version();
	char path[PATH_MAX + 16];

	if (version == 0)
		return err_set(err, -ENOPKG,
			"no PostgreSQL in " DB_VERSIONS_DIR
			": install postgresql, or set DATABASE_URL");
	(void)snprintf(c->bin, sizeof(c->bin), DB_VERSIONS_DIR "/%d/bin", version);
	(void)snprintf(path, sizeof(path), "%s/postgres", c->bin);
	if (access(path, X_OK) < 0)
		return err_set(err, -ENOPKG,
			"%s was made by PostgreSQL %d, which is not in %s: install it again, "
			"or move the data with pg_upgrade",
			c->postgres, version, c->bin);
	return 0;
}

/* A folder that only PostgreSQL's account (and root) may enter. */
static int own_folder(const struct cluster *c, const char *path, struct err *err)
{
	if ((mkdir(path, 0700) < 0 && errno != EEXIST) || chmod(path, 0700) < 0 ||
		(c->drop && chown(path, c->uid, c->gid) < 0))
		return err_set(err, -errno, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

/* The other account must get through DATA_DIR (x), not read it; its owner does anyway. */
static int open_way(const struct cluster *c, struct err *err)
{
	struct stat st;

	if (!c->drop)
		return 0;
	if (stat(c->data, &st) < 0 ||
		(st.st_uid != c->uid && !(st.st_mode & S_IXOTH) &&
			chmod(c->data, (st.st_mode & 07777) | S_IXOTH) < 0))
		return err_set(err, -errno, "cannot let account " ACCOUNT " into %s: %s",
			c->data, strerror(errno));
	return 0;
}

/*
 * In the child, after fork: becomes PostgreSQL's account in a session of its own, with output
 * to the log and nothing else inherited. It outlives us on purpose: no PDEATHSIG. Does not
 * return.
 */
static void become(const struct cluster *c, int log, char *const argv[])
	__attribute__((noreturn));
static void become(const struct cluster *c, int log, char *const argv[])
{
	static char *const env[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", NULL};
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)setsid();
	if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	(void)close_range(3, ~0U, 0);
	(void)umask(077);
	if (c->drop &&
		(setgroups(1, &c->gid) < 0 || setgid(c->gid) < 0 || setuid(c->uid) < 0))
		_exit(126);
	if (chdir(c->data) < 0)
		dprintf(2, "account " ACCOUNT " cannot enter %s: %s\n", c->data,
			strerror(errno));
	else if (execve(argv[0], argv, env) < 0)
		dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int spawn(
	const struct cluster *c, char *const argv[], pid_t *ret_pid, struct err *err)
{
	int log = open(
		c->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	pid_t pid;

	if (log < 0)
		return err_set(
			err, -errno, "cannot write %s: %s", c->log, strerror(errno));
	pid = fork();
	if (pid == 0)
		become(c, log, argv);
	(void)close(log);
	if (pid < 0)
		return err_set(err, -errno, "cannot fork: %s", strerror(errno));
	*ret_pid = pid;
	return 0;
}

/* A program failed: its last line in the log is the reason. */
static int fail_with_log(const struct cluster *c, const char *what, struct err *err)
{
	char tail[1024] = "", *line;
	int fd = open(c->log, O_RDONLY | O_CLOEXEC);
	ssize_t length = 0;
	off_t size;

	if (fd >= 0) {
		size = lseek(fd, 0, SEEK_END);
		(void)lseek(fd, size > 1000 ? size - 1000 : 0, SEEK_SET);
		length = read(fd, tail, sizeof(tail) - 1);
		(void)close(fd);
	}
	while (length > 0 && isspace((unsigned char)tail[length - 1]))
		length--;
	tail[length > 0 ? length : 0] = '\0';
	line = strrchr(tail, '\n');
	return err_set(err, -EIO, "%s failed, see %s: %.300s", what, c->log,
		line ? line + 1 : tail);
}

/*
 * Sorted by bytes, whatever the machine speaks; but every alphabet has its capital letters. Where
 * the C library has no such locale (glibc before 2.35, unless the distribution adds it), ASCII has.
 */
static const char *letters(void)
{
	locale_t there = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	if (there == (locale_t)0)
		return "--lc-ctype=C";
	freelocale(there);
	return "--lc-ctype=C.UTF-8";
}

/*
 * initdb into a folder beside, renamed when complete: what was broken off is never taken for a
 * cluster. Trust is limited to those who can enter DATA_DIR/run.
 */
static int make_cluster(const struct cluster *c, struct err *err)
{
	char fresh[PATH_MAX], initdb[PATH_MAX], clear[PATH_MAX], ctype[32];
	char *const clear_argv[] = {(char[]){"/usr/bin/find"}, clear,
		(char[]){"-mindepth"}, (char[]){"1"}, (char[]){"-delete"}, NULL};
	char *const argv[] = {initdb, (char[]){"-D"}, fresh,
		(char[]){"--username=" OWNER}, (char[]){"--auth-local=trust"},
		(char[]){"--auth-host=reject"}, (char[]){"--encoding=UTF8"},
		(char[]){"--locale=C"}, ctype, (char[]){"--no-instructions"}, NULL};
	int rc, status = -1;
	pid_t pid;

	(void)snprintf(ctype, sizeof(ctype), "%s", letters());
	rc = put_path(fresh, err, "%s.new", c->postgres);
	if (rc == 0)
		rc = put_path(clear, err, "%s.new", c->postgres);
	if (rc == 0)
		rc = put_path(initdb, err, "%s/initdb", c->bin);
	if (rc == 0)
		rc = own_folder(c, fresh, err);
	if (rc == 0)
		rc = spawn(c, clear_argv, &pid, err); /* a start that was broken off */
	if (rc < 0)
		return rc;
	(void)waitpid(pid, &status, 0);
	rc = spawn(c, argv, &pid, err);
	if (rc < 0)
		return rc;
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return fail_with_log(c, "initdb", err);
	if (rename(fresh, c->postgres) < 0)
		return err_set(
			err, -errno, "cannot rename %s: %s", fresh, strerror(errno));
	return 0;
}

/* The pid in postmaster.pid when such a process lives, else 0. */
static pid_t running(const struct cluster *c)
{
	char path[PATH_MAX + 16];
	long pid = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/postmaster.pid", c->postgres);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%ld", &pid) != 1 || pid <= 1)
		pid = 0;
	(void)fclose(file);
	if (pid && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		pid = 0;
	return (pid_t)pid;
}

/* After a crash the number in postmaster.pid may be somebody else's. */
static bool is_postgres(pid_t pid)
{
	char path[64], name[16] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	(void)fclose(file);
	return strncmp(name, "postgres", 8) == 0;
}

static int write_url(const struct cluster *c, const char *database, char *ret_url,
	size_t size, struct err *err)
{
	int length = snprintf(ret_url, size,
		"host='%s' port=5432 user=" OWNER " dbname=%s", c->run, database);

	if (length < 0 || (size_t)length >= size)
		return err_set(err, -ENAMETOOLONG, "no room for the URL of the database");
	return 0;
}

static bool takes_connections(const struct cluster *c)
{
	char url[PATH_MAX + 64];

	return write_url(c, "postgres", url, sizeof(url), NULL) == 0 &&
	       PQping(url) == PQPING_OK;
}

static bool gone(pid_t pid)
{
	/* Our own child must be reaped; another's is not ours to wait for. */
	return waitpid(pid, NULL, WNOHANG) == pid || (kill(pid, 0) < 0 && errno == ESRCH);
}

/* Waits until `pid` takes connections; -ESRCH when it ended first. */
static int wait_ready(const struct cluster *c, pid_t pid, struct err *err)
{
	int64_t end = clock_mono_ms() + START_MS;

	while (!takes_connections(c)) {
		if (gone(pid))
			return -ESRCH;
		if (clock_mono_ms() > end)
			return err_set(err, -ETIMEDOUT,
				"PostgreSQL (process %ld) takes no connections, see %s",
				(long)pid, c->log);
		nap();
	}
	return 0;
}

/* The settings travel with the program, not with the cluster. */
static int start_postmaster(const struct cluster *c, pid_t *ret_pid, struct err *err)
{
	char program[PATH_MAX], data[PATH_MAX], sockets[PATH_MAX];
	char *const argv[] = {program, (char[]){"-D"}, data, (char[]){"-c"}, sockets,
		(char[]){"-clisten_addresses="}, (char[]){"-cport=5432"},
		(char[]){"-cunix_socket_permissions=0700"},
		(char[]){"-cmax_connections=100"}, (char[]){"-cshared_buffers=128MB"},
		(char[]){"-cmax_wal_size=1GB"}, (char[]){"-ccheckpoint_timeout=15min"},
		(char[]){"-crandom_page_cost=1.1"},
		(char[]){"-cmax_parallel_workers_per_gather=0"}, (char[]){"-cjit=off"},
		(char[]){"-cautovacuum_naptime=15s"}, (char[]){"-clogging_collector=off"},
		(char[]){"-clog_line_prefix=%m [%p] "}, (char[]){"-clog_checkpoints=off"},
		/* Terse: details of errors would quote people's numbers. */
		(char[]){"-clog_error_verbosity=terse"},
		(char[]){"-clog_min_error_statement=panic"}, (char[]){"-ctimezone=UTC"},
		(char[]){"-clog_timezone=UTC"}, NULL};
	int rc;
	pid_t pid;

	rc = put_path(program, err, "%s/postgres", c->bin);
	if (rc == 0)
		rc = put_path(data, err, "%s", c->postgres);
	if (rc == 0)
		rc = put_path(sockets, err, "unix_socket_directories=\"%s\"", c->run);
	if (rc == 0)
		rc = spawn(c, argv, &pid, err);
	if (rc == 0)
		rc = wait_ready(c, pid, err);
	if (rc == -ESRCH)
		return fail_with_log(c, "PostgreSQL", err);
	if (rc == 0)
		*ret_pid = pid;
	return rc;
}

/*
 * When a postmaster was killed, its other processes notice a little later, and until then
 * PostgreSQL refuses to start another: tried again until they are gone.
 */
static int start_after_crash(const struct cluster *c, pid_t *ret_pid, struct err *err)
{
	int64_t end = clock_mono_ms() + START_MS;
	struct err why = {""};
	int rc;

	do {
		rc = start_postmaster(c, ret_pid, &why);
		if (rc == 0 || !strstr(why.text, "shared memory block"))
			break;
		nap();
	} while (clock_mono_ms() < end);
	return rc == 0 ? 0 : err_set(err, rc, "%s", why.text);
}

/* Attaches to the one that runs (or is just starting or ending), else starts it. */
static int attach_or_start(const struct cluster *c, pid_t *ret_pid, struct err *err)
{
	pid_t pid = running(c);
	int rc = -ESRCH;

	if (pid && (is_postgres(pid) || takes_connections(c)))
		rc = wait_ready(c, pid, err);
	if (rc == -ESRCH)
		return start_after_crash(c, ret_pid, err);
	if (rc == 0)
		*ret_pid = pid;
	return rc;
}

/* Our database inside; -EEXIST of a second starter is as good. */
static int make_database(const struct cluster *c, struct err *err)
{
	char url[PATH_MAX + 64];
	PGconn *conn = NULL;
	PGresult *result = NULL;
	int rc = write_url(c, "postgres", url, sizeof(url), err);

	if (rc < 0)
		return rc;
	conn = PQconnectdb(url);
	result = PQexec(conn, "SELECT 1 FROM pg_database WHERE datname = '" OWNER "'");
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 0) {
		PQclear(result);
		result = PQexec(conn, "CREATE DATABASE " OWNER);
	}
	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
		PQresultStatus(result) != PGRES_COMMAND_OK)
		rc = err_set(
			err, -EIO, "cannot make the database: %s", PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
	return rc;
}

bool db_cluster_exists(const char *data_dir)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/postgres/PG_VERSION", data_dir);
	return access(path, F_OK) == 0;
}

int db_cluster_start(const char *data_dir, pid_t *ret_pid, char *ret_url, size_t url_size,
	struct err *err)
{
	struct cluster c = {.drop = false};
	int rc;
	pid_t pid = 0;

	rc = name_paths(&c, data_dir, err);
	if (rc == 0)
		rc = choose_account(&c, err);
	if (rc == 0)
		rc = choose_programs(&c, err);
	if (rc == 0)
		rc = open_way(&c, err);
	if (rc == 0)
		rc = own_folder(&c, c.run, err);
	if (rc == 0 && cluster_version(&c) == 0)
		rc = make_cluster(&c, err);
	if (rc == 0)
		rc = attach_or_start(&c, &pid, err);
	if (rc == 0)
		rc = make_database(&c, err);
	if (rc == 0)
		rc = write_url(&c, OWNER, ret_url, url_size, err);
	if (rc == 0)
		*ret_pid = pid;
	return rc;
}

pid_t db_cluster_pid(const char *data_dir)
{
	struct cluster c = {.drop = false};
	pid_t pid = name_paths(&c, data_dir, NULL) < 0 ? 0 : running(&c);

	return pid != 0 && is_postgres(pid) ? pid : 0;
}

int db_cluster_stop(const char *data_dir, unsigned wait_ms, struct err *err)
{
	struct cluster c = {.drop = false};
	int64_t end = clock_mono_ms() + wait_ms;
	int rc = name_paths(&c, data_dir, err);
	pid_t pid;

	if (rc < 0)
		return rc;
	pid = running(&c);
	if (pid == 0 || !is_postgres(pid) || gone(pid))
		return 0;
	if (kill(pid, SIGINT) < 0 && errno != ESRCH)
		return err_set(err, -errno, "cannot stop PostgreSQL (process %ld): %s",
			(long)pid, strerror(errno));
	while (!gone(pid)) {
		if (clock_mono_ms() > end)
			return err_set(err, -ETIMEDOUT,
				"PostgreSQL (process %ld) has not stopped in %u ms",
				(long)pid, wait_ms);
		nap();
	}
	return 0;
}
