/* user_admin.c: managing people: lists, changes, what ends with a user. See users.h. */
#include <errno.h>
#include <string.h>

#include "db/exec.h"
#include "db/user_rows.h"
#include "db/users.h"

int db_user_page(struct db *db, const struct db_user_filter *filter,
	struct db_user **ret_users, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_user), db_read_user};

	return db_run_rows(db,
		"SELECT " USER_COLUMNS " FROM users u WHERE u.id > $1"
		" AND ($2::text IS NULL OR u.role = $2)"
		" AND ($3::text IS NULL OR u.active = $3::boolean)"
		" AND ($4::text IS NULL"
		"  OR position(lower($4) IN lower(u.name || ' ' || u.username)) > 0)"
		" ORDER BY u.id LIMIT $5::int + 1",
		ARGS(arg_int(filter->after), arg_text(filter->role),
			filter->active < 0 ? arg_text(NULL)
					   : arg_bool(filter->active != 0),
			arg_text(filter->search), arg_int(filter->limit)),
		&reader, (void **)ret_users, ret_count);
}

/*
 * Locks every active admin, so that two who remove each other come one after the other, and
 * says whether one is left besides `id`.
 */
static int keep_an_admin(struct db *db, int64_t id)
{
	PGresult *result = NULL;
	bool kept = false, concerned = false;
	int rc;

	rc = db_run(db,
		"SELECT id FROM users WHERE role = 'admin' AND active ORDER BY id FOR UPDATE",
		NO_ARGS, &result);
	if (rc < 0)
		return rc;
	for (int i = 0; i < PQntuples(result); i++) {
		struct db_row row = db_row(result, i);

		if (row_int(&row) == id)
			concerned = true;
		else
			kept = true;
	}
	PQclear(result);
	return kept || !concerned ? 0 : -EPERM;
}

static int change_row(struct db *db, const struct db_user_change *change)
{
	return db_run_one(db,
		"UPDATE users SET name = COALESCE($2, name), role = COALESCE($3, role),"
		" password_hash = COALESCE($4, password_hash),"
		" active = COALESCE($5::boolean, active) WHERE id = $1",
		ARGS(arg_int(change->id), arg_text(change->name), arg_text(change->role),
			arg_text(change->password_hash),
			change->active < 0 ? arg_text(NULL)
					   : arg_bool(change->active != 0)),
		NULL);
}

/* What a person has open ends with the password, but for the session that changed it. */
static int end_sessions(struct db *db, const struct db_user_change *change)
{
	return db_run(db, "DELETE FROM sessions WHERE user_id = $1 AND id <> $2",
		ARGS(arg_int(change->id), arg_int(change->keep_session)), NULL);
}

static int end_keys(struct db *db, int64_t id)
{
	return db_run(db,
		"UPDATE api_keys SET revoked_at = now()"
		" WHERE user_id = $1 AND revoked_at IS NULL",
		ARGS(arg_int(id)), NULL);
}

static int end_registration(struct db *db, int64_t id)
{
	return db_run(db, "DELETE FROM registrations WHERE user_id = $1",
		ARGS(arg_int(id)), NULL);
}

/* Signs the agent out; with a call under way it only wants no further one. */
static int end_agent_session(struct db *db, int64_t id, int64_t *ret_session)
{
	int rc;

	rc = db_run_number(db,
		"UPDATE agent_sessions SET wants_ready = false, pause_reason = 'deactivated',"
		" state = CASE WHEN call_id IS NULL THEN 'offline' ELSE state END,"
		" state_since = CASE WHEN call_id IS NULL THEN now() ELSE state_since END,"
		" phone_up = phone_up AND call_id IS NOT NULL,"
		" twilio_up = twilio_up AND call_id IS NOT NULL,"
		" hold_until = CASE WHEN call_id IS NULL THEN NULL ELSE hold_until END,"
		" ended_at = CASE WHEN call_id IS NULL THEN now() END"
		" WHERE user_id = $1 AND ended_at IS NULL RETURNING id",
		ARGS(arg_int(id)), ret_session);
	return rc == -ENOENT ? 0 : rc;
}

/* Who is no agent any more has no phone and is on no campaign. */
static int end_agency(struct db *db, int64_t id)
{
	static const char *const sql[] = {
		"DELETE FROM sip_accounts a USING users u"
		" WHERE a.user_id = $1 AND u.id = $1 AND u.role <> 'agent'",
		"DELETE FROM registrations r USING users u"
		" WHERE r.user_id = $1 AND u.id = $1 AND u.role <> 'agent'",
		"DELETE FROM campaign_agents c USING users u"
		" WHERE c.user_id = $1 AND u.id = $1 AND u.role <> 'agent'",
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(sql) / sizeof(sql[0]); i++)
		rc = db_run(db, sql[i], ARGS(arg_int(id)), NULL);
	return rc;
}

