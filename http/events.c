/*
 * events.c: the ring of events and the streams that read it.
 *
 * Streams hold no copies: each knows its next event, and reads it out of the ring when its
 * connection can take bytes. A stream with nothing to send suspends its connection.
 */
#include "http/events.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "http/event_id.h"
#include "http/stream.h"

#define STREAM_BLOCK 4096              /* bytes that one turn of a connection takes */
#define STREAM_BEHIND_MAX (256 * 1024) /* bytes; a reader further behind is cut off */
#define STREAM_RETRY_MS 2000           /* told to the browser: wait before reconnecting */
#define STREAM_AWAY_MS 60000           /* the same, to one that made way for another */
#define STREAM_NOTE_SIZE 160 /* the greeting with a resync is the longest note */

struct event {
	char *text; /* as it goes over the wire */
	size_t len;
	int64_t audience;
};

struct http_events {
	pthread_mutex_t lock;
	struct list streams;
	uint64_t life;   /* tells ids of this run from those of the last */
	uint64_t next;   /* number of the next event; the first is 1 */
	uint64_t missed; /* while `next` is not above it, who left may come back */
	unsigned heartbeat_s;
	int64_t beat_ms; /* when the next heartbeat is due */
	bool stopping;
	size_t ring_size;
	struct event ring[];
};

struct stream {
	struct list node;
	struct http_events *events;
	struct MHD_Connection *connection; /* NULL: not open, or gone */
	struct http_listener listener;
	uint64_t at;                 /* number of the event to send next */
	size_t offset;               /* into its text */
	size_t behind;               /* bytes of events still to be sent */
	char note[STREAM_NOTE_SIZE]; /* what goes out before the next event */
	size_t note_len;
	size_t note_sent;
	bool suspended;
	bool cut;
	bool ended; /* by us: nothing more goes out but the note */
};

int http_events_new(size_t ring, unsigned heartbeat_s, struct http_events **ret_events)
{
	struct http_events *events;

	if (ring == 0 || heartbeat_s == 0)
		return -EINVAL;
	events = calloc(1, sizeof(*events) + ring * sizeof(events->ring[0]));
	if (events == NULL)
		return -ENOMEM;
	(void)pthread_mutex_init(&events->lock, NULL);
	list_init(&events->streams);
	events->ring_size = ring;
	events->next = 1;
	events->life = (uint64_t)clock_wall_ms();
	events->heartbeat_s = heartbeat_s;
	events->beat_ms = clock_mono_ms() + heartbeat_s * INT64_C(1000);
	*ret_events = events;
	return 0;
}

void http_events_free(struct http_events **events)
{
	struct http_events *hub = *events;

	if (hub == NULL)
		return;
	assert(list_empty(&hub->streams));
	for (size_t i = 0; i < hub->ring_size; i++)
		free(hub->ring[i].text);
	free(hub);
	*events = NULL;
}

static struct event *event_at(struct http_events *events, uint64_t number)
{
	return &events->ring[number % events->ring_size];
}

/* The number of the oldest event that the ring still has; `next` when it has none. */
static uint64_t oldest(const struct http_events *events)
{
	return events->next > events->ring_size ? events->next - events->ring_size : 1;
}

static bool hears(const struct stream *stream, const struct event *event)
{
	int64_t hears = stream->listener.hears;

	return hears == 0 || event->audience == 0 || event->audience == hears;
}

/* Under the lock. */
static void wake(struct stream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = false;
	MHD_resume_connection(stream->connection);
}

/*
 * Under the lock. The reader stopped reading: its connection is shut at once, not at the
 * time-out, and what the kernel still holds for it is thrown away. libmicrohttpd closes the
 * socket only after stream_close(), so it is still the same one.
 */
static void cut_off(struct stream *stream)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	const union MHD_ConnectionInfo *info = NULL;

	stream->cut = true;
	if (stream->connection != NULL)
		info = MHD_get_connection_info(
			stream->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info != NULL) {
		(void)setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &at_once,
			sizeof(at_once));
		(void)shutdown(info->connect_fd, SHUT_RDWR);
	}
	wake(stream);
}

