/* number.h: is this an E.164 number? (ITU-T E.164) Pure. */
#ifndef OMNIVOX_DIALER_NUMBER_H
#define OMNIVOX_DIALER_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#define NUMBER_SIZE 17 /* '+', 15 digits, NUL */

/* '+', a digit 1-9, then 6 to 14 digits. */
bool number_valid(const char *number);

/*
 * Strips spaces, dots, dashes, slashes and brackets; a leading 00 becomes +; a number without
 * + gets `country_code` ("1", "44") after its leading trunk 0. -EINVAL when no E.164 results.
 */
int number_normalise(const char *text, const char *country_code, char ret_number[NUMBER_SIZE]);

#endif
