/* import_check.c: from a row of texts to a contact or a cause. See import_check.h. */
#include "gateway/import_check.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "db/contacts.h"
#include "dialer/numbering.h"
#include "gateway/import_seen.h"
#include "gateway/zones.h"

static const struct {
	const char *name, *message;
} causes[IMPORT_CAUSES] = {
	[IMPORT_TAKEN] = {"", ""},
	[IMPORT_NO_PHONE] = {"no_phone", "The row has no phone number."},
	[IMPORT_BAD_PHONE] = {"bad_phone",
		"The phone field is no phone number, or a local one without its area."},
	[IMPORT_IMPOSSIBLE] = {"impossible_phone",
		"The phone number is too long or too short for its country."},
	[IMPORT_UNASSIGNED] = {"unassigned_phone",
		"The phone number is in a range that its country has given to nobody."},
	[IMPORT_BAD_EMAIL] = {"bad_email", "The email address is none."},
	[IMPORT_BAD_COUNTRY] = {"bad_country",
		"What is in the country's column names none that is known. Write two letters such as DE, "
		"or a code such as 49, or the number with + in front; or map the column to ignore."},
	[IMPORT_BAD_ZONE] = {"bad_time_zone",
		"The time zone is not known. Use a name such as Europe/London."},
	[IMPORT_TOO_LONG] = {"too_long",
		"The row is longer than a contact can be, or does not fit beside what is there."},
	[IMPORT_TOO_WIDE] = {"too_many_fields",
		"The row has more fields than the first row has columns."},
	[IMPORT_NOT_TEXT] = {"not_text",
		"The row has bytes that are no text in the file's encoding."},
	[IMPORT_NOT_OBJECT] = {"not_object",
		"The contact is not an object of texts, numbers and truth values."},
	[IMPORT_DO_NOT_CALL] = {"do_not_call", "The number is on the do-not-call list."},
	[IMPORT_IN_FILE] = {"duplicate_in_file",
		"Another row of the file has the same number."},
	[IMPORT_IN_LIST] = {"duplicate_in_list", "The list has this number already."},
	[IMPORT_IN_OTHER_LIST] = {"duplicate_in_other_list",
		"Another list has this number."},
};

struct import_checker {
	struct import_rules rules;
	const struct import_columns *columns;
	const struct zones *zones;
	struct import_seen seen_numbers;
	unsigned char *causes; /* by row number */
	size_t causes_size;
	int64_t rows, unassigned;
	bool repeated, foreign, wide_chars;
	/* The contact under way. */
	char phone[NUMBER_SIZE];
	char first_name[64], last_name[64], email[128], time_zone[DB_ZONE_SIZE];
	struct buf custom;
	size_t custom_fields;
};

const char *import_cause_name(enum import_cause cause)
{
	return causes[cause].name;
}

const char *import_cause_message(enum import_cause cause)
{
	return causes[cause].message;
}

bool import_cause_is_duplicate(enum import_cause cause)
{
	return cause >= IMPORT_IN_FILE;
}

int import_checker_new(const struct import_rules *rules,
	const struct import_columns *columns, const struct zones *zones,
	struct import_checker **ret_checker)
{
	struct import_checker *checker = calloc(1, sizeof(*checker));

	if (checker == NULL)
		return -ENOMEM;
	checker->rules = *rules;
	checker->columns = columns;
	checker->zones = zones;
	*ret_checker = checker;
	return 0;
}

void import_checker_free(struct import_checker **checker)
{
	if (*checker == NULL)
		return;
	import_seen_free(&(*checker)->seen_numbers);
	free((*checker)->causes);
	buf_free(&(*checker)->custom);
	free(*checker);
	*checker = NULL;
}

/* ---- the notes ---- */

void import_checker_note(
	struct import_checker *checker, int64_t number, enum import_cause cause)
{
	if (number >= 0 && (size_t)number < checker->causes_size)
		checker->causes[number] = (unsigned char)cause;
}

enum import_cause import_checker_cause(
	const struct import_checker *checker, int64_t number)
{
	if (number < 0 || (size_t)number >= checker->causes_size)
		return IMPORT_TAKEN;
	return checker->causes[number];
}

