/*
 * api.h: from an HTTP request to a handler on a database worker, and back.
 *
 * The table in routes.c says for each route who may call it. A handler runs on a database worker,
 * straight down: check the body, call db/, fill the reply. It never touches the loop's state;
 * it posts to it through the nouns' headers.
 */
#ifndef OMNIVOX_GATEWAY_API_H
#define OMNIVOX_GATEWAY_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/users.h"
#include "gateway/gateway.h"
#include "http/server.h"

enum api_role {
	API_ANYBODY = 0,
	API_ADMIN = 1 << 0,
	API_SUPERVISOR = 1 << 1,
	API_AGENT = 1 << 2,
};

/* One request on its worker. Everything is borrowed for the length of the handler. */
struct api_call {
	struct gateway *gw;
	struct db *db;
	const struct http_request *request;
	struct db_user
		user;       /* id 0 on routes for anybody; with a key in the key's role */
	int64_t session_id; /* of the cookie; 0: none */
	int64_t key_id;     /* of the API key; 0: none */
	char key_name[DB_NAME_SIZE];
	json_t *body; /* the JSON object sent; an empty one when there was no body */
};

struct api_reply {
	int status;
	json_t *data; /* owned; becomes {"success":true,"data":...} */
	json_t *flat; /* owned; sent as it is, instead of data (bodies fixed by compatibility) */
	char code[48]; /* of an error; "" when none */
	char message[384];
	json_t *details; /* owned; of an error */
	char set_cookie[256];
	int retry_after_s;
	bool deferred; /* somebody else answers this request id later, by api_send() */
	bool secret;   /* shows something once that must not be stored */
};

/* Fill these; the dispatcher sends and frees. */
void api_ok(struct api_reply *reply, int status, json_t *data);
void api_fail(struct api_reply *reply, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A negative errno of db/: 404, 409, 422, 503. `what` names the thing: "campaign". */
void api_fail_db(
	struct api_reply *reply, int error, const char *what, const struct db *db);

/* 422 that names the field of the body that is wrong. */
void api_fail_field(struct api_reply *reply, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The ":name" of the path as a positive id; 0 when it is none. */
int64_t api_param_id(const struct api_call *call, size_t index);
/* An id of the query; 0 when absent, -1 when it is none: 0 is nobody's. */
int64_t api_query_id(const struct api_call *call, const char *name);
/* A number of the query; `fallback` when absent, -1 when it is no number in 0..hi. */
int64_t api_query_int(
	const struct api_call *call, const char *name, int64_t hi, int64_t fallback);

/* A time of the query in RFC 3339; `fallback` when absent, -1 when it is none. */
int64_t api_query_time(const struct api_call *call, const char *name, int64_t fallback);

/* The caller's id when it is an agent, to whom only its own may be shown; else 0. */
int64_t api_agent(const struct api_call *call);
/* Who asks, as one number: a user's id, or the negative id of an API key. */
int64_t api_principal(const struct api_call *call);

/* "POST" */
const char *api_method(enum http_method method);

/* Ids travel as strings, null for 0; times as RFC 3339, null for 0. */
json_t *api_id(int64_t id);
json_t *api_time(int64_t wall_ms);
/* A text, null for "". */
json_t *api_text(const char *text);
/* A stored JSON object; an empty one when it cannot be read. */
json_t *api_stored(const char *json);

/* Whether the body has the field at all. */
bool api_body_has(const struct api_call *call, const char *field);
/*
 * Fields of the body. Absent ones leave *ret_ alone; 0, or -EINVAL with the reply filled. Null is
 * no text: whoever gives it a meaning asks for it before. A required text is not empty.
 */
int api_body_text(struct api_call *call, struct api_reply *reply, const char *field,
	bool required, char *ret_text, size_t size);
int api_body_int(struct api_call *call, struct api_reply *reply, const char *field,
	int lo, int hi, int *ret_value);
int api_body_bool(struct api_call *call, struct api_reply *reply, const char *field,
	bool *ret_value);
/* RFC 3339; null is 0. */
int api_body_time(struct api_call *call, struct api_reply *reply, const char *field,
	int64_t *ret_wall_ms);
/* An id given as string or number. */
int api_body_id(struct api_call *call, struct api_reply *reply, const char *field,
	bool required, int64_t *ret_id);
/* Refuses fields that are not in the NULL-ended list. */
int api_body_only(
	struct api_call *call, struct api_reply *reply, const char *const *fields);

/*
 * Answers a request whose handler deferred: from any thread, and frees what the reply owns. What
 * must be written down first (idempotency, audit) is, on a database worker.
 */
void api_send(struct gateway *gw, uint64_t request_id, struct api_reply *reply);

/* The HTTP server's handle() callback, with arg = struct gateway. */
int api_handle(void *gateway, struct http_request *request);
/* verify(): X-Twilio-Signature over BACKEND_URL + path, with the primary or secondary token. */
int api_verify(void *gateway, const struct http_request *request);

/*
 * Makes the user `admin` when there is no user yet. Without ADMIN_PASSWORD a password is made, into
 * DATA_DIR/run/first-password, which goes away when the admin changes it. A sentence in *err when
 * that cannot be written.
 */
int api_first_admin(struct gateway *gw, struct db *db, struct err *err);

#endif
