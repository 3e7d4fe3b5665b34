/*
 * rest.h: what the REST resources share: who is asking, errors in Twilio's words, pages,
 * faults on creates. Main loop only, except rest_open and rest_close.
 *
 * Source: twilio.com/docs/usage/twilios-response.
 */
#ifndef OMNIVOX_SANDBOX_REST_H
#define OMNIVOX_SANDBOX_REST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "http/server.h"
#include "sandbox/call.h"
#include "sandbox/resource.h"
#include "sandbox/sandbox.h"

/* One request under way. */
struct rest {
	struct sandbox *sandbox;
	const struct http_request *request;
	const char *fault; /* that will spoil the answer of this create; NULL: none */
	bool silent;       /* spoilt by silence, else by 500 */
	const struct resource_kind *kind; /* of the route; NULL: no resource.h's */
};

typedef void rest_handler(struct rest *rest);

/* What a row needs besides being found. */
enum rest_need {
	REST_ACCOUNT = 1 << 0, /* the account's credentials */
	REST_CREATES = 1 << 1, /* makes a call or records one: faults apply */
	REST_MEDIA = 1 << 2,   /* credentials, unless media are for everybody */
};

struct rest_row {
	enum http_method method;
	const char *path;
	unsigned needs;
	rest_handler *handler;
	const struct resource_kind *kind;
};

/* rest_routes.c */
extern const struct rest_row rest_rows[];
extern const size_t rest_row_count;

/* Starts the HTTP server; requests come to the loop. -errno. */
int rest_open(struct sandbox *sandbox, const struct addr *listen);

/* Refuses connections for the time of FAULT_UNREACHABLE, from a moment later on. */
void rest_go_away(struct sandbox *sandbox);
void rest_close(struct sandbox *sandbox);

/* Sends a reply that is no JSON; at most four headers of its own. */
void rest_send(struct rest *rest, const struct http_reply *reply);

/* Takes the object. */
void rest_reply(struct rest *rest, int status, json_t *object);
void rest_error(struct rest *rest, int status, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void rest_not_found(struct rest *rest);

/* A ":name" of the path without its ".json"; NULL without that ending. Caller frees. */
char *rest_sid(const struct rest *rest, size_t param);

const char *rest_form(const struct rest *rest, const char *name); /* NULL: absent */
bool rest_form_bool(const struct rest *rest, const char *name, bool otherwise);

/* All values of an array parameter, repeated or blank-separated, as one blank-separated text. */
char *rest_form_words(const struct rest *rest, const char *name);

/* http:// or https:// with a host. */
bool rest_url_valid(const char *url);

/* "GET" or "POST", upper case; NULL for anything else. Absent: POST. */
const char *rest_form_method(const struct rest *rest, const char *name);

/* RFC 2822, null when 0. */
json_t *rest_date(int64_t wall_ms);
json_t *rest_text(const char *text); /* null when NULL or "" */

/* Whether `at_ms` passes the query's name, name< and name>; with *bad: replied an error. */
bool rest_time_passes(struct rest *rest, const char *name, int64_t at_ms, bool *bad);

/* Whether `value` is what the query asks for; nothing asked: yes. */
bool rest_text_passes(const struct rest *rest, const char *name, const char *value);

/*
 * One page of a list. Feed every item that passes the filters, newest first; the page keeps
 * what belongs on it.
 */
struct rest_page {
	json_t *items;
	char after[SID_SIZE]; /* the page starts after this SID; "": at the top */
	char last[SID_SIZE];  /* of the last item kept */
	int64_t size, number;
	int64_t skip; /* items still to pass over: a page asked for by its number */
	bool found, more;
};

int rest_page_begin(struct rest *rest, struct rest_page *page); /* <0: replied already */
bool rest_page_wants(struct rest_page *page, const char *sid);
void rest_page_add(struct rest_page *page, const char *sid, json_t *item); /* takes it */
void rest_page_reply(struct rest *rest, struct rest_page *page, const char *name);

/* rest_calls.c, also for participants */
rest_handler rest_call_create, rest_call_list, rest_call_fetch, rest_call_update,
	rest_call_delete;

/*
 * rest_dial.c: a new outbound call from To, From and all else that calls and participants have
 * in common, still to be accepted. NULL: replied with an error already.
 */
struct call *rest_dial(struct rest *rest);

/* From here on it exists: writes the `create` line and queues the call. */
void rest_accept(struct rest *rest, struct call *call);

/* Takes a URL and its method; false: replied with an error already. Texts are the caller's. */
bool rest_form_callback(
	struct rest *rest, const char *name, char **ret_url, char **ret_method);

/*
 * rest_recordings.c: how to record, from the form: RecordingChannels, RecordingTrack, Trim and
 * the callback; for the conference its own Trim and callback. false: replied with an error.
 */
bool rest_recording_wish(struct rest *rest, struct recording_wish *wish);
bool rest_conference_recording_wish(struct rest *rest, struct recording_wish *wish);

rest_handler rest_call_recording_create, rest_call_recording_list,
	rest_call_recording_fetch, rest_call_recording_update, rest_call_recording_delete;
rest_handler rest_recording_list, rest_recording_fetch, rest_recording_delete;

/* rest_transcriptions.c */
rest_handler rest_transcription_create, rest_transcription_update;

/* rest_media.c: the sound of a recording, whole or a range of it. */
void rest_media(struct rest *rest, struct recording *recording, const char *ending);
bool rest_needs_account(
	const struct rest *rest); /* false: media that are for everybody */

/* rest_conferences.c, rest_participants.c */
rest_handler rest_conference_list, rest_conference_fetch, rest_conference_update;
rest_handler rest_participant_create, rest_participant_list, rest_participant_fetch,
	rest_participant_update, rest_participant_delete;

/* rest_resources.c: for every kind of resource.h */
rest_handler rest_resource_list, rest_resource_create, rest_resource_fetch,
	rest_resource_update, rest_resource_delete;

/* rest_account.c */
rest_handler rest_account_fetch, rest_account_balance;

/* rest_queues.c */
rest_handler rest_member_list, rest_member_fetch, rest_member_update;

/* rest_caller_ids.c */
rest_handler rest_caller_id_validate;

/* control.c: the body as JSON; NULL: replied 400. The caller's. */
json_t *rest_body(struct rest *rest);
rest_handler control_faults_get, control_faults_put, control_mixer_put,
	control_sip_domain_get, control_sip_domain_put, control_hangup, control_drop,
	control_calls, control_settings_get, control_settings_put, control_numbers_put,
	control_sip_statuses_get, control_sip_statuses_put, control_digits, control_speak;

/* inbound.c */
rest_handler control_inbound;

#endif
