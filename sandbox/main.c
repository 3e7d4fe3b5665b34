/* main.c: omnivox-sandbox: puts the parts together and runs the loop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>
#include <libxml/parser.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "sandbox/calllog.h"
#include "sandbox/calls.h"
#include "sandbox/conference.h"
#include "sandbox/dialing.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/mixer.h"
#include "sandbox/numbers.h"
#include "sandbox/outbox.h"
#include "sandbox/population.h"
#include "sandbox/recording.h"
#include "sandbox/rest.h"
#include "sandbox/sandbox.h"
#include "sandbox/settings.h"
#include "sandbox/sip_calls.h"
#include "sandbox/uas.h"

#define PATH_SIZE 4096

void sandbox_sid(struct sandbox *sandbox, const char *prefix, char sid[SID_SIZE])
{
	chance_sid(&sandbox->chance, prefix, sid);
}

int64_t sandbox_scaled(const struct sandbox *sandbox, int64_t ms)
{
	return (int64_t)((double)ms / sandbox->settings.speed);
}

static const char *path_in(
	const struct sandbox *sandbox, const char *name, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/%s", sandbox->settings.data_dir, name);
	return path;
}

static int make_folders(const struct sandbox *sandbox, struct err *err)
{
	static const char *const names[] = {
		"", "run", "sandbox", "sandbox/heard", "sandbox/recordings"};
	char path[PATH_SIZE];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mkdir(path_in(sandbox, names[i], path), 0755) < 0 && errno != EEXIST)
			return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

/* Who reads it finds a whole file or none. */
static int write_addresses(
	const struct sandbox *sandbox, const char *http, struct err *err)
{
	char path[PATH_SIZE], temporary[PATH_SIZE];
	json_t *object = json_pack("{s:i, s:s, s:s}", "pid", (int)getpid(), "http", http,
		"sip", uas_addr(sandbox->uas));
	int r = 0;

	(void)path_in(sandbox, "run/sandbox-addresses.json", path);
	(void)path_in(sandbox, "run/.sandbox-addresses.json", temporary);
	if (json_dump_file(object, temporary, 0) != 0 || rename(temporary, path) < 0)
		r = err_set(err, -EIO, "%s cannot be written", path);
	json_decref(object);
	return r;
}

static int check_settings(const struct sandbox_settings *settings, struct err *err)
{
	if (strncmp(settings->account_sid, "AC", 2) != 0 ||
		strlen(settings->account_sid) != SID_SIZE - 1)
		return err_set(err, -EINVAL,
			"SANDBOX_ACCOUNT_SID: \"%s\" is not AC and 32 hex digits",
			settings->account_sid);
	if ((*settings->api_key_sid != '\0' || *settings->api_key_secret != '\0') &&
		(strncmp(settings->api_key_sid, "SK", 2) != 0 ||
			strlen(settings->api_key_sid) != SID_SIZE - 1 ||
			*settings->api_key_secret == '\0'))
		return err_set(err, -EINVAL,
			"SANDBOX_API_KEY_SID is SK and 32 hex digits, and goes with "
			"SANDBOX_API_KEY_SECRET");
	if (settings->speed <= 0 || settings->cps <= 0)
		return err_set(
			err, -EINVAL, "SANDBOX_SPEED and SANDBOX_CPS are more than 0");
	return 0;
}

/* What needs no network. */
static int build(struct sandbox *sandbox, const struct config *config, struct err *err)
{
	const char *population = config_text(config, "SANDBOX_POPULATION");
	const char *voice_url = config_text(config, "SANDBOX_SIP_VOICE_URL");
	uint64_t seed = (uint64_t)config_int(config, "SANDBOX_SEED");
	char path[PATH_SIZE];
	int r;

	r = make_folders(sandbox, err);
	if (r < 0)
		return r;
	r = population_new(
		*population != '\0' ? population : NULL, seed, &sandbox->population, err);
	if (r < 0)
		return r;
	r = calllog_new(path_in(sandbox, "sandbox/calls.jsonl", path), &sandbox->log);
	if (r < 0)
		return err_set(err, r, "%s: %s", path, strerror(-r));
	/* SIDs are the seed's, but those of an earlier run do not come again. */
	sandbox->chance.state =
		chance_hash(seed, "sid", (uint64_t)calllog_count(sandbox->log));
	(void)resources_new(sandbox, &sandbox->resources);
	sandbox->domain.voice_url = memory_text(*voice_url != '\0' ? voice_url : NULL);
	sandbox->domain.voice_method = memory_text("POST");
	return numbers_add(sandbox, config_text(config, "SANDBOX_NUMBERS"), err);
}

static int connect_parts(
	struct sandbox *sandbox, const struct config *config, struct err *err)
{
	int r = loop_new(&sandbox->loop);

