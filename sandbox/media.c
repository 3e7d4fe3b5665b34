/* media.c: libre's SDP and RTP around G.711 and a mixer port. */
#include "config.h"

#include "sandbox/media.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/g711.h"
#include "sandbox/playout.h"

/* twilio.com/docs/sip-trunking/ip-addresses: media ports 10000-60000. */
#define RTP_PORT_FIRST 10000
#define RTP_PORT_LAST 60000
#define PT_PCMU 0
#define PT_PCMA 8
/* A packet this far behind is not late but from a peer that began again. */
#define SEQ_LATE 100
#define PT_EVENT 101
#define KEYS_MAX 32 /* unread; more are lost */

struct media {
	struct mixer_port port;
	struct rtp_sock *rtp;
	struct sdp_session *sdp;
	struct sdp_media *audio;
	struct mbuf *packet; /* the one being sent */
	struct playout heard;
	uint32_t send_ts;
	uint32_t ssrc; /* the peer's */
	uint16_t seq;  /* the last one played */
	/* As last agreed; a re-INVITE that was refused changes nothing. */
	struct sa peer;
	uint8_t pt;
	bool peer_listens;
	bool started;
	bool marked; /* the first packet was sent */
	int64_t last_rtp_ms;
	char keys[KEYS_MAX];
	size_t key_count;
	uint32_t key_ts; /* of the last one: each comes in many packets */
	bool key_seen;
};

/* RFC 3550 section 5.1: same source and not ahead of the last: late or doubled. */
static bool packet_is_late(const struct media *media, const struct rtp_header *rtp)
{
	int ahead = (int16_t)(rtp->seq - media->seq);

	return rtp->ssrc == media->ssrc && ahead <= 0 && ahead > -SEQ_LATE;
}

/* RFC 4733 section 2.3; a key counts when it is first heard of. */
static void take_event(struct media *media, const struct rtp_header *rtp, struct mbuf *mb)
{
	static const char keys[] = "0123456789*#ABCD";
	uint8_t event;

	if (mbuf_get_left(mb) < 4 || (media->key_seen && rtp->ts == media->key_ts))
		return;
	media->key_seen = true;
	media->key_ts = rtp->ts;
	event = mbuf_read_u8(mb);
	if (event < sizeof(keys) - 1 && media->key_count < KEYS_MAX)
		media->keys[media->key_count++] = keys[event];
}

char media_take_key(struct media *media)
{
	char key = media->keys[0];

	if (media->key_count == 0)
		return 0;
	memmove(media->keys, media->keys + 1, --media->key_count);
	return key;
}

static void rtp_received(
	const struct sa *from, const struct rtp_header *rtp, struct mbuf *mb, void *arg)
{
	struct media *media = arg;

	(void)from;
	media->last_rtp_ms = clock_mono_ms();
	if (rtp->pt == PT_EVENT)
		take_event(media, rtp, mb);
	if ((rtp->pt != PT_PCMU && rtp->pt != PT_PCMA) || packet_is_late(media, rtp))
		return;
	media->ssrc = rtp->ssrc;
	media->seq = rtp->seq;
	while (mbuf_get_left(mb) > 0) {
		uint8_t byte = mbuf_read_u8(mb);

		playout_put(&media->heard, rtp->pt == PT_PCMU ? g711_to_linear_mu(byte)
							      : g711_to_linear_a(byte));
	}
}

static void port_read(struct mixer_port *port, int16_t frame[SOUND_FRAME])
{
	struct media *media = list_entry(port, struct media, port);

	playout_take(&media->heard, frame);
}

static void port_write(struct mixer_port *port, const int16_t frame[SOUND_FRAME])
{
	struct media *media = list_entry(port, struct media, port);
	uint8_t *payload = media->packet->buf + RTP_HEADER_SIZE;

	media->send_ts += SOUND_FRAME;
	if (!media->started || !media->peer_listens)
		return;
	for (size_t i = 0; i < SOUND_FRAME; i++)
		payload[i] = media->pt == PT_PCMU ? g711_from_linear_mu(frame[i])
						  : g711_from_linear_a(frame[i]);
	media->packet->pos = RTP_HEADER_SIZE;
	media->packet->end = RTP_HEADER_SIZE + SOUND_FRAME;
	/* A peer that is down now may be back soon; the quiet time decides about the call. */
	(void)rtp_send(media->rtp, &media->peer, false, !media->marked, media->pt,
		media->send_ts, media->packet);
	media->marked = true;
}

