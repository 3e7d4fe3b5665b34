/* campaign_body.c: a campaign's settings, from JSON and to JSON. See campaign_body.h. */
#include "gateway/campaign_body.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/text.h"
#include "db/numbers.h"
#include "dialer/number.h"
#include "dialer/retry.h"
#include "gateway/hours_body.h"
#include "gateway/limits_body.h"

_Static_assert(RETRY_KINDS == DB_RETRY_KINDS, "db/ and dialer/ count the same outcomes");

/* The whole numbers, with their bounds and what a new campaign has. */
#define OFFSET(member) offsetof(struct db_campaign, member)
static const struct {
	const char *field;
	size_t offset;
	int lo, hi, usual;
} numbers[] = {
	/* The seed's pacing: five calls 3 s apart, 10 s rest, 30 s of ringing. */
	{"batchSize", OFFSET(batch_size), 1, 100, 5},
	{"callGapMs", OFFSET(call_gap_ms), 0, 600000, 3000},
	{"batchGapMs", OFFSET(batch_gap_ms), 0, 3600000, 10000},
	{"ringTimeoutS", OFFSET(ring_timeout_s), 5, 600, 30},
	{"wrapUpS", OFFSET(wrap_up_s), 0, 3600, 10},
	{"previewS", OFFSET(preview_s), 5, 3600, 60},
	{"maxAttempts", OFFSET(max_attempts), 1, 100, 3},
	{"maxAttemptsPer24h", OFFSET(max_attempts_24h), 1, 100, 3},
	{"priority", OFFSET(priority), 1, 9, 5},
	{"weight", OFFSET(weight), 1, 100, 10},
	{"recordingDays", OFFSET(recording_days), 0, 36500, 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int *number_at(struct db_campaign *c, size_t offset)
{
	return (int *)(void *)((char *)c + offset);
}

void campaign_defaults(const struct gateway *gw, struct db_campaign *ret_campaign)
{
	struct db_campaign c = {.dial_method = "progressive",
		.hours_zone = "contact",
		.time_zone = "UTC",
		.amd = "off"};

	for (size_t i = 0; i < COUNT(numbers); i++)
		*number_at(&c, numbers[i].offset) = numbers[i].usual;
	for (size_t i = 0; i < RETRY_KINDS; i++) {
		c.retry_after_s[i] = retry_rules[i].after_s;
		c.retry_max[i] = retry_rules[i].max;
	}
	hours_defaults(&c);
	(void)text_copy(c.caller_id, sizeof(c.caller_id),
		config_text(gw->config, "TWILIO_PHONE_NUMBER"));
	*ret_campaign = c;
}

/* ---- reading ---- */

static int read_word(struct api_call *call, struct api_reply *reply, const char *field,
	const char *const *words, char *ret_word)
{
	char word[DB_WORD_SIZE] = "", list[128] = "";

	if (json_object_get(call->body, field) == NULL)
		return 0;
	if (api_body_text(call, reply, field, true, word, sizeof(word)) < 0)
		return -EINVAL;
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0) {
			memcpy(ret_word, word, sizeof(word));
			return 0;
		}
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			i > 0 ? ", " : "", words[i]);
	}
	api_fail_field(reply, field, "%s must be one of: %s.", field, list);
	return -EINVAL;
}

/* The numbers that the account has, for the sentence that refuses another. */
static void say_numbers(struct api_call *call, char *ret_text, size_t size)
{
	struct db_number *rows = NULL;
	size_t count = 0;

	ret_text[0] = '\0';
	if (db_numbers_list(call->db, &rows, &count) < 0)
		return;
	for (size_t i = 0; i < count && strlen(ret_text) + 24 < size; i++)
		(void)snprintf(ret_text + strlen(ret_text), size - strlen(ret_text),
			"%s%s", i > 0 ? ", " : "", rows[i].number);
	free(rows);
}

