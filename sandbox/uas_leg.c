/* uas_leg.c: a libre session and its sound, from ringing to BYE. */
#include "config.h"

#include "sandbox/uas_leg.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT_TYPE "application/sdp"

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{403, "Forbidden"},
		{404, "Not Found"},
		{408, "Request Timeout"},
		{480, "Temporarily Unavailable"},
		{486, "Busy Here"},
		{488, "Not Acceptable Here"},
		{503, "Service Unavailable"},
		{603, "Decline"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Refused";
}

/* A re-INVITE: answers its offer, or makes one when it has none (RFC 3261 section 14.2). */
static int session_offered(struct mbuf **ret_sdp, const struct sip_msg *msg, void *arg)
{
	struct uas_leg *leg = arg;
	int err;

	if (leg->media == NULL)
		return EPROTO;
	if (mbuf_get_left(msg->mb) == 0)
		return -media_make_offer(leg->media, ret_sdp);
	err = media_take_offer(leg->media, msg->mb);
	if (err == 0)
		err = media_make_answer(leg->media, ret_sdp);
	return -err;
}

static int session_answered(const struct sip_msg *msg, void *arg)
{
	struct uas_leg *leg = arg;

	return leg->media != NULL ? -media_take_answer(leg->media, msg->mb) : EPROTO;
}

static void session_closed(int err, const struct sip_msg *msg, void *arg)
{
	struct uas_leg *leg = arg;

	if (leg->media == NULL) {
		uas_leg_free(&leg); /* nobody is left to be told */
	} else if (leg->outgoing && !leg->answered) {
		leg->status = msg != NULL ? msg->scode : 408;
		uas_leg_end(leg, "refused");
	} else if (err == ETIMEDOUT)
		uas_leg_end(leg, "no-ack");
	else
		uas_leg_end(leg, leg->answered ? "bye" : "cancel");
}

int uas_leg_new(const struct uas_config *config, struct sipsess_sock *sock,
	const struct sip_msg *invite, struct uas_leg **ret_leg, uint16_t *ret_status)
{
	struct uas_leg *leg = calloc(1, sizeof(*leg));
	uint16_t status = 500;
	int err;

	if (leg == NULL)
		return -ENOMEM;
	leg->config = config;
	err = media_new(&invite->dst, &leg->media);
	if (err < 0)
		goto out;
	err = media_take_offer(leg->media, invite->mb);
	if (err < 0) {
		status = 488;
		goto out;
	}
	err = -sipsess_accept(&leg->session, sock, invite, 180, "Ringing", "sandbox",
		CONTENT_TYPE, NULL, NULL, NULL, false, session_offered, session_answered,
		NULL, NULL, NULL, session_closed, leg, NULL);
	if (err < 0)
		goto out;
	*ret_leg = leg;
	leg = NULL;
out:
	if (err < 0)
		*ret_status = status;
	uas_leg_free(&leg);
	return err;
}

static int authenticate(char **username, char **password, const char *realm, void *arg)
{
	const struct uas_leg *leg = arg;

	(void)realm;
	if (leg->user == NULL || leg->password == NULL)
		return EACCES;
	if (str_dup(username, leg->user) != 0)
		return ENOMEM;
	return str_dup(password, leg->password);
}

/* 180 rings; 183 may bring early sound. */
static void session_progressed(const struct sip_msg *msg, void *arg)
{
	struct uas_leg *leg = arg;

	if (mbuf_get_left(msg->mb) > 0 && media_take_answer(leg->media, msg->mb) == 0)
		media_start(leg->media);
	if (msg->scode >= 180)
		leg->config->ringing(leg->config->arg, leg);
}

static void session_established(const struct sip_msg *msg, void *arg)
{
	struct uas_leg *leg = arg;

	(void)msg;
	leg->answered = true;
	media_start(leg->media);
	leg->config->answered(leg->config->arg, leg);
}

int uas_leg_call(const struct uas_config *config, struct sipsess_sock *sock,
	const struct sa *local, const struct uas_call *call, struct uas_leg **ret_leg)
{
	struct uas_leg *leg = calloc(1, sizeof(*leg));
	struct mbuf *offer = NULL;
	int err;

	if (leg == NULL)
		return -ENOMEM;
	leg->config = config;
	leg->outgoing = true;
	leg->arg = call->arg;
	leg->user = call->user != NULL ? strdup(call->user) : NULL;
	leg->password = call->password != NULL ? strdup(call->password) : NULL;
	err = media_new(local, &leg->media);
	if (err == 0)
		err = media_make_offer(leg->media, &offer);
	if (err == 0)
		err = -sipsess_connect(&leg->session, sock, call->to, NULL, call->from,
			"sandbox", NULL, 0, CONTENT_TYPE, offer, authenticate, leg, false,
			session_offered, session_answered, session_progressed,
			session_established, NULL, NULL, session_closed, leg, "%s",
			call->headers);
	mem_deref(offer);
	if (err < 0) {
		uas_leg_free(&leg);
		return err;
	}
	*ret_leg = leg;
	return 0;
}

int uas_leg_status(const struct uas_leg *leg)
{
	return leg->status;
}

void uas_leg_free(struct uas_leg **leg)
{
	if (*leg == NULL)
		return;
	list_remove(&(*leg)->node);
	if ((*leg)->session != NULL && !(*leg)->answered && !(*leg)->outgoing)
		(void)sipsess_reject((*leg)->session, 480, reason_of(480), NULL);
	mem_deref(
		(*leg)->session); /* sends BYE when one is due, and outlives us for it */
	media_free(&(*leg)->media);
	free((*leg)->user);
	free((*leg)->password);
	free(*leg);
	*leg = NULL;
}

void uas_leg_end(struct uas_leg *leg, const char *why)
{
	list_remove(&leg->node);
	mixer_leave(media_port(leg->media));
	leg->config->ended(leg->config->arg, leg, why);
	uas_leg_free(&leg);
}

int uas_leg_answer(struct uas_leg *leg)
{
	struct mbuf *sdp = NULL;
	int err;

	assert(!leg->answered);
	err = media_make_answer(leg->media, &sdp);
	if (err < 0)
		return err;
	err = -sipsess_answer(leg->session, 200, "OK", sdp, NULL);
	mem_deref(sdp);
	if (err < 0)
		return err;
	leg->answered = true;
	media_start(leg->media);
	return 0;
}

void uas_leg_refuse(struct uas_leg *leg, int status)
{
	assert(!leg->answered);
	(void)sipsess_reject(leg->session, (uint16_t)status, reason_of(status), NULL);
	uas_leg_free(&leg);
}

void uas_leg_hangup(struct uas_leg *leg)
{
	uas_leg_free(&leg);
}

void uas_leg_set_arg(struct uas_leg *leg, void *arg)
{
	leg->arg = arg;
}

void *uas_leg_arg(const struct uas_leg *leg)
{
	return leg->arg;
}

struct mixer_port *uas_leg_port(struct uas_leg *leg)
{
	return media_port(leg->media);
}
