/* metrics.c: the gateway's numbers. See metrics.h. */
#include "gateway/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/batch.h"
#include "base/clock.h"
#include "base/jobs.h"
#include "base/post.h"
#include "base/ticker.h"
#include "config.h"
#include "db/nodes.h"
#include "gateway/pulse.h"
#include "gateway/routes.h"
#include "rtp/relay.h"

#define CENSUS_MS 2000
#define LATE_MS 5000 /* news that Twilio tells so long after the fact are late */
#define CONNECTIONS 16
#define IDLE_S 75

static const char *const http_classes[] = {
	"api", "events", "file", "health", "twiml", "webhook", NULL};
enum { HTTP_API, HTTP_EVENTS, HTTP_FILE, HTTP_HEALTH, HTTP_TWIML, HTTP_WEBHOOK };
static const char *const http_codes[] = {"200", "201", "202", "204", "206", "304", "400",
	"401", "403", "404", "405", "409", "413", "415", "422", "429", "500", "502",
	"503", "504", "other", NULL};
static const char *const call_states[] = {"claimed", "placing", "ambiguous", "queued",
	"ringing", "answered", "bridged", "ended", "other", NULL};
static const char *const outcomes[] = {"completed", "busy", "no_answer", "failed",
	"canceled", "abandoned", "machine", "fax", "unknown", "other", NULL};
static const char *const agent_states[] = {
	"ready", "reserved", "on_call", "wrap_up", "paused", "other", NULL};
static const char *const webhook_kinds[] = {
	"status", "conference", "amd", "recording", "inbound", "other", NULL};
static const char *const webhook_results[] = {"applied", "refused", "not_stored", NULL};
enum { WEBHOOK_APPLIED, WEBHOOK_REFUSED, WEBHOOK_NOT_STORED };
static const char *const claim_results[] = {"call", "no_entry", "no_agent", "rate",
	"refused", "stopped", "held", "error", "other", NULL};
static const char *const password_results[] = {
	"right", "wrong", "limited", "other", NULL};
static const char *const twilio_ops[] = {"participant_create", "call_update",
	"participant_update", "fetch", "list", "recording", "other", NULL};
static const char *const twilio_results[] = {"ok", "refused", "not_sent", "lost", NULL};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define COUNTER(id, text, ...)                                                 \
	{                                                                      \
		.name = "omnivox_" id, .help = (text), .kind = METRIC_COUNTER, \
		.labels = {                                                    \
			__VA_ARGS__                                            \
		}                                                              \
	}
#define GAUGE(id, text, ...)                                                             \
	{                                                                                \
		.name = "omnivox_" id, .help = (text), .kind = METRIC_GAUGE, .labels = { \
			__VA_ARGS__                                                      \
		}                                                                        \
	}
#define HISTOGRAM(id, text, ...)                                                 \
	{                                                                        \
		.name = "omnivox_" id, .help = (text), .kind = METRIC_HISTOGRAM, \
		.labels = {                                                      \
			__VA_ARGS__                                              \
		}                                                                \
	}

struct metric metric_db_wait = HISTOGRAM("db_job_wait_seconds",
	"How long database jobs waited for a worker.", {NULL, NULL});
struct metric metric_db_run =
	HISTOGRAM("db_job_run_seconds", "How long database jobs ran.", {NULL, NULL});
struct metric metric_loop_lag = HISTOGRAM(
	"loop_lag_seconds", "How late the loop was for its own timer.", {NULL, NULL});

static struct metric http_requests = COUNTER("http_requests_total",
	"Answers of the HTTP server.", {"class", http_classes}, {"code", http_codes});
static struct metric http_seconds = HISTOGRAM("http_request_seconds",
	"From the first byte of a request to its answer.", {"class", http_classes});
static struct metric http_late = COUNTER("http_late_total",
	"Requests answered by their deadline instead of a reply.",
	{"class", http_classes});
static struct metric webhooks = COUNTER("webhooks_total",
	"Webhooks by what became of them: applied, refused (also for a wrong signature), "
	"or not stored, so that Twilio sends them again.",
	{"kind", webhook_kinds}, {"result", webhook_results});
static struct metric webhooks_late = COUNTER("webhooks_late_total",
	"Webhooks about calls written more than 5 s after what they tell of.",
	{NULL, NULL});
static struct metric webhook_seconds = HISTOGRAM("webhook_seconds",
	"From a webhook's first byte to its answer, which follows the commit.",
	{"kind", webhook_kinds});
static struct metric webhook_queue = GAUGE(
	"webhook_queue", "Webhooks about calls that wait to be written.", {NULL, NULL});
