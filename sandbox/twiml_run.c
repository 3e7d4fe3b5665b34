/* twiml_run.c: the interpreter's hands: fetching, waiting, joining, hanging up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/form.h"
#include "base/log.h"
#include "sandbox/call.h"
#include "sandbox/calls.h"
#include "sandbox/conference.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/outbox.h"
#include "sandbox/sandbox.h"
#include "sandbox/twiml.h"
#include "sandbox/twiml_run.h"
#include "sandbox/webhook.h"

#define FETCHES_MAX 1000 /* documents a call; ends a Redirect to itself */

struct twiml_run {
	struct call *call;
	struct twiml *twiml; /* NULL: not here yet */
	size_t next;         /* verb */
	char *url;           /* of this document: relative addresses start here */
	bool fallback_used;
	unsigned fetches;
	uint64_t ticket; /* of the fetch that is awaited */
	struct timer pause;
	const struct twiml_conference *dial; /* the conference it is in; NULL: none */
};

static void run_verbs(struct twiml_run *run);

void twiml_run_free(struct twiml_run **run)
{
	if (*run == NULL)
		return;
	timer_stop(&(*run)->pause);
	twiml_free(&(*run)->twiml);
	free((*run)->url);
	free(*run);
	*run = NULL;
}

static void on_pause_over(struct timer *timer)
{
	run_verbs(list_entry(timer, struct twiml_run, pause));
}

static struct twiml_run *run_new(struct call *call)
{
	struct twiml_run *run = memory_zero(sizeof(*run));

	twiml_run_free(&call->run);
	run->call = call;
	run->pause.fire = on_pause_over;
	call->run = run;
	return run;
}

/* The call cannot go on: Twilio says so to the caller and hangs up. */
static void give_up(struct twiml_run *run, int error)
{
	struct call *call = run->call;

	log_warn("twiml", 0, "%d call=%s url=%s", error, call->sid,
		run->url != NULL ? run->url : "inline");
	if (call->direction == CALL_INBOUND && call->status != CALL_IN_PROGRESS)
		call_refuse(call, 500);
	else
		call_hang_up(call);
}

static void on_answer(struct sandbox *sandbox, const char *call_sid, uint64_t ticket,
	const struct webhook *hook);

