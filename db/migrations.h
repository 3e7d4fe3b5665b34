/* migrations.h: the files of db/migrations/ as they are inside the program. For db/ only. */
#ifndef OMNIVOX_DB_MIGRATIONS_H
#define OMNIVOX_DB_MIGRATIONS_H

struct db_migration {
	const char *name; /* "0001_core": the version, then what it is about */
	const char *sql;
};

/* In order of version, 1 upwards without holes; ends with a NULL name. Made by the Makefile. */
extern const struct db_migration db_migrations[];

#endif
