/*
 * player.h: says and plays one thing after the other, in a room of the mixer, to everybody
 * there or to one. Without a room only the time passes. Main loop only.
 *
 * Speech is a tone (settings say_hz, say_ms_per_char); WAV files of 8 kHz, mono, 16 bit sound as
 * they are, other media are a tone of play_ms.
 */
#ifndef OMNIVOX_SANDBOX_PLAYER_H
#define OMNIVOX_SANDBOX_PLAYER_H

#include <stdbool.h>
#include <stddef.h>

struct mixer_port;
struct player;
struct sandbox;
struct twiml_node;

/*
 * `done` comes once, never from inside another function here, when all is over; it may free the
 * player. `endless`: starts again instead, for music.
 */
struct player *player_new(
	struct sandbox *sandbox, bool endless, void (*done)(void *arg), void *arg);
void player_free(struct player **player);

/* Say, Play and Pause; anything else is left out. `base`: where relative URLs start. */
void player_add(struct player *player, const struct twiml_node *node, const char *base);
void player_add_tone(struct player *player, const char *spec, unsigned ms);
void player_add_media(struct player *player, const void *data, size_t len);

void player_start(struct player *player);

/* `room` NULL: none. `only`: who alone hears it; NULL: everybody in the room. */
void player_place(struct player *player, const char *room, const struct mixer_port *only);

/* How it goes on its way: `relative` as seen from `base`; caller frees. */
char *player_resolve(const char *base, const char *relative);

#endif