static int read_caller_id(
	struct api_call *call, struct api_reply *reply, struct db_campaign *c)
{
	char number[64] = "", owned[200];
	bool usable = false;
	int err;

	if (api_body_text(call, reply, "callerId", api_body_has(call, "callerId"), number,
		    sizeof(number)) < 0)
		return -EINVAL;
	if (number[0] != '\0' && !number_valid(number)) {
		api_fail_field(reply, "callerId",
			"callerId must be a number in E.164, such as +14155552671.");
		return -EINVAL;
	}
	if (number[0] != '\0')
		memcpy(c->caller_id, number, strlen(number) + 1);
	else if (c->id != 0)
		return 0; /* as it was */
	err = db_number_usable(call->db, c->caller_id, &usable);
	if (err < 0) {
		api_fail_db(reply, err, "number", call->db);
		return -EINVAL;
	}
	if (usable)
		return 0;
	say_numbers(call, owned, sizeof(owned));
	api_fail_field(reply, "callerId",
		"%s is not a number of the Twilio account. It has: %s. After a change there, "
		"POST /api/numbers/sync.",
		c->caller_id, owned[0] != '\0' ? owned : "none");
	return -EINVAL;
}

static int read_retry_rule(struct api_reply *reply, const char *outcome,
	const json_t *rule, struct db_campaign *c)
{
	int place = retry_place(outcome);

	if (place < 0) {
		api_fail_field(reply, "retry",
			"retry.%.32s: that outcome is final, or none. Possible are busy, "
			"no_answer, failed, machine, canceled, abandoned and unknown.",
			outcome);
		return -EINVAL;
	}
	return body_numbers(reply, "retry", rule,
		(const struct body_number[]){
			{"afterS", 0, RETRY_AFTER_MAX_S, &c->retry_after_s[place], NULL,
				false},
			{"max", 0, RETRY_MAX, &c->retry_max[place], NULL, false},
		},
		2);
}

static int read_retry(
	struct api_call *call, struct api_reply *reply, struct db_campaign *c)
{
	json_t *retry = json_object_get(call->body, "retry");
	const char *outcome;
	json_t *rule;

	if (retry == NULL)
		return 0;
	if (!json_is_object(retry)) {
		api_fail_field(reply, "retry",
			"retry must be an object such as {\"busy\": {\"afterS\": 600, "
			"\"max\": 5}}.");
		return -EINVAL;
	}
	json_object_foreach(retry, outcome, rule)
	{
		if (read_retry_rule(reply, outcome, rule, c) < 0)
			return -EINVAL;
	}
	return 0;
}

static int read_recording(
	struct api_call *call, struct api_reply *reply, struct db_campaign *c)
{
	json_t *record = json_object_get(call->body, "recordCalls");

	if (record != NULL && !json_is_boolean(record)) {
		api_fail_field(
			reply, "recordCalls", "recordCalls must be true or false.");
		return -EINVAL;
	}
	if (record != NULL)
		c->record = json_is_true(record);
	if (api_body_text(call, reply, "announcementText", false, c->announcement_text,
		    sizeof(c->announcement_text)) < 0 ||
		api_body_text(call, reply, "announcementUrl", false, c->announcement_url,
			sizeof(c->announcement_url)) < 0)
		return -EINVAL;
	if (c->announcement_url[0] != '\0' &&
		strncmp(c->announcement_url, "https://", 8) != 0 &&
		strncmp(c->announcement_url, "http://", 7) != 0) {
		api_fail_field(reply, "announcementUrl",
			"announcementUrl must be the https:// address of a sound file, or empty.");
		return -EINVAL;
	}
	return 0;
}

static int read_texts(
	struct api_call *call, struct api_reply *reply, struct db_campaign *c)
{
	static const char *const methods[] = {"manual", "preview", "progressive", NULL};
	static const char *const amd[] = {"off", "detect", "hangup_machine", NULL};

