/* range.c: the one form of Range that players and browsers send. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "http/server.h"

/* Digits at *at, which moves past them; -EINVAL without any. */
static int take_number(const char **at, int64_t *ret_number)
{
	size_t len = strspn(*at, "0123456789");
	char digits[20];

	if (len == 0 || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, *at, len);
	digits[len] = '\0';
	*at += len;
	return text_int(digits, 0, INT64_MAX, ret_number);
}

int http_range_parse(const char *range, size_t size, size_t *ret_first, size_t *ret_len)
{
	int64_t first = -1, last = (int64_t)size - 1, number;
	const char *at = range;

	if (strncmp(at, "bytes=", 6) != 0)
		return -ENOENT;
	at += 6;
	if (*at != '-' && take_number(&at, &first) < 0)
		return -ENOENT;
	if (*at++ != '-')
		return -ENOENT;
	if (*at != '\0') {
		if (take_number(&at, &number) < 0 || *at != '\0')
			return -ENOENT;
		if (first < 0) /* "-500": the last 500 */
			first = number < (int64_t)size ? (int64_t)size - number : 0;
		else if (number < first)
			return -ENOENT;
		else if (number < last)
			last = number;
	} else if (first < 0) {
		return -ENOENT;
	}
	if (first > last)
		return -ERANGE;
	*ret_first = (size_t)first;
	*ret_len = (size_t)(last - first + 1);
	return 0;
}
