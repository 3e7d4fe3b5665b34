/* config.c: settings from one table. See config.h. */
#include "base/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/text.h"

#define LINE_SIZE 4096
#define NAME_SIZE 64

struct value {
	char *text;         /* NULL: not set */
	const char *source; /* "default", "environment", ... */
};

struct config {
	const struct config_item *items;
	size_t count;
	struct value *values; /* one per item */
};

static size_t index_of(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->count; i++)
		if (strcmp(config->items[i].name, name) == 0)
			return i;
	return config->count;
}

static int put(struct config *config, size_t i, const char *text, const char *source)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return -ENOMEM;
	free(config->values[i].text);
	config->values[i].text = copy;
	config->values[i].source = source;
	return 0;
}

/* ---- what a value may be ---- */

static int parse_flag(const char *text, bool *ret_flag)
{
	static const char *const yes[] = {"1", "true", "yes", "on"};
	static const char *const no[] = {"0", "false", "no", "off"};

	for (size_t i = 0; i < 4; i++)
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
			*ret_flag = strcasecmp(text, yes[i]) == 0;
			return 0;
		}
	return -EINVAL;
}

static int check(
	const struct config_item *item, const struct value *value, struct err *err)
{
	char expected[128] = "";
	struct addr addr;
	int64_t number;
	double fraction;
	bool flag;
	char *end;

	switch (item->type) {
	case CONFIG_TEXT:
	case CONFIG_SECRET:
		return 0;
	case CONFIG_INT:
		if (text_int(value->text, item->lo, item->hi, &number) == 0)
			return 0;
		(void)snprintf(expected, sizeof(expected),
			"a whole number from %lld to %lld", (long long)item->lo,
			(long long)item->hi);
		break;
	case CONFIG_NUMBER:
		fraction = strtod(value->text, &end);
		if (end != value->text && *end == '\0' && fraction >= (double)item->lo &&
			fraction <= (double)item->hi)
			return 0;
		(void)snprintf(expected, sizeof(expected), "a number from %lld to %lld",
			(long long)item->lo, (long long)item->hi);
		break;
	case CONFIG_FLAG:
		if (parse_flag(value->text, &flag) == 0)
			return 0;
		(void)snprintf(expected, sizeof(expected), "1 or 0");
		break;
	case CONFIG_ADDR:
		if (value->text[0] == '\0' || addr_parse(value->text, &addr) == 0)
			return 0;
		(void)snprintf(expected, sizeof(expected),
			"a numeric host:port such as 127.0.0.1:8080");
		break;
	}
	return err_set(err, -EINVAL, "%s is \"%.64s\" (from the %s): expected %s.",
		item->name, value->text, value->source, expected);
}

/* ---- sources ---- */

static int load_defaults(struct config *config)
{
	int err = 0;

	for (size_t i = 0; i < config->count && err == 0; i++) {
		config->values[i].source = "default";
		if (config->items[i].fallback != NULL)
			err = put(config, i, config->items[i].fallback, "default");
	}
	return err;
}

/* The first line of the file that NAME_FILE names. */
static int load_secret_file(
	struct config *config, size_t i, const char *path, struct err *err)
{
	char line[LINE_SIZE];
	FILE *file = fopen(path, "re");
	int result;

	if (file == NULL)
		return err_set(err, -EINVAL,
			"%s_FILE names %s, which cannot be read: %s.",
			config->items[i].name, path, strerror(errno));
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	(void)fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	result = put(config, i, line, "file of its _FILE name");
	explicit_bzero(line, sizeof(line));
	return result;
}

static int load_environment(struct config *config, struct err *err)
{
	char name[NAME_SIZE + 8];
	const char *text;
	int result = 0;

	for (size_t i = 0; i < config->count && result == 0; i++) {
		(void)snprintf(name, sizeof(name), "%s_FILE", config->items[i].name);
		text = getenv(config->items[i].name);
		if (text != NULL)
			result = put(config, i, text, "environment");
		else if ((text = getenv(name)) != NULL)
			result = load_secret_file(config, i, text, err);
	}
	return result;
}

