/* twiml.c: TwiML by libxml2, without entities, network or DTDs, held against the schema. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/buf.h"
#include "base/text.h"
#include "sandbox/callback.h"
#include "sandbox/memory.h"
#include "sandbox/twiml.h"

#define WARNINGS_MAX 100

static const struct callback_word event_words[] = {
	{"start", CONFERENCE_EVENT_START},
	{"end", CONFERENCE_EVENT_END},
	{"join", CONFERENCE_EVENT_JOIN},
	{"leave", CONFERENCE_EVENT_LEAVE},
	{"mute", CONFERENCE_EVENT_MUTE},
	{"hold", CONFERENCE_EVENT_HOLD},
	{"modify", CONFERENCE_EVENT_MODIFY},
	{"speaker", CONFERENCE_EVENT_SPEAKER},
	{"announcement", CONFERENCE_EVENT_ANNOUNCEMENT},
};

unsigned conference_events_parse(const char *words)
{
	return callback_events(
		words, event_words, sizeof(event_words) / sizeof(event_words[0]));
}

__attribute__((format(printf, 2, 3))) static void warn(
	struct twiml *twiml, const char *fmt, ...)
{
	size_t size = (twiml->warning_count + 1) * sizeof(*twiml->warnings);
	char text[256], **grown;
	va_list ap;

	if (twiml->warning_count == WARNINGS_MAX)
		return;
	grown = realloc(twiml->warnings, size);
	if (grown == NULL)
		return; /* a warning less */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	twiml->warnings = grown;
	grown[twiml->warning_count++] = memory_text(text);
}

