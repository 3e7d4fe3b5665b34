/* account.c: requests about the account and what is set up in it. See account.h. */
#include "twilio/account.h"

#include <errno.h>

#include "base/form.h"
#include "twilio/ask.h"

int twilio_probe(struct twilio_client *client, uint64_t id)
{
	struct buf path = {0};

	buf_add_str(&path, "/IncomingPhoneNumbers.json?PageSize=1");
	return twilio_ask(client, TWILIO_PROBE, id, &path, NULL);
}

static int ask_list(
	struct twilio_client *client, enum twilio_op op, uint64_t id, const char *noun)
{
	struct buf path = {0};

	buf_printf(&path, "/%s.json?PageSize=%d", noun, TWILIO_PAGE_SIZE);
	return twilio_ask(client, op, id, &path, NULL);
}

/* POST to "/<noun>.json" (no sid), or to "/<noun>/<sid>.json". */
static int ask_noun(struct twilio_client *client, enum twilio_op op, uint64_t id,
	struct buf *path, struct buf *form)
{
	buf_add_str(path, ".json");
	return twilio_ask(client, op, id, path, form);
}

int twilio_number_list(struct twilio_client *client, uint64_t id)
{
	return ask_list(client, TWILIO_NUMBER_LIST, id, "IncomingPhoneNumbers");
}

int twilio_caller_id_list(struct twilio_client *client, uint64_t id)
{
	return ask_list(client, TWILIO_CALLER_ID_LIST, id, "OutgoingCallerIds");
}

/* `url_name`: what the noun calls the address of its status callback. */
static void add_voice(
	struct buf *form, const struct twilio_voice *voice, const char *status_name)
{
	twilio_add(form, "FriendlyName", voice->friendly_name);
	twilio_add(form, "VoiceUrl", voice->url);
	if (voice->url != NULL)
		form_add(form, "VoiceMethod", "POST");
	twilio_add(form, "VoiceFallbackUrl", voice->fallback_url);
	if (voice->fallback_url != NULL)
		form_add(form, "VoiceFallbackMethod", "GET");
	if (voice->status_callback == NULL)
		return;
	form_add(form, status_name, voice->status_callback);
	form_add(form,
		status_name[0] == 'V' ? "VoiceStatusCallbackMethod"
				      : "StatusCallbackMethod",
		"POST");
}

int twilio_number_update(struct twilio_client *client, uint64_t id, const char *sid,
	const struct twilio_voice *voice)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(sid, "PN") != 0)
		return -EINVAL;
	twilio_add_path(&path, "IncomingPhoneNumbers", sid);
	add_voice(&form, voice, "StatusCallback");
	if (voice->leave_application)
		form_add(&form, "VoiceApplicationSid", "");
	if (voice->leave_trunk)
		form_add(&form, "TrunkSid", "");
	return ask_noun(client, TWILIO_NUMBER_UPDATE, id, &path, &form);
}

int twilio_application_list(
	struct twilio_client *client, uint64_t id, const char *friendly_name)
{
	struct buf path = {0};

	buf_printf(&path, "/Applications.json?PageSize=%d", TWILIO_PAGE_SIZE);
	twilio_add(&path, "FriendlyName", friendly_name);
	return twilio_ask(client, TWILIO_APPLICATION_LIST, id, &path, NULL);
}

int twilio_application_create(
	struct twilio_client *client, uint64_t id, const struct twilio_voice *voice)
{
	struct buf path = {0}, form = {0};

	buf_add_str(&path, "/Applications");
	add_voice(&form, voice, "StatusCallback");
	return ask_noun(client, TWILIO_APPLICATION_CREATE, id, &path, &form);
}

int twilio_application_update(struct twilio_client *client, uint64_t id, const char *sid,
	const struct twilio_voice *voice)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(sid, "AP") != 0)
		return -EINVAL;
	twilio_add_path(&path, "Applications", sid);
	add_voice(&form, voice, "StatusCallback");
	return ask_noun(client, TWILIO_APPLICATION_UPDATE, id, &path, &form);
}

