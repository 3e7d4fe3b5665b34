/*
 * fuzz_register.c: any bytes as a SIP message, read by sofia-sip and, when that calls it a
 * REGISTER, by us: what is bound fits its fields and is no lie about times.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sip/binding.h"
#include "sip/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_register(const sip_t *sip)
{
	static struct sip_edge edge = {
		.config = {.expires_min_s = 60, .expires_max_s = 3600},
		.host = (char *)"gateway.example",
	};
	struct sip_binding binding = {0};
	struct digest digest;
	int status;

	if (edge.addr.len == 0)
		assert(addr_parse("192.0.2.1:5060", &edge.addr) == 0);
	for (const sip_authorization_t *au = sip->sip_authorization; au != NULL;
		au = au->au_next)
		if (au->au_params != NULL)
			(void)digest_parse((const char *const *)au->au_params, &digest);
	status = binding_read(&edge, sip, &binding);
	assert(status == 0 || status == 400 || status == 403 || status == 423);
	if (status != 0)
		return;
	assert(binding.expires_s == 0 ||
		(binding.expires_s >= 60 && binding.expires_s <= 3600));
	assert(memchr(binding.contact, '\0', sizeof(binding.contact)) != NULL);
	assert(memchr(binding.call_id, '\0', sizeof(binding.call_id)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	msg_t *msg = msg_make(sip_default_mclass(), 0, data, (ssize_t)size);
	const sip_t *sip = msg != NULL ? sip_object(msg) : NULL;

	/* What the stack itself refuses before it calls us. */
	if (sip != NULL && sip->sip_request != NULL && sip->sip_error == NULL &&
		sip->sip_call_id != NULL && sip->sip_cseq != NULL &&
		sip->sip_to != NULL && sip->sip_from != NULL)
		read_register(sip);
	msg_destroy(msg);
	return 0;
}
