/* sdp.c: the little SDP that G.711 audio needs. Strict about structure, mild about extras. */
#include "sip/sdp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define LINE_SIZE 512 /* longer lines cannot be about our audio, and are passed over */
#define STREAMS_MAX 16

static const char *const direction_words[] = {
	[SDP_SENDRECV] = "sendrecv",
	[SDP_SENDONLY] = "sendonly",
	[SDP_RECVONLY] = "recvonly",
	[SDP_INACTIVE] = "inactive",
};

/* --- lines --- */

/* Copies the next line without its end. False at the end of the text. */
static bool next_line(const char **text, char line[LINE_SIZE])
{
	size_t len = strcspn(*text, "\r\n"), copy;

	if (**text == '\0')
		return false;
	copy = len < LINE_SIZE ? len : 0;
	memcpy(line, *text, copy);
	line[copy] = '\0';
	*text += len;
	if (**text == '\r')
		(*text)++;
	if (**text == '\n')
		(*text)++;
	return true;
}

/* Cuts the next word off; NULL when there is none. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	size_t len = strcspn(word, " \t");

	if (len == 0)
		return NULL;
	*rest = word + len;
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return word;
}

/* "IN IP4 192.0.2.1", also with the "/ttl" of multicast, which is refused. */
static int read_address(char *value, struct addr *ret_addr)
{
	char *net = next_word(&value), *type = next_word(&value),
	     *host = next_word(&value);

	if (net == NULL || type == NULL || host == NULL || strcmp(net, "IN") != 0)
		return -EINVAL;
	if (strcmp(type, "IP4") != 0 && strcmp(type, "IP6") != 0)
		return -EINVAL;
	return addr_from_host(host, 0, ret_addr);
}

/* --- media --- */

struct media {
	char kind[16], proto[32];
	char formats[LINE_SIZE];
	uint16_t port;
};

static int read_media(char *value, struct media *ret_media)
{
	char *kind = next_word(&value), *port = next_word(&value);
	char *proto = next_word(&value), *slash;
	int64_t number;

	if (kind == NULL || port == NULL || proto == NULL)
		return -EINVAL;
	slash = strchr(port, '/'); /* "port/count" */
	if (slash != NULL)
		*slash = '\0';
	if (text_int(port, 0, 65535, &number) < 0)
		return -EINVAL;
	value += strspn(value, " \t");
	if (*value == '\0' ||
		text_copy(ret_media->kind, sizeof(ret_media->kind), kind) < 0 ||
		text_copy(ret_media->proto, sizeof(ret_media->proto), proto) < 0)
		return -EINVAL;
	(void)text_copy(ret_media->formats, sizeof(ret_media->formats), value);
	ret_media->port = (uint16_t)number;
	return 0;
}

/* Audio that we can carry: RTP without encryption. */
static bool is_usable(const struct media *media)
{
	return strcmp(media->kind, "audio") == 0 &&
	       (strcmp(media->proto, "RTP/AVP") == 0 ||
		       strcmp(media->proto, "RTP/AVPF") == 0);
}

static void read_formats(char *formats, struct sdp_audio *audio)
{
	char *word;
	int64_t type;

	while ((word = next_word(&formats)) != NULL) {
		if (text_int(word, 0, 127, &type) < 0)
			continue;
		if (type == 0)
			audio->pcmu = true;
		if (type == 8)
			audio->pcma = true;
	}
}

/* --- attributes --- */

static bool read_direction(const char *attribute, enum sdp_direction *ret_direction)
{
	unsigned i;

	for (i = 0; i < sizeof(direction_words) / sizeof(direction_words[0]); i++)
		if (strcmp(attribute, direction_words[i]) == 0) {
			*ret_direction = (enum sdp_direction)i;
			return true;
		}
	return false;
}

/* "rtpmap:101 telephone-event/8000" */
static void read_rtpmap(char *value, struct sdp_audio *audio)
{
	char *type_word = next_word(&value), *encoding = next_word(&value);
	int64_t type;

	if (type_word == NULL || encoding == NULL ||
		text_int(type_word, 0, 127, &type) < 0)
		return;
	if (strncasecmp(encoding, "telephone-event/8000", 20) == 0 &&
		(encoding[20] == '\0' || encoding[20] == '/') &&
		audio->telephone_event < 0)
		audio->telephone_event = (int)type;
}