/* ---- SIP ---- */

int twilio_sip_domain_list(struct twilio_client *client, uint64_t id)
{
	return ask_list(client, TWILIO_SIP_DOMAIN_LIST, id, "SIP/Domains");
}

int twilio_sip_domain_create(struct twilio_client *client, uint64_t id,
	const char *domain, const struct twilio_voice *voice)
{
	struct buf path = {0}, form = {0};

	buf_add_str(&path, "/SIP/Domains");
	form_add(&form, "DomainName", domain);
	add_voice(&form, voice, "VoiceStatusCallbackUrl");
	return ask_noun(client, TWILIO_SIP_DOMAIN_CREATE, id, &path, &form);
}

int twilio_sip_domain_update(struct twilio_client *client, uint64_t id, const char *sid,
	const struct twilio_voice *voice)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(sid, "SD") != 0)
		return -EINVAL;
	twilio_add_path(&path, "SIP/Domains", sid);
	add_voice(&form, voice, "VoiceStatusCallbackUrl");
	return ask_noun(client, TWILIO_SIP_DOMAIN_UPDATE, id, &path, &form);
}

int twilio_sip_credential_list_list(struct twilio_client *client, uint64_t id)
{
	return ask_list(
		client, TWILIO_SIP_CREDENTIAL_LIST_LIST, id, "SIP/CredentialLists");
}

int twilio_sip_credential_list_create(
	struct twilio_client *client, uint64_t id, const char *friendly_name)
{
	struct buf path = {0}, form = {0};

	buf_add_str(&path, "/SIP/CredentialLists");
	form_add(&form, "FriendlyName", friendly_name);
	return ask_noun(client, TWILIO_SIP_CREDENTIAL_LIST_CREATE, id, &path, &form);
}

int twilio_sip_credential_list(
	struct twilio_client *client, uint64_t id, const char *list_sid)
{
	struct buf path = {0};

	if (twilio_sid_check(list_sid, "CL") != 0)
		return -EINVAL;
	twilio_add_path(&path, "SIP/CredentialLists", list_sid);
	buf_printf(&path, "/Credentials.json?PageSize=%d", TWILIO_PAGE_SIZE);
	return twilio_ask(client, TWILIO_SIP_CREDENTIAL_LIST, id, &path, NULL);
}

int twilio_sip_credential_create(struct twilio_client *client, uint64_t id,
	const char *list_sid, const char *username, const char *password)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(list_sid, "CL") != 0)
		return -EINVAL;
	twilio_add_path(&path, "SIP/CredentialLists", list_sid);
	buf_add_str(&path, "/Credentials");
	form_add(&form, "Username", username);
	form_add(&form, "Password", password);
	return ask_noun(client, TWILIO_SIP_CREDENTIAL_CREATE, id, &path, &form);
}

static void add_mappings(struct buf *path, const char *domain_sid)
{
	twilio_add_path(path, "SIP/Domains", domain_sid);
	buf_add_str(path, "/Auth/Calls/CredentialListMappings");
}

int twilio_sip_mapping_list(
	struct twilio_client *client, uint64_t id, const char *domain_sid)
{
	struct buf path = {0};

	if (twilio_sid_check(domain_sid, "SD") != 0)
		return -EINVAL;
	add_mappings(&path, domain_sid);
	buf_printf(&path, ".json?PageSize=%d", TWILIO_PAGE_SIZE);
	return twilio_ask(client, TWILIO_SIP_MAPPING_LIST, id, &path, NULL);
}

int twilio_sip_mapping_create(struct twilio_client *client, uint64_t id,
	const char *domain_sid, const char *list_sid)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(domain_sid, "SD") != 0 ||
		twilio_sid_check(list_sid, "CL") != 0)
		return -EINVAL;
	add_mappings(&path, domain_sid);
	form_add(&form, "CredentialListSid", list_sid);
	return ask_noun(client, TWILIO_SIP_MAPPING_CREATE, id, &path, &form);
}
