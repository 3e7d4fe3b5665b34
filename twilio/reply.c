/*
 * reply.c: reads Twilio's JSON. Numbers come as strings, unset fields as null, times as
 * RFC 2822 (twilio.com/docs/usage/twilios-response).
 */
#include "config.h"
#include "twilio/reply.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/text.h"

static const char *get(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Text that does not fit is left empty: half an address would be a wrong address. */
static void get_text(const json_t *object, const char *key, char *dst, size_t size)
{
	const char *text = get(object, key);

	(void)text_copy(dst, size, text != NULL ? text : "");
}

static int64_t get_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);
	int64_t number = otherwise;

	if (json_is_integer(value))
		return json_integer_value(value);
	if (json_is_string(value))
		(void)text_int(json_string_value(value), INT32_MIN, INT32_MAX, &number);
	return number;
}

/* 0 when null or not a time. */
static int64_t get_time_ms(const json_t *object, const char *key)
{
	const char *text = get(object, key);
	time_t t = text != NULL ? curl_getdate(text, NULL) : -1;

	return t > 0 ? (int64_t)t * 1000 : 0;
}

int twilio_sid_check(const char *sid, const char *prefix)
{
	if (sid == NULL || strlen(sid) != TWILIO_SID_SIZE - 1)
		return -EINVAL;
	if (strncmp(sid, prefix, 2) != 0)
		return -EINVAL;
	for (size_t i = 2; i < TWILIO_SID_SIZE - 1; i++)
		if (!isxdigit((unsigned char)sid[i]))
			return -EINVAL;
	return 0;
}

static int get_sid(const json_t *object, const char *key, const char *prefix,
	char dst[TWILIO_SID_SIZE])
{
	const char *sid = get(object, key);

	if (twilio_sid_check(sid, prefix) != 0)
		return -EBADMSG;
	return text_copy(dst, TWILIO_SID_SIZE, sid);
}

void twilio_reply_message(struct twilio_answer *answer, const char *text)
{
	size_t len = strnlen(text, sizeof(answer->message) - 1);

	while (text[len] != '\0' && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	memcpy(answer->message, text, len);
	answer->message[len] = '\0';
}

static int read_created(const json_t *root, struct twilio_answer *answer)
{
	if (get_sid(root, "call_sid", "CA", answer->sid) != 0)
		return -EBADMSG;
	(void)get_sid(root, "conference_sid", "CF", answer->conference_sid);
	answer->queue_time_ms = get_int(root, "queue_time", 0);
	return 0;
}

static int read_call(const json_t *object, struct twilio_call *call)
{
	if (get_sid(object, "sid", "CA", call->sid) != 0)
		return -EBADMSG;
	get_text(object, "status", call->status, sizeof(call->status));
	if (call->status[0] == '\0')
		return -EBADMSG;
	get_text(object, "to", call->to, sizeof(call->to));
	get_text(object, "from", call->from, sizeof(call->from));
	call->created_ms = get_time_ms(object, "date_created");
	call->started_ms = get_time_ms(object, "start_time");
	call->ended_ms = get_time_ms(object, "end_time");
	call->duration_s = (int)get_int(object, "duration", -1);
	return 0;
}

static int read_fetched(const json_t *root, struct twilio_answer *answer)
{
	if (read_call(root, &answer->list.calls[0]) != 0)
		return -EBADMSG;
	answer->count = 1;
	return text_copy(answer->sid, sizeof(answer->sid), answer->list.calls[0].sid);
}

static int read_row(const json_t *row, struct twilio_answer *answer)
{
	struct twilio_participant_row *p;
	struct twilio_number *n;

	switch (answer->op) {
	case TWILIO_CALL_LIST:
		return read_call(row, &answer->list.calls[answer->count]);
	case TWILIO_PARTICIPANT_LIST:
		p = &answer->list.participants[answer->count];
		get_text(row, "label", p->label, sizeof(p->label));
		get_text(row, "status", p->status, sizeof(p->status));
		return get_sid(row, "call_sid", "CA", p->call_sid);
	default:
		n = &answer->list.numbers[answer->count];
		get_text(row, "phone_number", n->number, sizeof(n->number));
		get_text(
			row, "friendly_name", n->friendly_name, sizeof(n->friendly_name));
		return get_sid(row, "sid", "PN", n->sid);
	}
}

static int read_list(const json_t *root, const char *key, struct twilio_answer *answer)
{
	const json_t *rows = json_object_get(root, key);
	size_t size = json_array_size(rows);

	if (!json_is_array(rows))
		return -EBADMSG;
	for (size_t i = 0; i < size && answer->count < TWILIO_LIST_MAX; i++) {
		if (read_row(json_array_get(rows, i), answer) != 0)
			return -EBADMSG;
		answer->count++;
	}
	return 0;
}

/* Newest first, so the live one stands before the ended ones of the same name. */
static int read_conferences(const json_t *root, struct twilio_answer *answer)
{
	const json_t *rows = json_object_get(root, "conferences");
	size_t size = json_array_size(rows);

	if (!json_is_array(rows))
		return -EBADMSG;
	for (size_t i = 0; i < size; i++) {
		const json_t *row = json_array_get(rows, i);
		const char *status = get(row, "status");

		if (status == NULL)
			return -EBADMSG;
		if (strcmp(status, "completed") != 0)
			return get_sid(row, "sid", "CF", answer->sid);
	}
	return 0;
}

int twilio_reply_read(const char *body, size_t len, struct twilio_answer *answer)
{
	json_t *root = len > 0 ? json_loadb(body, len, 0, NULL) : NULL;
	int err = -EBADMSG;

	if (root == NULL)
		return -EBADMSG;
	switch (answer->op) {
	case TWILIO_PARTICIPANT_CREATE:
		err = read_created(root, answer);
		break;
	case TWILIO_CALL_UPDATE:
	case TWILIO_CALL_FETCH:
		err = read_fetched(root, answer);
		break;
	case TWILIO_CALL_LIST:
		err = read_list(root, "calls", answer);
		break;
	case TWILIO_CONFERENCE_FIND:
		err = read_conferences(root, answer);
		break;
	case TWILIO_PARTICIPANT_LIST:
		err = read_list(root, "participants", answer);
		break;
	case TWILIO_NUMBER_LIST:
		err = read_list(root, "incoming_phone_numbers", answer);
		break;
	}
	json_decref(root);
	return err;
}

void twilio_reply_read_error(const char *body, size_t len, struct twilio_answer *answer)
{
	json_t *root = len > 0 ? json_loadb(body, len, 0, NULL) : NULL;
	const char *message = get(root, "message");

	answer->code = (int)get_int(root, "code", 0);
	if (message != NULL)
		twilio_reply_message(answer, message);
	json_decref(root);
}
