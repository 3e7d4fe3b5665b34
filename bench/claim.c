/*
 * claim.c: how long db_call_claim() takes in a short and in a long list, in turns on one
 * connection. Each call ends before the next claim, so that one agent is enough.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "db/calls.h"

#define CLAIMS_MAX 100000
#define CAMPAIGNS 2

static uint32_t times_us[CAMPAIGNS][CLAIMS_MAX];

static int die(const char *what, const struct db *db)
{
	(void)fprintf(stderr, "claim: %s: %s\n", what, db == NULL ? "" : db_error(db));
	exit(1);
}

/* The database's share is what is measured: nobody is refused. */
static struct db_claim_verdict allow(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	(void)facts;
	return (struct db_claim_verdict){.allowed = true, .rule = "bench", .version = 1};
}

static void end_call(struct db *db, int64_t call_id)
{
	struct db_call_change *changes = NULL;
	struct db_call_event event = {.call_id = call_id,
		.source = "call",
		.sequence = 0,
		.event = "completed",
		.at_ms = clock_wall_ms(),
		.duration_s = 1};
	size_t count = 0;
	char sid[DB_SID_SIZE];

	(void)snprintf(sid, sizeof(sid), "CA%032llx", (unsigned long long)call_id);
	event.source_sid = event.leg_sid = sid;
	if (db_call_events_apply(db, &event, 1, &changes, &count) < 0 || count != 1)
		die("the call did not end", db);
	free(changes);
}

static uint32_t claim_us(struct db *db, int64_t campaign_id, const char *node)
{
	struct db_claim claim = {.campaign_id = campaign_id,
		.node = node,
		.install = "bench",
		.deadline_ms = 20000,
		.verdict = allow};
	struct db_claimed claimed;
	struct timespec start, end;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (db_call_claim(db, &claim, &claimed) < 0)
		die("claim", db);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	if (claimed.result != DB_CLAIM_CALL)
		die("nothing was claimed", NULL);
	end_call(db, claimed.call_id);
	return (uint32_t)((end.tv_sec - start.tv_sec) * 1000000 +
			  (end.tv_nsec - start.tv_nsec) / 1000);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t number(const char *text)
{
	int64_t value;

	if (text_int(text, 1, INT32_MAX, &value) < 0)
		die(text, NULL);
	return value;
}

int main(int argc, char **argv)
{
	struct db *db = NULL;
	int64_t campaigns[CAMPAIGNS];
	size_t count;

	if (argc != 6) {
		(void)fprintf(stderr,
			"usage: claim DATABASE_URL NODE CAMPAIGN CAMPAIGN COUNT\n"
			"  prints the median and the 99th percentile for each campaign\n");
		return 2;
	}
	campaigns[0] = number(argv[3]);
	campaigns[1] = number(argv[4]);
	count = (size_t)number(argv[5]);
	if (count > CLAIMS_MAX || db_open(argv[1], 60000, &db) < 0)
		die("cannot begin", db);
	for (size_t i = 0; i < count; i++)
		for (size_t c = 0; c < CAMPAIGNS; c++)
			times_us[c][i] = claim_us(db, campaigns[c], argv[2]);
	for (size_t c = 0; c < CAMPAIGNS; c++) {
		qsort(times_us[c], count, sizeof(times_us[c][0]), compare);
		(void)printf("campaign=%lld p50_us=%u p99_us=%u\n",
			(long long)campaigns[c], times_us[c][count / 2],
			times_us[c][count * 99 / 100]);
	}
	db_close(&db);
	return 0;
}
