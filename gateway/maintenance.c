/* maintenance.c: --migrate, --backup and --restore. See maintenance.h. */
#include "gateway/maintenance.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/stop.h"
#include "base/text.h"
#include "db/backup.h"
#include "db/cluster.h"
#include "db/migrate.h"
#include "gateway/data_dir.h"

#define STATEMENT_MS 10000
#define STOP_WAIT_MS 20000

/* The database, and what must be undone. */
struct maintenance {
	const char *data_dir;
	char url[1024];
	int lock_fd;   /* -1: no private cluster, or a gateway runs and keeps it up */
	bool may_make; /* a private cluster that is not there yet is made */
	bool writes; /* a program of PostgreSQL is run, and ended when we are told to stop */
};

/* SIG_BLOCK or SIG_UNBLOCK. */
static void hold_signals(int how)
{
	sigset_t signals;

	stop_signals(&signals);
	(void)sigprocmask(how, &signals, NULL);
}

/*
 * A gateway that runs has the lock and keeps PostgreSQL up; else it is ours for the time.
 */
static int open_private(struct maintenance *m, struct err *err)
{
	pid_t postmaster, gateway;
	int rc;

	if (!m->may_make && !db_cluster_exists(m->data_dir))
		return err_set(err, -ENODATA,
			"There is no database in DATA_DIR %s, and no DATABASE_URL.",
			m->data_dir);
	rc = data_dir_lock(m->data_dir, 0, &m->lock_fd, err);
	if (rc == -EBUSY && !m->writes)
		hold_signals(SIG_UNBLOCK); /* nothing would be left behind */
	/* Another command takes PostgreSQL down when it is done. */
	if (rc < 0 && (rc != -EBUSY || data_dir_gateway(m->data_dir, &gateway) < 0))
		return rc;
	rc = db_cluster_start(m->data_dir, &postmaster, m->url, sizeof(m->url), err);
	if (rc == 0 && stop_asked())
		return err_set(err, -EINTR, "Told to stop before it began.");
	return rc;
}

static int maintenance_open(
	struct maintenance *m, const struct config *config, struct err *err)
{
	const char *url = config_text(config, "DATABASE_URL");

	m->data_dir = config_text(config, "DATA_DIR");
	m->lock_fd = -1;
	if (m->writes || url[0] == '\0')
		hold_signals(SIG_BLOCK);
	if (url[0] == '\0')
		return open_private(m, err);
	if (text_copy(m->url, sizeof(m->url), url) < 0)
		return err_set(err, -EINVAL, "DATABASE_URL is too long.");
	return 0;
}

static void maintenance_close(struct maintenance *m)
{
	struct err err;

	if (m->lock_fd < 0)
		return;
	if (db_cluster_stop(m->data_dir, STOP_WAIT_MS, &err) < 0)
		(void)fprintf(stderr, "omnivox-gateway: %s\n", err.text);
	(void)close(m->lock_fd);
}

/* Says what went wrong, and in which word of sysexits. */
static int status_of(int rc, const struct err *err)
{
	if (rc == 0)
		return EX_OK;
	(void)fprintf(stderr, "omnivox-gateway: %s\n", err->text);
	switch (rc) {
	case -ENODATA:
		return EX_NOINPUT;
	case -EEXIST:
	case -EACCES:
	case -EISDIR:
	case -ENOENT: /* the folder that it should be in */
	case -ENOTDIR:
	case -EROFS:
	case -ENOSPC:
		return EX_CANTCREAT;
	case -EPERM:
		return EX_CONFIG;
	case -EBUSY:
		return EX_TEMPFAIL;
	case -EINTR: /* all is put away: the signal does what it does to any program */
		hold_signals(SIG_UNBLOCK);
		return EX_TEMPFAIL;
	default:
		return EX_UNAVAILABLE;
	}
}

static void print_missing(void *arg, const char *name)
{
	unsigned *count = arg;

	(void)printf("%s\n", name);
	(*count)++;
}

static int migrate(struct db *db, bool plan, struct err *err)
{
	unsigned count = 0;
	bool settled = false;
	int rc;

	if (plan) {
		rc = db_migrate_plan(db, print_missing, &count, err);
		if (rc == 0)
			(void)printf("%u migrations are missing.\n", count);
		return rc;
	}
	rc = db_migrate(db, &count, err);
	if (rc == 0)
		rc = db_restored(db, &settled);
	if (rc == 0)
		(void)printf("%u migrations applied.\n", count);
	return rc;
}

int maintenance_migrate(struct config *config, bool plan)
{
	struct maintenance m = {.may_make = !plan};
	struct db *db = NULL;
	struct err err = {{0}};
	int rc = maintenance_open(&m, config, &err);

	if (rc == 0)
		rc = db_open(m.url, STATEMENT_MS, &db);
	if (rc == 0)
		rc = migrate(db, plan, &err);
	db_close(&db);
	maintenance_close(&m);
	return status_of(rc, &err);
}

int maintenance_backup(struct config *config, const char *path)
{
	struct maintenance m = {.may_make = false, .writes = true};
	struct err err = {{0}};
	int rc = maintenance_open(&m, config, &err);

	if (rc == 0)
		rc = db_backup(m.url, path, &err);
	maintenance_close(&m);
	if (rc == 0)
		(void)printf("Backed up to %s.\n", path);
	return status_of(rc, &err);
}

int maintenance_restore(struct config *config, const char *path)
{
	struct maintenance m = {.may_make = true, .writes = true};
	struct err err = {{0}};
	bool private = config_text(config, "DATABASE_URL")[0] == '\0';
	int rc = maintenance_open(&m, config, &err);

	if (rc == 0 && private && m.lock_fd < 0)
		rc = err_set(
			&err, -EBUSY, "A gateway runs in %s. Stop it first.", m.data_dir);
	if (rc == 0)
		rc = db_restore(m.url, path, &err);
	maintenance_close(&m);
	if (rc == 0)
		(void)printf("Restored from %s. Auto-dial is off in every campaign: the "
			     "backup may not know the newest calls.\n",
			path);
	return status_of(rc, &err);
}
