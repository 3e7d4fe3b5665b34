/* routes.c: the route table. See routes.h. */
#include "gateway/routes.h"

#include "gateway/agent_api.h"
#include "gateway/agent_twiml.h"
#include "gateway/api_key.h"
#include "gateway/audit.h"
#include "gateway/amd_webhook.h"
#include "gateway/auth_api.h"
#include "gateway/autodial_api.h"
#include "gateway/browser_twiml.h"
#include "gateway/call_api.h"
#include "gateway/call_control.h"
#include "gateway/call_export.h"
#include "gateway/callback_api.h"
#include "gateway/campaign_api.h"
#include "gateway/contact_api.h"
#include "gateway/customer_twiml.h"
#include "gateway/dial_api.h"
#include "gateway/dnc_api.h"
#include "gateway/docs_api.h"
#include "gateway/disposition_api.h"
#include "gateway/endpoint_api.h"
#include "gateway/entry_api.h"
#include "gateway/import_api.h"
#include "gateway/list_api.h"
#include "gateway/number_api.h"
#include "gateway/pause_api.h"
#include "gateway/queue_api.h"
#include "gateway/recording.h"
#include "gateway/recording_api.h"
#include "gateway/service_api.h"
#include "gateway/session_api.h"
#include "gateway/token_api.h"
#include "gateway/twilio_api.h"
#include "gateway/urls.h"
#include "gateway/user_api.h"
#include "gateway/webhook.h"

#define STAFF (API_ADMIN | API_SUPERVISOR)
#define ALL (STAFF | API_AGENT)
#define UPLOAD_MAX ((size_t)256 * 1024 * 1024) /* in a file, not in memory */
#define DNC_MAX ((size_t)10 * 1024 * 1024)     /* in memory: half a million numbers */
#define TWIML_LATE_MS 1200
#define TWIML_HOLD_MS 2500 /* of those that wait 1.2 s for an agent coming free */

/*
 * What a caller hears when the database does not answer in time: nothing, and no error. Between the
 * two goes the URL that was asked for.
 */
#define TWIML_LATE                                                                  \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Pause length=\"2\"/>" \
	"<Redirect>"
#define TWIML_LATE_TAIL URL_OVERRIDES_XML "</Redirect></Response>"

#define CM "/api/admin/campaign-management"
#define ROUTE(method, route_path, who, handler)                                      \
	{                                                                            \
		.http = {.methods = (method), .path = (route_path)}, .roles = (who), \
		.handle = (handler)                                                  \
	}
/* Costs money or makes something: takes an Idempotency-Key. */
#define ONCE(method, route_path, who, handler)                                       \
	{                                                                            \
		.http = {.methods = (method), .path = (route_path)}, .roles = (who), \
		.once = true, .handle = (handler)                                    \
	}
/* Changes very many rows: webhooks and claims must not wait for it. */
#define SLOW(method, route_path, takes_key, handler)                                   \
	{                                                                              \
		.http = {.methods = (method), .path = (route_path)}, .roles = (STAFF), \
		.once = (takes_key), .slow = true, .handle = (handler)                 \
	}
/* For anybody, and answered at once. */
#define DIRECT(method, route_path, function)                         \
	{                                                            \
		.http = {.methods = (method), .path = (route_path)}, \
		.direct = (function)                                 \
	}
/* For people with a session, not for API keys. */
#define PERSON(method, route_path, who, handler)                                     \
	{                                                                            \
		.http = {.methods = (method), .path = (route_path)}, .roles = (who), \
		.person = true, .handle = (handler)                                  \
	}

#define TWIML(route_path, late, handler)                  \
	{                                                 \
		.http = {.methods = HTTP_GET | HTTP_POST, \
			.path = (route_path),             \
			.flags = HTTP_ROUTE_SIGNED,       \
			.late_ms = (late),                \
			.late_type = "text/xml",          \
			.late_body = TWIML_LATE,          \
			.late_tail = TWIML_LATE_TAIL},    \
		.direct = (handler),                      \
	}

