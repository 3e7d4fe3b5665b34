/* import_columns.c: guesses and mappings of columns. See import_columns.h. */
#include "gateway/import_columns.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define CUSTOM_PREFIX "custom:"

/* Ranks that go before all guesses: the mapping says so, of the column or of its inner name. */
enum { RANK_TOLD = -2, RANK_TOLD_INNER = -1 };

static const char *const target_names[] = {
	[IMPORT_IGNORE] = "ignore",
	[IMPORT_PHONE] = "phone",
	[IMPORT_FIRST_NAME] = "firstName",
	[IMPORT_LAST_NAME] = "lastName",
	[IMPORT_FULL_NAME] = "fullName",
	[IMPORT_EMAIL] = "email",
	[IMPORT_TIME_ZONE] = "timeZone",
	[IMPORT_COUNTRY] = "country",
	[IMPORT_CUSTOM] = "custom",
};

#define TARGETS (sizeof(target_names) / sizeof(target_names[0]))

/*
 * What people call their columns, in lower case without marks between. The better name first:
 * of two columns for one field the better named has it, and the other becomes a further field.
 */
static const struct {
	const char *name;
	enum import_target target;
} guesses[] = {
	{"phone", IMPORT_PHONE},
	{"phonenumber", IMPORT_PHONE},
	{"primaryphone", IMPORT_PHONE},
	{"phone1", IMPORT_PHONE},
	{"telephone", IMPORT_PHONE},
	{"telephonenumber", IMPORT_PHONE},
	{"tel", IMPORT_PHONE},
	{"mobile", IMPORT_PHONE},
	{"mobilenumber", IMPORT_PHONE},
	{"mobilephone", IMPORT_PHONE},
	{"cell", IMPORT_PHONE},
	{"cellphone", IMPORT_PHONE},
	{"msisdn", IMPORT_PHONE},
	{"contactnumber", IMPORT_PHONE},
	{"homephone", IMPORT_PHONE},
	{"workphone", IMPORT_PHONE},
	{"number", IMPORT_PHONE},
	{"telefon", IMPORT_PHONE},
	{"telefonnummer", IMPORT_PHONE},
	{"rufnummer", IMPORT_PHONE},
	{"handy", IMPORT_PHONE},
	{"telefono", IMPORT_PHONE},
	{"teléfono", IMPORT_PHONE},
	{"téléphone", IMPORT_PHONE},
	{"telefoonnummer", IMPORT_PHONE},
	{"telefone", IMPORT_PHONE},
	{"firstname", IMPORT_FIRST_NAME},
	{"first", IMPORT_FIRST_NAME},
	{"fname", IMPORT_FIRST_NAME},
	{"givenname", IMPORT_FIRST_NAME},
	{"forename", IMPORT_FIRST_NAME},
	{"vorname", IMPORT_FIRST_NAME},
	{"nombre", IMPORT_FIRST_NAME},
	{"prénom", IMPORT_FIRST_NAME},
	{"prenom", IMPORT_FIRST_NAME},
	{"voornaam", IMPORT_FIRST_NAME},
	{"lastname", IMPORT_LAST_NAME},
	{"last", IMPORT_LAST_NAME},
	{"lname", IMPORT_LAST_NAME},
	{"surname", IMPORT_LAST_NAME},
	{"familyname", IMPORT_LAST_NAME},
	{"nachname", IMPORT_LAST_NAME},
	{"apellido", IMPORT_LAST_NAME},
	{"apellidos", IMPORT_LAST_NAME},
	{"achternaam", IMPORT_LAST_NAME},
	{"fullname", IMPORT_FULL_NAME},
	{"contactname", IMPORT_FULL_NAME},
	{"customername", IMPORT_FULL_NAME},
	{"name", IMPORT_FULL_NAME},
	{"email", IMPORT_EMAIL},
	{"emailaddress", IMPORT_EMAIL},
	{"mail", IMPORT_EMAIL},
	{"correo", IMPORT_EMAIL},
	{"timezone", IMPORT_TIME_ZONE},
	{"tz", IMPORT_TIME_ZONE},
	{"zeitzone", IMPORT_TIME_ZONE},
	{"country", IMPORT_COUNTRY},
	{"countrycode", IMPORT_COUNTRY},
	{"land", IMPORT_COUNTRY},
	{"pays", IMPORT_COUNTRY},
	{"país", IMPORT_COUNTRY},
	{"rejectedrow", IMPORT_IGNORE},
	{"rejectedreason", IMPORT_IGNORE},
};