static void fetch(struct twiml_run *run, const char *method, const struct buf *extra)
{
	struct call *call = run->call;
	struct buf form = {0};

	twiml_free(&run->twiml);
	run->next = 0;
	run->dial = NULL;
	if (++run->fetches > FETCHES_MAX) {
		give_up(run, 11215);
		return;
	}
	run->ticket = chance_next(&call->sandbox->chance);
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

/* `relative` as seen from the present document. */
static char *resolve(const char *base, const char *relative)
{
	CURLU *parts = curl_url();
	char *whole = NULL, *text;

	if (parts == NULL)
		return memory_text(relative);
	if (base != NULL)
		(void)curl_url_set(parts, CURLUPART_URL, base, 0);
	if (curl_url_set(parts, CURLUPART_URL, relative, 0) == CURLUE_OK)
		(void)curl_url_get(parts, CURLUPART_URL, &whole, 0);
	text = memory_text(whole != NULL ? whole : relative);
	curl_free(whole);
	curl_url_cleanup(parts);
	return text;
}

static void go_to(struct twiml_run *run, const char *url, const char *method,
	const struct buf *extra)
{
	char *whole = *url != '\0' ? resolve(run->url, url) : memory_text(run->url);
	char *verb = memory_text(method); /* the document that holds it goes away */

	free(run->url);
	run->url = whole;
	if (whole == NULL)
		give_up(run, 11100);
	else
		fetch(run, verb, extra);
	free(verb);
}

/* Something was wrong with the document: once, the fallback may know better. */
static void fail(struct twiml_run *run, int error)
{
	struct call *call = run->call;
	struct buf extra = {0};

	if (run->fallback_used || call->fallback_url == NULL) {
		give_up(run, error);
		return;
	}
	log_warn("twiml", 0, "%d call=%s url=%s; asking the fallback", error, call->sid,
		run->url);
	run->fallback_used = true;
	form_add_int(&extra, "ErrorCode", error);
	form_add(&extra, "ErrorUrl", run->url != NULL ? run->url : "");
	go_to(run, call->fallback_url, call->fallback_method, &extra);
	buf_free(&extra);
}

static void take(struct twiml_run *run, const char *text, size_t len)
{
	int error = twiml_parse(text, len, &run->twiml);
	size_t i;

	if (error != 0) {
		fail(run, error);
		return;
	}
	for (i = 0; i < run->twiml->warning_count; i++)
		log_warn("twiml", 0, "%s call=%s", run->twiml->warnings[i],
			run->call->sid);
	run_verbs(run);
}

static bool is_twiml(const char *type)
{
	static const char *const types[] = {
		"text/xml", "application/xml", "text/html", "text/plain"};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static void on_answer(struct sandbox *sandbox, const char *call_sid, uint64_t ticket,
	const struct webhook *hook)
{
	struct call *call = calls_find(sandbox->calls, call_sid);
	struct twiml_run *run = call != NULL ? call->run : NULL;

	if (run == NULL || run->ticket != ticket)
		return; /* the call has gone on without it */
	run->ticket = 0;
	if (hook->error != 0)
		fail(run, hook->error);
	else if (!is_twiml(hook->type))
		fail(run, 12300);
	else
		take(run, hook->reply.data != NULL ? hook->reply.data : "",
			hook->reply.len);
}

void twiml_run_url(struct call *call, const char *url, const char *method)
{
	struct twiml_run *run = run_new(call);

	run->url = memory_text(url);
	fetch(run, method, NULL);
}

void twiml_run_text(struct call *call, const char *twiml)
{
	take(run_new(call), twiml, strlen(twiml));
}

/* Whether it is in; a label in use or a full room lets the document go on. */
static bool enter_conference(struct twiml_run *run, const struct twiml_conference *c)
{
	struct call *call = run->call;
	struct conference *conference =
		conferences_open(call->sandbox->conferences, c->name);
	struct participant *participant;

	if (c->label != NULL && conference_participant(conference, c->label) != NULL) {
		log_warn("twiml", 0, "16025 call=%s label=%s is in use", call->sid,
			c->label);
		return false;
	}
	if (conference->settled &&
		conference_size(conference) >= conference->max_participants) {
		log_warn("twiml", 0, "16020 call=%s the conference is full", call->sid);
		return false;
	}
	if (c->coach != NULL && conference_participant(conference, c->coach) == NULL) {
		log_warn("twiml", 0, "13240 call=%s coach=%s is not there", call->sid,
			c->coach);
		return false;
	}
	conference_add(conference, call,
		&(struct participant_settings){.label = c->label,
			.callback_url = c->status_callback,
			.callback_method = c->status_callback_method,
			.callback_events = c->events,
			.max_participants = c->max_participants,
			.muted = c->muted,
			.start_on_enter = c->start_on_enter,
			.end_on_exit = c->end_on_exit});
	participant = call->participant;
	run->dial = c;
	if (c->coach != NULL)
		participant_set_coaching(participant, true, c->coach);
	conference_join(participant);
	return true;
}

/* One verb; true when the document waits or has ended, and the run may be gone. */
static bool act(struct twiml_run *run, const struct twiml_verb *verb)
{
	struct call *call = run->call;

	if (verb->answers && call_pick_up(call) < 0) {
		call_refuse(call, 488);
		return true;
	}
	switch (verb->kind) {
	case TWIML_PAUSE:
		loop_timer(call->sandbox->loop, &run->pause,
			sandbox_scaled(call->sandbox, verb->pause_ms));
		return true;
	case TWIML_CONFERENCE:
		return enter_conference(run, &verb->conference);
	case TWIML_HANGUP:
		call_hang_up(call);
		return true;
	case TWIML_REDIRECT:
		go_to(run, verb->url, verb->method, NULL);
		return true;
	case TWIML_REJECT:
		if (call->direction == CALL_INBOUND)
			call_refuse(call, verb->busy ? 486 : 404);
		else
			call_hang_up(call);
		return true;
	}
	return false;
}

static void run_verbs(struct twiml_run *run)
{
	while (run->next < run->twiml->count)
		if (act(run, &run->twiml->verbs[run->next++]))
			return;
	if (call_pick_up(run->call) < 0)
		call_refuse(run->call, 488);
	else
		call_hang_up(run->call);
}

void twiml_run_conference_over(struct call *call)
{
	struct twiml_run *run = call->run;
	const struct twiml_conference *dial = run->dial;
	struct buf extra = {0};

	run->dial = NULL;
	if (dial == NULL)
		return; /* it has been sent elsewhere */
	if (dial->action == NULL) {
		run_verbs(run);
		return;
	}
	form_add(&extra, "DialCallStatus", "answered");
	form_add(&extra, "DialBridged", "true");
	go_to(run, dial->action, dial->action_method, &extra);
	buf_free(&extra);
}