/* "rtcp:5005 [IN IP4 host]" (RFC 3605) */
static void read_rtcp(char *value, struct addr *rtcp, uint16_t *ret_port)
{
	char *word = next_word(&value);
	int64_t port;

	if (word == NULL || text_int(word, 1, 65535, &port) < 0)
		return;
	*ret_port = (uint16_t)port;
	if (*value != '\0')
		(void)read_address(value, rtcp);
}

/* --- parsing --- */

/* What has been read; session lines hold until the audio's own replace them. */
struct reader {
	struct sdp_audio audio;
	struct addr host, rtcp_host; /* len 0: none seen */
	uint16_t port, rtcp_port;
	enum { IN_SESSION, IN_AUDIO, IN_OTHER } part;
	bool found;
};

static int take_media(struct reader *r, char *value)
{
	struct media media;
	int rc = read_media(value, &media);

	if (rc < 0)
		return rc;
	if (r->found || !is_usable(&media)) {
		r->part = IN_OTHER;
		return 0;
	}
	r->part = IN_AUDIO;
	r->found = true;
	r->port = media.port;
	read_formats(media.formats, &r->audio);
	return 0;
}

static void take_attribute(struct reader *r, char *value)
{
	if (read_direction(value, &r->audio.direction) || r->part != IN_AUDIO)
		return;
	if (strncmp(value, "rtpmap:", 7) == 0)
		read_rtpmap(value + 7, &r->audio);
	else if (strncmp(value, "rtcp:", 5) == 0)
		read_rtcp(value + 5, &r->rtcp_host, &r->rtcp_port);
}

static int take_line(struct reader *r, char *line)
{
	if (line[0] == '\0')
		return 0; /* blank or far too long */
	if (line[0] < 'a' || line[0] > 'z' || line[1] != '=')
		return -EINVAL;
	if (line[0] == 'm')
		return take_media(r, line + 2);
	if (r->part == IN_OTHER)
		return 0;
	if (line[0] == 'c')
		return read_address(line + 2, &r->host);
	if (line[0] == 'a')
		take_attribute(r, line + 2);
	return 0;
}

