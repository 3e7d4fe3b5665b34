/* customer_twiml.c: TwiML of customers' legs. See customer_twiml.h. */
#include "gateway/customer_twiml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "db/calls.h"
#include "db/dnc.h"
#include "db/reserve.h"
#include "db/sessions.h"
#include "dialer/number.h"
#include "gateway/again.h"
#include "gateway/agent.h"
#include "gateway/call.h"
#include "gateway/twiml_reply.h"
#include "gateway/urls.h"
#include "gateway/webhook_request.h"
#include "twilio/twiml.h"

#define HOLD_MS 1200 /* for an agent coming free */
#define TRY_MS 150
#define KEY_WAIT_S 5

#define SAY_NOBODY                                                                          \
	"Thank you for answering. All of our agents are busy at the moment. We are sorry. " \
	"Goodbye."
#define SAY_UNKNOWN "We are sorry. This call cannot be connected. Goodbye."
#define SAY_RETURN_CALL                                                               \
	"Thank you for calling. All of our agents are busy at the moment. If you do " \
	"not want to be called by us again, press 9."
#define SAY_HIDDEN                                                                      \
	"Thank you for calling. All of our agents are busy at the moment. Your number " \
	"is hidden from us. If you do not want to be called by us again, call again "   \
	"with your number shown. Goodbye."
#define SAY_NOT_AGAIN "You will not be called by us again. Goodbye."
#define SAY_GOODBYE "Goodbye."

static void request_done(void *arg)
{
	struct http_request *request = arg;

	http_request_free(&request);
}

static int64_t query_id(const struct http_request *request, const char *name)
{
	const char *text = form_get(&request->query, name);
	int64_t id = 0;

	if (text == NULL || text_int(text, 1, INT64_MAX, &id) < 0)
		return 0;
	return id;
}

/* ---- calls whose agent is known ---- */

static void outbound_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	const struct http_request *request = task->request;
	const char *sid = webhook_sid(request, "CallSid");
	struct db_reserved call;
	int err = -ENOENT;

	if (sid != NULL)
		err = db_call_of_leg(ctx, sid, query_id(request, "call"),
			query_id(request, "queueId"), &call);
	if (err == 0)
		twiml_send_conference(task->gw, request->id, call.session_id,
			call.conference, call.label);
	else if (err == -ENOENT)
		twiml_send_goodbye(task->gw, request->id, SAY_UNKNOWN);
	else /* not knowing is no answer: the prepared one makes Twilio ask again */
		log_warn("webhook", 0, "twiml-outbound: %s", db_error(ctx));
	webhook_job_free(task);
}

int twiml_outbound(struct gateway *gw, struct http_request *request)
{
	return webhook_job_put(gw, request, outbound_work);
}

/* ---- an agent for somebody who is on the line ---- */

/* Into the agent's conference; the loop learns that the agent is taken. */
static void send_to_agent(struct gateway *gw, struct db *db, uint64_t request_id,
	const struct db_reserved *call)
{
	struct db_agent_session session;

	if (db_agent_session_get(db, call->session_id, &session) == 0)
		agent_changed(gw, &session);
	twiml_send_conference(
		gw, request_id, call->session_id, call->conference, call->label);
}

enum found { FOUND_AGENT, FOUND_NOBODY, FOUND_WAIT };

/* `last`: whoever is not served now is not served. A failed look is a look in vain. */
static enum found find_agent(struct gateway *gw, struct db *db, int64_t call_id,
	const struct http_request *request, bool last)
{
	const char *sid = webhook_sid(request, "CallSid");
	struct db_reserved call;
	int err = db_call_reserve(db, call_id, sid, gw->install, &call);

	if (err == 0 && call.session_id != 0) {
		send_to_agent(gw, db, request->id, &call);
		return FOUND_AGENT;
	}
	if (err == -ENOENT)
		return FOUND_NOBODY;
	if (!last)
		return FOUND_WAIT;
	if (err == 0) /* the call is over for us, and counted as what it is */
		err = call_tell(gw, db, call_id, "abandoned", "No agent was free.");
	if (err < 0)
		log_warn(
			"webhook", call_id, "no agent, and not stored: %s", db_error(db));
	return FOUND_NOBODY;
}

static bool try_customer(struct gateway *gw, struct db *db, void *arg, bool last)
{
	const struct http_request *request = arg;
	int64_t call_id = query_id(request, "call");
	enum found found = FOUND_NOBODY;

	if (call_id != 0 && webhook_sid(request, "CallSid") != NULL)
		found = find_agent(gw, db, call_id, request, last);
	if (found == FOUND_NOBODY)
		twiml_send_goodbye(gw, request->id, SAY_NOBODY);
	return found != FOUND_WAIT;
}

