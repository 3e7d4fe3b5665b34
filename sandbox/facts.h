/*
 * facts.h: what Twilio does and no document states, as settings: GET and PUT /sandbox/settings.
 *
 * Whoever learns what the true Twilio does changes the default in the table. Pure; main loop.
 */
#ifndef OMNIVOX_SANDBOX_FACTS_H
#define OMNIVOX_SANDBOX_FACTS_H

#include <stddef.h>
#include <stdint.h>

struct facts {
	int64_t amd_fax_ms;
	int64_t amd_sure_ms;
	int64_t application_error_ms;
	int64_t consistency_lag_ms;
	int64_t dial_buffer_ms;
	int64_t hold_music_hz;
	int64_t media_auth;
	int64_t no_instructions_code;
	int64_t play_ms;
	int64_t post_dial_ms;
	int64_t recording_ready_ms;
	int64_t rest_concurrency;
	int64_t retry_after_s;
	int64_t say_hz;
	int64_t say_ms_per_char;
	int64_t transcription_status;
};

struct fact {
	const char *name;
	int64_t otherwise, low, high;
	const char *help;
	size_t offset; /* in struct facts */
};

void facts_init(struct facts *facts);

/* The table; `i` from 0. NULL: past its end. */
const struct fact *facts_at(size_t i);
const struct fact *facts_find(const char *name); /* NULL: none */

int64_t *facts_value(struct facts *facts, const struct fact *fact);

#endif
