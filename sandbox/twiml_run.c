/* twiml_run.c: fetching documents and walking through their verbs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "base/log.h"
#include "sandbox/call.h"
#include "sandbox/call_sound.h"
#include "sandbox/calllog.h"
#include "sandbox/calls.h"
#include "sandbox/conference.h"
#include "sandbox/dial.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/outbox.h"
#include "sandbox/player.h"
#include "sandbox/queue.h"
#include "sandbox/sandbox.h"
#include "sandbox/twiml_verbs.h"
#include "sandbox/webhook.h"

#define FETCHES_MAX 1000 /* documents a call; ends a Redirect to itself */

void twiml_run_free(struct twiml_run **run)
{
	struct twiml_run *r = *run;

	if (r == NULL)
		return;
	timer_stop(&r->pause);
	timer_stop(&r->typing);
	timer_stop(&r->silence);
	run_stop_playing(r);
	dial_free(&r->dial);
	queue_member_free(&r->call->queue_member);
	twiml_free(&r->twiml);
	buf_free(&r->digits);
	free(r->url);
	free(r);
	*run = NULL;
}

static void on_pause_over(struct timer *timer)
{
	run_next(list_entry(timer, struct twiml_run, pause));
}

static struct twiml_run *run_new(struct call *call)
{
	struct twiml_run *run = memory_zero(sizeof(*run));

	twiml_run_free(&call->run);
	run->call = call;
	call->run = run;
	return run;
}

void run_warn(struct twiml_run *run, int code, const char *text)
{
	const struct call *call = run->call;

	log_warn("twiml", 0, "%d %s call=%s url=%s", code, text, call->sid,
		run->url != NULL ? run->url : "inline");
	calllog_write(call->sandbox->log,
		&(struct calllog_line){.event = "warning",
			.call_sid = call->sid,
			.parent_sid = *call->parent_sid != '\0' ? call->parent_sid : NULL,
			.to = call->to,
			.from = call->from,
			.status = call_status_text(call),
			.url = run->url,
			.error = code,
			.detail = text});
}

static void end_call(struct call *call)
{
	if (call->direction == CALL_INBOUND && call->status != CALL_IN_PROGRESS)
		call_refuse(call, 500);
	else
		call_hang_up(call);
}

static void on_said_sorry(struct timer *timer)
{
	end_call(list_entry(timer, struct twiml_run, pause)->call);
}

/* The call cannot go on: Twilio says so to the caller and hangs up. */
static void give_up(struct twiml_run *run, int error)
{
	const struct sandbox *sandbox = run->call->sandbox;

	run_warn(run, error, "the call cannot go on");
	if (sandbox->facts.application_error_ms == 0) {
		end_call(run->call);
		return;
	}
	run->pause.fire = on_said_sorry;
	loop_timer(sandbox->loop, &run->pause,
		sandbox_scaled(sandbox, sandbox->facts.application_error_ms));
}

static void on_answer(struct sandbox *sandbox, const char *call_sid, uint64_t ticket,
	const struct webhook *hook);

static void fetch(struct twiml_run *run, const char *method, const struct buf *extra)
{
	struct call *call = run->call;
	struct buf form = {0};

	run_stop_playing(run);
	timer_stop(&run->pause);
	twiml_free(&run->twiml);
	run->next = run->verb = NULL;
	if (++run->fetches > FETCHES_MAX) {
		give_up(run, 11215);
		return;
	}
	run->ticket = chance_next(&call->sandbox->chance) | 1;
	call_form(call, &form);
	if (extra != NULL && extra->len > 0) {
		buf_add_char(&form, '&');
		buf_add(&form, extra->data, extra->len);
	}
	outbox_fetch(call->sandbox->outbox,
		&(struct letter){.url = run->url,
			.method = method != NULL ? method : "POST",
			.form = &form,
			.call = call},
		on_answer, run->ticket);
	buf_free(&form);
}

void run_go_to(struct twiml_run *run, const char *url, const char *method,
	const struct buf *extra)
{
	char *whole = url != NULL && *url != '\0' ? player_resolve(run->url, url)
						  : memory_text(run->url);
	char *verb = memory_text(method); /* the document that holds it goes away */

	free(run->url);
	run->url = whole;
	if (whole == NULL || strncmp(whole, "http", 4) != 0)
		give_up(run, 11100);
	else
		fetch(run, verb, extra);
	free(verb);
}

void run_action(
	struct twiml_run *run, const struct twiml_node *verb, const struct buf *extra)
{
	const char *action = twiml_text(verb, "action");

	run->verb = NULL;
	if (action == NULL)
		run_next(run);
	else
		run_go_to(run, action, twiml_method(verb, "method"), extra);
}

/* Something was wrong with the document: once, the fallback may know better. */
void run_fail(struct twiml_run *run, int error)
{
	struct call *call = run->call;
	struct buf extra = {0};

	if (run->fallback_used || call->fallback_url == NULL || run->callee) {
		give_up(run, error);
		return;
	}
	run_warn(run, error, "asking the fallback");
	run->fallback_used = true;
	form_add_int(&extra, "ErrorCode", error);
	form_add(&extra, "ErrorUrl", run->url != NULL ? run->url : "");
	run_go_to(run, call->fallback_url, call->fallback_method, &extra);
	buf_free(&extra);
}

