/* worker.c: puts the worker together. See worker.h. */
#include "gateway/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/post.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/timers.h"
#include "db/backup.h"
#include "db/migrate.h"
#include "db/nodes.h"
#include "gateway/addresses.h"
#include "gateway/afterwork.h"
#include "gateway/again.h"
#include "gateway/agent.h"
#include "gateway/agent_twiml.h"
#include "gateway/api.h"
#include "gateway/call.h"
#include "gateway/call_control.h"
#include "gateway/call_table.h"
#include "gateway/campaign.h"
#include "gateway/gateway.h"
#include "gateway/drain.h"
#include "gateway/event_bus.h"
#include "gateway/import.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/numbers.h"
#include "gateway/nodes.h"
#include "gateway/pulse.h"
#include "gateway/listeners.h"
#include "gateway/rate.h"
#include "gateway/recording.h"
#include "gateway/recovery.h"
#include "gateway/routes.h"
#include "gateway/settings.h"
#include "gateway/sip_name.h"
#include "gateway/sweep.h"
#include "gateway/twilio_health.h"
#include "gateway/twilio_open.h"
#include "gateway/webhook_batch.h"
#include "gateway/zones.h"
#include "http/events.h"
#include "http/server.h"
#include "rtp/relay.h"
#include "sip/edge.h"
#include "sip/loop.h"

/* Limits of the worker, in one place. */
#define QUEUE_LIMIT 8192   /* posts to the loop from those who may be told to wait */
#define DB_JOBS_LIMIT 4096 /* waiting database jobs */
#define SLOW_WORKERS 2     /* threads, and connections, for what may take many seconds */
#define SLOW_LIMIT 64      /* ... and how much of it may wait */
#define DB_STATEMENT_MS 5000
#define DB_START_WAIT_MS 30000 /* for PostgreSQL to answer at start */
#define HTTP_BODY_MAX 65536    /* routes with larger bodies say so */
#define HTTP_CONNECTIONS 1000
#define HTTP_IDLE_S 75
#define EVENTS_RING 10000
#define EVENTS_HEARTBEAT_S 15
#define SIP_EXPIRES_MIN_S 30
#define SIP_EXPIRES_MAX_S 3600
#define SIP_PENDING_MAX 4096
#define RTP_SILENT_MS 15000
#define STOP_WAIT_MS 2000

struct worker {
	struct gateway gw;
	struct db *db; /* the worker thread's own, for start and stop */
	const struct worker_params *params;
	int signal_fd;
	struct settings_proxies proxies;
	struct err err;
};

/* ---- the database ---- */

static int db_start(void *arg, void **ret_ctx)
{
	struct gateway *gw = arg;

	return db_open(config_text(gw->config, "DATABASE_URL"), DB_STATEMENT_MS,
		(struct db **)ret_ctx);
}

static void db_stop(void *arg, void *ctx)
{
	struct db *db = ctx;

	(void)arg;
	db_close(&db);
}

static int wait_for_database(struct worker *w)
{
	struct timespec pause = {.tv_nsec = 100000000};
	int64_t deadline = clock_mono_ms() + DB_START_WAIT_MS;
	int err;

	while ((err = db_ping(w->db)) < 0 && clock_mono_ms() < deadline &&
		!pulse_drain_is_over(w->params->pulse)) {
		if (stop_asked())
			return err_set(&w->err, -EINTR, "told to stop.");
		(void)nanosleep(&pause, NULL);
	}
	if (err < 0)
		return err_set(&w->err, err,
			"PostgreSQL does not answer: %s. Is DATABASE_URL right, and does it run?",
			db_error(w->db));
	return 0;
}

static int load_tables(struct worker *w)
{
	struct config *config = w->gw.config;
	struct call_table_times times = {
		.ambiguous_s = (double)config_int(config, "AMBIGUOUS_AFTER"),
		.reconcile_s = (double)config_int(config, "RECONCILE_AFTER"),
	};
	struct db_tables tables;
	int err;

	call_table(&times, &tables);
	tables.calls_per_second = config_number(config, "TWILIO_CPS");
	err = db_load_tables(w->db, &tables);
	if (err == 0)
		err = twilio_health_load(w->db);
	if (err == 0)
		err = db_install_id(w->db, w->gw.install);
	if (err < 0)
		(void)err_set(&w->err, err, "The database refused: %s.", db_error(w->db));
	return err;
}

