/* main.c: the program's door: reads the settings, answers --help and the like, or runs. */
#include <stdio.h>
#include <sysexits.h>

#include "base/log.h"
#include "config.h"
#include "gateway/settings.h"
#include "gateway/supervisor.h"

enum extra { EXTRA_HELP, EXTRA_VERSION, EXTRA_CHECK_CONFIG };
static const char *const extras[] = {"--help", "--version", "--check-config"};

static void print_help(void)
{
	(void)printf(
		"Usage: omnivox-gateway [--config FILE] [OPTION VALUE]...\n"
		"Dials a call centre's lists through Twilio; agents use SIP phones.\n\n"
		"  --help, --version\n"
		"  --check-config             show each setting and its source, then stop\n"
		"  --config FILE              NAME=value lines\n");
	config_print_help(settings, settings_count, stdout);
	(void)printf("\nEach option is also an environment variable: --http-listen is "
		     "HTTP_LISTEN;\nHTTP_LISTEN_FILE=/path reads it from a file.\n");
}

static void start_log(const struct config *config)
{
	enum log_level level = LOG_LEVEL_INFO;

	(void)log_level_parse(config_text(config, "LOG_LEVEL"), &level);
	log_init(level, config_text(config, "LOG_FORMAT")[0] == 'j' ? LOG_FORMAT_JSON
								    : LOG_FORMAT_TEXT);
}

int main(int argc, char **argv)
{
	struct config_load_params params = {
		.items = settings,
		.item_count = settings_count,
		.extra = extras,
		.extra_count = sizeof(extras) / sizeof(extras[0]),
		.argc = argc,
		.argv = argv,
	};
	struct config *config = NULL;
	struct err err = {{0}};
	int extra, result;

	if (config_load(&params, &config, &extra, &err) < 0) {
		(void)fprintf(stderr, "omnivox-gateway: %s\n", err.text);
		return EX_CONFIG;
	}
	if (extra == EXTRA_HELP) {
		print_help();
		result = EX_OK;
	} else if (extra == EXTRA_VERSION) {
		(void)printf("omnivox-gateway %s\n", PACKAGE_VERSION);
		result = EX_OK;
	} else {
		if (extra == EXTRA_CHECK_CONFIG)
			config_print(config, stdout);
		result = settings_check(config, &err) < 0 ? EX_CONFIG : EX_OK;
		if (result != EX_OK)
			(void)fprintf(stderr, "omnivox-gateway: %s\n", err.text);
		else if (extra != EXTRA_CHECK_CONFIG) {
			start_log(config);
			result = supervisor_run(config);
		}
	}
	config_free(&config);
	return result;
}
