/* uas.c: takes INVITEs with digest, keeps the legs, and watches that sound still comes. */
#include "config.h"

#include "sandbox/uas.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/libre.h"
#include "sandbox/ticker.h"
#include "sandbox/uas_digest.h"
#include "sandbox/uas_invite.h"
#include "sandbox/uas_leg.h"

#define HASH_SIZE 256

struct uas {
	struct uas_config config;
	struct uas_digest digest;
	struct sip *sip;
	struct sip_lsnr *listener;
	struct sipsess_sock *sock;
	struct list legs;
	struct list forgotten; /* until their far ends hang up */
	struct ticker ticker;
	struct sa local;
	char addr[64];
};

static struct uas_leg *find_lost(struct uas *uas)
{
	struct list *node, *tmp;

	if (uas->config.rtp_lost_ms == 0)
		return NULL;
	list_for_each(&uas->legs, node, tmp)
	{
		struct uas_leg *leg = list_entry(node, struct uas_leg, node);

		if (media_quiet_ms(leg->media) > (int64_t)uas->config.rtp_lost_ms)
			return leg;
	}
	return NULL;
}

static struct uas_leg *find_pressed(struct uas *uas, char *ret_key)
{
	struct list *node, *tmp;

	list_for_each(&uas->legs, node, tmp)
	{
		struct uas_leg *leg = list_entry(node, struct uas_leg, node);

		*ret_key = media_take_key(leg->media);
		if (*ret_key != 0)
			return leg;
	}
	return NULL;
}

static void uas_tick(void *arg)
{
	struct uas *uas = arg;
	struct list *node, *tmp;
	struct uas_leg *leg;
	char key;

	list_for_each(&uas->legs, node, tmp)
		media_tick(list_entry(node, struct uas_leg, node)->media);
	while ((leg = find_pressed(uas, &key)) != NULL)
		if (uas->config.key != NULL)
			uas->config.key(uas->config.arg, leg, key);
	/* Looked for anew each time, because an owner may end other legs when told of one. */
	while ((leg = find_lost(uas)) != NULL)
		uas_leg_end(leg, "rtp-timeout");
	if (list_empty(&uas->legs))
		ticker_stop(&uas->ticker);
}

/* Asks the owner about a leg that rings. */
static void leg_offer_to_owner(
	struct uas *uas, struct uas_leg *leg, const struct sip_msg *msg)
{
	struct pl user = uas_digest_user(&uas->digest, msg);
	struct uas_invite_text *text = NULL;
	int status = 500;

	if (uas_invite_read(msg, &user, &text) == 0)
		status = uas->config.invite(uas->config.arg, leg, &text->invite);
	if (status != 0)
		uas_leg_refuse(leg, status);
	free(text);
}

static void invite_received(const struct sip_msg *msg, void *arg)
{
	struct uas *uas = arg;
	struct uas_leg *leg = NULL;
	uint16_t status = 500;
	bool stale;

	switch (uas_digest_check(&uas->digest, msg, &stale)) {
	case 0:
		break;
	case 407:
		uas_digest_challenge(&uas->digest, uas->sip, msg, stale);
		return;
	default:
		(void)sip_treply(NULL, uas->sip, msg, 403, "Forbidden");
		return;
	}
	(void)sip_reply(uas->sip, msg, 100, "Trying");
	if (uas_leg_new(&uas->config, uas->sock, msg, &leg, &status) < 0) {
		(void)sip_treply(NULL, uas->sip, msg, status,
			status == 488 ? "Not Acceptable Here" : "Server Internal Error");
		return;
	}
	list_add_tail(&uas->legs, &leg->node);
	ticker_start(&uas->ticker, uas_tick, uas);
	leg_offer_to_owner(uas, leg, msg);
}

static bool dialog_is_known(struct uas *uas, const struct sip_msg *msg)
{
	struct list *node, *tmp;

	list_for_each(&uas->legs, node, tmp)
	{
		struct uas_leg *leg = list_entry(node, struct uas_leg, node);

		if (sip_dialog_cmp(sipsess_dialog(leg->session), msg))
			return true;
	}
	return false;
}

