/* settings.c: the one table of settings. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sandbox/memory.h"
#include "sandbox/settings.h"

static const struct config_item items[] = {
	{"LOG_LEVEL", CONFIG_TEXT, "info", "error, warn, info or debug", 0, 0},
	{"SANDBOX_ACCOUNT_SID", CONFIG_TEXT, "AC00000000000000000000000000000001",
		"account SID that clients must use", 0, 0},
	{"SANDBOX_API_KEY_SECRET", CONFIG_SECRET, NULL, "secret of the API key", 0, 0},
	{"SANDBOX_API_KEY_SID", CONFIG_TEXT, NULL,
		"API key that clients may use instead of account SID and auth token", 0,
		0},
	{"SANDBOX_AUTH_TOKEN", CONFIG_SECRET, "sandbox-auth-token",
		"auth token: the REST password and the key of the signatures", 0, 0},
	{"SANDBOX_CPS", CONFIG_NUMBER, "1", "calls per second of the account", 0, 1000},
	{"SANDBOX_DATA", CONFIG_TEXT, "sandbox-data",
		"folder for calls.jsonl, recordings and the addresses file", 0, 0},
	{"SANDBOX_KEEP", CONFIG_INT, "100000",
		"finished calls, conferences, recordings each that are remembered", 10,
		10000000},
	{"SANDBOX_LISTEN", CONFIG_ADDR, "127.0.0.1:8090", "address of the REST API", 0,
		0},
	{"SANDBOX_NUMBERS", CONFIG_TEXT, "+15550001", "phone numbers, comma between", 0,
		0},
	{"SANDBOX_POPULATION", CONFIG_TEXT, NULL, "JSON file of simulated customers", 0,
		0},
	{"SANDBOX_RECORD", CONFIG_FLAG, "0", "keep what each customer hears as WAV", 0,
		0},
	{"SANDBOX_RTP_LOST_MS", CONFIG_INT, "60000",
		"end a SIP leg that is silent so long", 0, 3600000},
	{"SANDBOX_SEED", CONFIG_INT, "1", "the same seed gives the same run", 0,
		INT64_MAX},
	{"SANDBOX_SIP_LISTEN", CONFIG_ADDR, "127.0.0.1:5070", "address of the SIP domain",
		0, 0},
	{"SANDBOX_SIP_PASSWORD", CONFIG_SECRET, "sandbox-sip-password",
		"digest password of the SIP domain", 0, 0},
	{"SANDBOX_SIP_USER", CONFIG_TEXT, "gateway", "digest user of the SIP domain", 0,
		0},
	{"SANDBOX_SIP_VOICE_URL", CONFIG_TEXT, NULL,
		"where calls to the SIP domain get their TwiML", 0, 0},
	{"SANDBOX_SPEED", CONFIG_NUMBER, "1",
		"how much faster customers ring and talk; audio is not", 0, 1000},
};

#define ITEMS (sizeof(items) / sizeof(items[0]))

static const struct config_extra switches[] = {{"--help", false}};

/* "--data" or "--data=x" as "--sandbox-data..."; anything else as it is. */
static char *long_name(const char *arg)
{
	static const char prefix[] = "--sandbox-";
	struct buf text = {0};
	size_t i;

	for (i = 0; i < ITEMS; i++) {
		const char *name = items[i].name + strlen("SANDBOX_");
		size_t k;

		if (strncmp(items[i].name, "SANDBOX_", 8) != 0 ||
			strncmp(arg, "--", 2) != 0)
			continue;
		for (k = 0; name[k] != '\0'; k++)
			if (arg[2 + k] != (name[k] == '_' ? '-' : name[k] | 32))
				break;
		if (name[k] != '\0' || (arg[2 + k] != '\0' && arg[2 + k] != '='))
			continue;
		buf_printf(&text, "%s%s", prefix, arg + 2);
		return buf_take(&text);
	}
	return memory_text(arg);
}

int settings_load(int argc, char **argv, struct config **ret_config, struct err *err)
{
	char **args = memory_zero((size_t)(argc + 1) * sizeof(*args));
	struct config_choice choice = {.index = -1};
	int i, r;

	for (i = 0; i < argc; i++)
		args[i] = long_name(argv[i]);
	r = config_load(&(struct config_load_params){.items = items,
				.item_count = ITEMS,
				.extra = switches,
				.extra_count = 1,
				.argc = argc,
				.argv = args},
		ret_config, &choice, err);
	if (r == 0 && choice.index == 0) {
		(void)puts("omnivox-sandbox: a local stand-in for Twilio. Settings "
			   "(--sandbox-NAME, or --NAME):\n");
		config_print_help(items, ITEMS, stdout);
		config_free(ret_config);
		r = 1;
	}
	for (i = 0; i < argc; i++)
		free(args[i]);
	free(args);
	return r;
}
