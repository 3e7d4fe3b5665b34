/* docs_api.c: the routes that show the contract of the API. See docs_api.h. */
#include "gateway/docs_api.h"

#include "gateway/docs_pages.h"
#include "http/server.h"

static int send_page(struct gateway *gw, struct http_request *request, int which)
{
	const struct docs_page *page = &docs_pages[which];

	http_reply(gw->http, request->id,
		&(struct http_reply){.status = 200,
			.content_type = page->type,
			.body = page->text,
			.body_len = page->len});
	http_request_free(&request);
	return 0;
}

int docs_html(struct gateway *gw, struct http_request *request)
{
	return send_page(gw, request, DOCS_HTML);
}

int docs_css(struct gateway *gw, struct http_request *request)
{
	return send_page(gw, request, DOCS_CSS);
}

int docs_yaml(struct gateway *gw, struct http_request *request)
{
	return send_page(gw, request, DOCS_YAML);
}

int docs_json(struct gateway *gw, struct http_request *request)
{
	return send_page(gw, request, DOCS_JSON);
}
