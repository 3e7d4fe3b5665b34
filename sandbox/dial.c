/* dial.c: legs out, first answer wins, bridge, result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/form.h"
#include "base/text.h"
#include "sandbox/call.h"
#include "sandbox/call_sound.h"
#include "sandbox/conference.h"
#include "sandbox/dial.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/numbers.h"
#include "sandbox/player.h"
#include "sandbox/queue.h"
#include "sandbox/sandbox.h"
#include "sandbox/twiml_verbs.h"

#define NOUNS_MAX 10
#define DEFAULT_TIMEOUT_S 30
#define DEFAULT_LIMIT_S 14400
#define QUEUE_LOOK_MS 500

struct dial {
	struct twiml_run *run;
	const struct twiml_node *verb;
	struct list legs;                     /* struct call.dial_node, those that live */
	const struct twiml_node *next_target; /* sequential: the one to be called next */
	struct call *bridged;                 /* NULL: nobody yet */
	bool was_bridged;
	struct timer limit;
	/* Of the leg that decided. */
	enum call_status status;
	char leg_sid[SID_SIZE];
	int64_t duration_s;
	int sip_status;
	int64_t waited_ms; /* for somebody in the queue */
	char recording_sid[SID_SIZE];
};

static bool is_target(const struct twiml_node *node)
{
	return twiml_kind(node) == TWIML_NUMBER || twiml_kind(node) == TWIML_SIP ||
	       twiml_kind(node) == TWIML_CLIENT;
}

/* ---- the result ---- */

static void forget_leg(struct call *leg)
{
	list_remove(&leg->dial_node);
	leg->dial = NULL;
	leg->dial_noun = NULL;
	*leg->bridge = '\0';
}

/* All legs but `kept` (NULL: all) end; their end is of no interest any more. */
static void drop_legs(struct dial *dial, const struct call *kept)
{
	struct list *node, *tmp;

	list_for_each(&dial->legs, node, tmp)
	{
		struct call *leg = list_entry(node, struct call, dial_node);

		if (leg == kept)
			continue;
		forget_leg(leg);
		if (leg->queue_member != NULL)
			queue_bridge_over(leg->queue_member);
		else
			call_hang_up(leg);
	}
}

static void stop_recording(const struct dial *dial)
{
	struct recording *recording = recordings_find(
		dial->run->call->sandbox->recordings, dial->recording_sid);

	if (recording != NULL)
		recording_stop(recording, false);
}

void dial_free(struct dial **dial)
{
	struct dial *d = *dial;

	if (d == NULL)
		return;
	*dial = NULL;
	timer_stop(&d->limit);
	*d->run->call->bridge = '\0';
	drop_legs(d, NULL);
	stop_recording(d);
	free(d);
}

static const char *status_text(const struct dial *dial)
{
	switch (dial->status) {
	case CALL_COMPLETED:
		return "completed";
	case CALL_BUSY:
		return "busy";
	case CALL_NO_ANSWER:
		return "no-answer";
	case CALL_CANCELED:
		return "canceled";
	default:
		return "failed";
	}
}

/* The document goes on with what became of it. Ends the dial. */
static void finish(struct dial *dial)
{
	struct twiml_run *run = dial->run;
	const struct twiml_node *verb = dial->verb;
	const struct recording *recording;
	struct buf extra = {0};

	form_add(&extra, "DialCallStatus", status_text(dial));
	if (*dial->leg_sid != '\0')
		form_add(&extra, "DialCallSid", dial->leg_sid);
	if (dial->was_bridged)
		form_add_int(&extra, "DialCallDuration", dial->duration_s);
	form_add(&extra, "DialBridged", dial->was_bridged ? "true" : "false");
	if (twiml_child(verb, TWIML_SIP) != NULL && dial->sip_status != 0)
		form_add_int(&extra, "DialSipResponseCode", dial->sip_status);
	stop_recording(dial);
	recording = recordings_find(run->call->sandbox->recordings, dial->recording_sid);
	if (recording != NULL)
		recording_form(recording, &extra);
	dial_free(&run->dial);
	call_settle_sound(run->call);
	run_action(run, verb, &extra);
	buf_free(&extra);
}

void dial_hang_up(struct dial *dial)
{
	dial->status = dial->was_bridged ? CALL_COMPLETED : CALL_CANCELED;
	if (dial->bridged != NULL)
		dial->duration_s =
			(clock_wall_ms() - dial->bridged->started_ms + 500) / 1000;
	drop_legs(dial, NULL);
	finish(dial);
}

/* ---- legs ---- */

/* Whom the leg shows; NULL: warned of. */
static const char *caller_id(
	struct twiml_run *run, const struct twiml_node *verb, const char *to)
{
	const char *wish = twiml_text(verb, "callerId");
	const struct call *parent = run->call;
	const char *from = wish != NULL ? wish : parent->from;
	struct sandbox *sandbox = parent->sandbox;

