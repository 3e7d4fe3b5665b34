/* limits_body.h: objects of numbers in a body, and the money limits of a campaign. */
#ifndef OMNIVOX_GATEWAY_LIMITS_BODY_H
#define OMNIVOX_GATEWAY_LIMITS_BODY_H

#include "db/campaigns.h"
#include "gateway/api.h"

/* A member of an object: a whole number into *whole, or any number into *real. */
struct body_number {
	const char *name;
	double lo, hi;
	int *whole;
	double *real;
	bool nullable; /* null is 0 */
};

/*
 * Reads the object `field` of a body; absent members stay as they are. -EINVAL with the reply
 * filled for what is no object, no number, out of bounds or unknown.
 */
int body_numbers(struct api_reply *reply, const char *field, const json_t *object,
	const struct body_number *parts, size_t count);

/* `limits`: 0 inside is null outside, no limit. */
int limits_read(struct api_call *call, struct api_reply *reply, struct db_limits *limits);
json_t *limits_json(const struct db_limits *limits);

#endif
