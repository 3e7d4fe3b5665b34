/* reply.c: what each op is, and Twilio's answers to them. See reply.h. */
#include "twilio/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "twilio/account.h"
#include "twilio/calls.h"
#include "twilio/conferences.h"
#include "twilio/fields.h"
#include "twilio/recordings.h"
#include "twilio/rows.h"

enum kind { FETCH, CREATE, UPDATE, REMOVE, LIST, FIND };

#define CALL sizeof(struct twilio_call), rows_read_call
#define CONFERENCE sizeof(struct twilio_conference), rows_read_conference
#define PARTICIPANT sizeof(struct twilio_participant_row), rows_read_participant
#define RECORDING sizeof(struct twilio_recording), rows_read_recording
#define NUMBER sizeof(struct twilio_number), rows_read_number
#define APPLICATION sizeof(struct twilio_application), rows_read_application
#define DOMAIN sizeof(struct twilio_sip_domain), rows_read_domain
#define CREDENTIAL_LIST sizeof(struct twilio_sip_item), rows_read_credential_list
#define CREDENTIAL sizeof(struct twilio_sip_item), rows_read_credential

static const struct op {
	enum kind kind;
	size_t row_size;
	int (*read)(const json_t *object, void *row);
	const char *name; /* of the array in a list's page */
} ops[TWILIO_OPS] = {
	[TWILIO_PROBE] = {LIST, NUMBER, "incoming_phone_numbers"},
	[TWILIO_CALL_UPDATE] = {UPDATE, CALL, NULL},
	[TWILIO_CALL_FETCH] = {FETCH, CALL, NULL},
	[TWILIO_CALL_LIST] = {LIST, CALL, "calls"},
	[TWILIO_CONFERENCE_FIND] = {FIND, CONFERENCE, "conferences"},
	[TWILIO_PARTICIPANT_CREATE] = {CREATE, PARTICIPANT, NULL},
	[TWILIO_PARTICIPANT_FETCH] = {FETCH, PARTICIPANT, NULL},
	[TWILIO_PARTICIPANT_UPDATE] = {UPDATE, PARTICIPANT, NULL},
	[TWILIO_PARTICIPANT_LIST] = {LIST, PARTICIPANT, "participants"},
	[TWILIO_RECORDING_CREATE] = {CREATE, RECORDING, NULL},
	[TWILIO_RECORDING_UPDATE] = {UPDATE, RECORDING, NULL},
	[TWILIO_RECORDING_FETCH] = {FETCH, RECORDING, NULL},
	[TWILIO_RECORDING_DELETE] = {REMOVE, 0, NULL, NULL},
	[TWILIO_RECORDING_LIST] = {LIST, RECORDING, "recordings"},
	[TWILIO_NUMBER_LIST] = {LIST, NUMBER, "incoming_phone_numbers"},
	[TWILIO_NUMBER_UPDATE] = {UPDATE, NUMBER, NULL},
	[TWILIO_CALLER_ID_LIST] = {LIST, NUMBER, "outgoing_caller_ids"},
	[TWILIO_APPLICATION_LIST] = {LIST, APPLICATION, "applications"},
	[TWILIO_APPLICATION_CREATE] = {CREATE, APPLICATION, NULL},
	[TWILIO_APPLICATION_UPDATE] = {UPDATE, APPLICATION, NULL},
	[TWILIO_SIP_DOMAIN_LIST] = {LIST, DOMAIN, "domains"},
	[TWILIO_SIP_DOMAIN_CREATE] = {CREATE, DOMAIN, NULL},
	[TWILIO_SIP_DOMAIN_UPDATE] = {UPDATE, DOMAIN, NULL},
	[TWILIO_SIP_CREDENTIAL_LIST_LIST] = {LIST, CREDENTIAL_LIST, "credential_lists"},
	[TWILIO_SIP_CREDENTIAL_LIST_CREATE] = {CREATE, CREDENTIAL_LIST, NULL},
	[TWILIO_SIP_CREDENTIAL_LIST] = {LIST, CREDENTIAL, "credentials"},
	[TWILIO_SIP_CREDENTIAL_CREATE] = {CREATE, CREDENTIAL, NULL},
	/* A mapping has the SID of its list. */
	[TWILIO_SIP_MAPPING_LIST] = {LIST, CREDENTIAL_LIST, "contents"},
	[TWILIO_SIP_MAPPING_CREATE] = {CREATE, CREDENTIAL_LIST, NULL},
};

