/* calls.c: requests about calls. See calls.h. */
#include "twilio/calls.h"

#include <errno.h>
#include <string.h>

#include "base/form.h"
#include "twilio/ask.h"

#define NOT_IN_PROGRESS 21220

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

	if (twilio_sid_check(sid, "CA") != 0 || (url == NULL) == (twiml == NULL))
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