void http_events_end(struct http_events *events,
	bool (*ends)(void *arg, const struct http_listener *listener), void *arg)
{
	struct list *node, *tmp;

	(void)pthread_mutex_lock(&events->lock);
	list_for_each(&events->streams, node, tmp)
	{
		struct stream *stream = list_entry(node, struct stream, node);

		if (stream->cut || stream->ended || !ends(arg, &stream->listener))
			continue;
		stream->ended = true;
		stream->note_len = stream->note_sent = 0;
		wake(stream);
	}
	(void)pthread_mutex_unlock(&events->lock);
}

/* Under the lock. One more event, number `number`, is in the ring. */
static void offer(struct stream *stream, const struct event *event, uint64_t number)
{
	if (stream->cut || stream->ended)
		return;
	if (!hears(stream, event)) {
		if (stream->at == number)
			stream->at++;
		return;
	}
	stream->behind += event->len;
	if (stream->behind > STREAM_BEHIND_MAX)
		cut_off(stream);
	else
		wake(stream);
}

/* Under the lock. The slot of `number` is about to be taken by a new event. */
static void leave_slot(struct http_events *events, uint64_t number)
{
	struct list *node, *tmp;

	if (number == 0)
		return;
	list_for_each(&events->streams, node, tmp)
	{
		struct stream *stream = list_entry(node, struct stream, node);

		if (stream->at == number && !stream->cut)
			cut_off(stream);
	}
}

bool http_events_heard(struct http_events *events)
{
	bool heard;

	(void)pthread_mutex_lock(&events->lock);
	heard = !list_empty(&events->streams) || events->next <= events->missed;
	(void)pthread_mutex_unlock(&events->lock);
	return heard;
}

void http_events_publish(
	struct http_events *events, const char *type, const char *data, int64_t audience)
{
	struct buf text = {0};
	struct list *node, *tmp;
	struct event *slot;
	uint64_t number;
	char *taken, id[EVENT_ID_SIZE];

	assert(strpbrk(type, "\r\n") == NULL && strpbrk(data, "\r\n") == NULL);
	(void)pthread_mutex_lock(&events->lock);
	number = events->next;
	event_id_write(events->life, number, id);
	buf_printf(&text, "id: %s\nevent: %s\ndata: %s\n\n", id, type, data);
	slot = event_at(events, number);
	leave_slot(events, number > events->ring_size ? number - events->ring_size : 0);
	free(slot->text);
	slot->len = text.len;
	taken = buf_take(&text);
	/* Without memory the event is a comment: numbers stay whole, nobody is cut off. */
	slot->text = taken;
	slot->len = taken == NULL ? 0 : slot->len;
	slot->audience = audience;
	events->next++;
	list_for_each(&events->streams, node, tmp)
		offer(list_entry(node, struct stream, node), slot, number);
	(void)pthread_mutex_unlock(&events->lock);
}

/* Under the lock. What is left of `text` at `*sent`, as much as fits. */
static size_t copy_part(
	char *buf, size_t room, const char *text, size_t len, size_t *sent)
{
	size_t part = len - *sent < room ? len - *sent : room;

	if (part > 0)
		memcpy(buf, text + *sent, part);
	*sent += part;
	return part;
}

/* Under the lock. */
static size_t copy_note(struct stream *stream, char *buf, size_t room)
{
	return copy_part(buf, room, stream->note, stream->note_len, &stream->note_sent);
}

/* Under the lock. Fills `buf` from the note and the events; 0 when there is nothing. */
static size_t fill(struct stream *stream, char *buf, size_t room)
{
	struct http_events *events = stream->events;
	size_t used = 0;

	/* A note never goes between two halves of an event. */
	if (stream->offset == 0) {
		used = copy_note(stream, buf, room);
		if (stream->note_sent < stream->note_len)
			return used;
		stream->note_len = stream->note_sent = 0;
	}
	while (stream->at < events->next && used < room) {
		const struct event *event = event_at(events, stream->at);

		if (hears(stream, event)) {
			size_t part = copy_part(buf + used, room - used, event->text,
				event->len, &stream->offset);

			used += part;
			stream->behind -= part;
			if (stream->offset < event->len)
				break;
		}
		stream->offset = 0;
		stream->at++;
	}
	return used;
}

