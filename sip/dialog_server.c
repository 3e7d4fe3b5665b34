/*
 * dialog_server.c: what the far end asks within a dialog, answered at once with what we have.
 *
 * sofia-sip has made a transaction when we are called; a status that is returned is sent and
 * ends it, 0 means that we did. Source: RFC 3261 12.2.2, 14.2; RFC 3311; RFC 3264.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sip/dialog_room.h"

#include "sip/sdp.h"

static int refuse_method(const struct sip_dialog *d, nta_incoming_t *irq)
{
	(void)nta_incoming_treply(irq, SIP_405_METHOD_NOT_ALLOWED,
		SIPTAG_SERVER_STR(d->edge->user_agent), SIPTAG_ALLOW_STR(SIP_ALLOW),
		TAG_END());
	return 405;
}

/* We support no extension that may be required (RFC 3261 8.2.2.3). */
static int refuse_extension(
	const struct sip_dialog *d, nta_incoming_t *irq, const sip_t *sip)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};

	(void)nta_incoming_treply(irq, SIP_420_BAD_EXTENSION,
		SIPTAG_SERVER_STR(d->edge->user_agent),
		SIPTAG_UNSUPPORTED(sip_has_unsupported(home, NULL, sip->sip_require)),
		TAG_END());
	su_home_deinit(home);
	return 420;
}

static int on_bye(struct sip_dialog *d)
{
	if (d->phase == DIALOG_UP)
		dialog_end(d, SIP_END_BYE_REMOTE, 0, "");
	else if (d->phase == DIALOG_CLOSING)
		dialog_end(d, d->end, d->end_status, "");
	else
		return 481;
	return 200;
}

/* The answer to our late offer, or nothing; the transaction is over either way. */
static int on_ack(struct sip_dialog *d, nta_incoming_t *irq, const sip_t *sip)
{
	char body[SIP_SDP_SIZE];
	const char *sdp = NULL;
	bool late = d->late_offer;

	if (irq != d->reinvite)
		return 0;
	nta_incoming_destroy(d->reinvite);
	d->reinvite = NULL;
	d->late_offer = false;
	if (sip == NULL || !late || dialog_body(sip, body, &sdp) < 0 || sdp == NULL)
		return 0;
	(void)strcpy(d->remote_sdp, sdp); /* same size */
	if (d->phase == DIALOG_UP && d->events.changed != NULL)
		d->events.changed(d->events.arg, d->remote_sdp);
	return 0;
}

static void reply_with_sdp(struct sip_dialog *d, nta_incoming_t *irq, const char *sdp)
{
	(void)nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(d->edge->contact),
		SIPTAG_SERVER_STR(d->edge->user_agent), SIPTAG_ALLOW_STR(SIP_ALLOW),
		TAG_IF(sdp != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(sdp != NULL, SIPTAG_PAYLOAD_STR(sdp)), TAG_END());
}

/* Writes our side of the new session; 0 or the status to refuse with. */
static int make_session(struct sip_dialog *d, const char *offer, char ours[SIP_SDP_SIZE])
{
	int rc;

	if (offer != NULL)
		rc = sdp_answer(offer, d->local_sdp, ours, SIP_SDP_SIZE);
	else
		rc = sdp_reoffer(d->local_sdp, SDP_SENDRECV, ours, SIP_SDP_SIZE);
	if (rc == 0)
		return 0;
	return rc == -EINVAL ? 400 : rc == -ENOTSUP ? 488 : 500;
}

static int read_offer(const sip_t *sip, char body[SIP_SDP_SIZE], const char **ret_offer)
{
	int rc = dialog_body(sip, body, ret_offer);

	return rc == -ENOTSUP ? 415 : rc < 0 ? 413 : 0;
}

/* Takes on the new session and tells; the last thing done with d. */
static void adopt(struct sip_dialog *d, const char *ours, const char *theirs)
{
	(void)snprintf(d->local_sdp, sizeof(d->local_sdp), "%s", ours);
	if (theirs == NULL)
		return;
	(void)snprintf(d->remote_sdp, sizeof(d->remote_sdp), "%s", theirs);
	if (d->events.changed != NULL)
		d->events.changed(d->events.arg, d->remote_sdp);
}

static int on_reinvite(struct sip_dialog *d, nta_incoming_t *irq, const sip_t *sip)
{
	char body[SIP_SDP_SIZE], ours[SIP_SDP_SIZE];
	const char *offer;
	int status = read_offer(sip, body, &offer);

	if (status == 0)
		status = make_session(d, offer, ours);
	if (status != 0)
		return status;
	nta_incoming_destroy(d->reinvite); /* whose ACK was lost */
	d->reinvite = irq;
	d->late_offer = offer == NULL;
	nta_incoming_bind(irq, on_ack, d);
	(void)nta_leg_server_route(d->leg, NULL, sip->sip_contact);
	reply_with_sdp(d, irq, ours);
	adopt(d, ours, offer);
	return 0;
}

static int on_update(struct sip_dialog *d, nta_incoming_t *irq, const sip_t *sip)
{
	char body[SIP_SDP_SIZE], ours[SIP_SDP_SIZE];
	const char *offer;
	int status = read_offer(sip, body, &offer);

	if (status == 0 && offer != NULL)
		status = make_session(d, offer, ours);
	if (status != 0)
		return status;
	(void)nta_leg_server_route(d->leg, NULL, sip->sip_contact);
	reply_with_sdp(d, irq, offer != NULL ? ours : NULL);
	if (offer != NULL)
		adopt(d, ours, offer);
	return 200;
}

/* Offers wait until the dialog is up; 0: go on (RFC 3261 14.2, RFC 3311 5.2). */
static int check_phase(const struct sip_dialog *d)
{
	if (d->phase == DIALOG_UP)
		return 0;
	return d->phase == DIALOG_CALLING ? 491 : 481;
}

int dialog_on_request(
	struct sip_dialog *d, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	int status;

	(void)leg;
	if (sip->sip_request->rq_method == sip_method_ack)
		return 200; /* of no INVITE that we know; sofia answers no ACK, it frees it */
	if (sip->sip_require != NULL)
		return refuse_extension(d, irq, sip);
	switch (sip->sip_request->rq_method) {
	case sip_method_bye:
		return on_bye(d);
	case sip_method_invite:
		status = check_phase(d);
		return status != 0 ? status : on_reinvite(d, irq, sip);
	case sip_method_update:
		status = check_phase(d);
		return status != 0 ? status : on_update(d, irq, sip);
	case sip_method_info:
	case sip_method_options:
		return d->phase == DIALOG_ENDED ? 481 : 200;
	case sip_method_refer:
		return 603;
	case sip_method_subscribe:
	case sip_method_notify:
		return 489;
	default:
		return refuse_method(d, irq);
	}
}
