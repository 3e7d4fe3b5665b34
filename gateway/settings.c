/* settings.c: the gateway's settings. See settings.h. */
#include "gateway/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/text.h"
#include "dialer/number.h"
#include "http/peer.h"
#include "twilio/client.h"
#include "twilio/host.h"

/* RFC 3261 25.1, hostname */
#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

const struct config_item settings[] = {
	{"ADMIN_PASSWORD", CONFIG_SECRET, NULL,
		"password of the first admin; unset: one is made, in "
		"DATA_DIR/run/first-password",
		0, 0},
	{"AMBIGUOUS_AFTER", CONFIG_INT, "120",
		"seconds until a call whose request was lost, and that Twilio does not list, "
		"counts as over",
		1, 3600},
	{"API_RATE", CONFIG_INT, "100",
		"requests per second of one user or API key, four times as many at once; 0: "
		"no limit",
		0, 100000},
	{"BACKEND_URL", CONFIG_TEXT, NULL,
		"public base of our URLs, as Twilio reaches them; unset: the HTTP address",
		0, 0},
	{"DATABASE_URL", CONFIG_SECRET, NULL,
		"PostgreSQL; unset: a private cluster in DATA_DIR", 0, 0},
	{"DATA_DIR", CONFIG_TEXT, "/var/lib/omnivox-gateway", "where everything is kept",
		0, 0},
	{"DB_WORKERS", CONFIG_INT, "4", "workers of the database, a connection each", 1,
		64},
	{"DRAIN_TIMEOUT", CONFIG_INT, "1800",
		"seconds that --drain waits for calls to end", 1, 86400},
	{"HTTP_LISTEN", CONFIG_ADDR, "127.0.0.1:8080", "address of the API and console",
		0, 0},
	{"HUNG_AFTER", CONFIG_INT, "10",
		"seconds after which a worker whose loop stands still is replaced", 1,
		600},
	{"LOG_FORMAT", CONFIG_TEXT, "text", "text or json", 0, 0},
	{"LOG_LEVEL", CONFIG_TEXT, "info", "error, warn, info or debug", 0, 0},
	{"METRICS_LISTEN", CONFIG_ADDR, NULL,
		"address of GET /metrics, open to whoever reaches it; unset: none", 0, 0},
	{"RECONCILE_AFTER", CONFIG_INT, "60",
		"seconds of silence about a live call until Twilio is asked", 1, 3600},
	{"RECORDING_DAYS", CONFIG_INT, "90",
		"days that recordings are kept, unless their campaign says it; 0: for good",
		0, 36500},
	{"RTP_PORTS", CONFIG_TEXT, "20000-29999", "low-high, 4 per agent; or auto", 0, 0},
	{"SIP_ADVERTISE", CONFIG_TEXT, NULL,
		"host where phones and Twilio reach SIP and RTP (public, behind NAT); unset: "
		"that of SIP_LISTEN",
		0, 0},
	{"SIP_LISTEN", CONFIG_ADDR, "0.0.0.0:5060",
		"address for phones; 0.0.0.0 or [::] needs SIP_ADVERTISE", 0, 0},
	{"SIP_REALM", CONFIG_TEXT, "omnivox",
		"digest realm; part of every stored secret, never change it", 0, 0},
	{"TRUSTED_PROXIES", CONFIG_TEXT, NULL,
		"addresses and networks whose X-Forwarded-For counts, comma separated, at most "
		"16",
		0, 0},
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
	{"TWILIO_EDGE", CONFIG_TEXT, NULL,
		"where Twilio is entered (dublin); unset: the region's own", 0, 0},
	{"TWILIO_FALLBACK_URL", CONFIG_TEXT, NULL,
		"TwiML elsewhere that Twilio reads when no gateway answers; unset: it hangs "
		"up with an error",
		0, 0},
	{"TWILIO_PHONE_NUMBER", CONFIG_TEXT, NULL,
		"caller id of campaigns that name none, and to agents of all campaigns (E.164)",
		0, 0},
	{"TWILIO_REGION", CONFIG_TEXT, NULL,
		"the account's region (ie1), with credentials of that region; unset: us1",
		0, 0},
	{"TWILIO_SIP_DOMAIN", CONFIG_TEXT, NULL,
		"our SIP domain at Twilio: name.sip.twilio.com; TWILIO_EDGE is added", 0,
		0},
	{"TWILIO_SIP_PASSWORD", CONFIG_SECRET, NULL, "its credential", 0, 0},
	{"TWILIO_SIP_USER", CONFIG_TEXT, NULL, "its user", 0, 0},
	{"TWILIO_TWIML_APP_SID", CONFIG_TEXT, NULL,
		"TwiML App (AP...) that agents' browsers call", 0, 0},
	{"WEB_DIR", CONFIG_TEXT, OVX_WEB_DIR, "the console's files", 0, 0},
};
const size_t settings_count = sizeof(settings) / sizeof(settings[0]);

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

