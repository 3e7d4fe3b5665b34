/*
 * fields.h: takes typed values out of Twilio's JSON, where numbers come as strings, unset fields
 * as null and times as RFC 2822 (twilio.com/docs/usage/twilios-response). Private to this room.
 */
#ifndef OMNIVOX_TWILIO_FIELDS_H
#define OMNIVOX_TWILIO_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "twilio/client.h"

const char *field_get(const json_t *object, const char *key); /* NULL: null or no text */
/* Text that does not fit is left empty: half an address would be a wrong address. */
void field_text(const json_t *object, const char *key, char *dst, size_t size);
int64_t field_int(const json_t *object, const char *key, int64_t otherwise);
int64_t field_time_ms(const json_t *object, const char *key); /* 0 when null or no time */
bool field_bool(const json_t *object, const char *key);
/* -EBADMSG for anything but a SID of that kind. */
int field_sid(const json_t *object, const char *key, const char *prefix,
	char dst[TWILIO_SID_SIZE]);

#define FIELD_TEXT(object, key, field) field_text(object, key, field, sizeof(field))

#endif
