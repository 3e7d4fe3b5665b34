/*
 * sip_statuses.h: what becomes of a call whose far end refuses it with a SIP status: GET and PUT
 * /sandbox/sip-statuses.
 *
 * Twilio publishes no such table; whoever learns what the true one does changes the default.
 * Pure; main loop.
 */
#ifndef OMNIVOX_SANDBOX_SIP_STATUSES_H
#define OMNIVOX_SANDBOX_SIP_STATUSES_H

#define SIP_STATUS_LOW 300
#define SIP_STATUS_HIGH 699

enum sip_meaning {
	SIP_MEANS_FAILED,
	SIP_MEANS_BUSY,
	SIP_MEANS_NO_ANSWER,
	SIP_MEANS_CANCELED,
};

struct sip_statuses {
	enum sip_meaning means[SIP_STATUS_HIGH - SIP_STATUS_LOW + 1];
};

void sip_statuses_init(struct sip_statuses *statuses);

/* Any other number failed. */
enum sip_meaning sip_statuses_get(const struct sip_statuses *statuses, int sip_status);

/* "486" means "busy", "no-answer", "canceled" or "failed"; -EINVAL: no such status or word. */
int sip_statuses_set(
	struct sip_statuses *statuses, const char *sip_status, const char *word);

/* CallStatus of the webhook. */
const char *sip_meaning_text(enum sip_meaning meaning);

#endif