/* OPTIONS; libre's sessions take the rest (RFC 3261 sections 11.2 and 12.2.2). */
static bool request_received(const struct sip_msg *msg, void *arg)
{
	struct uas *uas = arg;

	if (pl_strcmp(&msg->met, "OPTIONS") != 0)
		return false;
	if (pl_isset(&msg->to.tag) && !dialog_is_known(uas, msg)) {
		(void)sip_reply(uas->sip, msg, 481, "Call Does Not Exist");
		return true;
	}
	(void)sip_replyf(uas->sip, msg, 200, "OK",
		"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\n"
		"Accept: application/sdp\r\n"
		"Content-Length: 0\r\n\r\n");
	return true;
}

static int uas_open(struct uas *uas)
{
	struct sa local;
	int err;

	err = sa_decode(&local, uas->config.listen, strlen(uas->config.listen));
	if (err != 0 || sa_is_any(&local))
		return -EINVAL;
	err = sip_alloc(
		&uas->sip, NULL, HASH_SIZE, HASH_SIZE, HASH_SIZE, "Twilio", NULL, NULL);
	if (err == 0)
		err = sip_transp_add(uas->sip, SIP_TRANSP_UDP, &local);
	if (err == 0)
		err = sip_transp_laddr(uas->sip, &local, SIP_TRANSP_UDP, &local);
	if (err == 0)
		err = sip_listen(&uas->listener, uas->sip, true, request_received, uas);
	if (err == 0)
		err = sipsess_listen(
			&uas->sock, uas->sip, HASH_SIZE, invite_received, uas);
	if (err == 0)
		(void)re_snprintf(uas->addr, sizeof(uas->addr), "%J", &local);
	uas->local = local;
	return -err;
}

int uas_new(const struct uas_config *config, struct uas **ret_uas)
{
	struct uas *uas = calloc(1, sizeof(*uas));
	int err;

	if (uas == NULL)
		return -ENOMEM;
	uas->config = *config;
	uas->digest = (struct uas_digest){.realm = config->realm,
		.user = config->user,
		.password = config->password,
		.password_of = config->password_of,
		.arg = config->arg};
	uas_digest_init(&uas->digest);
	list_init(&uas->legs);
	list_init(&uas->forgotten);
	err = uas_open(uas);
	if (err < 0)
		goto out;
	*ret_uas = uas;
	uas = NULL;
out:
	uas_free(&uas);
	return err;
}

int uas_call(struct uas *uas, const struct uas_call *call, struct uas_leg **ret_leg)
{
	int err = uas_leg_call(&uas->config, uas->sock, &uas->local, call, ret_leg);

	if (err < 0)
		return err;
	list_add_tail(&uas->legs, &(*ret_leg)->node);
	ticker_start(&uas->ticker, uas_tick, uas);
	return 0;
}

void uas_leg_forget(struct uas *uas, struct uas_leg *leg)
{
	list_remove(&leg->node);
	list_add_tail(&uas->forgotten, &leg->node);
	media_free(&leg->media);
}

static void free_legs(struct list *legs)
{
	while (!list_empty(legs)) {
		struct uas_leg *leg = list_entry(legs->next, struct uas_leg, node);

		uas_leg_free(&leg);
	}
}

void uas_free(struct uas **uas)
{
	if (*uas == NULL)
		return;
	free_legs(&(*uas)->legs);
	free_legs(&(*uas)->forgotten);
	ticker_stop(&(*uas)->ticker);
	sipsess_close_all((*uas)->sock);
	mem_deref((*uas)->sock);
	mem_deref((*uas)->listener);
	sip_close((*uas)->sip, true);
	mem_deref((*uas)->sip);
	free(*uas);
	*uas = NULL;
}

const char *uas_addr(const struct uas *uas)
{
	return uas->addr;
}
