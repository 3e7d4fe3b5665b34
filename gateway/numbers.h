/*
 * numbers.h: keeps the account's numbers known: reads both of Twilio's lists, all their pages, at
 * start, hourly, and when somebody asks. A list that cannot be read changes nothing.
 */
#ifndef OMNIVOX_GATEWAY_NUMBERS_H
#define OMNIVOX_GATEWAY_NUMBERS_H

#include "gateway/gateway.h"
#include "twilio/client.h"

struct numbers;

/* Loop thread, at start and end. Reads the lists at once. */
int numbers_new(struct gateway *gw, struct numbers **ret_numbers);
void numbers_free(struct numbers **numbers);

/*
 * Any thread. Reads the lists now, and answers the HTTP request `waiter` (0: nobody) with
 * number_api_answer() when they are stored or could not be read. One that is under way answers
 * all who asked meanwhile.
 */
void numbers_sync(struct gateway *gw, uint64_t waiter);

/* Loop. A page of either list. */
void numbers_answer(struct gateway *gw, const struct twilio_answer *answer);

#endif
