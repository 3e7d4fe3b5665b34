/* log.c: one line per event to stderr. See log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define TEXT_MAX 1024                  /* of the message; longer ones are cut */
#define LINE_SIZE (6 * TEXT_MAX + 256) /* every byte escaped, and the fields around it */

static _Atomic int current_level = LOG_LEVEL_INFO;
static enum log_format current_format = LOG_FORMAT_TEXT;

static const char *const names[] = {"error", "warn", "info", "debug"};

void log_init(enum log_level level, enum log_format format)
{
	current_format = format;
	log_set_level(level);
}

void log_set_level(enum log_level level)
{
	atomic_store(&current_level, (int)level);
}

int log_level_parse(const char *word, enum log_level *ret_level)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
		if (strcmp(word, names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return 0;
		}
	return -EINVAL;
}

int log_enabled(enum log_level level)
{
	return (int)level <= atomic_load(&current_level);
}

/* Bytes of the UTF-8 character at `s` (RFC 3629, 4); 0: not one. */
static size_t utf8_len(const unsigned char *s)
{
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0; /* too long, a surrogate, beyond U+10FFFF */
	return len;
}

/*
 * Copies what is harmless: one event is one line, moves no cursor, and is UTF-8, whatever it
 * quotes. A byte becomes at most six.
 */
static size_t clean(char *dst, const char *src, enum log_format format)
{
	bool json = format == LOG_FORMAT_JSON;
	size_t len = 0, take;

	for (; *src != '\0'; src += take) {
		unsigned char c = (unsigned char)*src;

		take = utf8_len((const unsigned char *)src);
		if (take == 2 && c == 0xc2)
			c = (unsigned char)src[1]; /* U+0080 to U+00BF */
		if (take == 0) {
			len += (size_t)sprintf(dst + len, json ? "\\ufffd" : "?");
			take = 1;
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			if (json)
				len += (size_t)sprintf(dst + len, "\\u%04x", c);
			else
				dst[len++] = '?';
		} else {
			if (json && (c == '"' || c == '\\'))
				dst[len++] = '\\';
			memcpy(dst + len, src, take);
			len += take;
		}
	}
	dst[len] = '\0';
	return len;
}

static size_t format_text(char *line, enum log_level level, const char *module,
	int64_t call_id, const char *text)
{
	char now[CLOCK_TEXT_SIZE];
	size_t len;

	len = (size_t)sprintf(line, "%s %-5s %s ", clock_text(clock_wall_ms(), now),
		names[level], module);
	if (call_id != 0)
		len += (size_t)sprintf(line + len, "call=%lld ", (long long)call_id);
	len += clean(line + len, text, LOG_FORMAT_TEXT);
	line[len++] = '\n';
	return len;
}

static size_t format_json(char *line, enum log_level level, const char *module,
	int64_t call_id, const char *text)
{
	char now[CLOCK_TEXT_SIZE];
	size_t len;

	len = (size_t)sprintf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",",
		clock_text(clock_wall_ms(), now), names[level], module);
	if (call_id != 0)
		len += (size_t)sprintf(
			line + len, "\"call_id\":\"%lld\",", (long long)call_id);
	len += (size_t)sprintf(line + len, "\"msg\":\"");
	len += clean(line + len, text, LOG_FORMAT_JSON);
	len += (size_t)sprintf(line + len, "\"}\n");
	return len;
}

void log_line(
	enum log_level level, const char *module, int64_t call_id, const char *fmt, ...)
{
	char text[TEXT_MAX], line[LINE_SIZE];
	int saved = errno;
	va_list args;
	size_t len;

	if (!log_enabled(level))
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	len = current_format == LOG_FORMAT_JSON
		      ? format_json(line, level, module, call_id, text)
		      : format_text(line, level, module, call_id, text);
	/* A log that cannot be written has nobody to tell. */
	if (write(STDERR_FILENO, line, len) < 0)
		errno = saved;
	errno = saved;
}

const char *log_mask(const char *number, char *buf, unsigned long size)
{
	size_t len = strlen(number);

	if (len < 9)
		(void)snprintf(buf, size, "***");
	else
		(void)snprintf(buf, size, "%.5s***%s", number, number + len - 4);
	return buf;
}
