/* number.h: what people type as a phone number to E.164 and nothing else (ITU-T E.164). Pure. */
#ifndef OMNIVOX_DIALER_NUMBER_H
#define OMNIVOX_DIALER_NUMBER_H

#include <stdbool.h>

#define NUMBER_SIZE 17 /* '+', 15 digits, NUL */

/* '+', a digit 1-9, then 6 to 14 digits. */
bool number_valid(const char *number);

/*
 * "(415) 555-2671", "0044 20 7946 0958", "+44 (0)20 7946 0958" to "+14155552671" and so on.
 * Strips spaces, dots, dashes, slashes and brackets, also the invisible ones that spreadsheets
 * and address books leave in. A number with neither + nor international prefix loses the trunk
 * prefix of `country_code` ("1", "44"; NULL or "": none is known) and gets the code in front.
 * -EINVAL when no E.164 number results: letters, extensions and local numbers are not guessed.
 */
int number_normalise(
	const char *text, const char *country_code, char ret_number[NUMBER_SIZE]);

#endif
