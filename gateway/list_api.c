/* list_api.c: the routes of data lists. See list_api.h. */
#include "gateway/list_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/campaigns.h"
#include "dialer/numbering.h"
#include "gateway/csv_import.h"

static json_t *list_json(const struct db_list *list)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:b, s:I, s:o}", "id", api_id(list->id),
		"listId", api_id(list->id), "name", list->name, "campaignId",
		api_id(list->campaign_id), "active", list->active, "totalContacts",
		(json_int_t)list->contacts, "createdAt", api_time(list->created_ms));
}

void lists_list(struct api_call *call, struct api_reply *reply)
{
	struct db_list *rows = NULL;
	json_t *list = json_array();
	size_t count = 0;
	int err = db_list_all(call->db, &rows, &count);

	if (err < 0) {
		json_decref(list);
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, list_json(&rows[i]));
	free(rows);
	api_ok(reply, 200, json_pack("{s:o}", "dataLists", list));
}

static void answer(struct api_call *call, struct api_reply *reply, int status, int64_t id)
{
	struct db_list list;
	int err = db_list_get(call->db, id, &list);

	if (err < 0)
		api_fail_db(reply, err, "list", call->db);
	else
		api_ok(reply, status, json_pack("{s:o}", "dataList", list_json(&list)));
}

void list_create(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"name", "campaignId", NULL};
	char name[DB_NAME_SIZE] = "";
	struct db_campaign campaign;
	int64_t campaign_id = 0, id;
	int err = 0;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "name", true, name, sizeof(name)) < 0 ||
		api_body_id(call, reply, "campaignId", false, &campaign_id) < 0)
		return;
	if (campaign_id != 0)
		err = db_campaign_get(call->db, campaign_id, &campaign);
	if (err == 0)
		err = db_list_create(call->db, name, campaign_id, &id);
	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	else
		answer(call, reply, 201, id);
}

void list_get(struct api_call *call, struct api_reply *reply)
{
	answer(call, reply, 200, api_param_id(call, 0));
}

/* ---- upload ---- */

static void json_text(const json_t *row, const char *field, char *dst, size_t size)
{
	const char *text = json_string_value(json_object_get(row, field));

	if (text != NULL && strlen(text) < size)
		memcpy(dst, text, strlen(text) + 1);
}

/* {"contacts":[{"phone":...}]}, as the mission's front end sends it. */
static int read_json(const struct http_request *request, const char *country,
	struct csv_import *import, struct err *err)
{
	json_error_t problem;
	json_t *doc = json_loadb(request->body, request->body_len, 0, &problem), *row;
	const json_t *rows = json_object_get(doc, "contacts");
	size_t i;
	int result = 0;

	if (!json_is_array(rows)) {
		json_decref(doc);
		return err_set(err, -EINVAL,
			"The body must be CSV, or JSON with an array named contacts.");
	}
	json_array_foreach(rows, i, row)
	{
		const char *phone = json_string_value(json_object_get(row, "phone"));
		struct db_contact contact = {.id = 0};

		json_text(
			row, "firstName", contact.first_name, sizeof(contact.first_name));
		json_text(row, "lastName", contact.last_name, sizeof(contact.last_name));
		json_text(row, "email", contact.email, sizeof(contact.email));
		import->rows++;
		result = csv_import_add(
			import, &contact, phone == NULL ? "" : phone, country, i + 1);
		if (result == -ENOMEM)
			break;
		result = 0;
	}
	json_decref(doc);
	return result;
}

static json_t *errors_json(const struct csv_import *import)
{
	json_t *errors = json_array();

	for (size_t i = 0; i < import->error_count && i < CSV_ERRORS_MAX; i++)
		(void)json_array_append_new(errors,
			json_pack("{s:I, s:s}", "row", (json_int_t)import->errors[i].row,
				"reason", import->errors[i].reason));
	return errors;
}

static void answer_upload(struct api_call *call, struct api_reply *reply, int64_t id,
	const struct csv_import *import, size_t added)
{
	struct db_list list;
	int err = db_list_get(call->db, id, &list);

	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	api_ok(reply, 200,
		json_pack("{s:o, s:{s:I, s:I, s:I, s:I, s:o}}", "dataList",
			list_json(&list), "upload", "totalSubmitted",
			(json_int_t)import->rows, "uploaded", (json_int_t)added,
			"skipped", (json_int_t)(import->count - added), "rejected",
			(json_int_t)import->error_count, "errors", errors_json(import)));
}

void list_upload(struct api_call *call, struct api_reply *reply)
{
	const char *country = form_get(&call->request->query, "country");
	struct csv_import import = {.contacts = NULL};
	struct err problem = {{0}};
	struct db_list list;
	int64_t id = api_param_id(call, 0);
	size_t added = 0;
	int err;

	country = numbering_country(country == NULL ? "US" : country);
	if (country == NULL) {
		api_fail(reply, 422, "VALIDATION",
			"country must be a country such as GB, or a calling code such as 44.");
		return;
	}
	err = db_list_get(call->db, id, &list);
	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	err = strcmp(call->request->content_type, "application/json") == 0
		      ? read_json(call->request, country, &import, &problem)
		      : csv_import_read(call->request->body, call->request->body_len,
				country, &import, &problem);
	if (err < 0) {
		api_fail(reply, 422, "BAD_LIST", "%s",
			problem.text[0] != '\0' ? problem.text : "Out of memory.");
		goto out;
	}
	if (import.count > 0)
		err = db_contacts_import(
			call->db, id, import.contacts, import.count, &added);
	if (err < 0)
		api_fail_db(reply, err, "contact", call->db);
	else
		answer_upload(call, reply, id, &import, added);
out:
	csv_import_free(&import);
}
