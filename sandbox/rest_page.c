/* rest_page.c: lists in pages, as Twilio cuts them. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "sandbox/rest.h"

#define PAGE_SIZE 50
#define PAGE_SIZE_MAX 1000

int rest_page_begin(struct rest *rest, struct rest_page *page)
{
	const struct form *query = &rest->request->query;
	const char *size = form_get(query, "PageSize");
	const char *number = form_get(query, "Page");
	const char *token = form_get(query, "PageToken");

	memset(page, 0, sizeof(*page));
	page->size = PAGE_SIZE;
	if ((size != NULL && text_int(size, 1, PAGE_SIZE_MAX, &page->size) < 0) ||
		(number != NULL && text_int(number, 0, INT32_MAX, &page->number) < 0)) {
		rest_error(rest, 400, 20007, "Page size must be between 1 and %d",
			PAGE_SIZE_MAX);
		return -EINVAL;
	}
	/* A token is "PA" and the SID that the last page ended with. */
	if (token != NULL && (strncmp(token, "PA", 2) != 0 ||
				     text_copy(page->after, SID_SIZE, token + 2) < 0)) {
		rest_error(rest, 400, 20423, "Invalid PageToken");
		return -EINVAL;
	}
	page->found = *page->after == '\0';
	page->skip = token == NULL ? page->number * page->size : 0;
	page->items = json_array();
	return 0;
}

bool rest_page_wants(struct rest_page *page, const char *sid)
{
	if (!page->found) {
		page->found = strcmp(page->after, sid) == 0;
		return false;
	}
	if (page->skip > 0) {
		page->skip--;
		return false;
	}
	if ((int64_t)json_array_size(page->items) < page->size)
		return true;
	page->more = true;
	return false;
}

void rest_page_add(struct rest_page *page, const char *sid, json_t *item)
{
	(void)json_array_append_new(page->items, item);
	(void)text_copy(page->last, SID_SIZE, sid);
}

/* The request's own address with other paging parameters. */
static json_t *page_uri(const struct rest *rest, const struct rest_page *page,
	int64_t number, const char *after)
{
	const struct form *query = &rest->request->query;
	struct buf uri = {0}, parameters = {0};
	json_t *text;
	size_t i;

	for (i = 0; i < query->count; i++)
		if (strncmp(query->pairs[i].name, "Page", 4) != 0)
			form_add(
				&parameters, query->pairs[i].name, query->pairs[i].value);
	form_add_int(&parameters, "PageSize", page->size);
	form_add_int(&parameters, "Page", number);
	if (after != NULL)
		buf_printf(&parameters, "&PageToken=PA%s", after);
	buf_printf(&uri, "%s?%s", rest->request->path, parameters.data);
	text = json_string(uri.data);
	buf_free(&uri);
	buf_free(&parameters);
	return text;
}

void rest_page_reply(struct rest *rest, struct rest_page *page, const char *name)
{
	int64_t count = (int64_t)json_array_size(page->items);
	int64_t start = page->number * page->size;
	int64_t end = start + (count > 0 ? count - 1 : 0);

	rest_reply(rest, 200,
		json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "page",
			(json_int_t)page->number, "page_size", (json_int_t)page->size,
			"start", (json_int_t)start, "end", (json_int_t)end, "uri",
			page_uri(rest, page, page->number,
				*page->after != '\0' ? page->after : NULL),
			"first_page_uri", page_uri(rest, page, 0, NULL), "next_page_uri",
			page->more ? page_uri(rest, page, page->number + 1, page->last)
				   : json_null(),
			"previous_page_uri",
			page->number > 0 ? page_uri(rest, page, page->number - 1, NULL)
					 : json_null(),
			name, page->items));
}
