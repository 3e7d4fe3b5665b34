/*
 * account.h: what is set up in an account once: numbers, verified caller ids, applications,
 * SIP domains with their credentials. Rules in client.h. Source: twilio.com/docs/phone-numbers/api,
 * /voice/api/sip-domain-resource, /voice/sip/api/sip-credential-resource, /usage/api/applications.
 */
#ifndef OMNIVOX_TWILIO_ACCOUNT_H
#define OMNIVOX_TWILIO_ACCOUNT_H

#include "twilio/client.h"

/* The smallest question that any credentials may ask: does Twilio answer, and know us? */
int twilio_probe(struct twilio_client *client, uint64_t id);

/* A number of the account; of a verified caller id the first three fields. */
struct twilio_number {
	char sid[TWILIO_SID_SIZE];
	char number[20];
	char friendly_name[TWILIO_NAME_SIZE];
	bool voice; /* it can be called and call */
	char voice_url[TWILIO_URL_SIZE], voice_method[8];
	char voice_fallback_url[TWILIO_URL_SIZE], voice_fallback_method[8];
	char status_callback[TWILIO_URL_SIZE], status_callback_method[8];
	char application_sid[TWILIO_SID_SIZE], trunk_sid[TWILIO_SID_SIZE];
};
int twilio_number_list(struct twilio_client *client, uint64_t id);
int twilio_caller_id_list(struct twilio_client *client, uint64_t id);

/*
 * What is set up: only what is not NULL is sent; "" empties. Methods are POST, but the fallback is
 * read by GET: it is a file somewhere, and many web servers answer POST for one with 405.
 */
struct twilio_voice {
	const char *friendly_name;
	const char *url, *fallback_url, *status_callback;
	/*
	 * Of a number: take it out of the application or trunk that it is in. Twilio's OpenAPI file
	 * wants a whole SID there, so what is empty already is not emptied again.
	 */
	bool leave_application, leave_trunk;
};
int twilio_number_update(struct twilio_client *client, uint64_t id, const char *sid,
	const struct twilio_voice *voice);

struct twilio_application {
	char sid[TWILIO_SID_SIZE];
	char voice_url[TWILIO_URL_SIZE], voice_method[8];
	char voice_fallback_url[TWILIO_URL_SIZE], voice_fallback_method[8];
};
/* `friendly_name` NULL: all. */
int twilio_application_list(
	struct twilio_client *client, uint64_t id, const char *friendly_name);
int twilio_application_create(
	struct twilio_client *client, uint64_t id, const struct twilio_voice *voice);
int twilio_application_update(struct twilio_client *client, uint64_t id, const char *sid,
	const struct twilio_voice *voice);

struct twilio_sip_domain {
	char sid[TWILIO_SID_SIZE];
	char domain[TWILIO_NAME_SIZE]; /* name.sip.twilio.com */
	char voice_url[TWILIO_URL_SIZE], voice_method[8];
	char voice_fallback_url[TWILIO_URL_SIZE], voice_fallback_method[8];
};
int twilio_sip_domain_list(struct twilio_client *client, uint64_t id);
int twilio_sip_domain_create(struct twilio_client *client, uint64_t id,
	const char *domain, const struct twilio_voice *voice);
int twilio_sip_domain_update(struct twilio_client *client, uint64_t id, const char *sid,
	const struct twilio_voice *voice);

/* A credential list (its name), a credential (its user), or a mapping (the list's name). */
struct twilio_sip_item {
	char sid[TWILIO_SID_SIZE];
	char name[TWILIO_NAME_SIZE];
};
int twilio_sip_credential_list_list(struct twilio_client *client, uint64_t id);
int twilio_sip_credential_list_create(
	struct twilio_client *client, uint64_t id, const char *friendly_name);
int twilio_sip_credential_list(
	struct twilio_client *client, uint64_t id, const char *list_sid);
/* The password: 12 characters and more, a digit, upper and lower case (error 21243). */
int twilio_sip_credential_create(struct twilio_client *client, uint64_t id,
	const char *list_sid, const char *username, const char *password);

/* Which lists may call into a domain (Auth/Calls/CredentialListMappings). */
int twilio_sip_mapping_list(
	struct twilio_client *client, uint64_t id, const char *domain_sid);
int twilio_sip_mapping_create(struct twilio_client *client, uint64_t id,
	const char *domain_sid, const char *list_sid);

#endif
