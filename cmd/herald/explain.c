/*
 * `herald explain`: prints the pipeline of a running service, step by step. The service describes
 * itself; admin_client.c asks it.
 */
#include "explain.h"

#include <stdio.h>

#include <herald/array.h>

#include "admin_client.h"
#include "text.h"

struct explain {
	struct admin_client client;
	const char *type;
	bool is_json;
};

static const char *
read_type(const char *value, void *state)
{
	((struct explain *)state)->type = value;
	return NULL;
}

static const char *
read_json(const char *value, void *state)
{
	(void)value;
	((struct explain *)state)->is_json = true;
	return NULL;
}

static const struct tool_option options[] = {
	{"type", "TYPE", read_type, "only what takes events of this type"},
	{"json", NULL, read_json, "print one JSON object on a line"},
	ADMIN_CLIENT_OPTIONS,
};

static bool
print_text(struct explain *explain, const struct admin_answer *answer)
{
	const char *text = json_tree_string(answer->root, "text");

	if (!text)
		return admin_client_fail(&explain->client, "the answer has no text");
	text_print_lines(stdout, text_of(text));
	return true;
}

static int
print_pipeline(struct explain *explain)
{
	const struct admin_argument arguments[] = {
		{"type", explain->type},
		{"format", explain->is_json ? "json" : "text"},
	};
	struct admin_answer answer;

	if (!admin_client_get(&explain->client, "pipeline", arguments, HERALD_COUNT(arguments),
			      explain->client.arena, &answer))
		return 1;
	if (!explain->is_json && !print_text(explain, &answer))
		return 1;
	if (explain->is_json) {
		text_print_json(stdout, answer.text);
		putchar('\n');
	}
	return tool_flush() ? 0 : 1;
}

static int
run(int argc, char **argv)
{
	struct explain explain = {.type = NULL};
	char **words;

	admin_client_init(&explain.client, "explain");
	enum options_result result =
		options_read(&explain_command, argc, argv, &explain, 1, &words);
	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	int status = admin_client_open(&explain.client, words[0]);
	if (status != 0)
		return status;
	status = print_pipeline(&explain);
	admin_client_close(&explain.client);
	return status;
}

const struct tool_command explain_command = {
	.name = "explain",
	.words = "URL",
	.doc = "Print what happens to an event in a running service, step by step",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run,
};
