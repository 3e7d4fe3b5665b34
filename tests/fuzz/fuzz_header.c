/*
 * fuzz_header.c: a line as a time in RFC 3339, as a Range, as an address, and as the parameters
 * of a webhook.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "gateway/webhook_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the webhooks' helpers need for answering, which is not tried here. */

void http_reply(
	struct http_server *server, uint64_t request_id, const struct http_reply *reply)
{
	(void)server;
	(void)request_id;
	(void)reply;
	abort();
}

void http_request_free(struct http_request **request)
{
	(void)request;
	abort();
}

int jobs_put(struct jobs *jobs, struct job *job)
{
	(void)jobs;
	(void)job;
	abort();
}

static void read_time(const char *line)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t wall_ms, again;

	if (clock_parse(line, &wall_ms) != 0)
		return;
	assert(clock_parse(clock_text(wall_ms, text), &again) == 0 && again == wall_ms);
}

static void read_range(const char *line)
{
	static const size_t size = 1000;
	size_t first, len;

	if (http_range_parse(line, size, &first, &len) != 0)
		return;
	assert(len > 0 && first < size && len <= size - first);
}

static void read_addr(const char *line)
{
	char text[ADDR_TEXT_SIZE];
	struct addr addr, again;

	if (addr_parse(line, &addr) != 0)
		return;
	assert(addr_parse(addr_text(&addr, text), &again) == 0);
	assert(addr_equal(&addr, &again));
}

static void read_webhook(const char *line, size_t len)
{
	struct http_request request = {0};
	const char *sid;

	if (form_parse(line, len, 64, &request.form) == 0) {
		sid = webhook_sid(&request, "CallSid");
		assert(sid == NULL || strlen(sid) == 34);
		assert(webhook_int(&request, "SequenceNumber", 0, -1) >= -1);
		(void)webhook_at_ms(&request);
	}
	form_free(&request.form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);

	if (line == NULL)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	read_time(line);
	read_range(line);
	read_addr(line);
	read_webhook(line, size);
	free(line);
	return 0;
}
