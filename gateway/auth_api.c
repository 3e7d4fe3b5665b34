/* auth_api.c: sign-in, sign-out, and the session cookie. See auth_api.h. */
#include "gateway/auth_api.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/account.h"
#include "gateway/listeners.h"
#include "gateway/metrics.h"
#include "gateway/password.h"
#include "gateway/rate.h"

#define FIRST_ADMIN "admin"
#define PATH_SIZE 512
#define TOKEN_BYTES 32
#define SESSION_S (12 * 3600)
#define PASSWORD_MAX ACCOUNT_PASSWORD_SIZE

static bool is_https(const struct gateway *gw)
{
	return strncmp(gw->backend_url, "https://", 8) == 0;
}

/* The __Host- prefix binds the cookie to this host, but browsers want https for it. */
static const char *cookie_name(const struct gateway *gw)
{
	return is_https(gw) ? "__Host-ovx" : "ovx";
}

static void set_cookie(
	const struct gateway *gw, const char *value, int age_s, struct api_reply *reply)
{
	(void)snprintf(reply->set_cookie, sizeof(reply->set_cookie),
		"%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s", cookie_name(gw),
		value, age_s, is_https(gw) ? "; Secure" : "");
}

static void hash_token(const char *token, unsigned char hash[32])
{
	(void)SHA256((const unsigned char *)token, strlen(token), hash);
}

int auth_user(struct api_call *call)
{
	char token[2 * TOKEN_BYTES + 1];
	unsigned char hash[32];
	int err;

	if (http_cookie(call->request, cookie_name(call->gw), token, sizeof(token)) < 0)
		return -EACCES;
	hash_token(token, hash);
	err = db_session_user(call->db, hash, &call->user, &call->session_id);
	return err == -ENOENT ? -EACCES : err;
}

int auth_same_site(const struct http_request *request)
{
	const char *site = request->sec_fetch_site, *origin = request->origin;
	const char *host;

	if (request->method == HTTP_GET)
		return 0;
	if (site[0] != '\0')
		return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0
			       ? 0
			       : -EACCES;
	if (origin[0] == '\0')
		return 0;
	host = strstr(origin, "://");
	return host != NULL && strcmp(host + 3, request->host) == 0 ? 0 : -EACCES;
}

static json_t *user_json(const struct db_user *user)
{
	return json_pack("{s:o, s:s, s:s, s:s}", "id", api_id(user->id), "username",
		user->username, "name", user->name, "role", user->role);
}

static void sign_in(
	struct api_call *call, struct api_reply *reply, const struct db_user *user)
{
	char token[2 * TOKEN_BYTES + 1];
	unsigned char hash[32];
	int err;

	(void)text_random(token, TOKEN_BYTES);
	hash_token(token, hash);
	err = db_session_create(call->db, hash, user->id, SESSION_S);
	if (err < 0) {
		api_fail_db(reply, err, "session", call->db);
		return;
	}
	set_cookie(call->gw, token, SESSION_S, reply);
	explicit_bzero(token, sizeof(token));
	api_ok(reply, 200,
		json_pack("{s:o, s:o}", "user", user_json(user), "expiresAt",
			api_time(clock_wall_ms() + SESSION_S * 1000LL)));
	call->user = *user; /* for the audit log */
	log_info("auth", 0, "%s signed in", user->username);
}

/* Not with the name: it may be a password, typed into the wrong field. */
static void note_refused(const struct api_call *call, const char *why)
{
	static struct log_seldom line;
	char host[ADDR_TEXT_SIZE];
	unsigned unwritten;

	metrics_password(why);
	if (log_seldom(&line, clock_mono_ms(), &unwritten))
		log_warn("auth", 0, "sign-in refused: address=%s why=%s unwritten=%u",
			addr_host(&call->request->peer, host), why, unwritten);
}