static bool is_any(const struct addr *addr)
{
	char host[ADDR_TEXT_SIZE];

	(void)addr_host(addr, host);
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static int finish(struct reader *r, struct sdp_audio *ret_audio)
{
	if (!r->found)
		return -ENOENT;
	if (r->host.len == 0)
		return -EINVAL;
	r->audio.remote = r->host;
	addr_set_port(&r->audio.remote, r->port);
	r->audio.remote_rtcp = r->rtcp_host.len > 0 ? r->rtcp_host : r->host;
	if (r->rtcp_port == 0 && r->port != 0 && r->port < 65535)
		r->rtcp_port = (uint16_t)(r->port + 1);
	addr_set_port(&r->audio.remote_rtcp, r->rtcp_port);
	/* hold as RFC 2543 had it: nothing may be sent there */
	if (is_any(&r->host) && r->audio.direction == SDP_SENDRECV)
		r->audio.direction = SDP_SENDONLY;
	*ret_audio = r->audio;
	return 0;
}

int sdp_parse(const char *text, struct sdp_audio *ret_audio)
{
	struct reader reader = {.audio.telephone_event = -1};
	char line[LINE_SIZE];
	int rc;

	if (!next_line(&text, line) || strcmp(line, "v=0") != 0)
		return -EINVAL;
	while (next_line(&text, line)) {
		rc = take_line(&reader, line);
		if (rc < 0)
			return rc;
	}
	return finish(&reader, ret_audio);
}

/* --- writing --- */

struct writer {
	char *buf;
	size_t size, len;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void put(
	struct writer *w, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (w->full)
		return;
	va_start(ap, fmt);
	len = vsnprintf(w->buf + w->len, w->size - w->len, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= w->size - w->len)
		w->full = true;
	else
		w->len += (size_t)len;
}

static void put_session(
	struct writer *w, const char *host, uint64_t session, uint64_t version)
{
	const char *type = strchr(host, ':') != NULL ? "IP6" : "IP4";

	put(w,
		"v=0\r\no=- %" PRIu64 " %" PRIu64
		" IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		session, version, type, host, type, host);
}

/* One PCMU stream; `event` < 0: no telephone-event. */
static void put_audio(struct writer *w, const char *proto, uint16_t port, int event,
	enum sdp_direction direction)
{
	put(w, "m=audio %u %s 0", (unsigned)port, proto);
	if (event >= 0)
		put(w, " %d", event);
	put(w, "\r\na=rtpmap:0 PCMU/8000\r\n");
	if (event >= 0)
		put(w, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-16\r\n", event,
			event);
	put(w, "a=ptime:20\r\na=%s\r\n", direction_words[direction]);
}

int sdp_write(char *buf, size_t size, const char *host, uint16_t port, uint64_t session,
	unsigned version, enum sdp_direction direction)
{
	struct writer w = {.buf = buf, .size = size};

	put_session(&w, host, session, version);
	put_audio(&w, "RTP/AVP", port, 101, direction);
	return w.full ? -EMSGSIZE : 0;
}

/* Session and version of "o=user session version ..."; 1 and 1 when there is nothing to read. */
static void read_origin(const char *text, uint64_t *ret_session, uint64_t *ret_version)
{
	char line[LINE_SIZE], *rest, *session, *version;
	int64_t number;

	*ret_session = *ret_version = 1;
	while (next_line(&text, line)) {
		if (strncmp(line, "o=", 2) != 0)
			continue;
		rest = line + 2;
		(void)next_word(&rest);
		session = next_word(&rest);
		version = next_word(&rest);
		if (session != NULL && text_int(session, 0, INT64_MAX, &number) == 0)
			*ret_session = (uint64_t)number;
		if (version != NULL && text_int(version, 0, INT64_MAX, &number) == 0)
			*ret_version = (uint64_t)number;
		return;
	}
}

/* RFC 3264 6.1: what they only send, we only receive. */
static enum sdp_direction mirror(enum sdp_direction offered)
{
	if (offered == SDP_SENDONLY)
		return SDP_RECVONLY;
	return offered == SDP_RECVONLY ? SDP_SENDONLY : offered;
}

/* Begins a text with our address of `local` and the next version. -EINVAL: no audio in it. */
static int begin_next(struct writer *w, const char *local, struct sdp_audio *ret_ours)
{
	char host[ADDR_TEXT_SIZE];
	uint64_t session, version;
	int rc = sdp_parse(local, ret_ours);

	if (rc < 0)
		return -EINVAL;
	read_origin(local, &session, &version);
	put_session(w, addr_host(&ret_ours->remote, host), session, version + 1);
	return 0;
}

int sdp_reoffer(const char *local, enum sdp_direction direction, char *buf, size_t size)
{
	struct writer w = {.buf = buf, .size = size};
	struct sdp_audio ours;
	int rc = begin_next(&w, local, &ours);

	if (rc < 0)
		return rc;
	put_audio(&w, "RTP/AVP", addr_port(&ours.remote), 101, direction);
	return w.full ? -EMSGSIZE : 0;
}

/* Every m= line of the offer gets one, in order (RFC 3264 6): ours, or refused by port 0. */
static int put_answers(struct writer *w, const char *offer,
	const struct sdp_audio *theirs, const struct sdp_audio *ours)
{
	char line[LINE_SIZE];
	struct media media;
	bool answered = false;
	unsigned streams = 0;

	while (next_line(&offer, line)) {
		if (strncmp(line, "m=", 2) != 0)
			continue;
		if (++streams > STREAMS_MAX || read_media(line + 2, &media) < 0)
			return -EINVAL;
		if (!answered && is_usable(&media)) {
			answered = true;
			put_audio(w, media.proto, addr_port(&ours->remote),
				theirs->telephone_event, mirror(theirs->direction));
		} else {
			put(w, "m=%s 0 %s %s\r\n", media.kind, media.proto,
				media.formats);
		}
	}
	return 0;
}

int sdp_answer(const char *offer, const char *local, char *buf, size_t size)
{
	struct writer w = {.buf = buf, .size = size};
	struct sdp_audio theirs, ours;
	int rc;

	rc = sdp_parse(offer, &theirs);
	if (rc == -ENOENT)
		return -ENOTSUP;
	if (rc < 0)
		return rc;
	rc = begin_next(&w, local, &ours);
	if (rc < 0)
		return rc;
	/* the relay carries packets as they are, and Twilio's are PCMU */
	if (addr_port(&theirs.remote) == 0 || !theirs.pcmu)
		return -ENOTSUP;
	rc = put_answers(&w, offer, &theirs, &ours);
	if (rc < 0)
		return rc;
	return w.full ? -EMSGSIZE : 0;
}
