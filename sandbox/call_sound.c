/* call_sound.c: a customer's mouth and ear, and the choice of the room. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sandbox/call.h"
#include "sandbox/call_sound.h"
#include "sandbox/conference.h"
#include "sandbox/player.h"
#include "sandbox/population.h"
#include "sandbox/sandbox.h"
#include "sandbox/sound.h"
#include "sandbox/uas.h"

static void port_read(struct mixer_port *port, int16_t frame[SOUND_FRAME])
{
	struct call *call = list_entry(port, struct call, port);

	if (call->say != NULL)
		sound_source_read(call->say, frame);
	else
		memset(frame, 0, SOUND_FRAME * sizeof(frame[0]));
}

static void port_write(struct mixer_port *port, const int16_t frame[SOUND_FRAME])
{
	struct call *call = list_entry(port, struct call, port);

	if (call->heard != NULL)
		sound_sink_write(call->heard, frame);
}

struct mixer_port *call_port(struct call *call)
{
	return call->leg != NULL ? uas_leg_port(call->leg) : &call->port;
}

void call_open_sound(struct call *call)
{
	const struct sandbox *sandbox = call->sandbox;
	char path[4096];
	int r;

	call->port.read = port_read;
	call->port.write = port_write;
	r = sound_source_new(call->customer->say, &call->say);
	if (r < 0)
		log_warn("call", 0, "%s says nothing: %s: %s", call->sid,
			call->customer->say, strerror(-r));
	if (!sandbox->settings.record)
		return;
	(void)snprintf(path, sizeof(path), "%s/sandbox/heard/%s.wav",
		sandbox->settings.data_dir, call->sid);
	r = sound_sink_new(path, 1, &call->heard);
	if (r < 0)
		log_warn("call", 0, "%s: %s", path, strerror(-r));
}

void call_close_sound(struct call *call)
{
	mixer_leave(call_port(call));
	sound_source_free(&call->say);
	sound_sink_free(&call->heard);
}

void call_settle_sound(struct call *call)
{
	struct mixer *mixer = call->sandbox->mixer;
	const struct participant *p = call->participant;
	struct mixer_port *port = call_port(call);
	bool waits = (p != NULL && p->announcer != NULL) || call->queue_member != NULL;
	bool alone = !list_empty(&call->recordings) ||
		     ((call->player != NULL || waits) &&
			     (call->leg != NULL || call->heard != NULL));
	const char *room;

	if (p != NULL && p->joined && p->conference->status == CONFERENCE_IN_PROGRESS)
		room = p->conference->sid;
	else if (call->status == CALL_IN_PROGRESS && *call->bridge != '\0')
		room = call->bridge;
	else
		room = call->status == CALL_IN_PROGRESS && alone ? call->sid : NULL;
	if (room != NULL)
		(void)mixer_join(mixer, room, port);
	else
		mixer_leave(port);
	if (call->player != NULL)
		player_place(call->player, room, port);
}
