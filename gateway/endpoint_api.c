/* endpoint_api.c: how an agent is reached. See endpoint_api.h. */
#include "gateway/endpoint_api.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "dialer/number.h"
#include "gateway/agent_api.h"

static bool known_fields(const json_t *body)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)body, name, value)
	{
		if (strcmp(name, "type") != 0 && strcmp(name, "number") != 0 &&
			strcmp(name, "nailed") != 0)
			return false;
	}
	return true;
}

int endpoint_of_body(
	struct api_reply *reply, const json_t *body, struct db_endpoint *ret_endpoint)
{
	const char *type = json_string_value(json_object_get(body, "type"));
	const json_t *given = json_object_get(body, "number");
	const json_t *nailed = json_object_get(body, "nailed");
	const char *number = json_string_value(given);
	struct db_endpoint endpoint = {.type = "sip", .nailed = true};
	bool phone = type != NULL && strcmp(type, "phone") == 0;

	if (body == NULL) {
		*ret_endpoint = endpoint;
		return 0;
	}
	if (!json_is_object(body) || !known_fields(body))
		api_fail_field(reply, "endpoint",
			"endpoint must be an object of type, number and nailed.");
	else if (type == NULL ||
		 (!phone && strcmp(type, "sip") != 0 && strcmp(type, "browser") != 0))
		api_fail_field(reply, "type", "type must be sip, phone or browser.");
	else if (phone && (number == NULL || !number_valid(number)))
		api_fail_field(reply, "number",
			"number must be the phone's number in E.164, such as +14155552671.");
	else if (!phone && given != NULL && !json_is_null(given))
		api_fail_field(
			reply, "number", "Only a phone has a number; leave it out.");
	else if (nailed != NULL && !json_is_boolean(nailed))
		api_fail_field(reply, "nailed", "nailed must be true or false.");
	else {
		(void)text_copy(endpoint.type, sizeof(endpoint.type), type);
		(void)text_copy(
			endpoint.number, sizeof(endpoint.number), phone ? number : "");
		endpoint.nailed = nailed == NULL || json_is_true(nailed);
		*ret_endpoint = endpoint;
		return 0;
	}
	return -EINVAL;
}

void agent_endpoint_set(struct api_call *call, struct api_reply *reply)
{
	int64_t id = agent_of_path(call, reply);
	struct db_endpoint endpoint;
	int err;

	if (id == 0 || endpoint_of_body(reply, call->body, &endpoint) < 0)
		return;
	err = db_endpoint_set(call->db, id, &endpoint);
	if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	else
		agent_answer(call, reply, 200, id);
}