/* A restore that was broken off after its data came. */
static int settle_restored(struct worker *w)
{
	bool settled;
	int err = db_restored(w->db, &settled);

	if (err < 0)
		(void)err_set(&w->err, err, "The database refused: %s.", db_error(w->db));
	else if (settled)
		log_warn("worker", 0, "restored from a backup: auto-dial is off");
	return err;
}

static int start_database(struct worker *w)
{
	struct gateway *gw = &w->gw;
	unsigned applied = 0;
	int err;

	err = db_open(config_text(gw->config, "DATABASE_URL"), DB_STATEMENT_MS, &w->db);
	if (err == 0)
		err = wait_for_database(w);
	if (err == 0)
		err = db_migrate(w->db, &applied, &w->err);
	if (err == 0 && applied > 0)
		log_info("worker", 0, "%u migrations applied", applied);
	if (err == 0)
		err = settle_restored(w);
	if (err == 0)
		err = load_tables(w);
	if (err == 0)
		err = api_first_admin(gw, w->db, &w->err);
	if (err < 0)
		return err;
	err = jobs_new(
		&(struct jobs_config){
			.threads = (unsigned)config_int(gw->config, "DB_WORKERS"),
			.limit = DB_JOBS_LIMIT,
			.answers = gw->queue,
			.start = db_start,
			.stop = db_stop,
			.arg = gw,
			.waited = &metric_db_wait,
			.ran = &metric_db_run,
		},
		&gw->db);
	if (err < 0)
		return err;
	return jobs_new(
		&(struct jobs_config){
			.threads = SLOW_WORKERS,
			.limit = SLOW_LIMIT,
			.answers = gw->queue,
			.start = db_start,
			.stop = db_stop,
			.arg = gw,
		},
		&gw->slow);
}

/* ---- the other rooms ---- */

static int start_loop(struct worker *w)
{
	struct gateway *gw = &w->gw;
	int err;

	err = post_queue_new(QUEUE_LIMIT, &gw->queue);
	if (err == 0)
		err = timers_new(clock_mono_ms(), &gw->timers);
	if (err == 0)
		err = sip_loop_new(gw->queue, gw->timers, &gw->loop);
	return err;
}

static int start_sip(struct worker *w)
{
	struct gateway *gw = &w->gw;
	struct addresses before = {0};
	const char *advertise = config_text(gw->config, "SIP_ADVERTISE");
	char listen[ADDR_TEXT_SIZE];
	struct addr addr;

	(void)addresses_read(config_text(gw->config, "DATA_DIR"), &before);
	(void)addr_parse(config_text(gw->config, "SIP_LISTEN"), &addr);
	addresses_keep_port(before.sip, &addr);
	return sip_edge_new(
		&(struct sip_edge_config){
			.loop = gw->loop,
			.timers = gw->timers,
			.listen = addr_text(&addr, listen),
			.advertise = advertise[0] == '\0' ? NULL : advertise,
			.realm = config_text(gw->config, "SIP_REALM"),
			.user_agent = "Omnivox Gateway",
			.expires_min_s = SIP_EXPIRES_MIN_S,
			.expires_max_s = SIP_EXPIRES_MAX_S,
			.pending_max = SIP_PENDING_MAX,
			.account = agent_sip_account,
			.bind = agent_sip_bind,
			.arg = gw,
		},
		&gw->edge, &w->err);
}

static int start_rtp(struct worker *w)
{
	struct gateway *gw = &w->gw;
	const char *ports = config_text(gw->config, "RTP_PORTS");
	char host[ADDR_TEXT_SIZE];
	uint16_t lo = 0, hi = 0;

	(void)settings_rtp_ports(ports, &lo, &hi); /* checked before the start */
	return rtp_relay_new(
		&(struct rtp_config){
			.bind_host = addr_host(sip_edge_addr(gw->edge), host),
			.port_lo = lo,
			.port_hi = hi,
			.silent_ms = RTP_SILENT_MS,
			.event = agent_rtp_event,
			.arg = gw,
		},
		&gw->relay);
}

static const char *or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static int start_twilio(struct worker *w)
{
	struct gateway *gw = &w->gw;

	int err = twilio_open(gw->config, calls_twilio_answer, gw, &gw->twilio);

	return err < 0 ? err : twilio_open_media(gw->config, &gw->media);
}

