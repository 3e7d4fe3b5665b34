/* numbers.c: a fixed list from the command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/memory.h"
#include "sandbox/numbers.h"

#define NUMBERS_MAX 1000

struct numbers {
	struct number *all;
	size_t count;
};

int number_valid(const char *text)
{
	size_t digits = text[0] == '+' ? strspn(text + 1, "0123456789") : 0;

	return digits >= 4 && digits <= 15 && text[1] != '0' && text[digits + 1] == '\0';
}

static void add(struct numbers *numbers, const char *phone_number)
{
	struct number *number = &numbers->all[numbers->count++];
	struct chance chance = {.state = chance_hash(0, phone_number, 0)};

	chance_sid(&chance, "PN", number->sid);
	number->phone_number = memory_text(phone_number);
	number->friendly_name = memory_text(phone_number);
	number->voice_method = memory_text("POST");
	number->voice_fallback_method = memory_text("POST");
	number->status_callback_method = memory_text("POST");
	number->created_ms = number->updated_ms = clock_wall_ms();
}

int numbers_new(const char *list, struct numbers **ret_numbers, struct err *err)
{
	struct numbers *numbers = memory_zero(sizeof(*numbers));
	char *copy = memory_text(list), *rest = NULL, *word;
	int r = 0;

	numbers->all = memory_zero(NUMBERS_MAX * sizeof(*numbers->all));
	for (word = strtok_r(copy, ", ", &rest); word != NULL;
		word = strtok_r(NULL, ", ", &rest)) {
		if (!number_valid(word) || numbers->count == NUMBERS_MAX) {
			r = err_set(err, -EINVAL,
				"SANDBOX_NUMBERS: \"%s\" is not a number like +15550001",
				word);
			break;
		}
		add(numbers, word);
	}
	free(copy);
	if (r < 0)
		numbers_free(&numbers);
	else
		*ret_numbers = numbers;
	return r;
}

void numbers_free(struct numbers **numbers)
{
	size_t i;

	if (*numbers == NULL)
		return;
	for (i = 0; i < (*numbers)->count; i++) {
		struct number *n = &(*numbers)->all[i];

		free(n->phone_number);
		free(n->friendly_name);
		free(n->voice_url);
		free(n->voice_method);
		free(n->voice_fallback_url);
		free(n->voice_fallback_method);
		free(n->status_callback);
		free(n->status_callback_method);
	}
	free((*numbers)->all);
	free(*numbers);
	*numbers = NULL;
}

size_t numbers_count(const struct numbers *numbers)
{
	return numbers->count;
}

struct number *numbers_at(struct numbers *numbers, size_t i)
{
	return &numbers->all[i];
}

struct number *numbers_find(struct numbers *numbers, const char *number_or_sid)
{
	size_t i;

	for (i = 0; i < numbers->count; i++)
		if (strcmp(numbers->all[i].phone_number, number_or_sid) == 0 ||
			strcmp(numbers->all[i].sid, number_or_sid) == 0)
			return &numbers->all[i];
	return NULL;
}
