/* outbox.c: parcels on their way out, and what the faults do to them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "sandbox/call.h"
#include "sandbox/calllog.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/outbox.h"
#include "sandbox/sandbox.h"
#include "sandbox/webhook.h"

#define PAIRS_MAX 256
#define HELD_BACK_MS 1000 /* a reordered webhook waits this long when delay_ms is 0 */

struct outbox {
	struct sandbox *sandbox;
	struct webhooks *webhooks;
	struct list parcels;
};

/* One request from being written to being logged. */
struct parcel {
	struct list node;
	struct outbox *outbox;
	struct webhook *hook;     /* ours until sent */
	struct timer timer;       /* delayed or held back */
	bool held_back;           /* waits to be overtaken */
	bool silent;              /* writes no line */
	outbox_answer_cb *answer; /* NULL: a notice */
	uint64_t ticket;
	char call_sid[SID_SIZE];
	char *url, *to, *from, *conference;
	const char *event; /* of calls.jsonl */
	const char *status, *fault;
};

static void parcel_free(struct parcel *parcel)
{
	list_remove(&parcel->node);
	timer_stop(&parcel->timer);
	webhook_free(&parcel->hook);
	free(parcel->url);
	free(parcel->to);
	free(parcel->from);
	free(parcel->conference);
	free(parcel);
}

/* The form in the URL's query, before the fragment. */
static char *url_with_query(const char *url, const struct buf *form)
{
	size_t len = strcspn(url, "#");
	struct buf text = {0};

	if (form->len == 0)
		return memory_text(url);
	buf_add(&text, url, len);
	buf_add_char(&text, memchr(url, '?', len) != NULL ? '&' : '?');
	buf_add_str(&text, form->data);
	buf_add_str(&text, url + len);
	return buf_take(&text);
}

static struct webhook *make_hook(const struct outbox *outbox, const struct letter *letter)
{
	struct webhook *hook = memory_zero(sizeof(*hook));
	const char *token = outbox->sandbox->settings.auth_token;
	const char *body = letter->form->len > 0 ? letter->form->data : "";
	struct form form = {0};

	if (strcmp(letter->method, "GET") == 0) {
		hook->url = url_with_query(letter->url, letter->form);
	} else {
		hook->url = memory_text(letter->url);
		hook->body = memory_text(body);
		if (form_parse(body, strlen(body), PAIRS_MAX, &form) < 0)
			log_error("outbox", 0, "a form of ours cannot be read back");
	}
	hook->media = letter->media || letter->large;
	if (letter->call != NULL)
		hook->cookies = memory_text(letter->call->cookies);
	if (hook->url == NULL ||
		signature_make(token, hook->url, hook->body != NULL ? &form : NULL,
			hook->signature) < 0)
		abort(); /* out of memory: memory.h's law */
	(void)text_random(hook->token, 16);
	form_free(&form);
	return hook;
}

static struct parcel *parcel_new(
	struct outbox *outbox, const char *event, const struct letter *letter)
{
	struct parcel *parcel = memory_zero(sizeof(*parcel));

	parcel->outbox = outbox;
	parcel->event = event;
	parcel->hook = make_hook(outbox, letter);
	parcel->hook->arg = parcel;
	parcel->url = memory_text(letter->url);
	parcel->silent = letter->media;
	parcel->conference = memory_text(letter->conference);
	if (letter->call != NULL) {
		(void)text_copy(parcel->call_sid, SID_SIZE, letter->call->sid);
		parcel->to = memory_text(letter->call->to);
		parcel->from = memory_text(letter->call->from);
		parcel->status = call_status_text(letter->call);
	}
	list_add_tail(&outbox->parcels, &parcel->node);
	return parcel;
}

static void log_parcel(const struct parcel *parcel, int http_status)
{
	if (parcel->silent)
		return;
	calllog_write(parcel->outbox->sandbox->log,
		&(struct calllog_line){.event = parcel->event,
			.call_sid = *parcel->call_sid != '\0' ? parcel->call_sid : NULL,
			.to = parcel->to,
			.from = parcel->from,
			.status = parcel->status,
			.url = parcel->url,
			.http_status = http_status,
			.conference = parcel->conference,
			.fault = parcel->fault});
}

static void send_now(struct parcel *parcel)
{
	struct webhook *hook = parcel->hook;

	parcel->hook = NULL;
	parcel->held_back = false;
	timer_stop(&parcel->timer);
	webhooks_send(parcel->outbox->webhooks, hook);
}

/* What waited to be overtaken by a webhook of this call may go now. */
static void release_held_back(struct outbox *outbox, const char *call_sid)
{
	struct list *node, *tmp;

	list_for_each(&outbox->parcels, node, tmp)
	{
		struct parcel *parcel = list_entry(node, struct parcel, node);

		if (parcel->held_back && strcmp(parcel->call_sid, call_sid) == 0)
			send_now(parcel);
	}
}

