/* twilio_wait.c: see twilio_wait.h. */
#include "gateway/twilio_wait.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "gateway/twilio_health.h"
#include "gateway/twilio_open.h"

/* An answer on its way from the twilio thread. */
struct arrival {
	struct post post;
	struct twilio_wait *wait;
	struct twilio_answer *answer;
};

static void arrival_drop(struct post *post)
{
	struct arrival *arrival = list_entry(post, struct arrival, post);

	twilio_answer_free(&arrival->answer);
	free(arrival);
}

static void arrival_run(struct post *post)
{
	struct arrival *arrival = list_entry(post, struct arrival, post);

	arrival->wait->answer = arrival->answer;
	free(arrival);
}

/* twilio thread */
static void take_answer(void *arg, struct twilio_answer *answer)
{
	struct twilio_wait *wait = arg;
	struct arrival *arrival = calloc(1, sizeof(*arrival));

	if (arrival == NULL)
		abort(); /* a command without memory for one answer can only end */
	arrival->post.run = arrival_run;
	arrival->post.drop = arrival_drop;
	arrival->wait = wait;
	arrival->answer = answer;
	post_queue_answer(wait->answers, &arrival->post);
}

int twilio_wait_open(
	const struct config *config, struct twilio_wait *wait, struct err *err)
{
	int rc = post_queue_new(1, &wait->answers);

	if (rc == 0)
		rc = twilio_open(config, take_answer, wait, &wait->client);
	if (rc < 0)
		return err_set(err, rc, "No client for Twilio: %s.", strerror(-rc));
	return 0;
}

void twilio_wait_close(struct twilio_wait *wait)
{
	twilio_client_free(&wait->client);
	twilio_answer_free(&wait->answer);
	post_queue_free(&wait->answers);
}

int twilio_wait_for(
	struct twilio_wait *wait, int asked, const char *what, struct err *err)
{
	struct pollfd readable = {.fd = post_queue_fd(wait->answers), .events = POLLIN};
	char why[256];

	twilio_answer_free(&wait->answer);
	if (asked < 0)
		return err_set(err, asked, "%s cannot be asked for: %s.", what,
			strerror(-asked));
	/* The client answers every request in a bounded time. */
	while (wait->answer == NULL) {
		(void)poll(&readable, 1, -1);
		(void)post_queue_run(wait->answers, 1);
	}
	if (wait->answer->result == TWILIO_OK)
		return 0;
	twilio_health_explain(wait->answer, why, sizeof(why));
	return err_set(err, wait->answer->result == TWILIO_REFUSED ? -EACCES : -EAGAIN,
		"%s: %s", what, why);
}

int twilio_wait_next(struct twilio_wait *wait, const char *what, struct err *err)
{
	if (wait->answer->next_page == NULL)
		return -ENOENT;
	return twilio_wait_for(wait,
		twilio_next_page(
			wait->client, wait->answer->op, 0, wait->answer->next_page),
		what, err);
}