static int start_nouns(struct worker *w)
{
	struct gateway *gw = &w->gw;
	int err;

	err = sip_names_new(gw, &gw->names);
	if (err == 0)
		err = http_events_new(EVENTS_RING, EVENTS_HEARTBEAT_S, &gw->events);
	if (err == 0)
		err = event_bus_new(gw, &gw->bus);
	if (err == 0)
		err = agents_new(gw, &gw->agents);
	if (err == 0)
		err = calls_new(gw, &gw->calls);
	if (err == 0)
		err = webhooks_new(gw);
	if (err == 0)
		err = agent_twiml_new(gw);
	if (err == 0)
		err = afterwork_new(&gw->afterwork);
	if (err == 0)
		err = listeners_new(gw, &gw->listeners);
	if (err == 0)
		err = rate_new((unsigned)config_int(gw->config, "API_RATE"), &gw->rate);
	return err;
}

static int start_http(struct worker *w)
{
	struct gateway *gw = &w->gw;
	const char *wrong;
	struct http_config config = {
		.listen_fd = w->params->listen_fd,
		.body_max = HTTP_BODY_MAX,
		.connections = HTTP_CONNECTIONS,
		.idle_s = HTTP_IDLE_S,
		.spool_dir = config_text(gw->config, "DATA_DIR"),
		.static_dir = or_null(config_text(gw->config, "WEB_DIR")),
		.trusted_proxies = w->proxies.list,
		.handle = api_handle,
		.verify = api_verify,
		.answered = metrics_http,
		.events = gw->events,
		.arg = gw,
	};

	if (config.static_dir != NULL && access(config.static_dir, R_OK | X_OK) < 0) {
		log_warn("worker", 0, "no console: WEB_DIR %s cannot be read",
			config.static_dir);
		config.static_dir = NULL;
	}
	(void)settings_proxies(/* checked before the start */
		config_text(gw->config, "TRUSTED_PROXIES"), &w->proxies, &wrong);
	config.routes = api_routes(&config.route_count);
	return http_server_new(&config, &gw->http);
}

/* Order matters: what is told something must exist before who tells it. */
static int start(struct worker *w)
{
	static int (*const steps[])(struct worker *) = {start_loop, start_database,
		start_sip, start_rtp, start_nouns, start_twilio, NULL};
	struct gateway *gw = &w->gw;
	int err;

	(void)snprintf(gw->backend_url, sizeof(gw->backend_url), "%s",
		config_text(gw->config, "BACKEND_URL"));
	err = node_id(config_text(gw->config, "DATA_DIR"), gw->node, &w->err);
	if (err == 0)
		err = zones_load(ZONES_DIR, &gw->zones, &w->err);
	for (size_t i = 0; err == 0 && steps[i] != NULL; i++)
		err = steps[i](w);
	if (err == 0)
		err = db_node_begin(w->db, gw->node, /* before others think us dead */
			atomic_load(&gw->pulse->draining));
	if (err == 0)
		err = recover(gw, w->db);
	if (err == 0)
		err = twilio_health_new(gw, &gw->health);
	if (err == 0)
		err = recordings_new(gw, &gw->recordings);
	if (err == 0)
		err = controls_new(gw, &gw->controls);
	if (err == 0)
		err = sweeper_new(gw, &gw->sweeper);
	if (err == 0)
		err = campaigns_new(gw, &gw->campaigns);
	if (err == 0)
		err = numbers_new(gw, &gw->numbers);
	if (err == 0)
		err = imports_new(gw, &gw->imports);
	if (err == 0)
		err = nodes_new(gw, &gw->nodes);
	if (err == 0)
		err = drain_new(gw, &gw->drain);
	if (err == 0)
		err = beat_new(gw, &gw->beat);
	if (err == 0)
		err = metrics_new(gw, w->params->metrics_fd, &gw->metrics);
	/* Last: from here on the world comes in. */
	if (err == 0)
		err = start_http(w);
	return err;
}

static int say_ready(struct worker *w)
{
	struct gateway *gw = &w->gw;
	struct addresses addresses = {
		.supervisor = w->params->supervisor, .worker = getpid()};
	int err;

	(void)text_copy(addresses.http, sizeof(addresses.http),
		config_text(gw->config, "HTTP_LISTEN"));
	(void)addr_text(sip_edge_addr(gw->edge), addresses.sip);
	(void)text_copy(addresses.metrics, sizeof(addresses.metrics),
		config_text(gw->config, "METRICS_LISTEN"));
	err = addresses_write(config_text(gw->config, "DATA_DIR"), &addresses);
	/* On a full disk phones and Twilio still find what they knew. */
	if (err < 0)
		log_warn("worker", 0, "run/addresses.json cannot be written: %s",
			strerror(-err));
	log_info("worker", 0, "ready http=%s sip=%s", addresses.http, addresses.sip);
	atomic_store(&gw->pulse->ready, true);
	(void)kill(w->params->supervisor, SIGUSR2);
	return 0;
}

