/*
 * stops.h: what must not be dialled because of what Twilio answered, and how well Twilio answers.
 * Database workers.
 */
#ifndef OMNIVOX_DB_STOPS_H
#define OMNIVOX_DB_STOPS_H

#include <stddef.h>

#include "db/conn.h"

struct db_stop {
	int64_t id;
	char scope[DB_WORD_SIZE]; /* account, caller, country */
	char key[DB_NUMBER_SIZE]; /* the caller id, or the country; "" of the account */
	char kind[DB_WORD_SIZE];  /* pause, account, setup, caller, country */
	int code;
	char reason[256], detail[256];
	int64_t call_id; /* 0: none */
	int times;
	int64_t since_ms, last_ms;
	int64_t probe_ms; /* 0: only an operator ends it */
};

/*
 * Opens a stop, or counts it once more when it is open; a heavier kind replaces a lighter one.
 * What Twilio shall be asked about is asked sooner or later by how often it came back in the
 * last ten minutes. *ret_new: it was not open, or has become heavier.
 */
int db_stop_add(struct db *db, const struct db_stop *stop, bool *ret_new);

/* All that are open, newest first, at most 100. */
int db_stop_list(struct db *db, struct db_stop **ret_stops, size_t *ret_count);

/*
 * Twilio does not let us call a number of a country. *ret_numbers: how many different ones that were
 * since one rang, or since the country's stop was ended.
 */
int db_country_refused(
	struct db *db, const char *country, const char *number, int *ret_numbers);

/* The number of a call, if db_country_rang() could have anything to end; -ENOENT: it has not. */
int db_country_suspect(struct db *db, int64_t call_id, char ret_number[DB_NUMBER_SIZE]);

/* A number of a country rings. */
int db_country_rang(struct db *db, const char *country);

/*
 * Ends stop `id`, or all with 0, in the name of a person. *ret_ended may be 0. Contacts that wait for
 * a country's are due with db_queue_recheck().
 */
int db_stop_end(struct db *db, int64_t id, const char *who, int64_t *ret_ended);

/* True for the one node that shall ask Twilio now; the next turn is put off. */
int db_stop_probe(struct db *db, bool *ret_due);

/* Twilio answered well: ends what that ends. */
int db_stop_probed(struct db *db, int64_t *ret_ended);

/* Of one node. Times are wall ms, 0: never. */
struct db_health {
	int64_t answered_ms, error_ms;
	int error_code;
	char error_text[256];
	bool known, reachable; /* reachable: the newest answer was no trouble */
};
int db_health_put(struct db *db, const char *node, const struct db_health *health);
int db_health_get(struct db *db, const char *node, struct db_health *ret_health);

/* Replaces number_errors: `codes` are pairs of first and last. */
int db_number_errors_load(struct db *db, const int (*codes)[2], size_t count);

#endif