static const struct api_route routes[] = {
	ROUTE(HTTP_POST, "/api/auth/login", API_ANYBODY, auth_login),
	ROUTE(HTTP_POST, "/api/auth/logout", API_ANYBODY, auth_logout),
	ROUTE(HTTP_GET, "/api/auth/me", ALL, auth_me),
	PERSON(HTTP_POST, "/api/auth/password", ALL, auth_password),

	ROUTE(HTTP_GET, "/api/users", STAFF, users_list),
	ONCE(HTTP_POST, "/api/users", STAFF, user_create),
	ROUTE(HTTP_GET, "/api/users/:userId", STAFF, user_get),
	ROUTE(HTTP_PUT, "/api/users/:userId", STAFF, user_update),
	ROUTE(HTTP_DELETE, "/api/users/:userId", STAFF, user_deactivate),
	PERSON(HTTP_GET, "/api/api-keys", ALL, api_keys_list),
	{
		.http = {.methods = HTTP_POST, .path = "/api/api-keys"},
		.roles = ALL,
		.once = true,
		.person = true,
		.handle = api_key_create,
	},
	PERSON(HTTP_DELETE, "/api/api-keys/:keyId", ALL, api_key_revoke),
	ROUTE(HTTP_GET, "/api/audit-log", API_ADMIN, audit_list),

	ROUTE(HTTP_GET, CM "/campaigns", ALL, campaigns_list),
	ONCE(HTTP_POST, CM "/campaigns", STAFF, campaign_create),
	ROUTE(HTTP_GET, CM "/campaigns/:campaignId", ALL, campaign_get),
	ROUTE(HTTP_PUT, CM "/campaigns/:campaignId", STAFF, campaign_update),
	ROUTE(HTTP_DELETE, CM "/campaigns/:campaignId", STAFF, campaign_delete),
	ROUTE(HTTP_PATCH, CM "/campaigns/:campaignId/activate", STAFF, campaign_activate),
	ROUTE(HTTP_PATCH, CM "/campaigns/:campaignId/dial-method", STAFF,
		campaign_dial_method),
	ROUTE(HTTP_GET, CM "/stats", STAFF, campaigns_stats),
	ROUTE(HTTP_POST, CM "/campaigns/:campaignId/join-agent", STAFF,
		campaign_join_agent),
	ROUTE(HTTP_DELETE, CM "/campaigns/:campaignId/leave-agent", STAFF,
		campaign_leave_agent),
	SLOW(HTTP_POST, CM "/campaigns/:campaignId/assign-data-list", false,
		campaign_assign_list),
	SLOW(HTTP_POST, CM "/campaigns/:campaignId/generate-queue", true,
		campaign_generate_queue),
	ROUTE(HTTP_GET, CM "/campaigns/:campaignId/auto-dial", ALL, autodial_status),
	SLOW(HTTP_POST, CM "/campaigns/:campaignId/auto-dial", true, autodial_start),
	ROUTE(HTTP_POST, CM "/campaigns/:campaignId/auto-dial/stop", STAFF,
		autodial_stop),
	ROUTE(HTTP_GET, CM "/campaigns/:campaignId/queue", ALL, queue_list),
	ROUTE(HTTP_POST, CM "/campaigns/:campaignId/queue/next", ALL, entry_next),
	ROUTE(HTTP_GET, CM "/campaigns/:campaignId/queue/:queueId", ALL, entry_get),
	ROUTE(HTTP_PUT, CM "/campaigns/:campaignId/queue/:queueId", STAFF, entry_update),
	ROUTE(HTTP_POST, CM "/campaigns/:campaignId/queue/:queueId/skip", ALL,
		entry_skip),
	ROUTE(HTTP_POST, CM "/campaigns/:campaignId/queue/:queueId/requeue", STAFF,
		entry_requeue),
	ONCE(HTTP_POST, CM "/campaigns/:campaignId/queue/:queueId/call", ALL,
		queue_call_now),

	ROUTE(HTTP_GET, CM "/data-lists", STAFF, lists_list),
	ONCE(HTTP_POST, CM "/data-lists", STAFF, list_create),
	ROUTE(HTTP_GET, CM "/data-lists/:listId", STAFF, list_get),
	SLOW(HTTP_PUT | HTTP_PATCH, CM "/data-lists/:listId", false, list_update),
	ROUTE(HTTP_DELETE, CM "/data-lists/:listId", STAFF, list_delete),
	ONCE(HTTP_POST, CM "/data-lists/:listId/clone", STAFF, list_clone),
	ROUTE(HTTP_GET, CM "/data-lists/:listId/contacts", STAFF, contacts_list),
	ONCE(HTTP_POST, CM "/data-lists/:listId/contacts", STAFF, contact_create),
	ROUTE(HTTP_DELETE, CM "/data-lists/:listId/contacts", STAFF, list_clear),
	ROUTE(HTTP_GET, CM "/campaigns/:campaignId/data-lists", STAFF, lists_of_campaign),
	ROUTE(HTTP_GET, CM "/contacts/:contactId", STAFF, contact_get),
	ROUTE(HTTP_PUT, CM "/contacts/:contactId", STAFF, contact_update),
	ROUTE(HTTP_DELETE, CM "/contacts/:contactId", STAFF, contact_delete),
	ROUTE(HTTP_GET, "/api/imports", STAFF, imports_list),
	ROUTE(HTTP_GET, "/api/imports/:importId", STAFF, import_get),
	ROUTE(HTTP_POST, "/api/imports/:importId/cancel", STAFF, import_cancel),
	ROUTE(HTTP_POST, "/api/imports/:importId/undo", STAFF, import_undo),
	ROUTE(HTTP_GET, "/api/imports/:importId/rejected.csv", STAFF, import_rejected),
	{
		.http = {.methods = HTTP_POST,
			.path = CM "/data-lists/:listId/upload",
			.flags = HTTP_ROUTE_SPOOLED,
			.body_max = UPLOAD_MAX},
		.roles = STAFF,
		.raw = true,
		.handle = list_upload,
	},

	ROUTE(HTTP_GET, "/api/numbers", ALL, numbers_list),
	ROUTE(HTTP_POST, "/api/numbers/sync", STAFF, numbers_sync_now),
	ROUTE(HTTP_GET, "/api/admin/dnc", STAFF, dnc_list),
	ONCE(HTTP_POST, "/api/admin/dnc", ALL, dnc_create),
	ROUTE(HTTP_DELETE, "/api/admin/dnc/:id", STAFF, dnc_delete),
	{
		.http = {.methods = HTTP_POST, .path = "/api/admin/dnc/check"},
		.roles = ALL,
		.reads = true,
		.handle = dnc_check,
	},
	{
		.http = {.methods = HTTP_POST,
			.path = "/api/admin/dnc/bulk-import",
			.body_max = DNC_MAX},
		.roles = STAFF,
		.slow = true,
		.handle = dnc_bulk_import,
	},

	ROUTE(HTTP_GET, "/api/agents", STAFF, agents_list),
	ONCE(HTTP_POST, "/api/agents", STAFF, agent_create),
	ROUTE(HTTP_GET, "/api/agents/:agentId", ALL, agent_get),
	ROUTE(HTTP_POST, "/api/agents/:agentId/sip-password", STAFF, agent_sip_password),
	ROUTE(HTTP_PUT, "/api/agents/:agentId/endpoint", STAFF, agent_endpoint_set),
	ROUTE(HTTP_GET, "/api/agents/:agentId/pauses", ALL, agent_pauses_list),
	ROUTE(HTTP_GET, "/api/agents/:agentId/states", ALL, agent_states_list),
	ROUTE(HTTP_GET, "/api/pause-reasons", ALL, pause_reasons_list),
	ROUTE(HTTP_GET, "/api/agents/:agentId/session", ALL, agent_session_get),
	ROUTE(HTTP_POST, "/api/agents/:agentId/session", ALL, agent_session_start),
	ROUTE(HTTP_DELETE, "/api/agents/:agentId/session", ALL, agent_session_end),
	ROUTE(HTTP_POST, "/api/agents/:agentId/session/ready", ALL, agent_session_ready),
	ROUTE(HTTP_POST, "/api/agents/:agentId/session/pause", ALL, agent_session_pause),

	ROUTE(HTTP_GET, "/api/calls-twiml/token/:agentId", ALL, token_of_agent),
	ROUTE(HTTP_POST, "/api/calls/token", ALL, token_create),

	ONCE(HTTP_POST, "/api/calls/rest-api", ALL, dial_rest_api),
	ROUTE(HTTP_GET, "/api/calls", ALL, calls_list),
	ROUTE(HTTP_GET, "/api/calls/export.csv", ALL, calls_export),
	ROUTE(HTTP_GET, "/api/calls/:callId", ALL, call_get),
	ROUTE(HTTP_POST, "/api/calls/:callId/hangup", ALL, call_hangup),
	ROUTE(HTTP_POST, "/api/calls/:callId/hold", ALL, call_hold),
	ROUTE(HTTP_POST, "/api/calls/:callId/unhold", ALL, call_unhold),
	ROUTE(HTTP_POST, "/api/calls/:callId/mute", ALL, call_mute),
	ROUTE(HTTP_POST, "/api/calls/:callId/unmute", ALL, call_unmute),
	ONCE(HTTP_POST, "/api/calls/:callId/disposition", ALL, call_dispose),
	ROUTE(HTTP_POST, "/api/calls/:callId/recording/pause", ALL, call_recording_pause),
	ROUTE(HTTP_POST, "/api/calls/:callId/recording/resume", ALL,
		call_recording_resume),

	ROUTE(HTTP_GET, "/api/recordings", ALL, recordings_list),
	ROUTE(HTTP_GET, "/api/recordings/:recordingId", ALL, recording_get),
	ROUTE(HTTP_DELETE, "/api/recordings/:recordingId", API_ADMIN, recording_delete),
	ROUTE(HTTP_GET, "/api/recordings/:recordingId/media", ALL, recording_media),

	ROUTE(HTTP_GET, "/api/dispositions", ALL, dispositions_list),
	ONCE(HTTP_POST, "/api/dispositions", STAFF, disposition_create),
	ROUTE(HTTP_PUT, "/api/dispositions/:dispositionId", STAFF, disposition_update),
	ROUTE(HTTP_DELETE, "/api/dispositions/:dispositionId", STAFF, disposition_delete),

	ROUTE(HTTP_GET, "/api/callbacks", ALL, callbacks_list),
	ONCE(HTTP_POST, "/api/callbacks", ALL, callback_create),
	ROUTE(HTTP_GET, "/api/callbacks/:callbackId", ALL, callback_get),
	ROUTE(HTTP_PUT, "/api/callbacks/:callbackId", ALL, callback_update),
	ROUTE(HTTP_DELETE, "/api/callbacks/:callbackId", ALL, callback_cancel),

	{
		.http = {.methods = HTTP_GET,
			.path = "/api/events",
			.flags = HTTP_ROUTE_EVENTS},
		.roles = ALL,
		.handle = service_events,
	},
	DIRECT(HTTP_GET, "/api/docs", docs_html),
	DIRECT(HTTP_GET, "/api/docs.css", docs_css),
	DIRECT(HTTP_GET, "/api/openapi.yaml", docs_yaml),
	DIRECT(HTTP_GET, "/api/openapi.json", docs_json),
	{
		.http = {.methods = HTTP_GET,
			.path = "/livez",
			.flags = HTTP_ROUTE_VITAL},
		.direct = service_livez,
	},
	ROUTE(HTTP_GET, "/readyz", API_ANYBODY, service_readyz),
	ROUTE(HTTP_GET, "/api/version", API_ANYBODY, service_version),

	ROUTE(HTTP_GET, "/api/twilio/status", STAFF, twilio_status),
	ROUTE(HTTP_POST, "/api/twilio/resume", STAFF, twilio_resume),

	{
		.http = {.methods = HTTP_GET | HTTP_POST,
			.path = URL_STATUS,
			.flags = HTTP_ROUTE_SIGNED},
		.direct = webhook_call_status,
	},
	{
		.http = {.methods = HTTP_GET | HTTP_POST,
			.path = URL_CONFERENCE,
			.flags = HTTP_ROUTE_SIGNED},
		.direct = webhook_conference,
	},
	TWIML(URL_TWIML_AGENT, TWIML_LATE_MS, twiml_agent),
	TWIML(URL_TWIML_OUTBOUND, TWIML_LATE_MS, twiml_outbound),
	TWIML(URL_TWIML_CUSTOMER, TWIML_HOLD_MS, twiml_customer),
	TWIML(URL_TWIML_BROWSER, TWIML_LATE_MS, twiml_browser),
	TWIML(URL_INBOUND, TWIML_HOLD_MS, webhook_inbound),
	{
		.http = {.methods = HTTP_POST,
			.path = URL_AMD,
			.flags = HTTP_ROUTE_SIGNED},
		.direct = webhook_amd,
	},
	{
		.http = {.methods = HTTP_POST,
			.path = URL_RECORDING,
			.flags = HTTP_ROUTE_SIGNED},
		.direct = webhook_recording,
	},
	{
		.http = {.methods = HTTP_POST,
			.path = URL_TWIML_ANNOUNCE,
			.flags = HTTP_ROUTE_SIGNED,
			.late_ms = TWIML_LATE_MS,
			.late_type = "text/xml",
			.late_body = TWIML_LATE,
			.late_tail = TWIML_LATE_TAIL},
		.direct = twiml_announce,
	},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

const struct api_route *api_route(const struct http_request *request)
{
	return &routes[request->route];
}

const struct http_route *api_routes(size_t *ret_count)
{
	static struct http_route table[ROUTES];

	for (size_t i = 0; i < ROUTES; i++)
		table[i] = routes[i].http;
	*ret_count = ROUTES;
	return table;
}
