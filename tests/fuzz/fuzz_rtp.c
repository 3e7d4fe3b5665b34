/*
 * fuzz_rtp.c: packets, each a byte of its length and a byte of its source in front, at a side
 * that learns. Sound is never sent to where neither SDP nor a run of packets came from.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/latch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void source_of(uint8_t byte, struct addr *ret_addr)
{
	static const char *const hosts[] = {
		"192.0.2.1", "192.0.2.77", "198.51.100.9", "10.0.0.2", "[2001:db8::1]"};
	char text[ADDR_TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%s:%u", hosts[byte % 5], 4000U + byte / 5);
	assert(addr_parse(text, ret_addr) == 0);
}

static void judge(struct latch *latch, const uint8_t *packet, size_t len,
	const struct addr *source, int64_t now_ms)
{
	struct rtp_head head;
	struct addr before = latch->remote;
	enum latch_verdict verdict;

	if (rtp_packet_read(packet, len, &head) != 0)
		return;
	verdict = latch_judge(latch, source, &head, now_ms);
	if (verdict == LATCH_SETTLED)
		assert(addr_equal(&latch->remote, source) && latch->rank < LATCH_FOREIGN);
	else
		assert(latch->remote.len == before.len &&
			(before.len == 0 || addr_equal(&latch->remote, &before)));
	if (verdict == LATCH_ACCEPT && latch->settled)
		assert(addr_equal(&latch->remote, source));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct latch latch = {0};
	struct addr source;
	int64_t now_ms = 1000;

	if (size < 2)
		return 0;
	source_of(data[0], &source);
	latch_start(&latch, &source, (data[1] & 1) != 0, now_ms);
	data += 2;
	size -= 2;
	while (size >= 2) {
		size_t len = data[0] < size - 2 ? data[0] : size - 2;
		/* Memory of its own, so that a step beyond the packet is seen. */
		uint8_t *packet = malloc(len + 1);
		uint32_t ssrc;

		if (packet == NULL)
			abort();
		memcpy(packet, data + 2, len);
		source_of(data[1], &source);
		judge(&latch, packet, len, &source, now_ms);
		(void)rtcp_packet_read(packet, len, &ssrc);
		free(packet);
		now_ms += data[1];
		data += 2 + len;
		size -= 2 + len;
	}
	return 0;
}
