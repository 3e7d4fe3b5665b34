/* audit.h: who changed what, append-only. */
#ifndef OMNIVOX_DB_AUDIT_H
#define OMNIVOX_DB_AUDIT_H

#include <stddef.h>

#include "db/conn.h"

#define DB_AUDIT_JSON_SIZE 4096

struct db_audit {
	int64_t id, at_ms; /* filled on reading */
	int64_t user_id;   /* 0: nobody signed in */
	char username[64];
	int64_t key_id; /* 0: not by a key */
	char key_name[DB_NAME_SIZE];
	char role[DB_WORD_SIZE];
	char address[64];
	char method[8];
	char route[160]; /* as in the route table */
	int status;
	char targets[512];               /* a JSON object of ids */
	char fields[DB_AUDIT_JSON_SIZE]; /* a JSON object */
};

int db_audit_add(struct db *db, const struct db_audit *entry);

struct db_audit_filter {
	int64_t user_id, key_id;    /* 0: any */
	const char *method;         /* NULL: any */
	const char *route;          /* NULL: any */
	int64_t since_ms, until_ms; /* 0: open; until is exclusive */
	int64_t before;             /* id; 0: from the newest on */
	unsigned limit;
};

/* Newest first. One more row than the limit tells of a next page. */
int db_audit_page(struct db *db, const struct db_audit_filter *filter,
	struct db_audit **ret_entries, size_t *ret_count);

#endif