size_t import_checker_rows(const struct import_checker *checker, enum import_cause cause,
	int64_t *ret_count, int64_t *ret_numbers, size_t max)
{
	size_t kept = 0;

	*ret_count = 0;
	for (size_t i = 0; i < checker->causes_size; i++) {
		if (checker->causes[i] != cause)
			continue;
		if (kept < max)
			ret_numbers[kept++] = (int64_t)i;
		(*ret_count)++;
	}
	return kept;
}

int64_t import_checker_seen(const struct import_checker *checker)
{
	return checker->rows;
}

bool import_checker_repeated(const struct import_checker *checker)
{
	return checker->repeated;
}

int64_t import_checker_unassigned(const struct import_checker *checker)
{
	return checker->unassigned;
}

const char *import_checker_encoding(
	const struct import_checker *checker, enum import_encoding found)
{
	if (found != IMPORT_AUTO)
		return import_encoding_name(found);
	if (checker->foreign)
		return checker->wide_chars ? "mixed"
					   : import_encoding_name(IMPORT_CP1252);
	return import_encoding_name(IMPORT_UTF8);
}

/* Room for a row's byte; grows by half. */
static int make_room(struct import_checker *checker, int64_t number)
{
	size_t need = (size_t)number + 1, size = checker->causes_size;
	unsigned char *more;

	if (number > IMPORT_ROWS_MAX)
		return -E2BIG;
	if (need <= size)
		return 0;
	size = size < 1024 ? 1024 : size + size / 2;
	if (size < need)
		size = need;
	more = realloc(checker->causes, size);
	if (more == NULL)
		return -ENOMEM;
	memset(more + checker->causes_size, IMPORT_TAKEN, size - checker->causes_size);
	checker->causes = more;
	checker->causes_size = size;
	return 0;
}

/* ---- fields ---- */

/* Without spaces around it, and without the ="..." that spreadsheets put around texts. */
static struct import_field trimmed(struct import_field field)
{
	while (field.len > 0 && isspace((unsigned char)field.text[0])) {
		field.text++;
		field.len--;
	}
	while (field.len > 0 && isspace((unsigned char)field.text[field.len - 1]))
		field.len--;
	if (field.len >= 3 && field.text[0] == '=' && field.text[1] == '"' &&
		field.text[field.len - 1] == '"') {
		field.text += 2;
		field.len -= 3;
	}
	return field;
}

static struct import_field bare(
	const struct import_columns *columns, struct import_field field)
{
	return trimmed(import_columns_unmarked(columns, field));
}

