/* agent_twiml.c: /twiml-agent. See agent_twiml.h. */
#include "gateway/agent_twiml.h"

#include <errno.h>
#include <stdlib.h>

#include "base/batch.h"
#include "base/list.h"
#include "base/log.h"
#include "db/legs.h"
#include "db/sessions.h"
#include "gateway/urls.h"
#include "gateway/webhook_request.h"
#include "twilio/twiml.h"

#define WAITING_MAX 4096

/* One leg that asks. The texts of the claim live in the request. */
struct leg_post {
	struct post post;
	struct http_request *request;
	struct db_leg_claim claim;
};

static void leg_free(struct leg_post *asking)
{
	http_request_free(&asking->request);
	free(asking);
}

static void leg_drop(struct post *post)
{
	leg_free(list_entry(post, struct leg_post, post));
}

static void answer(
	struct gateway *gw, const struct leg_post *asking, const struct db_agent_leg *leg)
{
	struct http_reply reply = {.status = 200, .content_type = "text/xml"};
	char callback[URL_SIZE];
	struct buf doc = {0};

	twiml_begin(&doc);
	if (leg->id != 0) {
		url_conference(gw, leg->agent_session_id, callback);
		twiml_conference(&doc, &(struct twiml_conference){
					       .name = leg->conference,
					       .participant_label = leg->label,
					       .status_callback = callback,
				       });
	} else {
		log_warn("webhook", 0, "twiml-agent: no leg of ours sid=%s",
			asking->claim.provider_sid);
		twiml_hangup(&doc);
	}
	twiml_end(&doc);
	reply.body = doc.data;
	reply.body_len = doc.len;
	http_reply(gw->http, asking->request->id, &reply);
	buf_free(&doc);
}

static void claim_batch(void *arg, void *ctx, struct post **posts, size_t count)
{
	struct db_leg_claim claims[BATCH_MAX] = {{.token = NULL}};
	struct db_agent_leg legs[BATCH_MAX];
	struct gateway *gw = arg;
	struct leg_post *asking;
	int all, err;

	for (size_t i = 0; i < count; i++)
		claims[i] = list_entry(posts[i], struct leg_post, post)->claim;
	all = db_agent_legs_claim(ctx, claims, count, legs);
	if (all < 0)
		log_warn(
			"webhook", 0, "%zu legs not looked up: %s", count, db_error(ctx));
	for (size_t i = 0; i < count; i++) {
		asking = list_entry(posts[i], struct leg_post, post);
		/* One that the database chokes on must not cost the others theirs. */
		err = all < 0 && count > 1
			      ? db_agent_legs_claim(ctx, &claims[i], 1, &legs[i])
			      : all;
		/*
		 * Not knowing is no answer: the prepared one makes Twilio ask again. A SID
		 * that another leg has is none of this leg's.
		 */
		if (err == 0 || err == -EEXIST)
			answer(gw, asking, &legs[i]);
		leg_free(asking);
	}
}

int agent_twiml_new(struct gateway *gw)
{
	return batch_new(
		&(struct batch_config){
			.jobs = gw->db,
			.limit = WAITING_MAX,
			.most = BATCH_MAX,
			.work = claim_batch,
			.arg = gw,
		},
		&gw->legs);
}

void agent_twiml_free(struct gateway *gw)
{
	batch_free(&gw->legs);
}

int twiml_agent(struct gateway *gw, struct http_request *request)
{
	const char *token = webhook_text(request, "SipHeader_" URL_LEG_HEADER);
	const char *sid = webhook_sid(request, "CallSid");
	struct leg_post *asking = calloc(1, sizeof(*asking));
	int err = -EAGAIN;

	if (asking == NULL)
		return err;
	asking->post.run = leg_drop; /* only ever taken */
	asking->post.drop = leg_drop;
	asking->request = request;
	/* What is missing matches no leg. */
	asking->claim.token = token == NULL ? "" : token;
	asking->claim.provider_sid = sid == NULL ? "" : sid;
	err = batch_put(gw->legs, &asking->post);
	if (err < 0)
		free(asking);
	return err;
}