static void on_done(struct webhook *hook)
{
	struct parcel *parcel = hook->arg;
	struct outbox *outbox = parcel->outbox;

	log_parcel(parcel, hook->status);
	if (hook->error != 0 && parcel->answer == NULL)
		log_warn("webhook", 0, "15003 status=%d error=%d url=%s", hook->status,
			hook->error, parcel->url);
	if (parcel->answer != NULL)
		parcel->answer(outbox->sandbox, parcel->call_sid, parcel->ticket, hook);
	release_held_back(outbox, parcel->call_sid);
	parcel_free(parcel);
	webhook_free(&hook);
}

static void on_timer(struct timer *timer)
{
	send_now(list_entry(timer, struct parcel, timer));
}

static void send_later(struct parcel *parcel, enum fault_kind kind)
{
	struct sandbox *sandbox = parcel->outbox->sandbox;
	int64_t delay_ms = sandbox->faults.kinds[kind].delay_ms;

	parcel->fault = fault_text(kind);
	parcel->held_back = kind == FAULT_REORDER;
	if (parcel->held_back && delay_ms == 0)
		delay_ms = HELD_BACK_MS;
	loop_timer(sandbox->loop, &parcel->timer, delay_ms);
}

/* One that waits already is to be overtaken by this one. */
static bool may_hold_back(const struct parcel *parcel)
{
	const struct list *parcels = &parcel->outbox->parcels, *node;

	if (parcel->answer != NULL)
		return false; /* instructions: the call itself waits for them */
	for (node = parcels->next; node != parcels; node = node->next) {
		const struct parcel *other = list_entry(node, struct parcel, node);

		if (other->held_back && strcmp(other->call_sid, parcel->call_sid) == 0)
			return false;
	}
	return true;
}

static void put(struct parcel *parcel)
{
	struct faults *faults = &parcel->outbox->sandbox->faults;

	parcel->hook->done = on_done;
	parcel->timer.fire = on_timer;
	if (faults_fire(faults, FAULT_DELAY))
		send_later(parcel, FAULT_DELAY);
	else if (may_hold_back(parcel) && faults_fire(faults, FAULT_REORDER))
		send_later(parcel, FAULT_REORDER);
	else
		send_now(parcel);
}

/* A second copy with the same token, whose answer nobody reads. */
static void put_twin(const struct parcel *parcel, const struct letter *letter)
{
	struct parcel *twin = parcel_new(parcel->outbox, parcel->event, letter);

	(void)text_copy(
		twin->hook->token, sizeof(twin->hook->token), parcel->hook->token);
	twin->fault = fault_text(FAULT_DUP);
	put(twin);
}

void outbox_notify(struct outbox *outbox, const struct letter *letter)
{
	struct faults *faults = &outbox->sandbox->faults;
	struct parcel *parcel;

	if (letter->url == NULL || *letter->url == '\0')
		return;
	parcel = parcel_new(outbox, "webhook", letter);
	if (faults_fire(faults, FAULT_DROP)) {
		parcel->fault = fault_text(FAULT_DROP);
		log_parcel(parcel, 0);
		parcel_free(parcel);
		return;
	}
	if (faults_fire(faults, FAULT_DUP))
		put_twin(parcel, letter);
	put(parcel);
}

void outbox_fetch(struct outbox *outbox, const struct letter *letter,
	outbox_answer_cb *answer, uint64_t ticket)
{
	struct parcel *parcel = parcel_new(outbox, "twiml", letter);

	parcel->answer = answer;
	parcel->ticket = ticket;
	if (letter->media) {
		parcel->hook->done = on_done;
		send_now(parcel);
		return;
	}
	if (faults_fire(&outbox->sandbox->faults, FAULT_DUP))
		put_twin(parcel, letter);
	put(parcel);
}

int outbox_new(struct sandbox *sandbox, struct outbox **ret_outbox)
{
	struct outbox *outbox = memory_zero(sizeof(*outbox));
	int r;

	outbox->sandbox = sandbox;
	list_init(&outbox->parcels);
	r = webhooks_new(loop_posts(sandbox->loop), &outbox->webhooks);
	if (r < 0)
		outbox_free(&outbox);
	else
		*ret_outbox = outbox;
	return r;
}

void outbox_free(struct outbox **outbox)
{
	struct outbox *o = *outbox;
	struct list *node, *tmp;

	if (o == NULL)
		return;
	webhooks_free(&o->webhooks);
	list_for_each(&o->parcels, node, tmp)
	{
		parcel_free(list_entry(node, struct parcel, node));
	}
	free(o);
	*outbox = NULL;
}
