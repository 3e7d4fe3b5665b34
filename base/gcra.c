/* gcra.c: theoretical arrival times in sets of four. See gcra.h. */
#include "base/gcra.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#define WAYS 4

struct slot {
	uint64_t key;
	int64_t arrival_us; /* when the allowance is full again; 0: never used */
};

struct gcra {
	pthread_mutex_t lock;
	uint64_t secret;
	size_t sets;
	struct slot slots[];
};

int gcra_new(size_t keys, struct gcra **ret_gcra)
{
	size_t sets = (keys + WAYS - 1) / WAYS;
	struct gcra *gcra;

	if (sets == 0)
		return -EINVAL;
	gcra = calloc(1, sizeof(*gcra) + sets * WAYS * sizeof(gcra->slots[0]));
	if (gcra == NULL)
		return -ENOMEM;
	(void)pthread_mutex_init(&gcra->lock, NULL);
	gcra->sets = sets;
	if (getrandom(&gcra->secret, sizeof(gcra->secret), 0) !=
		(ssize_t)sizeof(gcra->secret))
		abort();
	*ret_gcra = gcra;
	return 0;
}

void gcra_free(struct gcra **gcra)
{
	if (*gcra != NULL)
		(void)pthread_mutex_destroy(&(*gcra)->lock);
	free(*gcra);
	*gcra = NULL;
}

/* FNV-1a from a secret start, then the finaliser of MurmurHash3. */
uint64_t gcra_key(const struct gcra *gcra, const void *data, size_t len)
{
	uint64_t hash = gcra->secret;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211u;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
	return hash ^ hash >> 33;
}

/* Under the lock. The key's slot, or the one that is missed least. */
static struct slot *find(struct gcra *gcra, uint64_t key)
{
	struct slot *set = &gcra->slots[key % gcra->sets * WAYS];
	struct slot *least = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].arrival_us < least->arrival_us)
			least = &set[i];
	}
	*least = (struct slot){.key = key};
	return least;
}

int64_t gcra_take(
	struct gcra *gcra, uint64_t key, const struct gcra_rule *rule, int64_t now_us)
{
	int64_t spare_us = (rule->burst - 1) * rule->every_us;
	int64_t from_us, wait_us = 0;
	struct slot *slot;

	(void)pthread_mutex_lock(&gcra->lock);
	slot = find(gcra, key);
	from_us = slot->arrival_us > now_us ? slot->arrival_us : now_us;
	if (from_us - now_us > spare_us)
		wait_us = from_us - now_us - spare_us;
	else
		slot->arrival_us = from_us + rule->every_us;
	(void)pthread_mutex_unlock(&gcra->lock);
	return wait_us;
}