static int sdp_prepare(struct media *media)
{
	int err;

	err = sdp_session_alloc(&media->sdp, rtp_local(media->rtp));
	if (err == 0)
		err = sdp_media_add(&media->audio, media->sdp, sdp_media_audio,
			sa_port(rtp_local(media->rtp)), sdp_proto_rtpavp);
	if (err == 0)
		err = sdp_format_add(NULL, media->audio, false, "0", "PCMU", SOUND_RATE,
			1, NULL, NULL, NULL, false, NULL);
	if (err == 0)
		err = sdp_format_add(NULL, media->audio, false, "8", "PCMA", SOUND_RATE,
			1, NULL, NULL, NULL, false, NULL);
	if (err == 0)
		err = sdp_format_add(NULL, media->audio, false, "101", "telephone-event",
			SOUND_RATE, 1, NULL, NULL, NULL, false, "0-15");
	if (err == 0)
		err = sdp_media_set_lattr(media->audio, true, sdp_attr_ptime, "20");
	return -err;
}

int media_new(const struct sa *local, struct media **ret_media)
{
	struct media *media = calloc(1, sizeof(*media));
	int err;

	if (media == NULL)
		return -ENOMEM;
	media->port.read = port_read;
	media->port.write = port_write;
	media->packet = mbuf_alloc(RTP_HEADER_SIZE + SOUND_FRAME);
	if (media->packet == NULL) {
		err = -ENOMEM;
		goto out;
	}
	err = -rtp_listen(&media->rtp, IPPROTO_UDP, local, RTP_PORT_FIRST, RTP_PORT_LAST,
		false, rtp_received, NULL, media);
	if (err == 0)
		err = sdp_prepare(media);
	if (err < 0)
		goto out;
	*ret_media = media;
	media = NULL;
out:
	media_free(&media);
	return err;
}

void media_free(struct media **media)
{
	if (*media == NULL)
		return;
	mixer_leave(&(*media)->port);
	mem_deref((*media)->sdp); /* the audio line is part of it */
	mem_deref((*media)->rtp);
	mem_deref((*media)->packet);
	free(*media);
	*media = NULL;
}

static bool peer_speaks(const struct media *media, const char *id)
{
	const struct sdp_format *format =
		sdp_media_format(media->audio, false, id, -1, NULL, -1, -1);

	return format != NULL && format->sup;
}

static int take_sdp(struct media *media, struct mbuf *sdp, bool offer)
{
	uint8_t pt;

	if (sdp_decode(media->sdp, sdp, offer) != 0 || sdp_media_rport(media->audio) == 0)
		return -EINVAL;
	if (peer_speaks(media, "0"))
		pt = PT_PCMU;
	else if (peer_speaks(media, "8"))
		pt = PT_PCMA;
	else
		return -EINVAL;
	media->pt = pt;
	media->peer = *sdp_media_raddr(media->audio);
	media->peer_listens = (sdp_media_dir(media->audio) & SDP_SENDONLY) != 0 &&
			      sa_isset(&media->peer, SA_ALL) && !sa_is_any(&media->peer);
	return 0;
}

int media_take_offer(struct media *media, struct mbuf *sdp)
{
	return take_sdp(media, sdp, true);
}

int media_take_answer(struct media *media, struct mbuf *sdp)
{
	return take_sdp(media, sdp, false);
}

int media_make_answer(struct media *media, struct mbuf **ret_sdp)
{
	return -sdp_encode(ret_sdp, media->sdp, false);
}

int media_make_offer(struct media *media, struct mbuf **ret_sdp)
{
	return -sdp_encode(ret_sdp, media->sdp, true);
}

void media_start(struct media *media)
{
	media->started = true;
	media->last_rtp_ms = clock_mono_ms();
}

void media_tick(struct media *media)
{
	static const int16_t silence[SOUND_FRAME];
	int16_t unheard[SOUND_FRAME];

	if (!media->started || media->port.room != NULL)
		return;
	playout_take(&media->heard, unheard);
	port_write(&media->port, silence);
}

int64_t media_quiet_ms(const struct media *media)
{
	return media->started ? clock_mono_ms() - media->last_rtp_ms : 0;
}

struct mixer_port *media_port(struct media *media)
{
	return &media->port;
}