static void take(struct twiml_run *run, const char *text, size_t len)
{
	int error = twiml_parse(text, len, &run->twiml);
	size_t i;

	if (error != 0) {
		run_fail(run, error);
		return;
	}
	for (i = 0; i < run->twiml->warning_count; i++) {
		const char *warning = run->twiml->warnings[i];

		run_warn(run, atoi(warning), strchr(warning, ' ') + 1);
	}
	run->next = run->twiml->root->children;
	run_next(run);
}

static void on_played_out(void *run)
{
	call_hang_up(((struct twiml_run *)run)->call);
}

/* Sound instead of a document is played, then the call ends. */
static void play_body(struct twiml_run *run, const struct webhook *hook)
{
	struct call *call = run->call;

	if (call_pick_up(call) < 0) {
		call_refuse(call, 488);
		return;
	}
	call->player = player_new(call->sandbox, false, on_played_out, run);
	if (strcmp(hook->type, "text/plain") == 0)
		player_add_tone(call->player, "tone:350",
			(unsigned)(hook->reply.len *
				   (size_t)call->sandbox->facts.say_ms_per_char));
	else
		player_add_media(call->player, hook->reply.data, hook->reply.len);
	call_settle_sound(call);
	player_start(call->player);
}

static void on_answer(struct sandbox *sandbox, const char *call_sid, uint64_t ticket,
	const struct webhook *hook)
{
	static const char *const types[] = {"text/xml", "application/xml", "text/html"};
	struct call *call = calls_find(sandbox->calls, call_sid);
	struct twiml_run *run = call != NULL ? call->run : NULL;
	const char *body = hook->reply.data != NULL ? hook->reply.data : "";
	struct twiml *plain = NULL;
	size_t i;

	if (run == NULL || run->ticket != ticket)
		return; /* the call has gone on without it */
	run->ticket = 0;
	memory_swap(&call->cookies, hook->cookies);
	if (hook->error != 0) {
		run_fail(run, hook->error);
		return;
	}
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(hook->type, types[i]) == 0) {
			take(run, body, hook->reply.len);
			return;
		}
	if (strcmp(hook->type, "text/plain") == 0 &&
		twiml_parse(body, hook->reply.len, &plain) == 0) {
		twiml_free(&plain);
		take(run, body, hook->reply.len);
	} else if (strcmp(hook->type, "text/plain") == 0 ||
		   strncmp(hook->type, "audio/", 6) == 0) {
		play_body(run, hook);
	} else {
		run_fail(run, 12300);
	}
}

void twiml_run_url(struct call *call, const char *url, const char *method)
{
	struct twiml_run *run = run_new(call);

	run->url = memory_text(url);
	fetch(run, method, NULL);
}

void twiml_run_callee(struct call *call, const char *url, const char *method)
{
	struct twiml_run *run = run_new(call);

	run->callee = true;
	run->url = memory_text(url);
	fetch(run, method, NULL);
}

void twiml_run_text(struct call *call, const char *twiml)
{
	take(run_new(call), twiml, strlen(twiml));
}

void run_stop_playing(struct twiml_run *run)
{
	player_free(&run->call->player);
	call_settle_sound(run->call);
}

void run_play(struct twiml_run *run, const struct twiml_node *from, bool children,
	void (*done)(void *run))
{
	struct call *call = run->call;
	const struct twiml_node *node;

	player_free(&call->player);
	call->player = player_new(call->sandbox, false, done, run);
	if (!children)
		player_add(call->player, from, run->url);
	for (node = children ? from->children : NULL; node != NULL; node = node->next)
		player_add(call->player, node, run->url);
	call_settle_sound(call);
	player_start(call->player);
}

void run_callback(const struct twiml_run *run, const struct twiml_node *node,
	const char *name, struct callback *callback)
{
	const char *url = twiml_text(node, name);
	char method[64];

	(void)snprintf(method, sizeof(method), "%sMethod", name);
	if (url == NULL || *url == '\0')
		return;
	callback->url = player_resolve(run->url, url);
	callback->method = memory_text(twiml_method(node, method));
}

void run_recording_wish(const struct twiml_run *run, const struct twiml_node *node,
	struct recording_wish *wish)
{
	const char *events = twiml_text(node, "recordingStatusCallbackEvent");
	const char *trim = twiml_text(node, "trim");

	run_callback(run, node, "recordingStatusCallback", &wish->callback);
	if (events != NULL)
		wish->callback.events = recording_events_parse(events);
	if (trim != NULL)
		wish->trim = strcmp(trim, "trim-silence") == 0;
}

/* ---- verbs ---- */

static void on_played(void *arg)
{
	struct twiml_run *run = arg;

	run_stop_playing(run);
	run_next(run);
}

