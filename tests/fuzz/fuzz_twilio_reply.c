/* fuzz_twilio_reply.c: a byte for what was asked, then Twilio's answer to it. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "twilio/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct twilio_answer *answer)
{
	if (twilio_op_deletes(answer->op))
		return;
	if (!twilio_op_lists(answer->op) && answer->count == 1)
		assert(strlen(answer->sid) == TWILIO_SID_SIZE - 1);
	/* The next page is asked for on the host that we know. */
	if (answer->next_page != NULL)
		assert(answer->next_page[0] == '/' && answer->next_page[1] != '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct twilio_answer answer = {0};
	const char *body = (const char *)data + 1;
	int err;

	if (size == 0)
		return 0;
	answer.op = (enum twilio_op)(data[0] % TWILIO_OPS);
	err = twilio_reply_read(body, size - 1, &answer);
	assert(err == 0 || err == -EBADMSG);
	if (err == 0)
		check_answer(&answer);
	else
		assert(answer.list.rows == NULL && answer.next_page == NULL &&
			answer.count == 0);
	twilio_reply_clear(&answer);
	twilio_reply_read_error(body, size - 1, &answer);
	assert(memchr(answer.message, '\0', sizeof(answer.message)) != NULL);
	return 0;
}
