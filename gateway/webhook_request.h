/*
 * webhook_request.h: what the handlers of Twilio's signed requests share: reading parameters,
 * working one off on a database worker, answering.
 */
#ifndef OMNIVOX_GATEWAY_WEBHOOK_REQUEST_H
#define OMNIVOX_GATEWAY_WEBHOOK_REQUEST_H

#include "base/jobs.h"
#include "gateway/gateway.h"
#include "http/server.h"

/* The POST form's parameter, or the query's of a GET; NULL when absent. Borrowed. */
const char *webhook_text(const struct http_request *request, const char *name);

/* A SID, two letters and 32 digits; NULL when it is none. Borrowed. */
const char *webhook_sid(const struct http_request *request, const char *name);

/* A number from `lo` to INT32_MAX; `otherwise` when it is none. */
int webhook_int(
	const struct http_request *request, const char *name, int lo, int otherwise);

/* "Timestamp", RFC 2822 in GMT as Twilio writes it, in milliseconds; now when it is none. */
int64_t webhook_at_ms(const struct http_request *request);

/* Answers without a document: 204 stored, 503 could not be stored (Twilio sends it again). */
void webhook_reply(struct gateway *gw, uint64_t request_id, int status);

/* 400: the webhook has no usable `what`. Nothing was changed. */
void webhook_refuse(struct gateway *gw, uint64_t request_id, const char *what);

/* A request that one database job works off. `work` frees it with webhook_job_free(). */
struct webhook_job {
	struct job job;
	struct gateway *gw;
	struct http_request *request;
};

/* Any thread. -EAGAIN when too many jobs wait: the request is still the caller's. */
int webhook_job_put(struct gateway *gw, struct http_request *request,
	void (*work)(struct job *job, void *ctx));
void webhook_job_free(struct webhook_job *task);

#endif