/* Names that are too long are cut: the number is what counts. Line breaks become spaces. */
static void copy_name(char *dst, size_t size, struct import_field field)
{
	size_t len = field.len < size - 1 ? field.len : size - 1;

	while (len > 0 && len < field.len &&
		((unsigned char)field.text[len] & 0xc0) == 0x80)
		len--;
	memcpy(dst, field.text, len);
	dst[len] = '\0';
	for (char *c = dst; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

/* A whole field or nothing. */
static int copy_whole(char *dst, size_t size, struct import_field field)
{
	if (field.len >= size)
		return -EINVAL;
	memcpy(dst, field.text, field.len);
	dst[field.len] = '\0';
	return 0;
}

/* The last word is the last name. */
static void split_name(struct import_checker *checker, struct import_field full)
{
	struct import_field first = full, last = {.text = ""};

	for (size_t i = full.len; i > 0; i--)
		if (full.text[i - 1] == ' ') {
			last = (struct import_field){full.text + i, full.len - i};
			first.len = i - 1;
			break;
		}
	copy_name(checker->first_name, sizeof(checker->first_name), trimmed(first));
	copy_name(checker->last_name, sizeof(checker->last_name), last);
}

bool email_good(const char *email)
{
	const char *at = strchr(email, '@');
	const char *dot = at == NULL ? NULL : strrchr(at, '.');

	return at != NULL && at != email && at - email <= 64 &&
	       strchr(at + 1, '@') == NULL && dot != NULL && dot > at + 1 &&
	       dot[1] != '\0' && at[1] != '.' &&
	       strcspn(email, " \t\r\n,;<>()[]\\\"") == strlen(email) &&
	       strstr(email, "..") == NULL;
}

static void add_json_text(struct buf *b, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	buf_add_char(b, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\') {
			buf_add_char(b, '\\');
			buf_add_char(b, (char)c);
		} else if (c < 0x20) {
			buf_add_str(b, "\\u00");
			buf_add_char(b, hex[c >> 4]);
			buf_add_char(b, hex[c & 15]);
		} else {
			buf_add_char(b, (char)c);
		}
	}
	buf_add_char(b, '"');
}

static void add_custom(
	struct import_checker *checker, size_t column, struct import_field field)
{
	const char *name = checker->columns->names[column];

	if (field.len == 0)
		return;
	buf_add_char(&checker->custom, checker->custom.len > 1 ? ',' : ' ');
	add_json_text(&checker->custom, name, strlen(name));
	buf_add_char(&checker->custom, ':');
	checker->custom_fields++;
	add_json_text(&checker->custom, field.text, field.len);
}

/* ---- the number ---- */

static enum import_cause check_phone(struct import_checker *checker,
	struct import_field field, const char *country, struct numbering *found)
{
	char typed[64];

	checker->phone[0] = '\0';
	if (field.len == 0)
		return IMPORT_NO_PHONE;
	if (copy_whole(typed, sizeof(typed), field) < 0)
		return IMPORT_BAD_PHONE;
	if (country == NULL && !number_tells_country(typed))
		return IMPORT_BAD_COUNTRY;
	if (number_normalise(typed, country, checker->phone) < 0 ||
		numbering_lookup(checker->phone, found) < 0)
		return IMPORT_BAD_PHONE;
	if (!found->possible)
		return IMPORT_IMPOSSIBLE;
	if (!found->valid && checker->rules.require_valid)
		return IMPORT_UNASSIGNED;
	return IMPORT_TAKEN;
}

/* The digits as a number: 15 fit. */
static uint64_t number_key(const char *phone)
{
	uint64_t key = 0;

	for (phone++; *phone != '\0'; phone++)
		key = key * 10 + (uint64_t)(*phone - '0');
	return key;
}

/* ---- the row ---- */

/* "DE" or "49"; NULL for what names no country. */
static const char *country_named(struct import_field field)
{
	char text[4];

	return copy_whole(text, sizeof(text), field) == 0 ? numbering_country(text)
							  : NULL;
}

static bool says_something(enum import_target target, struct import_field field)
{
	return field.len > 0 &&
	       (target != IMPORT_COUNTRY || country_named(field) != NULL);
}

/* Where a row leaves a field empty, the best named of the other columns that would fit has it. */
static void stand_in(const struct import_columns *columns, const struct import_row *row,
	struct import_field fields[IMPORT_CUSTOM])
{
	int best[IMPORT_CUSTOM];

	for (size_t i = 0; i < IMPORT_CUSTOM; i++)
		best[i] = says_something((enum import_target)i, fields[i]) ? -1 : INT_MAX;
	for (size_t i = 0; i < row->count && i < columns->count; i++) {
		enum import_target target = import_columns_stands_in(columns, i);
		struct import_field field = bare(columns, row->fields[i]);

		if (target == IMPORT_CUSTOM || columns->ranks[i] >= best[target] ||
			!says_something(target, field))
			continue;
		best[target] = columns->ranks[i];
		fields[target] = field;
	}
}

/* Of two values under one name the database keeps the last: the inner one. */
static void add_customs(
	struct import_checker *checker, const struct import_row *row, bool inner)
{
	const struct import_columns *columns = checker->columns;

	for (size_t i = 0; i < row->count && i < columns->count; i++)
		if (columns->targets[i] == IMPORT_CUSTOM && columns->inner[i] == inner)
			add_custom(checker, i, bare(columns, row->fields[i]));
}

/* Fields by target; what is no target of its own goes to the custom fields. */
static void sort_fields(struct import_checker *checker, const struct import_row *row,
	struct import_field fields[IMPORT_CUSTOM])
{
	const struct import_columns *columns = checker->columns;

	buf_reset(&checker->custom);
	checker->custom_fields = 0;
	buf_add_char(&checker->custom, '{');
	add_customs(checker, row, false);
	add_customs(checker, row, true);
	buf_add_char(&checker->custom, '}');
	for (size_t i = 0; i < row->count && i < columns->count; i++)
		if (columns->targets[i] != IMPORT_CUSTOM)
			fields[columns->targets[i]] = bare(columns, row->fields[i]);
	stand_in(columns, row, fields);
}

static enum import_cause check_rest(
	struct import_checker *checker, const struct import_field fields[IMPORT_CUSTOM])
{
	copy_name(checker->first_name, sizeof(checker->first_name),
		fields[IMPORT_FIRST_NAME]);
	copy_name(
		checker->last_name, sizeof(checker->last_name), fields[IMPORT_LAST_NAME]);
	if (checker->first_name[0] == '\0' && checker->last_name[0] == '\0')
		split_name(checker, fields[IMPORT_FULL_NAME]);
	if (copy_whole(checker->email, sizeof(checker->email), fields[IMPORT_EMAIL]) < 0)
		return IMPORT_BAD_EMAIL;
	if (checker->rules.validate_emails && checker->email[0] != '\0' &&
		!email_good(checker->email))
		return IMPORT_BAD_EMAIL;
	if (copy_whole(checker->time_zone, sizeof(checker->time_zone),
		    fields[IMPORT_TIME_ZONE]) < 0 ||
		(checker->time_zone[0] != '\0' &&
			zones_find(checker->zones, checker->time_zone) == NULL))
		return IMPORT_BAD_ZONE;
	/* The database shows each field with two spaces. */
	return checker->custom.len + 2 * checker->custom_fields < DB_CUSTOM_SIZE
		       ? IMPORT_TAKEN
		       : IMPORT_TOO_LONG;
}

static enum import_cause trouble_cause(enum import_trouble trouble)
{
	static const enum import_cause of[] = {
		[IMPORT_ROW_GOOD] = IMPORT_TAKEN,
		[IMPORT_ROW_LONG] = IMPORT_TOO_LONG,
		[IMPORT_ROW_WIDE] = IMPORT_TOO_WIDE,
		[IMPORT_ROW_NOT_TEXT] = IMPORT_NOT_TEXT,
		[IMPORT_ROW_NOT_OBJECT] = IMPORT_NOT_OBJECT,
	};

	return of[trouble];
}

/*
 * The row's; the file's when it says nothing; NULL for what names no country. To read its number as
 * another country's would be to dial a stranger.
 */
static const char *row_country(
	const struct import_checker *checker, struct import_field field)
{
	return field.len == 0 ? checker->rules.country : country_named(field);
}

static enum import_cause check(struct import_checker *checker,
	const struct import_row *row, struct numbering *found)
{
	struct import_field fields[IMPORT_CUSTOM];
	enum import_cause cause = trouble_cause(row->trouble), of_phone;

	for (size_t i = 0; i < IMPORT_CUSTOM; i++)
		fields[i] = (struct import_field){.text = ""};
	sort_fields(checker, row, fields);
	of_phone = check_phone(checker, fields[IMPORT_PHONE],
		row_country(checker, fields[IMPORT_COUNTRY]), found);
	if (cause == IMPORT_TAKEN)
		cause = of_phone;
	return cause == IMPORT_TAKEN ? check_rest(checker, fields) : cause;
}

int import_check(struct import_checker *checker, const struct import_row *row,
	struct db_import_row *ret_staged)
{
	struct numbering found;
	enum import_cause cause;
	int rc = make_room(checker, row->number);

	if (rc < 0)
		return rc;
	checker->rows++;
	checker->foreign = checker->foreign || row->foreign;
	checker->wide_chars = checker->wide_chars || row->wide_chars;
	cause = check(checker, row, &found);
	if (checker->custom.failed)
		return -ENOMEM;
	if (cause == IMPORT_TAKEN) {
		rc = import_seen_add(&checker->seen_numbers, number_key(checker->phone));
		if (rc < 0)
			return rc;
		checker->repeated = checker->repeated || rc == 0;
		if (rc == 0 && !checker->rules.last_wins)
			cause = IMPORT_IN_FILE;
	}
	import_checker_note(checker, row->number, cause);
	if (cause != IMPORT_TAKEN) {
		*ret_staged = (struct db_import_row){
			.number = row->number,
			.phone = checker->phone,
			.first_name = "",
			.last_name = "",
			.email = "",
			.country = "",
			.time_zone = "",
			.custom = "{}",
			.refused = true,
		};
		return 0;
	}
	checker->unassigned += !found.valid;
	*ret_staged = (struct db_import_row){
		.number = row->number,
		.phone = checker->phone,
		.first_name = checker->first_name,
		.last_name = checker->last_name,
		.email = checker->email,
		.country = found.country,
		.time_zone = checker->time_zone,
		.custom = checker->custom.data,
	};
	return 1;
}