	if (r == 0)
		r = outbox_new(sandbox, &sandbox->outbox);
	if (r == 0)
		r = mixer_new(&sandbox->mixer);
	if (r == 0)
		r = calls_new((size_t)sandbox->settings.keep, &sandbox->calls);
	if (r == 0)
		r = conferences_new(sandbox, &sandbox->conferences);
	if (r == 0)
		r = recordings_new(sandbox, &sandbox->recordings);
	if (r == 0)
		r = dialing_new(sandbox, &sandbox->dialing);
	if (r < 0)
		return err_set(err, r, "the loop cannot start: %s", strerror(-r));
	r = sip_calls_open(sandbox,
		&(struct sip_calls_config){
			.listen = config_text(config, "SANDBOX_SIP_LISTEN"),
			.user = config_text(config, "SANDBOX_SIP_USER"),
			.password = config_text(config, "SANDBOX_SIP_PASSWORD"),
			.rtp_lost_ms =
				(unsigned)config_int(config, "SANDBOX_RTP_LOST_MS")});
	if (r < 0)
		return err_set(err, r, "SANDBOX_SIP_LISTEN %s: %s",
			config_text(config, "SANDBOX_SIP_LISTEN"), strerror(-r));
	return 0;
}

static int serve(struct sandbox *sandbox, const char *listen, struct err *err)
{
	char http[ADDR_TEXT_SIZE], path[PATH_SIZE];
	struct addr wanted;
	int r = addr_parse(listen, &wanted);

	if (r == 0)
		r = rest_open(sandbox, &wanted);
	if (r < 0) {
		r = err_set(err, r, "SANDBOX_LISTEN %s: %s", listen, strerror(-r));
		goto out;
	}
	(void)addr_text(&sandbox->listen, http);
	(void)snprintf(path, sizeof(path), "http://%s", http);
	sandbox->base_url = memory_text(path);
	r = write_addresses(sandbox, http, err);
	if (r < 0)
		goto out;
	log_info("sandbox", 0, "ready http=%s sip=%s", http, uas_addr(sandbox->uas));
	r = loop_run(sandbox->loop);
	(void)unlink(path_in(sandbox, "run/sandbox-addresses.json", path));
out:
	rest_close(sandbox);
	return r;
}

static void tear_down(struct sandbox *sandbox)
{
	/* Calls hold legs, timers and rooms; nobody is told that they end. */
	calls_free(&sandbox->calls);
	conferences_free(&sandbox->conferences);
	recordings_free(&sandbox->recordings);
	dialing_free(&sandbox->dialing);
	uas_free(&sandbox->uas);
	mixer_free(&sandbox->mixer);
	outbox_free(&sandbox->outbox);
	loop_free(&sandbox->loop);
	calllog_free(&sandbox->log);
	resources_free(&sandbox->resources);
	population_free(&sandbox->population);
	free(sandbox->base_url);
	free(sandbox->domain.voice_url);
	free(sandbox->domain.voice_method);
	free(sandbox->domain.fallback_url);
	free(sandbox->domain.status_callback);
}

static int run(const struct config *config, struct err *err)
{
	struct sandbox sandbox = {.away_fd = -1};
	enum log_level level;
	int r;

	if (log_level_parse(config_text(config, "LOG_LEVEL"), &level) < 0)
		return err_set(err, -EINVAL, "LOG_LEVEL is error, warn, info or debug");
	log_init(level, LOG_FORMAT_TEXT);
	facts_init(&sandbox.facts);
	sip_statuses_init(&sandbox.sip_statuses);
	sandbox.started_ms = clock_wall_ms();
	list_init(&sandbox.slow);
	list_init(&sandbox.players);
	list_init(&sandbox.queue_members);
	list_init(&sandbox.announcers);
	sandbox.settings = (struct sandbox_settings){
		.account_sid = config_text(config, "SANDBOX_ACCOUNT_SID"),
		.auth_token = config_text(config, "SANDBOX_AUTH_TOKEN"),
		.api_key_sid = config_text(config, "SANDBOX_API_KEY_SID"),
		.api_key_secret = config_text(config, "SANDBOX_API_KEY_SECRET"),
		.data_dir = config_text(config, "SANDBOX_DATA"),
		.speed = config_number(config, "SANDBOX_SPEED"),
		.cps = config_number(config, "SANDBOX_CPS"),
		.record = config_flag(config, "SANDBOX_RECORD"),
		.keep = config_int(config, "SANDBOX_KEEP")};
	r = check_settings(&sandbox.settings, err);
	if (r == 0)
		r = build(&sandbox, config, err);
	if (r == 0)
		r = connect_parts(&sandbox, config, err);
	if (r == 0)
		r = serve(&sandbox, config_text(config, "SANDBOX_LISTEN"), err);
	tear_down(&sandbox);
	return r;
}

int main(int argc, char **argv)
{
	struct config *config = NULL;
	struct err err = {0};
	struct rlimit files;
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	/* A webhook each of thousands of calls may be under way at once. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return EXIT_FAILURE;
	xmlInitParser();
	r = settings_load(argc, argv, &config, &err);
	if (r == 0)
		r = run(config, &err);
	if (r < 0)
		(void)fprintf(stderr, "omnivox-sandbox: %s\n", err.text);
	config_free(&config);
	curl_global_cleanup();
	xmlCleanupParser();
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
