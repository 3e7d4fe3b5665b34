/* numbering.c: looks numbers up in the tables of numbering plans. See numbering.h. */
#include "dialer/numbering.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialer/number.h"
#include "dialer/numbering_data.h"

#define LAST \
	0x8000 /* of a target's digits, and of the label of a state that leads nowhere */
#define LABEL 0x7fff /* the rest of a label */

/* The place that `digit` leads to from `place`; 0, where nothing leads, when it leads nowhere. */
static size_t step(const uint16_t *automaton, size_t place, char digit)
{
	unsigned bit = 1U << (digit - '0');
	const uint16_t *target = automaton + place;
	uint16_t digits;

	if (*target++ & LAST)
		return 0;
	do {
		digits = *target++;
		if (digits & bit)
			return *target;
		target++;
	} while (!(digits & LAST));
	return 0;
}

/* The label of all of `digits`; 0: they lead nowhere. */
static unsigned label_of_all(const uint16_t *automaton, const char *digits)
{
	size_t place = 0;

	for (; *digits != '\0'; digits++)
		if ((place = step(automaton, place, *digits)) == 0)
			return 0;
	return automaton[place] & LABEL;
}

/* The label of the longest prefix of `digits` that has one; 0: none. */
static unsigned label_of_prefix(const uint16_t *automaton, const char *digits)
{
	unsigned label = 0;
	size_t place = 0;

	for (; *digits != '\0'; digits++) {
		if ((place = step(automaton, place, *digits)) == 0)
			break;
		if (automaton[place] & LABEL)
			label = automaton[place] & LABEL;
	}
	return label;
}

static const struct numbering_code *code_of(const char *digits)
{
	unsigned three = (unsigned)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 +
				    (digits[2] - '0'));
	unsigned index = numbering_code_index[three];

	return index == 0 ? NULL : &numbering_codes[index - 1];
}

static void find_zones(struct numbering *found, const char *digits)
{
	unsigned label = label_of_prefix(numbering_places, digits);

	if (label == 0)
		return;
	found->zones = numbering_zones + numbering_zone_sets[label - 1].first;
	found->zone_count = numbering_zone_sets[label - 1].count;
}

int numbering_lookup(const char *e164, struct numbering *ret)
{
	struct numbering found = {.country = "", .calling_code = ""};
	const struct numbering_code *code;
	const char *digits = e164 + 1;
	unsigned lengths, home;

	if (!number_valid(e164))
		return -EINVAL;
	code = code_of(digits);
	if (code != NULL) {
		found.calling_code = code->code;
		lengths = code->lengths;
		home = label_of_prefix(numbering_homes, digits);
		if (home != 0) {
			found.country = numbering_countries[home - 1].iso;
			lengths = numbering_countries[home - 1].lengths;
		}
		found.possible = lengths >> (strlen(digits) - strlen(code->code)) & 1;
		found.kind = label_of_all(numbering_kinds, digits);
		found.valid = found.kind > NUMBERING_UNASSIGNED;
		find_zones(&found, digits);
	}
	*ret = found;
	return 0;
}

static int compare_iso(const void *iso, const void *country)
{
	return strcmp(iso, ((const struct numbering_country *)country)->iso);
}

static const struct numbering_country *find(const char *iso)
{
	return bsearch(iso, numbering_countries, numbering_country_count,
		sizeof(*numbering_countries), compare_iso);
}

const char *numbering_country(const char *iso_or_code)
{
	const struct numbering_country *country;
	char padded[4] = "000", iso[3] = "";
	size_t len = strlen(iso_or_code);
	const struct numbering_code *code;

	if (len == 2 && isalpha((unsigned char)iso_or_code[0])) {
		iso[0] = (char)toupper((unsigned char)iso_or_code[0]);
		iso[1] = (char)toupper((unsigned char)iso_or_code[1]);
		country = find(iso);
		return country == NULL ? NULL : country->iso;
	}
	if (len < 1 || len > 3 || strspn(iso_or_code, "0123456789") != len)
		return NULL;
	memcpy(padded, iso_or_code, len);
	code = code_of(padded);
	if (code == NULL || code->country < 0 || strcmp(code->code, iso_or_code) != 0)
		return NULL;
	return numbering_countries[code->country].iso;
}

size_t numbering_prefix(
	const char *iso, enum numbering_prefix which, const char *digits, size_t after)
{
	const struct numbering_country *country = find(iso);
	unsigned root = country == NULL            ? 0
			: which == NUMBERING_TRUNK ? country->trunk
						   : country->abroad;
	size_t place;

	if (root == 0)
		return 0;
	place = step(numbering_prefixes, 0, (char)('0' + root / 10));
	place = step(numbering_prefixes, place, (char)('0' + root % 10));
	for (size_t len = 1; digits[len - 1] != '\0'; len++) {
		place = step(numbering_prefixes, place, digits[len - 1]);
		if (place == 0)
			return 0;
		if (len > after && (numbering_prefixes[place] & LABEL))
			return len;
	}
	return 0;
}

const char *numbering_calling_code(const char *iso)
{
	const struct numbering_country *country = find(iso);

	return country == NULL ? "" : country->code;
}

const char *numbering_area(const char *iso)
{
	const struct numbering_country *country = find(iso);

	return country == NULL ? "" : country->area;
}
