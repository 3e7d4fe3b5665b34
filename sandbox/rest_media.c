/*
 * rest_media.c: recordings as files: twilio.com/docs/voice/api/recording#fetch-a-recordings-media.
 * The sandbox keeps WAV only; a mono presentation of two channels is made on the way out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "sandbox/memory.h"
#include "sandbox/recording.h"
#include "sandbox/rest.h"

#define WAV_HEADER 44

bool rest_needs_account(const struct rest *rest)
{
	const char *name = rest->request->params[1];
	const char *ending = strrchr(name, '.');

	return rest->sandbox->facts.media_auth != 0 ||
	       (ending != NULL && strcmp(ending, ".json") == 0);
}

/* The whole file; NULL: none. Caller frees. */
static uint8_t *read_file(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data = NULL;
	size_t len = 0;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0) {
		data = memory_zero((size_t)st.st_size + 1);
		while (len < (size_t)st.st_size) {
			ssize_t n = read(fd, data + len, (size_t)st.st_size - len);

			if (n <= 0 && !(n < 0 && errno == EINTR))
				break;
			len += n > 0 ? (size_t)n : 0;
		}
	}
	(void)close(fd);
	*ret_len = len;
	return data;
}

static void put_32(uint8_t *p, size_t value)
{
	int i;

	for (i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static int get_16(const uint8_t *p)
{
	return (int16_t)(uint16_t)(p[0] | p[1] << 8);
}

/* Two channels become one, in place. */
static size_t to_mono(uint8_t *wav, size_t len)
{
	size_t moments = (len - WAV_HEADER) / 4, i;

	for (i = 0; i < moments; i++) {
		const uint8_t *pair = wav + WAV_HEADER + 4 * i;
		int both = (get_16(pair) + get_16(pair + 2)) / 2;

		wav[WAV_HEADER + 2 * i] = (uint8_t)both;
		wav[WAV_HEADER + 2 * i + 1] = (uint8_t)((unsigned)both >> 8);
	}
	wav[22] = 1;
	wav[32] = 2;
	put_32(wav + 28, 16000);
	put_32(wav + 40, 2 * moments);
	put_32(wav + 4, WAV_HEADER - 8 + 2 * moments);
	return WAV_HEADER + 2 * moments;
}

static void send_part(struct rest *rest, const uint8_t *wav, size_t len)
{
	char content_range[64];
	struct http_header headers[] = {
		{"Accept-Ranges", "bytes"}, {"Content-Range", content_range}};
	struct http_reply reply = {.status = 206,
		.content_type = "audio/x-wav",
		.headers = headers,
		.header_count = 2};
	size_t first = 0, part = len;

	switch (http_range_parse(rest->request->range, len, &first, &part)) {
	case 0:
		(void)snprintf(content_range, sizeof(content_range), "bytes %zu-%zu/%zu",
			first, first + part - 1, len);
		break;
	case -ERANGE:
		reply.status = 416;
		(void)snprintf(content_range, sizeof(content_range), "bytes */%zu", len);
		part = 0;
		break;
	default:
		reply.status = 200;
		reply.header_count = 1;
		break;
	}
	reply.body = (const char *)wav + first;
	reply.body_len = part;
	rest_send(rest, &reply);
}

void rest_media(struct rest *rest, struct recording *recording, const char *ending)
{
	const char *wanted = form_get(&rest->request->query, "RequestedChannels");
	char path[4096];
	uint8_t *wav;
	size_t len;

	if (strcmp(ending, "") != 0 && strcmp(ending, ".wav") != 0) {
		rest_error(rest, 404, 20404, "The sandbox has WAV only, not %s", ending);
		return;
	}
	if (recording->status != RECORDING_COMPLETED) {
		rest_not_found(rest);
		return;
	}
	if (wanted != NULL && strcmp(wanted, "2") == 0 && recording->how.channels == 1) {
		rest_error(rest, 400, 16113,
			"A dual-channel presentation of a mono recording cannot be "
			"downloaded");
		return;
	}
	recording_path(recording, path, sizeof(path));
	wav = read_file(path, &len);
	if (wav == NULL || len < WAV_HEADER) {
		rest_not_found(rest);
		free(wav);
		return;
	}
	if (wanted != NULL && strcmp(wanted, "1") == 0 && recording->how.channels == 2)
		len = to_mono(wav, len);
	send_part(rest, wav, len);
	free(wav);
}
