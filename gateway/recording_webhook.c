/* recording_webhook.c: what Twilio sends about recordings. See recording.h. */
#include "gateway/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/recording_api.h"
#include "gateway/twiml_reply.h"
#include "gateway/urls.h"
#include "gateway/webhook_request.h"
#include "twilio/twiml.h"

/* The id that our URL carries; 0: none. */
static int64_t recording_of(const struct http_request *request)
{
	const char *text = form_get(&request->query, "recording");
	int64_t id;

	return text != NULL && text_int(text, 1, INT64_MAX, &id) == 0 ? id : 0;
}

static const char *own_word(const char *status)
{
	static const char *const words[] = {"in-progress", "completed", "absent", NULL};
	size_t i = 0;

	while (status != NULL && words[i] != NULL && strcmp(words[i], status) != 0)
		i++;
	return status == NULL ? NULL : words[i];
}

/* RecordingStartTime, RFC 2822; 0 when it is none. */
static int64_t started_ms(const struct http_request *request)
{
	const char *text = webhook_text(request, "RecordingStartTime");
	struct tm tm = {0};

	if (text == NULL || strptime(text, "%a, %d %b %Y %H:%M:%S", &tm) == NULL)
		return 0;
	return (int64_t)timegm(&tm) * 1000;
}

static void recording_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	const struct http_request *request = task->request;
	struct db_recording_news news = {
		.id = recording_of(request),
		.status = own_word(webhook_text(request, "RecordingStatus")),
		.duration_s = webhook_int(request, "RecordingDuration", 0, -1),
		.channels = webhook_int(request, "RecordingChannels", 1, 0),
		.code = webhook_int(request, "ErrorCode", 1, 0),
		.started_ms = started_ms(request),
		.text = "",
	};
	int err;

	(void)snprintf(
		news.sid, sizeof(news.sid), "%s", webhook_sid(request, "RecordingSid"));
	err = recording_news(task->gw, ctx, &news);
	webhook_reply(task->gw, request->id, err < 0 ? 503 : 204);
	recordings_wake(task->gw);
	webhook_job_free(task);
}

int webhook_recording(struct gateway *gw, struct http_request *request)
{
	const char *missing = NULL;

	if (recording_of(request) == 0)
		missing = "recording in its URL";
	else if (webhook_sid(request, "RecordingSid") == NULL)
		missing = "RecordingSid";
	else if (own_word(webhook_text(request, "RecordingStatus")) == NULL)
		missing = "RecordingStatus";
	if (missing == NULL)
		return webhook_job_put(gw, request, recording_work);
	webhook_refuse(gw, request->id, missing);
	http_request_free(&request);
	return 0;
}

static void announce_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	char text[DB_ANNOUNCEMENT_SIZE] = "";
	struct buf doc = {0};

	if (db_recording_announcement(ctx, recording_of(task->request), text) < 0)
		log_warn("recording", 0, "nothing to announce: %s", db_error(ctx));
	twiml_begin(&doc);
	if (text[0] != '\0')
		twiml_say(&doc, text);
	twiml_send(task->gw, task->request->id, &doc);
	webhook_job_free(task);
}

int twiml_announce(struct gateway *gw, struct http_request *request)
{
	return webhook_job_put(gw, request, announce_work);
}

/*
 * Which recording Twilio was asked to announce, as our own URL says; 0: an operator's sound, which
 * does not say it.
 */
static int64_t announced(const struct http_request *request)
{
	static const char ours[] = URL_TWIML_ANNOUNCE "?recording=";
	const char *url = webhook_text(request, "AnnounceUrl");
	const char *at = url == NULL ? NULL : strstr(url, ours);

	return at == NULL ? 0 : strtoll(at + strlen(ours), NULL, 10);
}

int recordings_announced(
	struct gateway *gw, struct db *db, const struct http_request *request, bool heard)
{
	const char *session = form_get(&request->query, "session");
	struct db_recording_news news = {.status = heard ? "announced" : "refused",
		.certain = true,
		.duration_s = -1,
		.text = heard ? "" : "The announcement could not be played."};
	int64_t session_id;
	int err;

	if (session == NULL || text_int(session, 1, INT64_MAX, &session_id) < 0)
		return 0;
	err = db_recording_announcing(db, session_id, announced(request), &news.id);
	if (err == 0)
		err = recording_news(gw, db, &news);
	recordings_wake(gw);
	return err == -ENOENT ? 0 : err;
}
