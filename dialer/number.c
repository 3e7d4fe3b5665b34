/* number.c: phone numbers to E.164. See number.h. */
#include "dialer/number.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define DIGITS "0123456789"
#define DIGITS_MIN 7
#define DIGITS_MAX 15
#define TYPED_SIZE 33 /* longer than any prefix with a number behind it */

/* Dialled before a number abroad, and before an area code at home (ITU-T E.164.C, E.123). */
struct plan {
	const char *country, *abroad, *trunk;
};

/* A country that is not here has "00" and "0". */
static const struct plan plans[] = {
	{"1", "011", "1"},
	{"7", "810", "8"},
	{"36", "00", "06"},
	{"39", "00",
		""}, /* Italy, San Marino and these of Africa: the 0 is of the number */
	{"61", "0011", "0"},
	{"81", "010", "0"},
	{"225", "00", ""},
	{"229", "00", ""},
	{"242", "00", ""},
	{"378", "00", ""},
};

static const struct plan *plan_of(const char *country)
{
	static const struct plan usual = {"", "00", "0"};

	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		if (strcmp(plans[i].country, country) == 0)
			return &plans[i];
	return &usual;
}

bool number_valid(const char *number)
{
	size_t len = strlen(number);

	return number[0] == '+' && len > DIGITS_MIN && len <= DIGITS_MAX + 1 &&
	       number[1] != '0' && strspn(number + 1, DIGITS) == len - 1;
}

/* How many bytes at `text` only separate digits; 0: none. */
static size_t separator(const char *text)
{
	static const char *const marks[] = {
		"(0)",          /* "+44 (0)20": to be left out from abroad */
		"\xc2\xa0",     /* no-break space */
		"\xe2\x80\x90", /* hyphens and dashes, U+2010 to U+2015 */
		"\xe2\x80\x91", "\xe2\x80\x92", "\xe2\x80\x93", "\xe2\x80\x94",
		"\xe2\x80\x95", "\xe2\x80\xaa", /* direction marks of address books */
		"\xe2\x80\xac", "\xe2\x80\xaf", /* narrow no-break space */
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strncmp(text, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	return *text != '\0' && strchr(" \t\r\n.-/()[]", *text) != NULL;
}

/* Only the digits of `text`; `*ret_plus`: there was a + in front of them. */
static int strip(const char *text, char digits[TYPED_SIZE], bool *ret_plus)
{
	size_t len = 0, skip;
	bool plus = false;

	while (*text != '\0') {
		if ((skip = separator(text)) > 0) {
			text += skip;
			continue;
		}
		if (*text == '+' && len == 0 && !plus)
			plus = true;
		else if (*text >= '0' && *text <= '9' && len < TYPED_SIZE - 1)
			digits[len++] = *text;
		else
			return -EINVAL;
		text++;
	}
	digits[len] = '\0';
	*ret_plus = plus;
	return 0;
}

/* `prefix` is not empty and `digits` begin with it. */
static bool begins(const char *digits, const char *prefix)
{
	return *prefix != '\0' && strncmp(digits, prefix, strlen(prefix)) == 0;
}

/* Writes '+', country and digits, if that is a number. */
static int compose(const char *country, const char *digits, char ret_number[NUMBER_SIZE])
{
	char number[NUMBER_SIZE] = "+";

	if (strlen(country) + strlen(digits) > DIGITS_MAX)
		return -EINVAL;
	strcat(number, country);
	strcat(number, digits);
	if (!number_valid(number))
		return -EINVAL;
	memcpy(ret_number, number, sizeof(number));
	return 0;
}

int number_normalise(
	const char *text, const char *country_code, char ret_number[NUMBER_SIZE])
{
	const char *country = country_code == NULL ? "" : country_code;
	const struct plan *plan = plan_of(country);
	char typed[TYPED_SIZE];
	const char *digits = typed;
	bool plus;

	if (strip(text, typed, &plus) < 0)
		return -EINVAL;
	if (plus)
		return compose("", digits, ret_number);
	if (begins(digits, plan->abroad))
		return compose("", digits + strlen(plan->abroad), ret_number);
	if (begins(digits, "00"))
		return compose("", digits + 2, ret_number);
	if (*country == '\0')
		return -EINVAL;
	if (begins(digits, plan->trunk))
		digits += strlen(plan->trunk);
	/* North America: seven digits are a local call, and area codes begin with 2 to 9. */
	if (strcmp(country, "1") == 0 && (strlen(digits) != 10 || *digits < '2'))
		return -EINVAL;
	return compose(country, digits, ret_number);
}
