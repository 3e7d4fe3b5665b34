/* announcer.c: fetches, checks, plays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/form.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "sandbox/announcer.h"
#include "sandbox/call.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/mixer.h"
#include "sandbox/outbox.h"
#include "sandbox/player.h"
#include "sandbox/sandbox.h"
#include "sandbox/twiml.h"
#include "sandbox/webhook.h"

#define REDIRECTS_MAX 10
#define MUSIC_MS 60000
#define AGAIN_MS 1000 /* between two rounds of an endless document, at least */

struct announcer {
	struct list node; /* sandbox's */
	struct sandbox *sandbox;
	char *url, *method;
	struct buf form;
	char call_sid[SID_SIZE];
	bool endless, may_leave;
	bool leaves; /* at the end of the present document */
	void (*done)(void *arg, int error);
	void *arg;
	uint64_t ticket;
	unsigned redirects;
	struct timer again;
	struct twiml *twiml;
	const struct twiml_node *redirect; /* where the document goes on; NULL: nowhere */
	struct player *player;
	char *room;
	const struct mixer_port *only;
};

static void fetch(struct announcer *announcer);

static void finish(struct announcer *announcer, int error)
{
	if (error > 0)
		log_warn("announcer", 0, "%d call=%s url=%s", error, announcer->call_sid,
			announcer->url);
	if (announcer->done != NULL)
		announcer->done(announcer->arg, error);
}

static void on_again(struct timer *timer)
{
	fetch(list_entry(timer, struct announcer, again));
}

static void on_played(void *arg)
{
	struct announcer *announcer = arg;
	char *url, *method;

	if (announcer->leaves) {
		finish(announcer, ANNOUNCER_LEAVE);
		return;
	}
	if (announcer->redirect != NULL && announcer->redirects++ < REDIRECTS_MAX) {
		url = player_resolve(announcer->url, announcer->redirect->text);
		method = memory_text(twiml_method(announcer->redirect, "method"));
		free(announcer->url);
		free(announcer->method);
		announcer->url = url;
		announcer->method = method;
		fetch(announcer);
	} else if (announcer->endless) {
		announcer->redirects = 0;
		loop_timer(announcer->sandbox->loop, &announcer->again,
			sandbox_scaled(announcer->sandbox, AGAIN_MS));
	} else {
		finish(announcer, 0);
	}
}

static void play(struct announcer *announcer)
{
	player_place(announcer->player, announcer->room, announcer->only);
	player_start(announcer->player);
}

/* Play, Say, Pause and Redirect; anything else is an error. */
static int take(struct announcer *announcer, const char *text, size_t len)
{
	int error = twiml_parse(text, len, &announcer->twiml);
	const struct twiml_node *verb;

	if (error != 0)
		return error;
	for (verb = announcer->twiml->root->children; verb != NULL; verb = verb->next) {
		if (twiml_kind(verb) == TWIML_LEAVE && announcer->may_leave) {
			announcer->leaves = true;
			break;
		}
		if (twiml_kind(verb) == TWIML_REDIRECT && verb->text[0] == '\0')
			return 11100;
		if (twiml_kind(verb) == TWIML_REDIRECT) {
			announcer->redirect = verb;
			break;
		}
		if (twiml_kind(verb) != TWIML_SAY && twiml_kind(verb) != TWIML_PLAY &&
			twiml_kind(verb) != TWIML_PAUSE)
			return 13238;
		player_add(announcer->player, verb, announcer->url);
	}
	return 0;
}

static struct announcer *find(const struct sandbox *sandbox, uint64_t ticket)
{
	const struct list *node;

	for (node = sandbox->announcers.next; node != &sandbox->announcers;
		node = node->next) {
		struct announcer *a = list_entry(node, struct announcer, node);

		if (a->ticket == ticket)
			return a;
	}
	return NULL;
}

static void on_answer(struct sandbox *sandbox, const char *call_sid, uint64_t ticket,
	const struct webhook *hook)
{
	struct announcer *announcer = find(sandbox, ticket);
	const char *data = hook->reply.data != NULL ? hook->reply.data : "";
	int error = hook->error;

	(void)call_sid;
	if (announcer == NULL)
		return; /* nobody waits any more */
	announcer->ticket = 0;
	player_free(&announcer->player);
	announcer->player = player_new(sandbox, false, on_played, announcer);
	if (error == 0 && strncmp(hook->type, "audio/", 6) == 0)
		player_add_media(announcer->player, data, hook->reply.len);
	else if (error == 0)
		error = take(announcer, data, hook->reply.len);
	if (error != 0)
		finish(announcer, error);
	else
		play(announcer);
}

static void fetch(struct announcer *announcer)
{
	struct sandbox *sandbox = announcer->sandbox;

	twiml_free(&announcer->twiml);
	announcer->redirect = NULL;
	announcer->ticket = chance_next(&sandbox->chance) | 1;
	outbox_fetch(sandbox->outbox,
		&(struct letter){.url = announcer->url,
			.method = announcer->method,
			.form = &announcer->form,
			.large = true},
		on_answer, announcer->ticket);
}

static void play_music(struct announcer *announcer)
{
	int64_t hertz = announcer->sandbox->facts.hold_music_hz;
	char spec[32];

	(void)snprintf(spec, sizeof(spec), "music:%lld", (long long)hertz);
	announcer->player = player_new(announcer->sandbox, true, NULL, NULL);
	player_add_tone(announcer->player, hertz > 0 ? spec : "silence", MUSIC_MS);
	play(announcer);
}

struct announcer *announcer_new(
	struct sandbox *sandbox, const struct announcer_config *config)
{
	struct announcer *announcer = memory_zero(sizeof(*announcer));

	announcer->sandbox = sandbox;
	announcer->url = memory_text(config->url);
	announcer->method = memory_text(config->method != NULL ? config->method : "POST");
	announcer->endless = config->endless;
	announcer->may_leave = config->may_leave;
	announcer->done = config->done;
	announcer->arg = config->arg;
	announcer->again.fire = on_again;
	list_add_tail(&sandbox->announcers, &announcer->node);
	if (config->call != NULL) {
		call_form(config->call, &announcer->form);
		(void)text_copy(announcer->call_sid, SID_SIZE, config->call->sid);
	}
	if (config->form != NULL && config->form->len > 0) {
		if (announcer->form.len > 0)
			buf_add_char(&announcer->form, '&');
		buf_add(&announcer->form, config->form->data, config->form->len);
	}
	if (announcer->url != NULL)
		fetch(announcer);
	else
		play_music(announcer);
	return announcer;
}

void announcer_free(struct announcer **announcer)
{
	struct announcer *a = *announcer;

	if (a == NULL)
		return;
	timer_stop(&a->again);
	player_free(&a->player);
	twiml_free(&a->twiml);
	list_remove(&a->node);
	buf_free(&a->form);
	free(a->url);
	free(a->method);
	free(a->room);
	free(a);
	*announcer = NULL;
}

void announcer_place(
	struct announcer *announcer, const char *room, const struct mixer_port *only)
{
	memory_swap(&announcer->room, room);
	announcer->only = only;
	if (announcer->player != NULL)
		player_place(announcer->player, room, only);
}
