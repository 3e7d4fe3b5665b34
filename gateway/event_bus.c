/*
 * event_bus.c: passes events on to other nodes, and theirs to our streams. See event_bus.h.
 *
 * A payload is the id of the node that sends it, a line break, and the lines of its events.
 */
#include "gateway/event_bus.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/list.h"
#include "base/log.h"
#include "base/post.h"
#include "base/timers.h"
#include "db/channel.h"
#include "db/nodes.h"
#include "http/events.h"

#define STATEMENT_MS 5000
#define OUTBOX_LIMIT 4096
#define LOOK_MS 250  /* between two looks for who hears */
#define GATHER_MS 20 /* between two payloads: what comes meanwhile goes together */
#define RETRY_MS 250 /* after the connection broke; doubled each time */
#define RETRY_MAX_MS 4000
#define RESYNC_MS 300          /* several reasons to resync are one */
#define SESSIONS 4096          /* whose version is remembered; more than are signed in */
#define HEAD_SIZE DB_NODE_SIZE /* of a payload: the id and a line break */

struct known {
	int64_t session_id, version;
};

struct event_bus {
	struct gateway *gw;
	pthread_t thread;
	struct post_queue *outbox; /* to the thread */
	struct post nudge;         /* wakes it */
	atomic_bool nudged, others, stopping;
	atomic_bool wanted; /* somebody hears at another node, and we can tell it */
	atomic_bool gap;    /* others must be told to resync */

	/* The loop's. */
	struct timer resync;
	struct known known[SESSIONS];

	/* The thread's. */
	struct db *db;            /* NULL: alone */
	bool joined;              /* it listens */
	bool missed;              /* our streams must be told to resync */
	int64_t look_ms, send_ms; /* when it may look and send again */
	int retry_ms;
	bool complained; /* that it cannot */
	size_t page_len;
	char page[DB_CHANNEL_MAX + 1]; /* the payload in the making */
};

/* ---- the loop: to our streams ---- */

/* Whether the state is later than all that was told of its session. */
static bool is_news(struct event_bus *bus, const struct event_line *event)
{
	struct known *known = &bus->known[event->session_id % SESSIONS];

	if (event->session_id == 0)
		return true;
	if (known->session_id == event->session_id && known->version >= event->version)
		return false;
	*known = (struct known){event->session_id, event->version};
	return true;
}

static void publish(struct gateway *gw, const struct event_line *event)
{
	if (http_events_heard(gw->events))
		http_events_publish(
			gw->events, event->type, event->data, event->audience);
}

static void resync_fire(struct timer *timer)
{
	publish(list_entry(timer, struct event_bus, resync)->gw, &event_line_resync);
}

struct heard_post {
	struct post post;
	struct event_bus *bus;
	char *lines;
};

static void heard_drop(struct post *post)
{
	struct heard_post *heard = list_entry(post, struct heard_post, post);

	free(heard->lines);
	free(heard);
}

static void heard_run(struct post *post)
{
	struct heard_post *heard = list_entry(post, struct heard_post, post);
	struct event_bus *bus = heard->bus;
	struct event_line event;
	char *at = heard->lines;

	while (event_line_read(&at, &event)) {
		if (strcmp(event.type, event_line_resync.type) != 0) {
			if (is_news(bus, &event))
				publish(bus->gw, &event);
		} else if (!timer_started(&bus->resync)) {
			timer_start(bus->gw->timers, &bus->resync, RESYNC_MS);
		}
	}
	heard_drop(post);
}

/* ---- any thread: to the other nodes ---- */

struct outgoing {
	struct post post;
	struct event_bus *bus;
	char *line;
};

static void outgoing_drop(struct post *post)
{
	struct outgoing *out = list_entry(post, struct outgoing, post);

	free(out->line);
	free(out);
}

static void outgoing_run(struct post *post);