static int hold(struct gateway *gw, struct http_request *request,
	bool (*attempt)(struct gateway *, struct db *, void *, bool))
{
	return again_start(gw, &(struct again_wish){.every_ms = TRY_MS,
				       .for_ms = HOLD_MS,
				       .attempt = attempt,
				       .done = request_done,
				       .arg = request});
}

int twiml_customer(struct gateway *gw, struct http_request *request)
{
	return hold(gw, request, try_customer);
}

/* ---- return calls ---- */

/* What Twilio gives for hidden numbers, E.164 by its form: words on the keys of a telephone. */
static const char *const placeholders[] = {
	"+2562533",     /* BLOCKED */
	"+266696687",   /* ANONYMOUS */
	"+7378742833",  /* RESTRICTED */
	"+8656696",     /* UNKNOWN */
	"+86282452253", /* UNAVAILABLE */
};

/* Who calls; NULL: the number is hidden. */
static const char *caller(const struct http_request *request)
{
	const char *from = webhook_text(request, "From");

	if (from == NULL || !number_valid(from))
		return NULL;
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
		if (strcmp(from, placeholders[i]) == 0)
			return NULL;
	return from;
}

static void say_return_call(const struct gateway *gw, struct buf *doc)
{
	char action[URL_SIZE];

	url_inbound_key(gw, action);
	twiml_gather_key(doc, action, KEY_WAIT_S, SAY_RETURN_CALL);
	twiml_say(doc, SAY_GOODBYE);
}

/* Only of a number that we know can be promised that it is not called. */
static void offer_to_stop(struct gateway *gw, const struct http_request *request)
{
	struct buf doc = {0};

	if (caller(request) == NULL) {
		twiml_send_goodbye(gw, request->id, SAY_HIDDEN);
		return;
	}
	twiml_begin(&doc);
	say_return_call(gw, &doc);
	twiml_hangup(&doc);
	twiml_send(gw, request->id, &doc);
}

void customer_goodbye(const struct gateway *gw, bool inbound, struct buf *ret_doc)
{
	twiml_begin(ret_doc);
	if (inbound)
		say_return_call(gw, ret_doc);
	else
		twiml_say(ret_doc, SAY_NOBODY);
	twiml_hangup(ret_doc);
	twiml_end(ret_doc);
}

static bool try_inbound(struct gateway *gw, struct db *db, void *arg, bool last)
{
	const struct http_request *request = arg;
	const char *sid = webhook_sid(request, "CallSid");
	const char *from = caller(request);
	const char *to = webhook_text(request, "To");
	enum found found = FOUND_NOBODY;
	int64_t call_id = 0;
	int err = -ENOENT;

	/* Who hides the number was called by nobody. */
	if (sid != NULL && from != NULL && to != NULL)
		err = db_call_inbound(db, sid, from, to, gw->node, gw->install, &call_id);
	if (err == 0)
		found = find_agent(gw, db, call_id, request, last);
	else if (err != -ENOENT && !last)
		found = FOUND_WAIT;
	if (found == FOUND_NOBODY)
		offer_to_stop(gw, request);
	return found != FOUND_WAIT;
}

/* 9: never again. Heard twice, it is the same. */
static void key_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	const struct http_request *request = task->request;
	const char *digits = webhook_text(request, "Digits");
	const char *from = caller(request);
	struct db_dnc dnc = {.reason = "Asked for it on the phone.", .source = "caller"};
	int err = 0;

	if (from == NULL || digits == NULL || digits[0] == '\0') {
		offer_to_stop(task->gw, request);
	} else if (strcmp(digits, "9") == 0) {
		(void)text_copy(dnc.number, sizeof(dnc.number), from);
		err = db_dnc_add(ctx, &dnc, NULL, NULL);
		if (err == 0 || err == -EEXIST)
			twiml_send_goodbye(task->gw, request->id, SAY_NOT_AGAIN);
		else /* it must not be lost: the prepared answer makes Twilio ask again */
			log_warn("webhook", 0, "inbound opt-out: %s", db_error(ctx));
	} else {
		twiml_send_goodbye(task->gw, request->id, SAY_GOODBYE);
	}
	webhook_job_free(task);
}

int webhook_inbound(struct gateway *gw, struct http_request *request)
{
	if (form_get(&request->query, "key") != NULL)
		return webhook_job_put(gw, request, key_work);
	return hold(gw, request, try_inbound);
}