/* MHD_ContentReaderCallback, http thread. */
static ssize_t read_stream(void *arg, uint64_t position, char *buf, size_t room)
{
	struct stream *stream = arg;
	struct http_events *events = stream->events;
	ssize_t result;

	(void)position;
	(void)pthread_mutex_lock(&events->lock);
	if (stream->cut) {
		result = MHD_CONTENT_READER_END_WITH_ERROR;
		goto out;
	}
	result = (ssize_t)(stream->ended ? copy_note(stream, buf, room)
					 : fill(stream, buf, room));
	if (result > 0)
		goto out;
	if (stream->ended || events->stopping) {
		result = MHD_CONTENT_READER_END_OF_STREAM;
		goto out;
	}
	assert(!stream->suspended && stream->connection != NULL);
	stream->suspended = true;
	MHD_suspend_connection(stream->connection);
out:
	(void)pthread_mutex_unlock(&events->lock);
	return result;
}

static void free_stream(void *arg)
{
	struct stream *stream = arg;
	struct http_events *events = stream->events;

	(void)pthread_mutex_lock(&events->lock);
	list_remove(&stream->node);
	/* One event more than the ring holds: then whoever comes back is told to resync. */
	events->missed = events->next + events->ring_size;
	(void)pthread_mutex_unlock(&events->lock);
	free(stream);
}

/* The number of the event after that with this id; 0 when the id is none of this run. */
static uint64_t event_after(const struct http_events *events, const char *id)
{
	uint64_t life, number;

	if (event_id_parse(id, &life, &number) < 0)
		return 0;
	return life == events->life && number < events->next ? number + 1 : 0;
}

/*
 * Under the lock. Places the stream behind the last event its client has seen, and greets it
 * with that one's id: so it may come back before it has seen another.
 */
static void resume_at(struct stream *stream, const char *last_event_id)
{
	struct http_events *events = stream->events;
	uint64_t after = 0;
	bool asks = last_event_id != NULL && last_event_id[0] != '\0';
	bool resync = false;
	char id[EVENT_ID_SIZE];

	if (asks)
		after = event_after(events, last_event_id);
	stream->at = after > 0 ? after : events->next;
	resync = asks && (after == 0 || stream->at < oldest(events));
	for (uint64_t i = stream->at; i < events->next && !resync; i++) {
		stream->behind +=
			hears(stream, event_at(events, i)) ? event_at(events, i)->len : 0;
		/* To fetch everything anew is quicker than so long a history. */
		resync = stream->behind > STREAM_BEHIND_MAX / 2;
	}
	if (resync) {
		stream->at = events->next;
		stream->behind = 0;
	}
	event_id_write(events->life, stream->at - 1, id);
	stream->note_len = (size_t)snprintf(stream->note, sizeof(stream->note),
		"retry: %d\nid: %s\n%s\n", STREAM_RETRY_MS, id,
		resync ? "event: resync\ndata: {}\n" : "");
	assert(stream->note_len < sizeof(stream->note));
}

static int make_response(struct stream *stream, struct MHD_Response **ret_response)
{
	/* Proxies must pass events on one by one (X-Accel-Buffering: nginx). */
	static const char *const headers[][2] = {{"Content-Type", "text/event-stream"},
		{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, stream, free_stream);
	int err;

	if (response == NULL)
		return -ENOMEM;
	err = reply_secure(response);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]) && err == 0; i++)
		if (MHD_add_response_header(response, headers[i][0], headers[i][1]) !=
			MHD_YES)
			err = -ENOMEM;
	*ret_response = response;
	return err;
}

/*
 * Under the lock. Makes way for another of its owner. Its reader, if there is one, comes again,
 * but not soon: else one more than may be, all read, would end each other without a pause.
 */
