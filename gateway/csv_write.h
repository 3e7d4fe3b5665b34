/*
 * csv_write.h: rows of a CSV file (RFC 4180) that a spreadsheet can open without running what is
 * in it. Pure; `buf.failed` tells of lost memory.
 */
#ifndef OMNIVOX_GATEWAY_CSV_WRITE_H
#define OMNIVOX_GATEWAY_CSV_WRITE_H

#include "base/buf.h"

/*
 * One cell, with a comma before it unless it begins its row. Quoted when it has to be. A text that
 * a spreadsheet would take for a formula (=, +, -, @, tab, carriage return in front) gets a ' in
 * front; telephone numbers are none and stay as they are.
 * Source: owasp.org/www-community/attacks/CSV_Injection.
 */
void csv_cell(struct buf *out, const char *text);

/* CRLF: the next cell begins a row. */
void csv_end_row(struct buf *out);

#endif
