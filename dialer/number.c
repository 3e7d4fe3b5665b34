/* number.c: phone numbers to E.164. See number.h. */
#include "dialer/number.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "dialer/numbering.h"

#define DIGITS "0123456789"
#define DIGITS_MIN 7
#define DIGITS_MAX 15
#define TYPED_SIZE 33 /* longer than any prefix with a number behind it */
#define ARGENTINE 10  /* digits of area code and number */

bool number_valid(const char *number)
{
	size_t len = strlen(number);

	return number[0] == '+' && len > DIGITS_MIN && len <= DIGITS_MAX + 1 &&
	       number[1] != '0' && strspn(number + 1, DIGITS) == len - 1;
}

/* ---- what was typed ---- */

#define ZERO "(0)" /* "+44 (0)20": to be left out from abroad, where the plan has it so */

/* How many bytes at `text` only separate digits; 0: none. */
static size_t separator(const char *text)
{
	static const char *const marks[] = {
		"\xc2\xa0",     /* no-break space */
		"\xc2\xad",     /* soft hyphen */
		"\xe2\x80\x8b", /* zero-width space; U+200E and U+200F: direction marks */
		"\xe2\x80\x8e", "\xe2\x80\x8f",
		"\xe2\x80\x90", /* hyphens and dashes, U+2010 to U+2015 */
		"\xe2\x80\x91", "\xe2\x80\x92", "\xe2\x80\x93", "\xe2\x80\x94",
		"\xe2\x80\x95", "\xe2\x80\xaa", /* direction marks of address books */
		"\xe2\x80\xac", "\xe2\x80\xaf", /* narrow no-break space */
		"\xe2\x81\xa0",                 /* word joiner */
		"\xe2\x88\x92",                 /* minus */
		"\xe3\x80\x80",                 /* ideographic space */
		"\xef\xbb\xbf",                 /* byte order mark */
	};

	if (*text != '\0' && strchr(" \t\r\n.-/()[]", *text) != NULL)
		return 1;
	for (size_t i = 0; (*text & 0x80) != 0 && i < sizeof(marks) / sizeof(marks[0]);
		i++)
		if (strncmp(text, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	return 0;
}

/* The digit or plus at `text`, of whichever script, as ASCII; *ret_len its bytes. 0: neither. */
static char symbol(const char *text, size_t *ret_len)
{
	/* The digit 0; the others follow. Arabic-Indic, Eastern Arabic, fullwidth. */
	static const char *const zeros[] = {"0", "\xd9\xa0", "\xdb\xb0", "\xef\xbc\x90"};
	static const char wide_plus[] = "\xef\xbc\x8b";

	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
		size_t last = strlen(zeros[i]) - 1;
		int digit;

		if (strncmp(text, zeros[i], last) != 0)
			continue;
		digit = (unsigned char)text[last] - (unsigned char)zeros[i][last];
		*ret_len = last + 1;
		if (digit >= 0 && digit <= 9)
			return (char)('0' + digit);
	}
	*ret_len = *text == '+' ? 1 : strlen(wide_plus);
	return *text == '+' || strncmp(text, wide_plus, *ret_len) == 0 ? '+' : '\0';
}

struct typed {
	char digits[TYPED_SIZE];
	bool plus; /* there was a + in front */
	bool zero; /* there was a (0) */
};

/* Only the digits of `text`; those of (0) when `keep_zero`. */
static int strip(const char *text, bool keep_zero, struct typed *ret_typed)
{
	struct typed typed = {.plus = false};
	size_t len = 0, skip;
	char c;

	/* Spreadsheets put it before what shall stay text. */
	if (*text == '\'')
		text++;
	for (; *text != '\0'; text += skip) {
		if (!keep_zero && strncmp(text, ZERO, strlen(ZERO)) == 0) {
			typed.zero = true;
			skip = strlen(ZERO);
			continue;
		}
		if ((skip = separator(text)) > 0)
			continue;
		c = symbol(text, &skip);
		if (c == '+' && len == 0 && !typed.plus)
			typed.plus = true;
		else if (c >= '0' && len < TYPED_SIZE - 1)
			typed.digits[len++] = c;
		else
			return -EINVAL;
	}
	*ret_typed = typed;
	return 0;
}

/* ---- readings ---- */

/* How sure a reading is: no number of its plan, one that could be, one that is given out. */
enum grade { GRADE_NONE, GRADE_SHAPED, GRADE_VALID };

/* The best reading so far; of equals the first. */
struct choice {
	char number[NUMBER_SIZE];
	enum grade grade;
};

static int compose(const char *before, const char *digits, char ret_number[NUMBER_SIZE])
{
	size_t lead = strlen(before), len = strlen(digits);
	char number[NUMBER_SIZE] = "+";

	if (lead + len > DIGITS_MAX)
		return -EINVAL;
	memcpy(number + 1, before, lead);
	memcpy(number + 1 + lead, digits, len + 1);
	if (!number_valid(number))
		return -EINVAL;
	memcpy(ret_number, number, sizeof(number));
	return 0;
}

static void offer(
	struct choice *choice, const char *before, const char *digits, enum grade least)
{
	char number[NUMBER_SIZE];
	struct numbering found;
	enum grade grade;

	if (choice->grade == GRADE_VALID || compose(before, digits, number) < 0 ||
		numbering_lookup(number, &found) < 0)
		return;
	grade = found.valid                                            ? GRADE_VALID
		: found.kind == NUMBERING_UNASSIGNED && found.possible ? GRADE_SHAPED
								       : GRADE_NONE;
	if (grade >= least && grade > choice->grade) {
		memcpy(choice->number, number, sizeof(number));
		choice->grade = grade;
	}
}

/* Mobiles of Argentina are 15 behind the area code at home, and 9 before it from abroad. */
static void offer_argentine(struct choice *choice, const char *digits)
{
	char moved[ARGENTINE + 1] = "";
	size_t len = strlen(digits);

	for (size_t area = 2; area <= 4 && len == ARGENTINE + 2; area++) {
		if (strncmp(digits + area, "15", 2) != 0)
			continue;
		memcpy(moved, digits, area);
		memcpy(moved + area, digits + area + 2, ARGENTINE - area);
		offer(choice, "549", moved, GRADE_VALID);
	}
}

/* As people of `country` dial at home. */
static void offer_national(
	struct choice *choice, const char *country, const char *digits, enum grade least)
{
	const char *code = numbering_calling_code(country);
	size_t len = 0;

	/* In a few plans what looks like a trunk prefix can be the number's own. */
	offer(choice, code, digits, GRADE_VALID);
	while ((len = numbering_prefix(country, NUMBERING_TRUNK, digits, len)) > 0) {
		offer(choice, code, digits + len, least);
		if (strcmp(country, "AR") == 0)
			offer_argentine(choice, digits + len);
	}
	if (strcmp(country, "AR") == 0)
		offer_argentine(choice, digits);
	offer(choice, code, digits, least);
}

/* With the calling code in front. A trunk prefix behind it is too much: "+44 020". */
static void offer_international(struct choice *choice, const char *digits)
{
	const char *country;
	char code[4] = "";

	offer(choice, "", digits, GRADE_SHAPED);
	for (size_t len = 1; len <= 3 && digits[len - 1] != '\0'; len++) {
		code[len - 1] = digits[len - 1];
		country = numbering_country(code);
		if (country != NULL)
			offer_national(choice, country, digits + len, GRADE_VALID);
	}
}

/* No + in front. */
static void offer_local(struct choice *choice, const char *country, const char *digits)
{
	const char *code = numbering_calling_code(country);
	const char *area = numbering_area(country);
	char before[8]; /* a code of up to 3 digits, an area of up to 4 */
	size_t len = 0;

	offer_national(choice, country, digits, GRADE_SHAPED);
	if (area[0] != '\0') {
		(void)snprintf(before, sizeof(before), "%.3s%.4s", code, area);
		offer(choice, before, digits, GRADE_VALID);
	}
	if (code[0] != '\0' && strncmp(digits, code, strlen(code)) == 0)
		offer(choice, "", digits, GRADE_VALID);
	while ((len = numbering_prefix(country, NUMBERING_ABROAD, digits, len)) > 0)
		offer_international(choice, digits + len);
}

static void choose(struct choice *choice, const char *country, const struct typed *typed)
{
	const char *digits = typed->digits;

	if (typed->plus) {
		offer_international(choice, digits);
		return;
	}
	offer_local(choice, country, digits);
	if (strncmp(digits, "00", 2) == 0)
		offer_international(choice, digits + 2);
}

int number_normalise(const char *text, const char *country, char ret_number[NUMBER_SIZE])
{
	struct choice choice = {.grade = GRADE_NONE};
	struct typed typed, whole;
	char digits[NUMBER_SIZE - 1];

	if (country == NULL)
		country = "";
	if (strip(text, false, &typed) < 0)
		return -EINVAL;
	choose(&choice, country, &typed);
	/* Where the 0 is part of the number, as in Italy. */
	if (choice.grade != GRADE_VALID && typed.zero && strip(text, true, &whole) == 0)
		choose(&choice, country, &whole);
	/* A plan that is newer than our tables. */
	if (choice.grade == GRADE_NONE && typed.plus)
		return compose("", typed.digits, ret_number);
	if (choice.grade == GRADE_NONE)
		return -EINVAL;
	/* Countries that share a code have prefixes of their own: read as from abroad it must stay. */
	if (choice.grade == GRADE_SHAPED) {
		memcpy(digits, choice.number + 1, sizeof(digits));
		offer_international(&choice, digits);
	}
	memcpy(ret_number, choice.number, sizeof(choice.number));
	return 0;
}

bool number_tells_country(const char *text)
{
	struct typed typed;

	return strip(text, false, &typed) == 0 &&
	       (typed.plus || strncmp(typed.digits, "00", 2) == 0);
}