static void pass_on(struct event_bus *bus, const struct event_line *event)
{
	struct outgoing *out = calloc(1, sizeof(*out));
	struct buf line = {0};

	event_line_write(&line, event);
	if (out != NULL)
		*out = (struct outgoing){
			{outgoing_run, outgoing_drop, NULL}, bus, buf_take(&line)};
	buf_free(&line);
	if (out != NULL && out->line != NULL &&
		post_queue_put(bus->outbox, &out->post) == 0)
		return;
	atomic_store(&bus->gap, true);
	if (out != NULL)
		outgoing_drop(&out->post);
}

bool event_bus_heard(struct gateway *gw)
{
	return atomic_load(&gw->bus->wanted) || http_events_heard(gw->events);
}

void event_bus_tell(struct gateway *gw, const struct event_line *event)
{
	if (!is_news(gw->bus, event))
		return;
	publish(gw, event);
	if (atomic_load(&gw->bus->wanted))
		pass_on(gw->bus, event);
}

static void nudge(struct event_bus *bus)
{
	if (!atomic_exchange(&bus->nudged, true))
		post_queue_answer(bus->outbox, &bus->nudge);
}

static void nudge_run(struct post *post)
{
	atomic_store(&list_entry(post, struct event_bus, nudge)->nudged, false);
}

void event_bus_others(struct event_bus *bus, bool live)
{
	if (atomic_exchange(&bus->others, live) != live)
		nudge(bus);
}

/* ---- the thread ---- */

static void complain(struct event_bus *bus, const char *why)
{
	if (!bus->complained)
		log_warn("events", 0, "other nodes are not heard: %s", why);
	bus->complained = true;
}

/* Without the connection nothing is passed on; joining again begins with a resync. */
static void leave(struct event_bus *bus)
{
	bus->joined = false;
	atomic_store(&bus->wanted, false);
}

/* Sends the page, if there is anything on it, and begins the next. */
static void flush(struct event_bus *bus)
{
	if (bus->joined && bus->page_len > HEAD_SIZE) {
		bus->send_ms = clock_mono_ms() + GATHER_MS;
		if (db_channel_tell(bus->db, bus->page) < 0) {
			complain(bus, db_error(bus->db));
			leave(bus);
		}
	}
	bus->page_len =
		(size_t)snprintf(bus->page, sizeof(bus->page), "%s\n", bus->gw->node);
}

static void add_line(struct event_bus *bus, const char *line)
{
	size_t len = strlen(line);

	if (len > DB_CHANNEL_MAX - HEAD_SIZE) {
		atomic_store(&bus->gap, true); /* it fits no payload */
		return;
	}
	if (bus->page_len + len > DB_CHANNEL_MAX)
		flush(bus);
	memcpy(bus->page + bus->page_len, line, len + 1);
	bus->page_len += len;
}

static void outgoing_run(struct post *post)
{
	struct outgoing *out = list_entry(post, struct outgoing, post);

	add_line(out->bus, out->line);
	outgoing_drop(post);
}

static void send_waiting(struct event_bus *bus)
{
	if (clock_mono_ms() < bus->send_ms)
		return;
	(void)post_queue_run(bus->outbox, OUTBOX_LIMIT);
	/* After what waited: who is told to read anew reads what those events say, too. */
	if (bus->joined && atomic_exchange(&bus->gap, false))
		add_line(bus, EVENT_LINE_RESYNC);
	flush(bus);
}

static int to_loop(struct event_bus *bus, const char *lines)
{
	struct heard_post *heard = calloc(1, sizeof(*heard));

	if (heard == NULL)
		return -ENOMEM;
	*heard = (struct heard_post){{heard_run, heard_drop, NULL}, bus, strdup(lines)};
	if (heard->lines != NULL && post_queue_put(bus->gw->queue, &heard->post) == 0)
		return 0;
	heard_drop(&heard->post);
	return -EAGAIN;
}

static void hear(void *arg, const char *payload)
{
	struct event_bus *bus = arg;

	if (strlen(payload) < HEAD_SIZE || payload[HEAD_SIZE - 1] != '\n')
		return; /* nobody's of ours */
	if (strncmp(payload, bus->gw->node, HEAD_SIZE - 1) != 0 &&
		to_loop(bus, payload + HEAD_SIZE) < 0)
		bus->missed = true;
}

