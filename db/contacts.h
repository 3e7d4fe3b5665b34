/* contacts.h: the people on the lists. A contact has no state, only a lock while a call is open. */
#ifndef OMNIVOX_DB_CONTACTS_H
#define OMNIVOX_DB_CONTACTS_H

#include <stddef.h>

#include "db/conn.h"

/* A JSON object as the database shows it, with a space after each colon and comma. */
#define DB_CUSTOM_SIZE 8193

struct db_contact {
	int64_t id, list_id;
	char phone[DB_NUMBER_SIZE];
	char first_name[64], last_name[64], email[128];
	int attempts;
	char last_outcome[DB_WORD_SIZE];
	int64_t last_attempt_ms; /* 0: never */
	int64_t locked_by;       /* call id, 0: free */
};

/* With all that only its own page shows. */
struct db_contact_full {
	struct db_contact is;
	char country[3];              /* ISO 3166; "" not known */
	char time_zone[DB_ZONE_SIZE]; /* its own; "": those of its number */
	char custom[DB_CUSTOM_SIZE];  /* a JSON object of further fields */
	int64_t import_id;            /* 0: by hand */
	int64_t created_ms;
};

/*
 * Adds one to its list_id. -ENOENT: no such list; -EEXIST: the list has this number; -EINVAL:
 * custom is no JSON object, or would be shown with more than fits into DB_CUSTOM_SIZE.
 */
int db_contact_create(
	struct db *db, const struct db_contact_full *contact, int64_t *ret_id);
int db_contact_get(struct db *db, int64_t id, struct db_contact_full *ret_contact);
/*
 * Writes number, names, email, country, zone, and custom unless it is "". After another number or
 * zone, entries that waited for what these told (REASON_OF_FACTS) are due. -EBUSY: another number,
 * but in a call; -EINVAL as above.
 */
int db_contact_update(struct db *db, const struct db_contact_full *contact);
/* Its calls stay. -EBUSY: it is in a call. */
int db_contact_delete(struct db *db, int64_t id);

/* Which contacts of a list; texts that are NULL do not matter. Prefixes, names in any case. */
struct db_contact_query {
	int64_t list_id, after;   /* by id from `after` on */
	unsigned limit;           /* one more row than it tells of a next page */
	const char *phone;        /* '+' and digits */
	const char *name;         /* of the first or the last name */
	const char *first, *last; /* both */
};
int db_contact_page(struct db *db, const struct db_contact_query *query,
	struct db_contact_full **ret_contacts, size_t *ret_count);

#endif
