/* event_line.c: an event as one line of text. See event_line.h. */
#include "gateway/event_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

const struct event_line event_line_resync = {.type = "resync", .data = "{}"};

void event_line_write(struct buf *text, const struct event_line *event)
{
	buf_printf(text, "%s %" PRId64 " %" PRId64 " %" PRId64 " %s\n", event->type,
		event->audience, event->session_id, event->version, event->data);
}

/* The next word of the line, without the blank behind it. */
static const char *word(char **line)
{
	char *end = strchr(*line, ' '), *start = *line;

	if (end == NULL)
		return "";
	*end = '\0';
	*line = end + 1;
	return start;
}

bool event_line_read(char **text, struct event_line *ret_event)
{
	struct event_line event = {0};
	char *line = *text, *end = strchr(line, '\n');

	if (end == NULL)
		return false;
	*end = '\0';
	*text = end + 1;
	event.type = word(&line);
	if (event.type[0] == '\0' || strchr(event.type, '\r') != NULL ||
		text_int(word(&line), INT64_MIN, INT64_MAX, &event.audience) < 0 ||
		text_int(word(&line), 0, INT64_MAX, &event.session_id) < 0 ||
		text_int(word(&line), 0, INT64_MAX, &event.version) < 0 ||
		line[0] != '{' || strchr(line, '\r') != NULL)
		event = event_line_resync;
	else
		event.data = line;
	*ret_event = event;
	return true;
}
