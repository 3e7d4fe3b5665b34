/* fair.c: who is next. See fair.h. */
#include "dialer/fair.h"

#include <assert.h>

#define TURN 1000000 /* of weight 1 */

/* When its next turn would begin. */
static int64_t start_of(const struct fair *fair, const struct fair_member *m)
{
	assert(m->priority >= 0 && m->priority < FAIR_PRIORITIES && m->weight > 0);
	return m->finished > fair->now[m->priority] ? m->finished
						    : fair->now[m->priority];
}

bool fair_before(
	const struct fair *fair, const struct fair_member *a, const struct fair_member *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return start_of(fair, a) < start_of(fair, b);
}

void fair_served(struct fair *fair, struct fair_member *m)
{
	int64_t start = start_of(fair, m);

	fair->now[m->priority] = start;
	m->finished = start + TURN / m->weight;
}
