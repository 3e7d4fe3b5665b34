/* amd_webhook.c: see amd_webhook.h. */
#include "gateway/amd_webhook.h"

#include <string.h>

#include "base/text.h"
#include "gateway/webhook_batch.h"
#include "gateway/webhook_request.h"

/* Twilio's words, and the events that they are. */
static const struct {
	const char *word, *event;
} words[] = {
	{"human", "human"}, {"machine_start", "machine"}, {"machine_end_beep", "machine"},
	{"machine_end_silence", "machine"}, {"machine_end_other", "machine"},
	{"fax", "fax"},
	{"unknown", "unknown_voice"}, /* and whatever Twilio may come to say */
};

#define WORDS (sizeof(words) / sizeof(words[0]))

bool amd_event(const struct http_request *request, int64_t call_id,
	struct db_call_event *ret_event)
{
	const char *by = webhook_text(request, "AnsweredBy");
	const char *sid = webhook_sid(request, "CallSid");
	size_t i = 0;

	if (by == NULL || by[0] == '\0' || sid == NULL)
		return false;
	while (i < WORDS - 1 && strcmp(words[i].word, by) != 0)
		i++;
	*ret_event = (struct db_call_event){
		.call_id = call_id,
		.source = "amd",
		.source_sid = sid,
		.sequence = -1,
		.event = words[i].event,
		.at_ms = webhook_at_ms(request),
		.leg_sid = sid,
		.duration_s = -1,
		.detail = words[i].word,
	};
	return true;
}

static int64_t call_of(const struct http_request *request)
{
	const char *text = form_get(&request->query, "call");
	int64_t id;

	return text != NULL && text_int(text, 1, INT64_MAX, &id) == 0 ? id : 0;
}

int webhook_amd(struct gateway *gw, struct http_request *request)
{
	struct webhook_news news = {.count = 1};
	const char *missing = NULL;

	if (call_of(request) == 0)
		missing = "call in its URL";
	else if (!amd_event(request, call_of(request), &news.events[0]))
		missing = "CallSid and AnsweredBy";
	if (missing == NULL)
		return webhook_batch_put(gw, request, &news);
	webhook_refuse(gw, request->id, missing);
	http_request_free(&request);
	return 0;
}
