/*
 * outcome.c: what the end of an exchange means: repeat, or answer; and how many requests may be
 * under way at once. See room.h.
 */
#include <stdio.h>
#include <sys/random.h>

#include "base/text.h"
#include "twilio/reply.h"
#include "twilio/room.h"

#define TRIES_MAX 4
/* Full jitter below base * 2^n, as Twilio's own libraries do. */
#define BACKOFF_BASE_MS 100U
#define BACKOFF_MAX_MS 3000U
#define RETRY_AFTER_MAX_MS 5000
#define EASE_MS 500 /* the 429s of one burst count as one */

static void set_message(struct request *r, const char *text)
{
	text_cut(r->answer->message, sizeof(r->answer->message), text);
}

/* False when the tries are used up. */
static bool try_again(struct request *r)
{
	unsigned most = BACKOFF_BASE_MS << (r->tries < 6 ? r->tries : 6);
	int64_t asked_ms = exchange_retry_after_s(&r->exchange) * 1000;
	unsigned dice = 0;

	if (r->tries >= TRIES_MAX || r->client->stopping)
		return false;
	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	if (asked_ms > RETRY_AFTER_MAX_MS)
		asked_ms = RETRY_AFTER_MAX_MS;
	/* Bad dice only mean less jitter. */
	(void)!getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	list_add_tail(&r->client->delayed, &r->node);
	timer_start(r->client->timers, &r->retry, asked_ms + dice % (most + 1));
	return true;
}

/* Halved by a 429; one more after as many answers as are allowed at once. */
static void adapt(struct twilio_client *client, int status)
{
	int64_t now = timers_now(client->timers);

	if (status != 429) {
		if (client->active_most < TWILIO_ACTIVE_MAX &&
			++client->well >= client->active_most) {
			client->active_most++;
			client->well = 0;
		}
		return;
	}
	client->well = 0;
	if (client->active_most > 1 && now >= client->eased_ms) {
		client->active_most /= 2;
		client->eased_ms = now + EASE_MS;
	}
}

/*
 * An answer came. A create is over with any of them but 429, which Twilio promises not to
 * have processed (error 20429). 408 is a 4xx that does not say so.
 */
static void settle_answered(struct request *r)
{
	struct twilio_answer *answer = r->answer;
	const struct buf *reply = &r->exchange.reply;
	int status = answer->http_status;
	char text[32];

	adapt(r->client, status);
	if (status >= 200 && status < 300) {
		if (twilio_reply_read(reply->data, reply->len, answer) == 0) {
			request_answer(r, TWILIO_OK);
			return;
		}
		set_message(r, "Twilio's answer cannot be read");
	} else {
		(void)snprintf(text, sizeof(text), "HTTP status %d", status);
		set_message(r, text);
		twilio_reply_read_error(reply->data, reply->len, answer);
	}
	if (status == 429) {
		if (!try_again(r))
			request_answer(r, r->maybe ? TWILIO_LOST : TWILIO_NOT_SENT);
		return;
	}
	if (status >= 400 && status < 500 && status != 408) {
		request_answer(r, TWILIO_REFUSED);
		return;
	}
	r->maybe = true;
	if (request_creates(r) || !try_again(r))
		request_answer(r, TWILIO_LOST);
}

/* No answer came. */
static void settle_broken(struct request *r, CURLcode code)
{
	set_message(r, exchange_error(&r->exchange, code));
	if (exchange_sent(&r->exchange))
		r->maybe = true;
	if (request_creates(r) || !try_again(r))
		request_answer(r, r->maybe ? TWILIO_LOST : TWILIO_NOT_SENT);
}

void request_settle(struct request *r, CURLcode code)
{
	struct twilio_client *client = r->client;

	(void)curl_multi_remove_handle(client->multi, r->exchange.easy);
	list_remove(&r->node);
	client->active_count--;
	r->answer->message[0] = '\0';
	r->answer->code = 0;
	r->answer->http_status = exchange_status(&r->exchange);
	if (code == CURLE_OK)
		settle_answered(r);
	else
		settle_broken(r, code);
}
