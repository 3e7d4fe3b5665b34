/* list_api.c: the routes of data lists. See list_api.h. */
#include "gateway/list_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "db/campaigns.h"
#include "dialer/numbering.h"
#include "gateway/campaign.h"
#include "gateway/campaign_api.h"

json_t *list_json(const struct db_list *list)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:b, s:i, s:o, s:I, s:o, s:o}", "id",
		api_id(list->id), "listId", api_id(list->id), "name", list->name,
		"campaignId", api_id(list->campaign_id), "active", list->active,
		"blendWeight", list->blend_weight, "country", api_text(list->country),
		"totalContacts", (json_int_t)list->contacts, "createdAt",
		api_time(list->created_ms), "updatedAt", api_time(list->updated_ms));
}

const char *list_country(const struct gateway *gw, const struct db_list *list)
{
	const char *own = config_text(gw->config, "TWILIO_PHONE_NUMBER");
	struct numbering found;

	if (list->country[0] != '\0')
		return list->country;
	if (numbering_lookup(list->caller_id, &found) == 0 && found.country[0] != '\0')
		return found.country;
	if (numbering_lookup(own, &found) == 0 && found.country[0] != '\0')
		return found.country;
	return "US";
}

static void answer_lists(struct api_call *call, struct api_reply *reply, int err,
	struct db_list *rows, size_t count)
{
	json_t *list;

	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, list_json(&rows[i]));
	free(rows);
	api_ok(reply, 200, json_pack("{s:o}", "dataLists", list));
}

void lists_list(struct api_call *call, struct api_reply *reply)
{
	struct db_list *rows = NULL;
	size_t count = 0;
	int err = db_list_all(call->db, &rows, &count);

	answer_lists(call, reply, err, rows, count);
}

void lists_of_campaign(struct api_call *call, struct api_reply *reply)
{
	struct db_campaign campaign;
	struct db_list *rows = NULL;
	size_t count = 0;
	int err = db_campaign_get(call->db, api_param_id(call, 0), &campaign);

	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	err = db_list_of_campaign(call->db, campaign.id, &rows, &count);
	answer_lists(call, reply, err, rows, count);
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

void list_get(struct api_call *call, struct api_reply *reply)
{
	answer(call, reply, 200, api_param_id(call, 0));
}

/* ---- create, change ---- */

static int read_active(
	struct api_call *call, struct api_reply *reply, struct db_list *list)
{
	const json_t *active = json_object_get(call->body, "active");

	if (active == NULL)
		return 0;
	if (!json_is_boolean(active)) {
		api_fail_field(reply, "active", "active must be true or false.");
		return -EINVAL;
	}
	list->active = json_is_true(active);
	return 0;
}

static int read_country(
	struct api_call *call, struct api_reply *reply, struct db_list *list)
{
	const json_t *value = json_object_get(call->body, "country");
	const char *text = json_string_value(value), *country = "";

	if (value == NULL)
		return 0;
	if (text != NULL && text[0] != '\0')
		country = numbering_country(text);
	if (country == NULL || (text == NULL && !json_is_null(value))) {
		api_fail_field(reply, "country",
			"country must be one such as \"GB\", a calling code such as \"44\", or "
			"null.");
		return -EINVAL;
	}
	(void)text_copy(list->country, sizeof(list->country), country);
	return 0;
}

int list_check_campaign(
	struct api_call *call, struct api_reply *reply, int64_t campaign_id)
{
	return campaign_goes_on(call, reply, campaign_id, "campaign",
		"The list stays where it is; give it to another campaign.");
}

/* The body over what is in *list; null takes the list from its campaign. */
static int read_list(
	struct api_call *call, struct api_reply *reply, bool fresh, struct db_list *list)
{
	static const char *const fields[] = {
		"name", "campaignId", "active", "blendWeight", "country", NULL};
	bool named = fresh || json_object_get(call->body, "name") != NULL;
	int64_t before = list->campaign_id;

	if (json_is_null(json_object_get(call->body, "campaignId")))
		list->campaign_id = 0;
	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(
			call, reply, "name", named, list->name, sizeof(list->name)) < 0 ||
		api_body_id(call, reply, "campaignId", false, &list->campaign_id) < 0 ||
		api_body_int(call, reply, "blendWeight", 1, 100, &list->blend_weight) <
			0 ||
		read_active(call, reply, list) < 0 || read_country(call, reply, list) < 0)
		return -EINVAL;
	if (list->campaign_id == 0 || list->campaign_id == before)
		return 0;
	return list_check_campaign(call, reply, list->campaign_id);
}

void list_create(struct api_call *call, struct api_reply *reply)
{
	struct db_list list = {.active = true, .blend_weight = 100};
	int64_t id;
	int err;

	if (read_list(call, reply, true, &list) < 0)
		return;
	err = db_list_create(call->db, &list, &id);
	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	else
		answer(call, reply, 201, id);
}

void list_update(struct api_call *call, struct api_reply *reply)
{
	struct db_list list;
	int err = db_list_get(call->db, api_param_id(call, 0), &list);

	if (err < 0) {
		api_fail_db(reply, err, "list", call->db);
		return;
	}
	if (read_list(call, reply, false, &list) < 0)
		return;
	err = db_list_update(call->db, &list);
	if (err < 0) {
		api_fail_db(reply, err, "list or campaign", call->db);
		return;
	}
	if (list.campaign_id != 0)
		campaign_changed(call->gw, list.campaign_id);
	answer(call, reply, 200, list.id);
}

