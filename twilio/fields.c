/* fields.c: typed values out of Twilio's JSON. See fields.h. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "base/text.h"
#include "twilio/fields.h"

const char *field_get(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

void field_text(const json_t *object, const char *key, char *dst, size_t size)
{
	const char *text = field_get(object, key);

	(void)text_copy(dst, size, text != NULL ? text : "");
}

int64_t field_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);
	int64_t number = otherwise;

	if (json_is_integer(value))
		return json_integer_value(value);
	if (json_is_string(value))
		(void)text_int(json_string_value(value), INT32_MIN, INT32_MAX, &number);
	return number;
}

int64_t field_time_ms(const json_t *object, const char *key)
{
	const char *text = field_get(object, key);
	time_t t = text != NULL ? curl_getdate(text, NULL) : -1;

	return t > 0 ? (int64_t)t * 1000 : 0;
}

bool field_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

int twilio_sid_check(const char *sid, const char *prefix)
{
	if (sid == NULL || strlen(sid) != TWILIO_SID_SIZE - 1)
		return -EINVAL;
	if (strncmp(sid, prefix, 2) != 0)
		return -EINVAL;
	for (size_t i = 2; i < TWILIO_SID_SIZE - 1; i++)
		if (!isxdigit((unsigned char)sid[i]))
			return -EINVAL;
	return 0;
}

int field_sid(const json_t *object, const char *key, const char *prefix,
	char dst[TWILIO_SID_SIZE])
{
	const char *sid = field_get(object, key);

	if (twilio_sid_check(sid, prefix) != 0)
		return -EBADMSG;
	return text_copy(dst, TWILIO_SID_SIZE, sid);
}
