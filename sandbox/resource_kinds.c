/*
 * resource_kinds.c: the kinds of things that an account sets up, field by field.
 *
 * Source: twilio.com/docs/usage/api/applications, phone-numbers/api, voice/sip/api, and the
 * official OpenAPI file.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "sandbox/memory.h"
#include "sandbox/numbers.h"
#include "sandbox/queue.h"
#include "sandbox/resource.h"
#include "sandbox/rest.h"

#define FIELD(its_param, its_name, its_type, ...)                             \
	{                                                                     \
		.param = (its_param), .name = (its_name), .type = (its_type), \
		__VA_ARGS__                                                   \
	}
#define URL(param, name) FIELD(param, name, FIELD_URL, )
#define METHOD(param, name) FIELD(param, name, FIELD_METHOD, .otherwise = "POST")
#define FLAG(param, name) FIELD(param, name, FIELD_FLAG, .otherwise = "false")

#define COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

static bool refuse(struct rest *rest, int status, int code, const char *why)
{
	rest_error(rest, status, code, "%s", why);
	return false;
}

/* ---- applications ---- */

static const struct resource_field application_fields[] = {
	FIELD("FriendlyName", "friendly_name", FIELD_TEXT, .max = 64),
	FIELD("ApiVersion", "api_version", FIELD_TEXT, .otherwise = SANDBOX_API_VERSION),
	URL("VoiceUrl", "voice_url"),
	METHOD("VoiceMethod", "voice_method"),
	URL("VoiceFallbackUrl", "voice_fallback_url"),
	METHOD("VoiceFallbackMethod", "voice_fallback_method"),
	URL("StatusCallback", "status_callback"),
	METHOD("StatusCallbackMethod", "status_callback_method"),
	FLAG("VoiceCallerIdLookup", "voice_caller_id_lookup"),
	URL("SmsUrl", "sms_url"),
	METHOD("SmsMethod", "sms_method"),
	URL("SmsFallbackUrl", "sms_fallback_url"),
	METHOD("SmsFallbackMethod", "sms_fallback_method"),
	URL("SmsStatusCallback", "sms_status_callback"),
	URL("MessageStatusCallback", "message_status_callback"),
	FLAG("PublicApplicationConnectEnabled", "public_application_connect_enabled"),
};

static const char *const friendly_name_filter[] = {"FriendlyName", NULL};

const struct resource_kind kind_application = {
	.prefix = "AP",
	.array = "applications",
	.path = "Applications",
	.fields = application_fields,
	.field_count = COUNT(application_fields),
	.invalid_code = 20002,
	.filters = friendly_name_filter,
};

/* ---- numbers ---- */

static const struct resource_field number_fields[] = {
	FIELD("PhoneNumber", "phone_number", FIELD_TEXT, .required = true),
	FIELD("FriendlyName", "friendly_name", FIELD_TEXT, .max = 64),
	FIELD("ApiVersion", "api_version", FIELD_TEXT, .otherwise = SANDBOX_API_VERSION),
	URL("VoiceUrl", "voice_url"),
	METHOD("VoiceMethod", "voice_method"),
	URL("VoiceFallbackUrl", "voice_fallback_url"),
	METHOD("VoiceFallbackMethod", "voice_fallback_method"),
	URL("StatusCallback", "status_callback"),
	METHOD("StatusCallbackMethod", "status_callback_method"),
	FIELD("VoiceApplicationSid", "voice_application_sid", FIELD_TEXT, ),
	FIELD("TrunkSid", "trunk_sid", FIELD_TEXT, ),
	FLAG("VoiceCallerIdLookup", "voice_caller_id_lookup"),
	FIELD("VoiceReceiveMode", "voice_receive_mode", FIELD_TEXT, .otherwise = "voice"),
	FIELD("SmsApplicationSid", "sms_application_sid", FIELD_TEXT, ),
	URL("SmsUrl", "sms_url"),
	METHOD("SmsMethod", "sms_method"),
	URL("SmsFallbackUrl", "sms_fallback_url"),
	METHOD("SmsFallbackMethod", "sms_fallback_method"),
	FIELD("AddressSid", "address_sid", FIELD_TEXT, ),
	FIELD("IdentitySid", "identity_sid", FIELD_TEXT, ),
	FIELD("BundleSid", "bundle_sid", FIELD_TEXT, ),
	FIELD("EmergencyStatus", "emergency_status", FIELD_TEXT, .otherwise = "Inactive"),
	FIELD("EmergencyAddressSid", "emergency_address_sid", FIELD_TEXT, ),
	FIELD(NULL, "emergency_address_status", FIELD_TEXT, .otherwise = "unregistered"),
	FIELD(NULL, "address_requirements", FIELD_TEXT, .otherwise = "none"),
	FIELD(NULL, "beta", FIELD_FLAG, .otherwise = "false"),
	FIELD(NULL, "origin", FIELD_TEXT, .otherwise = "twilio"),
	FIELD(NULL, "status", FIELD_TEXT, .otherwise = "in-use"),
	FIELD(NULL, "type", FIELD_TEXT, .otherwise = "local"),
};