/* ---- all contacts of a list ---- */

void list_job_put(struct api_call *call, struct api_reply *reply,
	const struct list_job *job, json_t *soon)
{
	struct list_job put = *job;

	put.request_id = soon == NULL ? call->request->id : 0;
	if (imports_put_job(call->gw, &put) == 0) {
		reply->deferred = soon == NULL;
		if (soon != NULL)
			api_ok(reply, 202, soon);
		return;
	}
	json_decref(soon);
	api_fail(reply, 503, "TOO_MANY_IMPORTS",
		"Too many imports are waiting. Nothing was changed; try again later.");
	reply->retry_after_s = 10;
}

void list_job_end(struct gateway *gw, const struct list_job *job, struct api_reply *reply,
	const char *what)
{
	if (job->request_id != 0) {
		api_send(gw, job->request_id, reply);
		return;
	}
	/* Nobody waits any more: what went wrong must stand somewhere. */
	if (reply->code[0] != '\0')
		log_warn("list", 0, "%s of %lld: %s", what, (long long)job->id,
			reply->message);
	json_decref(reply->data);
	json_decref(reply->details);
}

static void fail_job(struct api_reply *reply, int err, const struct db *db)
{
	if (err == -EBUSY)
		api_fail(reply, 409, "IN_CALL",
			"A contact of this list is in a call just now. Nothing was removed; try "
			"again when the call is over.");
	else
		api_fail_db(reply, err, "list", db);
}

/* The list as it was, or as it is, with how many contacts went. */
static void remove_work(struct gateway *gw, struct db *db, const struct list_job *job)
{
	bool with_list = job->flag;
	struct api_reply reply = {.status = 0};
	int64_t removed = 0;
	struct db_list list;
	int err = db_list_get(db, job->id, &list);

	if (err == 0)
		err = with_list ? db_list_delete(db, job->id, &removed)
				: db_list_clear(db, job->id, &removed);
	if (err == 0 && !with_list)
		err = db_list_get(db, job->id, &list);
	if (err < 0)
		fail_job(&reply, err, db);
	else
		api_ok(&reply, 200,
			json_pack("{s:o, s:I}", "dataList", list_json(&list),
				with_list ? "deletedContacts" : "deletedCount",
				(json_int_t)removed));
	list_job_end(gw, job, &reply, "removing contacts");
}

/* A list of very many contacts goes in its own time. */
static void remove_list(struct api_call *call, struct api_reply *reply, bool with_list)
{
	struct list_job job = {
		.work = remove_work, .id = api_param_id(call, 0), .flag = with_list};
	struct db_list list;
	bool in_call = false;
	int err = db_list_get(call->db, job.id, &list);

	if (err == 0)
		err = db_list_in_call(call->db, job.id, &in_call);
	if (err == 0 && in_call)
		err = -EBUSY;
	if (err < 0)
		fail_job(reply, err, call->db);
	else
		list_job_put(call, reply, &job,
			list.contacts < LIST_LONG
				? NULL
				: json_pack("{s:o}", "dataList", list_json(&list)));
}

void list_delete(struct api_call *call, struct api_reply *reply)
{
	remove_list(call, reply, true);
}

void list_clear(struct api_call *call, struct api_reply *reply)
{
	remove_list(call, reply, false);
}

static void clone_work(struct gateway *gw, struct db *db, const struct list_job *job)
{
	struct api_reply reply = {.status = 0};
	struct db_list source, copy;
	int64_t id = 0, contacts = 0;
	char name[DB_NAME_SIZE], cut[DB_NAME_SIZE - sizeof(" (copy)")];
	int err = db_list_get(db, job->id, &source);

	if (err == 0 && job->name[0] != '\0') {
		(void)text_copy(name, sizeof(name), job->name);
	} else if (err == 0) {
		text_cut(cut, sizeof(cut), source.name);
		(void)snprintf(name, sizeof(name), "%s (copy)", cut);
	}
	if (err == 0)
		err = db_list_clone(db, job->id, name, job->flag, &id, &contacts);
	if (err == 0)
		err = db_list_get(db, id, &copy);
	if (err < 0)
		fail_job(&reply, err, db);
	else
		api_ok(&reply, 201,
			json_pack("{s:o, s:{s:o, s:s, s:I}, s:I}", "dataList",
				list_json(&copy), "sourceList", "id", api_id(source.id),
				"name", source.name, "totalContacts",
				(json_int_t)source.contacts, "contactsCloned",
				(json_int_t)contacts));
	list_job_end(gw, job, &reply, "copying");
}

void list_clone(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"newName", "includeContacts", NULL};
	const json_t *with = json_object_get(call->body, "includeContacts");
	struct list_job job = {.work = clone_work,
		.id = api_param_id(call, 0),
		.flag = json_is_true(with)};
	struct db_list list;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "newName", api_body_has(call, "newName"),
			job.name, sizeof(job.name)) < 0)
		return;
	if (with != NULL && !json_is_boolean(with)) {
		api_fail_field(reply, "includeContacts",
			"includeContacts must be true or false.");
		return;
	}
	err = db_list_get(call->db, job.id, &list);
	if (err < 0)
		api_fail_db(reply, err, "list", call->db);
	else
		list_job_put(call, reply, &job,
			!job.flag || list.contacts < LIST_LONG
				? NULL
				: json_pack("{s:o}", "dataList", list_json(&list)));
}
