/* rest_account.c: the account itself: twilio.com/docs/iam/api/account. */
#include <string.h>

#include "sandbox/rest.h"

static const char *const subresources[][2] = {
	{"addresses", "Addresses"},
	{"applications", "Applications"},
	{"authorized_connect_apps", "AuthorizedConnectApps"},
	{"available_phone_numbers", "AvailablePhoneNumbers"},
	{"balance", "Balance"},
	{"calls", "Calls"},
	{"conferences", "Conferences"},
	{"connect_apps", "ConnectApps"},
	{"incoming_phone_numbers", "IncomingPhoneNumbers"},
	{"keys", "Keys"},
	{"messages", "Messages"},
	{"notifications", "Notifications"},
	{"outgoing_caller_ids", "OutgoingCallerIds"},
	{"queues", "Queues"},
	{"recordings", "Recordings"},
	{"signing_keys", "SigningKeys"},
	{"sip", "SIP"},
	{"transcriptions", "Transcriptions"},
	{"usage", "Usage"},
};

void rest_account_fetch(struct rest *rest)
{
	const struct sandbox_settings *s = &rest->sandbox->settings;
	const char *path = rest->request->params[0];
	json_t *uris = json_object();
	size_t i;

	if (strcmp(path + strlen(s->account_sid), ".json") != 0) {
		json_decref(uris);
		rest_not_found(rest);
		return;
	}
	for (i = 0; i < sizeof(subresources) / sizeof(subresources[0]); i++)
		(void)json_object_set_new(uris, subresources[i][0],
			json_sprintf("/" SANDBOX_API_VERSION "/Accounts/%s/%s.json",
				s->account_sid, subresources[i][1]));
	rest_reply(rest, 200,
		json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o}",
			"auth_token", s->auth_token, "date_created",
			rest_date(rest->sandbox->started_ms), "date_updated",
			rest_date(rest->sandbox->started_ms), "friendly_name", "Sandbox",
			"owner_account_sid", s->account_sid, "sid", s->account_sid,
			"status", "active", "type", "Full", "uri",
			json_sprintf("/" SANDBOX_API_VERSION "/Accounts/%s.json",
				s->account_sid),
			"subresource_uris", uris));
}

void rest_account_balance(struct rest *rest)
{
	rest_reply(rest, 200,
		json_pack("{s:s, s:s, s:s}", "account_sid",
			rest->sandbox->settings.account_sid, "balance", "1000.0000",
			"currency", "USD"));
}