	if (*to != '+')
		return from;
	if (number_valid(from) &&
		((parent->direction == CALL_INBOUND && strcmp(from, parent->from) == 0) ||
			numbers_find(sandbox, from) != NULL ||
			resources_find_by(sandbox->resources, &kind_caller_id,
				"phone_number", from) != NULL))
		return from;
	run_warn(run, wish != NULL ? 13214 : 13247,
		"Dial: callerId is neither the caller nor a number of the account");
	return NULL;
}

/* The address of a noun, or of the text in the Dial itself; caller frees. NULL: warned of. */
static char *address(struct twiml_run *run, const struct twiml_node *target)
{
	const struct twiml_node *identity;
	struct buf text = {0};
	char *to;

	if (twiml_kind(target) == TWIML_CLIENT) {
		identity = twiml_child(target, TWIML_IDENTITY);
		buf_printf(&text, "client:%s",
			identity != NULL ? identity->text : target->text);
	} else {
		buf_add_str(&text, target->text);
	}
	to = buf_take(&text);
	if (twiml_kind(target) == TWIML_SIP
			? (strncmp(to, "sip", 3) == 0 && strchr(to, '@') != NULL)
		: twiml_kind(target) == TWIML_CLIENT ? to[7] != '\0'
						     : number_valid(to))
		return to;
	run_warn(run, twiml_kind(target) == TWIML_SIP ? 13243 : 13223,
		"Dial: this is no address that can be called");
	free(to);
	return NULL;
}

static void take_amd(
	struct twiml_run *run, const struct twiml_node *noun, struct amd *amd)
{
	const char *wish = twiml_text(noun, "machineDetection");
	struct callback callback = {0};

	if (wish == NULL)
		return;
	amd->on = amd->asynchronous = true;
	amd->to_the_end = strcmp(wish, "DetectMessageEnd") == 0;
	run_callback(run, noun, "amdStatusCallback", &callback);
	amd->callback_url = callback.url;
	amd->callback_method = callback.method;
	amd->timeout_ms =
		(int64_t)twiml_number(noun, "machineDetectionTimeout", 30) * 1000;
	amd->speech_ms = twiml_number(noun, "machineDetectionSpeechThreshold", 2400);
	amd->speech_end_ms =
		twiml_number(noun, "machineDetectionSpeechEndThreshold", 1200);
	amd->silence_ms = twiml_number(noun, "machineDetectionSilenceTimeout", 5000);
}

static void take_noun(
	struct twiml_run *run, const struct twiml_node *noun, struct call *leg)
{
	const char *events = twiml_text(noun, "statusCallbackEvent");

	run_callback(run, noun, "statusCallback", &leg->callback);
	if (events != NULL)
		leg->callback.events = call_events_parse(events);
	if (twiml_kind(noun) != TWIML_CLIENT)
		take_amd(run, noun, &leg->amd);
	if (twiml_kind(noun) == TWIML_SIP) {
		leg->sip_user = memory_text(twiml_text(noun, "username"));
		leg->sip_password = memory_text(twiml_text(noun, "password"));
	}
}

/* Calls one target; false: it could not be called. */
static bool call_target(struct dial *dial, const struct twiml_node *target)
{
	struct twiml_run *run = dial->run;
	struct call *parent = run->call, *leg;
	const struct sandbox *sandbox = parent->sandbox;
	char *to = address(run, target);
	const char *from = to != NULL ? caller_id(run, dial->verb, to) : NULL;

	if (from == NULL) {
		free(to);
		return false;
	}
	leg = call_new(parent->sandbox, to, from);
	free(to);
	leg->direction = CALL_OUTBOUND_DIAL;
	(void)text_copy(leg->parent_sid, SID_SIZE, parent->sid);
	leg->timeout_ms =
		(int64_t)twiml_number(dial->verb, "timeout", DEFAULT_TIMEOUT_S) * 1000 +
		sandbox->facts.dial_buffer_ms;
	if (is_target(target)) {
		take_noun(run, target, leg);
		leg->dial_noun = target;
	}
	leg->dial = dial;
	list_add_tail(&dial->legs, &leg->dial_node);
	call_register(leg);
	call_log_create(leg, NULL);
	call_dial(leg);
	return true;
}

static const struct twiml_node *next_target(const struct twiml_node *node)
{
	while (node != NULL && !is_target(node))
		node = node->next;
	return node;
}

/* Sequential: the next one who can be called; false: there is none. */
static bool call_next(struct dial *dial)
{
	const struct twiml_node *target;

	while ((target = next_target(dial->next_target)) != NULL) {
		dial->next_target = target->next;
		if (call_target(dial, target))
			return true;
	}
	return false;
}

