/* uas_invite.h: an INVITE as plain strings, for an owner who knows nothing of libre. */
#ifndef OMNIVOX_SANDBOX_UAS_INVITE_H
#define OMNIVOX_SANDBOX_UAS_INVITE_H

#include "sandbox/libre.h"
#include "sandbox/uas.h"

#define UAS_INVITE_HEADERS 32 /* more are not passed on */

struct uas_invite_text {
	struct uas_invite invite; /* points into the rest */
	struct uas_header headers[UAS_INVITE_HEADERS];
	char text[];
};

/* `user`: whom the digest named. -ENOMEM. The caller frees it with free(). */
int uas_invite_read(const struct sip_msg *msg, const struct pl *user,
	struct uas_invite_text **ret_invite);

#endif
