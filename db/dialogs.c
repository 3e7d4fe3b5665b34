/* dialogs.c: SIP dialogs that must outlive the worker. See dialogs.h. */
#include "db/dialogs.h"

#include "db/exec.h"

int db_dialog_put(struct db *db, const struct db_dialog *d)
{
	return db_run(db,
		"INSERT INTO sip_dialogs (agent_session_id, side, leg_id, call_id, local_uri,"
		" local_tag, remote_uri, remote_tag, remote_target, routes, next_hop, local_seq,"
		" remote_seq, local_sdp, remote_sdp, media_remote)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
		" ON CONFLICT (agent_session_id, side) DO UPDATE SET leg_id = EXCLUDED.leg_id,"
		" call_id = EXCLUDED.call_id, local_uri = EXCLUDED.local_uri,"
		" local_tag = EXCLUDED.local_tag, remote_uri = EXCLUDED.remote_uri,"
		" remote_tag = EXCLUDED.remote_tag, remote_target = EXCLUDED.remote_target,"
		" routes = EXCLUDED.routes, next_hop = EXCLUDED.next_hop,"
		" local_seq = EXCLUDED.local_seq, remote_seq = EXCLUDED.remote_seq,"
		" local_sdp = EXCLUDED.local_sdp, remote_sdp = EXCLUDED.remote_sdp,"
		" media_remote = EXCLUDED.media_remote, created_at = now()",
		ARGS(arg_int(d->agent_session_id), arg_text(d->side), arg_id(d->leg_id),
			arg_text(d->call_id), arg_text(d->local_uri),
			arg_text(d->local_tag), arg_text(d->remote_uri),
			arg_text(d->remote_tag), arg_text(d->remote_target),
			arg_text(d->routes), arg_text(d->next_hop), arg_int(d->local_seq),
			arg_int(d->remote_seq), arg_text(d->local_sdp),
			arg_text(d->remote_sdp), arg_text(d->media_remote)),
		NULL);
}

int db_dialog_media(struct db *db, int64_t agent_session_id, const char *side,
	const char *media_remote)
{
	return db_run(db,
		"UPDATE sip_dialogs SET media_remote = $3 WHERE agent_session_id = $1 AND side = $2",
		ARGS(arg_int(agent_session_id), arg_text(side), arg_text(media_remote)),
		NULL);
}

int db_dialog_delete(struct db *db, int64_t agent_session_id, const char *side)
{
	return db_run(db,
		"DELETE FROM sip_dialogs WHERE agent_session_id = $1 AND side = $2",
		ARGS(arg_int(agent_session_id), arg_text(side)), NULL);
}

static void read_dialog(struct db_row *row, void *item)
{
	struct db_dialog *d = item;

	d->agent_session_id = row_int(row);
	row_text(row, d->side, sizeof(d->side));
	d->leg_id = row_int(row);
	row_text(row, d->call_id, sizeof(d->call_id));
	row_text(row, d->local_uri, sizeof(d->local_uri));
	row_text(row, d->local_tag, sizeof(d->local_tag));
	row_text(row, d->remote_uri, sizeof(d->remote_uri));
	row_text(row, d->remote_tag, sizeof(d->remote_tag));
	row_text(row, d->remote_target, sizeof(d->remote_target));
	row_text(row, d->routes, sizeof(d->routes));
	row_text(row, d->next_hop, sizeof(d->next_hop));
	d->local_seq = (uint32_t)row_int(row);
	d->remote_seq = (uint32_t)row_int(row);
	row_text(row, d->local_sdp, sizeof(d->local_sdp));
	row_text(row, d->remote_sdp, sizeof(d->remote_sdp));
	row_text(row, d->media_remote, sizeof(d->media_remote));
	row_text(row, d->leg_label, sizeof(d->leg_label));
	row_text(row, d->leg_conference, sizeof(d->leg_conference));
}

int db_dialog_list(struct db *db, const char *node, struct db_dialog **ret_dialogs,
	size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_dialog), read_dialog};

	return db_run_rows(db,
		"SELECT d.agent_session_id, d.side, d.leg_id, d.call_id, d.local_uri, d.local_tag,"
		" d.remote_uri, d.remote_tag, d.remote_target, d.routes, d.next_hop, d.local_seq,"
		" d.remote_seq, d.local_sdp, d.remote_sdp, d.media_remote, l.label, l.conference"
		" FROM sip_dialogs d JOIN agent_sessions s ON s.id = d.agent_session_id"
		" LEFT JOIN call_legs l ON l.id = d.leg_id"
		" WHERE s.node_id = $1 AND s.ended_at IS NULL ORDER BY d.id",
		ARGS(arg_text(node)), &reader, (void **)ret_dialogs, ret_count);
}
