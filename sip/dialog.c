/* dialog.c: the life of a dialog that we start: INVITE, answer, BYE. */
#include "sip/dialog.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "sip/dialog_room.h"

#include "base/text.h"
#include "sip/digest.h"

#define CANCEL_PATIENCE_MS 32000 /* 64 * T1, RFC 3261 9.1 */
#define BYE_PATIENCE_MS 4000     /* sofia goes on repeating it after that */
#define ANSWER_SIZE 1536         /* of a challenge */

static int on_invite_response(
	struct sip_dialog *d, nta_outgoing_t *invite, const sip_t *sip);

/* --- birth and end --- */

static void bury(struct sip_dialog *d)
{
	timer_stop(&d->timer);
	list_remove(&d->node);
	nta_outgoing_destroy(d->invite);
	nta_outgoing_destroy(d->bye);
	nta_outgoing_destroy(d->ask);
	nta_incoming_destroy(d->reinvite);
	nta_leg_destroy(d->leg);
	if (d->auth_password != NULL)
		OPENSSL_cleanse(d->auth_password, strlen(d->auth_password));
	free(d->headers);
	free(d->auth_user);
	free(d->auth_password);
	free(d);
}

void dialog_free_all(struct sip_edge *edge)
{
	struct list *node, *tmp;

	list_for_each(&edge->dialogs, node, tmp)
		bury(list_entry(node, struct sip_dialog, node));
}

void dialog_end(struct sip_dialog *d, enum sip_end end, int status, const char *reason)
{
	if (d->phase == DIALOG_ENDED)
		return;
	d->phase = DIALOG_ENDED;
	d->end = end;
	d->end_status = status;
	(void)snprintf(d->end_reason, sizeof(d->end_reason), "%s", reason);
	sip_loop_start_timer(d->edge->config.loop, &d->timer, 0);
}

static void tell_and_bury(struct sip_dialog *d)
{
	struct sip_dialog_events events = d->events;

	memset(&d->events, 0, sizeof(d->events)); /* freeing inside `ended` is harmless */
	if (events.ended != NULL)
		events.ended(events.arg, d->end, d->end_status, d->end_reason);
	bury(d);
}

static void send_cancel(struct sip_dialog *d)
{
	if (d->heard)
		(void)nta_outgoing_tcancel(d->invite, NULL, NULL, TAG_END());
}

static void start_canceling(struct sip_dialog *d, enum sip_end end, int status)
{
	d->phase = DIALOG_CANCELING;
	d->end = end;
	d->end_status = status;
	sip_loop_start_timer(d->edge->config.loop, &d->timer, CANCEL_PATIENCE_MS);
	send_cancel(d);
}

static void on_timer(struct timer *timer)
{
	struct sip_dialog *d = list_entry(timer, struct sip_dialog, timer);

	assert(d->phase != DIALOG_UP);
	switch (d->phase) {
	case DIALOG_CALLING:
		start_canceling(d, SIP_END_TIMEOUT, 408);
		break;
	case DIALOG_CANCELING:
	case DIALOG_CLOSING:
		dialog_end(d, d->end, d->end_status, "no answer");
		break;
	case DIALOG_ENDED:
		tell_and_bury(d);
		break;
	case DIALOG_UP:
		break;
	}
}

int dialog_new(struct sip_edge *edge, const char *next_hop,
	const struct sip_dialog_events *events, struct sip_dialog **ret_dialog)
{
	struct sip_dialog *d;
	struct addr hop;
	int rc = addr_parse(next_hop, &hop);

	if (rc < 0)
		return rc;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->edge = edge;
	d->events = *events;
	d->timer.fire = on_timer;
	(void)addr_text(&hop, d->next_hop);
	(void)snprintf(d->route, sizeof(d->route), "sip:%s;transport=udp", d->next_hop);
	list_add_tail(&edge->dialogs, &d->node);
	*ret_dialog = d;
	return 0;
}

int dialog_make_leg(struct sip_dialog *d, const char *call_id, const char *local,
	const char *remote, uint32_t local_seq, uint32_t remote_seq)
{
	char cseq[32];

	(void)snprintf(cseq, sizeof(cseq), "%u INVITE", (unsigned)local_seq);
	d->leg = nta_leg_tcreate(d->edge->agent, dialog_on_request, d,
		SIPTAG_CALL_ID_STR(call_id), SIPTAG_FROM_STR(local),
		SIPTAG_TO_STR(remote), SIPTAG_CSEQ_STR(cseq),
		NTATAG_REMOTE_CSEQ(remote_seq), TAG_END());
	return d->leg != NULL ? 0 : -EINVAL;
}

