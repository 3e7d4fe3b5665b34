/* rest_conferences.c: the Conferences resource: twilio.com/docs/voice/api/conference-resource. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/conference.h"
#include "sandbox/rest.h"

static const char *const statuses[] = {
	[CONFERENCE_INIT] = "init",
	[CONFERENCE_IN_PROGRESS] = "in-progress",
	[CONFERENCE_COMPLETED] = "completed",
};

static json_t *conference_json(const struct conference *conference)
{
	const char *account = conference->sandbox->settings.account_sid;
	json_t *uri =
		json_sprintf("/" SANDBOX_API_VERSION "/Accounts/%s/Conferences/%s.json",
			account, conference->sid);
	json_t *participants = json_sprintf(
		"/" SANDBOX_API_VERSION "/Accounts/%s/Conferences/%s/Participants.json",
		account, conference->sid);
	json_t *recordings = json_sprintf("/" SANDBOX_API_VERSION
					  "/Accounts/%s/Conferences/%s/Recordings.json",
		account, conference->sid);

	return json_pack(
		"{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:{s:o, s:o}, s:s?, s:o}",
		"account_sid", account, "date_created", rest_date(conference->created_ms),
		"date_updated", rest_date(conference->updated_ms), "api_version",
		SANDBOX_API_VERSION, "friendly_name", conference->name, "region",
		conference->region, "sid", conference->sid, "status",
		statuses[conference->status], "uri", uri, "subresource_uris",
		"participants", participants, "recordings", recordings,
		"reason_conference_ended", conference->reason,
		"call_sid_ending_conference",
		rest_text(conference->reason != NULL ? conference->ending_call : NULL));
}

/* By SID only; NULL: replied 404. */
static struct conference *named_conference(struct rest *rest)
{
	char *sid = rest_sid(rest, 1);
	struct conference *conference = NULL;

	if (sid != NULL && strncmp(sid, "CF", 2) == 0)
		conference = conferences_find(rest->sandbox->conferences, sid);
	free(sid);
	if (conference == NULL)
		rest_not_found(rest);
	return conference;
}

static bool passes(struct rest *rest, const struct conference *conference, bool *bad)
{
	const struct form *query = &rest->request->query;
	const char *name = form_get(query, "FriendlyName");
	const char *status = form_get(query, "Status");

	return (name == NULL || strcmp(name, conference->name) == 0) &&
	       (status == NULL || strcmp(status, statuses[conference->status]) == 0) &&
	       rest_time_passes(rest, "DateCreated", conference->created_ms, bad) &&
	       rest_time_passes(rest, "DateUpdated", conference->updated_ms, bad);
}

void rest_conference_list(struct rest *rest)
{
	struct list *all = conferences_list(rest->sandbox->conferences), *node;
	struct rest_page page;
	bool bad = false;

	if (rest_page_begin(rest, &page) < 0)
		return;
	for (node = all->prev; node != all && !page.more && !bad; node = node->prev) {
		const struct conference *c = list_entry(node, struct conference, node);

		if (passes(rest, c, &bad) && rest_page_wants(&page, c->sid))
			rest_page_add(&page, c->sid, conference_json(c));
	}
	if (bad)
		json_decref(page.items);
	else
		rest_page_reply(rest, &page, "conferences");
}

void rest_conference_fetch(struct rest *rest)
{
	struct conference *conference = named_conference(rest);

	if (conference != NULL)
		rest_reply(rest, 200, conference_json(conference));
}

void rest_conference_update(struct rest *rest)
{
	struct conference *conference = named_conference(rest);
	const char *status = rest_form(rest, "Status");
	char *url = NULL, *method = NULL;

	if (conference == NULL)
		return;
	if (status != NULL && strcmp(status, "completed") != 0) {
		rest_error(rest, 400, 20422, "Invalid Status: %s", status);
		return;
	}
	if (!rest_form_callback(rest, "AnnounceUrl", &url, &method))
		return;
	if (conference->status == CONFERENCE_COMPLETED && url != NULL) {
		rest_error(rest, 400, 16022, "The conference is completed");
	} else {
		if (url != NULL)
			conference_announce(conference, url, method);
		if (status != NULL && conference->status != CONFERENCE_COMPLETED)
			conference_end_by_api(conference);
		rest_reply(rest, 200, conference_json(conference));
	}
	free(url);
	free(method);
}
