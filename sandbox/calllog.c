/* calllog.c: appends to calls.jsonl. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/calllog.h"
#include "sandbox/memory.h"

struct calllog {
	int fd;
	int64_t count;
};

/* Whole lines of earlier runs; a torn last one is closed so that ours starts fresh. */
static int count_lines(struct calllog *log)
{
	char chunk[16384], last = '\n';
	ssize_t got, i;

	while ((got = read(log->fd, chunk, sizeof(chunk))) > 0) {
		for (i = 0; i < got; i++)
			log->count += chunk[i] == '\n';
		last = chunk[got - 1];
	}
	if (got < 0)
		return -errno;
	return last == '\n' || write(log->fd, "\n", 1) == 1 ? 0 : -errno;
}

int calllog_new(const char *path, struct calllog **ret_log)
{
	struct calllog *log = memory_zero(sizeof(*log));
	int r;

	log->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	r = log->fd < 0 ? -errno : count_lines(log);
	if (r < 0) {
		calllog_free(&log);
		return r;
	}
	*ret_log = log;
	return 0;
}

void calllog_free(struct calllog **log)
{
	if (*log == NULL)
		return;
	if ((*log)->fd >= 0)
		(void)close((*log)->fd);
	free(*log);
	*log = NULL;
}

int64_t calllog_count(const struct calllog *log)
{
	return log->count;
}

void calllog_write(struct calllog *log, const struct calllog_line *line)
{
	char at[CLOCK_TEXT_SIZE];
	char *text = NULL;
	size_t len;
	json_t *object = json_pack(
		"{s:s, s:I, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, s:s?, s:s?}",
		"t", clock_text(clock_wall_ms(), at), "n", (json_int_t)++log->count,
		"event", line->event, "call_sid", line->call_sid, "parent_sid",
		line->parent_sid, "to", line->to, "from", line->from, "status",
		line->status, "url", line->url, "status_callback", line->status_callback,
		"http_status",
		line->http_status != 0 ? json_integer(line->http_status) : json_null(),
		"conference", line->conference, "fault", line->fault, "amd", line->amd);

	if (object != NULL && line->error != 0) {
		(void)json_object_set_new(object, "error", json_integer(line->error));
		(void)json_object_set_new(object, "detail", json_string(line->detail));
	}
	if (object != NULL)
		text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (text == NULL) {
		log_error("calllog", 0, "a line could not be written: not UTF-8");
		return;
	}
	len = strlen(text);
	text[len] = '\n'; /* in place of the NUL, so that the line is one write */
	if (write(log->fd, text, len + 1) != (ssize_t)(len + 1))
		log_error("calllog", 0, "calls.jsonl: %s", strerror(errno));
	free(text);
}
