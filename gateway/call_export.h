/*
 * call_export.h: GET /api/calls/export.csv: the calls that a filter lets through, however many,
 * page by page. What is held in memory is one page and what the reader has not taken yet.
 */
#ifndef OMNIVOX_GATEWAY_CALL_EXPORT_H
#define OMNIVOX_GATEWAY_CALL_EXPORT_H

#include "gateway/api.h"

/* Handler of routes.c. */
void calls_export(struct api_call *call, struct api_reply *reply);

#endif
