/* import_seen.c: open addressing. See import_seen.h. */
#include "gateway/import_seen.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE 1024

/* The place of `key`, or the free one where it belongs. */
static uint64_t *place(const struct import_seen *seen, uint64_t key)
{
	/* Numbers are mostly in rows: a multiplication spreads them (Knuth 6.4). */
	size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (seen->size - 1);

	while (seen->keys[at] != 0 && seen->keys[at] != key)
		at = (at + 1) & (seen->size - 1);
	return &seen->keys[at];
}

static int grow(struct import_seen *seen)
{
	struct import_seen larger = {
		.size = seen->size == 0 ? FIRST_SIZE : seen->size * 2,
		.count = seen->count};

	larger.keys = calloc(larger.size, sizeof(larger.keys[0]));
	if (larger.keys == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < seen->size; i++)
		if (seen->keys[i] != 0)
			*place(&larger, seen->keys[i]) = seen->keys[i];
	free(seen->keys);
	*seen = larger;
	return 0;
}

int import_seen_add(struct import_seen *seen, uint64_t key)
{
	uint64_t *at;

	assert(key != 0);
	if (seen->count * 2 >= seen->size && grow(seen) < 0)
		return -ENOMEM;
	at = place(seen, key);
	if (*at == key)
		return 0;
	*at = key;
	seen->count++;
	return 1;
}

void import_seen_free(struct import_seen *seen)
{
	free(seen->keys);
	*seen = (struct import_seen){.keys = NULL};
}
