/*
 * The arguments of `herald store`: which store, which rows, and how to print them.
 */
#ifndef HERALD_CMD_ARGUMENTS_H
#define HERALD_CMD_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/store.h>

#include "database.h"

/* Bits of the options that a command takes. */
enum command_option {
	TAKES_FILTER = 1 << 0, /* --id, or it alone; --queue, --type, ... */
	TAKES_LIMIT = 1 << 1,  /* --limit */
	TAKES_BULK = 1 << 2,   /* --all, --dry-run, --rate */
	TAKES_JSON = 1 << 3,   /* --json */
	TAKES_ID = 1 << 4,     /* an id, or --id; needed */
	TAKES_PURGE = 1 << 5,  /* --queue, --type, --created-before, --deliveries */
};

struct arguments {
	struct store_place store; /* its name is HERALD_STORE without --store */
	bool is_json;
	bool is_all;     /* --all: no filter is needed */
	bool has_kind;   /* --kind was given */
	bool has_more;   /* a filter of dead letters besides an id was given */
	bool wants_help; /* --help or -h: the rest is not read */
	struct herald_dead_filter filter;
	struct herald_purge_filter purge;
	struct herald_bulk bulk;
};

/*
 * Read argv, without the words of the command. On failure it prints why to stderr.
 *
 * command  the words of the command, such as "store dead list", for messages.
 * takes    a combination of enum command_option.
 */
bool
arguments_read(const char *command, unsigned takes, int argc, char **argv, struct arguments *out);

#endif
