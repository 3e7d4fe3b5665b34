/* packet.c: reads RTP and RTCP headers, writes PCMU silence. See packet.h. */
#include "config.h"
#include "rtp/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define RTP_HEAD 12
#define RTCP_HEAD 8 /* shorter ones carry no SSRC */
#define PCMU_SILENCE 0xff

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

static int is_rtcp_type(uint8_t type)
{
	return type >= 192 && type <= 223;
}

int rtp_packet_read(const uint8_t *data, size_t len, struct rtp_head *ret_head)
{
	size_t head = RTP_HEAD;

	if (len < RTP_HEAD || data[0] >> 6 != 2 || is_rtcp_type(data[1]))
		return -EBADMSG;
	head += 4 * (size_t)(data[0] & 0x0f);
	if (data[0] & 0x10) {
		if (len < head + 4)
			return -EBADMSG;
		head += 4 + 4 * (size_t)get16(data + head + 2);
	}
	if (len < head)
		return -EBADMSG;
	if ((data[0] & 0x20) && (data[len - 1] == 0 || data[len - 1] > len - head))
		return -EBADMSG;
	ret_head->seq = get16(data + 2);
	ret_head->ssrc = get32(data + 8);
	return 0;
}

int rtcp_packet_read(const uint8_t *data, size_t len, uint32_t *ret_ssrc)
{
	size_t at = 0;

	if (len < RTCP_HEAD)
		return -EBADMSG;
	while (at < len) {
		size_t size;

		if (len - at < 4 || data[at] >> 6 != 2 || !is_rtcp_type(data[at + 1]))
			return -EBADMSG;
		size = 4 * ((size_t)get16(data + at + 2) + 1);
		if (size > len - at || (at == 0 && size < RTCP_HEAD))
			return -EBADMSG;
		at += size;
	}
	*ret_ssrc = get32(data + 4);
	return 0;
}

void rtp_silence_init(struct rtp_silence *silence)
{
	memset(silence, 0, sizeof(*silence));
	/* Bad dice would only make the stream easier to guess, not wrong. */
	(void)!getrandom(silence, sizeof(*silence), GRND_NONBLOCK);
	silence->flowing = 0;
}

void rtp_silence_write(struct rtp_silence *silence, uint8_t ret_packet[RTP_SILENCE_SIZE])
{
	ret_packet[0] = 0x80;
	ret_packet[1] = silence->flowing ? 0 : 0x80;
	put16(ret_packet + 2, silence->seq);
	put32(ret_packet + 4, silence->timestamp);
	put32(ret_packet + 8, silence->ssrc);
	memset(ret_packet + RTP_HEAD, PCMU_SILENCE, RTP_SILENCE_SAMPLES);
	silence->flowing = 1;
	silence->seq++;
	silence->timestamp += RTP_SILENCE_SAMPLES;
}

void rtp_silence_pause(struct rtp_silence *silence)
{
	silence->flowing = 0;
	silence->timestamp += RTP_SILENCE_SAMPLES;
}
