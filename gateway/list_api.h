/* list_api.h: the routes of data lists. Uploads are import_api.h's. */
#ifndef OMNIVOX_GATEWAY_LIST_API_H
#define OMNIVOX_GATEWAY_LIST_API_H

#include "db/data_lists.h"
#include "gateway/api.h"
#include "gateway/import.h"

void lists_list(struct api_call *call, struct api_reply *reply);
void lists_of_campaign(struct api_call *call, struct api_reply *reply);
void list_create(struct api_call *call, struct api_reply *reply);
void list_get(struct api_call *call, struct api_reply *reply);
void list_update(struct api_call *call, struct api_reply *reply);
void list_delete(struct api_call *call, struct api_reply *reply);
void list_clone(struct api_call *call, struct api_reply *reply);
void list_clear(struct api_call *call, struct api_reply *reply);

/* Whether a list may be given to the campaign. Negative: not, the reply is filled. */
int list_check_campaign(
	struct api_call *call, struct api_reply *reply, int64_t campaign_id);

/*
 * Whose numbers they are that do not say: as the list says, else by the caller ID of its
 * campaign, else by TWILIO_PHONE_NUMBER. Static, or the list's.
 */
const char *list_country(const struct gateway *gw, const struct db_list *list);

/* NULL without memory. */
json_t *list_json(const struct db_list *list);

#define LIST_LONG 100000 /* contacts whose going or coming nobody waits for */

/*
 * Gives a list's long work to the import threads, which answer; 503 when too many wait there.
 * With `soon` the answer is 202 with that at once, and the job's request_id is 0. Takes `soon`.
 */
void list_job_put(struct api_call *call, struct api_reply *reply,
	const struct list_job *job, json_t *soon);
/* On an import thread: answers whoever waits, else logs what went wrong. */
void list_job_end(struct gateway *gw, const struct list_job *job, struct api_reply *reply,
	const char *what);

#endif
