/* users.c: people, web sessions, SIP accounts and registrations. See users.h. */
#include "db/users.h"

#include <errno.h>
#include <string.h>

#include "db/exec.h"
#include "db/user_rows.h"

/* ---- people ---- */

void db_read_user(struct db_row *row, void *item)
{
	struct db_user *user = item;

	user->id = row_int(row);
	row_text(row, user->username, sizeof(user->username));
	row_text(row, user->name, sizeof(user->name));
	row_text(row, user->role, sizeof(user->role));
	row_text(row, user->password_hash, sizeof(user->password_hash));
	user->active = row_bool(row);
	user->created_ms = row_int(row);
}

static const struct db_reader user_reader = {sizeof(struct db_user), db_read_user};

int db_user_create(struct db *db, const struct db_user *user, int64_t *ret_id)
{
	int64_t id;
	int rc;

	rc = db_run_number(db,
		"INSERT INTO users (username, name, role, password_hash, active)"
		" VALUES (lower($1), $2, $3, $4, $5) RETURNING id",
		ARGS(arg_text(user->username), arg_text(user->name), arg_text(user->role),
			arg_text(user->password_hash), arg_bool(user->active)),
		&id);
	if (rc == 0 && ret_id)
		*ret_id = id;
	return rc;
}

int db_user_by_name(struct db *db, const char *username, struct db_user *ret_user)
{
	return db_run_item(db,
		"SELECT " USER_COLUMNS " FROM users u WHERE u.username = lower($1)",
		ARGS(arg_text(username)), &user_reader, ret_user);
}

int db_user_get(struct db *db, int64_t id, struct db_user *ret_user)
{
	return db_run_item(db, "SELECT " USER_COLUMNS " FROM users u WHERE u.id = $1",
		ARGS(arg_int(id)), &user_reader, ret_user);
}

