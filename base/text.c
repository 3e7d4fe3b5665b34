/* text.c: small checked string helpers. See text.h. */
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int text_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size) {
		if (size > 0)
			dst[0] = '\0';
		return -ENAMETOOLONG;
	}
	memcpy(dst, src, len + 1);
	return 0;
}

void text_cut(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((unsigned char)src[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(dst, src, len);
	dst[len] = '\0';
}

bool text_blank(const char *text)
{
	return text[strspn(text, " \t\n\v\f\r")] == '\0';
}

size_t text_chars(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

size_t text_char(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0; /* too long, a surrogate, beyond U+10FFFF */
	return len;
}

bool text_mend(char *text)
{
	bool mended = false;
	size_t step;

	for (; *text != '\0'; text += step) {
		step = text_char(text);
		if (step == 0) {
			*text = '?';
			step = 1;
			mended = true;
		}
	}
	return mended;
}

int text_int(const char *text, int64_t lo, int64_t hi, int64_t *ret_value)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	long long value;

	if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return -EINVAL;
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno == ERANGE || value < lo || value > hi)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *text_hex(char *dst, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++) {
		dst[2 * i] = digits[bytes[i] >> 4];
		dst[2 * i + 1] = digits[bytes[i] & 15];
	}
	dst[2 * len] = '\0';
	return dst;
}

char *text_random(char *dst, size_t bytes)
{
	unsigned char chunk[32];
	size_t done = 0;

	while (done < bytes) {
		size_t take = bytes - done < sizeof(chunk) ? bytes - done : sizeof(chunk);

		if (getrandom(chunk, take, 0) != (ssize_t)take)
			abort();
		(void)text_hex(dst + 2 * done, chunk, take);
		done += take;
	}
	dst[2 * bytes] = '\0';
	return dst;
}

int text_differs(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char difference = 0;

	for (size_t i = 0; i < len; i++)
		difference |= (unsigned char)(x[i] ^ y[i]);
	return difference;
}
