/*
 * fuzz_media_head.c: lines as libcurl hands over the heads of Twilio's answer to a request for a
 * recording: none ends in NUL, and of several heads the last one counts.
 */
#include "twilio/media.c"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line of its own memory, so that every byte read behind it is found. */
static void give(struct transfer *t, const uint8_t *line, size_t len)
{
	char before[sizeof(t->content_range)];
	char *copy = malloc(len > 0 ? len : 1);

	assert(copy != NULL);
	memcpy(copy, line, len);
	memcpy(before, t->content_range, sizeof(before));
	assert(on_header(copy, 1, len, t) == len);
	assert(memchr(t->content_range, '\0', sizeof(t->content_range)) != NULL);
	assert(strpbrk(t->content_range, "\r\n") == NULL);
	if (len >= 5 && strncasecmp(copy, "HTTP/", 5) == 0)
		assert(t->content_range[0] == '\0');
	else if (len < 14 || strncasecmp(copy, "content-range:", 14) != 0)
		assert(strcmp(t->content_range, before) == 0);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transfer t = {.headed = false};

	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end == NULL ? size : (size_t)(end - data) + 1;

		give(&t, data, len);
		data += len;
		size -= len;
	}
	return 0;
}
