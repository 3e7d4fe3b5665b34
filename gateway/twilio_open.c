/* twilio_open.c: see twilio_open.h. */
#include "gateway/twilio_open.h"

#include "gateway/settings.h"

#define LIMIT 256 /* requests asked and not yet answered */
#define CONNECT_MS 3000
#define TOTAL_MS 10000

static const char *or_null(const struct config *config, const char *name)
{
	const char *text = config_text(config, name);

	return text[0] == '\0' ? NULL : text;
}

int twilio_open(const struct config *config,
	void (*answer)(void *arg, struct twilio_answer *answer), void *arg,
	struct twilio_client **ret_client)
{
	char base[TWILIO_BASE_SIZE];
	int err = settings_twilio_base(config, base, NULL);

	if (err < 0)
		return err;
	return twilio_client_new(
		&(struct twilio_config){
			.account_sid = config_text(config, "TWILIO_ACCOUNT_SID"),
			.auth_token = config_text(config, "TWILIO_AUTH_TOKEN"),
			.api_key_sid = or_null(config, "TWILIO_API_KEY_SID"),
			.api_key_secret = or_null(config, "TWILIO_API_KEY_SECRET"),
			.api_base = base,
			.ca_file = or_null(config, "TWILIO_CA_FILE"),
			.connect_ms = CONNECT_MS,
			.total_ms = TOTAL_MS,
			.limit = LIMIT,
			.answer = answer,
			.arg = arg,
		},
		ret_client);
}
