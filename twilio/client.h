/*
 * client.h: Twilio's REST API v2010, the requests we make, each with its meaning for money.
 *
 * One curl multi thread owns the connections. Any thread may ask; the answer comes on the
 * twilio thread through `answer`, once, and carries the caller's ids back. What is safe to
 * repeat is repeated here: anything after 429, and all but creates after 5xx, time-outs and
 * broken connections; at most 3 times, with backoff and jitter, a Retry-After honoured up to
 * 5 s. So an answer comes within 4 * total_ms + 15 s of its start. A create whose answer was
 * lost is never repeated, by us or by libcurl: it is reported as TWILIO_LOST.
 * Source: twilio.com/docs/voice/api, twilio.com/docs/usage/twilios-response, error 20429.
 */
#ifndef OMNIVOX_TWILIO_CLIENT_H
#define OMNIVOX_TWILIO_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#define TWILIO_SID_SIZE 35 /* two letters, 32 hex digits, NUL */
#define TWILIO_LIST_MAX 50

struct twilio_client;
struct twilio_answer;

enum twilio_op {
	TWILIO_PARTICIPANT_CREATE,
	TWILIO_CALL_UPDATE,
	TWILIO_CALL_FETCH,
	TWILIO_CALL_LIST,
	TWILIO_CONFERENCE_FIND,
	TWILIO_PARTICIPANT_LIST,
	TWILIO_NUMBER_LIST,
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

struct twilio_config {
	const char *account_sid;
	const char *auth_token; /* used as Basic password; or the API key pair below */
	const char *api_key_sid, *api_key_secret; /* NULL: account SID and auth token */
	const char *api_base; /* "https://api.twilio.com"; http:// only on loopback */
	const char *ca_file;  /* NULL: the system's */
	unsigned connect_ms, total_ms;
	size_t limit; /* requests that may be asked and not yet answered */
	/* On the twilio thread; the answer is valid until it returns. May ask again. */
	void (*answer)(void *arg, const struct twilio_answer *answer);
	void *arg;
};

/* POST Conferences/{FriendlyName}/Participants: dial `to` into a conference. */
struct twilio_participant {
	const char *conference, *from, *to;
	const char *label;  /* NULL: none */
	unsigned timeout_s; /* 0: Twilio's 60 */
	int early_media;
	/* Told of every event; NULL: none. The conference's counts for the first one in. */
	const char *status_callback;
	const char *conference_status_callback;
};

/* One call, as fetched or listed. Times are wall ms, 0 when null. */
struct twilio_call {
	char sid[TWILIO_SID_SIZE];
	/* Twilio's word: queued ringing in-progress completed busy failed no-answer canceled */
	char status[16];
	char to[64], from[64]; /* "" when longer */
	int64_t created_ms, started_ms, ended_ms;
	int duration_s; /* -1 when null */
};

struct twilio_participant_row {
	char call_sid[TWILIO_SID_SIZE];
	char label[129];
	char status[16];
};

struct twilio_number {
	char sid[TWILIO_SID_SIZE];
	char number[20];
	char friendly_name[65];
};

struct twilio_answer {
	enum twilio_op op;
	uint64_t id; /* the caller's */
	enum twilio_result result;
	int http_status;           /* 0: none came */
	int code;                  /* Twilio's error code; 0: none */
	char message[256];         /* for people; "" when OK */
	char sid[TWILIO_SID_SIZE]; /* of the created call, or of the found conference ("" none) */
	char conference_sid[TWILIO_SID_SIZE];
	int64_t queue_time_ms; /* of a create: how long Twilio expects to queue it */
	size_t count;          /* of the list that fits `op` */
	union {
		struct twilio_call calls[TWILIO_LIST_MAX]; /* CALL_FETCH: calls[0] */
		struct twilio_participant_row participants[TWILIO_LIST_MAX];
		struct twilio_number numbers[TWILIO_LIST_MAX];
	} list;
};

/* -EINVAL for a configuration that cannot work: SID, credentials, api_base, no limit or time. */
int twilio_client_new(
	const struct twilio_config *config, struct twilio_client **ret_client);

/*
 * Waits at most `total_ms` for creates under way, answers all that is still open (not sent, or
 * lost), then ends the thread. Not from within `answer`.
 */
void twilio_client_free(struct twilio_client **client);

/*
 * All: any thread, everything copied, -EAGAIN when full, -EINVAL for what is no SID or status,
 * -ENOMEM (nothing was sent). `id` comes back in the answer. Exactly one answer for each 0
 * returned. Lists are the first page.
 */
int twilio_participant_create(struct twilio_client *client, uint64_t id,
	const struct twilio_participant *participant);
/* `status` "completed" or "canceled". A call already over is TWILIO_REFUSED 21220 or OK. */
int twilio_call_update(
	struct twilio_client *client, uint64_t id, const char *sid, const char *status);
int twilio_call_fetch(struct twilio_client *client, uint64_t id, const char *sid);
/* The newest TWILIO_LIST_MAX calls with this To and From. */
int twilio_call_list(
	struct twilio_client *client, uint64_t id, const char *to, const char *from);
/* The live conference of that name: its sid, or OK with "" when there is none. */
int twilio_conference_find(
	struct twilio_client *client, uint64_t id, const char *friendly_name);
int twilio_participant_list(
	struct twilio_client *client, uint64_t id, const char *conference_sid);
int twilio_number_list(struct twilio_client *client, uint64_t id);

#endif