static bool differs(
	const struct resource *wanted, const struct resource *old, const char *name)
{
	const char *now = resource_get(wanted, name);
	const char *before = old != NULL ? resource_get(old, name) : NULL;

	return now != NULL && (before == NULL || strcmp(now, before) != 0);
}

static bool check_number(
	struct rest *rest, struct resource *wanted, const struct resource *old)
{
	const char *number = resource_get(wanted, "phone_number");
	const char *application = resource_get(wanted, "voice_application_sid");
	struct resources *all = rest->sandbox->resources;

	if (!number_valid(number))
		return refuse(rest, 400, 21421, "The phone number is not valid");
	if (differs(wanted, old, "phone_number") &&
		resources_find_by(all, &kind_number, "phone_number", number) != NULL)
		return refuse(rest, 400, 21422, "The phone number is not available");
	if (application != NULL &&
		resources_find(all, &kind_application, application, NULL) == NULL)
		return refuse(rest, 400, 21420, "There is no such application");
	/* Trunk or application: the one set last. */
	if (differs(wanted, old, "trunk_sid"))
		resource_set(wanted, "voice_application_sid", NULL);
	else if (differs(wanted, old, "voice_application_sid"))
		resource_set(wanted, "trunk_sid", NULL);
	if (resource_get(wanted, "friendly_name") == NULL)
		resource_set(wanted, "friendly_name", number);
	return true;
}

static void show_number(const struct resource *resource, json_t *object)
{
	(void)resource;
	(void)json_object_set_new(object, "capabilities",
		json_pack("{s:b, s:b, s:b, s:b}", "voice", 1, "sms", 0, "mms", 0, "fax",
			0));
}

static const char *const number_filters[] = {"PhoneNumber", "FriendlyName", NULL};

const struct resource_kind kind_number = {
	.prefix = "PN",
	.array = "incoming_phone_numbers",
	.path = "IncomingPhoneNumbers",
	.fields = number_fields,
	.field_count = COUNT(number_fields),
	.invalid_code = 21421,
	.filters = number_filters,
	.check = check_number,
	.show = show_number,
};

static const struct resource_field caller_id_fields[] = {
	FIELD("FriendlyName", "friendly_name", FIELD_TEXT, .max = 64),
	FIELD("PhoneNumber", "phone_number", FIELD_TEXT, ),
};

/* Only its name can be changed. */
static bool check_caller_id(
	struct rest *rest, struct resource *wanted, const struct resource *old)
{
	(void)rest;
	if (old != NULL)
		resource_set(wanted, "phone_number", resource_get(old, "phone_number"));
	return true;
}

const struct resource_kind kind_caller_id = {
	.prefix = "PN",
	.array = "outgoing_caller_ids",
	.path = "OutgoingCallerIds",
	.fields = caller_id_fields,
	.field_count = COUNT(caller_id_fields),
	.invalid_code = 20002,
	.filters = number_filters,
	.check = check_caller_id,
};

/* ---- queues ---- */

static const struct resource_field queue_fields[] = {
	FIELD("FriendlyName", "friendly_name", FIELD_TEXT, .required = true, .max = 64),
	FIELD("MaxSize", "max_size", FIELD_NUMBER, .otherwise = "1000"),
	FIELD(NULL, "current_size", FIELD_NUMBER, .otherwise = "0"),
	FIELD(NULL, "average_wait_time", FIELD_NUMBER, .otherwise = "0"),
};

static bool check_queue(
	struct rest *rest, struct resource *wanted, const struct resource *old)
{
	struct resources *all = rest->sandbox->resources;

