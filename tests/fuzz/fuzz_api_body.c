/*
 * fuzz_api_body.c: a JSON document as the body of a campaign, and as fields of each kind. What
 * is refused has a sentence; what is taken can be said in JSON again, and is taken again.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "db/numbers.h"
#include "dialer/hours.h"
#include "gateway/campaign_body.h"
#include "gateway/zones.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of database and zones: an account with one number, a world with two zones. */

const char *db_error(const struct db *db)
{
	(void)db;
	return "no database";
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

static void check_refused(int err, struct api_reply *reply)
{
	assert(err == -EINVAL && reply->status == 422 && reply->message[0] != '\0');
	json_decref(reply->details);
	*reply = (struct api_reply){0};
}

static void read_campaign(struct api_call *call)
{
	struct api_reply reply = {0};
	struct db_campaign campaign;
	struct hours hours;
	json_t *said;
	int err;

	campaign_defaults(call->gw, &campaign);
	err = campaign_read(call, &reply, &campaign);
	if (err != 0) {
		check_refused(err, &reply);
		return;
	}
	assert(hours_parse(campaign.hours, &hours) == 0);
	said = campaign_json(&campaign);
	assert(said != NULL);
	json_decref(said);
}

static void read_fields(struct api_call *call)
{
	struct api_reply reply = {0};
	char text[64] = "";
	int64_t id = 1, time = 0;
	int number = 1, err;
	bool flag;

	err = api_body_text(call, &reply, "name", true, text, sizeof(text));
	if (err != 0)
		check_refused(err, &reply);
	err = api_body_int(call, &reply, "batchSize", 1, 9, &number);
	if (err != 0)
		check_refused(err, &reply);
	assert(number >= 1 && number <= 9);
	err = api_body_bool(call, &reply, "recordCalls", &flag);
	if (err != 0)
		check_refused(err, &reply);
	err = api_body_time(call, &reply, "at", &time);
	if (err != 0)
		check_refused(err, &reply);
	err = api_body_id(call, &reply, "id", false, &id);
	if (err != 0)
		check_refused(err, &reply);
	assert(id > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gateway gw = {0};
	struct api_call call = {.gw = &gw};

	call.body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(call.body)) {
		read_campaign(&call);
		read_fields(&call);
	}
	json_decref(call.body);
	return 0;
}