static struct metric claims = COUNTER("claims_total",
	"Looks for the next call, by auto-dial and Call Now.", {"result", claim_results});
static struct metric calls_moved = COUNTER("call_moves_total",
	"Calls that came into a state on this node.", {"state", call_states});
static struct metric calls_ended = COUNTER("calls_ended_total",
	"Calls that ended on this node, by outcome.", {"outcome", outcomes});
static struct metric passwords = COUNTER("password_checks_total",
	"Passwords tried to sign in or to change one: right, wrong (also for an unknown name), or "
	"limited, so that it was not looked at.",
	{"result", password_results});
static struct metric twilio_requests = COUNTER("twilio_requests_total",
	"Requests to Twilio.", {"op", twilio_ops}, {"result", twilio_results});
static struct metric twilio_seconds = HISTOGRAM("twilio_request_seconds",
	"How long Twilio took, with retries.", {"op", twilio_ops});
static struct metric calls_open = GAUGE(
	"calls_open", "Open calls of the whole installation.", {"state", call_states});
static struct metric agents = GAUGE(
	"agents", "Signed-in agents of the whole installation.", {"state", agent_states});
static struct metric registrations =
	GAUGE("sip_registrations", "Phones of the whole installation.", {NULL, NULL});
static struct metric rate_tokens = GAUGE(
	"calls_per_second_tokens", "Calls that could be placed at once.", {NULL, NULL});
static struct metric rate_now = GAUGE("calls_per_second",
	"Calls per second that are made at most: TWILIO_CPS, or less after Twilio queued calls.",
	{NULL, NULL});
static struct metric database_up =
	GAUGE("database_up", "Whether the database answered last.", {NULL, NULL});
static struct metric census_time = GAUGE("census_time_seconds",
	"When the gauges of the whole installation were asked for.", {NULL, NULL});
static struct metric db_waiting =
	GAUGE("db_jobs_waiting", "Database jobs that wait.", {NULL, NULL});
static struct metric loop_waiting =
	GAUGE("loop_posts_waiting", "Posts that wait for the loop.", {NULL, NULL});
static struct metric rtp_sessions =
	GAUGE("rtp_sessions", "Relays that are open.", {NULL, NULL});
static struct metric draining =
	GAUGE("draining", "Whether this node makes no new calls.", {NULL, NULL});
static struct metric worker_starts = COUNTER("worker_starts_total",
	"Workers since the supervisor began: one more than crashes.", {NULL, NULL});
static struct metric worker_hung = COUNTER("worker_hung_total",
	"Workers killed because their loop stood still.", {NULL, NULL});

static const char *const versions[] = {PACKAGE_VERSION, NULL};
static struct metric info =
	GAUGE("info", "Which program this is.", {"version", versions});

/* Names that every exporter uses. */
static struct metric resident = {.name = "process_resident_memory_bytes",
	.help = "Resident memory of the worker.",
	.kind = METRIC_GAUGE};
static struct metric cpu = {.name = "process_cpu_seconds_total",
	.help = "Processor time of the worker.",
	.kind = METRIC_SECONDS};
static struct metric open_fds = {.name = "process_open_fds",
	.help = "Open file descriptors of the worker.",
	.kind = METRIC_GAUGE};
static struct metric max_fds = {
	.name = "process_max_fds", .help = "How many may be open.", .kind = METRIC_GAUGE};

static struct metric *const all[] = {&info, &worker_starts, &worker_hung, &draining,
	&database_up, &census_time, &calls_open, &calls_moved, &calls_ended, &agents,
	&registrations, &rate_tokens, &rate_now, &claims, &webhooks, &webhooks_late,
	&webhook_seconds, &webhook_queue, &twilio_requests, &twilio_seconds,
	&http_requests, &http_seconds, &http_late, &passwords, &metric_db_wait,
	&metric_db_run, &db_waiting, &metric_loop_lag, &loop_waiting, &rtp_sessions,
	&resident, &cpu, &open_fds, &max_fds};

struct metrics {
	struct gateway *gw;
	struct http_server *server;
	struct ticker *ticker;
};

/* ---- counting, on any thread ---- */

static size_t class_of(size_t route)
{
	const struct http_route *rows;
	size_t count;

	rows = api_routes(&count);
	if (route >= count)
		return HTTP_FILE;
	if ((rows[route].flags & HTTP_ROUTE_EVENTS) != 0)
		return HTTP_EVENTS;
	if ((rows[route].flags & HTTP_ROUTE_SIGNED) != 0)
		return rows[route].late_body != NULL ? HTTP_TWIML : HTTP_WEBHOOK;
	return strncmp(rows[route].path, "/api/", 5) == 0 ? HTTP_API : HTTP_HEALTH;
}

