/* ticker.c: work that is done on a worker again and again. See ticker.h. */
#include "base/ticker.h"

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"

struct ticker {
	struct ticker_config config;
	struct timer timer;
	struct job job;
	bool working; /* a round is under way: `job` is the pool's */
	bool again;   /* and another was asked for */
	bool gone;    /* and nobody owns it any more: its end frees it */
};

static void round_work(struct job *job, void *ctx)
{
	const struct ticker *ticker = list_entry(job, struct ticker, job);

	ticker->config.work(ticker->config.arg, ctx);
}

/* Also instead of round_done(): the loop has come to its end, and no timer starts. */
static void round_drop(struct job *job)
{
	struct ticker *ticker = list_entry(job, struct ticker, job);

	ticker->working = false;
	if (ticker->gone)
		free(ticker);
}

static void round_done(struct job *job)
{
	struct ticker *ticker = list_entry(job, struct ticker, job);

	if (!ticker->gone && ticker->config.done != NULL)
		ticker->config.done(ticker->config.arg);
	if (!ticker->gone)
		timer_start(ticker->config.timers, &ticker->timer,
			ticker->again ? 0 : ticker->config.rest_ms);
	round_drop(job);
}

static void fire(struct timer *timer)
{
	struct ticker *ticker = list_entry(timer, struct ticker, timer);
	const struct ticker_config *config = &ticker->config;

	ticker->again = false;
	if (config->begin == NULL || config->begin(config->arg))
		ticker->working = jobs_put(config->jobs, &ticker->job) == 0;
	if (!ticker->working)
		timer_start(config->timers, timer, config->rest_ms);
}

int ticker_new(const struct ticker_config *config, struct ticker **ret_ticker)
{
	struct ticker *ticker = calloc(1, sizeof(*ticker));

	if (ticker == NULL)
		return -ENOMEM;
	ticker->config = *config;
	ticker->timer.fire = fire;
	ticker->job.work = round_work;
	ticker->job.done = round_done;
	ticker->job.drop = round_drop;
	timer_start(config->timers, &ticker->timer, config->first_ms);
	*ret_ticker = ticker;
	return 0;
}

void ticker_free(struct ticker **ticker)
{
	if (*ticker == NULL)
		return;
	timer_stop(&(*ticker)->timer);
	(*ticker)->gone = true;
	if (!(*ticker)->working)
		free(*ticker);
	*ticker = NULL;
}

void ticker_wake(struct ticker *ticker)
{
	if (ticker->working)
		ticker->again = true;
	else
		timer_start(ticker->config.timers, &ticker->timer, 0);
}
