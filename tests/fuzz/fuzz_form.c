/*
 * fuzz_form.c: what strangers post as a form. Nothing crashes, and what was read is the same
 * after it has been written and read again.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/form.h"

#define PAIRS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read_again(const struct form *form)
{
	struct buf b = {0};
	struct form again = {0};
	int err;

	for (size_t i = 0; i < form->count; i++)
		form_add(&b, form->pairs[i].name, form->pairs[i].value);
	assert(!b.failed);
	err = form_parse(b.data == NULL ? "" : b.data, b.len, PAIRS_MAX, &again);
	assert(err == 0 && again.count == form->count);
	for (size_t i = 0; i < form->count; i++) {
		assert(strcmp(again.pairs[i].name, form->pairs[i].name) == 0);
		assert(strcmp(again.pairs[i].value, form->pairs[i].value) == 0);
	}
	form_free(&again);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct form form = {0};

	if (form_parse((const char *)data, size, PAIRS_MAX, &form) == 0) {
		(void)form_get(&form, "CallSid");
		write_and_read_again(&form);
		(void)form_mend(&form);
		assert(!form_mend(&form));
		write_and_read_again(&form);
	}
	form_free(&form);
	return 0;
}
