/* fuzz_twiml.c: any bytes as TwiML to the sandbox: a tree with its values, or Twilio's error. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "sandbox/twiml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_values(const struct twiml_node *node)
{
	const struct twiml_attribute *a = node->element->attributes;

	for (; a != NULL && a->name != NULL; a++) {
		const char *text = twiml_text(node, a->name);

		if (a->type == TWIML_RANGE && text != NULL)
			assert(twiml_number(node, a->name, 0) >= a->low &&
				twiml_number(node, a->name, 0) <= a->high);
		else if (a->type == TWIML_FLAG)
			(void)twiml_flag(node, a->name, false);
		else if (a->type == TWIML_METHOD)
			(void)twiml_method(node, a->name);
		else if (text != NULL)
			(void)conference_events_parse(text);
	}
}

static void walk(const struct twiml_node *node)
{
	for (; node != NULL; node = node->next) {
		assert(node->element != NULL && twiml_kind(node) <= TWIML_FOREIGN);
		read_values(node);
		for (const struct twiml_node *c = node->children; c != NULL; c = c->next)
			assert(c->parent == node);
		walk(node->children);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct twiml *twiml = NULL;
	int error = twiml_parse((const char *)data, size, &twiml);

	assert((error == 0) == (twiml != NULL));
	if (twiml != NULL) {
		assert(twiml_kind(twiml->root) == TWIML_RESPONSE);
		walk(twiml->root);
		for (size_t i = 0; i < twiml->warning_count; i++)
			assert(strlen(twiml->warnings[i]) > 5);
	}
	twiml_free(&twiml);
	return 0;
}