static void pause_for(struct twiml_run *run, unsigned seconds)
{
	const struct sandbox *sandbox = run->call->sandbox;

	run->pause.fire = on_pause_over;
	loop_timer(sandbox->loop, &run->pause,
		sandbox_scaled(sandbox, (int64_t)seconds * 1000));
}

static void reject(struct twiml_run *run, const struct twiml_node *verb)
{
	const char *reason = twiml_text(verb, "reason");

	if (run->call->direction == CALL_INBOUND)
		call_refuse(run->call,
			reason != NULL && strcmp(reason, "busy") == 0 ? 486 : 404);
	else
		call_hang_up(run->call);
}

/* One verb; true when the document waits or has ended, and the run may be gone. */
static bool act(struct twiml_run *run, const struct twiml_node *verb)
{
	struct call *call = run->call;

	switch (twiml_kind(verb)) {
	case TWIML_SAY:
		if (*verb->text == '\0')
			run_warn(run, 13520, "Say: there is nothing to say");
		if (strlen(verb->text) > 4096)
			run_warn(run, 13521, "Say: more than 4096 characters");
		run_play(run, verb, false, on_played);
		return true;
	case TWIML_PLAY:
		run_play(run, verb, false, on_played);
		return true;
	case TWIML_PAUSE:
		pause_for(run, twiml_number(verb, "length", 1));
		return true;
	case TWIML_DIAL:
		return dial_begin(run, verb);
	case TWIML_GATHER:
		gather_begin(run, verb);
		return true;
	case TWIML_RECORD:
		record_begin(run, verb);
		return true;
	case TWIML_HANGUP:
		call_hang_up(call);
		return true;
	case TWIML_REDIRECT:
		if (verb->text[0] == '\0') /* nowhere is it said what that would mean */
			run_fail(run, 11100);
		else
			run_go_to(run, verb->text, twiml_method(verb, "method"), NULL);
		return true;
	case TWIML_REJECT:
		reject(run, verb);
		return true;
	case TWIML_ENQUEUE:
		queue_begin(run, verb);
		return true;
	case TWIML_LEAVE: /* only in the document of a waitUrl */
		return false;
	case TWIML_START:
		start_begin(run, verb);
		return false;
	case TWIML_STOP:
		stop_begin(run, verb);
		return false;
	default:
		return false; /* the schema lets nothing else stand here */
	}
}

void run_next(struct twiml_run *run)
{
	run->verb = NULL;
	while (run->next != NULL) {
		const struct twiml_node *verb = run->next;

		run->next = verb->next;
		/* With answerOnBridge the call rings on until somebody is there. */
		if (verb->element->answers &&
			!(twiml_kind(verb) == TWIML_DIAL &&
				twiml_flag(verb, "answerOnBridge", false)) &&
			call_pick_up(run->call) < 0) {
			call_refuse(run->call, 488);
			return;
		}
		if (act(run, verb))
			return;
	}
	if (run->callee)
		dial_callee_ready(run->call);
	else if (call_pick_up(run->call) < 0)
		call_refuse(run->call, 488);
	else
		call_hang_up(run->call);
}

void twiml_run_conference_over(struct call *call)
{
	struct twiml_run *run = call->run;
	struct buf extra = {0};

	if (run->verb == NULL || twiml_kind(run->verb) != TWIML_DIAL)
		return; /* it has been sent elsewhere */
	form_add(&extra, "DialCallStatus", "answered");
	form_add(&extra, "DialBridged", "true");
	run_action(run, run->verb, &extra);
	buf_free(&extra);
}

void twiml_run_digit(struct call *call, char digit)
{
	struct twiml_run *run = call->run;

	if (run == NULL || run->verb == NULL)
		return;
	if (twiml_kind(run->verb) == TWIML_GATHER)
		gather_digit(run, digit);
	else if (twiml_kind(run->verb) == TWIML_RECORD)
		record_digit(run, digit);
	else if (run->dial != NULL && digit == '*' &&
		 twiml_flag(run->verb, "hangupOnStar", false))
		dial_hang_up(run->dial);
}

/* The action of an Enqueue whose caller has hung up. */
static void enqueue_call_over(struct twiml_run *run)
{
	const char *action = twiml_text(run->verb, "action");
	struct call *call = run->call;
	struct buf form = {0};
	char *url;

	if (action == NULL || call->queue_member == NULL)
		return;
	url = player_resolve(run->url, action);
	call_form(call, &form);
	queue_call_over(call->queue_member, &form);
	outbox_notify(call->sandbox->outbox,
		&(struct letter){.url = url,
			.method = twiml_method(run->verb, "method"),
			.form = &form,
			.call = call});
	buf_free(&form);
	free(url);
}

void twiml_run_call_over(struct call *call)
{
	struct twiml_run *run = call->run;

	if (run == NULL || run->verb == NULL)
		return;
	if (twiml_kind(run->verb) == TWIML_RECORD)
		record_call_over(run);
	else if (twiml_kind(run->verb) == TWIML_ENQUEUE)
		enqueue_call_over(run);
}