/* An agent's open session has meaning only while it is an agent. */
static int role_may_change(struct db *db, const struct db_user_change *change)
{
	int rc;

	rc = db_run_one(db,
		"SELECT 1 FROM users u JOIN agent_sessions s ON s.user_id = u.id"
		" WHERE u.id = $1 AND u.role <> $2 AND s.ended_at IS NULL",
		ARGS(arg_int(change->id), arg_text(change->role)), NULL);
	if (rc == 0)
		return -EBUSY;
	return rc == -ENOENT ? 0 : rc;
}

static int change_all(
	struct db *db, const struct db_user_change *change, int64_t *ret_session)
{
	bool ends = change->active == 0;
	int rc = 0;

	if (ends || (change->role != NULL && strcmp(change->role, "admin") != 0))
		rc = keep_an_admin(db, change->id);
	if (rc == 0 && change->role != NULL)
		rc = role_may_change(db, change);
	if (rc == 0)
		rc = change_row(db, change);
	if (rc == 0 && change->role != NULL)
		rc = end_agency(db, change->id);
	if (rc == 0 && (ends || change->password_hash != NULL))
		rc = end_sessions(db, change);
	if (rc == 0 && (ends || change->end_keys))
		rc = end_keys(db, change->id);
	if (rc == 0 && ends)
		rc = end_registration(db, change->id);
	if (rc == 0 && ends)
		rc = end_agent_session(db, change->id, ret_session);
	return rc;
}

int db_user_update(
	struct db *db, const struct db_user_change *change, int64_t *ret_agent_session)
{
	int64_t session = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = change_all(db, change, &session);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc == 0)
		*ret_agent_session = session;
	return rc;
}

/* ---- grants ---- */

static void read_grant(struct db_row *row, void *item)
{
	struct db_grant *grant = item;

	grant->id = row_int(row);
	grant->staff = row_bool(row);
}

int db_grants_ended(struct db *db, const struct db_grant *grants, size_t count,
	struct db_grant **ret_ended, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_grant), read_grant};
	struct buf ids = {0}, staff = {0};
	int rc;

	for (size_t i = 0; i < count; i++) {
		array_int(&ids, grants[i].id);
		array_text(&staff, grants[i].staff ? "t" : "f");
	}
	rc = array_end(&ids);
	if (rc == 0)
		rc = array_end(&staff);
	/* A key has its own role or its user's, whichever is less. */
	if (rc == 0)
		rc = db_run_rows(db,
			"SELECT g.id, g.staff"
			" FROM unnest($1::bigint[], $2::boolean[]) AS g(id, staff)"
			" WHERE NOT EXISTS ("
			" SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id"
			"  WHERE s.id = g.id AND s.expires_at > now() AND u.active"
			"  AND g.staff = (u.role <> 'agent')"
			" UNION ALL SELECT 1 FROM api_keys k JOIN users u ON u.id = k.user_id"
			"  WHERE k.id = -g.id AND k.revoked_at IS NULL AND u.active"
			"  AND (k.expires_at IS NULL OR k.expires_at > now())"
			"  AND g.staff = (u.role <> 'agent' AND k.role <> 'agent'))",
			ARGS(arg_text(ids.data), arg_text(staff.data)), &reader,
			(void **)ret_ended, ret_count);
	buf_free(&ids);
	buf_free(&staff);
	return rc;
}

/* ---- what an agent may see ---- */

int db_agent_on_campaign(struct db *db, int64_t user_id, int64_t campaign_id)
{
	/* Who was taken off a campaign stays on it until the session there ends. */
	return db_run_one(db,
		"SELECT 1 FROM campaign_agents WHERE user_id = $1 AND campaign_id = $2"
		" UNION ALL SELECT 1 FROM agent_sessions"
		"  WHERE user_id = $1 AND campaign_id = $2 AND ended_at IS NULL LIMIT 1",
		ARGS(arg_int(user_id), arg_int(campaign_id)), NULL);
}

int db_agent_only_campaign(struct db *db, int64_t user_id, int64_t *ret_campaign_id)
{
	return db_run_number(db,
		"SELECT min(m.campaign_id) FROM campaign_agents m JOIN campaigns k"
		"  ON k.id = m.campaign_id AND k.archived_at IS NULL WHERE m.user_id = $1"
		" HAVING count(*) = 1",
		ARGS(arg_int(user_id)), ret_campaign_id);
}

int db_agent_has_call(struct db *db, int64_t user_id, int64_t call_id)
{
	return db_run_one(db, "SELECT 1 FROM calls WHERE id = $2 AND agent_id = $1",
		ARGS(arg_int(user_id), arg_int(call_id)), NULL);
}
