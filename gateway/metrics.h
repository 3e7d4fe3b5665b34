/*
 * metrics.h: what the gateway counts, and GET /metrics on METRICS_LISTEN.
 *
 * Counters move where things happen, on any thread. What only the database knows (calls by
 * state, agents by state, registrations) is asked for every few seconds while somebody can
 * scrape; the answer itself is made from memory, so that it comes when everything else stands.
 */
#ifndef OMNIVOX_GATEWAY_METRICS_H
#define OMNIVOX_GATEWAY_METRICS_H

#include "base/metrics.h"
#include "db/calls.h"
#include "gateway/gateway.h"
#include "http/server.h"
#include "twilio/client.h"

struct metrics;

/* Base's job threads fill the first two, the loop's beat the third. */
extern struct metric metric_db_wait, metric_db_run, metric_loop_lag;

/*
 * Loop, at start. Counts begin at once; `listen_fd` (borrowed; -1: none) is served from now on.
 * Freeing takes the server down; any thread may go on counting.
 */
int metrics_new(struct gateway *gw, int listen_fd, struct metrics **ret_metrics);
void metrics_free(struct metrics **metrics);

/* http_config.answered with arg = struct gateway. http thread. */
void metrics_http(void *gateway, const struct http_answered *answered);

/* A webhook about a call was written that tells of what happened at `at_ms`. Any thread. */
void metrics_webhook_told(int64_t at_ms);

/* What a claim came to; `err` 0 or negative. Any thread. */
void metrics_claim(int err, const struct db_claimed *claimed);

/* A password was tried: "right", "wrong" or "limited". Any thread. */
void metrics_password(const char *result);

/* A call went from one state to another. */
void metrics_call(const char *state, const char *outcome);

/* An answer of Twilio, or the lack of one. */
void metrics_twilio(const struct twilio_answer *answer);

#endif