void sip_dialog_free(struct sip_dialog **dialog)
{
	struct sip_dialog *d = *dialog;

	*dialog = NULL;
	if (d == NULL)
		return;
	memset(&d->events, 0, sizeof(d->events));
	dialog_end(d, SIP_END_LOST, 0, "");
}

/* --- INVITE --- */

/* `authorization` NULL: the first one. */
static int send_invite(struct sip_dialog *d, const char *authorization, bool by_proxy)
{
	d->invite = nta_outgoing_tcreate(d->leg, on_invite_response, d,
		URL_STRING_MAKE(d->route), SIP_METHOD_INVITE,
		URL_STRING_MAKE(d->request_uri), SIPTAG_CONTACT_STR(d->edge->contact),
		SIPTAG_USER_AGENT_STR(d->edge->user_agent), SIPTAG_ALLOW_STR(SIP_ALLOW),
		TAG_IF(authorization != NULL && !by_proxy,
			SIPTAG_AUTHORIZATION_STR(authorization)),
		TAG_IF(authorization != NULL && by_proxy,
			SIPTAG_PROXY_AUTHORIZATION_STR(authorization)),
		TAG_IF(d->headers != NULL, SIPTAG_HEADER_STR(d->headers)),
		SIPTAG_CONTENT_TYPE_STR("application/sdp"),
		SIPTAG_PAYLOAD_STR(d->local_sdp), TAG_END());
	return d->invite != NULL ? 0 : -EIO;
}

/* The first challenge that we can answer, as a header value. */
static int answer_challenge(
	const struct sip_dialog *d, const msg_auth_t *au, char answer[ANSWER_SIZE])
{
	struct digest challenge;

	for (; au != NULL; au = au->au_next) {
		if (strcasecmp(au->au_scheme, "Digest") != 0)
			continue;
		if (digest_parse((const char *const *)au->au_params, &challenge) < 0)
			continue;
		return digest_answer(&challenge, "INVITE", d->request_uri, d->auth_user,
			d->auth_password, answer, ANSWER_SIZE);
	}
	return -ENOENT;
}

/* True when the INVITE went out again; once, and only for the challenge to this INVITE. */
static bool retry_with_digest(struct sip_dialog *d, const sip_t *sip, int status)
{
	const msg_auth_t *challenges =
		status == 407 ? sip->sip_proxy_authenticate : sip->sip_www_authenticate;
	char answer[ANSWER_SIZE];

	if (d->auth_user == NULL || d->challenged || d->phase != DIALOG_CALLING)
		return false;
	if (answer_challenge(d, challenges, answer) < 0)
		return false;
	d->challenged = true;
	d->heard = false;
	nta_outgoing_destroy(d->invite);
	d->invite = NULL;
	return send_invite(d, answer, status == 407) == 0;
}

/* ACK to a 2xx. sofia repeats it for repeated answers, from the transaction that stays behind. */
static void send_ack(struct sip_dialog *d, const sip_t *sip)
{
	char cseq[32];

	(void)snprintf(cseq, sizeof(cseq), "%u ACK", (unsigned)sip->sip_cseq->cs_seq);
	nta_outgoing_destroy(
		nta_outgoing_tcreate(d->leg, NULL, NULL, URL_STRING_MAKE(d->route),
			SIP_METHOD_ACK, NULL, SIPTAG_CSEQ_STR(cseq), TAG_END()));
}

static int on_bye_response(struct sip_dialog *d, nta_outgoing_t *bye, const sip_t *sip)
{
	if (nta_outgoing_status(bye) < 200)
		return 0;
	nta_outgoing_destroy(d->bye);
	d->bye = NULL;
	(void)sip;
	dialog_end(d, d->end, d->end_status, "");
	return 0;
}

static void send_bye(struct sip_dialog *d)
{
	d->phase = DIALOG_CLOSING;
	sip_loop_start_timer(d->edge->config.loop, &d->timer, BYE_PATIENCE_MS);
	d->bye = nta_outgoing_tcreate(d->leg, on_bye_response, d,
		URL_STRING_MAKE(d->route), SIP_METHOD_BYE, NULL,
		SIPTAG_USER_AGENT_STR(d->edge->user_agent), TAG_END());
	if (d->bye == NULL)
		dialog_end(d, d->end, d->end_status, "BYE could not be sent");
}