static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_SIZE + 1];
	size_t len = strnlen(b, NAME_SIZE);

	for (size_t j = 0; j <= len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		unsigned corner = row[0]++;

		for (size_t j = 0; j < len; j++) {
			unsigned best = corner + (a[i] != b[j]);

			corner = row[j + 1];
			if (best > corner + 1)
				best = corner + 1;
			if (best > row[j] + 1)
				best = row[j] + 1;
			row[j + 1] = best;
		}
	}
	return row[len];
}

static const char *nearest(const struct config *config, const char *name)
{
	const char *best = config->items[0].name;

	for (size_t i = 1; i < config->count; i++)
		if (distance(name, config->items[i].name) < distance(name, best))
			best = config->items[i].name;
	return best;
}

/* Cuts white space and one pair of quotes off. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	if (len >= 2 && (text[0] == '"' || text[0] == '\'') && text[len - 1] == text[0]) {
		text[len - 1] = '\0';
		text++;
	}
	return text;
}

static int load_line(struct config *config, char *line, unsigned number, const char *path,
	struct err *err)
{
	char *name = trim(line), *equals = strchr(name, '=');
	size_t i, len;

	if (name[0] == '\0' || name[0] == '#')
		return 0;
	if (equals == NULL)
		return err_set(
			err, -EINVAL, "%s line %u: expected NAME=value.", path, number);
	*equals = '\0';
	name = trim(name);
	i = index_of(config, name);
	if (i < config->count)
		return put(config, i, trim(equals + 1), "file");
	len = strlen(name);
	if (len > 5 && strcmp(name + len - 5, "_FILE") == 0) {
		name[len - 5] = '\0';
		i = index_of(config, name);
		if (i < config->count)
			return load_secret_file(config, i, trim(equals + 1), err);
	}
	(void)fprintf(stderr, "%s line %u: %s is not a setting; the nearest is %s.\n",
		path, number, name, nearest(config, name));
	return 0;
}

static int load_file(struct config *config, const char *path, struct err *err)
{
	char line[LINE_SIZE];
	unsigned number = 0;
	int result = 0;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return err_set(err, -EINVAL,
			"The file of --config, %s, cannot be read: %s.", path,
			strerror(errno));
	while (result == 0 && fgets(line, sizeof(line), file) != NULL)
		result = load_line(config, line, ++number, path, err);
	(void)fclose(file);
	return result;
}

/* "--http-listen" names HTTP_LISTEN. */
static size_t option_index(const struct config *config, const char *option)
{
	char name[NAME_SIZE];
	size_t len = 0;

	for (option += 2; *option != '\0' && *option != '=' && len < sizeof(name) - 1;
		option++)
		name[len++] =
			*option == '-' ? '_' : (char)toupper((unsigned char)*option);
	name[len] = '\0';
	return index_of(config, name);
}

static int load_option(struct config *config, const struct config_load_params *params,
	int *at, struct err *err)
{
	const char *option = params->argv[*at];
	const char *equals = strchr(option, '=');
	size_t i = strncmp(option, "--", 2) == 0 ? option_index(config, option)
						 : config->count;
	const char *text;

	if (i == config->count)
		return err_set(
			err, -EINVAL, "%s is not an option; --help lists them.", option);
	if (equals != NULL)
		text = equals + 1;
	else if (config->items[i].type == CONFIG_FLAG)
		text = "1";
	else if (*at + 1 < params->argc)
		text = params->argv[++*at];
	else
		return err_set(err, -EINVAL, "%s wants a value behind it.", option);
	return put(config, i, text, "command line");
}

static int extra_index(const struct config_load_params *params, const char *option)
{
	for (size_t i = 0; i < params->extra_count; i++)
		if (strcmp(option, params->extra[i]) == 0)
			return (int)i;
	return -1;
}

