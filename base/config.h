/*
 * config.h: settings from one alphabetical table, read once at start, the same everywhere.
 *
 * A setting NAME_OF_IT is given, strongest first, by `--name-of-it VALUE` on the command line,
 * by the environment, by the file of `--config FILE` (envfile.h), or by its default. In each of
 * these places NAME_OF_IT_FILE=/path may stand instead: the value is that file's first line, so
 * that a secret need not be seen. In the environment the name itself wins over its _FILE.
 *
 * Loaded by one thread; read-only, and so for any thread, afterwards.
 */
#ifndef OMNIVOX_BASE_CONFIG_H
#define OMNIVOX_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct config;

enum config_type {
	CONFIG_TEXT,
	CONFIG_INT,    /* lo..hi */
	CONFIG_NUMBER, /* decimal fraction, lo..hi */
	CONFIG_FLAG, /* a switch: no value on the command line; else 0/1, true/false, yes/no */
	CONFIG_SECRET, /* text that is never shown */
	CONFIG_ADDR,   /* numeric host:port */
};

struct config_item {
	const char *name;
	enum config_type type;
	const char *fallback; /* NULL: not set */
	const char *help;     /* one line */
	int64_t lo, hi;       /* CONFIG_INT, CONFIG_NUMBER */
};

/* A word of the command line that is no setting: "--help", "--backup FILE", "--plan=X". */
struct config_extra {
	const char *name;
	bool wants_value; /* "--backup FILE" or "--backup=FILE" */
};

/* Which of them was given, the last one counting. Index -1: none. `value` lies in argv. */
struct config_choice {
	int index;
	const char *value; /* "" when it wants none */
};

/*
 * `items` is static and sorted by name. argv is read whole: options of the table, `--config`,
 * and the words in `extra`. Fails with a sentence that names the value, where it came from, and
 * what is expected; a value of CONFIG_SECRET is never in it: -ENOTSUP when the command line has
 * a word that nobody knows or that lacks its value, else -EINVAL. Unknown names in the file are
 * warned of on stderr, with the nearest name.
 */
struct config_load_params {
	const struct config_item *items;
	size_t item_count;
	const struct config_extra *extra;
	size_t extra_count;
	int argc;
	char **argv;
};
int config_load(const struct config_load_params *params, struct config **ret_config,
	struct config_choice *ret_choice, struct err *err);
void config_free(struct config **config);

/* By name; a name that is not in the table is a bug (assert). "" when a text is not set. */
const char *config_text(const struct config *config, const char *name);
int64_t config_int(const struct config *config, const char *name);
double config_number(const struct config *config, const char *name);
bool config_flag(const struct config *config, const char *name);

/* Replaces a value that the program worked out itself (a default that depends on others). */
int config_derive(struct config *config, const char *name, const char *value);

/* The table as --help lists it; every value with its source, secrets masked. */
void config_print_help(const struct config_item *items, size_t count, FILE *out);
void config_print(const struct config *config, FILE *out);

#endif
