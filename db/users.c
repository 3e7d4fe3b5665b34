/* users.c: people, web sessions, SIP accounts and registrations. See users.h. */
#include "config.h"

#include "db/users.h"

#include <errno.h>
#include <string.h>

#include "db/exec.h"

/* ---- people ---- */

#define USER_COLUMNS "u.id, u.username, u.name, u.role, u.password_hash, u.active"

static void read_user(struct db_row *row, void *item)
{
	struct db_user *user = item;

	user->id = row_int(row);
	row_text(row, user->username, sizeof(user->username));
	row_text(row, user->name, sizeof(user->name));
	row_text(row, user->role, sizeof(user->role));
	row_text(row, user->password_hash, sizeof(user->password_hash));
	user->active = row_bool(row);
}

/* Reads the one row of a result, and clears it. */
static int one_user(int rc, PGresult *result, struct db_user *ret_user)
{
	if (rc == 0) {
		struct db_row row = db_row(result, 0);

		read_user(&row, ret_user);
	}
	PQclear(result);
	return rc;
}

static int read_id(int rc, PGresult *result, int64_t *ret_id)
{
	if (rc == 0 && ret_id != NULL) {
		struct db_row row = db_row(result, 0);

		*ret_id = row_int(&row);
	}
	PQclear(result);
	return rc;
}

int db_user_create(struct db *db, const struct db_user *user, int64_t *ret_id)
{
	PGresult *result = NULL;
	int rc;

	rc = db_run_one(db,
		"INSERT INTO users (username, name, role, password_hash, active)"
		" VALUES (lower($1), $2, $3, $4, $5) RETURNING id",
		ARGS(arg_text(user->username), arg_text(user->name), arg_text(user->role),
			arg_text(user->password_hash), arg_bool(user->active)),
		&result);
	return read_id(rc, result, ret_id);
}

int db_user_by_name(struct db *db, const char *username, struct db_user *ret_user)
{
	PGresult *result = NULL;
	int rc;

	rc = db_run_one(db,
		"SELECT " USER_COLUMNS " FROM users u WHERE u.username = lower($1)",
		ARGS(arg_text(username)), &result);
	return one_user(rc, result, ret_user);
}

int db_user_count(struct db *db, int64_t *ret_count)
{
	PGresult *result = NULL;
	int rc = db_run_one(db, "SELECT count(*) FROM users", NO_ARGS, &result);

	return read_id(rc, result, ret_count);
}

/* ---- web sessions ---- */

int db_session_create(struct db *db, const unsigned char token_sha256[32],
	int64_t user_id, unsigned lives_s)
{
	return db_run(db,
		"INSERT INTO sessions (token_sha256, user_id, expires_at)"
		" VALUES ($1, $2, now() + make_interval(secs => $3))",
		ARGS(arg_bytes(token_sha256, 32), arg_int(user_id), arg_int(lives_s)),
		NULL);
}

int db_session_user(
	struct db *db, const unsigned char token_sha256[32], struct db_user *ret_user)
{
	PGresult *result = NULL;
	int rc;

	rc = db_run_one(db,
		"SELECT " USER_COLUMNS " FROM sessions s JOIN users u ON u.id = s.user_id"
		" WHERE s.token_sha256 = $1 AND s.expires_at > now() AND u.active",
		ARGS(arg_bytes(token_sha256, 32)), &result);
	return one_user(rc, result, ret_user);
}

int db_session_end(struct db *db, const unsigned char token_sha256[32])
{
	return db_run(db,
		"DELETE FROM sessions WHERE token_sha256 = $1 OR expires_at < now()",
		ARGS(arg_bytes(token_sha256, 32)), NULL);
}

/* ---- SIP accounts ---- */

int db_agent_create(struct db *db, const struct db_user *user,
	const struct db_sip_account *account, int64_t *ret_id)
{
	PGresult *result = NULL;
	int rc;

	rc = db_run_one(db,
		"WITH made AS (INSERT INTO users (username, name, role, password_hash, active)"
		"  VALUES (lower($1), $2, 'agent', $3, $4) RETURNING id)"
		" INSERT INTO sip_accounts (user_id, username, ha1_md5, ha1_sha256)"
		" SELECT id, $5, $6, $7 FROM made RETURNING user_id",
		ARGS(arg_text(user->username), arg_text(user->name),
			arg_text(user->password_hash), arg_bool(user->active),
			arg_text(account->username), arg_text(account->ha1_md5),
			arg_text(account->ha1_sha256)),
		&result);
	return read_id(rc, result, ret_id);
}

int db_sip_account_update(struct db *db, const struct db_sip_account *account)
{
	return db_run_one(db,
		"UPDATE sip_accounts SET ha1_md5 = $2, ha1_sha256 = $3, updated_at = now()"
		" WHERE user_id = $1",
		ARGS(arg_int(account->user_id), arg_text(account->ha1_md5),
			arg_text(account->ha1_sha256)),
		NULL);
}

int db_sip_account_find(
	struct db *db, const char *username, struct db_sip_account *ret_account)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc;

	rc = db_run_one(db,
		"SELECT a.user_id, a.username, a.ha1_md5, a.ha1_sha256"
		" FROM sip_accounts a JOIN users u ON u.id = a.user_id"
		" WHERE a.username = $1 AND u.active",
		ARGS(arg_text(username)), &result);
	if (rc == 0) {
		row = db_row(result, 0);
		ret_account->user_id = row_int(&row);
		row_text(&row, ret_account->username, sizeof(ret_account->username));
		row_text(&row, ret_account->ha1_md5, sizeof(ret_account->ha1_md5));
		row_text(&row, ret_account->ha1_sha256, sizeof(ret_account->ha1_sha256));
	}
	PQclear(result);
	return rc;
}

