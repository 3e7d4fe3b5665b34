/* call.c: one call's life. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/form.h"
#include "base/log.h"
#include "base/text.h"
#include "sandbox/call.h"
#include "sandbox/call_sound.h"
#include "sandbox/calllog.h"
#include "sandbox/calls.h"
#include "sandbox/conference.h"
#include "sandbox/dial.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/outbox.h"
#include "sandbox/population.h"
#include "sandbox/sandbox.h"
#include "sandbox/sip_calls.h"
#include "sandbox/transcription.h"
#include "sandbox/twiml_run.h"
#include "sandbox/uas.h"

#define DEFAULT_TIMEOUT_MS 60000
#define DEFAULT_TIME_LIMIT_MS (14400 * 1000)

static const struct callback_word event_words[] = {
	{"initiated", CALL_EVENT_INITIATED},
	{"ringing", CALL_EVENT_RINGING},
	{"answered", CALL_EVENT_ANSWERED},
	{"completed", CALL_EVENT_COMPLETED},
};

static const struct {
	const char *webhook, *resource;
	unsigned event; /* that reports it */
	unsigned from;  /* bits of the statuses it may follow */
} statuses[] = {
	[CALL_QUEUED] = {"queued", "queued", 0, 0},
	[CALL_INITIATED] = {"initiated", "queued", CALL_EVENT_INITIATED,
		1 << CALL_QUEUED},
	[CALL_RINGING] = {"ringing", "ringing", CALL_EVENT_RINGING,
		1 << CALL_QUEUED | 1 << CALL_INITIATED},
	[CALL_IN_PROGRESS] = {"in-progress", "in-progress", CALL_EVENT_ANSWERED,
		1 << CALL_INITIATED | 1 << CALL_RINGING},
	[CALL_COMPLETED] = {"completed", "completed", CALL_EVENT_COMPLETED,
		1 << CALL_IN_PROGRESS},
	[CALL_BUSY] = {"busy", "busy", CALL_EVENT_COMPLETED,
		1 << CALL_INITIATED | 1 << CALL_RINGING},
	[CALL_FAILED] = {"failed", "failed", CALL_EVENT_COMPLETED,
		1 << CALL_QUEUED | 1 << CALL_INITIATED | 1 << CALL_RINGING |
			1 << CALL_IN_PROGRESS},
	[CALL_NO_ANSWER] = {"no-answer", "no-answer", CALL_EVENT_COMPLETED,
		1 << CALL_INITIATED | 1 << CALL_RINGING},
	[CALL_CANCELED] = {"canceled", "canceled", CALL_EVENT_COMPLETED,
		1 << CALL_QUEUED | 1 << CALL_INITIATED | 1 << CALL_RINGING},
};

const char *date_text(int64_t wall_ms, char text[DATE_SIZE])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, DATE_SIZE, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	return text;
}

unsigned call_events_parse(const char *words)
{
	return callback_events(
		words, event_words, sizeof(event_words) / sizeof(event_words[0]));
}

bool call_is_over(const struct call *call)
{
	return call->status >= CALL_COMPLETED;
}

const char *call_status_text(const struct call *call)
{
	return statuses[call->status].webhook;
}

const char *call_resource_status(const struct call *call)
{
	return statuses[call->status].resource;
}

int64_t call_duration_s(const struct call *call)
{
	if (call->started_ms == 0 || call->ended_ms == 0)
		return 0;
	return (call->ended_ms - call->started_ms + 500) / 1000;
}

static void write_line(const struct call *call, const char *event, const char *fault)
{
	const struct participant *participant = call->participant;

	calllog_write(call->sandbox->log,
		&(struct calllog_line){.event = event,
			.call_sid = call->sid,
			.parent_sid = *call->parent_sid != '\0' ? call->parent_sid : NULL,
			.to = call->to,
			.from = call->from,
			.status = call_status_text(call),
			.url = call->url,
			.status_callback = call->callback.url,
			.conference = participant != NULL ? participant->conference->name
							  : NULL,
			.fault = fault,
			.amd = call->amd.answered_by});
}

