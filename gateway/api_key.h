/* api_key.h: keys for programs: "Authorization: Bearer ovx_<id>_<secret>". */
#ifndef OMNIVOX_GATEWAY_API_KEY_H
#define OMNIVOX_GATEWAY_API_KEY_H

#include "gateway/api.h"

#define API_KEY_SIZE 96

/* Pure. Whether the request brings one, right or wrong. */
bool api_key_is_given(const struct http_request *request);

/*
 * Database worker. Fills in the user that the key acts for, in the key's role, and the key. One
 * answer, -EACCES, for a key that is unknown, wrong, expired or revoked.
 */
int api_key_user(struct api_call *call);

void api_keys_list(struct api_call *call, struct api_reply *reply);
void api_key_create(struct api_call *call, struct api_reply *reply);
void api_key_revoke(struct api_call *call, struct api_reply *reply);

#endif