#define GUESSES (sizeof(guesses) / sizeof(guesses[0]))

const char *import_target_name(enum import_target target)
{
	return target_names[target];
}

int import_columns_find(const struct import_columns *columns, enum import_target target)
{
	for (size_t i = 0; i < columns->count; i++)
		if (columns->targets[i] == target)
			return (int)i;
	return -1;
}

enum import_target import_columns_stands_in(
	const struct import_columns *columns, size_t index)
{
	int rank = columns->ranks[index], has;

	if (rank < 0 || columns->targets[index] != IMPORT_CUSTOM)
		return IMPORT_CUSTOM;
	has = import_columns_find(columns, guesses[rank].target);
	return has >= 0 && columns->ranks[has] >= 0 ? guesses[rank].target
						    : IMPORT_CUSTOM;
}

bool import_columns_is_note(const struct import_columns *columns, size_t index)
{
	int rank = columns->ranks[index];

	return rank >= 0 && guesses[rank].target == IMPORT_IGNORE;
}

struct import_field import_columns_unmarked(
	const struct import_columns *columns, struct import_field field)
{
	if (columns->marked && field.len > 0 && field.text[0] == '\'' &&
		import_is_formula(field.text, field.len)) {
		field.text++;
		field.len--;
	}
	return field;
}

/* "E-Mail Address" is emailaddress; letters beyond ASCII stay as they are. */
static void plain(const char *name, char *text, size_t size)
{
	size_t len = 0;

	for (; *name != '\0' && len < size - 1; name++)
		if (isalnum((unsigned char)*name) || (*name & 0x80) != 0)
			text[len++] = (char)tolower((unsigned char)*name);
	text[len] = '\0';
}

static enum import_target guess(const char *name, int *ret_rank)
{
	char text[IMPORT_NAME_MAX + 1];

	plain(name, text, sizeof(text));
	for (size_t i = 0; i < GUESSES; i++)
		if (strcmp(text, guesses[i].name) == 0) {
			*ret_rank = (int)i;
			return guesses[i].target;
		}
	return text[0] == '\0' ? IMPORT_IGNORE : IMPORT_CUSTOM;
}

static int target_named(const char *name)
{
	for (size_t i = 0; i < TARGETS; i++)
		if (strcmp(name, target_names[i]) == 0)
			return (int)i;
	if (strncmp(name, CUSTOM_PREFIX, strlen(CUSTOM_PREFIX)) == 0 &&
		name[strlen(CUSTOM_PREFIX)] != '\0')
		return IMPORT_CUSTOM;
	return -1;
}

int import_mapping_check(const json_t *mapping, struct err *err)
{
	const char *column;
	json_t *value;

	if (!json_is_object(mapping))
		return err_set(err, -EINVAL,
			"mapping must be an object from column names to fields.");
	json_object_foreach((json_t *)mapping, column, value)
	{
		const char *name = json_string_value(value);

		if (name == NULL || target_named(name) < 0)
			return err_set(err, -EINVAL,
				"mapping: \"%.40s\" must be phone, firstName, lastName, fullName, "
				"email, timeZone, country, custom, custom:NAME or ignore.",
				column);
	}
	return 0;
}

