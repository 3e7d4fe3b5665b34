/* admit.c: who asks, and may they? See admit.h. */
#include "gateway/admit.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/api_key.h"
#include "gateway/auth_api.h"
#include "gateway/rate.h"
#include "gateway/scope.h"

static unsigned role_bit(const char *role)
{
	if (strcmp(role, "admin") == 0)
		return API_ADMIN;
	if (strcmp(role, "supervisor") == 0)
		return API_SUPERVISOR;
	return API_AGENT;
}

static int too_often(struct api_reply *reply, int wait_s)
{
	if (wait_s == 0)
		return 0;
	api_fail(reply, 429, "RATE_LIMITED",
		"Too many requests. Nothing was done; go on in %d seconds.", wait_s);
	reply->retry_after_s = wait_s;
	return -EACCES;
}

int admit_address(struct gateway *gw, const struct http_request *request,
	const struct api_route *route, struct api_reply *reply)
{
	if (route->http.flags & (HTTP_ROUTE_SIGNED | HTTP_ROUTE_VITAL))
		return 0;
	return too_often(reply, rate_address(gw->rate, &request->peer, clock_mono_ms()));
}

/* By key or by cookie. A wrong key is not made good by a cookie beside it. */
static int identify(struct api_call *call, struct api_reply *reply)
{
	bool keyed = api_key_is_given(call->request);
	int err = keyed ? api_key_user(call) : auth_user(call);

	if (err == 0)
		return 0;
	if (err != -EACCES)
		api_fail_db(reply, err, "session", call->db);
	else if (keyed)
		api_fail(reply, 401, "WRONG_KEY",
			"The API key is unknown, wrong, expired or revoked. Make another: POST "
			"/api/api-keys.");
	else
		api_fail(reply, 401, "NOT_SIGNED_IN",
			"Sign in first: POST /api/auth/login gives a session cookie. Programs "
			"send an API key instead.");
	return -EACCES;
}

static int permit(
	struct api_call *call, const struct api_route *route, struct api_reply *reply)
{
	if ((role_bit(call->user.role) & route->roles) == 0) {
		api_fail(reply, 403, "FORBIDDEN",
			"Your role, %s, may not do this. Ask an administrator.",
			call->user.role);
		return -EACCES;
	}
	if (route->person && call->key_id != 0) {
		api_fail(reply, 403, "PERSON_NEEDED",
			"An API key may not do this. Sign in as a person: POST "
			"/api/auth/login.");
		return -EACCES;
	}
	return scope_check(call, route, reply);
}

int admit(struct api_call *call, const struct api_route *route, struct api_reply *reply)
{
	/* Browsers add cookies by themselves, keys never. */
	if (!api_key_is_given(call->request) && auth_same_site(call->request) < 0) {
		api_fail(reply, 403, "CROSS_SITE",
			"This request came from another site. Use the console's own pages.");
		return -EACCES;
	}
	if (route->roles == API_ANYBODY)
		return 0;
	if (identify(call, reply) < 0 ||
		too_often(reply, rate_principal(call->gw->rate, api_principal(call),
					 clock_mono_ms())) < 0)
		return -EACCES;
	return permit(call, route, reply);
}