void auth_login(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"username", "email", "password", NULL};
	char username[64] = "", password[PASSWORD_MAX] = "";
	struct db_user user = {.id = 0};
	int err, wait_s;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply,
			json_object_get(call->body, "username") != NULL ? "username"
									: "email",
			true, username, sizeof(username)) < 0 ||
		api_body_text(call, reply, "password", true, password, sizeof(password)) <
			0)
		return;
	wait_s = rate_login(
		call->gw->rate, &call->request->peer, username, clock_mono_ms());
	if (wait_s > 0) {
		api_fail(reply, 429, "RATE_LIMITED",
			"Too many sign-in attempts. Try again in %d seconds.", wait_s);
		note_refused(call, "limited");
		reply->retry_after_s = wait_s;
		return;
	}
	err = db_user_by_name(call->db, username, &user);
	if (err < 0 && err != -ENOENT) {
		api_fail_db(reply, err, "user", call->db);
		return;
	}
	/* One answer, and one duration, for a wrong name and a wrong password. */
	err = password_check(password, err == 0 && user.active ? user.password_hash : "");
	explicit_bzero(password, sizeof(password));
	if (err < 0) {
		api_fail(reply, 401, "WRONG_CREDENTIALS",
			"User name or password is wrong. Check both and try again.");
		note_refused(call, "wrong");
		return;
	}
	metrics_password("right");
	sign_in(call, reply, &user);
}

void auth_logout(struct api_call *call, struct api_reply *reply)
{
	char token[2 * TOKEN_BYTES + 1];
	unsigned char hash[32];

	if (auth_user(call) == 0 && http_cookie(call->request, cookie_name(call->gw),
					    token, sizeof(token)) == 0) {
		hash_token(token, hash);
		(void)db_session_end(call->db, hash);
		listeners_end_grant(call->gw, call->session_id);
	}
	set_cookie(call->gw, "", 0, reply);
	api_ok(reply, 200, json_object());
}

void auth_me(struct api_call *call, struct api_reply *reply)
{
	json_t *key = call->key_id == 0
			      ? json_null()
			      : json_pack("{s:o, s:s}", "id", api_id(call->key_id),
					"name", call->key_name);

	api_ok(reply, 200,
		json_pack("{s:o, s:o}", "user", user_json(&call->user), "apiKey", key));
}

static int read_passwords(struct api_call *call, struct api_reply *reply,
	char old[PASSWORD_MAX], char new[PASSWORD_MAX])
{
	static const char *const fields[] = {"oldPassword", "newPassword", NULL};

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "oldPassword", true, old, PASSWORD_MAX) < 0 ||
		api_body_text(call, reply, "newPassword", true, new, PASSWORD_MAX) < 0 ||
		account_check_password(reply, "newPassword", new) < 0)
		return -EINVAL;
	return 0;
}

/* Guessing the old password from a stolen session is as slow as signing in. */
static int check_old(struct api_call *call, struct api_reply *reply, const char *old)
{
	struct db_user user;
	int wait_s = rate_login(call->gw->rate, &call->request->peer, call->user.username,
		clock_mono_ms());
	int err;

	if (wait_s > 0) {
		api_fail(reply, 429, "RATE_LIMITED",
			"Too many wrong passwords. Try again in %d seconds.", wait_s);
		note_refused(call, "limited");
		reply->retry_after_s = wait_s;
		return -EACCES;
	}
	err = db_user_get(call->db, call->user.id, &user);
	if (err < 0) {
		api_fail_db(reply, err, "user", call->db);
		return err;
	}
	err = password_check(old, user.password_hash);
	if (err < 0) {
		api_fail(reply, 403, "WRONG_PASSWORD",
			"The old password is wrong. Nothing was changed.");
		note_refused(call, "wrong");
	} else {
		metrics_password("right");
	}
	explicit_bzero(&user, sizeof(user));
	return err;
}

