/*
 * failing_alloc.h: lets the n-th allocation of the code under test fail.
 *
 * Link with $(failing_alloc_ldflags). Only calls from our own objects fail, none of libc's.
 */
#ifndef OMNIVOX_TESTS_FAILING_ALLOC_H
#define OMNIVOX_TESTS_FAILING_ALLOC_H

#include <stdbool.h>

/* The `nth` (from 1) allocation from now on fails, once. 0: none does. */
void failing_alloc_at(unsigned nth);

/* Whether the failure has been dealt out since failing_alloc_at. */
bool failing_alloc_happened(void);

#endif
