/* dnc_api.c: the routes of numbers that must not be called. See dnc_api.h. */
#include "gateway/dnc_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/campaigns.h"
#include "db/dnc.h"
#include "dialer/number.h"
#include "dialer/numbering.h"
#include "gateway/scope.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 500
#define ERRORS_MAX 100 /* of a bulk import, told one by one */

static json_t *dnc_json(const struct db_dnc *d)
{
	return json_pack("{s:o, s:s, s:o, s:s, s:s, s:o, s:o}", "id", api_id(d->id),
		"phoneNumber", d->number, "campaignId", api_id(d->campaign_id), "reason",
		d->reason, "source", d->source, "addedBy", api_id(d->added_by),
		"createdAt", api_time(d->created_ms));
}

void dnc_list(struct api_call *call, struct api_reply *reply)
{
	const char *search = form_get(&call->request->query, "search");
	int64_t after = api_query_int(call, "after", INT64_MAX, 0);
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	json_t *list, *next = json_null();
	struct db_dnc_counts counts;
	struct db_dnc *rows = NULL;
	size_t count = 0;
	int err;

	if (after < 0 || limit < 1) {
		json_decref(next);
		api_fail(reply, 422, "VALIDATION",
			"after must be an id, limit a number from 1 to %d.", PAGE_MAX);
		return;
	}
	if (search != NULL && search[0] == '\0')
		search = NULL;
	err = db_dnc_page(call->db, search, after, (unsigned)limit, &rows, &count);
	if (err == 0)
		err = db_dnc_counts(call->db, &counts);
	if (err < 0) {
		free(rows);
		json_decref(next);
		api_fail_db(reply, err, "number", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < (size_t)limit; i++)
		(void)json_array_append_new(list, dnc_json(&rows[i]));
	if (count > (size_t)limit)
		next = api_id(rows[limit - 1].id);
	free(rows);
	api_ok(reply, 200,
		json_pack("{s:o, s:{s:I, s:I}, s:o}", "dncEntries", list, "counts",
			"total", (json_int_t)counts.total, "today",
			(json_int_t)counts.today, "nextCursor", next));
}

/* What all have in common: reason, campaign (of the agent), and how numbers without + are read. */
static int read_common(struct api_call *call, struct api_reply *reply, struct db_dnc *dnc,
	const char **ret_country)
{
	char country[8] = "";

	if (api_body_text(
		    call, reply, "reason", false, dnc->reason, sizeof(dnc->reason)) < 0 ||
		api_body_id(call, reply, "campaignId", false, &dnc->campaign_id) < 0 ||
		api_body_text(call, reply, "country", false, country, sizeof(country)) <
			0 ||
		(dnc->campaign_id != 0 &&
			scope_campaign(call, dnc->campaign_id, reply) < 0))
		return -EINVAL;
	*ret_country = country[0] == '\0' ? "" : numbering_country(country);
	if (*ret_country == NULL) {
		api_fail_field(reply, "country",
			"country must be one such as \"GB\", or a calling code such as \"44\".");
		return -EINVAL;
	}
	dnc->added_by = call->user.id;
	(void)snprintf(dnc->source, sizeof(dnc->source), "%s",
		strcmp(call->user.role, "agent") == 0 ? "agent" : "operator");
	return 0;
}

static int read_number(struct api_call *call, struct api_reply *reply,
	const char *country, char *ret_number)
{
	char typed[64] = "";

	if (api_body_text(call, reply, "phoneNumber", true, typed, sizeof(typed)) < 0)
		return -EINVAL;
	if (number_normalise(typed, country, ret_number) == 0)
		return 0;
	api_fail_field(reply, "phoneNumber",
		"\"%s\" is no phone number with a country: write it as +14155552671, or send "
		"its country.",
		typed);
	return -EINVAL;
}

void dnc_create(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {
		"phoneNumber", "reason", "campaignId", "country", NULL};
	struct db_dnc dnc = {.id = 0};
	const char *country;
	int64_t skipped = 0;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		read_common(call, reply, &dnc, &country) < 0 ||
		read_number(call, reply, country, dnc.number) < 0)
		return;
	err = db_dnc_add(call->db, &dnc, &dnc.id, &skipped);
	if (err == -EEXIST) {
		api_fail(reply, 409, "EXISTS", "%s is on this list already.", dnc.number);
		return;
	}
	if (err == 0)
		err = db_dnc_get(call->db, dnc.id, &dnc);
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	api_ok(reply, 201,
		json_pack("{s:o, s:I}", "dncEntry", dnc_json(&dnc), "skippedEntries",
			(json_int_t)skipped));
}

