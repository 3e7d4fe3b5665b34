/*
 * media.h: the sound of recordings, fetched from Twilio piece by piece and handed on as it comes
 * (twilio.com/docs/voice/api/recording#fetch-a-recordings-media).
 *
 * A thread of its own, so that no download stands in the way of a call. Nothing is kept here: a
 * receiver that has enough says so, and the transfer stands still until it goes on.
 */
#ifndef OMNIVOX_TWILIO_MEDIA_H
#define OMNIVOX_TWILIO_MEDIA_H

#include <stddef.h>
#include <stdint.h>

#include "twilio/client.h"

struct twilio_media;

/* The head of Twilio's answer. Texts are borrowed. */
struct twilio_media_head {
	int status;
	const char *type;          /* "" unknown */
	int64_t length;            /* of what comes; -1 unknown */
	const char *content_range; /* "" none */
};

/* All on the media thread, and must not block. */
struct twilio_media_sink {
	/* Once, before any data. Non-zero: the transfer ends. */
	int (*head)(void *arg, const struct twilio_media_head *head);
	/* 0: go on; 1: taken, but wait for twilio_media_resume(); negative: the transfer ends. */
	int (*data)(void *arg, const void *data, size_t len);
	/*
	 * Once, the last. 0: everything came; -ECANCELED: by us, or by a head() or data(); -EIO:
	 * Twilio could not be reached, or broke off.
	 */
	void (*done)(void *arg, int error);
	void *arg;
};

struct twilio_media_request {
	const char *sid;       /* RE... */
	const char *extension; /* "wav" or "mp3" */
	int channels;          /* 0: Twilio's choice */
	const char *range;     /* "bytes=0-99"; NULL or "": everything */
};

/* Uses account, credentials, api_base, ca_file, connect_ms and limit (transfers at once). */
int twilio_media_new(const struct twilio_config *config, struct twilio_media **ret_media);

/* Ends every transfer and the thread; from then on nothing is taken. NULL-safe. */
void twilio_media_stop(struct twilio_media *media);
void twilio_media_free(struct twilio_media **media);

/*
 * Any thread. *ret_id is set before the first callback. -EAGAIN: too many transfers, or stopped;
 * -EINVAL: no recording's SID; -ENOMEM. done() comes exactly once for each 0.
 */
int twilio_media_get(struct twilio_media *media,
	const struct twilio_media_request *request, const struct twilio_media_sink *sink,
	uint64_t *ret_id);

/* Any thread. For a transfer that is over they do nothing. */
void twilio_media_resume(struct twilio_media *media, uint64_t id);
void twilio_media_cancel(struct twilio_media *media, uint64_t id);

#endif