int dialog_body(const sip_t *sip, char buf[SIP_SDP_SIZE], const char **ret_sdp)
{
	const sip_payload_t *body = sip->sip_payload;

	*ret_sdp = NULL;
	if (body == NULL || body->pl_len == 0)
		return 0;
	if (sip->sip_content_type == NULL || sip->sip_content_type->c_type == NULL ||
		strcasecmp(sip->sip_content_type->c_type, "application/sdp") != 0)
		return -ENOTSUP;
	if (body->pl_len >= SIP_SDP_SIZE ||
		memchr(body->pl_data, '\0', body->pl_len) != NULL)
		return -EMSGSIZE;
	memcpy(buf, body->pl_data, body->pl_len);
	buf[body->pl_len] = '\0';
	*ret_sdp = buf;
	return 0;
}

static void on_provisional(struct sip_dialog *d, const sip_t *sip, int status)
{
	char body[SIP_SDP_SIZE];
	const char *sdp;

	if (!d->heard) {
		d->heard = true;
		if (d->phase == DIALOG_CANCELING)
			send_cancel(d);
	}
	if (d->phase != DIALOG_CALLING || status < 180 || sip == NULL)
		return;
	if (dialog_body(sip, body, &sdp) < 0)
		sdp = NULL;
	if (sdp != NULL)
		(void)strcpy(d->remote_sdp, sdp); /* same size */
	if (d->events.ringing != NULL)
		d->events.ringing(d->events.arg, status, sdp);
}

static void on_answer(struct sip_dialog *d, const sip_t *sip)
{
	char body[SIP_SDP_SIZE];
	const char *sdp;

	(void)nta_leg_rtag(d->leg, sip->sip_to->a_tag);
	(void)nta_leg_client_reroute(d->leg, sip->sip_record_route, sip->sip_contact, 1);
	send_ack(d, sip);
	nta_outgoing_destroy(d->invite);
	d->invite = NULL;
	if (d->phase != DIALOG_CALLING) { /* the answer crossed our CANCEL */
		send_bye(d);
		return;
	}
	timer_stop(&d->timer);
	if (dialog_body(sip, body, &sdp) == 0 && sdp != NULL)
		(void)strcpy(d->remote_sdp, sdp); /* same size */
	if (d->remote_sdp[0] == '\0') {
		d->end = SIP_END_REFUSED;
		d->end_status = 488;
		send_bye(d);
		return;
	}
	d->phase = DIALOG_UP;
	d->events.answered(d->events.arg, d->remote_sdp);
}

static void on_refusal(struct sip_dialog *d, const sip_t *sip, int status)
{
	const char *reason = sip != NULL && sip->sip_status != NULL &&
					     sip->sip_status->st_phrase != NULL
				     ? sip->sip_status->st_phrase
				     : "";

	if (d->phase == DIALOG_CANCELING)
		dialog_end(d, d->end, d->end_status, reason);
	else if ((status == 401 || status == 407) && retry_with_digest(d, sip, status))
		return;
	else if (status == 408 ||
		 nta_sip_is_internal(sip)) /* sofia's own, as after ICMP */
		dialog_end(d, SIP_END_TIMEOUT, status, reason);
	else
		dialog_end(d, SIP_END_REFUSED, status, reason);
	nta_outgoing_destroy(d->invite);
	d->invite = NULL;
}

static int on_invite_response(
	struct sip_dialog *d, nta_outgoing_t *invite, const sip_t *sip)
{
	int status = nta_outgoing_status(invite);

	if (invite != d->invite || d->phase == DIALOG_ENDED)
		return 0;
	if (status < 200)
		on_provisional(d, sip, status);
	else if (status < 300)
		on_answer(d, sip);
	else
		on_refusal(d, sip, status);
	return 0;
}

/* --- what the gateway asks for --- */

/* Where to send: as told, else the numeric host of the URI. Names are resolved elsewhere. */
static int find_next_hop(const struct sip_invite *invite, char buf[ADDR_TEXT_SIZE])
{
	struct addr addr;
	su_home_t home[1] = {SU_HOME_INIT(home)};
	const url_t *url;
	int64_t port = 5060;
	int rc = -EINVAL;

	if (invite->next_hop != NULL && invite->next_hop[0] != '\0')
		return text_copy(buf, ADDR_TEXT_SIZE, invite->next_hop);
	url = url_hdup(home, URL_STRING_MAKE(invite->request_uri)->us_url);
	if (url != NULL && url->url_host != NULL &&
		(url->url_port == NULL || text_int(url->url_port, 1, 65535, &port) == 0))
		rc = addr_from_host(url->url_host, (uint16_t)port, &addr);
	if (rc == 0)
		(void)addr_text(&addr, buf);
	su_home_deinit(home);
	return rc;
}

