/* import_api.h: the routes of uploads and of what became of them. */
#ifndef OMNIVOX_GATEWAY_IMPORT_API_H
#define OMNIVOX_GATEWAY_IMPORT_API_H

#include "db/imports.h"
#include "gateway/api.h"

void list_upload(struct api_call *call, struct api_reply *reply);
void imports_list(struct api_call *call, struct api_reply *reply);
void import_get(struct api_call *call, struct api_reply *reply);
void import_cancel(struct api_call *call, struct api_reply *reply);
void import_undo(struct api_call *call, struct api_reply *reply);
void import_rejected(struct api_call *call, struct api_reply *reply);

/* For import_run.c, on its thread: the answer to an upload that is done, or takes longer. */
void import_answer(struct db *db, int64_t import_id, struct api_reply *reply);

#endif