/* Custom fields are told apart: the second "Notes" is "Notes 2". */
static void tell_apart(struct import_columns *columns, size_t index)
{
	char *name = columns->names[index];
	char first[IMPORT_NAME_MAX + 1 - 4]; /* leaves room for " 256" */

	text_cut(first, sizeof(first), name);
	for (int number = 2;; number++) {
		size_t i = 0;

		while (i < columns->count &&
			(i == index || columns->targets[i] != IMPORT_CUSTOM ||
				columns->inner[i] != columns->inner[index] ||
				strcmp(columns->names[i], name) != 0))
			i++;
		if (i == columns->count)
			return;
		(void)snprintf(name, IMPORT_NAME_MAX + 1, "%.*s %d", (int)strlen(first),
			first, number);
	}
}

/* It stands in one line. */
static void set_name(struct import_columns *columns, size_t index, const char *wanted)
{
	char *name = columns->names[index];

	text_cut(name, IMPORT_NAME_MAX + 1, wanted);
	for (; *name != '\0'; name++)
		if (iscntrl((unsigned char)*name))
			*name = ' ';
}

/* Two columns for one field: said so, that is refused; guessed, the better name has it. */
static int settle(
	struct import_columns *columns, size_t index, const char *name, struct err *err)
{
	enum import_target target = columns->targets[index];
	size_t other = 0;

	if (target == IMPORT_IGNORE || target == IMPORT_CUSTOM)
		return 0;
	while (other < index && columns->targets[other] != target)
		other++;
	if (other == index)
		return 0;
	if (columns->ranks[index] < 0 && columns->ranks[other] == columns->ranks[index])
		return err_set(err, -EINVAL,
			"mapping: two columns are %s, \"%.40s\" and \"%.40s\".",
			target_names[target], columns->names[other], name);
	if (columns->ranks[other] <= columns->ranks[index]) {
		columns->targets[index] = IMPORT_CUSTOM;
		return 0;
	}
	columns->targets[other] = IMPORT_CUSTOM;
	tell_apart(columns, other);
	return 0;
}

/* Both notes are there: the names before them were marked, too. */
static void unmark_names(struct import_columns *columns)
{
	columns->marked = true;
	for (size_t i = 0; i < columns->count; i++) {
		char *name = columns->names[i];
		struct import_field field = import_columns_unmarked(
			columns, (struct import_field){name, strlen(name)});

		if (field.text == name || columns->targets[i] != IMPORT_CUSTOM)
			continue;
		memmove(name, field.text, field.len + 1);
		tell_apart(columns, i);
	}
}

int import_columns_add(struct import_columns *columns, const char *name,
	const json_t *mapping, struct err *err)
{
	bool inner = strncmp(name, IMPORT_INNER, IMPORT_INNER_LEN) == 0;
	const char *custom = inner ? name + IMPORT_INNER_LEN : name;
	const char *told = json_string_value(json_object_get(mapping, name));
	size_t index = columns->count;
	int rc;

	if (index >= IMPORT_COLUMNS_MAX)
		return err_set(err, -EINVAL, "There are more than %d columns.",
			IMPORT_COLUMNS_MAX);
	columns->ranks[index] = RANK_TOLD;
	columns->inner[index] = inner;
	if (told == NULL && inner) {
		told = json_string_value(json_object_get(mapping, custom));
		columns->ranks[index] = RANK_TOLD_INNER;
	}
	if (told == NULL && inner)
		columns->targets[index] = IMPORT_CUSTOM;
	else if (told == NULL)
		columns->targets[index] = guess(name, &columns->ranks[index]);
	else {
		columns->targets[index] = (enum import_target)target_named(told);
		if (strncmp(told, CUSTOM_PREFIX, strlen(CUSTOM_PREFIX)) == 0)
			custom = told + strlen(CUSTOM_PREFIX);
	}
	columns->count++;
	rc = settle(columns, index, name, err);
	set_name(columns, index, custom);
	tell_apart(columns, index);
	for (size_t i = 0; i < index && import_columns_is_note(columns, index); i++)
		if (import_columns_is_note(columns, i)) {
			unmark_names(columns);
			break;
		}
	return rc;
}
