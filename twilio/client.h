/*
 * client.h: the thread that talks to Twilio's REST API v2010, and what comes back from it. The
 * requests themselves are typed, by noun: calls.h, conferences.h, recordings.h, numbers.h,
 * account.h.
 *
 * One curl multi thread owns the connections. Any thread may ask; the answer comes on the
 * twilio thread through `answer`, once, and carries the caller's id back. What is safe to
 * repeat is repeated here: anything after 429, and all but creates after 5xx, time-outs and
 * broken connections; at most 3 times, with backoff and full jitter, a Retry-After honoured up
 * to 5 s. So an answer comes within 4 * total_ms + 15 s of its start. A create whose answer was
 * lost is never repeated, by us or by libcurl: it is reported as TWILIO_LOST. A 429 also halves
 * how many requests are under way at once; it grows back with each answer.
 * Source: twilio.com/docs/voice/api, twilio.com/docs/usage/twilios-response, error 20429.
 */
#ifndef OMNIVOX_TWILIO_CLIENT_H
#define OMNIVOX_TWILIO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TWILIO_SID_SIZE 35 /* two letters, 32 hex digits, NUL */
#define TWILIO_URL_SIZE 512
#define TWILIO_NAME_SIZE 129 /* friendly names and labels */
#define TWILIO_PAGE_SIZE 50  /* rows of one page of a list */

struct twilio_client;

enum twilio_op {
	TWILIO_PROBE,
	TWILIO_CALL_UPDATE,
	TWILIO_CALL_FETCH,
	TWILIO_CALL_LIST,
	TWILIO_CONFERENCE_FIND,
	TWILIO_PARTICIPANT_CREATE,
	TWILIO_PARTICIPANT_FETCH,
	TWILIO_PARTICIPANT_UPDATE,
	TWILIO_PARTICIPANT_LIST,
	TWILIO_RECORDING_CREATE,
	TWILIO_RECORDING_UPDATE,
	TWILIO_RECORDING_FETCH,
	TWILIO_RECORDING_DELETE,
	TWILIO_RECORDING_LIST,
	TWILIO_NUMBER_LIST,
	TWILIO_NUMBER_UPDATE,
	TWILIO_CALLER_ID_LIST,
	TWILIO_APPLICATION_LIST,
	TWILIO_APPLICATION_CREATE,
	TWILIO_APPLICATION_UPDATE,
	TWILIO_SIP_DOMAIN_LIST,
	TWILIO_SIP_DOMAIN_CREATE,
	TWILIO_SIP_DOMAIN_UPDATE,
	TWILIO_SIP_CREDENTIAL_LIST_LIST,
	TWILIO_SIP_CREDENTIAL_LIST_CREATE,
	TWILIO_SIP_CREDENTIAL_LIST,
	TWILIO_SIP_CREDENTIAL_CREATE,
	TWILIO_SIP_MAPPING_LIST,
	TWILIO_SIP_MAPPING_CREATE,
	TWILIO_OPS,
};

enum twilio_result {
	TWILIO_OK,
	/* 4xx: Twilio did nothing. `code` and `message` say why. */
	TWILIO_REFUSED,
	/* Surely never processed: no byte of the form has left, or 429 until the tries ended. */
	TWILIO_NOT_SENT,
	/*
	 * It may have been processed: 5xx, 408, 3xx, a 2xx that cannot be read, time-out or broken
	 * connection after sending.
	 */
	TWILIO_LOST,
};

struct twilio_answer;

struct twilio_config {
	const char *account_sid;
	const char *auth_token; /* used as Basic password; or the API key pair below */
	const char *api_key_sid, *api_key_secret; /* NULL: account SID and auth token */
	const char *api_base; /* "https://api.twilio.com"; http:// only on loopback */
	const char *ca_file;  /* NULL: the system's */
	unsigned connect_ms, total_ms;
	size_t limit; /* requests that may be asked and not yet answered */
	/* On the twilio thread; the answer is the receiver's, who frees it. May ask again. */
	void (*answer)(void *arg, struct twilio_answer *answer);
	void *arg;
};

/* The rows of an answer are described with the requests of their noun. */
struct twilio_answer {
	enum twilio_op op;
	uint64_t id; /* the caller's */
	enum twilio_result result;
	int64_t took_us;   /* since it was asked, retries included */
	unsigned tries;    /* how often it was sent, or tried to; 0: never */
	int http_status;   /* 0: none came */
	int code;          /* Twilio's error code; 0: none */
	char message[256]; /* for people; "" when OK */
	/* Of what was created, fetched, updated or found; "" none. Of a participant: its call. */
	char sid[TWILIO_SID_SIZE];
	int64_t queue_time_ms; /* of a create: how long Twilio expects to queue it */
	/* The rows of a list's page, or the one row of anything else but a DELETE. */
	size_t count;
	union {
		struct twilio_call *calls;
		struct twilio_conference *conferences;
		struct twilio_participant_row *participants;
		struct twilio_recording *recordings;
		struct twilio_number *numbers; /* incoming, and verified caller ids */
		struct twilio_application *applications;
		struct twilio_sip_domain *domains;
		struct twilio_sip_item
			*items; /* credential lists, credentials, mappings */
		void *rows;
	} list;
	char *next_page; /* for twilio_next_page(); NULL: the list ends here */
};

/* NULL-safe, sets NULL. */
void twilio_answer_free(struct twilio_answer **answer);

/* -EINVAL for a configuration that cannot work: SID, credentials, api_base, no limit or time. */
int twilio_client_new(
	const struct twilio_config *config, struct twilio_client **ret_client);

/*
 * Waits at most `total_ms` for creates under way, answers all that is still open (not sent, or
 * lost), then ends the thread. Others may ask meanwhile and later: they get -EAGAIN. By the owner,
 * not from within `answer`. NULL-safe.
 */
void twilio_client_stop(struct twilio_client *client);

/* Stops it first. Nobody may ask any more. NULL-safe, sets NULL. */
void twilio_client_free(struct twilio_client **client);

/*
 * Every request: any thread, everything copied, -EAGAIN when full or stopped, -EINVAL for what is
 * no SID or makes no sense, -ENOMEM (nothing was sent). `id` comes back in the answer. Exactly one
 * answer for each 0 returned. Lists give their first page.
 */

/* The page that a list's answer named, by the same op: its address is used as Twilio gave it. */
int twilio_next_page(struct twilio_client *client, enum twilio_op op, uint64_t id,
	const char *next_page);

/*
 * Any thread. Calls that were asked for and have not started yet are not made: each is answered
 * as not sent (or lost, when an earlier try may have arrived). What is under way goes on.
 */
void twilio_cancel_creates(struct twilio_client *client);

/* What goes into paths: the two capital letters and 32 hex digits. 0 or -EINVAL. */
int twilio_sid_check(const char *sid, const char *prefix);

#endif
