/* fuzz_digest.c: any lines as digest parameters: read, verified and answered. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sip/digest.h"

#define PARAMS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *item, *rest = NULL, answer[1536];
	const char *params[PARAMS + 1] = {NULL};
	struct digest digest;
	unsigned n = 0;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (item = strtok_r(text, "\n", &rest); item != NULL && n < PARAMS;
		item = strtok_r(NULL, "\n", &rest))
		params[n++] = item;
	if (digest_parse(params, &digest) == 0) {
		if (digest_verify(
			    &digest, "REGISTER", "0123456789abcdef0123456789abcdef"))
			abort(); /* nobody guesses that */
		(void)digest_answer(
			&digest, "INVITE", "sip:a@b", "u", "p", answer, sizeof(answer));
	}
	free(text);
	return 0;
}
