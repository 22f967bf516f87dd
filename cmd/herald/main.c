/*
 * The command line tool `herald`. Each command has a file of its own.
 */
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/version.h>

#include "broker.h"
#include "dashboard.h"
#include "explain.h"
#include "generate.h"
#include "listen.h"
#include "options.h"
#include "schema.h"
#include "send.h"
#include "signing.h"
#include "store.h"
#include "tail.h"
#include "top.h"
#include "validate.h"

static const struct tool_command *const commands[] = {
	&listen_command,
#ifdef HAVE_CURL
	&send_command,
#endif
	&sign_command,   &verify_command,  &validate_command, &generate_command, &dashboard_command,
#ifdef HAVE_CURL
	&schema_command, &explain_command, &top_command,      &tail_command,
#endif
};

static void
print_usage(FILE *out)
{
	fprintf(out, "usage: herald COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < HERALD_COUNT(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->doc);
	fprintf(out, "  store     Look at the events in a store, and repair it\n"
		     "  broker    Look at the dead letters of a message broker, and replay them\n\n"
		     "herald COMMAND --help tells the options of a command.\n");
}

int
main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < HERALD_COUNT(commands); i++)
		if (strcmp(word, commands[i]->name) == 0)
			return commands[i]->run(argc - 1, argv + 1);
	if (strcmp(word, "store") == 0)
		return store_main(argc - 2, argv + 2);
	if (strcmp(word, "broker") == 0)
		return broker_main(argc - 2, argv + 2);
	if (strcmp(word, "--version") == 0)
		return printf("herald %s\n", HERALD_VERSION) > 0 ? 0 : 1;
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		print_usage(stdout);
		return 0;
	}
	if (*word != '\0')
		fprintf(stderr, "herald: unknown command \"%s\"\n", word);
	print_usage(stderr);
	return 2;
}