void call_log(const struct call *call, const char *event)
{
	write_line(call, event, NULL);
}

void call_log_create(const struct call *call, const char *fault)
{
	write_line(call, "create", fault);
}

struct call *call_new(struct sandbox *sandbox, const char *to, const char *from)
{
	struct call *call = memory_zero(sizeof(*call));

	call->sandbox = sandbox;
	call->to = memory_text(to);
	call->from = memory_text(from);
	call->created_ms = call->updated_ms = clock_wall_ms();
	call->timeout_ms = DEFAULT_TIMEOUT_MS;
	call->time_limit_ms = DEFAULT_TIME_LIMIT_MS;
	call->callback.events = CALL_EVENT_COMPLETED;
	recording_wish_init(&call->record, "OutboundAPI");
	amd_init(&call->amd);
	list_init(&call->recordings);
	list_init(&call->transcriptions);
	list_init(&call->queue_node);
	sandbox_sid(sandbox, "CA", call->sid);
	return call;
}

void call_register(struct call *call)
{
	calls_add(call->sandbox->calls, call);
}

static void stop_recordings(struct call *call)
{
	while (!list_empty(&call->recordings))
		recording_stop(
			list_entry(call->recordings.next, struct recording, call_node),
			false);
}

void call_free(struct call **call)
{
	struct call *c = *call;

	if (c == NULL)
		return;
	timer_stop(&c->step);
	timer_stop(&c->limit);
	amd_stop(c);
	twiml_run_free(&c->run);
	participant_free(&c->participant);
	stop_recordings(c);
	transcriptions_free(c);
	recording_wish_free(&c->record);
	call_close_sound(c);
	list_remove(&c->queue_node);
	list_remove(&c->dial_node);
	callback_free(&c->callback);
	free(c->cookies);
	free(c->sip_user);
	free(c->sip_password);
	free(c->caller_id);
	free(c->to);
	free(c->from);
	free(c->url);
	free(c->method);
	free(c->twiml);
	free(c->fallback_url);
	free(c->fallback_method);
	free(c->amd.callback_url);
	free(c->amd.callback_method);
	free(c->extra_form);
	if (c->own_customer != NULL)
		customer_free(c->own_customer);
	free(c->own_customer);
	free(c);
	*call = NULL;
}

/* What comes after the answer: the conference, or instructions. */
static void proceed(struct call *call)
{
	if (call->dial != NULL)
		dial_leg_answered(call);
	else if (call->participant != NULL)
		conference_join(call->participant);
	else if (call->url != NULL)
		twiml_run_url(call, call->url, call->method);
	else if (call->twiml != NULL)
		twiml_run_text(call, call->twiml);
}

static void on_time_limit(struct timer *timer)
{
	call_hang_up(list_entry(timer, struct call, limit));
}

static void on_talked(struct timer *timer)
{
	call_customer_hangs_up(list_entry(timer, struct call, step));
}

static void start_recording(struct call *call)
{
	const struct recording *recording;

	if (!call->record.wanted)
		return;
	recording = recording_start(call, &call->record);
	(void)text_copy(call->recording_sid, SID_SIZE, recording->sid);
}

/* An outbound call has been picked up by its customer. */
static void begin_talk(struct call *call)
{
	struct sandbox *sandbox = call->sandbox;

	if (call->customer != NULL)
		call_open_sound(call);
	start_recording(call);
	call->limit.fire = on_time_limit;
	loop_timer(sandbox->loop, &call->limit,
		sandbox_scaled(sandbox, call->time_limit_ms));
	if (call->customer != NULL && call->customer->talk_ms > 0) {
		call->step.fire = on_talked;
		loop_timer(sandbox->loop, &call->step,
			sandbox_scaled(sandbox, call->customer->talk_ms));
	}
	if (call->direction == CALL_INBOUND)
		return; /* its document is what picked up */
	if (call->amd.on)
		amd_start(call, call->amd.asynchronous ? NULL : proceed);
	if (!call->amd.on || call->amd.asynchronous)
		proceed(call);
}

