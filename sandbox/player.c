/* player.c: a list of items, a timer for each, and a port that says the present one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/list.h"
#include "base/log.h"
#include "sandbox/call.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/mixer.h"
#include "sandbox/outbox.h"
#include "sandbox/player.h"
#include "sandbox/sandbox.h"
#include "sandbox/sound.h"
#include "sandbox/twiml.h"
#include "sandbox/webhook.h"

#define FOR_EVER 1000   /* loop="0": Twilio plays it 1000 times */
#define LEAST_ROUND 100 /* ms of an endless list, however short its items are */

enum item_kind { ITEM_TONE, ITEM_PAUSE, ITEM_URL, ITEM_MEDIA };

struct item {
	struct list node;
	enum item_kind kind;
	char *text; /* of a tone its spec, of a URL itself */
	void *data;
	size_t len;
	unsigned ms, times;
};

struct player {
	struct list node; /* sandbox's */
	struct sandbox *sandbox;
	bool endless;
	void (*done)(void *arg);
	void *arg;
	struct list items;
	struct list *at;    /* the present item; &items: none */
	unsigned times;     /* left of it */
	struct timer timer; /* its end */
	uint64_t ticket;    /* of the media that are awaited */
	struct sound_source *source;
	struct mixer_port port;
};

static void port_read(struct mixer_port *port, int16_t frame[SOUND_FRAME])
{
	struct player *player = list_entry(port, struct player, port);

	if (player->source != NULL)
		sound_source_read(player->source, frame);
	else
		memset(frame, 0, SOUND_FRAME * sizeof(frame[0]));
}

char *player_resolve(const char *base, const char *relative)
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

static void item_start(struct player *player);

/* The next round or item; at the end done(), after which the player may be gone. */
static void on_item_over(struct timer *timer)
{
	struct player *player = list_entry(timer, struct player, timer);

	sound_source_free(&player->source);
	if (player->at != &player->items && --player->times == 0) {
		player->at = player->at->next;
		if (player->at != &player->items)
			player->times = list_entry(player->at, struct item, node)->times;
	}
	if (player->at == &player->items && player->endless) {
		player->at = player->items.next;
		if (player->at != &player->items)
			player->times = list_entry(player->at, struct item, node)->times;
	}
	if (player->at != &player->items)
		item_start(player);
	else if (player->done != NULL)
		player->done(player->arg);
}

static void sound_for(struct player *player, int64_t ms)
{
	ms = sandbox_scaled(player->sandbox, ms);
	if (player->endless && ms < LEAST_ROUND)
		ms = LEAST_ROUND;
	loop_timer(player->sandbox->loop, &player->timer, ms);
}

static void sound_tone(struct player *player, const char *spec, int64_t ms)
{
	if (sound_source_new(spec, &player->source) < 0)
		log_debug("player", 0, "%s cannot be played", spec);
	sound_for(player, ms);
}

static void sound_media(struct player *player, const void *data, size_t len)
{
	const struct facts *facts = &player->sandbox->facts;
	char spec[32];

	if (sound_source_parse(data, len, &player->source) == 0) {
		sound_for(player, sound_source_ms(player->source));
		return;
	}
	(void)snprintf(spec, sizeof(spec), "tone:%lld", (long long)facts->say_hz);
	sound_tone(player, spec, facts->play_ms);
}

static struct player *find_player(const struct sandbox *sandbox, uint64_t ticket)
{
	const struct list *node;

	for (node = sandbox->players.next; node != &sandbox->players; node = node->next) {
		struct player *p = list_entry(node, struct player, node);

		if (p->ticket == ticket)
			return p;
	}
	return NULL;
}

static void on_media(struct sandbox *sandbox, const char *call_sid, uint64_t ticket,
	const struct webhook *hook)
{
	struct player *player = find_player(sandbox, ticket);

	if (player == NULL)
		return; /* stopped meanwhile */
	player->ticket = 0;
	if (hook->error != 0)
		log_warn("player", 0, "%d call=%s url=%s", hook->error, call_sid,
			hook->url);
	else if (strncmp(hook->type, "audio/", 6) != 0)
		log_warn("player", 0, "13420 call=%s url=%s is %s", call_sid, hook->url,
			hook->type);
	else {
		sound_media(player, hook->reply.data, hook->reply.len);
		return;
	}
	sound_for(player, 0);
}

