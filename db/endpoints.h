/*
 * endpoints.h: how an agent is reached. What is written here counts from the next sign-in on.
 */
#ifndef OMNIVOX_DB_ENDPOINTS_H
#define OMNIVOX_DB_ENDPOINTS_H

#include "db/conn.h"

struct db_endpoint {
	char type[DB_WORD_SIZE];     /* sip, phone, browser */
	char number[DB_NUMBER_SIZE]; /* of a phone, E.164; "" else */
	bool nailed;                 /* false: rung for each call */
};

/* -ENOENT: no such agent; -EINVAL: the number does not fit the type. */
int db_endpoint_set(struct db *db, int64_t user_id, const struct db_endpoint *endpoint);

#endif