int settings_twilio_base(
	const struct config *config, char ret_base[TWILIO_BASE_SIZE], struct err *err)
{
	return twilio_base(config_text(config, "TWILIO_API_BASE"),
		config_text(config, "TWILIO_REGION"), config_text(config, "TWILIO_EDGE"),
		ret_base, err);
}

/* Whether a URL's host is this machine; `port`: one must be there. */
static bool is_here(const char *url, bool port)
{
	const char *scheme = strstr(url, "://"), *at = scheme != NULL ? scheme + 3 : url;
	size_t len = strcspn(at, "/?#");
	char host[ADDR_TEXT_SIZE], with_port[ADDR_TEXT_SIZE + 2];
	struct addr addr;

	if (strncasecmp(at, "localhost", 9) == 0 && (at[9] == ':' || (len == 9 && !port)))
		return true;
	if (len >= sizeof(host))
		return false;
	memcpy(host, at, len);
	host[len] = '\0';
	(void)snprintf(with_port, sizeof(with_port), "%s:0", host);
	return (addr_parse(host, &addr) == 0 ||
		       (!port && addr_parse(with_port, &addr) == 0)) &&
	       addr_is_loopback(&addr);
}

/* https://, or http:// and a port on loopback. */
static bool is_safe_url(const char *url)
{
	if (strncmp(url, "https://", 8) == 0)
		return url[8] != '\0' && strchr("/:?#", url[8]) == NULL;
	return strncmp(url, "http://", 7) == 0 && is_here(url, true);
}

/* http:// would show the auth token to the network. */
static int check_api_base(const struct config *config, struct err *err)
{
	const char *base = config_text(config, "TWILIO_API_BASE");

	if (is_safe_url(base))
		return 0;
	return err_set(err, -EINVAL,
		"TWILIO_API_BASE is \"%.128s\": expected https://, or http:// on loopback.",
		base);
}

static int check_region(const struct config *config, struct err *err)
{
	char base[TWILIO_BASE_SIZE];

	return settings_twilio_base(config, base, err);
}

static int check_account(const struct config *config, struct err *err)
{
	return check_sid(config, "TWILIO_ACCOUNT_SID", "AC", err);
}

/* Without its secret Twilio's client cannot be had; alone the secret would do nothing. */
static int check_api_key(const struct config *config, struct err *err)
{
	static const char sid[] = "TWILIO_API_KEY_SID",
			  secret[] = "TWILIO_API_KEY_SECRET";
	bool has_sid = config_text(config, sid)[0] != '\0';

	if (has_sid != (config_text(config, secret)[0] != '\0'))
		return err_set(err, -EINVAL,
			"%s is set, but %s is not. Set both, or neither to use the auth "
			"token.",
			has_sid ? sid : secret, has_sid ? secret : sid);
	return check_sid(config, sid, "SK", err);
}

static int check_twiml_app(const struct config *config, struct err *err)
{
	return check_sid(config, "TWILIO_TWIML_APP_SID", "AP", err);
}