/* Who begins to be heard begins with a resync: what was told before went nowhere. */
static void look(struct event_bus *bus)
{
	struct gateway *gw = bus->gw;
	bool others_hear;

	if (clock_mono_ms() < bus->look_ms)
		return;
	bus->look_ms = clock_mono_ms() + LOOK_MS;
	if (db_node_hears(
		    bus->db, gw->node, http_events_heard(gw->events), &others_hear) < 0) {
		complain(bus, db_error(bus->db));
		leave(bus);
		return;
	}
	if (!atomic_exchange(&bus->wanted, others_hear) && others_hear)
		atomic_store(&bus->gap, true);
}

/* Sleeps until there is something to do, at most `ms` (-1: for ever). */
static void nap(struct event_bus *bus, int ms)
{
	struct pollfd fd = {.fd = post_queue_fd(bus->outbox), .events = POLLIN};

	(void)poll(&fd, 1, ms);
	(void)post_queue_run(bus->outbox, OUTBOX_LIMIT);
	flush(bus);
}

static void join(struct event_bus *bus)
{
	const char *url = config_text(bus->gw->config, "DATABASE_URL");

	if ((bus->db == NULL && db_open(url, STATEMENT_MS, &bus->db) < 0) ||
		db_channel_listen(bus->db) < 0) {
		complain(bus, bus->db == NULL ? "no memory" : db_error(bus->db));
		nap(bus, bus->retry_ms);
		bus->retry_ms *= bus->retry_ms < RETRY_MAX_MS ? 2 : 1;
		return;
	}
	log_info("events", 0, "other nodes are heard");
	bus->joined = true;
	bus->complained = false;
	bus->missed = true;
	bus->look_ms = bus->send_ms = 0;
	bus->retry_ms = RETRY_MS;
}

static void turn(struct event_bus *bus)
{
	int64_t now, until;
	bool held;

	look(bus);
	send_waiting(bus);
	db_channel_heard(bus->db, hear, bus);
	if (bus->missed)
		bus->missed = to_loop(bus, EVENT_LINE_RESYNC) < 0;
	now = clock_mono_ms();
	held = now < bus->send_ms;
	until = held ? bus->send_ms : bus->look_ms;
	if (bus->joined &&
		db_channel_wait(bus->db, held ? -1 : post_queue_fd(bus->outbox),
			until > now ? (int)(until - now) : 0) < 0) {
		complain(bus, "the connection to PostgreSQL broke");
		leave(bus);
	}
}

static void *run(void *arg)
{
	struct event_bus *bus = arg;

	while (!atomic_load(&bus->stopping)) {
		if (!atomic_load(&bus->others)) {
			leave(bus);
			db_close(&bus->db);
			nap(bus, -1);
		} else if (!bus->joined) {
			join(bus);
		} else {
			turn(bus);
		}
	}
	bus->send_ms = 0;
	send_waiting(bus);
	db_close(&bus->db);
	return NULL;
}

/* ---- start and end ---- */

int event_bus_new(struct gateway *gw, struct event_bus **ret_bus)
{
	struct event_bus *bus = calloc(1, sizeof(*bus));
	int err;

	if (bus == NULL)
		return -ENOMEM;
	bus->gw = gw;
	bus->nudge.run = nudge_run;
	bus->nudge.drop = nudge_run;
	bus->resync.fire = resync_fire;
	bus->retry_ms = RETRY_MS;
	flush(bus);
	err = post_queue_new(OUTBOX_LIMIT, &bus->outbox);
	if (err == 0)
		err = -pthread_create(&bus->thread, NULL, run, bus);
	if (err < 0) {
		post_queue_free(&bus->outbox);
		free(bus);
		return err;
	}
	*ret_bus = bus;
	return 0;
}

void event_bus_free(struct event_bus **bus)
{
	struct event_bus *it = *bus;

	if (it == NULL)
		return;
	atomic_store(&it->stopping, true);
	nudge(it);
	(void)pthread_join(it->thread, NULL);
	timer_stop(&it->resync);
	post_queue_free(&it->outbox);
	free(it);
	*bus = NULL;
}
