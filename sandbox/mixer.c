/* mixer.c: rooms as lists of ports; every 20 ms each room is added up once. */
#include "config.h"

#include "sandbox/mixer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/ticker.h"

struct mixer {
	struct list rooms;
	struct ticker ticker;
	bool silent;
	bool ticking; /* ports may not come and go meanwhile */
};

struct mixer_room {
	struct list node;
	struct mixer *mixer;
	struct list ports;
	size_t port_count;
	int16_t (*frames)[SOUND_FRAME]; /* one a port, in the order of `ports` */
	size_t frame_cap;
	char name[];
};

static void say(
	struct mixer_room *room, struct mixer_port *port, int16_t frame[SOUND_FRAME])
{
	memset(frame, 0, SOUND_FRAME * sizeof(frame[0]));
	if (port->read == NULL)
		return;
	/* Read even when nobody may hear it, so that it is not heard later. */
	port->read(port, frame);
	if (room->mixer->silent)
		memset(frame, 0, SOUND_FRAME * sizeof(frame[0]));
	for (struct mixer_tap *tap = port->taps; tap != NULL; tap = tap->next)
		memcpy(tap->said, frame, sizeof(tap->said));
	if (port->muted || port->held)
		memset(frame, 0, SOUND_FRAME * sizeof(frame[0]));
}

/* The sum of what is for everybody; true when something is for one port only. */
static bool add_up(struct mixer_room *room, int32_t total[SOUND_FRAME])
{
	struct list *node, *tmp;
	bool asides = false;
	size_t i = 0;

	memset(total, 0, SOUND_FRAME * sizeof(total[0]));
	list_for_each(&room->ports, node, tmp)
	{
		struct mixer_port *port = list_entry(node, struct mixer_port, node);
		int16_t *frame = room->frames[i++];

		say(room, port, frame);
		if (port->only != NULL) {
			asides = true;
			continue;
		}
		for (size_t s = 0; s < SOUND_FRAME; s++)
			total[s] += frame[s];
	}
	return asides;
}

static void add_asides(const struct mixer_room *room, const struct mixer_port *listener,
	int32_t sum[SOUND_FRAME])
{
	const struct list *node;
	size_t i = 0;

	for (node = room->ports.next; node != &room->ports; node = node->next, i++) {
		const struct mixer_port *port =
			list_entry(node, const struct mixer_port, node);

		if (port->only != listener)
			continue;
		for (size_t s = 0; s < SOUND_FRAME; s++)
			sum[s] += room->frames[i][s];
	}
}

static int16_t saturate(int32_t sample)
{
	if (sample > INT16_MAX)
		return INT16_MAX;
	if (sample < INT16_MIN)
		return INT16_MIN;
	return (int16_t)sample;
}

static void hear(struct mixer_port *port, const int32_t sum[SOUND_FRAME])
{
	int16_t heard[SOUND_FRAME];

	for (size_t s = 0; s < SOUND_FRAME; s++)
		heard[s] = saturate(sum[s]);
	if (port->write != NULL)
		port->write(port, heard);
	for (struct mixer_tap *tap = port->taps; tap != NULL; tap = tap->next)
		tap->frame(tap, tap->said, heard);
}

static void room_tick(struct mixer_room *room)
{
	int32_t total[SOUND_FRAME], sum[SOUND_FRAME];
	struct list *node, *tmp;
	bool asides = add_up(room, total);
	size_t i = 0;

	list_for_each(&room->ports, node, tmp)
	{
		struct mixer_port *port = list_entry(node, struct mixer_port, node);
		const int16_t *own = room->frames[i++];

		if (port->write == NULL && port->taps == NULL)
			continue;
		for (size_t s = 0; s < SOUND_FRAME; s++)
			sum[s] = port->held           ? 0
				 : port->only != NULL ? total[s]
						      : total[s] - own[s];
		if (asides)
			add_asides(room, port, sum);
		hear(port, sum);
	}
}

