/* docs_pages.h: the contract as the program shows it. Made at build time by script/openapi. */
#ifndef OMNIVOX_GATEWAY_DOCS_PAGES_H
#define OMNIVOX_GATEWAY_DOCS_PAGES_H

#include <stddef.h>

struct docs_page {
	const char *type;
	const char *text;
	size_t len;
};

enum { DOCS_HTML, DOCS_CSS, DOCS_YAML, DOCS_JSON, DOCS_COUNT };

extern const struct docs_page docs_pages[DOCS_COUNT];

#endif