	if (api_body_text(call, reply, "name", c->name[0] == '\0', c->name,
		    sizeof(c->name)) < 0 ||
		api_body_text(call, reply, "description", false, c->description,
			sizeof(c->description)) < 0 ||
		api_body_text(
			call, reply, "script", false, c->script, sizeof(c->script)) < 0 ||
		read_word(call, reply, "amd", amd, c->amd) < 0 ||
		read_word(call, reply, "dialMethod", methods, c->dial_method) < 0)
		return -EINVAL;
	if (text_blank(c->name)) {
		api_fail_field(reply, "name", "name must not be empty.");
		return -EINVAL;
	}
	return 0;
}

int campaign_read(struct api_call *call, struct api_reply *reply, struct db_campaign *c)
{
	static const char *const fields[] = {"name", "description", "state", "dialMethod",
		"callerId", "batchSize", "callGapMs", "batchGapMs", "ringTimeoutS",
		"wrapUpS", "previewS", "maxAttempts", "maxAttemptsPer24h", "retry",
		"priority", "weight", "recordCalls", "announcementText",
		"announcementUrl", "recordingDays", "amd", "script", "limits",
		"callingHours", "callingHoursZone", "timeZone", "fallbackTimeZone", NULL};

	if (api_body_only(call, reply, fields) < 0 || read_texts(call, reply, c) < 0)
		return -EINVAL;
	for (size_t i = 0; i < COUNT(numbers); i++)
		if (api_body_int(call, reply, numbers[i].field, numbers[i].lo,
			    numbers[i].hi, number_at(c, numbers[i].offset)) < 0)
			return -EINVAL;
	if (read_retry(call, reply, c) < 0 || read_recording(call, reply, c) < 0 ||
		limits_read(call, reply, &c->limits) < 0 ||
		hours_read(call, reply, c) < 0)
		return -EINVAL;
	return read_caller_id(call, reply, c);
}

/* ---- writing ---- */

static json_t *retry_json(const struct db_campaign *c)
{
	json_t *retry = json_object();

	for (size_t i = 0; i < RETRY_KINDS; i++)
		(void)json_object_set_new(retry, retry_rules[i].outcome,
			json_pack("{s:i, s:i}", "afterS", c->retry_after_s[i], "max",
				c->retry_max[i]));
	return retry;
}

json_t *campaign_counts_json(const struct db_campaign *c)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "pending", (json_int_t)c->pending,
		"dialing", (json_int_t)c->dialing, "completed", (json_int_t)c->completed,
		"skipped", (json_int_t)c->skipped);
}

json_t *campaign_json(const struct db_campaign *c)
{
	json_t *doc = json_pack("{s:o, s:o, s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:s, s:I}",
		"id", api_id(c->id), "campaignId", api_id(c->id), "name", c->name,
		"description", c->description, "state", c->state, "isActive",
		strcmp(c->state, "active") == 0, "dialMethod", c->dial_method, "callerId",
		c->caller_id, "autoDial", c->auto_dial, "runReason", c->run_reason,
		"agentCount", (json_int_t)c->agents);
	json_t *hours = hours_json(c);
	json_t *more =
		json_pack("{s:o, s:b, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
			"retry", retry_json(c), "recordCalls", c->record,
			"announcementText", c->announcement_text, "announcementUrl",
			c->announcement_url, "amd", c->amd, "script", c->script, "limits",
			limits_json(&c->limits), "stats", campaign_counts_json(c),
			"createdAt", api_time(c->created_ms), "updatedAt",
			api_time(c->updated_ms), "archivedAt", api_time(c->archived_ms));

	for (size_t i = 0; doc != NULL && i < COUNT(numbers); i++)
		(void)json_object_set_new(doc, numbers[i].field,
			json_integer(
				*number_at((struct db_campaign *)c, numbers[i].offset)));
	if (doc != NULL && more != NULL && hours != NULL) {
		(void)json_object_update(doc, more);
		(void)json_object_update(doc, hours);
	}
	json_decref(more);
	json_decref(hours);
	return doc;
}
