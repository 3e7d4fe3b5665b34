/*
 * disposition_api.h: the routes of dispositions, and what is said about a call. Handlers of
 * routes.c: database workers.
 */
#ifndef OMNIVOX_GATEWAY_DISPOSITION_API_H
#define OMNIVOX_GATEWAY_DISPOSITION_API_H

#include "gateway/api.h"

void dispositions_list(struct api_call *call, struct api_reply *reply);
void disposition_create(struct api_call *call, struct api_reply *reply);
void disposition_update(struct api_call *call, struct api_reply *reply);
void disposition_delete(struct api_call *call, struct api_reply *reply);

/* POST /api/calls/:callId/disposition */
void call_dispose(struct api_call *call, struct api_reply *reply);

/* What was said about a call, null when nothing was. 0, or db/'s errno. */
int disposition_of_call(struct db *db, int64_t call_id, json_t **ret_doc);

#endif
