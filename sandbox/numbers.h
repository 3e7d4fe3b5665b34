/* numbers.h: the account's phone numbers. Main loop only. */
#ifndef OMNIVOX_SANDBOX_NUMBERS_H
#define OMNIVOX_SANDBOX_NUMBERS_H

#include "base/err.h"
#include "sandbox/resource.h"

struct sandbox;

/*
 * Adds each of "+15550001,+15550002" as a resource of kind_number. The SIDs depend on the
 * numbers only. -EINVAL.
 */
int numbers_add(struct sandbox *sandbox, const char *list, struct err *err);

/* NULL: not the account's. */
struct resource *numbers_find(struct sandbox *sandbox, const char *phone_number);

/* "+" and 4 to 15 digits of which the first is no 0: ITU-T E.164, with room for samples. */
int number_valid(const char *text);

#endif
