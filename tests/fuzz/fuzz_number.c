/* fuzz_number.c: dialer/number.h and numbering.h: two letters of a country, then what was typed. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dialer/number.h"
#include "dialer/numbering.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char country[3] = "", text[128], number[NUMBER_SIZE], again[NUMBER_SIZE];
	struct numbering found;
	const char *known;

	if (size < 2 || size - 2 >= sizeof(text))
		return 0;
	memcpy(country, data, 2);
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	known = numbering_country(country);
	if (number_normalise(text, known, number) < 0)
		return 0;
	assert(number_valid(number));
	assert(numbering_lookup(number, &found) == 0);
	assert(!found.valid || found.possible);
	/* What was understood once is understood the same way for ever. */
	assert(number_normalise(number, known, again) == 0);
	assert(strcmp(number, again) == 0);
	return 0;
}