/* The kind is the last word of the path. */
static void count_webhook(const struct http_answered *answered)
{
	size_t count, result = WEBHOOK_NOT_STORED, kind;

	kind = metric_value(webhook_kinds,
		strrchr(api_routes(&count)[answered->route].path, '/') + 1);
	if (answered->status < 300)
		result = WEBHOOK_APPLIED;
	else if (answered->status < 500)
		result = WEBHOOK_REFUSED;
	metric_add(&webhooks, kind, result, 1);
	metric_observe(&webhook_seconds, kind, answered->took_us);
}

void metrics_http(void *gateway, const struct http_answered *answered)
{
	size_t class = class_of(answered->route);
	char code[16];

	(void)gateway;
	(void)snprintf(code, sizeof(code), "%d", answered->status);
	metric_add(&http_requests, class, metric_value(http_codes, code), 1);
	metric_observe(&http_seconds, class, answered->took_us);
	if (answered->late)
		metric_add(&http_late, class, 0, 1);
	if (class == HTTP_WEBHOOK)
		count_webhook(answered);
}

void metrics_webhook_told(int64_t at_ms)
{
	if (clock_wall_ms() - at_ms > LATE_MS)
		metric_add(&webhooks_late, 0, 0, 1);
}

static const char *word_at(const char *const *words, size_t count, size_t at)
{
	return at < count && words[at] != NULL ? words[at] : "other";
}

void metrics_claim(int err, const struct db_claimed *claimed)
{
	static const char *const words[] = {[DB_CLAIM_CALL] = "call",
		[DB_CLAIM_NO_ENTRY] = "no_entry",
		[DB_CLAIM_NO_AGENT] = "no_agent",
		[DB_CLAIM_RATE] = "rate",
		[DB_CLAIM_REFUSED] = "refused",
		[DB_CLAIM_STOPPED] = "stopped",
		[DB_CLAIM_HELD] = "held"};
	const char *word = "other";

	/* -EALREADY, -ENOENT: a person asked for what cannot be; that is no error of ours. */
	if (err < 0 && err != -EALREADY && err != -ENOENT)
		word = "error";
	else if (err == 0)
		word = word_at(words, COUNT(words), claimed->result);
	metric_add(&claims, metric_value(claim_results, word), 0, 1);
}

void metrics_password(const char *result)
{
	metric_add(&passwords, metric_value(password_results, result), 0, 1);
}

void metrics_call(const char *state, const char *outcome)
{
	metric_add(&calls_moved, metric_value(call_states, state), 0, 1);
	if (outcome[0] != '\0')
		metric_add(&calls_ended, metric_value(outcomes, outcome), 0, 1);
}

void metrics_twilio(const struct twilio_answer *answer)
{
	/* What is seldom asked for shares a name. */
	static const char *const names[TWILIO_OPS] = {
		[TWILIO_PARTICIPANT_CREATE] = "participant_create",
		[TWILIO_CALL_UPDATE] = "call_update",
		[TWILIO_PARTICIPANT_UPDATE] = "participant_update",
		[TWILIO_CALL_FETCH] = "fetch",
		[TWILIO_PARTICIPANT_FETCH] = "fetch",
		[TWILIO_CALL_LIST] = "list",
		[TWILIO_CONFERENCE_FIND] = "list",
		[TWILIO_PARTICIPANT_LIST] = "list",
		[TWILIO_RECORDING_CREATE] = "recording",
		[TWILIO_RECORDING_UPDATE] = "recording",
		[TWILIO_RECORDING_FETCH] = "recording",
		[TWILIO_RECORDING_DELETE] = "recording",
		[TWILIO_RECORDING_LIST] = "recording",
	};
	size_t op = metric_value(twilio_ops, word_at(names, COUNT(names), answer->op));

	metric_add(&twilio_requests, op, answer->result, 1);
	metric_observe(&twilio_seconds, op, answer->took_us);
}

/* ---- asking ---- */

/* States that nobody is in have no row. */
static void clear_census(void)
{
	for (size_t i = 0; call_states[i] != NULL; i++)
		metric_set(&calls_open, i, 0, 0);
	for (size_t i = 0; agent_states[i] != NULL; i++)
		metric_set(&agents, i, 0, 0);
}