/* ---- the end ---- */

static void on_signal(void *arg)
{
	struct worker *w = arg;
	struct signalfd_siginfo info;

	if (read(w->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR1)
		drain_begin(&w->gw);
	else
		sip_loop_stop(w->gw.loop);
}

/*
 * Requests to Twilio that are out are waited for, and what they answered is stored. The client
 * stays for those who still ask: it tells them that it is full.
 */
static void finish_requests(struct worker *w)
{
	struct timespec pause = {.tv_nsec = 5000000};
	int64_t deadline;

	twilio_client_stop(w->gw.twilio);
	deadline = clock_mono_ms() + STOP_WAIT_MS;
	while (w->gw.db != NULL && clock_mono_ms() < deadline) {
		if (post_queue_run(w->gw.queue, QUEUE_LIMIT) == 0 &&
			jobs_waiting(w->gw.db) == 0)
			break;
		(void)nanosleep(&pause, NULL);
	}
}

/* Nobody is hung up on: dialogs and calls are taken up by the next worker. */
static void stop(struct worker *w)
{
	struct gateway *gw = &w->gw;

	metrics_free(&gw->metrics);
	beat_free(&gw->beat);
	drain_free(&gw->drain);
	campaigns_free(&gw->campaigns);
	numbers_free(&gw->numbers);
	if (gw->twilio != NULL)
		finish_requests(w);
	imports_stop(
		gw->imports); /* they answer requests, and handlers still come to them */
	twilio_media_stop(gw->media); /* downloads are answers, too */
	http_server_free(&gw->http);
	jobs_stop(gw->names); /* the jobs of one put to another */
	jobs_stop(gw->slow);
	jobs_stop(gw->db);
	jobs_free(&gw->names);
	jobs_free(&gw->slow);
	jobs_free(&gw->db);
	imports_free(&gw->imports);
	twilio_client_free(&gw->twilio); /* nobody is left who could ask */
	twilio_media_free(&gw->media);
	again_stop(gw);
	nodes_free(&gw->nodes);
	sweeper_free(&gw->sweeper);
	listeners_free(&gw->listeners);
	afterwork_free(&gw->afterwork);
	rate_free(&gw->rate);
	twilio_health_free(&gw->health);
	recordings_free(&gw->recordings);
	controls_free(&gw->controls);
	calls_free(&gw->calls);
	agents_free(&gw->agents);
	webhooks_free(gw);
	agent_twiml_free(gw);
	event_bus_free(&gw->bus);
	http_events_free(&gw->events);
	rtp_relay_free(&gw->relay);
	sip_edge_free(&gw->edge);
	sip_loop_free(&gw->loop);
	post_queue_free(&gw->queue);
	timers_free(&gw->timers);
	zones_free(&gw->zones);
	db_close(&w->db);
}

static int watch_signals(struct worker *w)
{
	sigset_t signals;
	int index;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGUSR1);
	w->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signal_fd < 0)
		return -errno;
	index = sip_loop_watch(w->gw.loop, w->signal_fd, on_signal, w);
	return index < 0 ? index : 0;
}

int worker_run(const struct worker_params *params)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err, result = EX_OK;

	if (w == NULL)
		return EX_OSERR;
	w->gw.config = params->config;
	list_init(&w->gw.again);
	w->gw.pulse = params->pulse;
	w->params = params;
	w->signal_fd = -1;
	err = start(w);
	if (err == 0)
		err = watch_signals(w);
	if (err == 0)
		err = say_ready(w);
	if (err == -EINTR) {
		log_info("worker", 0, "not started: %s", w->err.text);
	} else if (err < 0) {
		log_error("worker", 0, "not started: %s",
			w->err.text[0] != '\0' ? w->err.text : strerror(-err));
		result = err == -EINVAL || err == -EPERM ? EX_CONFIG : EX_UNAVAILABLE;
	} else {
		sip_loop_run(w->gw.loop);
		log_info("worker", 0, "stopping");
	}
	stop(w);
	if (w->signal_fd >= 0)
		(void)close(w->signal_fd);
	free(w);
	return result;
}