/* By GET and without Twilio's parameters. */
static void fetch(struct player *player, const char *url)
{
	struct buf none = {0};

	player->ticket = chance_next(&player->sandbox->chance) | 1;
	outbox_fetch(player->sandbox->outbox,
		&(struct letter){
			.url = url, .method = "GET", .form = &none, .media = true},
		on_media, player->ticket);
}

static void item_start(struct player *player)
{
	const struct item *item = list_entry(player->at, struct item, node);

	switch (item->kind) {
	case ITEM_TONE:
		sound_tone(player, item->text, item->ms);
		break;
	case ITEM_PAUSE:
		sound_for(player, item->ms);
		break;
	case ITEM_URL:
		fetch(player, item->text);
		break;
	case ITEM_MEDIA:
		sound_media(player, item->data, item->len);
		break;
	}
}

struct player *player_new(
	struct sandbox *sandbox, bool endless, void (*done)(void *arg), void *arg)
{
	struct player *player = memory_zero(sizeof(*player));

	player->sandbox = sandbox;
	player->endless = endless;
	player->done = done;
	player->arg = arg;
	player->timer.fire = on_item_over;
	player->port.read = port_read;
	list_init(&player->items);
	player->at = &player->items;
	list_add_tail(&sandbox->players, &player->node);
	return player;
}

void player_free(struct player **player)
{
	struct player *p = *player;
	struct list *node, *tmp;

	if (p == NULL)
		return;
	timer_stop(&p->timer);
	mixer_leave(&p->port);
	sound_source_free(&p->source);
	list_for_each(&p->items, node, tmp)
	{
		struct item *item = list_entry(node, struct item, node);

		free(item->text);
		free(item->data);
		free(item);
	}
	list_remove(&p->node);
	free(p);
	*player = NULL;
}

static struct item *add(struct player *player, enum item_kind kind, const char *text)
{
	struct item *item = memory_zero(sizeof(*item));

	item->kind = kind;
	item->text = memory_text(text);
	item->times = 1;
	list_add_tail(&player->items, &item->node);
	return item;
}

void player_add_tone(struct player *player, const char *spec, unsigned ms)
{
	add(player, ITEM_TONE, spec)->ms = ms;
}

static void add_pause(struct player *player, unsigned ms)
{
	add(player, ITEM_PAUSE, NULL)->ms = ms;
}

void player_add_media(struct player *player, const void *data, size_t len)
{
	struct item *item = add(player, ITEM_MEDIA, NULL);

	item->data = memory_zero(len + 1);
	memcpy(item->data, data, len);
	item->len = len;
}

static void add_speech(struct player *player, const struct twiml_node *node)
{
	const struct facts *facts = &player->sandbox->facts;
	unsigned times = twiml_number(node, "loop", 1);
	struct item *item;
	char spec[32];

	(void)snprintf(spec, sizeof(spec), "tone:%lld", (long long)facts->say_hz);
	item = add(player, ITEM_TONE, facts->say_hz > 0 ? spec : "silence");
	item->ms = (unsigned)(strlen(node->text) * (size_t)facts->say_ms_per_char);
	item->times = times == 0 ? FOR_EVER : times;
}

/* Digits are tones that last, but nobody decodes them. */
static void add_play(
	struct player *player, const struct twiml_node *node, const char *base)
{
	const char *digits = twiml_text(node, "digits");
	unsigned times = twiml_number(node, "loop", 1);
	char *url;

	if (digits != NULL) {
		add_pause(player, (unsigned)strlen(digits) * 500);
		return;
	}
	url = player_resolve(base, node->text);
	add(player, ITEM_URL, url)->times = times == 0 ? FOR_EVER : times;
	free(url);
}

void player_add(struct player *player, const struct twiml_node *node, const char *base)
{
	if (twiml_kind(node) == TWIML_SAY)
		add_speech(player, node);
	else if (twiml_kind(node) == TWIML_PLAY)
		add_play(player, node, base);
	else if (twiml_kind(node) == TWIML_PAUSE)
		add_pause(player, twiml_number(node, "length", 1) * 1000);
}

void player_start(struct player *player)
{
	player->at = player->items.next;
	if (player->at == &player->items)
		sound_for(player, 0); /* done() comes from the loop also for nothing */
	else {
		player->times = list_entry(player->at, struct item, node)->times;
		item_start(player);
	}
}

void player_place(struct player *player, const char *room, const struct mixer_port *only)
{
	player->port.only = only;
	if (room == NULL)
		mixer_leave(&player->port);
	else
		(void)mixer_join(player->sandbox->mixer, room, &player->port);
}