	if (differs(wanted, old, "friendly_name") &&
		resources_find_by(all, &kind_queue, "friendly_name",
			resource_get(wanted, "friendly_name")) != NULL)
		return refuse(rest, 409, 20409, "A queue of this name exists already");
	if (atoll(resource_get(wanted, "max_size")) > 5000)
		return refuse(rest, 400, 20422, "MaxSize is at most 5000");
	return true;
}

static bool may_delete_queue(struct rest *rest, const struct resource *resource)
{
	const struct list *all = &rest->sandbox->queue_members, *node;
	bool used = false;

	/* Also by those who are being talked to: they come back to it. */
	for (node = all->next; node != all; node = node->next)
		used |= list_entry(node, const struct queue_member, node)->queue ==
			resource;
	return !used || refuse(rest, 400, 20409, "The queue is not empty");
}

const struct resource_kind kind_queue = {
	.prefix = "QU",
	.array = "queues",
	.path = "Queues",
	.fields = queue_fields,
	.field_count = COUNT(queue_fields),
	.invalid_code = 20422,
	.check = check_queue,
	.may_delete = may_delete_queue,
};

/* ---- SIP ---- */

static const struct resource_field sip_domain_fields[] = {
	FIELD("DomainName", "domain_name", FIELD_TEXT, .required = true, .max = 255),
	FIELD("FriendlyName", "friendly_name", FIELD_TEXT, .max = 64),
	URL("VoiceUrl", "voice_url"),
	METHOD("VoiceMethod", "voice_method"),
	URL("VoiceFallbackUrl", "voice_fallback_url"),
	METHOD("VoiceFallbackMethod", "voice_fallback_method"),
	URL("VoiceStatusCallbackUrl", "voice_status_callback_url"),
	METHOD("VoiceStatusCallbackMethod", "voice_status_callback_method"),
	FLAG("SipRegistration", "sip_registration"),
	FLAG("Secure", "secure"),
	FLAG("EmergencyCallingEnabled", "emergency_calling_enabled"),
	FIELD("ByocTrunkSid", "byoc_trunk_sid", FIELD_TEXT, ),
	FIELD("EmergencyCallerSid", "emergency_caller_sid", FIELD_TEXT, ),
	FIELD(NULL, "api_version", FIELD_TEXT, .otherwise = SANDBOX_API_VERSION),
};

/* "my-calls.sip.twilio.com" */
static bool domain_name_valid(const char *name)
{
	static const char ending[] = ".sip.twilio.com";
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-");

	return len > 0 && name[0] != '-' && name[len - 1] != '-' &&
	       strcmp(name + len, ending) == 0;
}

static bool check_sip_domain(
	struct rest *rest, struct resource *wanted, const struct resource *old)
{
	const char *name = resource_get(wanted, "domain_name");

	if (!domain_name_valid(name))
		return refuse(rest, 400, 21232,
			"DomainName is letters, digits and - before .sip.twilio.com");
	if (differs(wanted, old, "domain_name") &&
		resources_find_by(rest->sandbox->resources, &kind_sip_domain,
			"domain_name", name) != NULL)
		return refuse(rest, 400, 21231, "The domain name is taken");
	return true;
}

static json_t *below(const struct resource *resource, const char *what)
{
	return json_sprintf("/" SANDBOX_API_VERSION "/Accounts/%s/%s/%s/%s.json",
		resource->sandbox->settings.account_sid, resource->kind->path,
		resource->sid, what);
}

static void show_sip_domain(const struct resource *resource, json_t *object)
{
	struct resources *all = resource->sandbox->resources;
	bool credentials =
		resources_count(all, &kind_call_credential_mapping, resource->sid) +
			resources_count(all, &kind_credential_mapping, resource->sid) >
		0;
	bool acl = resources_count(all, &kind_call_acl_mapping, resource->sid) +
			   resources_count(all, &kind_acl_mapping, resource->sid) >
		   0;

	(void)json_object_set_new(object, "auth_type",
		json_sprintf("%s%s%s", acl ? "IP_ACL" : "", acl && credentials ? "," : "",
			credentials ? "CREDENTIAL_LIST" : ""));
	(void)json_object_set_new(object, "subresource_uris",
		json_pack("{s:o, s:o}", "credential_list_mappings",
			below(resource, "CredentialListMappings"),
			"ip_access_control_list_mappings",
			below(resource, "IpAccessControlListMappings")));
}