static int first_password_path(const struct gateway *gw, char path[PATH_SIZE])
{
	int len = snprintf(path, PATH_SIZE, "%s/run/first-password",
		config_text(gw->config, "DATA_DIR"));

	return len < 0 || len >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

static void forget_first_password(const struct gateway *gw)
{
	char path[PATH_SIZE];

	if (first_password_path(gw, path) == 0 && unlink(path) < 0 && errno != ENOENT)
		log_warn("auth", 0, "%s cannot be deleted: %s; delete it", path,
			strerror(errno));
}

void auth_password(struct api_call *call, struct api_reply *reply)
{
	char old[PASSWORD_MAX] = "", new[PASSWORD_MAX] = "";
	struct db_user user;
	int64_t agent_session;
	int err;

	if (read_passwords(call, reply, old, new) < 0 || check_old(call, reply, old) < 0)
		goto out;
	err = password_hash(new, user.password_hash, sizeof(user.password_hash));
	if (err == 0)
		err = db_user_update(call->db,
			&(struct db_user_change){.id = call->user.id,
				.password_hash = user.password_hash,
				.active = -1,
				.keep_session = call->session_id},
			&agent_session);
	if (err < 0) {
		api_fail_db(reply, err, "user", call->db);
		goto out;
	}
	listeners_end_user(call->gw, call->user.id, call->session_id);
	if (strcmp(call->user.username, FIRST_ADMIN) == 0)
		forget_first_password(call->gw);
	api_ok(reply, 200, json_object());
out:
	explicit_bzero(old, sizeof(old));
	explicit_bzero(new, sizeof(new));
}

/* ---- the first admin ---- */

/* For nobody but the account that runs us: what goes to standard error stays in a journal. */
static int keep_first_password(
	const struct gateway *gw, const char *password, struct err *err)
{
	char path[PATH_SIZE];
	int rc = first_password_path(gw, path), fd = -1;

	if (rc == 0 && unlink(path) < 0 && errno != ENOENT)
		rc = -errno;
	if (rc == 0)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (rc == 0 && (fd < 0 || dprintf(fd, "%s\n", password) < 0 || fsync(fd) < 0))
		rc = -errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		return err_set(err, rc,
			"The first admin's password cannot be written into "
			"DATA_DIR/run/first-password: %s. Make room, or set "
			"ADMIN_PASSWORD.",
			strerror(-rc));
	return 0;
}

/* A terminal is read by whoever sits there, and keeps nothing. */
static void tell_first_password(const struct gateway *gw, const char *password)
{
	char path[PATH_SIZE];

	(void)first_password_path(gw, path); /* it fitted before */
	log_warn("auth", 0, "first sign-in: user admin, the password is in %s; change it",
		path);
	if (isatty(STDERR_FILENO))
		(void)dprintf(STDERR_FILENO, "First sign-in: user admin, password %s\n",
			password);
}

int api_first_admin(struct gateway *gw, struct db *db, struct err *err)
{
	const char *given = config_text(gw->config, "ADMIN_PASSWORD");
	struct db_user admin = {.username = FIRST_ADMIN,
		.name = "Administrator",
		.role = "admin",
		.active = true};
	char password[25] = "";
	int64_t users;
	int rc;

	rc = db_user_count(db, &users);
	if (rc < 0 || users > 0)
		return rc;
	if (given[0] == '\0') {
		given = text_random(password, 12);
		/* Before the user: of a user without it nobody could sign in. */
		rc = keep_first_password(gw, password, err);
	}
	if (rc == 0)
		rc = password_hash(
			given, admin.password_hash, sizeof(admin.password_hash));
	if (rc == 0)
		rc = db_user_create(db, &admin, NULL);
	if (rc == 0 && given == password)
		tell_first_password(gw, password);
	if (rc == -EEXIST) { /* another node was faster; its password counts */
		if (given == password)
			forget_first_password(gw);
		rc = 0;
	}
	explicit_bzero(password, sizeof(password));
	return rc;
}
