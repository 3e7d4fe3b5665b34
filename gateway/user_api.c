/* user_api.c: the routes of users. See user_api.h. */
#include "gateway/user_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/sessions.h"
#include "gateway/account.h"
#include "gateway/agent.h"
#include "gateway/agent_api.h"
#include "gateway/listeners.h"
#include "gateway/password.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200

static json_t *user_json(const struct db_user *user)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:b, s:o}", "id", api_id(user->id),
		"username", user->username, "name", user->name, "role", user->role,
		"active", user->active, "createdAt", api_time(user->created_ms));
}

static bool is_admin(const struct api_call *call)
{
	return strcmp(call->user.role, "admin") == 0;
}

static bool is_role(const char *word)
{
	return strcmp(word, "admin") == 0 || strcmp(word, "supervisor") == 0 ||
	       strcmp(word, "agent") == 0;
}

/* Others than agents are not there for a supervisor. */
static bool may_see(const struct api_call *call, const struct db_user *user)
{
	return is_admin(call) || strcmp(user->role, "agent") == 0;
}

static int find(
	struct api_call *call, struct api_reply *reply, int64_t id, struct db_user *ret)
{
	int err = db_user_get(call->db, id, ret);

	explicit_bzero(ret->password_hash, sizeof(ret->password_hash));
	if (err == 0 && !may_see(call, ret))
		err = -ENOENT;
	if (err < 0)
		api_fail_db(reply, err, "user", call->db);
	return err;
}

static void answer(struct api_call *call, struct api_reply *reply, int status, int64_t id)
{
	struct db_user user = {.id = 0};

	if (find(call, reply, id, &user) == 0)
		api_ok(reply, status, json_pack("{s:o}", "user", user_json(&user)));
}

/* ---- reading ---- */

/* "true", "false" or absent; -2 for anything else. */
static int query_active(const struct api_call *call)
{
	const char *text = form_get(&call->request->query, "active");

	if (text == NULL || text[0] == '\0')
		return -1;
	if (strcmp(text, "true") == 0)
		return 1;
	return strcmp(text, "false") == 0 ? 0 : -2;
}

static void answer_page(struct api_call *call, struct api_reply *reply,
	const struct db_user_filter *filter)
{
	struct db_user *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int err = db_user_page(call->db, filter, &rows, &count);

	if (err < 0) {
		api_fail_db(reply, err, "user", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < filter->limit; i++)
		(void)json_array_append_new(list, user_json(&rows[i]));
	if (count > filter->limit)
		next = api_id(rows[filter->limit - 1].id);
	free(rows);
	api_ok(reply, 200, json_pack("{s:o, s:o}", "users", list, "nextCursor", next));
}

void users_list(struct api_call *call, struct api_reply *reply)
{
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	struct db_user_filter filter = {
		.role = form_get(&call->request->query, "role"),
		.search = form_get(&call->request->query, "search"),
		.active = query_active(call),
		.after = api_query_int(call, "after", INT64_MAX, 0),
		.limit = limit < 1 ? 1 : (unsigned)limit,
	};

	if (limit < 1 || filter.after < 0 || filter.active < -1 ||
		(filter.role != NULL && !is_role(filter.role))) {
		api_fail(reply, 422, "VALIDATION",
			"role must be admin, supervisor or agent, active true or false, after an "
			"id, limit a number from 1 to %d.",
			PAGE_MAX);
		return;
	}
	if (!is_admin(call) && filter.role != NULL && strcmp(filter.role, "agent") != 0) {
		api_fail(reply, 403, "FORBIDDEN", "A supervisor sees agents only.");
		return;
	}
	if (!is_admin(call))
		filter.role = "agent";
	answer_page(call, reply, &filter);
}

void user_get(struct api_call *call, struct api_reply *reply)
{
	answer(call, reply, 200, api_param_id(call, 0));
}

/* ---- making ---- */

static int read_role(
	struct api_call *call, struct api_reply *reply, bool required, char *role)
{
	if (api_body_text(call, reply, "role", required || api_body_has(call, "role"),
		    role, DB_WORD_SIZE) < 0)
		return -EINVAL;
	if (role[0] != '\0' && !is_role(role)) {
		api_fail_field(reply, "role", "role must be admin, supervisor or agent.");
		return -EINVAL;
	}
	if (role[0] == '\0' || is_admin(call) || strcmp(role, "agent") == 0)
		return 0;
	api_fail(reply, 403, "FORBIDDEN",
		"A supervisor manages agents only. Ask an administrator.");
	return -EACCES;
}

/* An agent gets all that POST /api/agents gives it. */
static void create_agent(struct api_call *call, struct api_reply *reply)
{
	struct db_user user = {.id = 0};
	const char *id;

	(void)json_object_del(call->body, "role");
	agent_create(call, reply);
	id = json_string_value(
		json_object_get(json_object_get(reply->data, "agent"), "id"));
	if (id == NULL)
		return;
	if (db_user_get(call->db, strtoll(id, NULL, 10), &user) < 0)
		return; /* the agent is there all the same: told as such */
	(void)json_object_set_new(reply->data, "user", user_json(&user));
	(void)json_object_del(reply->data, "agent");
	explicit_bzero(&user, sizeof(user));
}

static void create_staff(struct api_call *call, struct api_reply *reply, const char *role)
{
	static const char *const fields[] = {
		"username", "name", "role", "password", NULL};
	struct db_user user = {.active = true};
	char password[ACCOUNT_PASSWORD_SIZE] = "";
	bool made = false;
	int64_t id;
	int err;

	memcpy(user.role, role, sizeof(user.role));
	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "username", true, user.username,
			sizeof(user.username)) < 0 ||
		account_check_username(reply, "username", user.username) < 0 ||
		api_body_text(call, reply, "name", true, user.name, sizeof(user.name)) <
			0 ||
		account_read_password(call, reply, password, &made) < 0)
		goto out;
	err = password_hash(password, user.password_hash, sizeof(user.password_hash));
	if (err == 0)
		err = db_user_create(call->db, &user, &id);
	if (err < 0)
		api_fail_db(reply, err, "user", call->db);
	else
		answer(call, reply, 201, id);
	if (reply->data == NULL)
		goto out;
	reply->secret = made;
	(void)json_object_set_new(
		reply->data, "password", made ? json_string(password) : json_null());
	(void)json_object_set_new(reply->data, "sip", json_null());
