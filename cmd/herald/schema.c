/*
 * `herald schema`: prints what a running service takes, as AsyncAPI or as the JSON Schema of one
 * payload. The service writes both; admin_client.c asks it.
 */
#include "schema.h"

#include <stdio.h>
#include <string.h>

#include <herald/array.h>

#include "admin_client.h"
#include "text.h"

struct schema {
	struct admin_client client;
	const char *type;
	const char *version;
	const char *draft;
};

static const char *
read_type(const char *value, void *state)
{
	((struct schema *)state)->type = value;
	return NULL;
}

static const char *
read_version(const char *value, void *state)
{
	((struct schema *)state)->version = value;
	return NULL;
}

static const char *
read_draft(const char *value, void *state)
{
	((struct schema *)state)->draft = value;
	return strcmp(value, "7") == 0 || strcmp(value, "2020-12") == 0 ? NULL : "7 or 2020-12";
}

static const struct tool_option options[] = {
	{"type", "TYPE", read_type,
	 "print the JSON Schema of this type's payload. Default: AsyncAPI, of all types"},
	{"version", "VERSION", read_version, "of the type. Default: the newest one"},
	{"draft", "7|2020-12", read_draft, "of the JSON Schema. Default 2020-12"},
	ADMIN_CLIENT_OPTIONS,
};

/* NULL, or what is wrong. */
static const char *
check(const struct schema *schema)
{
	if (schema->type)
		return NULL;
	return schema->version ? "--version needs --type"
	       : schema->draft ? "--draft needs --type; schemas in AsyncAPI are of draft-07"
			       : NULL;
}

static int
print_schema(struct schema *schema)
{
	const struct admin_argument arguments[] = {
		{"type", schema->type},
		{"version", schema->version},
		{"draft", schema->draft},
	};
	struct admin_answer answer;

	if (!admin_client_get(&schema->client, schema->type ? "schema" : "asyncapi", arguments,
			      HERALD_COUNT(arguments), schema->client.arena, &answer))
		return 1;
	text_print_json(stdout, answer.text);
	putchar('\n');
	return tool_flush() ? 0 : 1;
}

static int
run(int argc, char **argv)
{
	struct schema schema = {.type = NULL};
	char **words;

	admin_client_init(&schema.client, "schema");
	enum options_result result = options_read(&schema_command, argc, argv, &schema, 1, &words);
	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	const char *problem = check(&schema);
	if (problem) {
		fprintf(stderr, "herald: schema: %s\n", problem);
		return 2;
	}
	int status = admin_client_open(&schema.client, words[0]);
	if (status != 0)
		return status;
	status = print_schema(&schema);
	admin_client_close(&schema.client);
	return status;
}

const struct tool_command schema_command = {
	.name = "schema",
	.words = "URL",
	.doc = "Print the schemas of a running service, which its dashboard knows",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run,
};
