/* data_lists.h: the lists that campaigns dial. */
#ifndef OMNIVOX_DB_DATA_LISTS_H
#define OMNIVOX_DB_DATA_LISTS_H

#include <stddef.h>

#include "db/conn.h"

struct db_list {
	int64_t id, campaign_id; /* 0: none */
	char name[DB_NAME_SIZE];
	bool active;
	int blend_weight; /* 1 to 100 */
	char country
		[3]; /* of numbers that do not tell theirs; "": as the campaign's caller ID */
	/* Read, not written. */
	int64_t contacts, created_ms, updated_ms;
	char caller_id[DB_NUMBER_SIZE]; /* of its campaign; "" none */
};

/* -ENOENT: no such campaign. One that is over is the caller's to refuse, also in an update. */
int db_list_create(struct db *db, const struct db_list *list, int64_t *ret_id);
int db_list_all(struct db *db, struct db_list **ret_lists, size_t *ret_count);
/* The lists of one campaign. */
int db_list_of_campaign(struct db *db, int64_t campaign_id, struct db_list **ret_lists,
	size_t *ret_count);
int db_list_get(struct db *db, int64_t id, struct db_list *ret_list);
/* Writes all but what is only read. -ENOENT: no such list, or no such campaign. */
int db_list_update(struct db *db, const struct db_list *list);
/*
 * Gives the list to a campaign, which must not be archived, and makes it active; `blend_weight` 0
 * leaves that as it is.
 */
int db_list_assign(struct db *db, int64_t list_id, int64_t campaign_id, int blend_weight);

/* Whether one of its contacts is in a call just now. */
int db_list_in_call(struct db *db, int64_t id, bool *ret_in_call);

/*
 * The long ones: one transaction each, up to minutes for a million contacts, so on a connection
 * that nobody waits for. -EBUSY: a contact of the list is in a call; nothing was removed. Calls
 * stay, without their contact.
 */
int db_list_delete(struct db *db, int64_t id, int64_t *ret_contacts);
int db_list_clear(struct db *db, int64_t id, int64_t *ret_contacts);
/* Now and then: the changes of lists' counts become one row each. */
int db_lists_fold(struct db *db);
/* A copy without a campaign's past: inactive, and its contacts were never called. */
int db_list_clone(struct db *db, int64_t id, const char *name, bool with_contacts,
	int64_t *ret_id, int64_t *ret_contacts);

#endif
