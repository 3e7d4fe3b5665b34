/*
 * fuzz_api_body.c: a JSON document as the body of a campaign, as fields of each kind, and as what
 * every other noun is made of and changed by. What is refused has a sentence; what is taken can be
 * said in JSON again, or is what a database may be given (api_doubles.c).
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "dialer/hours.h"
#include "gateway/callback_api.h"
#include "gateway/campaign_body.h"
#include "gateway/contact_api.h"
#include "gateway/disposition_api.h"
#include "gateway/dnc_api.h"
#include "gateway/list_api.h"
#include "gateway/user_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/* Each says one thing: what it made, or in words why not. */
static void read_nouns(struct api_call *call)
{
	static void (*const handlers[])(struct api_call *, struct api_reply *) = {
		user_create, user_update, list_create, list_update, contact_create,
		contact_update, dnc_create, dnc_check, dnc_bulk_import,
		disposition_create, disposition_update, call_dispose, callback_create,
		callback_update};
	json_t *body = call->body;

	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		struct api_reply reply = {0};

		call->body = json_deep_copy(body); /* handlers may take it apart */
		handlers[i](call, &reply);
		assert(reply.data != NULL
				? reply.status == 200
				: reply.status >= 400 && reply.message[0] != '\0');
		json_decref(reply.data);
		json_decref(reply.details);
		json_decref(call->body);
	}
	call->body = body;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char one[] = "1";
	struct http_request request = {.params = {one}};
	struct gateway gw = {0};
	struct api_call call = {
		.gw = &gw, .request = &request, .user = {.id = 1, .role = "admin"}};

	call.body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(call.body)) {
		read_campaign(&call);
		read_fields(&call);
		read_nouns(&call);
	}
	json_decref(call.body);
	return 0;
}
