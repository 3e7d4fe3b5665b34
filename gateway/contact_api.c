/* contact_api.c: the routes of contacts. See contact_api.h. */
#include "gateway/contact_api.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "db/contacts.h"
#include "dialer/number.h"
#include "dialer/numbering.h"
#include "gateway/campaign.h"
#include "gateway/import_check.h"
#include "gateway/import_text.h"
#include "gateway/list_api.h"
#include "gateway/zones.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 500
#define NUMBER_MAX 9007199254740991.0 /* 2^53 - 1 */
#define CUSTOM_FIELDS_MAX 250         /* as many as an import has columns */

/* The zones in which the number may be, as texts. */
static json_t *zones_json(const char *phone)
{
	struct numbering found = {.zone_count = 0};
	json_t *zones = json_array();

	(void)numbering_lookup(phone, &found);
	for (size_t i = 0; i < found.zone_count; i++)
		(void)json_array_append_new(zones, json_string(found.zones[i]));
	return zones;
}

static json_t *contact_json(const struct db_contact_full *full)
{
	const struct db_contact *c = &full->is;
	char name[160];

	(void)snprintf(name, sizeof(name), "%s%s%s", c->first_name,
		c->first_name[0] != '\0' && c->last_name[0] != '\0' ? " " : "",
		c->last_name);
	return json_pack(
		"{s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:i, s:o,"
		" s:o, s:b, s:o, s:o}",
		"id", api_id(c->id), "contactId", api_id(c->id), "listId",
		api_id(c->list_id), "firstName", c->first_name, "lastName", c->last_name,
		"fullName", name, "phone", c->phone, "email", c->email, "country",
		api_text(full->country), "timeZone", api_text(full->time_zone),
		"numberZones", zones_json(c->phone), "customFields",
		api_stored(full->custom), "attemptCount", c->attempts, "lastOutcome",
		api_text(c->last_outcome), "lastAttempt", api_time(c->last_attempt_ms),
		"locked", c->locked_by != 0, "importId", api_id(full->import_id),
		"createdAt", api_time(full->created_ms));
}

/* ---- pages ---- */

/* What was searched for, as prefixes; the texts live in `search`. */
struct search {
	char digits[NUMBER_SIZE];
	char first[64], last[64];
};

/* "+1 415", "0041..." and plain digits are numbers, all else names. */
static void read_search(
	const char *text, struct search *search, struct db_contact_query *query)
{
	size_t len = 1;
	const char *space;

	while (*text == ' ')
		text++;
	if (*text == '\0')
		return;
	if (text[strspn(text, "+0123456789 ()-./")] == '\0' &&
		text[strcspn(text, "0123456789")] != '\0') {
		if (text[0] == '0' && text[1] == '0')
			text += 2;
		search->digits[0] = '+';
		for (; *text != '\0' && len < sizeof(search->digits) - 1; text++)
			if (isdigit((unsigned char)*text))
				search->digits[len++] = *text;
		query->phone = search->digits;
		return;
	}
	space = strrchr(text, ' ');
	if (space == NULL || space[1] == '\0') {
		text_cut(search->first, sizeof(search->first), text);
		search->first[strcspn(search->first, " ")] = '\0';
		query->name = search->first;
		return;
	}
	text_cut(search->last, sizeof(search->last), space + 1);
	len = (size_t)(space - text);
	(void)snprintf(search->first, sizeof(search->first), "%.*s",
		(int)(len < sizeof(search->first) ? len : sizeof(search->first) - 1),
		text);
	query->first = search->first;
	query->last = search->last;
}

static void answer_page(struct api_call *call, struct api_reply *reply,
	const struct db_list *list, const struct db_contact_query *query)
{
	struct db_contact_full *rows = NULL;
	json_t *array, *next;
	size_t count = 0;
	int err = db_contact_page(call->db, query, &rows, &count);

	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	array = json_array();
	for (size_t i = 0; i < count && i < query->limit; i++)
		(void)json_array_append_new(array, contact_json(&rows[i]));
	next = count > query->limit ? api_id(rows[query->limit - 1].is.id) : json_null();
	free(rows);
	api_ok(reply, 200,
		json_pack("{s:o, s:o, s:o}", "dataList", list_json(list), "contacts",
			array, "nextCursor", next));
}

