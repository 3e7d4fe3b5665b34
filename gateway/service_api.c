/* service_api.c: the routes that tell of the program itself. See service_api.h. */
#include "gateway/service_api.h"

#include "config.h"
#include "gateway/drain.h"
#include "http/events.h"

#define STREAM_AGAIN_S 3

/* Asks nobody: a busy program, or one without a database, is alive. */
int service_livez(struct gateway *gw, struct http_request *request)
{
	static const char body[] = "{\"success\":true,\"data\":{\"status\":\"live\"}}";

	http_reply(gw->http, request->id,
		&(struct http_reply){
			.status = 200, .body = body, .body_len = sizeof(body) - 1});
	http_request_free(&request);
	return 0;
}

void service_readyz(struct api_call *call, struct api_reply *reply)
{
	if (drain_refuses(call->gw, reply))
		return;
	if (db_ping(call->db) < 0)
		api_fail(reply, 503, "DATABASE_UNAVAILABLE",
			"The database does not answer.");
	else
		api_ok(reply, 200, json_pack("{s:s}", "status", "ready"));
}

void service_version(struct api_call *call, struct api_reply *reply)
{
	(void)call;
	api_ok(reply, 200,
		json_pack(
			"{s:s, s:s}", "name", PACKAGE_NAME, "version", PACKAGE_VERSION));
}

void service_events(struct api_call *call, struct api_reply *reply)
{
	struct http_listener listener = {
		.hears = api_agent(call),
		.owner = call->user.id,
		.grant = call->key_id != 0 ? -call->key_id : call->session_id,
	};

	reply->deferred = http_events_attach(call->gw->http, call->request->id, &listener,
				  call->request->last_event_id) == 0;
	if (reply->deferred)
		return;
	api_fail(reply, 503, "OVERLOADED",
		"This node has as many event streams open as it takes. Open this one again in a "
		"few seconds.");
	reply->retry_after_s = STREAM_AGAIN_S;
}
