/*
 * call_sound.h: what a call's far end says and hears, and in which room of the mixer it is.
 * Main loop only.
 *
 * A call is in its conference's room, in that of the call it is bridged with, in one of its
 * own while it is recorded or played to, and else in none, which costs nothing.
 */
#ifndef OMNIVOX_SANDBOX_CALL_SOUND_H
#define OMNIVOX_SANDBOX_CALL_SOUND_H

struct call;
struct mixer_port;

/* Its customer opens mouth and ears. */
void call_open_sound(struct call *call);
void call_close_sound(struct call *call);

/* The SIP leg's port, or the customer's. */
struct mixer_port *call_port(struct call *call);

/* Puts it in the room where it belongs now; after anything that may change that. */
void call_settle_sound(struct call *call);

#endif