void dnc_delete(struct api_call *call, struct api_reply *reply)
{
	int err = db_dnc_remove(call->db, api_param_id(call, 0));

	if (err < 0)
		api_fail_db(reply, err, "number", call->db);
	else
		api_ok(reply, 200, json_object());
}

void dnc_check(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {
		"phoneNumber", "campaignId", "country", NULL};
	struct db_dnc dnc = {.id = 0}, found;
	struct db_campaign campaign;
	const char *country;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		read_common(call, reply, &dnc, &country) < 0 ||
		read_number(call, reply, country, dnc.number) < 0)
		return;
	err = dnc.campaign_id == 0
		      ? 0
		      : db_campaign_get(call->db, dnc.campaign_id, &campaign);
	if (err < 0) { /* a slip of the pen is no permission */
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	err = db_dnc_check(call->db, dnc.number, dnc.campaign_id, &found);
	if (err < 0 && err != -ENOENT) {
		api_fail_db(reply, err, "number", call->db);
		return;
	}
	api_ok(reply, 200,
		json_pack("{s:s, s:b, s:o}", "phoneNumber", dnc.number, "isBlocked",
			err == 0, "dncEntry", err == 0 ? dnc_json(&found) : json_null()));
}

/* ---- many at once ---- */

struct bulk {
	char (*numbers)[NUMBER_SIZE];
	const char **list;
	size_t valid, invalid;
	json_t *errors; /* the first of the invalid */
};

static void bulk_free(struct bulk *bulk)
{
	free(bulk->numbers);
	free(bulk->list);
	json_decref(bulk->errors);
}

static void note_invalid(struct bulk *bulk, size_t index, const char *typed)
{
	bulk->invalid++;
	if (json_array_size(bulk->errors) >= ERRORS_MAX)
		return;
	(void)json_array_append_new(bulk->errors,
		json_pack("{s:I, s:o, s:s}", "index", (json_int_t)index, "number",
			typed != NULL && strlen(typed) < 64 ? json_string(typed)
							    : json_null(),
			"reason",
			typed == NULL ? "It is no text."
				      : "It is no phone number with a country."));
}

static int bulk_read(struct bulk *bulk, const json_t *numbers, const char *country)
{
	size_t count = json_array_size(numbers);

	bulk->numbers = calloc(count + 1, sizeof(*bulk->numbers));
	bulk->list = calloc(count + 1, sizeof(*bulk->list));
	bulk->errors = json_array();
	if (bulk->numbers == NULL || bulk->list == NULL || bulk->errors == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *typed = json_string_value(json_array_get(numbers, i));

		if (typed == NULL || number_normalise(typed, country,
					     bulk->numbers[bulk->valid]) < 0) {
			note_invalid(bulk, i, typed);
			continue;
		}
		bulk->list[bulk->valid] = bulk->numbers[bulk->valid];
		bulk->valid++;
	}
	return 0;
}

void dnc_bulk_import(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {
		"numbers", "reason", "campaignId", "country", NULL};
	const json_t *numbers = json_object_get(call->body, "numbers");
	struct db_dnc like = {.id = 0};
	struct bulk bulk = {.valid = 0};
	int64_t added = 0, skipped = 0;
	const char *country;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		read_common(call, reply, &like, &country) < 0)
		return;
	if (json_array_size(numbers) == 0) {
		api_fail_field(
			reply, "numbers", "numbers must be an array of phone numbers.");
		return;
	}
	(void)snprintf(like.source, sizeof(like.source), "import");
	err = bulk_read(&bulk, numbers, country);
	if (err == 0)
		err = db_dnc_add_many(
			call->db, &like, bulk.list, bulk.valid, &added, &skipped);
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
	} else {
		api_ok(reply, 200,
			json_pack("{s:I, s:I, s:I, s:I, s:O}", "added", (json_int_t)added,
				"duplicates", (json_int_t)((int64_t)bulk.valid - added),
				"invalid", (json_int_t)bulk.invalid, "skippedEntries",
				(json_int_t)skipped, "errors", bulk.errors));
	}
	bulk_free(&bulk);
}