/* Everything stops; the record stays for listing. */
static void finish(struct call *call)
{
	struct uas_leg *leg = call->leg;

	timer_stop(&call->step);
	timer_stop(&call->limit);
	amd_stop(call);
	list_remove(&call->queue_node);
	twiml_run_call_over(call);
	twiml_run_free(&call->run);
	transcriptions_stop(call);
	stop_recordings(call);
	if (call->participant != NULL)
		conference_leave(call->participant, call->started_ms != 0
							    ? "participant_hung_up"
							    : "participant_add_failed");
	call_close_sound(call);
	call->leg = NULL;
	if (leg == NULL || call->leg_gone)
		return;
	if (call->forget_leg)
		uas_leg_forget(call->sandbox->uas, leg);
	else if (call->started_ms != 0 || call->direction != CALL_INBOUND)
		uas_leg_hangup(leg);
	else
		uas_leg_refuse(leg, call->sip_status != 0 ? call->sip_status : 480);
}

void call_move(struct call *call, enum call_status status)
{
	bool queued = call->status == CALL_QUEUED;

	assert(status <= CALL_CANCELED);
	if ((statuses[status].from & 1u << call->status) == 0) {
		log_warn("call", 0, "%s cannot go from %s to %s", call->sid,
			call_status_text(call), statuses[status].webhook);
		return;
	}
	call->status = status;
	call->updated_ms = clock_wall_ms();
	if (status == CALL_IN_PROGRESS)
		call->started_ms = call->updated_ms;
	if (call_is_over(call)) {
		call->ended_ms = call->updated_ms;
		call_log(call, "ended");
		finish(call);
		if (!queued) /* a call that ends while queued says nothing */
			call_report(call, statuses[status].event);
		if (call->dial != NULL)
			dial_leg_ended(call);
		return;
	}
	call_log(call, status == CALL_IN_PROGRESS ? "answered" : call_status_text(call));
	call_report(call, statuses[status].event);
	if (status == CALL_IN_PROGRESS &&
		(call->customer != NULL || call->direction != CALL_INBOUND))
		begin_talk(call);
}

static void on_ring_timeout(struct timer *timer)
{
	struct call *call = list_entry(timer, struct call, limit);

	call->sip_status = 487;
	call_move(call, CALL_NO_ANSWER);
}

static void on_outcome(struct timer *timer)
{
	struct call *call = list_entry(timer, struct call, step);

	switch (call->customer->behaviour) {
	case BEHAVIOUR_BUSY:
		call->sip_status = 486;
		call_move(call, CALL_BUSY);
		break;
	case BEHAVIOUR_FAILED:
		call->sip_status = call->customer->sip_code;
		call_move(call, CALL_FAILED);
		break;
	case BEHAVIOUR_HUMAN:
	case BEHAVIOUR_MACHINE:
	case BEHAVIOUR_FAX:
		timer_stop(&call->limit);
		call->sip_status = 200;
		call_move(call, CALL_IN_PROGRESS);
		break;
	case BEHAVIOUR_NO_ANSWER: /* rings until the time-out */
		break;
	}
}

static void on_first_ring(struct timer *timer)
{
	struct call *call = list_entry(timer, struct call, step);
	struct sandbox *sandbox = call->sandbox;

	call_move(call, CALL_RINGING);
	if (call->customer->behaviour == BEHAVIOUR_NO_ANSWER)
		return;
	call->step.fire = on_outcome;
	loop_timer(sandbox->loop, &call->step,
		sandbox_scaled(sandbox, call->customer->ring_ms));
}

/* A browser that is not there does not answer; a number that is not there fails. */
static void on_nobody(struct timer *timer)
{
	struct call *call = list_entry(timer, struct call, step);
	bool client = strncmp(call->to, "client:", 7) == 0;

	call->sip_status = client ? 480 : 404;
	call_move(call, client ? CALL_NO_ANSWER : CALL_FAILED);
}

static bool is_sip(const char *to)
{
	return strncmp(to, "sip", 3) == 0;
}