void contacts_list(struct api_call *call, struct api_reply *reply)
{
	const char *text = form_get(&call->request->query, "search");
	int64_t after = api_query_int(call, "after", INT64_MAX, 0);
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	struct db_contact_query query = {.list_id = api_param_id(call, 0),
		.after = after,
		.limit = (unsigned)limit};
	struct search search = {.digits = ""};
	struct db_list list;
	int err = db_list_get(call->db, query.list_id, &list);

	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	if (after < 0 || limit < 1) {
		api_fail(reply, 422, "VALIDATION",
			"after must be an id, limit a number from 1 to %d.", PAGE_MAX);
		return;
	}
	if (text != NULL)
		read_search(text, &search, &query);
	answer_page(call, reply, &list, &query);
}

/* ---- one contact ---- */

static void answer(struct api_call *call, struct api_reply *reply, int status, int64_t id)
{
	struct db_contact_full contact;
	int err = db_contact_get(call->db, id, &contact);

	if (err < 0)
		api_fail_db(reply, err, "contact", call->db);
	else
		api_ok(reply, status,
			json_pack("{s:o}", "contact", contact_json(&contact)));
}

static int read_phone(struct api_call *call, struct api_reply *reply, const char *country,
	struct db_contact_full *contact)
{
	struct numbering found;
	char typed[64] = "";

	if (json_object_get(call->body, "phone") == NULL && contact->is.phone[0] != '\0')
		return 0;
	if (api_body_text(call, reply, "phone", true, typed, sizeof(typed)) < 0)
		return -EINVAL;
	if (number_normalise(typed, country, contact->is.phone) < 0 ||
		numbering_lookup(contact->is.phone, &found) < 0 || !found.possible) {
		api_fail_field(reply, "phone",
			"\"%s\" is no phone number. Write it with its country, as +14155552671.",
			typed);
		return -EINVAL;
	}
	(void)text_copy(contact->country, sizeof(contact->country), found.country);
	return 0;
}

static int read_zone(
	struct api_call *call, struct api_reply *reply, struct db_contact_full *contact)
{
	if (json_is_null(json_object_get(call->body, "timeZone")))
		contact->time_zone[0] = '\0';
	else if (api_body_text(call, reply, "timeZone", false, contact->time_zone,
			 sizeof(contact->time_zone)) < 0)
		return -EINVAL;
	if (json_object_get(call->body, "timeZone") == NULL ||
		contact->time_zone[0] == '\0' ||
		zones_find(call->gw->zones, contact->time_zone) != NULL)
		return 0;
	api_fail_field(reply, "timeZone",
		"timeZone must be a zone such as Europe/London, or null: that of the number.");
	return -EINVAL;
}

/* Beyond them the next whole number is not one that every program can hold. */
static bool is_exact(const json_t *value)
{
	double number = json_number_value(value);

	return number >= -NUMBER_MAX && number <= NUMBER_MAX;
}

/* As in an import: line breaks, and no other control characters. */
static bool is_plain(const char *text)
{
	return text == NULL || import_is_text(text, strlen(text));
}

static bool is_custom(const json_t *custom)
{
	const char *name;
	json_t *value;

	if (!json_is_object(custom) || json_object_size(custom) > CUSTOM_FIELDS_MAX)
		return false;
	json_object_foreach((json_t *)custom, name, value)
	{
		if (json_is_object(value) || json_is_array(value) || !is_exact(value) ||
			name[0] == '\0' || !is_plain(name) ||
			!is_plain(json_string_value(value)))
			return false;
	}
	return true;
}

static void refuse_custom(struct api_reply *reply)
{
	api_fail_field(reply, "customFields",
		"customFields must be an object of at most %d texts, truth values and numbers from "
		"-%.0f to %.0f (write longer ones as text), without control characters, %d bytes "
		"in all.",
		CUSTOM_FIELDS_MAX, NUMBER_MAX, NUMBER_MAX, DB_CUSTOM_SIZE - 1);
}

static int read_custom(
	struct api_call *call, struct api_reply *reply, struct db_contact_full *contact)
{
	const json_t *custom = json_object_get(call->body, "customFields");
	char *text;
	int err = 0;

