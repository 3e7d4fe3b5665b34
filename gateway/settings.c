/* settings.c: the gateway's settings. See settings.h. */
#include "gateway/settings.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "dialer/number.h"

const struct config_item settings[] = {
	{"ADMIN_PASSWORD", CONFIG_SECRET, NULL,
		"password of the first admin; unset: a one-time password is printed", 0,
		0},
	{"AMBIGUOUS_AFTER", CONFIG_INT, "120",
		"seconds until a call whose request was lost is looked for at Twilio", 1,
		3600},
	{"BACKEND_URL", CONFIG_TEXT, NULL,
		"public base of our URLs, as Twilio reaches them; unset: the HTTP address",
		0, 0},
	{"DATABASE_URL", CONFIG_SECRET, NULL,
		"PostgreSQL; unset: a private cluster in DATA_DIR", 0, 0},
	{"DATA_DIR", CONFIG_TEXT, "/var/lib/omnivox-gateway", "where everything is kept",
		0, 0},
	{"DB_WORKERS", CONFIG_INT, "4", "database connections", 1, 64},
	{"HTTP_LISTEN", CONFIG_ADDR, "127.0.0.1:8080", "address of the API and console",
		0, 0},
	{"LOG_FORMAT", CONFIG_TEXT, "text", "text or json", 0, 0},
	{"LOG_LEVEL", CONFIG_TEXT, "info", "error, warn, info or debug", 0, 0},
	{"RECONCILE_AFTER", CONFIG_INT, "60",
		"seconds of silence about a live call until Twilio is asked", 1, 3600},
	{"RTP_PORTS", CONFIG_TEXT, "20000-29999", "low-high, 4 per agent; or auto", 0, 0},
	{"SIP_ADVERTISE", CONFIG_TEXT, NULL,
		"our host in Contact and SDP; unset: the SIP address", 0, 0},
	{"SIP_LISTEN", CONFIG_ADDR, "0.0.0.0:5060", "address for phones", 0, 0},
	{"SIP_REALM", CONFIG_TEXT, "omnivox",
		"digest realm; part of every stored secret, never change it", 0, 0},
	{"TRUSTED_PROXIES", CONFIG_TEXT, NULL,
		"addresses whose X-Forwarded-For counts, comma separated", 0, 0},
	{"TWILIO_ACCOUNT_SID", CONFIG_TEXT, NULL, "the account (AC...)", 0, 0},
	{"TWILIO_API_BASE", CONFIG_TEXT, "https://api.twilio.com",
		"where Twilio's REST API is; http:// only on loopback", 0, 0},
	{"TWILIO_API_KEY_SECRET", CONFIG_SECRET, NULL, "secret of the API key", 0, 0},
	{"TWILIO_API_KEY_SID", CONFIG_TEXT, NULL,
		"API key (SK...) for REST instead of the auth token", 0, 0},
	{"TWILIO_AUTH_TOKEN", CONFIG_SECRET, NULL, "signs webhooks; REST password", 0, 0},
	{"TWILIO_AUTH_TOKEN_SECONDARY", CONFIG_SECRET, NULL,
		"also accepted on webhooks, while tokens are rotated", 0, 0},
	{"TWILIO_CA_FILE", CONFIG_TEXT, NULL, "CA certificates; unset: the system's", 0,
		0},
	{"TWILIO_CPS", CONFIG_NUMBER, "1", "calls per second of the account", 0, 1000},
	{"TWILIO_PHONE_NUMBER", CONFIG_TEXT, NULL,
		"caller id of campaigns that name none (E.164)", 0, 0},
	{"TWILIO_SIP_DOMAIN", CONFIG_TEXT, NULL,
		"our SIP domain at Twilio: name.sip.twilio.com", 0, 0},
	{"TWILIO_SIP_PASSWORD", CONFIG_SECRET, NULL, "its credential", 0, 0},
	{"TWILIO_SIP_USER", CONFIG_TEXT, NULL, "its user", 0, 0},
	{"TWILIO_TWIML_APP_SID", CONFIG_TEXT, NULL,
		"TwiML App (AP...) that agents' browsers call", 0, 0},
	{"WEB_DIR", CONFIG_TEXT, OVX_WEB_DIR, "the console's files", 0, 0},
};
const size_t settings_count = sizeof(settings) / sizeof(settings[0]);

static int check_required(const struct config *config, struct err *err)
{
	static const char *const required[] = {"DATA_DIR", "SIP_REALM",
		"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_SIP_DOMAIN",
		"TWILIO_SIP_USER", "TWILIO_SIP_PASSWORD", "TWILIO_PHONE_NUMBER"};

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if (config_text(config, required[i])[0] == '\0')
			return err_set(err, -EINVAL,
				"%s is not set. Set it in the environment or in the file of "
				"--config.",
				required[i]);
	return 0;
}

static int check_sid(const struct config *config, const char *name, const char *prefix,
	struct err *err)
{
	const char *sid = config_text(config, name);

	if (sid[0] == '\0')
		return 0;
	if (strlen(sid) != 34 || strncmp(sid, prefix, 2) != 0 ||
		strspn(sid + 2, "0123456789abcdefABCDEF") != 32)
		return err_set(err, -EINVAL,
			"%s is \"%.64s\": expected %s and 32 hex digits.", name, sid,
			prefix);
	return 0;
}

/* http:// would show the auth token to the network. */
static int check_api_base(const char *base, struct err *err)
{
	struct addr addr;

	if (strncmp(base, "https://", 8) == 0)
		return 0;
	if (strncmp(base, "http://localhost:", 17) == 0)
		return 0;
	if (strncmp(base, "http://", 7) == 0 && addr_parse(base + 7, &addr) == 0 &&
		addr_is_loopback(&addr))
		return 0;
	return err_set(err, -EINVAL,
		"TWILIO_API_BASE is \"%.128s\": expected https://, or http:// on loopback.",
		base);
}

static int check_words(const struct config *config, struct err *err)
{
	const char *format = config_text(config, "LOG_FORMAT");
	const char *number = config_text(config, "TWILIO_PHONE_NUMBER");
	const char *url = config_text(config, "BACKEND_URL");
	enum log_level level;

	if (log_level_parse(config_text(config, "LOG_LEVEL"), &level) < 0)
		return err_set(err, -EINVAL,
			"LOG_LEVEL is \"%.32s\": expected error, warn, info or debug.",
			config_text(config, "LOG_LEVEL"));
	if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return err_set(err, -EINVAL,
			"LOG_FORMAT is \"%.32s\": expected text or json.", format);
	if (!number_valid(number))
		return err_set(err, -EINVAL,
			"TWILIO_PHONE_NUMBER is \"%.32s\": expected E.164 such as +14155552671.",
			number);
	if (url[0] != '\0' && strncmp(url, "https://", 8) != 0 &&
		strncmp(url, "http://", 7) != 0)
		return err_set(err, -EINVAL,
			"BACKEND_URL is \"%.128s\": expected https://host as Twilio reaches it.",
			url);
	return 0;
}

int settings_check(const struct config *config, struct err *err)
{
	int result = check_required(config, err);

	if (result == 0)
		result = check_sid(config, "TWILIO_ACCOUNT_SID", "AC", err);
	if (result == 0)
		result = check_sid(config, "TWILIO_API_KEY_SID", "SK", err);
	if (result == 0)
		result = check_sid(config, "TWILIO_TWIML_APP_SID", "AP", err);
	if (result == 0)
		result = check_api_base(config_text(config, "TWILIO_API_BASE"), err);
	if (result == 0)
		result = check_words(config, err);
	return result;
}