static void note_census(const struct db_census *row)
{
	if (strcmp(row->kind, "call") == 0)
		metric_set(
			&calls_open, metric_value(call_states, row->word), 0, row->value);
	else if (strcmp(row->kind, "agent") == 0)
		metric_set(&agents, metric_value(agent_states, row->word), 0, row->value);
	else if (strcmp(row->kind, "registration") == 0)
		metric_set(&registrations, 0, 0, row->value);
	else if (strcmp(row->kind, "tokens") == 0)
		metric_set(&rate_tokens, 0, 0, row->value);
	else if (strcmp(row->kind, "rate") == 0)
		metric_set(&rate_now, 0, 0, row->value);
}

static void census_work(void *arg, void *ctx)
{
	struct db_census *rows = NULL;
	size_t count = 0;
	int err = db_census(ctx, &rows, &count);

	(void)arg;
	metric_set(&database_up, 0, 0, err == 0);
	if (err < 0)
		return;
	clear_census();
	for (size_t i = 0; i < count; i++)
		note_census(&rows[i]);
	metric_set(&census_time, 0, 0, (double)clock_wall_ms() / 1000);
	free(rows);
}

static void read_process(void)
{
	struct rusage used = {0};
	struct rlimit limit = {0};
	FILE *file = fopen("/proc/self/statm", "re");
	DIR *dir = opendir("/proc/self/fd");
	long size, pages = 0;
	unsigned fds = 0;

	if (file != NULL && fscanf(file, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (file != NULL)
		(void)fclose(file);
	while (dir != NULL && readdir(dir) != NULL)
		fds++;
	if (dir != NULL)
		(void)closedir(dir);
	(void)getrusage(RUSAGE_SELF, &used);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	metric_set(&resident, 0, 0, (double)pages * (double)sysconf(_SC_PAGESIZE));
	metric_total(&cpu, 0, 0,
		(uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
			(uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
	metric_set(&open_fds, 0, 0, fds > 3 ? fds - 3 : 0); /* . and .. and this one */
	metric_set(&max_fds, 0, 0, (double)limit.rlim_cur);
}

static void read_gauges(struct gateway *gw)
{
	metric_set(&info, 0, 0, 1);
	metric_set(&webhook_queue, 0, 0, (double)batch_waiting(gw->webhooks));
	metric_set(&db_waiting, 0, 0, (double)jobs_waiting(gw->db));
	metric_set(&loop_waiting, 0, 0, (double)post_queue_waiting(gw->queue));
	metric_set(&rtp_sessions, 0, 0, rtp_sessions_open(gw->relay));
	metric_set(&draining, 0, 0, atomic_load(&gw->pulse->draining));
	metric_total(&worker_starts, 0, 0, atomic_load(&gw->pulse->starts));
	metric_total(&worker_hung, 0, 0, atomic_load(&gw->pulse->hung));
	read_process();
}

/* On the http thread of the metrics: nothing here waits for anybody. */
static int on_scrape(void *arg, struct http_request *request)
{
	struct metrics *metrics = arg;
	struct http_reply reply = {.status = 200,
		.content_type = "text/plain; version=0.0.4; charset=utf-8"};
	struct buf text = {0};

	read_gauges(metrics->gw);
	for (size_t i = 0; i < COUNT(all); i++)
		metric_write(all[i], &text);
	if (text.failed) {
		buf_free(&text);
		return -EAGAIN;
	}
	reply.body = text.data;
	reply.body_len = text.len;
	http_reply(metrics->server, request->id, &reply);
	buf_free(&text);
	http_request_free(&request);
	return 0;
}

int metrics_new(struct gateway *gw, int listen_fd, struct metrics **ret_metrics)
{
	static const struct http_route route = {.methods = HTTP_GET, .path = "/metrics"};
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	int err = 0;

	if (metrics == NULL)
		return -ENOMEM;
	metrics->gw = gw;
	if (listen_fd >= 0)
		err = http_server_new(
			&(struct http_config){
				.listen_fd = listen_fd,
				.routes = &route,
				.route_count = 1,
				.body_max = 1024,
				.connections = CONNECTIONS,
				.idle_s = IDLE_S,
				.handle = on_scrape,
				.arg = metrics,
			},
			&metrics->server);
	if (err == 0 && listen_fd >= 0)
		err = ticker_new(&(struct ticker_config){.timers = gw->timers,
					 .jobs = gw->db,
					 .rest_ms = CENSUS_MS,
					 .work = census_work},
			&metrics->ticker);
	if (err < 0) {
		metrics_free(&metrics);
		return err;
	}
	*ret_metrics = metrics;
	return 0;
}

void metrics_free(struct metrics **metrics)
{
	if (*metrics == NULL)
		return;
	http_server_free(&(*metrics)->server);
	ticker_free(&(*metrics)->ticker);
	free(*metrics);
	*metrics = NULL;
}
