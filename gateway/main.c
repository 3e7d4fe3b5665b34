/* main.c: the program's door: reads the settings, answers --help and the like, or runs. */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/log.h"
#include "config.h"
#include "gateway/drain.h"
#include "gateway/maintenance.h"
#include "gateway/provision.h"
#include "gateway/settings.h"
#include "gateway/supervisor.h"

enum command {
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_CHECK_CONFIG,
	COMMAND_DRAIN,
	COMMAND_MIGRATE,
	COMMAND_MIGRATE_PLAN,
	COMMAND_BACKUP,
	COMMAND_RESTORE,
	COMMAND_PROVISION,
	COMMAND_PROVISION_APPLY,
	COMMAND_COUNT,
	COMMAND_RUN = -1,
};

static const struct config_extra commands[COMMAND_COUNT] = {
	[COMMAND_HELP] = {"--help", false},
	[COMMAND_VERSION] = {"--version", false},
	[COMMAND_CHECK_CONFIG] = {"--check-config", false},
	[COMMAND_DRAIN] = {"--drain", false},
	[COMMAND_MIGRATE] = {"--migrate", false},
	[COMMAND_MIGRATE_PLAN] = {"--migrate=plan", false},
	[COMMAND_BACKUP] = {"--backup", true},
	[COMMAND_RESTORE] = {"--restore", true},
	[COMMAND_PROVISION] = {"--provision-twilio", false},
	[COMMAND_PROVISION_APPLY] = {"--provision-twilio=apply", false},
};

static void print_help(void)
{
	(void)printf(
		"Usage: omnivox-gateway [--config FILE] [OPTION VALUE]... [COMMAND]\n"
		"Dials a call centre's lists through Twilio; agents use SIP phones.\n\n"
		"Without a command it runs until SIGTERM. Commands:\n"
		"  --help, --version\n"
		"  --check-config             show each setting and its source, and what is "
		"wrong\n"
		"  --drain                    let the gateway that runs here end when its calls "
		"have\n"
		"  --migrate                  bring the database to this version\n"
		"  --migrate=plan             say which migrations are missing\n"
		"  --backup FILE              write the database to FILE, also while it runs\n"
		"  --restore FILE             read FILE into an empty database\n"
		"  --provision-twilio         say what the Twilio account lacks or has "
		"otherwise\n"
		"  --provision-twilio=apply   create and change it; nothing is deleted\n\n"
		"Options:\n"
		"  --config FILE              NAME=value lines\n");
	config_print_help(settings, settings_count, stdout);
	(void)printf(
		"\nEach option is also an environment variable: --http-listen is "
		"HTTP_LISTEN;\nHTTP_LISTEN_FILE=/path reads it from a file. The command "
		"line wins over the\nenvironment, that over the file, that over the "
		"default.\n\n"
		"Exit status (sysexits.h): 0 done or stopped, 2 --provision-twilio has "
		"something to\ndo, 64 wrong option, 66 nothing to back up or restore, 69 "
		"database, Twilio or\naddress cannot be had, 70 the worker was killed while "
		"it stopped, 71 out of\nprocesses or memory, 73 file or folder cannot be made or "
		"database is not empty, 75\nanother gateway or a command is at work here, 77 "
		"Twilio refuses or not allowed, 78\nwrong setting.\n");
}

static void print_problem(void *arg, const char *sentence)
{
	(void)fprintf(stderr, "%s%s\n", (const char *)arg, sentence);
}

static void print_note(void *arg, const char *sentence)
{
	(void)arg;
	(void)printf("note: %s\n", sentence);
}

/* Everything at once: who corrects a file wants to know all that is wrong in it. */
static int check_config(const struct config *config)
{
	static char prefix[] = "problem: ";
	unsigned count;

	config_print(config, stdout);
	(void)fflush(stdout);
	count = settings_problems(config, print_problem, prefix);
	count += settings_file_problems(config, print_problem, prefix);
	settings_notes(config, print_note, NULL);
	if (count == 0)
		(void)printf("No problem found.\n");
	return count == 0 ? EX_OK : EX_CONFIG;
}

static int run(struct config *config)
{
	static char prefix[] = "omnivox-gateway: ";
	enum log_level level = LOG_LEVEL_INFO;

	if (settings_problems(config, print_problem, prefix) > 0)
		return EX_CONFIG;
	(void)log_level_parse(config_text(config, "LOG_LEVEL"), &level);
	log_init(level, config_text(config, "LOG_FORMAT")[0] == 'j' ? LOG_FORMAT_JSON
								    : LOG_FORMAT_TEXT);
	return supervisor_run(config);
}

static int provision_command(const struct config *config, bool apply)
{
	static char prefix[] = "omnivox-gateway: ";

	if (settings_problems(config, print_problem, prefix) > 0)
		return EX_CONFIG;
	return provision(config, apply);
}

static int obey(const struct config_choice *choice, struct config *config)
{
	switch (choice->index) {
	case COMMAND_HELP:
		print_help();
		return EX_OK;
	case COMMAND_VERSION:
		(void)printf("omnivox-gateway %s\n", PACKAGE_VERSION);
		return EX_OK;
	case COMMAND_CHECK_CONFIG:
		return check_config(config);
	case COMMAND_DRAIN:
		return drain_command(config);
	case COMMAND_MIGRATE:
	case COMMAND_MIGRATE_PLAN:
		return maintenance_migrate(config, choice->index == COMMAND_MIGRATE_PLAN);
	case COMMAND_BACKUP:
		return maintenance_backup(config, choice->value);
	case COMMAND_RESTORE:
		return maintenance_restore(config, choice->value);
	case COMMAND_PROVISION:
	case COMMAND_PROVISION_APPLY:
		return provision_command(
			config, choice->index == COMMAND_PROVISION_APPLY);
	default:
		return run(config);
	}
}

int main(int argc, char **argv)
{
	struct config_load_params params = {
		.items = settings,
		.item_count = settings_count,
		.extra = commands,
		.extra_count = COMMAND_COUNT,
		.argc = argc,
		.argv = argv,
	};
	struct config_choice choice = {.index = COMMAND_RUN};
	struct config *config = NULL;
	struct err err = {{0}};
	int result = config_load(&params, &config, &choice, &err);

	if (result < 0) {
		(void)fprintf(stderr, "omnivox-gateway: %s\n", err.text);
		return result == -ENOTSUP ? EX_USAGE : EX_CONFIG;
	}
	result = obey(&choice, config);
	config_free(&config);
	return result;
}
