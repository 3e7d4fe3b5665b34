/*
 * api_doubles.c: what the handlers of the API meet in place of a database: one of each thing is
 * there, and what is to be written is looked at, and refused as by a database that is away.
 */
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/config.h"
#include "db/callbacks.h"
#include "db/contacts.h"
#include "db/data_lists.h"
#include "db/dispositions.h"
#include "db/dnc.h"
#include "db/numbers.h"
#include "db/users.h"
#include "dialer/number.h"
#include "gateway/agent_api.h"
#include "gateway/call_api.h"
#include "gateway/campaign_api.h"
#include "gateway/password.h"
#include "gateway/scope.h"
#include "gateway/zones.h"

/* In place of whatever nobody gets to: fuzz.mk says what that is. */
void fuzz_never(void);
void fuzz_never(void)
{
	assert(false);
}

/* Callbacks are due within a year: the same input says the same in any year. */
int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
	return 1796000000000; /* 29 November 2026 */
}

/* ---- what is there ---- */

const char *db_error(const struct db *db)
{
	(void)db;
	return "no database";
}

const char *config_text(const struct config *config, const char *name)
{
	(void)config;
	(void)name;
	return "+15551110001";
}

const struct zone *zones_find(const struct zones *zones, const char *name)
{
	static const struct zone zone;

	(void)zones;
	return strcmp(name, "UTC") == 0 || strcmp(name, "Europe/Berlin") == 0 ? &zone
									      : NULL;
}

int db_numbers_list(struct db *db, struct db_number **ret_numbers, size_t *ret_count)
{
	(void)db;
	*ret_numbers = NULL;
	*ret_count = 0;
	return 0;
}

int db_number_usable(struct db *db, const char *number, bool *ret_usable)
{
	(void)db;
	*ret_usable = strcmp(number, "+15551110001") == 0;
	return 0;
}

int db_campaign_get(struct db *db, int64_t id, struct db_campaign *ret_campaign)
{
	(void)db;
	assert(id > 0);
	memset(ret_campaign, 0, sizeof(*ret_campaign));
	return id == 1 ? 0 : -ENOENT;
}

/* The same look, and its refusal. */
int campaign_goes_on(struct api_call *call, struct api_reply *reply, int64_t campaign_id,
	const char *noun, const char *advice)
{
	struct db_campaign campaign;
	int err = db_campaign_get(call->db, campaign_id, &campaign);

	assert(advice[0] != '\0');
	if (err < 0)
		api_fail_db(reply, err, noun, call->db);
	return err;
}

int db_list_get(struct db *db, int64_t id, struct db_list *ret_list)
{
	(void)db;
	*ret_list = (struct db_list){
		.id = id, .name = "List", .blend_weight = 1, .caller_id = "+15551110001"};
	return 0;
}

int db_contact_get(struct db *db, int64_t id, struct db_contact_full *ret_contact)
{
	(void)db;
	*ret_contact = (struct db_contact_full){
		.is = {.id = id, .phone = "+14155552671"}, .custom = "{}"};
	return 0;
}

int db_disposition_get(struct db *db, int64_t id, struct db_disposition *ret_row)
{
	(void)db;
	*ret_row = (struct db_disposition){
		.id = id, .name = "Sold", .category = "positive", .retry_after_s = -1};
	return 0;
}

int db_callback_get(struct db *db, int64_t id, struct db_callback *ret_row)
{
	(void)db;
	*ret_row = (struct db_callback){.id = id, .campaign_id = 1, .contact_id = 1};
	return 0;
}

int db_user_get(struct db *db, int64_t id, struct db_user *ret_user)
{
	(void)db;
	*ret_user = (struct db_user){.id = id, .username = "ana", .role = "agent"};
	return 0;
}

int db_agent_get(struct db *db, int64_t user_id, struct db_agent *ret_agent)
{
	(void)db;
	memset(ret_agent, 0, sizeof(*ret_agent));
	return user_id == 1 ? 0 : -ENOENT;
}

int call_of_path(struct api_call *call, struct api_reply *reply, struct db_call *ret_row)
{
	(void)call;
	(void)reply;
	memset(ret_row, 0, sizeof(*ret_row));
	ret_row->id = 1;
	ret_row->agent_id = 1;
	return 0;
}

int scope_campaign(struct api_call *call, int64_t campaign_id, struct api_reply *reply)
{
	(void)call;
	(void)reply;
	assert(campaign_id > 0);
	return 0;
}

/* Of agents: by another file, which needs much more than a body. */
void agent_create(struct api_call *call, struct api_reply *reply)
{
	api_fail_db(reply, -EIO, "agent", call->db);
}

int password_hash(const char *password, char *ret_hash, size_t size)
{
	assert(strlen(password) >= 8 && size > 1);
	(void)strcpy(ret_hash, "x");
	return 0;
}

/* ---- what is to be written ---- */

static void check_text(const char *text, size_t size)
{
	json_t *value;

	assert(memchr(text, '\0', size) != NULL);
	value = json_string(text);
	assert(value != NULL); /* UTF-8 */
	json_decref(value);
}
#define CHECK_TEXT(array) check_text(array, sizeof(array))

