/*
 * import.h: uploads of contacts on their way into a list, on threads and connections of their
 * own, so that nobody else waits for a million rows.
 *
 * What an import is and how far it came stands in the database (db/imports.h). Here is only
 * who works on it: import_run.c, one after the other on each thread.
 */
#ifndef OMNIVOX_GATEWAY_IMPORT_H
#define OMNIVOX_GATEWAY_IMPORT_H

#include <jansson.h>

#include "base/err.h"
#include "gateway/api.h"
#include "gateway/import_check.h"

struct imports;

/* What whoever uploads wants; see docs/openapi.yaml. */
struct import_options {
	bool dry_run, replace_existing, skip_duplicates, dnc_check, skip_in_other_lists;
	struct import_rules rules; /* last_wins follows from the above */
	enum import_encoding encoding;
	char delimiter; /* 0: look */
	bool no_header;
	json_t *mapping; /* owned; NULL: guess all */
};

/* The defaults; `country` as numbering_country() gives it. */
void import_options_default(struct import_options *options, const char *country);
/* Sets one by its name; -EINVAL with a sentence. */
int import_options_set(struct import_options *options, const char *name,
	const json_t *value, struct err *err);

/* A file to be read. */
struct import_order {
	int64_t import_id, list_id;
	bool json;
	int fd; /* owned */
	int64_t size;
	struct import_options options;
	/* Waits for the end, unless import_api.c has told it that it takes longer; 0: nobody. */
	uint64_t request_id;
};

int imports_new(struct gateway *gw, struct imports **ret_imports);
/* Breaks off what is under way, of which nothing was added, and takes nothing more. */
void imports_stop(struct imports *imports);
void imports_free(struct imports **imports);

/* Any thread. Takes the order's descriptor and mapping in any case. -EAGAIN: too many wait. */
int imports_put(struct gateway *gw, const struct import_order *order);
/* Whether an import would have to wait for others first. */
bool imports_busy(struct gateway *gw);

/* Any thread: lists as a whole, and undo, go the same way. On the thread `db` is idle. */
struct list_job {
	void (*work)(struct gateway *gw, struct db *db, const struct list_job *job);
	int64_t id;
	char name[DB_NAME_SIZE];
	bool flag;
	uint64_t request_id; /* 0: was told already */
};
int imports_put_job(struct gateway *gw, const struct list_job *job);

/* For import_run.c: all is done but the answer; who gets it may send the next file at once. */
void imports_leave(struct gateway *gw);
/* For import_run.c: whether the worker stops. */
bool imports_ending(const struct gateway *gw);

#endif