static int check_log_level(const struct config *config, struct err *err)
{
	enum log_level level;

	if (log_level_parse(config_text(config, "LOG_LEVEL"), &level) == 0)
		return 0;
	return err_set(err, -EINVAL,
		"LOG_LEVEL is \"%.32s\": expected error, warn, info or debug.",
		config_text(config, "LOG_LEVEL"));
}

static int check_log_format(const struct config *config, struct err *err)
{
	const char *format = config_text(config, "LOG_FORMAT");

	if (strcmp(format, "text") == 0 || strcmp(format, "json") == 0)
		return 0;
	return err_set(
		err, -EINVAL, "LOG_FORMAT is \"%.32s\": expected text or json.", format);
}

static int check_number(const struct config *config, struct err *err)
{
	const char *number = config_text(config, "TWILIO_PHONE_NUMBER");

	if (number[0] == '\0' || number_valid(number))
		return 0;
	return err_set(err, -EINVAL,
		"TWILIO_PHONE_NUMBER is \"%.32s\": expected E.164 such as +14155552671.",
		number);
}

/* A sandbox: what is told to it may be on loopback. */
static bool twilio_is_here(const struct config *config)
{
	return is_here(config_text(config, "TWILIO_API_BASE"), false);
}

/* In the host, that is: behind the scheme and whoever logs in. */
static bool has_underscore(const char *url)
{
	const char *host = strstr(url, "//") + 2;
	size_t len = strcspn(host, "/?#");
	const char *login = memchr(host, '@', len);

	if (login != NULL) {
		len -= (size_t)(login + 1 - host);
		host = login + 1;
	}
	return memchr(host, '_', len) != NULL;
}

/* Twilio's own API cannot call back to this machine's loopback; a sandbox here can. */
static const char *backend_fault(const struct config *config, const char *url)
{
	bool sandbox = twilio_is_here(config);
	size_t len = strlen(url);

	if (url[0] == '\0')
		return sandbox ? NULL
			       : "is not set: Twilio cannot tell what becomes of a call";
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return "is no address";
	if (has_underscore(url))
		return "has an underscore in its host's name, and Twilio calls no such host";
	if (strpbrk(url, "?# \t") != NULL || len > 200)
		return "has more than a host, a port and a path, or is longer than 200 "
		       "characters";
	if (url[len - 1] == '/')
		return "ends in a slash: write it without";
	if (!sandbox && is_here(url, false))
		return "is on loopback, where Twilio does not reach it";
	return NULL;
}

static int check_backend_url(const struct config *config, struct err *err)
{
	const char *url = config_text(config, "BACKEND_URL");
	const char *fault = backend_fault(config, url);

	if (fault == NULL)
		return 0;
	return err_set(err, -EINVAL,
		"BACKEND_URL \"%.128s\" %s. Set it to https://host as Twilio reaches it.",
		url, fault);
}

/* Whether a URL is below a base: what is at our own address is away when we are. */
static bool is_below(const char *url, const char *base)
{
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	return len > 0 && strncasecmp(url, base, len) == 0 &&
	       (url[len] == '\0' || strchr("/?#", url[len]) != NULL);
}

static const char *fallback_fault(const struct config *config, const char *url)
{
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return "has a space or another character that no URL has; write "
			       "such as %20";
	if (!is_safe_url(url))
		return "is no https:// address; http:// is for host:port on loopback only";
	if (strlen(url) >= TWILIO_URL_SIZE)
		return "is longer than 511 characters; choose a shorter address";
	if (is_below(url, config_text(config, "BACKEND_URL")))
		return "lies at BACKEND_URL, which is away when it is needed; put it on "
		       "another server, such as a TwiML Bin";
	return NULL;
}

static int check_fallback_url(const struct config *config, struct err *err)
{
	const char *url = config_text(config, "TWILIO_FALLBACK_URL");
	const char *fault = url[0] != '\0' ? fallback_fault(config, url) : NULL;

	if (fault == NULL)
		return 0;
	return err_set(err, -EINVAL,
		"TWILIO_FALLBACK_URL \"%.128s\" %s. It is the address of a TwiML document.",
		url, fault);
}