int db_user_count(struct db *db, int64_t *ret_count)
{
	return db_run_number(db, "SELECT count(*) FROM users", NO_ARGS, ret_count);
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

struct session_user {
	struct db_user user;
	int64_t session_id;
};

static void read_session_user(struct db_row *row, void *item)
{
	struct session_user *found = item;

	db_read_user(row, &found->user);
	found->session_id = row_int(row);
}

int db_session_user(struct db *db, const unsigned char token_sha256[32],
	struct db_user *ret_user, int64_t *ret_session_id)
{
	static const struct db_reader reader = {
		sizeof(struct session_user), read_session_user};
	struct session_user found;
	int rc;

	rc = db_run_item(db,
		"SELECT " USER_COLUMNS
		", s.id FROM sessions s JOIN users u ON u.id = s.user_id"
		" WHERE s.token_sha256 = $1 AND s.expires_at > now() AND u.active",
		ARGS(arg_bytes(token_sha256, 32)), &reader, &found);
	if (rc < 0)
		return rc;
	*ret_user = found.user;
	*ret_session_id = found.session_id;
	return 0;
}

int db_session_end(struct db *db, const unsigned char token_sha256[32])
{
	return db_run(db,
		"DELETE FROM sessions WHERE token_sha256 = $1 OR expires_at < now()",
		ARGS(arg_bytes(token_sha256, 32)), NULL);
}

/* ---- SIP accounts ---- */

int db_agent_create(struct db *db, const struct db_user *user,
	const struct db_sip_account *account, const struct db_endpoint *endpoint,
	int64_t *ret_id)
{
	int64_t id;
	int rc;

	rc = db_run_number(db,
		"WITH made AS (INSERT INTO users (username, name, role, password_hash, active)"
		"  VALUES (lower($1), $2, 'agent', $3, $4) RETURNING id),"
		" reached AS (INSERT INTO agent_endpoints (user_id, type, number, nailed)"
		"  SELECT id, $8, NULLIF($9, ''), $10::boolean FROM made"
		"  WHERE $8::text IS NOT NULL)"
		" INSERT INTO sip_accounts (user_id, username, ha1_md5, ha1_sha256)"
		" SELECT id, $5, $6, $7 FROM made RETURNING user_id",
		ARGS(arg_text(user->username), arg_text(user->name),
			arg_text(user->password_hash), arg_bool(user->active),
			arg_text(account->username), arg_text(account->ha1_md5),
			arg_text(account->ha1_sha256),
			arg_text(endpoint ? endpoint->type : NULL),
			arg_text(endpoint ? endpoint->number : NULL),
			endpoint ? arg_bool(endpoint->nailed) : arg_text(NULL)),
		&id);
	if (rc == 0 && ret_id)
		*ret_id = id;
	return rc;
}

int db_sip_account_update(struct db *db, const struct db_sip_account *account)
{
	return db_run_one(db,
		"INSERT INTO sip_accounts (user_id, username, ha1_md5, ha1_sha256)"
		" VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET"
		"  ha1_md5 = EXCLUDED.ha1_md5, ha1_sha256 = EXCLUDED.ha1_sha256,"
		"  updated_at = now()",
		ARGS(arg_int(account->user_id), arg_text(account->username),
			arg_text(account->ha1_md5), arg_text(account->ha1_sha256)),
		NULL);
}

static void read_account(struct db_row *row, void *item)
{
	struct db_sip_account *account = item;

	account->user_id = row_int(row);
	row_text(row, account->username, sizeof(account->username));
	row_text(row, account->ha1_md5, sizeof(account->ha1_md5));
	row_text(row, account->ha1_sha256, sizeof(account->ha1_sha256));
}

int db_sip_account_find(
	struct db *db, const char *username, struct db_sip_account *ret_account)
{
	static const struct db_reader reader = {
		sizeof(struct db_sip_account), read_account};

	return db_run_item(db,
		"SELECT a.user_id, a.username, a.ha1_md5, a.ha1_sha256"
		" FROM sip_accounts a JOIN users u ON u.id = a.user_id"
		" WHERE a.username = $1 AND u.active",
		ARGS(arg_text(username)), &reader, ret_account);
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
	return db_run_one(db,
		"INSERT INTO registrations AS r"
		" (user_id, contact, source, call_id, cseq, user_agent, expires_at)"
		" SELECT user_id, $2, $3, $4, $5, $6, now() + make_interval(secs => $7)"
		" FROM sip_accounts WHERE username = $1"
		" ON CONFLICT (user_id) DO UPDATE SET contact = EXCLUDED.contact,"
		" source = EXCLUDED.source, call_id = EXCLUDED.call_id, cseq = EXCLUDED.cseq,"
		" user_agent = EXCLUDED.user_agent, expires_at = EXCLUDED.expires_at,"
		" updated_at = now()",
		ARGS(arg_text(username), arg_text(registration->contact),
			arg_text(registration->source), arg_text(registration->call_id),
			arg_int(registration->cseq), arg_text(registration->user_agent),
			arg_int(registration->expires_s)),
		NULL);
}

static void read_registration(struct db_row *row, void *item)
{
	struct db_registration *binding = item;

	binding->user_id = row_int(row);
	row_text(row, binding->username, sizeof(binding->username));
	row_text(row, binding->contact, sizeof(binding->contact));
	row_text(row, binding->source, sizeof(binding->source));
	row_text(row, binding->call_id, sizeof(binding->call_id));
	row_text(row, binding->user_agent, sizeof(binding->user_agent));
	binding->cseq = row_int(row);
	binding->expires_s = row_int(row);
}

int db_registration_find(
	struct db *db, int64_t user_id, struct db_registration *ret_binding)
{
	static const struct db_reader reader = {
		sizeof(struct db_registration), read_registration};

	return db_run_item(db,
		"SELECT r.user_id, a.username, r.contact, r.source, r.call_id, r.user_agent,"
		" r.cseq, extract(epoch FROM r.expires_at - now())::bigint"
		" FROM registrations r JOIN sip_accounts a USING (user_id)"
		" WHERE r.user_id = $1 AND r.expires_at > now()",
		ARGS(arg_int(user_id)), &reader, ret_binding);
}

/* ---- agents as people see them ---- */

#define AGENT_SELECT                                                                                             \
	"SELECT u.id, u.username, u.name, u.role, '', u.active, " MS(                                            \
		"u.created_at") ","                                                                              \
				" COALESCE(a.username, ''), r.user_id IS NOT NULL, COALESCE(r.user_agent, ''),"  \
				" s.id, COALESCE(s.state, 'offline'), COALESCE(s.pause_reason, ''),"             \
				" (extract(epoch FROM s.state_since) * 1000)::bigint, s.campaign_id, s.call_id," \
				" COALESCE(s.phone_up, false), COALESCE(s.twilio_up, false),"                    \
				" COALESCE(s.wants_ready, false), COALESCE(e.type, 'sip'),"                      \
				" COALESCE(e.number, ''), COALESCE(e.nailed, true)"                              \
				" FROM users u"                                                                  \
				" LEFT JOIN sip_accounts a ON a.user_id = u.id"                                  \
				" LEFT JOIN registrations r ON r.user_id = u.id AND r.expires_at > now()"        \
				" LEFT JOIN agent_sessions s ON s.user_id = u.id AND s.ended_at IS NULL"         \
				" LEFT JOIN agent_endpoints e ON e.user_id = u.id"                               \
				" WHERE u.role = 'agent'"

static void read_agent(struct db_row *row, void *item)
{
	struct db_agent *agent = item;

	db_read_user(row, &agent->user);
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
	row_text(row, agent->endpoint.type, sizeof(agent->endpoint.type));
	row_text(row, agent->endpoint.number, sizeof(agent->endpoint.number));
	agent->endpoint.nailed = row_bool(row);
}

static const struct db_reader agent_reader = {sizeof(struct db_agent), read_agent};

int db_agent_list(struct db *db, struct db_agent **ret_agents, size_t *ret_count)
{
	return db_run_rows(db, AGENT_SELECT " ORDER BY u.id", NO_ARGS, &agent_reader,
		(void **)ret_agents, ret_count);
}

int db_agent_get(struct db *db, int64_t user_id, struct db_agent *ret_agent)
{
	return db_run_item(db, AGENT_SELECT " AND u.id = $1", ARGS(arg_int(user_id)),
		&agent_reader, ret_agent);
}
