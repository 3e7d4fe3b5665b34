/* numbers.c: numbers from a list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/memory.h"
#include "sandbox/numbers.h"
#include "sandbox/sandbox.h"

#define NUMBERS_MAX 1000

int number_valid(const char *text)
{
	size_t digits = text[0] == '+' ? strspn(text + 1, "0123456789") : 0;

	return digits >= 4 && digits <= 15 && text[1] != '0' && text[digits + 1] == '\0';
}

struct resource *numbers_find(struct sandbox *sandbox, const char *phone_number)
{
	return resources_find_by(
		sandbox->resources, &kind_number, "phone_number", phone_number);
}

static void add(struct sandbox *sandbox, const char *phone_number)
{
	struct resource *number = resource_new(sandbox, &kind_number, "");
	struct chance chance = {.state = chance_hash(0, phone_number, 0)};

	chance_sid(&chance, "PN", number->sid);
	resource_set(number, "phone_number", phone_number);
	resource_set(number, "friendly_name", phone_number);
	resources_add(sandbox->resources, number);
}

int numbers_add(struct sandbox *sandbox, const char *list, struct err *err)
{
	char *copy = memory_text(list), *rest = NULL, *word;
	const char *words[NUMBERS_MAX];
	size_t count = 0;
	int r = 0;

	for (word = strtok_r(copy, ", ", &rest); word != NULL && r == 0;
		word = strtok_r(NULL, ", ", &rest)) {
		if (!number_valid(word) || count == NUMBERS_MAX)
			r = err_set(err, -EINVAL,
				"\"%s\" is not a number like +15550001, or one too many",
				word);
		else
			words[count++] = word;
	}
	/* The last made is listed first, so the first of the list is made last. */
	while (r == 0 && count > 0)
		if (numbers_find(sandbox, words[--count]) == NULL)
			add(sandbox, words[count]);
	free(copy);
	return r;
}
