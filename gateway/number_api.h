/* number_api.h: the routes of the account's numbers. */
#ifndef OMNIVOX_GATEWAY_NUMBER_API_H
#define OMNIVOX_GATEWAY_NUMBER_API_H

#include "gateway/api.h"

void numbers_list(struct api_call *call, struct api_reply *reply);
void numbers_sync_now(struct api_call *call, struct api_reply *reply);

/* On a database worker: answers a request that waits for a sync; `error` "": it went well. */
void number_api_answer(
	struct gateway *gw, struct db *db, uint64_t request_id, const char *error);
/* Any thread: too many wait. */
void number_api_busy(struct gateway *gw, uint64_t request_id);

#endif
