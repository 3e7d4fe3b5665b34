/*
 * rows.h: one of Twilio's resources as the struct of its noun, into `row`. -EBADMSG when it
 * lacks what makes it one. Pure functions, any thread. Private to this room.
 */
#ifndef OMNIVOX_TWILIO_ROWS_H
#define OMNIVOX_TWILIO_ROWS_H

#include <jansson.h>

int rows_read_call(const json_t *object, void *row);
int rows_read_conference(const json_t *object, void *row);
int rows_read_participant(const json_t *object, void *row);
int rows_read_recording(const json_t *object, void *row);
int rows_read_number(const json_t *object, void *row);
int rows_read_application(const json_t *object, void *row);
int rows_read_domain(const json_t *object, void *row);
int rows_read_credential_list(const json_t *object, void *row);
int rows_read_credential(const json_t *object, void *row);

#endif
