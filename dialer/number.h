/*
 * number.h: what people type as a phone number to E.164 and nothing else (ITU-T E.164), by the
 * numbering plans of numbering.h. Pure, any thread.
 */
#ifndef OMNIVOX_DIALER_NUMBER_H
#define OMNIVOX_DIALER_NUMBER_H

#include <stdbool.h>

#define NUMBER_SIZE 17 /* '+', 15 digits, NUL */

/* '+', a digit 1-9, then 6 to 14 digits. */
bool number_valid(const char *number);

/*
 * "(415) 555-2671", "0044 20 7946 0958", "+44 (0)20 7946 0958" to "+14155552671" and so on.
 * Strips spaces, dots, dashes, slashes and brackets, also the invisible ones that spreadsheets
 * and address books leave in, and reads digits of other scripts. `country` is that of the
 * writer, as numbering_country() gives it ("GB"); NULL or "": not known.
 *
 * A number with + or an international prefix is taken as it is. Another one is read as people
 * of `country` dial it: with trunk prefix or without, a local number of a small country without
 * its area, or with the calling code but no + ("447700900123"). Readings that the plan knows
 * go before those that it could know. -EINVAL when there is none: letters, extensions, and
 * local numbers of large countries are not guessed.
 */
int number_normalise(const char *text, const char *country, char ret_number[NUMBER_SIZE]);

/* Whether it has + or 00 in front, and so needs no country of the writer. */
bool number_tells_country(const char *text);

#endif
