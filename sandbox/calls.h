/*
 * calls.h: every call by SID, oldest first; the oldest finished ones are forgotten. Main loop
 * only.
 */
#ifndef OMNIVOX_SANDBOX_CALLS_H
#define OMNIVOX_SANDBOX_CALLS_H

#include "base/list.h"

#include <stddef.h>

struct call;
struct calls;

/* `keep`: beyond so many, finished ones are forgotten. */
int calls_new(size_t keep, struct calls **ret_calls);
void calls_free(struct calls **calls); /* frees every call */

void calls_add(struct calls *calls, struct call *call); /* owns it from then on */
struct call *calls_find(const struct calls *calls, const char *sid); /* NULL: none */
void calls_forget(struct calls *calls, struct call *call);           /* frees it */

/* Nodes are struct call.node, in order of creation. */
struct list *calls_list(struct calls *calls);

#endif