static void mixer_tick(void *arg)
{
	struct mixer *mixer = arg;
	struct list *node, *tmp;

	mixer->ticking = true;
	list_for_each(&mixer->rooms, node, tmp)
		room_tick(list_entry(node, struct mixer_room, node));
	mixer->ticking = false;
}

int mixer_new(struct mixer **ret_mixer)
{
	struct mixer *mixer = calloc(1, sizeof(*mixer));

	if (mixer == NULL)
		return -ENOMEM;
	list_init(&mixer->rooms);
	*ret_mixer = mixer;
	return 0;
}

static void room_free(struct mixer_room *room)
{
	list_remove(&room->node);
	free(room->frames);
	free(room);
}

void mixer_free(struct mixer **mixer)
{
	if (*mixer == NULL)
		return;
	/* A room has a port as long as it exists, and goes with its last one. */
	while (!list_empty(&(*mixer)->rooms)) {
		struct mixer_room *room =
			list_entry((*mixer)->rooms.next, struct mixer_room, node);

		mixer_leave(list_entry(room->ports.next, struct mixer_port, node));
	}
	ticker_stop(&(*mixer)->ticker);
	free(*mixer);
	*mixer = NULL;
}

static struct mixer_room *room_find(struct mixer *mixer, const char *name)
{
	struct list *node, *tmp;

	list_for_each(&mixer->rooms, node, tmp)
	{
		struct mixer_room *room = list_entry(node, struct mixer_room, node);

		if (strcmp(room->name, name) == 0)
			return room;
	}
	return NULL;
}

static int room_new(struct mixer *mixer, const char *name, struct mixer_room **ret_room)
{
	struct mixer_room *room = calloc(1, sizeof(*room) + strlen(name) + 1);

	if (room == NULL)
		return -ENOMEM;
	room->mixer = mixer;
	list_init(&room->ports);
	strcpy(room->name, name);
	list_add_tail(&mixer->rooms, &room->node);
	*ret_room = room;
	return 0;
}

static int room_grow(struct mixer_room *room)
{
	size_t cap = room->frame_cap + 4;
	void *frames;

	if (room->port_count < room->frame_cap)
		return 0;
	frames = realloc(room->frames, cap * sizeof(room->frames[0]));
	if (frames == NULL)
		return -ENOMEM;
	room->frames = frames;
	room->frame_cap = cap;
	return 0;
}

int mixer_join(struct mixer *mixer, const char *name, struct mixer_port *port)
{
	struct mixer_room *room = room_find(mixer, name);
	int err;

	assert(!mixer->ticking);
	if (room != NULL && room == port->room)
		return 0;
	if (room == NULL) {
		err = room_new(mixer, name, &room);
		if (err < 0)
			return err;
	}
	err = room_grow(room);
	if (err < 0)
		goto out;
	mixer_leave(port);
	list_add_tail(&room->ports, &port->node);
	room->port_count++;
	port->room = room;
	ticker_start(&mixer->ticker, mixer_tick, mixer);
out:
	if (room->port_count == 0)
		room_free(room);
	return err;
}

void mixer_leave(struct mixer_port *port)
{
	struct mixer_room *room = port->room;
	struct mixer *mixer;

	if (room == NULL)
		return;
	assert(!room->mixer->ticking);
	list_remove(&port->node);
	port->room = NULL;
	if (--room->port_count > 0)
		return;
	mixer = room->mixer;
	room_free(room);
	if (list_empty(&mixer->rooms))
		ticker_stop(&mixer->ticker);
}

void mixer_tap(struct mixer_port *port, struct mixer_tap *tap)
{
	tap->next = port->taps;
	port->taps = tap;
}

void mixer_untap(struct mixer_port *port, struct mixer_tap *tap)
{
	struct mixer_tap **link = &port->taps;

	while (*link != NULL && *link != tap)
		link = &(*link)->next;
	if (*link != NULL)
		*link = tap->next;
}

void mixer_set_silent(struct mixer *mixer, bool silent)
{
	mixer->silent = silent;
}