/* ---- registrations ---- */

static int unregister(struct db *db, const char *username, const char *contact)
{
	return db_run(db,
		"DELETE FROM registrations r USING sip_accounts a"
		" WHERE a.username = $1 AND r.user_id = a.user_id"
		" AND ($2 = '*' OR r.contact = $2)",
		ARGS(arg_text(username), arg_text(contact)), NULL);
}

int db_registration_put(
	struct db *db, const char *username, const struct db_registration *registration)
{
	if (registration->expires_s == 0)
		return unregister(db, username, registration->contact);
	/* One statement: the newest binding, and no other of that user. */
	return db_run_one(db,
		"WITH who AS (SELECT user_id FROM sip_accounts WHERE username = $1),"
		" others AS (DELETE FROM registrations r USING who"
		"  WHERE r.user_id = who.user_id AND r.contact <> $2)"
		" INSERT INTO registrations"
		" (user_id, contact, source, call_id, cseq, user_agent, expires_at)"
		" SELECT user_id, $2, $3, $4, $5, $6, now() + make_interval(secs => $7) FROM who"
		" ON CONFLICT (user_id, contact) DO UPDATE SET source = EXCLUDED.source,"
		" call_id = EXCLUDED.call_id, cseq = EXCLUDED.cseq,"
		" user_agent = EXCLUDED.user_agent, expires_at = EXCLUDED.expires_at,"
		" updated_at = now()",
		ARGS(arg_text(username), arg_text(registration->contact),
			arg_text(registration->source), arg_text(registration->call_id),
			arg_int(registration->cseq), arg_text(registration->user_agent),
			arg_int(registration->expires_s)),
		NULL);
}

int db_registration_find(
	struct db *db, int64_t user_id, struct db_registration *ret_binding)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc;

	rc = db_run_one(db,
		"SELECT r.user_id, a.username, r.contact, r.source, r.call_id, r.user_agent,"
		" r.cseq, extract(epoch FROM r.expires_at - now())::bigint"
		" FROM registrations r JOIN sip_accounts a USING (user_id)"
		" WHERE r.user_id = $1 AND r.expires_at > now()"
		" ORDER BY r.updated_at DESC LIMIT 1",
		ARGS(arg_int(user_id)), &result);
	if (rc == 0) {
		row = db_row(result, 0);
		ret_binding->user_id = row_int(&row);
		row_text(&row, ret_binding->username, sizeof(ret_binding->username));
		row_text(&row, ret_binding->contact, sizeof(ret_binding->contact));
		row_text(&row, ret_binding->source, sizeof(ret_binding->source));
		row_text(&row, ret_binding->call_id, sizeof(ret_binding->call_id));
		row_text(&row, ret_binding->user_agent, sizeof(ret_binding->user_agent));
		ret_binding->cseq = row_int(&row);
		ret_binding->expires_s = row_int(&row);
	}
	PQclear(result);
	return rc;
}

/* ---- agents as people see them ---- */

#define AGENT_SELECT                                                                     \
	"SELECT u.id, u.username, u.name, u.role, '', u.active,"                         \
	" COALESCE(a.username, ''), r.user_id IS NOT NULL, COALESCE(r.user_agent, ''),"  \
	" s.id, COALESCE(s.state, 'offline'), COALESCE(s.pause_reason, ''),"             \
	" (extract(epoch FROM s.state_since) * 1000)::bigint, s.campaign_id, s.call_id," \
	" COALESCE(s.phone_up, false), COALESCE(s.twilio_up, false),"                    \
	" COALESCE(s.wants_ready, false)"                                                \
	" FROM users u"                                                                  \
	" LEFT JOIN sip_accounts a ON a.user_id = u.id"                                  \
	" LEFT JOIN LATERAL (SELECT b.user_id, b.user_agent FROM registrations b"        \
	"  WHERE b.user_id = u.id AND b.expires_at > now()"                              \
	"  ORDER BY b.updated_at DESC LIMIT 1) r ON true"                                \
	" LEFT JOIN agent_sessions s ON s.user_id = u.id AND s.ended_at IS NULL"         \
	" WHERE u.role = 'agent'"

static void read_agent(struct db_row *row, void *item)
{
	struct db_agent *agent = item;

	read_user(row, &agent->user);
	row_text(row, agent->sip_username, sizeof(agent->sip_username));
	agent->registered = row_bool(row);
	row_text(row, agent->user_agent, sizeof(agent->user_agent));
	agent->session_id = row_int(row);
	row_text(row, agent->state, sizeof(agent->state));
	row_text(row, agent->pause_reason, sizeof(agent->pause_reason));
	agent->state_since_ms = row_int(row);
	agent->campaign_id = row_int(row);
	agent->call_id = row_int(row);
	agent->phone_up = row_bool(row);
	agent->twilio_up = row_bool(row);
	agent->wants_ready = row_bool(row);
}

int db_agent_list(struct db *db, struct db_agent **ret_agents, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_agent), read_agent};

	return db_run_rows(db, AGENT_SELECT " ORDER BY u.id", NO_ARGS, &reader,
		(void **)ret_agents, ret_count);
}

int db_agent_get(struct db *db, int64_t user_id, struct db_agent *ret_agent)
{
	PGresult *result = NULL;
	int rc;

	rc = db_run_one(
		db, AGENT_SELECT " AND u.id = $1", ARGS(arg_int(user_id)), &result);
	if (rc == 0) {
		struct db_row row = db_row(result, 0);

		read_agent(&row, ret_agent);
	}
	PQclear(result);
	return rc;
}
