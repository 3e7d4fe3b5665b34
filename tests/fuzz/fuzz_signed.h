/*
 * fuzz_signed.h: a query, a line end, and the form of Twilio's request, to each of some handlers,
 * whose jobs and batches are done at once. Each request is answered once and let go once.
 */
#ifndef OMNIVOX_TESTS_FUZZ_SIGNED_H
#define OMNIVOX_TESTS_FUZZ_SIGNED_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/batch.h"
#include "base/form.h"
#include "base/jobs.h"
#include "gateway/gateway.h"
#include "http/server.h"

#define FUZZ_PAIRS_MAX 64

typedef int (*fuzz_handler)(struct gateway *gw, struct http_request *request);

/* The fuzzer's http_reply() counts the first. */
static int answered, freed;

void http_request_free(struct http_request **request)
{
	if (*request != NULL)
		freed++;
	*request = NULL;
}

int jobs_put(struct jobs *jobs, struct job *job)
{
	(void)jobs;
	job->work(job, NULL);
	return 0;
}

static struct batch_config batches;

int batch_new(const struct batch_config *config, struct batch **ret_batch)
{
	batches = *config;
	*ret_batch = NULL;
	return 0;
}

int batch_put(struct batch *batch, struct post *post)
{
	(void)batch;
	batches.work(batches.arg, NULL, &post, 1);
	return 0;
}

/* As http/ hands it over: the bytes that are no text are mended. */
static void fuzz_ask(struct gateway *gw, const char *query, size_t query_len,
	const char *form, size_t form_len, fuzz_handler handler)
{
	struct http_request request = {.id = 1};

	answered = 0;
	freed = 0;
	if (form_parse(query, query_len, FUZZ_PAIRS_MAX, &request.query) == 0 &&
		form_parse(form, form_len, FUZZ_PAIRS_MAX, &request.form) == 0) {
		(void)form_mend(&request.query);
		(void)form_mend(&request.form);
		assert(handler(gw, &request) == 0);
		assert(answered == 1 && freed == 1);
	}
	form_free(&request.query);
	form_free(&request.form);
}

static void fuzz_ask_each(struct gateway *gw, const uint8_t *data, size_t size,
	const fuzz_handler *handlers, size_t count)
{
	const char *query = (const char *)data;
	const char *end = size == 0 ? NULL : memchr(query, '\n', size);
	size_t len = end == NULL ? 0 : (size_t)(end - query);
	size_t skip = end == NULL ? 0 : len + 1;

	for (size_t i = 0; i < count; i++)
		fuzz_ask(gw, query, len, query + skip, size - skip, handlers[i]);
}

#endif
