/*
 * idempotency.h: a request that is sent again is not done again.
 *
 * With the header Idempotency-Key (1 to 128 visible characters) the first answer is stored for a
 * day, for each principal and route, and given again to every repetition. Before the request is
 * executed its row is committed; if the process dies in between, nobody knows what became of it,
 * and a repetition is told so instead of being executed. Database worker throughout.
 */
#ifndef OMNIVOX_GATEWAY_IDEMPOTENCY_H
#define OMNIVOX_GATEWAY_IDEMPOTENCY_H

#include "gateway/api.h"
#include "gateway/routes.h"

/*
 * Looks up the request's key, if it has one and the route takes it. True: execute the request;
 * `*ret_row` names the row that waits for its answer, 0 for none. False: the reply is filled, or
 * `*ret_body` (malloc) is the stored one to be sent with reply->status.
 */
bool idempotency_begin(struct api_call *call, const struct api_route *route,
	struct api_reply *reply, int64_t *ret_row, char **ret_body);

/* Whether an answer says that nothing was done, so that the key may be used again. */
bool idempotency_nothing_done(int status, const char *code);
/* Whether an answer leaves open what was done: then nothing is stored, and the row gets lost. */
bool idempotency_unknown(int status, const char *code);

#endif
