/* uas_leg.h: one SIP call inside the UAS; what uas.c needs beyond the public functions. */
#ifndef OMNIVOX_SANDBOX_UAS_LEG_H
#define OMNIVOX_SANDBOX_UAS_LEG_H

#include "base/list.h"
#include "sandbox/libre.h"
#include "sandbox/media.h"
#include "sandbox/uas.h"

struct uas_leg {
	struct list node; /* the UAS's */
	const struct uas_config *config;
	struct sipsess *session;
	struct media *media; /* NULL: uas_leg_forget() */
	bool answered;
	bool outgoing;
	int status; /* that refused an outgoing one */
	char *user, *password;
	void *arg;
};

/*
 * Takes the offer of an INVITE and rings. On failure *ret_status is the SIP status that the
 * caller has to send, and nothing is kept.
 */
int uas_leg_new(const struct uas_config *config, struct sipsess_sock *sock,
	const struct sip_msg *invite, struct uas_leg **ret_leg, uint16_t *ret_status);

/* Calls somebody. */
int uas_leg_call(const struct uas_config *config, struct sipsess_sock *sock,
	const struct sa *local, const struct uas_call *call, struct uas_leg **ret_leg);

/* BYE, CANCEL, or 480 when it still rings; `ended` is not called. NULL-safe, sets NULL. */
void uas_leg_free(struct uas_leg **leg);

/* As uas_leg_free, and tells the owner why. */
void uas_leg_end(struct uas_leg *leg, const char *why);

#endif