static int copy_string(const char *text, char **ret_copy)
{
	if (text == NULL)
		return 0;
	*ret_copy = strdup(text);
	return *ret_copy != NULL ? 0 : -ENOMEM;
}

static int copy_invite(struct sip_dialog *d, const struct sip_invite *invite)
{
	int rc = text_copy(d->request_uri, sizeof(d->request_uri), invite->request_uri);

	if (rc == 0)
		rc = text_copy(d->local_sdp, sizeof(d->local_sdp), invite->sdp);
	if (rc == 0)
		rc = copy_string(invite->headers, &d->headers);
	if (rc == 0)
		rc = copy_string(invite->auth_user, &d->auth_user);
	if (rc == 0)
		rc = copy_string(invite->auth_password, &d->auth_password);
	return rc;
}

/* Tags are ours from the start: a leg that sofia tags also takes requests without a To tag. */
static int make_first_leg(struct sip_dialog *d, const struct sip_invite *invite)
{
	char from[2 * SIP_URI_SIZE], to[SIP_URI_SIZE + 2], tag[17], call_id[33];
	const char *display = invite->from_display != NULL ? invite->from_display : "";
	uint32_t seq = (uint32_t)(timers_now(d->edge->config.timers) & 0xffff) + 1;
	int len;

	if (strpbrk(display, "\"\\\r\n") != NULL)
		return -EINVAL;
	len = snprintf(from, sizeof(from), "%s%s%s<%s>;tag=%s", display[0] ? "\"" : "",
		display, display[0] ? "\" " : "", invite->from_uri, text_random(tag, 8));
	if (len < 0 || (size_t)len >= sizeof(from))
		return -ENAMETOOLONG;
	len = snprintf(to, sizeof(to), "<%s>",
		invite->to_uri != NULL ? invite->to_uri : invite->request_uri);
	if (len < 0 || (size_t)len >= sizeof(to))
		return -ENAMETOOLONG;
	return dialog_make_leg(d, text_random(call_id, 16), from, to, seq, 0);
}

int sip_dialog_invite(struct sip_edge *edge, const struct sip_invite *invite,
	const struct sip_dialog_events *events, struct sip_dialog **ret_dialog)
{
	char next_hop[ADDR_TEXT_SIZE];
	struct sip_dialog *d = NULL;
	int rc;

	assert(events->answered != NULL && events->ended != NULL);
	rc = find_next_hop(invite, next_hop);
	if (rc == 0)
		rc = dialog_new(edge, next_hop, events, &d);
	if (rc == 0)
		rc = copy_invite(d, invite);
	if (rc == 0)
		rc = make_first_leg(d, invite);
	if (rc == 0)
		rc = send_invite(d, NULL, false);
	if (rc < 0) {
		if (d != NULL)
			bury(d);
		return rc;
	}
	sip_loop_start_timer(edge->config.loop, &d->timer, invite->ring_ms);
	*ret_dialog = d;
	return 0;
}

void sip_dialog_hangup(struct sip_dialog *d)
{
	if (d->phase == DIALOG_CALLING) {
		start_canceling(d, SIP_END_CANCELED, 487);
	} else if (d->phase == DIALOG_UP) {
		d->end = SIP_END_BYE_LOCAL;
		d->end_status = 0;
		send_bye(d);
	}
}

/* Who does not know the dialog, or says nothing at all, has lost it (RFC 3261 12.2.1.2). */
static bool has_lost_it(struct sip_dialog *d, int status, bool heard)
{
	bool before = d->unreached;

	d->unreached = !heard;
	return status == 481 || status == 408 || (!heard && before);
}

static int on_ask_response(struct sip_dialog *d, nta_outgoing_t *ask, const sip_t *sip)
{
	int status = nta_outgoing_status(ask);
	bool heard = !nta_sip_is_internal(sip);

	if (status < 200)
		return 0;
	nta_outgoing_destroy(d->ask);
	d->ask = NULL;
	if (d->phase == DIALOG_UP && has_lost_it(d, status, heard))
		dialog_end(d, SIP_END_LOST, status,
			heard ? "the far end does not know the call any more"
			      : "the far end does not answer");
	return 0;
}

void sip_dialog_ask(struct sip_dialog *d)
{
	if (d->phase != DIALOG_UP || d->ask != NULL)
		return;
	/* OPTIONS is answered by phones that do not know the dialog; INFO is not (RFC 6086 4.2.2). */
	d->ask = nta_outgoing_tcreate(d->leg, on_ask_response, d,
		URL_STRING_MAKE(d->route), SIP_METHOD_INFO, NULL,
		SIPTAG_USER_AGENT_STR(d->edge->user_agent), TAG_END());
}