int settings_rtp_ports(const char *text, uint16_t *ret_lo, uint16_t *ret_hi)
{
	unsigned lo, hi;
	char rest;

	if (strcmp(text, "auto") == 0) {
		*ret_lo = *ret_hi = 0;
		return 0;
	}
	if (sscanf(text, "%u-%u%c", &lo, &hi, &rest) != 2 || lo < 1024 || hi > 65535 ||
		lo + 3 > hi)
		return -EINVAL;
	*ret_lo = (uint16_t)lo;
	*ret_hi = (uint16_t)hi;
	return 0;
}

static int check_rtp_ports(const struct config *config, struct err *err)
{
	const char *ports = config_text(config, "RTP_PORTS");
	uint16_t lo, hi;

	if (settings_rtp_ports(ports, &lo, &hi) == 0)
		return 0;
	return err_set(err, -EINVAL,
		"RTP_PORTS is \"%.32s\": expected low-high such as 20000-29999, or auto.",
		ports);
}

/* ---- the address that phones and Twilio are told ---- */

static bool is_wildcard(const struct addr *addr)
{
	char host[ADDR_TEXT_SIZE];

	(void)addr_host(addr, host);
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* A name or address alone, as Contact and SDP have it. */
static bool is_host(const char *text)
{
	struct addr addr;

	if (addr_from_host(text, 0, &addr) == 0)
		return !is_wildcard(&addr);
	return text[0] != '\0' && strlen(text) <= 200 && strchr(".-", text[0]) == NULL &&
	       text[strspn(text, HOST_CHARS)] == '\0';
}

static bool listens_everywhere(const struct config *config)
{
	struct addr addr;

	return addr_parse(config_text(config, "SIP_LISTEN"), &addr) == 0 &&
	       is_wildcard(&addr);
}

/* A sandbox on this machine reaches us on loopback, which is what it is told then. */
static int check_advertise(const struct config *config, struct err *err)
{
	const char *host = config_text(config, "SIP_ADVERTISE");

	if (host[0] != '\0' && !is_host(host))
		return err_set(err, -EINVAL,
			"SIP_ADVERTISE is \"%.64s\": expected one host name or address, "
			"without port and spaces, such as 192.0.2.10.",
			host);
	if (host[0] != '\0' || !listens_everywhere(config) || twilio_is_here(config))
		return 0;
	return err_set(err, -EINVAL,
		"SIP_ADVERTISE is not set, and SIP_LISTEN is %s, which is no address to "
		"reach: phones and Twilio must be told one. Set SIP_ADVERTISE to this "
		"machine's address (behind NAT the public one), or SIP_LISTEN to one "
		"address.",
		config_text(config, "SIP_LISTEN"));
}

static bool told_loopback(const struct config *config)
{
	const char *host = config_text(config, "SIP_ADVERTISE");
	struct addr addr;

	if (host[0] != '\0')
		return addr_from_host(host, 0, &addr) == 0 && addr_is_loopback(&addr);
	return (listens_everywhere(config) && twilio_is_here(config)) ||
	       (addr_parse(config_text(config, "SIP_LISTEN"), &addr) == 0 &&
		       addr_is_loopback(&addr));
}

int settings_proxies(
	const char *text, struct settings_proxies *ret_proxies, const char **ret_wrong)
{
	char *save = NULL, *word;
	struct peer_trust *trust;
	size_t count = 0;
	int err;

	*ret_wrong = text;
	if (text_copy(ret_proxies->text, sizeof(ret_proxies->text), text) < 0)
		return -E2BIG;
	for (word = strtok_r(ret_proxies->text, ", ", &save); word != NULL;
		word = strtok_r(NULL, ", ", &save)) {
		*ret_wrong = word;
		if (count == SETTINGS_PROXIES)
			return -E2BIG;
		err = peer_trust_new((const char *const[]){word, NULL}, &trust);
		if (err < 0)
			return err;
		peer_trust_free(&trust);
		ret_proxies->list[count++] = word;
	}
	ret_proxies->list[count] = NULL;
	return 0;
}

static int check_proxies(const struct config *config, struct err *err)
{
	struct settings_proxies proxies;
	const char *wrong;
	int rc = settings_proxies(
		config_text(config, "TRUSTED_PROXIES"), &proxies, &wrong);

	if (rc == -E2BIG)
		return err_set(err, rc,
			"TRUSTED_PROXIES has more than %d entries or 1023 characters. Name "
			"networks such as 10.0.0.0/8 instead of single addresses.",
			SETTINGS_PROXIES);
	if (rc < 0)
		return err_set(err, rc,
			"TRUSTED_PROXIES has \"%.64s\": expected addresses or networks such "
			"as 10.0.0.0/8, separated by commas.",
			wrong);
	return 0;
}

unsigned settings_problems(
	const struct config *config, settings_problem_cb *problem, void *arg)
{
	static const char *const required[] = {"DATA_DIR", "SIP_REALM",
		"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_SIP_DOMAIN",
		"TWILIO_SIP_USER", "TWILIO_SIP_PASSWORD", "TWILIO_PHONE_NUMBER"};
	static int (*const checks[])(const struct config *, struct err *) = {
		check_account, check_api_key, check_twiml_app, check_api_base,
		check_region, check_log_level, check_log_format, check_number,
		check_backend_url, check_fallback_url, check_rtp_ports, check_advertise,
		check_proxies};
	unsigned count = 0;
	struct err err;

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		if (config_text(config, required[i])[0] != '\0')
			continue;
		(void)err_set(&err, -EINVAL,
			"%s is not set. Set it in the environment or in the file of "
			"--config.",
			required[i]);
		problem(arg, err.text);
		count++;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i](config, &err) < 0) {
			problem(arg, err.text);
			count++;
		}
	return count;
}