out:
	explicit_bzero(password, sizeof(password));
}

void user_create(struct api_call *call, struct api_reply *reply)
{
	char role[DB_WORD_SIZE] = "";

	if (read_role(call, reply, true, role) < 0)
		return;
	if (strcmp(role, "agent") == 0)
		create_agent(call, reply);
	else
		create_staff(call, reply, role);
}

/* ---- changing ---- */

/* Streams end that were opened under other conditions; an agent's session on the loop, too. */
static void spread(struct api_call *call, const struct db_user_change *change,
	int64_t agent_session_id)
{
	struct db_agent_session session;

	if (change->active == 0 || change->role != NULL || change->password_hash != NULL)
		listeners_end_user(call->gw, change->id,
			change->role != NULL ? 0 : change->keep_session);
	if (agent_session_id != 0 &&
		db_agent_session_get(call->db, agent_session_id, &session) == 0)
		agent_changed(call->gw, &session);
}

static void apply(struct api_call *call, struct api_reply *reply,
	const struct db_user_change *change)
{
	int64_t agent_session = 0;
	int err = db_user_update(call->db, change, &agent_session);

	if (err == -EPERM) {
		api_fail(reply, 409, "LAST_ADMIN",
			"This is the last active administrator. Make another one first.");
	} else if (err == -EBUSY) {
		api_fail(reply, 409, "SIGNED_IN",
			"The agent is signed in to a campaign. Sign it out first, then change "
			"its role.");
	} else if (err < 0) {
		api_fail_db(reply, err, "user", call->db);
	} else {
		spread(call, change, agent_session);
		answer(call, reply, 200, change->id);
	}
}

/* What PUT may carry; texts are kept here until they are written. */
struct update {
	char name[DB_NAME_SIZE];
	char role[DB_WORD_SIZE];
	char password[ACCOUNT_PASSWORD_SIZE];
	char hash[sizeof(((struct db_user *)0)->password_hash)];
	bool active;
};

static int read_update(
	struct api_call *call, struct api_reply *reply, struct update *update)
{
	static const char *const fields[] = {"name", "role", "active", "password", NULL};

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "name", api_body_has(call, "name"),
			update->name, sizeof(update->name)) < 0 ||
		read_role(call, reply, false, update->role) < 0 ||
		api_body_bool(call, reply, "active", &update->active) < 0 ||
		api_body_text(call, reply, "password", false, update->password,
			sizeof(update->password)) < 0)
		return -EINVAL;
	if (api_body_has(call, "password") &&
		account_check_password(reply, "password", update->password) < 0)
		return -EINVAL;
	return 0;
}

void user_update(struct api_call *call, struct api_reply *reply)
{
	struct update update = {.active = true};
	struct db_user user = {.id = 0};
	struct db_user_change change = {.id = api_param_id(call, 0), .active = -1};
	int err = 0;

	if (read_update(call, reply, &update) < 0 ||
		find(call, reply, change.id, &user) < 0)
		goto out;
	if (update.name[0] != '\0')
		change.name = update.name;
	if (update.role[0] != '\0' && strcmp(update.role, user.role) != 0)
		change.role = update.role;
	if (api_body_has(call, "active"))
		change.active = update.active;
	if (update.password[0] != '\0') {
		err = password_hash(update.password, update.hash, sizeof(update.hash));
		change.password_hash = update.hash;
	}
	/* Who had a session of somebody else's may have made itself a key. */
	if (change.id == call->user.id)
		change.keep_session = call->session_id;
	else
		change.end_keys = change.password_hash != NULL;
	if (err < 0)
		api_fail_db(reply, err, "user", call->db);
	else
		apply(call, reply, &change);
out:
	explicit_bzero(&update, sizeof(update));
}

void user_deactivate(struct api_call *call, struct api_reply *reply)
{
	struct db_user user = {.id = 0};

	if (find(call, reply, api_param_id(call, 0), &user) == 0)
		apply(call, reply, &(struct db_user_change){.id = user.id, .active = 0});
}