static void make_way(struct stream *stream)
{
	if (!stream->suspended) { /* in the middle of something: no place for a note */
		cut_off(stream);
		return;
	}
	stream->note_len = (size_t)snprintf(
		stream->note, sizeof(stream->note), "retry: %d\n\n", STREAM_AWAY_MS);
	stream->ended = true;
	wake(stream);
}

/*
 * Under the lock. Whether one more may come. Of an owner with too many the oldest makes way: it
 * is likelier a page that was left than one that is read.
 */
static bool make_room(struct http_events *events, size_t max, int64_t owner)
{
	struct stream *oldest_own = NULL;
	size_t all = 0, own = 0;
	struct list *node, *tmp;

	list_for_each(&events->streams, node, tmp)
	{
		struct stream *stream = list_entry(node, struct stream, node);

		all++;
		if (stream->cut || stream->ended || stream->listener.owner != owner)
			continue;
		if (own++ == 0)
			oldest_own = stream;
	}
	if (all >= max)
		return false;
	if (own >= HTTP_STREAMS_PER_OWNER)
		make_way(oldest_own);
	return true;
}

int stream_new(struct http_events *events, size_t max,
	const struct http_listener *listener, const char *last_event_id,
	struct answer *ret_answer)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	struct MHD_Response *response = NULL;
	bool fits;
	int err;

	if (stream == NULL)
		return -ENOMEM;
	stream->events = events;
	stream->listener = *listener;
	list_init(&stream->node);
	err = make_response(stream, &response);
	if (response == NULL) {
		free(stream);
		return err;
	}
	if (err != 0) {
		MHD_destroy_response(response); /* which frees the stream */
		return err;
	}
	(void)pthread_mutex_lock(&events->lock);
	fits = make_room(events, max, listener->owner);
	if (fits) {
		resume_at(stream, last_event_id);
		list_add_tail(&events->streams, &stream->node);
	}
	(void)pthread_mutex_unlock(&events->lock);
	if (!fits) {
		MHD_destroy_response(response);
		return -EAGAIN;
	}
	*ret_answer = (struct answer){
		.status = MHD_HTTP_OK, .response = response, .stream = stream};
	return 0;
}

void stream_open(struct stream *stream, struct MHD_Connection *connection)
{
	(void)pthread_mutex_lock(&stream->events->lock);
	stream->connection = connection;
	(void)pthread_mutex_unlock(&stream->events->lock);
}

void stream_close(struct stream *stream)
{
	(void)pthread_mutex_lock(&stream->events->lock);
	assert(!stream->suspended);
	stream->connection = NULL;
	stream->cut = true;
	(void)pthread_mutex_unlock(&stream->events->lock);
}

int64_t stream_beat_all(struct http_events *events, int64_t now_ms)
{
	static const char beat[] = ": hb\n\n";
	struct list *node, *tmp;
	int64_t next_ms;

	(void)pthread_mutex_lock(&events->lock);
	if (now_ms >= events->beat_ms) {
		events->beat_ms = now_ms + events->heartbeat_s * INT64_C(1000);
		list_for_each(&events->streams, node, tmp)
		{
			struct stream *stream = list_entry(node, struct stream, node);

			if (!stream->suspended)
				continue; /* it has something to send as it is */
			memcpy(stream->note, beat, sizeof(beat));
			stream->note_len = sizeof(beat) - 1;
			wake(stream);
		}
	}
	next_ms = events->beat_ms;
	(void)pthread_mutex_unlock(&events->lock);
	return next_ms;
}

void stream_stop_all(struct http_events *events)
{
	struct list *node, *tmp;

	(void)pthread_mutex_lock(&events->lock);
	events->stopping = true;
	list_for_each(&events->streams, node, tmp)
		wake(list_entry(node, struct stream, node));
	(void)pthread_mutex_unlock(&events->lock);
}

void stream_allow(struct http_events *events)
{
	(void)pthread_mutex_lock(&events->lock);
	events->stopping = false;
	(void)pthread_mutex_unlock(&events->lock);
}
