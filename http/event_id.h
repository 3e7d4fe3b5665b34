/* event_id.h: the id of an event, "<life>-<number>", as its stream wrote it. Pure. */
#ifndef OMNIVOX_HTTP_EVENT_ID_H
#define OMNIVOX_HTTP_EVENT_ID_H

#include <stdint.h>

#define EVENT_ID_SIZE 40 /* 16 hex digits, a dash, 20 digits, NUL */

/* `life` says which run of the server, `number` which of its events. */
void event_id_write(uint64_t life, uint64_t number, char buf[EVENT_ID_SIZE]);

/* Last-Event-ID (HTML, 9.2): -EINVAL for what event_id_write() does not write. */
int event_id_parse(const char *text, uint64_t *ret_life, uint64_t *ret_number);

#endif
