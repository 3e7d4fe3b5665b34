/* rest_queues.c: who waits in a queue: twilio.com/docs/voice/api/member-resource. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/call.h"
#include "sandbox/queue.h"
#include "sandbox/rest.h"
#include "sandbox/twiml_run.h"

static json_t *member_json(const struct queue_member *member)
{
	return json_pack("{s:s, s:s, s:o, s:i, s:I, s:o}", "queue_sid",
		member->queue->sid, "call_sid", member->call->sid, "date_enqueued",
		rest_date(member->joined_ms), "position", (int)queue_position(member),
		"wait_time", (json_int_t)((clock_wall_ms() - member->joined_ms) / 1000),
		"uri",
		json_sprintf("/" SANDBOX_API_VERSION
			     "/Accounts/%s/Queues/%s/Members/%s.json",
			member->call->sandbox->settings.account_sid, member->queue->sid,
			member->call->sid));
}

void rest_member_list(struct rest *rest)
{
	const char *sid = rest->request->params[1];
	struct list *all = &rest->sandbox->queue_members, *node;
	struct rest_page page;

	if (resources_find(rest->sandbox->resources, &kind_queue, sid, NULL) == NULL) {
		rest_not_found(rest);
		return;
	}
	if (rest_page_begin(rest, &page) < 0)
		return;
	for (node = all->next; node != all && !page.more; node = node->next) {
		const struct queue_member *m =
			list_entry(node, const struct queue_member, node);

		if (strcmp(m->queue->sid, sid) == 0 && queue_waits(m) &&
			rest_page_wants(&page, m->call->sid))
			rest_page_add(&page, m->call->sid, member_json(m));
	}
	rest_page_reply(rest, &page, "queue_members");
}

/* By call SID, or "Front"; NULL: replied 404. */
static struct queue_member *named_member(struct rest *rest)
{
	struct list *all = &rest->sandbox->queue_members, *node;
	char *name = rest_sid(rest, 2);
	struct queue_member *found = NULL;

	for (node = all->next; name != NULL && found == NULL && node != all;
		node = node->next) {
		struct queue_member *m = list_entry(node, struct queue_member, node);

		if (strcmp(m->queue->sid, rest->request->params[1]) == 0 &&
			queue_waits(m) &&
			(strcmp(name, "Front") == 0 || strcmp(name, m->call->sid) == 0))
			found = m;
	}
	free(name);
	if (found == NULL)
		rest_not_found(rest);
	return found;
}

void rest_member_fetch(struct rest *rest)
{
	struct queue_member *member = named_member(rest);

	if (member != NULL)
		rest_reply(rest, 200, member_json(member));
}

/* Sends it elsewhere. */
void rest_member_update(struct rest *rest)
{
	struct queue_member *member = named_member(rest);
	char *url = NULL, *method = NULL;
	json_t *object;

	if (member == NULL || !rest_form_callback(rest, "Url", &url, &method))
		return;
	if (url == NULL) {
		rest_error(rest, 400, 21205, "Url parameter is required.");
		return;
	}
	object = member_json(member);
	twiml_run_url(member->call, url, method);
	free(url);
	free(method);
	rest_reply(rest, 200, object);
}
