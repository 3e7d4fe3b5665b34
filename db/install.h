/* install.h: what is true of the whole installation, and the tables loaded at start. */
#ifndef OMNIVOX_DB_INSTALL_H
#define OMNIVOX_DB_INSTALL_H

#include <stddef.h>

#include "db/conn.h"

#define DB_INSTALL_SIZE 17

struct db_transition {
	const char *state, *event, *next;
	const char *outcome; /* NULL unless next is "ended" */
	const char *action;  /* NULL: nothing to do outside */
	double check_s;      /* 0: the state's own deadline */
};

struct db_deadline {
	const char *state;
	double after_s;
	bool plus_ring;
};

struct db_retry {
	const char *outcome;
	bool again;
};

struct db_tables {
	const struct db_transition *transitions;
	size_t transition_count;
	const struct db_deadline *deadlines;
	size_t deadline_count;
	const struct db_retry *retries;
	size_t retry_count;
	double calls_per_second;
};

/* The installation's id, made at the first call. */
int db_install_id(struct db *db, char ret_id[DB_INSTALL_SIZE]);

/* Replaces call_transition, call_deadline, call_retry and account_rate.per_second. */
int db_load_tables(struct db *db, const struct db_tables *tables);

#endif
