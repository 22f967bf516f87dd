/*
 * Reads the options of a command from its table. Knows no command.
 */
#include "options.h"

#include <getopt.h>
#include <string.h>

#include <herald/adapter/text.h>

#define MAX_OPTIONS 48
#define HELP 1

/* For getopt_long(); `val` is the index in the table, plus 2. */
static void
list_options(const struct tool_command *command, struct option out[MAX_OPTIONS + 2])
{
	for (size_t i = 0; i < command->options_count && i < MAX_OPTIONS; i++)
		*out++ = (struct option){
			.name = command->options[i].name,
			.has_arg = command->options[i].value ? required_argument : no_argument,
			.val = (int)i + 2,
		};
	*out++ = (struct option){.name = "help", .val = HELP};
	*out = (struct option){0};
}

static enum options_result
refuse_option(const struct tool_command *command, const char *word)
{
	/* What follows '=' may be a secret. */
	fprintf(stderr, "herald: %s: unknown option, or its value is missing: %.*s\n",
		command->name, (int)strcspn(word, "="), word);
	return OPTIONS_WRONG;
}

static enum options_result
refuse_value(const struct tool_option *option, const char *expected, const char *value)
{
	fprintf(stderr, "herald: --%s: expected %s", option->name, expected);
	if (value && strcmp(option->value, "SECRET") != 0)
		fprintf(stderr, ", found \"%s\"", value);
	fprintf(stderr, "\n");
	return OPTIONS_WRONG;
}

enum options_result
options_read(const struct tool_command *command, int argc, char **argv, void *state, int max_words,
	     char ***words)
{
	struct option list[MAX_OPTIONS + 2];
	int found;

	list_options(command, list);
	optind = 0;
	opterr = 0;
	while ((found = getopt_long(argc, argv, "h", list, NULL)) != -1) {
		if (found == HELP || found == 'h') {
			options_print(stdout, command);
			return OPTIONS_HELP;
		}
		if (found == '?')
			return refuse_option(command, argv[optind - 1]);
		const struct tool_option *option = &command->options[found - 2];
		const char *expected = option->read(optarg, state);
		if (expected)
			return refuse_value(option, expected, optarg);
		if (optarg && *optarg == '\0') {
			fprintf(stderr, OPTIONS_EMPTY, option->name);
			return OPTIONS_WRONG;
		}
	}
	*words = argv + optind;
	if (argc - optind <= max_words)
		return OPTIONS_OK;
	fprintf(stderr, "herald: %s: unexpected argument \"%s\"\n", command->name,
		argv[optind + max_words]);
	return OPTIONS_WRONG;
}

void
options_print(FILE *out, const struct tool_command *command)
{
	fprintf(out, "usage: herald %s [OPTION...]%s%s\n\n%s.\n\n", command->name,
		*command->words != '\0' ? " " : "", command->words, command->doc);
	for (size_t i = 0; i < command->options_count; i++) {
		const struct tool_option *option = &command->options[i];
		char name[40];

		snprintf(name, sizeof(name), "--%s%s%s", option->name, option->value ? " " : "",
			 option->value ? option->value : "");
		fprintf(out, "  %-24s %s\n", name, option->doc);
	}
}

/* Whether a path is an option, or an element of it: its index is set then, else 0. */
static bool
is_path_of(const char *path, const char *name, size_t *index)
{
	const size_t bytes = strlen(name);

	if (strncmp(path, name, bytes) != 0)
		return false;
	path += bytes;
	*index = 0;
	if (*path == '[')
		for (const char *at = path + 1; *at >= '0' && *at <= '9'; at++)
			*index = *index * 10 + (size_t)(*at - '0');
	return *path == '\0' || *path == '[';
}

/* Leave out the path that a message begins with: it is printed in front of it. */
static void
cut_path(struct herald_error *error)
{
	const size_t bytes = strlen(error->path);
	char *message = error->message;

	if (strncmp(message, error->path, bytes) == 0 && strncmp(message + bytes, ": ", 2) == 0)
		memmove(message, message + bytes + 2, strlen(message + bytes + 2) + 1);
}

void
options_name_error(const struct option_name *names, size_t count, struct herald_error *error)
{
	size_t index;

	for (size_t i = 0; i < count; i++) {
		if (!is_path_of(error->path, names[i].name, &index))
			continue;
		cut_path(error);
		if (names[i].count > 1)
			snprintf(error->path, sizeof(error->path), "%s, number %zu",
				 names[i].option, index + 1);
		else
			snprintf(error->path, sizeof(error->path), "%s", names[i].option);
		return;
	}
}

bool
options_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t number;

	if (!herald_ascii_number(text, max, &number) || number < min)
		return false;
	*out = number;
	return true;
}
