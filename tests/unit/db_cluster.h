/* db_cluster.h: one private PostgreSQL for one test program, with the schema in it. */
#ifndef OMNIVOX_TESTS_UNIT_DB_CLUSTER_H
#define OMNIVOX_TESTS_UNIT_DB_CLUSTER_H

#include "db/conn.h"

/* For cmocka's group set-up and tear-down. The folder is in TMPDIR and goes away again. */
int db_cluster_setup(void **state);
int db_cluster_teardown(void **state);

extern char db_cluster_url[512];
extern char db_cluster_dir[64];

/* A connection; fails the test when there is none. */
struct db *db_connect(void);
/* Runs SQL of the test itself and returns the first column of the first row as a number. */
int64_t db_number(const char *sql);
/* The same as text, in one of a few static buffers; "" for null. */
const char *db_text(const char *sql);

#endif
