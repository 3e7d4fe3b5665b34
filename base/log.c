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
#include "base/text.h"

#define TEXT_MAX 1024 /* of the message; longer ones are cut */
#define SELDOM_MS 1000
#define FIELDS_MAX 16                  /* of one line; further ones stay in the text */
#define LINE_SIZE (6 * TEXT_MAX + 256) /* every byte escaped, and the fields around it */

/* A word of a message: "name=value" when name_len > 0. */
struct word {
	char *text;
	size_t len, name_len;
};

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

		take = text_char(src);
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

/* The length of the name in a word such as "agent=7"; 0: the word is no field. */
static size_t field_name(const char *word, size_t word_len)
{
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return len > 0 && len + 1 < word_len && word[len] == '=' ? len : 0;
}

static bool field_known(const struct word *fields, size_t count, const struct word *word)
{
	for (size_t i = 0; i < count; i++)
		if (fields[i].name_len == word->name_len &&
			memcmp(fields[i].text, word->text, word->name_len) == 0)
			return true;
	return false;
}

/*
 * Parts the message: words like "agent=7" go to `fields` (each name once), the others stay
 * in `text`, which is written over. The words point into `copy`.
 */
static size_t take_fields(char *text, char *copy, struct word fields[FIELDS_MAX])
{
	size_t count = 0, kept = 0, len;
	char *at = strcpy(copy, text);

	for (; *at != '\0'; at += len + (at[len] != '\0')) {
		struct word word = {.text = at};

		len = strcspn(at, " ");
		word.len = len;
		word.name_len = field_name(at, len);
		if (word.name_len > 0 && count < FIELDS_MAX &&
			!field_known(fields, count, &word)) {
			fields[count++] = word;
			continue;
		}
		if (kept > 0)
			text[kept++] = ' ';
		memcpy(text + kept, at, len);
		kept += len;
	}
	text[kept] = '\0';
	return count;
}

static size_t put_fields(char *line, struct word *fields, size_t count)
{
	size_t len = (size_t)sprintf(line, "\"fields\":{");

	for (size_t i = 0; i < count; i++) {
		fields[i].text[fields[i].len] = '\0';
		len += (size_t)sprintf(line + len, "%s\"%.*s\":\"", i > 0 ? "," : "",
			(int)fields[i].name_len, fields[i].text);
		len += clean(line + len, fields[i].text + fields[i].name_len + 1,
			LOG_FORMAT_JSON);
		line[len++] = '"';
	}
	return len + (size_t)sprintf(line + len, "},");
}

static size_t format_json(
	char *line, enum log_level level, const char *module, int64_t call_id, char *text)
{
	char now[CLOCK_TEXT_SIZE], copy[TEXT_MAX];
	struct word fields[FIELDS_MAX];
	size_t len, count = take_fields(text, copy, fields);

	len = (size_t)sprintf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",",
		clock_text(clock_wall_ms(), now), names[level], module);
	if (call_id != 0)
		len += (size_t)sprintf(
			line + len, "\"call_id\":\"%lld\",", (long long)call_id);
	if (count > 0)
		len += put_fields(line + len, fields, count);
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

bool log_seldom(struct log_seldom *line, int64_t now_ms, unsigned *ret_unwritten)
{
	int64_t next_ms = atomic_load(&line->next_ms);

	if (now_ms < next_ms || !atomic_compare_exchange_strong(
					&line->next_ms, &next_ms, now_ms + SELDOM_MS)) {
		(void)atomic_fetch_add(&line->unwritten, 1);
		return false;
	}
	*ret_unwritten = atomic_exchange(&line->unwritten, 0);
	return true;
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
