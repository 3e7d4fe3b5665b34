/*
 * log.h: one line per event to stderr: time, level, module, call id, text, key=value.
 *
 * Any thread may log; a line is one write(2). Rooms below gateway/ log at debug only.
 * Never log tokens, passwords or bodies; numbers go through log_mask().
 */
#ifndef OMNIVOX_BASE_LOG_H
#define OMNIVOX_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/*
 * Text for a person at a terminal; for a collector JSON lines: ts, level, module, call_id (when
 * there is one), msg, and fields: the words of the text that look like name=value.
 */
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Call once before threads start; the level may be changed again at any time. */
void log_init(enum log_level level, enum log_format format);
void log_set_level(enum log_level level);
int log_level_parse(const char *word, enum log_level *ret_level);

/* `call_id` 0 means that the line is about no call. */
void log_line(enum log_level level, const char *module, int64_t call_id, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));

/* Whether a line at `level` would be written; for work that only serves a log line. */
int log_enabled(enum log_level level);

/* A line that strangers cause: one a second is written. Starts as zeros. */
struct log_seldom {
	_Atomic int64_t next_ms;
	_Atomic unsigned unwritten;
};

/*
 * Any thread. Whether to write the line at `now_ms`; `ret_unwritten`: how many were not since the
 * last one that was.
 */
bool log_seldom(struct log_seldom *line, int64_t now_ms, unsigned *ret_unwritten);

/* "+14155552671" becomes "+1415***2671" in `buf`; returns buf. */
const char *log_mask(const char *number, char *buf, unsigned long size);

#define log_error(module, call_id, ...) \
	log_line(LOG_LEVEL_ERROR, module, call_id, __VA_ARGS__)
#define log_warn(module, call_id, ...) \
	log_line(LOG_LEVEL_WARN, module, call_id, __VA_ARGS__)
#define log_info(module, call_id, ...) \
	log_line(LOG_LEVEL_INFO, module, call_id, __VA_ARGS__)
#define log_debug(module, call_id, ...)                                          \
	do {                                                                     \
		if (log_enabled(LOG_LEVEL_DEBUG))                                \
			log_line(LOG_LEVEL_DEBUG, module, call_id, __VA_ARGS__); \
	} while (0)

#endif
