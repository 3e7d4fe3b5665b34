/* dialogs.h: SIP dialogs that must outlive the worker, and the RTP ports of their session. */
#ifndef OMNIVOX_DB_DIALOGS_H
#define OMNIVOX_DB_DIALOGS_H

#include <stddef.h>

#include "db/conn.h"

/* Plain text as in sip_dialog_state, with the same sizes. */
struct db_dialog {
	int64_t agent_session_id;
	char side[8];   /* phone, twilio */
	int64_t leg_id; /* of the twilio side, else 0 */
	char leg_label[64],
		leg_conference[64]; /* of that leg; told by db_dialog_list() only */
	char call_id[128];
	char local_uri[256], local_tag[80];
	char remote_uri[256], remote_tag[128];
	char remote_target[256];
	char routes[1024];
	char next_hop[64];
	uint32_t local_seq, remote_seq;
	char local_sdp[2048], remote_sdp[2048];
	char media_remote[64];
};

/* Inserts, or replaces the one of that session and side. */
int db_dialog_put(struct db *db, const struct db_dialog *dialog);
int db_dialog_media(struct db *db, int64_t agent_session_id, const char *side,
	const char *media_remote);
int db_dialog_delete(struct db *db, int64_t agent_session_id, const char *side);
/* All of sessions that this node owns and that have not ended. */
int db_dialog_list(struct db *db, const char *node, struct db_dialog **ret_dialogs,
	size_t *ret_count);

#endif