static bool call_all(struct dial *dial)
{
	const struct twiml_node *target = next_target(dial->verb->children);
	unsigned count = 0;
	bool any = false;

	if (target == NULL)
		return call_target(dial, dial->verb); /* the number is the Dial's text */
	if (twiml_flag(dial->verb, "sequential", false)) {
		dial->next_target = target;
		return call_next(dial);
	}
	for (; target != NULL; target = next_target(target->next)) {
		if (++count > NOUNS_MAX) {
			run_warn(dial->run, 13250, "Dial: more than ten targets");
			break;
		}
		any |= call_target(dial, target);
	}
	return any;
}

/* ---- bridging ---- */

static void record_if(struct dial *dial, const char *when)
{
	const char *wish = twiml_text(dial->verb, "record");
	struct call *parent = dial->run->call;
	struct recording_wish how;

	if (wish == NULL || *dial->recording_sid != '\0' ||
		parent->status != CALL_IN_PROGRESS)
		return;
	if (strstr(wish, when) == NULL &&
		!(strcmp(wish, "true") == 0 && strcmp(when, "from-answer") == 0))
		return;
	recording_wish_init(&how, "DialVerb");
	how.trim = false;
	how.channels = strstr(wish, "-dual") != NULL ? 2 : 1;
	run_recording_wish(dial->run, dial->verb, &how);
	(void)text_copy(
		dial->recording_sid, SID_SIZE, recording_start(parent, &how)->sid);
	recording_wish_free(&how);
}

static void on_limit(struct timer *timer)
{
	dial_hang_up(list_entry(timer, struct dial, limit));
}

static void bridge(struct dial *dial, struct call *leg)
{
	struct call *parent = dial->run->call;
	const struct sandbox *sandbox = parent->sandbox;

	if (call_pick_up(parent) < 0) {
		call_refuse(parent, 488);
		return;
	}
	dial->bridged = leg;
	dial->was_bridged = true;
	(void)text_copy(parent->bridge, SID_SIZE, parent->sid);
	(void)text_copy(leg->bridge, SID_SIZE, parent->sid);
	call_settle_sound(parent);
	call_settle_sound(leg);
	record_if(dial, "from-answer");
	dial->limit.fire = on_limit;
	loop_timer(sandbox->loop, &dial->limit,
		sandbox_scaled(sandbox,
			(int64_t)twiml_number(dial->verb, "timeLimit", DEFAULT_LIMIT_S) *
				1000));
}

void dial_leg_answered(struct call *leg)
{
	struct dial *dial = leg->dial;
	const struct twiml_node *noun = leg->dial_noun;
	const char *url = noun != NULL ? twiml_text(noun, "url") : NULL;
	char *whole;

	drop_legs(dial, leg);
	dial->next_target = NULL;
	if (url == NULL || *url == '\0') {
		bridge(dial, leg);
		return;
	}
	whole = player_resolve(dial->run->url, url);
	twiml_run_callee(leg, whole, twiml_method(noun, "method"));
	free(whole);
}

void dial_callee_ready(struct call *leg)
{
	struct dial *dial = leg->dial;

	twiml_run_free(&leg->run);
	if (dial != NULL)
		bridge(dial, leg);
	else
		call_hang_up(leg);
}

void dial_leg_ended(struct call *leg)
{
	struct dial *dial = leg->dial;
	bool more;

	dial->status = leg->status;
	dial->sip_status = leg->sip_status;
	dial->duration_s = call_duration_s(leg);
	(void)text_copy(dial->leg_sid, SID_SIZE, leg->sid);
	if (leg->status == CALL_COMPLETED && dial->bridged == NULL)
		dial->status = CALL_NO_ANSWER; /* it hung up before it was bridged */
	forget_leg(leg);
	more = !list_empty(&dial->legs) || call_next(dial);
	if (!more)
		finish(dial);
}

void dial_leg_detached(struct call *leg)
{
	struct dial *dial = leg->dial;

	dial->status = CALL_COMPLETED;
	dial->duration_s = (clock_wall_ms() - leg->started_ms + 500) / 1000;
	(void)text_copy(dial->leg_sid, SID_SIZE, leg->sid);
	forget_leg(leg);
	call_settle_sound(leg);
	if (list_empty(&dial->legs))
		finish(dial);
}

/* ---- the verb ---- */