void settings_notes(const struct config *config, settings_problem_cb *note, void *arg)
{
	if (config_text(config, "TWILIO_FALLBACK_URL")[0] == '\0')
		note(arg,
			"TWILIO_FALLBACK_URL is not set: when no gateway answers, Twilio tells "
			"the caller that an application error occurred, and hangs up. Set it to "
			"a TwiML document on another server, then run "
			"--provision-twilio=apply.");
	if (told_loopback(config))
		note(arg,
			"Phones and Twilio are told that SIP and RTP are on loopback: only those on "
			"this machine reach us. For others set SIP_ADVERTISE to an address that "
			"they reach, and SIP_LISTEN not to loopback.");
}

/* The folder itself, or the nearest one above it that is there. */
static int may_write(const char *path)
{
	char above[512], *slash;

	(void)snprintf(above, sizeof(above), "%s", path);
	while (access(above, F_OK) < 0 && (slash = strrchr(above, '/')) != NULL)
		slash[slash == above] = '\0';
	return access(above, W_OK | X_OK) < 0 ? -errno : 0;
}

unsigned settings_file_problems(
	const struct config *config, settings_problem_cb *problem, void *arg)
{
	const char *data = config_text(config, "DATA_DIR");
	const char *web = config_text(config, "WEB_DIR");
	const char *ca = config_text(config, "TWILIO_CA_FILE");
	unsigned count = 0;
	struct err err;

	if (data[0] != '\0' && may_write(data) < 0) {
		(void)err_set(&err, -EACCES,
			"DATA_DIR %s cannot be written by this user. Give it the folder, or "
			"choose another.",
			data);
		problem(arg, err.text);
		count++;
	}
	if (web[0] != '\0' && access(web, R_OK | X_OK) < 0) {
		(void)err_set(&err, -ENOENT,
			"WEB_DIR %s cannot be read: there will be no console. Install it with "
			"make install, or set WEB_DIR to web/dist of the source.",
			web);
		problem(arg, err.text);
		count++;
	}
	if (ca[0] != '\0' && access(ca, R_OK) < 0) {
		(void)err_set(&err, -ENOENT,
			"TWILIO_CA_FILE %s cannot be read. Correct the path, or unset it to use "
			"the system's certificates.",
			ca);
		problem(arg, err.text);
		count++;
	}
	return count;
}
