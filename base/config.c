/* config.c: settings from one table. See config.h. */
#include "base/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/envfile.h"
#include "base/text.h"

#define NAME_SIZE 64
#define SOURCE_SIZE 320     /* cut for people where a path is longer */
#define VALUE_FILE_MAX 4096 /* a certificate is named by its path, not put in a setting */
#define FILE_SUFFIX "_FILE"

struct value {
	char *text;   /* NULL: not set */
	char *source; /* for people: "environment", "/etc/omnivox.env line 3" */
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

static void forget(struct value *value)
{
	if (value->text != NULL)
		explicit_bzero(value->text, strlen(value->text));
	free(value->text);
	free(value->source);
	*value = (struct value){0};
}

/* `text` may be NULL: not set. */
static int put(struct config *config, size_t i, const char *text, const char *source)
{
	struct value value = {
		.text = text == NULL ? NULL : strdup(text),
		.source = strdup(source),
	};

	if ((text != NULL && value.text == NULL) || value.source == NULL) {
		forget(&value);
		return -ENOMEM;
	}
	forget(&config->values[i]);
	config->values[i] = value;
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
	return err_set(err, -EINVAL, "%s is \"%.64s\" (%s): expected %s.", item->name,
		value->text, value->source, expected);
}

/* ---- sources ---- */

static int load_defaults(struct config *config)
{
	int result = 0;

	for (size_t i = 0; i < config->count && result == 0; i++)
		result = put(config, i, config->items[i].fallback, "default");
	return result;
}

/* The first line of `path`, which NAME_FILE names in `source`. */
static int load_value_file(struct config *config, size_t i, const char *path,
	const char *source, struct err *err)
{
	const char *name = config->items[i].name;
	char line[VALUE_FILE_MAX], where[SOURCE_SIZE];
	FILE *file = fopen(path, "re");
	size_t len;
	int result;

	if (file == NULL)
		return err_set(err, -EINVAL,
			"%s" FILE_SUFFIX " (%s) names %s, which cannot be read: %s.",
			name, source, path, strerror(errno));
	len = fread(line, 1, sizeof(line) - 1, file);
	line[len] = '\0';
	len = strcspn(line, "\r\n");
	if (ferror(file) || len == sizeof(line) - 1) {
		result = err_set(err, -EINVAL,
			"%s" FILE_SUFFIX
			" (%s) names %s: expected a file whose first line has "
			"at most %d bytes.",
			name, source, path, VALUE_FILE_MAX - 2);
	} else {
		line[len] = '\0';
		(void)snprintf(
			where, sizeof(where), "%s, named by %s" FILE_SUFFIX, path, name);
		result = put(config, i, line, where);
	}
	explicit_bzero(line, sizeof(line));
	(void)fclose(file);
	return result;
}

/* NAME or NAME_FILE = text, told by `source`. -ENOENT: the table has neither. */
static int load_pair(struct config *config, const char *name, const char *text,
	const char *source, struct err *err)
{
	size_t i = index_of(config, name), len = strlen(name);
	char stem[NAME_SIZE];

	if (i < config->count)
		return put(config, i, text, source);
	if (len <= strlen(FILE_SUFFIX) || len >= sizeof(stem) ||
		strcmp(name + len - strlen(FILE_SUFFIX), FILE_SUFFIX) != 0)
		return -ENOENT;
	(void)snprintf(
		stem, sizeof(stem), "%.*s", (int)(len - strlen(FILE_SUFFIX)), name);
	i = index_of(config, stem);
	if (i == config->count)
		return -ENOENT;
	return load_value_file(config, i, text, source, err);
}

static int load_environment(struct config *config, struct err *err)
{
	char name[NAME_SIZE + sizeof(FILE_SUFFIX)];
	const char *text;
	int result = 0;

	for (size_t i = 0; i < config->count && result == 0; i++) {
		(void)snprintf(
			name, sizeof(name), "%s" FILE_SUFFIX, config->items[i].name);
		text = getenv(config->items[i].name);
		if (text != NULL)
			result = put(config, i, text, "environment");
		else if ((text = getenv(name)) != NULL)
			result = load_value_file(config, i, text, "environment", err);
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

struct file_load {
	struct config *config;
	const char *path;
	struct err *err;
};

static int load_line(void *arg, const char *name, const char *value, unsigned line)
{
	struct file_load *load = arg;
	char source[SOURCE_SIZE];
	int result;

	(void)snprintf(source, sizeof(source), "%s line %u", load->path, line);
	result = load_pair(load->config, name, value, source, load->err);
	if (result != -ENOENT)
		return result;
	(void)fprintf(stderr, "%s: %s is not a setting; the nearest is %s.\n", source,
		name, nearest(load->config, name));
	return 0;
}

static int load_file(struct config *config, const char *path, struct err *err)
{
	struct file_load load = {config, path, err};

	return envfile_read(path, load_line, &load, err);
}

/* "--http-listen" and "--http-listen=x" name HTTP_LISTEN. */
static void option_name(const char *option, char ret_name[NAME_SIZE])
{
	size_t len = 0;

	for (option += 2; *option != '\0' && *option != '=' && len < NAME_SIZE - 1;
		option++)
		ret_name[len++] =
			*option == '-' ? '_' : (char)toupper((unsigned char)*option);
	ret_name[len] = '\0';
}

static int load_option(struct config *config, const struct config_load_params *params,
	int *at, struct err *err)
{
	const char *option = params->argv[*at], *equals = strchr(option, '=');
	/* Without the value, which may be a secret. */
	int shown = (int)(equals == NULL ? strlen(option) : (size_t)(equals - option));
	char name[NAME_SIZE] = "";
	const char *text;
	size_t i;
	int result;

	if (strncmp(option, "--", 2) == 0)
		option_name(option, name);
	i = index_of(config, name);
	if (equals != NULL)
		text = equals + 1;
	else if (i < config->count && config->items[i].type == CONFIG_FLAG)
		text = "1";
	else if (*at + 1 < params->argc)
		text = params->argv[++*at];
	else
		return err_set(err, -ENOTSUP,
			"%.*s is not an option, or wants a value behind it; --help lists "
			"the options.",
			shown, option);
	result = load_pair(config, name, text, "command line", err);
	if (result == -ENOENT)
		return err_set(err, -ENOTSUP,
			"%.*s is not an option; --help lists the options.", shown,
			option);
	return result;
}

/* 1: the word at `*at` is one of `extra`, and so is its value behind it. */
static int load_extra(const struct config_load_params *params, int *at,
	struct config_choice *choice, struct err *err)
{
	const char *option = params->argv[*at];

	for (size_t i = 0; i < params->extra_count; i++) {
		const struct config_extra *extra = &params->extra[i];
		size_t len = strlen(extra->name);
		bool equals =
			strncmp(option, extra->name, len) == 0 && option[len] == '=';

		if (strcmp(option, extra->name) != 0 && !(equals && extra->wants_value))
			continue;
		choice->index = (int)i;
		choice->value = "";
		if (equals)
			choice->value = option + len + 1;
		else if (extra->wants_value && *at + 1 < params->argc)
			choice->value = params->argv[++*at];
		if (extra->wants_value && choice->value[0] == '\0')
			return err_set(err, -ENOTSUP, "%s wants a value behind it.",
				extra->name);
		return 1;
	}
	return 0;
}

/* "--config FILE" or "--config=FILE" at `*at`; moves on to its last word. */
static const char *config_option(const struct config_load_params *params, int *at)
{
	const char *option = params->argv[*at];

	if (strncmp(option, "--config=", 9) == 0)
		return option + 9;
	if (strcmp(option, "--config") == 0 && *at + 1 < params->argc)
		return params->argv[++*at];
	return NULL;
}

static int load_command_line(struct config *config,
	const struct config_load_params *params, struct config_choice *choice,
	struct err *err)
{
	int result = 0;

	for (int at = 1; at < params->argc && result >= 0; at++) {
		result = load_extra(params, &at, choice, err);
		if (result == 0 && config_option(params, &at) == NULL)
			result = load_option(config, params, &at, err);
	}
	return result < 0 ? result : 0;
}

/* The last file that is named, or NULL. */
static const char *file_of(const struct config_load_params *params)
{
	const char *path = NULL, *found;

	for (int at = 1; at < params->argc; at++)
		if ((found = config_option(params, &at)) != NULL)
			path = found;
	return path;
}

/* The table is ours: what is wrong with it is a bug. */
static void check_table(const struct config_load_params *params)
{
	for (size_t i = 0; i < params->item_count; i++) {
		assert(strlen(params->items[i].name) < NAME_SIZE);
		assert(i == 0 ||
			strcmp(params->items[i - 1].name, params->items[i].name) < 0);
	}
}

int config_load(const struct config_load_params *params, struct config **ret_config,
	struct config_choice *ret_choice, struct err *err)
{
	struct config *config = calloc(1, sizeof(*config));
	struct config_choice choice = {.index = -1, .value = ""};
	const char *file = file_of(params);
	int result = -ENOMEM;

	check_table(params);
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
		result = load_command_line(config, params, &choice, err);
	for (size_t i = 0; i < config->count && result == 0; i++)
		if (config->values[i].text != NULL)
			result = check(&config->items[i], &config->values[i], err);
out:
	if (result == -ENOMEM)
		(void)err_set(err, result, "There is no memory for the settings.");
	if (result < 0) {
		config_free(&config);
		return result;
	}
	*ret_config = config;
	*ret_choice = choice;
	return 0;
}

void config_free(struct config **config)
{
	if (*config == NULL)
		return;
	for (size_t i = 0; (*config)->values != NULL && i < (*config)->count; i++)
		forget(&(*config)->values[i]);
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
		for (j = 0; j < sizeof(option) - 1 && items[i].name[j] != '\0'; j++)
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
