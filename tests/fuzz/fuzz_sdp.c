/* fuzz_sdp.c: any bytes as SDP: read, answered, and our own answer read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), local[512], answer[2048];
	struct sdp_audio audio;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	(void)sdp_parse(text, &audio);
	if (sdp_write(local, sizeof(local), "192.0.2.1", 4000, 1, 1, SDP_SENDRECV) < 0)
		abort();
	if (sdp_answer(text, local, answer, sizeof(answer)) == 0 &&
		sdp_parse(answer, &audio) < 0)
		abort(); /* we must understand ourselves */
	(void)sdp_reoffer(text, SDP_SENDRECV, answer, sizeof(answer));
	free(text);
	return 0;
}
