/* rest_routes.c: every address of the sandbox, one line each. */
#include "sandbox/resource.h"
#include "sandbox/rest.h"

#define API "/2010-04-01/Accounts/:account"

#define ENTRY(verb, its_path, its_needs, its_handler, its_kind)                  \
	{                                                                        \
		.method = HTTP_##verb, .path = (its_path), .needs = (its_needs), \
		.handler = (its_handler), .kind = (its_kind)                     \
	}
#define ROW(verb, path, handler) ENTRY(verb, API path, REST_ACCOUNT, handler, NULL)
#define CREATES(path, handler) \
	ENTRY(POST, API path, REST_ACCOUNT | REST_CREATES, handler, NULL)
#define MEDIA(path, handler) ENTRY(GET, API path, REST_MEDIA, handler, NULL)
#define OWN(verb, path, handler) ENTRY(verb, path, 0, handler, NULL)

/* What kinds of resources have; mappings and caller ids not everything. */
#define OF_KIND(verb, path, handler, kind) \
	ENTRY(verb, API path, REST_ACCOUNT, handler, &(kind))
#define LISTED(path, kind)                                             \
	OF_KIND(GET, path ".json", rest_resource_list, kind),          \
		OF_KIND(GET, path "/:sid", rest_resource_fetch, kind), \
		OF_KIND(DELETE, path "/:sid", rest_resource_delete, kind)
#define CREATED(path, kind) OF_KIND(POST, path ".json", rest_resource_create, kind)
#define CHANGED(path, kind) OF_KIND(POST, path "/:sid", rest_resource_update, kind)
#define RESOURCES(path, kind) LISTED(path, kind), CREATED(path, kind), CHANGED(path, kind)
#define MAPPINGS(path, kind)                       \
	LISTED("/SIP/Domains/:parent" path, kind), \
		CREATED("/SIP/Domains/:parent" path, kind)

const struct rest_row rest_rows[] = {
	ENTRY(GET, "/2010-04-01/Accounts/:account", REST_ACCOUNT, rest_account_fetch,
		NULL),
	ROW(GET, "/Balance.json", rest_account_balance),
	CREATES("/Calls.json", rest_call_create),
	ROW(GET, "/Calls.json", rest_call_list),
	ROW(GET, "/Calls/:sid", rest_call_fetch),
	ROW(POST, "/Calls/:sid", rest_call_update),
	ROW(DELETE, "/Calls/:sid", rest_call_delete),
	ROW(GET, "/Conferences.json", rest_conference_list),
	ROW(GET, "/Conferences/:sid", rest_conference_fetch),
	ROW(POST, "/Conferences/:sid", rest_conference_update),
	CREATES("/Conferences/:sid/Participants.json", rest_participant_create),
	ROW(GET, "/Conferences/:sid/Participants.json", rest_participant_list),
	ROW(GET, "/Conferences/:sid/Participants/:call", rest_participant_fetch),
	ROW(POST, "/Conferences/:sid/Participants/:call", rest_participant_update),
	ROW(DELETE, "/Conferences/:sid/Participants/:call", rest_participant_delete),
	CREATES("/Calls/:sid/Recordings.json", rest_call_recording_create),
	ROW(GET, "/Calls/:sid/Recordings.json", rest_call_recording_list),
	ROW(GET, "/Calls/:sid/Recordings/:recording", rest_call_recording_fetch),
	ROW(POST, "/Calls/:sid/Recordings/:recording", rest_call_recording_update),
	ROW(DELETE, "/Calls/:sid/Recordings/:recording", rest_call_recording_delete),
	ROW(GET, "/Conferences/:sid/Recordings.json", rest_call_recording_list),
	ROW(GET, "/Conferences/:sid/Recordings/:recording", rest_call_recording_fetch),
	ROW(POST, "/Conferences/:sid/Recordings/:recording", rest_call_recording_update),
	ROW(DELETE, "/Conferences/:sid/Recordings/:recording",
		rest_call_recording_delete),
	ROW(POST, "/Calls/:sid/Transcriptions.json", rest_transcription_create),
	ROW(POST, "/Calls/:sid/Transcriptions/:transcription", rest_transcription_update),
	ROW(GET, "/Recordings.json", rest_recording_list),
	MEDIA("/Recordings/:recording", rest_recording_fetch),
	ROW(DELETE, "/Recordings/:recording", rest_recording_delete),
	RESOURCES("/IncomingPhoneNumbers", kind_number),
	RESOURCES("/Applications", kind_application),
	RESOURCES("/Queues", kind_queue),
	ROW(GET, "/Queues/:sid/Members.json", rest_member_list),
	ROW(GET, "/Queues/:sid/Members/:call", rest_member_fetch),
	ROW(POST, "/Queues/:sid/Members/:call", rest_member_update),
	RESOURCES("/SIP/Domains", kind_sip_domain),
	RESOURCES("/SIP/CredentialLists", kind_credential_list),
	RESOURCES("/SIP/CredentialLists/:parent/Credentials", kind_credential),
	RESOURCES("/SIP/IpAccessControlLists", kind_ip_acl),
	RESOURCES("/SIP/IpAccessControlLists/:parent/IpAddresses", kind_ip_address),
	MAPPINGS("/Auth/Calls/CredentialListMappings", kind_call_credential_mapping),
	MAPPINGS("/Auth/Calls/IpAccessControlListMappings", kind_call_acl_mapping),
	MAPPINGS("/Auth/Registrations/CredentialListMappings", kind_registration_mapping),
	MAPPINGS("/CredentialListMappings", kind_credential_mapping),
	MAPPINGS("/IpAccessControlListMappings", kind_acl_mapping),
	LISTED("/OutgoingCallerIds", kind_caller_id),
	CHANGED("/OutgoingCallerIds", kind_caller_id),
	ROW(POST, "/OutgoingCallerIds.json", rest_caller_id_validate),
	/* The sandbox's own; whoever reaches its port may use them. */
	OWN(GET, "/sandbox/faults", control_faults_get),
	OWN(PUT, "/sandbox/faults", control_faults_put),
	OWN(PUT, "/sandbox/mixer", control_mixer_put),
	OWN(GET, "/sandbox/sip-domain", control_sip_domain_get),
	OWN(PUT, "/sandbox/sip-domain", control_sip_domain_put),
	OWN(GET, "/sandbox/sip-statuses", control_sip_statuses_get),
	OWN(PUT, "/sandbox/sip-statuses", control_sip_statuses_put),
	OWN(POST, "/sandbox/inbound", control_inbound),
	OWN(PUT, "/sandbox/numbers", control_numbers_put),
	OWN(POST, "/sandbox/digits", control_digits),
	OWN(POST, "/sandbox/speak", control_speak),
	OWN(POST, "/sandbox/hangup", control_hangup),
	OWN(POST, "/sandbox/drop", control_drop),
	OWN(GET, "/sandbox/calls", control_calls),
	OWN(GET, "/sandbox/settings", control_settings_get),
	OWN(PUT, "/sandbox/settings", control_settings_put),
};

const size_t rest_row_count = sizeof(rest_rows) / sizeof(rest_rows[0]);
