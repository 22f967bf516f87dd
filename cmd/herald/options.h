/*
 * Reads the options of a command from a table, and prints the table as help.
 */
#ifndef HERALD_CMD_OPTIONS_H
#define HERALD_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <herald/status.h>

/* An option of a command. */
struct tool_option {
	const char *name; /* without "--" */
	/* What follows it, for help: "N"; NULL: nothing does. A "SECRET" is never printed. */
	const char *value;
	/* Takes the value, or NULL. Returns NULL, or what was expected: "a number from 1". */
	const char *(*read)(const char *value, void *state);
	const char *doc; /* one line */
};

/* A command, and what `herald NAME --help` says of it. */
struct tool_command {
	const char *name;  /* "listen" */
	const char *words; /* arguments without "--", for help: "URL"; "": none */
	const char *doc;   /* one line */
	const struct tool_option *options;
	size_t options_count;
	int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit status */
};

/* What reading the options found. */
enum options_result {
	OPTIONS_OK,
	OPTIONS_HELP,  /* --help or -h: it was printed to stdout */
	OPTIONS_WRONG, /* the reason was printed to stderr */
};

/*
 * Read argv[1] to the end. Options may come in any order, as "--name value" or "--name=value". An
 * empty value is refused: most often a variable of the shell is not set.
 *
 * max_words  how many words there may be besides options; they are moved to the end of argv.
 * words      set to the first of them; argv[argc] if there are none.
 */
enum options_result options_read(const struct tool_command *command, int argc, char **argv,
				 void *state, int max_words, char ***words);

/* For an option whose value is empty; takes its name. */
#define OPTIONS_EMPTY "herald: --%s: the value is empty; is a variable of the shell not set?\n"

void options_print(FILE *out, const struct tool_command *command);

/* An option of the library, and the tool's option that sets it. */
struct option_name {
	const char *name;   /* "keys" */
	const char *option; /* "--secret" */
	/* How often it was given, if it is a list: which of them is wrong is said if there are
	 * several. */
	size_t count;
};

/* Name the tool's option in an error that the library has set: "keys[1]: is too long" becomes
 * "--secret, number 2: is too long". Errors with other paths stay as they are. */
void options_name_error(const struct option_name *names, size_t count, struct herald_error *error);

/* Read a whole number from `min` to `max`. Returns false if it is something else. */
bool options_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif
