/* calls.c: requests about calls. See calls.h. */
#include "twilio/calls.h"

#include <errno.h>
#include <string.h>

#include "base/form.h"
#include "twilio/ask.h"

#define NOT_IN_PROGRESS 21220

static const char *const progress[] = {
	"initiated", "ringing", "answered", "completed", NULL};

/* How many of the three are given. */
static unsigned sources(const char *url, const char *twiml, const char *application_sid)
{
	return (unsigned)(url != NULL) + (unsigned)(twiml != NULL) +
	       (unsigned)(application_sid != NULL);
}

int twilio_call_create(
	struct twilio_client *client, uint64_t id, const struct twilio_call_create *call)
{
	struct buf path = {0}, form = {0};

	if (call->from == NULL || call->to == NULL ||
		sources(call->url, call->twiml, call->application_sid) != 1)
		return -EINVAL;
	buf_add_str(&path, "/Calls.json");
	form_add(&form, "From", call->from);
	form_add(&form, "To", call->to);
	twilio_add(&form, "Url", call->url);
	twilio_add(&form, "Twiml", call->twiml);
	twilio_add(&form, "ApplicationSid", call->application_sid);
	twilio_add(&form, "FallbackUrl", call->fallback_url);
	twilio_add_callback(&form, call->status_callback, progress);
	if (call->timeout_s > 0)
		form_add_int(&form, "Timeout", call->timeout_s);
	twilio_add(&form, "SipAuthUsername", call->sip_username);
	twilio_add(&form, "SipAuthPassword", call->sip_password);
	if (call->machine_detection != NULL) {
		form_add(&form, "MachineDetection", call->machine_detection);
		form_add(&form, "AsyncAmd", "true");
		twilio_add(&form, "AsyncAmdStatusCallback", call->amd_callback);
	}
	return twilio_ask(client, TWILIO_CALL_CREATE, id, &path, &form);
}

static void add_call_path(struct buf *path, const char *sid)
{
	twilio_add_path(path, "Calls", sid);
	buf_add_str(path, ".json");
}

int twilio_call_update(
	struct twilio_client *client, uint64_t id, const char *sid, const char *status)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(sid, "CA") != 0)
		return -EINVAL;
	if (strcmp(status, "completed") != 0 && strcmp(status, "canceled") != 0)
		return -EINVAL;
	add_call_path(&path, sid);
	form_add(&form, "Status", status);
	return twilio_ask(client, TWILIO_CALL_UPDATE, id, &path, &form);
}

int twilio_call_redirect(struct twilio_client *client, uint64_t id, const char *sid,
	const char *url, const char *twiml)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(sid, "CA") != 0 || sources(url, twiml, NULL) != 1)
		return -EINVAL;
	add_call_path(&path, sid);
	twilio_add(&form, "Url", url);
	twilio_add(&form, "Twiml", twiml);
	return twilio_ask(client, TWILIO_CALL_UPDATE, id, &path, &form);
}

int twilio_call_fetch(struct twilio_client *client, uint64_t id, const char *sid)
{
	struct buf path = {0};

	if (twilio_sid_check(sid, "CA") != 0)
		return -EINVAL;
	add_call_path(&path, sid);
	return twilio_ask(client, TWILIO_CALL_FETCH, id, &path, NULL);
}

bool twilio_call_over(const struct twilio_answer *answer)
{
	return answer->result == TWILIO_REFUSED &&
	       (answer->http_status == 404 || answer->code == NOT_IN_PROGRESS);
}

int twilio_call_list(
	struct twilio_client *client, uint64_t id, const char *to, const char *from)
{
	struct buf path = {0};

	buf_printf(&path, "/Calls.json?PageSize=%d", TWILIO_PAGE_SIZE);
	twilio_add(&path, "To", to);
	twilio_add(&path, "From", from);
	return twilio_ask(client, TWILIO_CALL_LIST, id, &path, NULL);
}
