/*
 * recording_media.c: GET /api/recordings/:recordingId/media: the sound, streamed through us. What
 * is held in memory is what the reader has not taken yet.
 */
#include "gateway/recording_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/feed.h"
#include "twilio/media.h"

/*
 * One download. The media thread owns it from its start to done(); the feed calls from the http
 * thread and only posts.
 */
struct download {
	struct gateway *gw;
	uint64_t request_id, media_id;
	struct http_feed *feed;
	char range[80];
	bool answered;
	/* Of an answer that ignored the range: what to leave out, and then to hand on; -1: all. */
	int64_t skip, left;
};

static void on_room(void *arg)
{
	struct download *d = arg;

	twilio_media_resume(d->gw->media, d->media_id);
}

static void on_gone(void *arg)
{
	struct download *d = arg;

	twilio_media_cancel(d->gw->media, d->media_id);
}

static void fail(struct download *d, int status, const char *code, const char *text)
{
	struct api_reply reply = {.status = 0};

	d->answered = true;
	api_fail(&reply, status, code, "%s", text);
	api_send(d->gw, d->request_id, &reply);
}

/* 416: the range is beyond the end. */
static void send_no_range(struct download *d, const char *content_range)
{
	const struct http_header headers[] = {
		{"Content-Range", content_range}, {"Cache-Control", "private, no-store"}};

	d->answered = true;
	http_reply(d->gw->http, d->request_id,
		&(struct http_reply){
			.status = 416, .headers = headers, .header_count = 2});
}

static int open_feed(struct download *d, int status, const char *type, int64_t length,
	const char *content_range)
{
	const struct http_header headers[] = {{"Cache-Control", "private, no-store"},
		{"Accept-Ranges", "bytes"}, {"Content-Range", content_range}};
	int err = http_feed_open(d->gw->http, d->request_id,
		&(struct http_feed_config){
			.status = status,
			.content_type = type[0] == '\0' ? "audio/x-wav" : type,
			.length = length,
			.headers = headers,
			.header_count = content_range[0] == '\0' ? 2 : 3,
			.room = on_room,
			.gone = on_gone,
			.arg = d,
		},
		&d->feed);

	d->answered = err == 0;
	return err;
}

/* All of it came although a part was asked for: the part is cut out here. */
static int cut_part(struct download *d, const struct twilio_media_head *head)
{
	char content_range[96] = "";
	size_t first = 0, len = 0;

	switch (http_range_parse(d->range, (size_t)head->length, &first, &len)) {
	case 0:
		break;
	case -ERANGE:
		(void)snprintf(content_range, sizeof(content_range), "bytes */%lld",
			(long long)head->length);
		send_no_range(d, content_range);
		return -ERANGE;
	default:
		return open_feed(d, 200, head->type, head->length, "");
	}
	d->skip = (int64_t)first;
	d->left = (int64_t)len;
	(void)snprintf(content_range, sizeof(content_range), "bytes %zu-%zu/%lld", first,
		first + len - 1, (long long)head->length);
	return open_feed(d, 206, head->type, (int64_t)len, content_range);
}

static int on_head(void *arg, const struct twilio_media_head *head)
{
	struct download *d = arg;

	switch (head->status) {
	case 206:
		return open_feed(d, 206, head->type, head->length, head->content_range);
	case 200:
		if (d->range[0] != '\0' && head->length >= 0)
			return cut_part(d, head);
		return open_feed(d, 200, head->type, head->length, "");
	case 416:
		send_no_range(d, head->content_range);
		break;
	case 404:
	case 410:
		fail(d, 404, "NO_MEDIA",
			"Twilio does not have the sound of this recording any more.");
		break;
	default:
		log_warn("recording", 0, "Twilio gave no media: HTTP status %d",
			head->status);
		fail(d, 502, "TWILIO_REFUSED",
			"Twilio did not give the sound of this recording. Try again later.");
		break;
	}
	return -ECANCELED;
}

static int on_data(void *arg, const void *data, size_t len)
{
	struct download *d = arg;
	const char *at = data;
	size_t skip = d->skip > (int64_t)len ? len : (size_t)d->skip;

	d->skip -= (int64_t)skip;
	at += skip;
	len -= skip;
	if (d->left >= 0 && (int64_t)len > d->left)
		len = (size_t)d->left;
	if (d->left >= 0)
		d->left -= (int64_t)len;
	if (len == 0)
		return d->left == 0 ? -ECANCELED : 0;
	return http_feed_write(d->feed, at, len);
}

static void on_done(void *arg, int error)
{
	struct download *d = arg;

	if (!d->answered && error == -EIO)
		fail(d, 502, "TWILIO_UNREACHABLE",
			"Twilio could not be reached for the sound. Try again in a moment.");
	http_feed_close(&d->feed, error == 0 || d->left == 0);
	free(d);
}

/* The extension of ?format=; NULL: neither of them. */
static const char *extension(const struct api_call *call)
{
	const char *format = form_get(&call->request->query, "format");

	if (format == NULL || format[0] == '\0' || strcmp(format, "wav") == 0)
		return "wav";
	return strcmp(format, "mp3") == 0 ? "mp3" : NULL;
}

static void start(struct api_call *call, struct api_reply *reply,
	const struct db_recording *row, const char *format)
{
	struct download *d = calloc(1, sizeof(*d));
	int err = -ENOMEM;

	if (d != NULL) {
		d->gw = call->gw;
		d->request_id = call->request->id;
		d->left = -1;
		(void)snprintf(d->range, sizeof(d->range), "%s", call->request->range);
		err = twilio_media_get(call->gw->media,
			&(struct twilio_media_request){
				.sid = row->provider_sid,
				.extension = format,
				.channels = row->channels,
				.range = call->request->range,
			},
			&(struct twilio_media_sink){.head = on_head,
				.data = on_data,
				.done = on_done,
				.arg = d},
			&d->media_id);
	}
	if (err == 0) {
		reply->deferred = true;
		return;
	}
	free(d);
	reply->retry_after_s = 2;
	api_fail(reply, 503, "BUSY",
		"Too many recordings are being listened to just now. Try again in a moment.");
}

void recording_media(struct api_call *call, struct api_reply *reply)
{
	const char *format = extension(call);
	struct db_recording row;

	if (format == NULL) {
		api_fail(reply, 422, "VALIDATION", "format must be wav or mp3.");
		return;
	}
	if (recording_of_path(call, reply, &row) < 0)
		return;
	if (strcmp(row.state, "completed") != 0) {
		api_fail(reply, 409, "NO_MEDIA",
			"There is no sound to hear: the recording is %s.", row.state);
		return;
	}
	log_info("recording", row.call_id, "listened to by %s", call->user.username);
	start(call, reply, &row, format);
}
