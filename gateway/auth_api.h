/* auth_api.h: who is asking? Sign-in, sign-out, and the session cookie. */
#ifndef OMNIVOX_GATEWAY_AUTH_API_H
#define OMNIVOX_GATEWAY_AUTH_API_H

#include "gateway/api.h"

void auth_login(struct api_call *call, struct api_reply *reply);
void auth_logout(struct api_call *call, struct api_reply *reply);
void auth_me(struct api_call *call, struct api_reply *reply);
void auth_password(struct api_call *call, struct api_reply *reply);

/* Database worker. Fills in user and session of the request's cookie; -EACCES without one. */
int auth_user(struct api_call *call);

/*
 * Pure. Whether a request with a cookie comes from our own pages: unsafe methods need
 * Sec-Fetch-Site same-origin or none, or an Origin whose host is the Host. Programs that send
 * neither header are not browsers, and no page can make them act.
 */
int auth_same_site(const struct http_request *request);

#endif
