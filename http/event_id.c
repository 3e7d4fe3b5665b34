/* event_id.c: see event_id.h. */
#include "http/event_id.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void event_id_write(uint64_t life, uint64_t number, char buf[EVENT_ID_SIZE])
{
	(void)snprintf(buf, EVENT_ID_SIZE, "%" PRIx64 "-%" PRIu64, life, number);
}

int event_id_parse(const char *text, uint64_t *ret_life, uint64_t *ret_number)
{
	char again[EVENT_ID_SIZE];
	uint64_t life, number;

	/* What sscanf() takes beside it, such as signs and blanks, is not written so again. */
	if (sscanf(text, "%16" SCNx64 "-%20" SCNu64, &life, &number) != 2)
		return -EINVAL;
	event_id_write(life, number, again);
	if (strcmp(again, text) != 0)
		return -EINVAL;
	*ret_life = life;
	*ret_number = number;
	return 0;
}