const struct resource_kind kind_sip_domain = {
	.prefix = "SD",
	.array = "domains",
	.path = "SIP/Domains",
	.fields = sip_domain_fields,
	.field_count = COUNT(sip_domain_fields),
	.invalid_code = 21231,
	.most = 100,
	.most_code = 21230,
	.check = check_sip_domain,
	.show = show_sip_domain,
};

static const struct resource_field named_fields[] = {
	FIELD("FriendlyName", "friendly_name", FIELD_TEXT, .required = true, .max = 64),
};

/* Whether a domain still uses the list. */
static bool is_mapped(const struct resource *list, const struct resource_kind *a,
	const struct resource_kind *b, const struct resource_kind *c)
{
	struct resources *all = list->sandbox->resources;

	return resources_find(all, a, list->sid, NULL) != NULL ||
	       resources_find(all, b, list->sid, NULL) != NULL ||
	       (c != NULL && resources_find(all, c, list->sid, NULL) != NULL);
}

static bool may_delete_credential_list(struct rest *rest, const struct resource *resource)
{
	return !is_mapped(resource, &kind_call_credential_mapping,
		       &kind_credential_mapping, &kind_registration_mapping) ||
	       refuse(rest, 400, 21241, "A SIP domain uses this credential list");
}

static void show_credential_list(const struct resource *resource, json_t *object)
{
	(void)json_object_set_new(object, "subresource_uris",
		json_pack("{s:o}", "credentials", below(resource, "Credentials")));
}

const struct resource_kind kind_credential_list = {
	.prefix = "CL",
	.array = "credential_lists",
	.path = "SIP/CredentialLists",
	.fields = named_fields,
	.field_count = COUNT(named_fields),
	.invalid_code = 21240,
	.most = 100,
	.most_code = 21239,
	.may_delete = may_delete_credential_list,
	.show = show_credential_list,
};

static const struct resource_field credential_fields[] = {
	FIELD("Username", "username", FIELD_TEXT, .required = true, .max = 32),
	FIELD("Password", "password", FIELD_SECRET, .required = true, .max = 255),
};

/* Twelve characters, a digit, both cases. */
static bool password_valid(const char *password)
{
	bool digit = false, lower = false, upper = false;
	size_t len;

	for (len = 0; password[len] != '\0'; len++) {
		digit |= isdigit((unsigned char)password[len]) != 0;
		lower |= islower((unsigned char)password[len]) != 0;
		upper |= isupper((unsigned char)password[len]) != 0;
	}
	return len >= 12 && digit && lower && upper;
}

static bool check_credential(
	struct rest *rest, struct resource *wanted, const struct resource *old)
{
	const char *user = resource_get(wanted, "username");
	struct list *all = resources_list(rest->sandbox->resources), *node;

	if (old != NULL) /* only the password can be changed */
		resource_set(wanted, "username", resource_get(old, "username"));
	if (!password_valid(resource_get(wanted, "password")))
		return refuse(rest, 400, 21243,
			"Password needs 12 characters, a digit, upper and lower case");
	for (node = all->next; old == NULL && node != all; node = node->next) {
		const struct resource *r = list_entry(node, const struct resource, node);

		if (r->kind == &kind_credential &&
			strcmp(r->parent_sid, wanted->parent_sid) == 0 &&
			strcmp(resource_get(r, "username"), user) == 0)
			return refuse(rest, 400, 21243, "The Username is in the list");
	}
	return true;
}

const struct resource_kind kind_credential = {
	.prefix = "CR",
	.array = "credentials",
	.path = "SIP/CredentialLists/%s/Credentials",
	.parent = &kind_credential_list,
	.parent_name = "credential_list_sid",
	.fields = credential_fields,
	.field_count = COUNT(credential_fields),
	.invalid_code = 21243,
	.most = 1000,
	.most_code = 21242,
	.check = check_credential,
};

static bool may_delete_acl(struct rest *rest, const struct resource *resource)
{
	return !is_mapped(resource, &kind_call_acl_mapping, &kind_acl_mapping, NULL) ||
	       refuse(rest, 400, 21236, "A SIP domain uses this access control list");
}

static void show_acl(const struct resource *resource, json_t *object)
{
	(void)json_object_set_new(object, "subresource_uris",
		json_pack("{s:o}", "ip_addresses", below(resource, "IpAddresses")));
}

