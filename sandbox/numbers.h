/* numbers.h: the account's phone numbers. Main loop only. */
#ifndef OMNIVOX_SANDBOX_NUMBERS_H
#define OMNIVOX_SANDBOX_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sandbox/chance.h"

struct numbers;

/* Texts owned; NULL where nothing is set. */
struct number {
	char sid[SID_SIZE];
	char *phone_number; /* "+15550001" */
	char *friendly_name;
	char *voice_url, *voice_method, *voice_fallback_url, *voice_fallback_method;
	char *status_callback, *status_callback_method;
	int64_t created_ms, updated_ms;
};

/* `list`: "+15550001,+15550002". The SIDs depend on the numbers only. -EINVAL. */
int numbers_new(const char *list, struct numbers **ret_numbers, struct err *err);
void numbers_free(struct numbers **numbers);

size_t numbers_count(const struct numbers *numbers);
struct number *numbers_at(struct numbers *numbers, size_t i);
struct number *numbers_find(
	struct numbers *numbers, const char *number_or_sid); /* or NULL */

/* "+" and 4 to 15 digits of which the first is no 0: ITU-T E.164, with room for samples. */
int number_valid(const char *text);

#endif