/* A SIP address is called for real, unless the population names such addresses. */
static const struct customer *choose(struct call *call)
{
	const struct customer *customer =
		population_choose(call->sandbox->population, call->to);

	return customer != NULL && is_sip(call->to) && !is_sip(customer->match)
		       ? NULL
		       : customer;
}

void call_dial(struct call *call)
{
	struct sandbox *sandbox = call->sandbox;

	call->customer = choose(call);
	call_move(call, CALL_INITIATED);
	if (call->customer == NULL && is_sip(call->to) && sip_calls_dial(call) == 0) {
		call->limit.fire = on_ring_timeout;
		loop_timer(sandbox->loop, &call->limit,
			sandbox_scaled(sandbox, call->timeout_ms));
		return;
	}
	if (call->customer == NULL) {
		/* Not from inside: whoever dials must be told later. */
		call->step.fire = on_nobody;
		loop_timer(sandbox->loop, &call->step, 0);
		return;
	}
	call->limit.fire = on_ring_timeout;
	loop_timer(
		sandbox->loop, &call->limit, sandbox_scaled(sandbox, call->timeout_ms));
	if (call->customer->behaviour == BEHAVIOUR_BUSY ||
		call->customer->behaviour == BEHAVIOUR_FAILED) {
		call->step.fire = on_outcome;
		loop_timer(sandbox->loop, &call->step,
			sandbox_scaled(sandbox, call->customer->ring_ms));
		return;
	}
	call->step.fire = on_first_ring;
	loop_timer(sandbox->loop, &call->step,
		sandbox_scaled(sandbox, sandbox->facts.post_dial_ms));
}

void call_hang_up(struct call *call)
{
	if (call_is_over(call))
		return;
	call_move(
		call, call->status == CALL_IN_PROGRESS ? CALL_COMPLETED : CALL_CANCELED);
}

void call_customer_hangs_up(struct call *call)
{
	if (call_is_over(call))
		return;
	call_move(
		call, call->status == CALL_IN_PROGRESS ? CALL_COMPLETED : CALL_NO_ANSWER);
}

int call_pick_up(struct call *call)
{
	int r = 0;

	if (call->direction != CALL_INBOUND || call->status == CALL_IN_PROGRESS)
		return 0;
	if (call->leg != NULL)
		r = uas_leg_answer(call->leg);
	if (r < 0)
		return r;
	timer_stop(&call->step);
	call->limit.fire = on_time_limit;
	loop_timer(call->sandbox->loop, &call->limit,
		sandbox_scaled(call->sandbox, call->time_limit_ms));
	call_move(call, CALL_IN_PROGRESS);
	return 0;
}

void call_refuse(struct call *call, int sip_status)
{
	call->sip_status = sip_status;
	if (call->status == CALL_IN_PROGRESS)
		call_move(call, CALL_COMPLETED);
	else if (sip_status == 486)
		call_move(call, CALL_BUSY);
	else
		call_move(call, sip_status == 404 ? CALL_NO_ANSWER : CALL_FAILED);
}

void call_leg_ended(struct call *call)
{
	call->leg_gone = true;
	call_hang_up(call);
}

void call_left_conference(struct call *call)
{
	if (call_is_over(call))
		return;
	if (call->run != NULL)
		twiml_run_conference_over(call);
	else
		call_hang_up(call);
}

void call_leg_answered(struct call *call)
{
	timer_stop(&call->limit);
	call->sip_status = 200;
	call_move(call, CALL_IN_PROGRESS);
}

void call_leg_refused(struct call *call, int sip_status)
{
	static const enum call_status ends[] = {
		[SIP_MEANS_FAILED] = CALL_FAILED,
		[SIP_MEANS_BUSY] = CALL_BUSY,
		[SIP_MEANS_NO_ANSWER] = CALL_NO_ANSWER,
		[SIP_MEANS_CANCELED] = CALL_CANCELED,
	};

	call->leg_gone = true;
	call->sip_status = sip_status;
	call_move(call, ends[sip_statuses_get(&call->sandbox->sip_statuses, sip_status)]);
}
