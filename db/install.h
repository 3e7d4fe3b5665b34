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

/* How long a call may stay in a state; every state but "ended" has one. */
struct db_deadline {
	const char *state;
	double after_s;
	bool plus_ring; /* and its campaign's ring time-out on top */
};

/* What an outcome means when the campaign does not say it; `place` in its arrays, from 1. */
struct db_retry {
	const char *outcome;
	int place, after_s, max;
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

/*
 * Replaces call_transition and call_retry. A new calls_per_second sets the account's
 * rate; the same one leaves a rate that was lowered as it is.
 */
int db_load_tables(struct db *db, const struct db_tables *tables);

#endif