int db_list_create(struct db *db, const struct db_list *list, int64_t *ret_id)
{
	(void)ret_id;
	return db_list_update(db, list);
}

int db_list_update(struct db *db, const struct db_list *list)
{
	(void)db;
	CHECK_TEXT(list->name);
	assert(list->name[0] != '\0');
	assert(list->blend_weight >= 1 && list->blend_weight <= 100);
	assert(strlen(list->country) == 0 || strlen(list->country) == 2);
	assert(list->campaign_id == 0 || list->campaign_id == 1);
	return -EIO;
}

static int check_contact(const struct db_contact_full *contact)
{
	CHECK_TEXT(contact->is.first_name);
	CHECK_TEXT(contact->is.last_name);
	CHECK_TEXT(contact->is.email);
	assert(number_valid(contact->is.phone));
	assert(contact->time_zone[0] == '\0' ||
		zones_find(NULL, contact->time_zone) != NULL);
	return -EIO;
}

static void check_custom(const char *text)
{
	json_t *custom = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert(json_is_object(custom));
	json_decref(custom);
}

int db_contact_create(
	struct db *db, const struct db_contact_full *contact, int64_t *ret_id)
{
	(void)db;
	(void)ret_id;
	check_custom(contact->custom);
	return check_contact(contact);
}

/* Without further fields they stay as they are. */
int db_contact_update(struct db *db, const struct db_contact_full *contact)
{
	(void)db;
	if (contact->custom[0] != '\0')
		check_custom(contact->custom);
	return check_contact(contact);
}

int db_dnc_add(
	struct db *db, const struct db_dnc *dnc, int64_t *ret_id, int64_t *ret_skipped)
{
	(void)db;
	(void)ret_id;
	(void)ret_skipped;
	CHECK_TEXT(dnc->reason);
	assert(number_valid(dnc->number) && dnc->campaign_id >= 0);
	return -EIO;
}

int db_dnc_add_many(struct db *db, const struct db_dnc *like, const char *const *numbers,
	size_t count, int64_t *ret_added, int64_t *ret_skipped)
{
	(void)db;
	CHECK_TEXT(like->reason);
	assert(like->campaign_id >= 0);
	for (size_t i = 0; i < count; i++)
		assert(number_valid(numbers[i]));
	*ret_added = (int64_t)count;
	*ret_skipped = 0;
	return 0;
}

int db_dnc_get(struct db *db, int64_t id, struct db_dnc *ret_dnc)
{
	(void)db;
	(void)ret_dnc;
	assert(id > 0);
	return -ENOENT;
}

int db_dnc_check(
	struct db *db, const char *number, int64_t campaign_id, struct db_dnc *ret_dnc)
{
	(void)db;
	(void)ret_dnc;
	assert(number_valid(number) && campaign_id >= 0);
	return -ENOENT;
}

int db_disposition_save(
	struct db *db, const struct db_disposition *disposition, int64_t *ret_id)
{
	(void)db;
	(void)ret_id;
	CHECK_TEXT(disposition->name);
	assert(disposition->name[0] != '\0' && disposition->retry_after_s >= -1);
	assert(disposition->position >= 0 && disposition->position <= 10000);
	assert(disposition->campaign_count <= DB_DISPOSITION_CAMPAIGNS);
	for (size_t i = 0; i < disposition->campaign_count; i++)
		assert(disposition->campaigns[i] > 0);
	return -EIO;
}

int db_call_dispose(struct db *db, const struct db_dispose *dispose,
	enum db_dispose_result *ret_result, int64_t *ret_session_id)
{
	(void)db;
	(void)ret_result;
	(void)ret_session_id;
	check_text(dispose->notes, DB_NOTES_SIZE);
	assert(dispose->disposition_id > 0 && dispose->callback_grace_s >= 0);
	assert(dispose->callback_agent == 0 || dispose->callback_agent == 1);
	return -EIO;
}

int db_callback_create(struct db *db, const struct db_callback *callback, int64_t *ret_id)
{
	(void)ret_id;
	assert(callback->campaign_id > 0 && callback->contact_id > 0);
	return db_callback_update(db, callback);
}

int db_callback_update(struct db *db, const struct db_callback *callback)
{
	(void)db;
	CHECK_TEXT(callback->note);
	assert(callback->due_ms > 0 && callback->grace_s >= 0);
	assert(callback->agent_id == 0 || callback->agent_id == 1);
	return -EIO;
}

int db_user_create(struct db *db, const struct db_user *user, int64_t *ret_id)
{
	(void)db;
	(void)ret_id;
	CHECK_TEXT(user->username);
	CHECK_TEXT(user->name);
	assert(user->username[0] != '\0' && user->name[0] != '\0' &&
		user->password_hash[0] != '\0');
	assert(strcmp(user->role, "admin") == 0 || strcmp(user->role, "supervisor") == 0);
	return -EIO;
}

int db_user_update(
	struct db *db, const struct db_user_change *change, int64_t *ret_agent_session)
{
	(void)db;
	(void)ret_agent_session;
	assert(change->id > 0 && change->active >= -1 && change->active <= 1);
	if (change->name != NULL)
		check_text(change->name, DB_NAME_SIZE);
	return -EIO;
}
