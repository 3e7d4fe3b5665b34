/*
 * reserve.h: customers who are on the line before an agent is chosen: those who call us, and
 * lines dialled ahead. Whatever is asked again with the same SID is told the same again.
 */
#ifndef OMNIVOX_DB_RESERVE_H
#define OMNIVOX_DB_RESERVE_H

#include "db/conn.h"

struct db_reserved {
	int64_t call_id;
	int64_t session_id; /* 0: no agent is free */
	char conference[64], label[64];
	char number[DB_NUMBER_SIZE];
};

/*
 * Gives the call, whose customer's leg is `provider_sid`, the ready agent of its campaign who has
 * been idle longest. -ENOENT: the call is over, unknown, or another leg's.
 */
int db_call_reserve(struct db *db, int64_t call_id, const char *provider_sid,
	const char *install, struct db_reserved *ret_reserved);

/*
 * A number calls one of ours: a call of the last campaign that called it. -ENOENT: none ever did,
 * or a call with it is open.
 */
int db_call_inbound(struct db *db, const char *provider_sid, const char *from,
	const char *to, const char *node, const char *install, int64_t *ret_call_id);

/*
 * The conference of the open call that a customer's leg belongs to: by its SID, else by `call_id`,
 * else by its queue entry; 0 what is not known. The first SID keeps the call. -ENOENT.
 */
int db_call_of_leg(struct db *db, const char *provider_sid, int64_t call_id,
	int64_t entry_id, struct db_reserved *ret_reserved);

#endif