bool twilio_op_creates(enum twilio_op op)
{
	return ops[op].kind == CREATE;
}

bool twilio_op_deletes(enum twilio_op op)
{
	return ops[op].kind == REMOVE;
}

bool twilio_op_lists(enum twilio_op op)
{
	return ops[op].kind == LIST;
}

void twilio_reply_clear(struct twilio_answer *answer)
{
	free(answer->list.rows);
	free(answer->next_page);
	answer->list.rows = NULL;
	answer->next_page = NULL;
	answer->count = 0;
}

/* Rows begin with the SID that names them. */
static int read_one(const struct op *op, const json_t *object, struct twilio_answer *a)
{
	a->list.rows = calloc(1, op->row_size);
	if (a->list.rows == NULL)
		return -ENOMEM;
	if (op->read(object, a->list.rows) != 0)
		return -EBADMSG;
	a->count = 1;
	a->queue_time_ms = field_int(object, "queue_time", 0);
	return text_copy(a->sid, sizeof(a->sid), a->list.rows);
}

/* The next page is on the same host, whatever its address says. */
static int read_next(const json_t *root, struct twilio_answer *a)
{
	const char *next = field_get(root, "next_page_uri");

	if (next == NULL)
		return 0;
	if (next[0] != '/' || next[1] == '/')
		return -EBADMSG;
	a->next_page = strdup(next);
	return a->next_page != NULL ? 0 : -ENOMEM;
}

static int read_list(const struct op *op, const json_t *root, struct twilio_answer *a)
{
	const json_t *rows = json_object_get(root, op->name);
	size_t count = json_array_size(rows);
	char *row;

	if (!json_is_array(rows))
		return -EBADMSG;
	row = calloc(count + 1, op->row_size);
	a->list.rows = row;
	if (row == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++, row += op->row_size)
		if (op->read(json_array_get(rows, i), row) != 0)
			return -EBADMSG;
	a->count = count;
	return read_next(root, a);
}

/* Newest first, so the live one stands before the ended ones of the same name. */
static void keep_live(struct twilio_answer *a)
{
	const struct twilio_conference *live = NULL;

	for (size_t i = 0; i < a->count && live == NULL; i++)
		if (strcmp(a->list.conferences[i].status, "completed") != 0)
			live = &a->list.conferences[i];
	if (live != NULL) {
		memcpy(a->sid, live->sid, sizeof(a->sid));
		a->list.conferences[0] = *live;
	}
	a->count = live != NULL;
}

int twilio_reply_read(const char *body, size_t len, struct twilio_answer *answer)
{
	const struct op *op = &ops[answer->op];
	json_t *root;
	int err;

	if (op->kind == REMOVE)
		return 0;
	root = len > 0 ? json_loadb(body, len, 0, NULL) : NULL;
	if (root == NULL)
		return -EBADMSG;
	err = op->name != NULL ? read_list(op, root, answer) : read_one(op, root, answer);
	if (err == 0 && op->kind == FIND)
		keep_live(answer);
	json_decref(root);
	if (err != 0)
		twilio_reply_clear(answer);
	return err;
}

void twilio_reply_read_error(const char *body, size_t len, struct twilio_answer *answer)
{
	json_t *root = len > 0 ? json_loadb(body, len, 0, NULL) : NULL;
	const char *message = field_get(root, "message");

	answer->code = (int)field_int(root, "code", 0);
	if (message != NULL)
		text_cut(answer->message, sizeof(answer->message), message);
	json_decref(root);
}
