/*
 * call.h: the life of one call, from queued to its end. Main loop only.
 *
 * Only call_move() changes the status; what each status brings with it (callbacks, log,
 * conference, audio) happens there. Source: twilio.com/docs/voice/api/call-resource.
 */
#ifndef OMNIVOX_SANDBOX_CALL_H
#define OMNIVOX_SANDBOX_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/timers.h"
#include "sandbox/amd.h"
#include "sandbox/callback.h"
#include "sandbox/chance.h"
#include "sandbox/mixer.h"
#include "sandbox/recording.h"

struct customer;
struct dial;
struct participant;
struct player;
struct queue_member;
struct sandbox;
struct twiml_node;
struct twiml_run;
struct uas_leg;

enum call_status {
	CALL_QUEUED,
	CALL_INITIATED, /* the resource still says queued */
	CALL_RINGING,
	CALL_IN_PROGRESS,
	CALL_COMPLETED, /* this and all below are final */
	CALL_BUSY,
	CALL_FAILED,
	CALL_NO_ANSWER,
	CALL_CANCELED,
};

enum call_direction { CALL_OUTBOUND_API, CALL_INBOUND, CALL_OUTBOUND_DIAL };

/* Words of StatusCallbackEvent, as bits. */
enum call_event {
	CALL_EVENT_INITIATED = 1 << 0,
	CALL_EVENT_RINGING = 1 << 1,
	CALL_EVENT_ANSWERED = 1 << 2,
	CALL_EVENT_COMPLETED = 1 << 3,
};

struct call {
	struct sandbox *sandbox;
	struct list node;       /* calls' */
	struct call *next_hash; /* calls' */
	struct list queue_node; /* dialing's */
	char sid[SID_SIZE];
	char number_sid[SID_SIZE]; /* of our end; "" for SIP */
	char *to, *from;
	enum call_direction direction;
	char parent_sid[SID_SIZE]; /* of the call that dialled it; "": none */
	enum call_status status;
	/* Wall clock; 0: not yet. */
	int64_t created_ms, updated_ms, started_ms, ended_ms;
	int64_t queue_ms; /* the estimate given on creation */
	struct callback callback;
	unsigned sequence; /* of the next status callback */
	int sip_status;    /* of the far end; 0: none */

	/* What to do on answer; texts owned. All NULL for a participant. */
	char *url, *method, *twiml, *fallback_url, *fallback_method;
	struct twiml_run *run; /* NULL: no document is running */
	char *cookies; /* of the customer's web server, as webhook.h; NULL: none */
	struct queue_member *queue_member; /* NULL: in no queue */
	struct player *player;             /* what is played to it; NULL: nothing */
	struct participant
		*participant; /* NULL: in no conference, nor on the way to one */

	/* dial.h: the Dial that called this leg; NULL: none, or not any more. */
	struct dial *dial;
	struct list dial_node;
	const struct twiml_node *dial_noun; /* NULL: the Dial's own text */
	char bridge[SID_SIZE];              /* room of the bridge; "": not bridged */
	char *sip_user, *sip_password;      /* for calls to SIP; NULL: none */
	char *caller_id;                    /* shown instead of from; NULL: from */

	int64_t timeout_ms, time_limit_ms;
	struct amd amd;
	const struct customer *customer; /* NULL: a SIP leg, or not dialled yet */
	struct customer *own_customer;   /* made for this call alone; owned */
	struct timer step;               /* the customer's next deed */
	struct timer limit;              /* Timeout, then TimeLimit */

	struct recording_wish record; /* from the answer on, if wanted */
	struct list recordings;       /* struct recording.call_node, those that record */
	char recording_sid[SID_SIZE]; /* of `record`; "": none */
	struct list transcriptions;   /* struct transcription.node, oldest first */

	/* A simulated customer's ear and mouth. */
	struct mixer_port port;
	struct sound_source *say;
	struct sound_sink *heard;

	/* The leg of a call from the SIP domain, and what its webhooks say about it; owned. */
	struct uas_leg *leg;
	bool leg_gone;   /* its far end has left: there is nothing to hang up */
	bool forget_leg; /* and its far end is not told of the end */
	/* What every webhook of it carries besides: "SipDomain=...&SipCallId=..."; owned. */
	char *extra_form;
};

/* Queued, outbound, and nobody's but the caller's. `to` and `from` are copied. */
struct call *call_new(struct sandbox *sandbox, const char *to, const char *from);

/* Hands it to sandbox->calls: it exists. */
void call_register(struct call *call);
void call_free(struct call **call); /* once registered, calls' business */

/* The one place where a status changes. Moves that Twilio does not know are refused. */
void call_move(struct call *call, enum call_status status);

/* Dials: from queued on, the customer decides. dialing.h calls this when it is the turn. */
void call_dial(struct call *call);

/* Our side ends it: completed when it was answered, else canceled. */
void call_hang_up(struct call *call);

/* The customer ends it now. */
void call_customer_hangs_up(struct call *call);

/* Inbound calls: picks up (0 or -errno; harmless when not ringing), or turns away. */
int call_pick_up(struct call *call);
void call_refuse(struct call *call, int sip_status);

/* The far end of a SIP leg has gone, has answered our call, or refused it with a SIP status. */
void call_leg_ended(struct call *call);
void call_leg_answered(struct call *call);
void call_leg_refused(struct call *call, int sip_status);

/* The conference is over for this call, which may have other things to do. */
void call_left_conference(struct call *call);

bool call_is_over(const struct call *call);
const char *call_status_text(const struct call *call); /* as webhooks say it */
const char *call_resource_status(const struct call *call);
int64_t call_duration_s(const struct call *call);

/* call_report.c: the parameters of every webhook about this call: docs/voice/twiml. */
void call_form(const struct call *call, struct buf *form);

/* Tells the status callback, where `event` (enum call_event) is asked for. */
void call_report(struct call *call, unsigned event);
const char *call_direction_text(const struct call *call);

/* One line of calls.jsonl with what is known about the call. */
void call_log(const struct call *call, const char *event);
void call_log_create(
	const struct call *call, const char *fault); /* NULL: answered well */

/* "initiated answered" to bits of enum call_event. Unknown words are left out. */
unsigned call_events_parse(const char *words);

/* RFC 2822 in GMT, "Fri, 20 Aug 2010 01:13:42 +0000". */
#define DATE_SIZE 40
const char *date_text(int64_t wall_ms, char text[DATE_SIZE]);

#endif