/* Whether it is in; a label in use or a full room lets the document go on. */
static bool enter_conference(struct twiml_run *run, const struct twiml_node *verb,
	const struct twiml_node *noun)
{
	struct call *call = run->call;
	const char *label = twiml_text(noun, "participantLabel");
	const char *coach = twiml_text(noun, "coach");
	const char *events = twiml_text(noun, "statusCallbackEvent");
	const char *record = twiml_text(noun, "record");
	struct callback callback = {0};
	struct recording_wish wish;
	struct conference *conference;
	char *wait_url = NULL;

	if (*noun->text == '\0' || strlen(noun->text) > 128) {
		run_warn(run, 13237, "Conference: its name has 1 to 128 characters");
		return false;
	}
	conference = conferences_open(call->sandbox->conferences, noun->text);
	if (label != NULL && (strlen(label) > 128 || strchr(label, '/') != NULL)) {
		run_warn(run, 16023, "Conference: the label is not valid");
		label = NULL;
	}
	if (label != NULL && conference_participant(conference, label) != NULL) {
		run_warn(run, 16025, "Conference: the label is in use");
		return false;
	}
	if (conference->settled &&
		conference_size(conference) >= conference->max_participants) {
		run_warn(run, 16020, "the conference is full");
		return false;
	}
	if (coach != NULL && conference_participant(conference, coach) == NULL) {
		run_warn(run, 13240, "Conference: whom to coach is not there");
		run_action(run, verb, NULL);
		return true;
	}
	recording_wish_init(&wish, "Conference");
	wish.wanted = record != NULL && (strcmp(record, "true") == 0 ||
						strcmp(record, "record-from-start") == 0);
	run_recording_wish(run, noun, &wish);
	run_callback(run, noun, "statusCallback", &callback);
	if (twiml_text(noun, "waitUrl") != NULL)
		wait_url = *twiml_text(noun, "waitUrl") != '\0'
				   ? player_resolve(run->url, twiml_text(noun, "waitUrl"))
				   : memory_text("");
	run->verb = verb;
	conference_add(conference, call,
		&(struct participant_settings){.label = label,
			.callback_url = callback.url,
			.callback_method = callback.method,
			.callback_events =
				events != NULL ? conference_events_parse(events) : 0,
			.max_participants = twiml_number(noun, "maxParticipants", 250),
			.record = &wish,
			.wait_url = wait_url,
			.wait_method = twiml_method(noun, "waitMethod"),
			.muted = twiml_flag(noun, "muted", false),
			.start_on_enter =
				twiml_flag(noun, "startConferenceOnEnter", true),
			.end_on_exit = twiml_flag(noun, "endConferenceOnExit", false)});
	callback_free(&callback);
	recording_wish_free(&wish);
	free(wait_url);
	if (coach != NULL)
		participant_set_coaching(call->participant, true, coach);
	conference_join(call->participant);
	return true;
}

static void wait_for_member(struct dial *dial);

static void on_member_look(struct timer *timer)
{
	wait_for_member(list_entry(timer, struct dial, limit));
}

/* The front of the queue, or whoever comes to it before the time is out. */
static void wait_for_member(struct dial *dial)
{
	struct call *parent = dial->run->call;
	const struct sandbox *sandbox = parent->sandbox;
	const char *name = twiml_child(dial->verb, TWIML_QUEUE)->text;
	struct queue_member *member = queue_front(parent->sandbox, name);

	if (member != NULL) {
		member->call->dial = dial;
		list_add_tail(&dial->legs, &member->call->dial_node);
		queue_bridged(member);
		bridge(dial, member->call);
		return;
	}
	dial->waited_ms += QUEUE_LOOK_MS;
	if (dial->waited_ms >
		(int64_t)twiml_number(dial->verb, "timeout", DEFAULT_TIMEOUT_S) * 1000) {
		dial->status = CALL_NO_ANSWER;
		finish(dial);
		return;
	}
	dial->limit.fire = on_member_look;
	loop_timer(sandbox->loop, &dial->limit, sandbox_scaled(sandbox, QUEUE_LOOK_MS));
}

bool dial_begin(struct twiml_run *run, const struct twiml_node *verb)
{
	const struct twiml_node *conference = twiml_child(verb, TWIML_CONFERENCE);
	const struct twiml_node *queue;
	struct dial *dial;

	if (run->callee) {
		run_fail(run, 13201);
		return true;
	}
	if (conference != NULL) {
		if (next_target(verb->children) != NULL)
			run_warn(run, 13000, "a Conference is not mixed with numbers");
		return enter_conference(run, verb, conference);
	}
	queue = twiml_child(verb, TWIML_QUEUE);
	dial = memory_zero(sizeof(*dial));
	dial->run = run;
	dial->verb = verb;
	dial->status = CALL_FAILED;
	list_init(&dial->legs);
	run->dial = dial;
	run->verb = verb;
	record_if(dial, "from-ringing");
	if (queue != NULL)
		wait_for_member(dial);
	else if (!call_all(dial))
		finish(dial);
	return true;
}