const struct resource_kind kind_ip_acl = {
	.prefix = "AL",
	.array = "ip_access_control_lists",
	.path = "SIP/IpAccessControlLists",
	.fields = named_fields,
	.field_count = COUNT(named_fields),
	.invalid_code = 21235,
	.may_delete = may_delete_acl,
	.show = show_acl,
};

static const struct resource_field ip_address_fields[] = {
	FIELD("FriendlyName", "friendly_name", FIELD_TEXT, .required = true, .max = 255),
	FIELD("IpAddress", "ip_address", FIELD_TEXT, .required = true),
	FIELD("CidrPrefixLength", "cidr_prefix_length", FIELD_NUMBER, .otherwise = "32"),
};

static bool check_ip_address(
	struct rest *rest, struct resource *wanted, const struct resource *old)
{
	const char *ip = resource_get(wanted, "ip_address");
	struct addr addr;

	(void)old;
	if (addr_from_host(ip, 0, &addr) < 0 || strchr(ip, ':') != NULL ||
		atoll(resource_get(wanted, "cidr_prefix_length")) > 32)
		return refuse(
			rest, 400, 21238, "The IpAddress is not a valid IPv4 range");
	return true;
}

const struct resource_kind kind_ip_address = {
	.prefix = "IP",
	.array = "ip_addresses",
	.path = "SIP/IpAccessControlLists/%s/IpAddresses",
	.parent = &kind_ip_acl,
	.parent_name = "ip_access_control_list_sid",
	.fields = ip_address_fields,
	.field_count = COUNT(ip_address_fields),
	.invalid_code = 21238,
	.most = 100,
	.most_code = 21237,
	.check = check_ip_address,
};

/* ---- mappings: a list's SID below a domain ---- */

static const struct resource_field mapping_fields[] = {
	FIELD(NULL, "friendly_name", FIELD_TEXT, ),
};

static bool map(struct rest *rest, struct resource *wanted, const char *param,
	const struct resource_kind *kind)
{
	struct resources *all = rest->sandbox->resources;
	const char *sid = rest_form(rest, param);
	const struct resource *list =
		sid != NULL ? resources_find(all, kind, sid, NULL) : NULL;

	if (list == NULL)
		return refuse(rest, 404, 20404, "The list to be mapped was not found");
	if (resources_find(all, wanted->kind, sid, wanted->parent_sid) != NULL)
		return refuse(rest, 400, 21231, "The list is mapped already");
	strcpy(wanted->sid, list->sid);
	resource_set(wanted, "friendly_name", resource_get(list, "friendly_name"));
	return true;
}

static bool check_credential_mapping(
	struct rest *rest, struct resource *wanted, const struct resource *old)
{
	(void)old;
	return map(rest, wanted, "CredentialListSid", &kind_credential_list);
}

static bool check_acl_mapping(
	struct rest *rest, struct resource *wanted, const struct resource *old)
{
	(void)old;
	return map(rest, wanted, "IpAccessControlListSid", &kind_ip_acl);
}

#define MAPPING(its_path, its_array, its_check, hidden, shown_parent)              \
	{                                                                          \
		.prefix = "CL", .array = (its_array), .path = (its_path),          \
		.parent = &kind_sip_domain, .parent_name = (shown_parent),         \
		.fields = mapping_fields, .field_count = COUNT(mapping_fields),    \
		.hides_uri = (hidden), .invalid_code = 21231, .check = (its_check) \
	}

const struct resource_kind kind_call_credential_mapping =
	MAPPING("SIP/Domains/%s/Auth/Calls/CredentialListMappings", "contents",
		check_credential_mapping, true, NULL);
const struct resource_kind kind_call_acl_mapping =
	MAPPING("SIP/Domains/%s/Auth/Calls/IpAccessControlListMappings", "contents",
		check_acl_mapping, true, NULL);
const struct resource_kind kind_registration_mapping =
	MAPPING("SIP/Domains/%s/Auth/Registrations/CredentialListMappings", "contents",
		check_credential_mapping, true, NULL);
const struct resource_kind kind_credential_mapping =
	MAPPING("SIP/Domains/%s/CredentialListMappings", "credential_list_mappings",
		check_credential_mapping, false, "domain_sid");
const struct resource_kind kind_acl_mapping = MAPPING(
	"SIP/Domains/%s/IpAccessControlListMappings", "ip_access_control_list_mappings",
	check_acl_mapping, false, "domain_sid");
