/* facts.c: the table. */
#include <string.h>

#include "sandbox/facts.h"

#define FACT(field, otherwise, low, high, help)                                   \
	{                                                                         \
#field, otherwise, low, high, help, offsetof(struct facts, field) \
	}

static const struct fact table[] = {
	FACT(media_auth, 1, 0, 1,
		"1: media of recordings needs the account's credentials"),
	FACT(recording_ready_ms, 500, 0, 600000,
		"from the end of a recording to its file and callback"),
};

const struct fact *facts_at(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

const struct fact *facts_find(const char *name)
{
	const struct fact *fact;
	size_t i;

	for (i = 0; (fact = facts_at(i)) != NULL; i++)
		if (strcmp(fact->name, name) == 0)
			return fact;
	return NULL;
}

int64_t *facts_value(struct facts *facts, const struct fact *fact)
{
	return (int64_t *)(void *)((char *)facts + fact->offset);
}

void facts_init(struct facts *facts)
{
	const struct fact *fact;
	size_t i;

	for (i = 0; (fact = facts_at(i)) != NULL; i++)
		*facts_value(facts, fact) = fact->otherwise;
}