	if (custom == NULL)
		return 0;
	text = is_custom(custom) ? json_dumps(custom, JSON_COMPACT) : NULL;
	/* The database shows each field with two spaces. */
	if (text == NULL ||
		strlen(text) + 2 * json_object_size(custom) >= DB_CUSTOM_SIZE ||
		text_copy(contact->custom, sizeof(contact->custom), text) < 0) {
		refuse_custom(reply);
		err = -EINVAL;
	}
	free(text);
	return err;
}

/* The body over what is in *contact, which is not looked at: an import may have kept anything. */
static int read_contact(struct api_call *call, struct api_reply *reply,
	const char *country, struct db_contact_full *contact)
{
	static const char *const fields[] = {"phone", "firstName", "lastName", "email",
		"timeZone", "customFields", NULL};
	struct db_contact *c = &contact->is;

	if (api_body_only(call, reply, fields) < 0 ||
		read_phone(call, reply, country, contact) < 0 ||
		api_body_text(call, reply, "firstName", false, c->first_name,
			sizeof(c->first_name)) < 0 ||
		api_body_text(call, reply, "lastName", false, c->last_name,
			sizeof(c->last_name)) < 0 ||
		api_body_text(call, reply, "email", false, c->email, sizeof(c->email)) <
			0 ||
		read_zone(call, reply, contact) < 0 ||
		read_custom(call, reply, contact) < 0)
		return -EINVAL;
	if (json_object_get(call->body, "email") == NULL || c->email[0] == '\0' ||
		email_good(c->email))
		return 0;
	api_fail_field(reply, "email", "\"%s\" is no email address.", c->email);
	return -EINVAL;
}

void contact_create(struct api_call *call, struct api_reply *reply)
{
	struct db_contact_full contact = {.custom = "{}"};
	struct db_list list;
	int64_t id;
	int err = db_list_get(call->db, api_param_id(call, 0), &list);

	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	contact.is.list_id = list.id;
	if (read_contact(call, reply, list_country(call->gw, &list), &contact) < 0)
		return;
	err = db_contact_create(call->db, &contact, &id);
	if (err == -EEXIST)
		api_fail(reply, 409, "EXISTS", "The list has %s already.",
			contact.is.phone);
	else if (err == -EINVAL) /* numbers become longer in the database */
		refuse_custom(reply);
	else if (err < 0)
		api_fail_db(reply, err, "list", call->db);
	else {
		if (list.campaign_id != 0)
			campaign_changed(call->gw, list.campaign_id);
		answer(call, reply, 201, id);
	}
}

void contact_get(struct api_call *call, struct api_reply *reply)
{
	answer(call, reply, 200, api_param_id(call, 0));
}

static void in_call(struct api_reply *reply)
{
	api_fail(reply, 409, "IN_CALL",
		"The contact is in a call just now. Nothing was changed; try again when the call "
		"is over.");
}

void contact_update(struct api_call *call, struct api_reply *reply)
{
	struct db_contact_full contact;
	struct db_list list;
	int err = db_contact_get(call->db, api_param_id(call, 0), &contact);

	if (err == 0)
		err = db_list_get(call->db, contact.is.list_id, &list);
	if (err < 0) {
		api_fail_db(reply, err, "contact", call->db);
		return;
	}
	contact.custom[0] = '\0'; /* stays what it is unless the body says otherwise */
	if (read_contact(call, reply, list_country(call->gw, &list), &contact) < 0)
		return;
	err = db_contact_update(call->db, &contact);
	if (err == -EBUSY)
		in_call(reply);
	else if (err == -EEXIST)
		api_fail(reply, 409, "EXISTS", "The list has %s already.",
			contact.is.phone);
	else if (err == -EINVAL) /* numbers become longer in the database */
		refuse_custom(reply);
	else if (err < 0)
		api_fail_db(reply, err, "contact", call->db);
	else
		answer(call, reply, 200, contact.is.id);
}

void contact_delete(struct api_call *call, struct api_reply *reply)
{
	int err = db_contact_delete(call->db, api_param_id(call, 0));

	if (err == -EBUSY)
		in_call(reply);
	else if (err < 0)
		api_fail_db(reply, err, "contact", call->db);
	else
		api_ok(reply, 200, json_object());
}
