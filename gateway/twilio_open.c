/* twilio_open.c: see twilio_open.h. */
#include "gateway/twilio_open.h"

#include "gateway/settings.h"

#define LIMIT 256    /* requests asked and not yet answered */
#define DOWNLOADS 64 /* recordings listened to at once */
#define CONNECT_MS 3000
#define TOTAL_MS 10000

static const char *or_null(const struct config *config, const char *name)
{
	const char *text = config_text(config, name);

	return text[0] == '\0' ? NULL : text;
}

/* Texts are the configuration's, and `base`, which is filled. */
static int read_config(const struct config *config, char base[TWILIO_BASE_SIZE],
	struct twilio_config *ret_config)
{
	int err = settings_twilio_base(config, base, NULL);

	*ret_config = (struct twilio_config){
		.account_sid = config_text(config, "TWILIO_ACCOUNT_SID"),
		.auth_token = config_text(config, "TWILIO_AUTH_TOKEN"),
		.api_key_sid = or_null(config, "TWILIO_API_KEY_SID"),
		.api_key_secret = or_null(config, "TWILIO_API_KEY_SECRET"),
		.api_base = base,
		.ca_file = or_null(config, "TWILIO_CA_FILE"),
		.connect_ms = CONNECT_MS,
		.total_ms = TOTAL_MS,
		.limit = LIMIT,
	};
	return err;
}

int twilio_open(const struct config *config,
	void (*answer)(void *arg, struct twilio_answer *answer), void *arg,
	struct twilio_client **ret_client)
{
	char base[TWILIO_BASE_SIZE];
	struct twilio_config twilio;
	int err = read_config(config, base, &twilio);

	if (err < 0)
		return err;
	twilio.answer = answer;
	twilio.arg = arg;
	return twilio_client_new(&twilio, ret_client);
}

int twilio_open_media(const struct config *config, struct twilio_media **ret_media)
{
	char base[TWILIO_BASE_SIZE];
	struct twilio_config twilio;
	int err = read_config(config, base, &twilio);

	if (err < 0)
		return err;
	twilio.limit = DOWNLOADS;
	return twilio_media_new(&twilio, ret_media);
}