static int load_command_line(struct config *config,
	const struct config_load_params *params, int *ret_extra, struct err *err)
{
	int result = 0;

	for (int at = 1; at < params->argc && result == 0; at++) {
		int extra = extra_index(params, params->argv[at]);

		if (extra >= 0)
			*ret_extra = extra;
		else if (strcmp(params->argv[at], "--config") == 0)
			at++;
		else
			result = load_option(config, params, &at, err);
	}
	return result;
}

static const char *file_of(const struct config_load_params *params)
{
	for (int at = 1; at + 1 < params->argc; at++)
		if (strcmp(params->argv[at], "--config") == 0)
			return params->argv[at + 1];
	return NULL;
}

int config_load(const struct config_load_params *params, struct config **ret_config,
	int *ret_extra, struct err *err)
{
	struct config *config = calloc(1, sizeof(*config));
	const char *file = file_of(params);
	int result = -ENOMEM, extra = -1;

	if (config == NULL)
		return result;
	config->items = params->items;
	config->count = params->item_count;
	config->values = calloc(config->count, sizeof(*config->values));
	if (config->values == NULL)
		goto out;
	result = load_defaults(config);
	if (result == 0 && file != NULL)
		result = load_file(config, file, err);
	if (result == 0)
		result = load_environment(config, err);
	if (result == 0)
		result = load_command_line(config, params, &extra, err);
	for (size_t i = 0; i < config->count && result == 0; i++)
		if (config->values[i].text != NULL)
			result = check(&config->items[i], &config->values[i], err);
out:
	if (result < 0) {
		config_free(&config);
		return result;
	}
	*ret_config = config;
	*ret_extra = extra;
	return 0;
}

void config_free(struct config **config)
{
	if (*config == NULL)
		return;
	for (size_t i = 0; (*config)->values != NULL && i < (*config)->count; i++)
		free((*config)->values[i].text);
	free((*config)->values);
	free(*config);
	*config = NULL;
}

/* ---- reading ---- */

static const char *get(const struct config *config, const char *name)
{
	size_t i = index_of(config, name);

	assert(i < config->count);
	return config->values[i].text == NULL ? "" : config->values[i].text;
}

const char *config_text(const struct config *config, const char *name)
{
	return get(config, name);
}

int64_t config_int(const struct config *config, const char *name)
{
	return strtoll(get(config, name), NULL, 10);
}

double config_number(const struct config *config, const char *name)
{
	return strtod(get(config, name), NULL);
}

bool config_flag(const struct config *config, const char *name)
{
	bool flag = false;

	(void)parse_flag(get(config, name), &flag);
	return flag;
}

int config_derive(struct config *config, const char *name, const char *value)
{
	size_t i = index_of(config, name);

	assert(i < config->count);
	return put(config, i, value, "other settings");
}

void config_print_help(const struct config_item *items, size_t count, FILE *out)
{
	char option[NAME_SIZE];
	size_t j;

	for (size_t i = 0; i < count; i++) {
		for (j = 0; items[i].name[j] != '\0' && j < sizeof(option) - 1; j++)
			option[j] =
				items[i].name[j] == '_'
					? '-'
					: (char)tolower((unsigned char)items[i].name[j]);
		option[j] = '\0';
		(void)fprintf(out, "  --%-26s %s", option, items[i].help);
		if (items[i].fallback != NULL && items[i].fallback[0] != '\0')
			(void)fprintf(out, " [%s]", items[i].fallback);
		(void)fputc('\n', out);
	}
}

void config_print(const struct config *config, FILE *out)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct value *value = &config->values[i];
		const char *text = value->text == NULL ? "" : value->text;

		if (config->items[i].type == CONFIG_SECRET && text[0] != '\0')
			text = "********";
		(void)fprintf(out, "%-28s %-40s (%s)\n", config->items[i].name, text,
			value->source);
	}
}