/* The text directly inside, without blanks at both ends; the caller's. */
static char *content(const xmlNode *node)
{
	struct buf all = {0};
	const xmlNode *child;
	char *text, *start;
	size_t len;

	for (child = node->children; child != NULL; child = child->next)
		if ((child->type == XML_TEXT_NODE ||
			    child->type == XML_CDATA_SECTION_NODE) &&
			child->content != NULL)
			buf_add_str(&all, (const char *)child->content);
	text = buf_take(&all);
	if (text == NULL)
		return memory_text("");
	start = text + strspn(text, " \t\r\n");
	for (len = strlen(start); len > 0 && strchr(" \t\r\n", start[len - 1]); len--)
		start[len - 1] = '\0';
	memmove(text, start, len + 1);
	return text;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	if (len == 0) /* found at every place, even behind the last */
		return false;
	for (at = strstr(words, word); at != NULL; at = strstr(at + 1, word))
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static bool value_fits(const struct twiml_attribute *attribute, const char *value)
{
	int64_t number;

	switch (attribute->type) {
	case TWIML_TEXT:
		return true;
	case TWIML_FLAG:
		return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
	case TWIML_RANGE:
		return text_int(value, attribute->low, attribute->high, &number) == 0;
	case TWIML_METHOD:
		return strcmp(value, "GET") == 0 || strcmp(value, "POST") == 0;
	case TWIML_WORD:
		return has_word(attribute->words, value);
	case TWIML_KEYS:
		break;
	}
	return strspn(value, attribute->words) == strlen(value);
}

static size_t attribute_index(const struct twiml_element *element, const char *name)
{
	size_t i;

	for (i = 0; element->attributes[i].name != NULL; i++)
		if (strcmp(element->attributes[i].name, name) == 0)
			break;
	return i;
}

static size_t attribute_count(const struct twiml_element *element)
{
	return element->attributes != NULL ? attribute_index(element, "") : 0;
}

static void read_attribute(
	struct twiml *twiml, struct twiml_node *node, const xmlAttr *attr)
{
	const struct twiml_element *element = node->element;
	const char *name = (const char *)attr->name;
	size_t i = attribute_index(element, name);
	const struct twiml_attribute *attribute = &element->attributes[i];
	xmlChar *value;

	if (attribute->name == NULL) {
		warn(twiml, "%d %s: it has no attribute %.60s", TWIML_WARNING_SCHEMA,
			element->name, name);
		return;
	}
	value = xmlNodeListGetString(attr->doc, attr->children, 1);
	if (value_fits(attribute, value != NULL ? (const char *)value : ""))
		memory_swap(&node->values[i], value != NULL ? (const char *)value : "");
	else
		warn(twiml, "%d %s: %s=\"%.60s\" is not valid",
			attribute->code != 0 ? attribute->code : TWIML_WARNING_SCHEMA,
			element->name, name, value != NULL ? (const char *)value : "");
	xmlFree(value);
}

static void node_free(struct twiml_node *node)
{
	size_t i;

	while (node->children != NULL) {
		struct twiml_node *child = node->children;

		node->children = child->next;
		node_free(child);
	}
	for (i = 0; i < attribute_count(node->element); i++)
		free(node->values[i]);
	free(node->values);
	free(node->text);
	free(node);
}

/* The schema's element, if it may stand below `parent`; NULL: warned of. */
static const struct twiml_element *place(
	struct twiml *twiml, const char *name, const struct twiml_node *parent)
{
	const struct twiml_element *element = twiml_element_find(name);
	const char *below = parent->element->name;
	int code = parent->element->kind == TWIML_GATHER ? 13320
		   : parent->element->kind == TWIML_DIAL ? 13215
							 : TWIML_WARNING_SCHEMA;

	if (element == NULL)
		warn(twiml, "%d %.60s: there is no such verb or noun", code, name);
	else if (!has_word(element->parents, below))
		warn(twiml, "%d %s: it may not be in %s", code, name, below);
	else if (element->kind == TWIML_FOREIGN)
		warn(twiml, "%d %s: not acted on here", TWIML_WARNING_SCHEMA, name);
	else
		return element;
	return NULL;
}

static struct twiml_node *read_node(
	struct twiml *twiml, const xmlNode *xml, const struct twiml_element *element)
{
	struct twiml_node *node = memory_zero(sizeof(*node)), **end = &node->children;
	const xmlAttr *attr;
	const xmlNode *child;

	node->element = element;
	node->text = content(xml);
	node->values =
		memory_zero((attribute_count(element) + 1) * sizeof(*node->values));
	for (attr = xml->properties; attr != NULL; attr = attr->next)
		read_attribute(twiml, node, attr);
	for (child = xml->children; child != NULL; child = child->next) {
		const struct twiml_element *inner;

		if (child->type != XML_ELEMENT_NODE)
			continue;
		inner = place(twiml, (const char *)child->name, node);
		if (inner == NULL)
			continue;
		*end = read_node(twiml, child, inner);
		(*end)->parent = node;
		end = &(*end)->next;
	}
	return node;
}

int twiml_parse(const char *text, size_t len, struct twiml **ret_twiml)
{
	struct twiml *twiml;
	xmlDoc *doc;
	xmlNode *root;

	if (len > TWIML_MAX)
		return TWIML_ERROR_SIZE;
	doc = xmlReadMemory(text, (int)len, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
	if (root == NULL || strcmp((const char *)root->name, "Response") != 0) {
		xmlFreeDoc(doc);
		return root == NULL ? TWIML_ERROR_PARSE : TWIML_ERROR_ROOT;
	}
	twiml = memory_zero(sizeof(*twiml));
	twiml->root = read_node(twiml, root, twiml_element_find("Response"));
	xmlFreeDoc(doc);
	*ret_twiml = twiml;
	return 0;
}

void twiml_free(struct twiml **twiml)
{
	struct twiml *t = *twiml;
	size_t i;

	if (t == NULL)
		return;
	node_free(t->root);
	for (i = 0; i < t->warning_count; i++)
		free(t->warnings[i]);
	free(t->warnings);
	free(t);
	*twiml = NULL;
}

enum twiml_kind twiml_kind(const struct twiml_node *node)
{
	return node->element->kind;
}

const char *twiml_text(const struct twiml_node *node, const char *name)
{
	size_t i = attribute_index(node->element, name);

	assert(node->element->attributes[i].name != NULL);
	return node->values[i];
}

unsigned twiml_number(const struct twiml_node *node, const char *name, unsigned otherwise)
{
	const char *value = twiml_text(node, name);

	return value != NULL ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

bool twiml_flag(const struct twiml_node *node, const char *name, bool otherwise)
{
	const char *value = twiml_text(node, name);

	return value != NULL ? strcmp(value, "true") == 0 : otherwise;
}

const char *twiml_method(const struct twiml_node *node, const char *name)
{
	const char *value = twiml_text(node, name);

	return value != NULL ? value : "POST";
}

const struct twiml_node *twiml_child(const struct twiml_node *node, enum twiml_kind kind)
{
	const struct twiml_node *child = node->children;

	while (child != NULL && child->element->kind != kind)
		child = child->next;
	return child;
}
