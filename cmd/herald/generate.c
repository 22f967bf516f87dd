/*
 * `herald generate`: reads schemas or samples, and writes NAME.h and NAME.c. generate_kind.c tells
 * one from the other, generate_schema.c and generate_samples.c make what is in them, and c_write.c
 * writes it.
 */
#include "generate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <herald/adapter/text.h>
#include <herald/array.h>

#include "text.h"

struct generating {
	struct herald_arena *arena;
	struct memory_list from; /* paths */
	const char *out, *name;
	bool are_samples, are_schemas; /* --samples, --schema; the first file says it, too */
	uint64_t max_steps;
	struct schema_files files;
	struct c_model model;
	struct memory_list samples, messages;
	const struct json_tree *schema;
};

static const char *
read_from(const char *value, void *state)
{
	struct generating *generating = state;

	memory_list_add(generating->arena, &generating->from, value);
	return NULL;
}

static const char *
read_out(const char *value, void *state)
{
	((struct generating *)state)->out = value;
	return NULL;
}

static const char *
read_name(const char *value, void *state)
{
	((struct generating *)state)->name = value;
	return c_name_is_valid(value) ? NULL
				      : "a name for C: letters, digits, _; not herald, up to 56";
}

static const char *
read_samples(const char *value, void *state)
{
	(void)value;
	((struct generating *)state)->are_samples = true;
	return NULL;
}

static const char *
read_schema(const char *value, void *state)
{
	(void)value;
	((struct generating *)state)->are_schemas = true;
	return NULL;
}

static const char *
read_draft(const char *value, void *state)
{
	return schema_draft_read(value, &((struct generating *)state)->files.draft)
		       ? NULL
		       : "7 or 2020-12";
}

static const char *
read_max_steps(const char *value, void *state)
{
	return options_number(value, 1, UINT64_MAX / 2, &((struct generating *)state)->max_steps)
		       ? NULL
		       : "a number from 1";
}

static const struct tool_option options[] = {
	{"from", "FILE", read_from, "JSON Schema, AsyncAPI, or a sample; again for more"},
	{"out", "DIR", read_out, "where NAME.h and NAME.c are written"},
	{"name", "NAME", read_name, "of the files, and of all in them. Default: the first FILE's"},
	{"samples", NULL, read_samples, "the files are samples, even if they look like schemas"},
	{"schema", NULL, read_schema, "the files are JSON Schemas, even if they look like samples"},
	{"draft", "7|2020-12", read_draft, "of the schemas. Default: their $schema, or 2020-12"},
	{"max-steps", "N", read_max_steps, "schemas visited, as often as needed. Default 2000000"},
};

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What the files are: what an option says, or else the first one looks like. */
static void
set_kind(struct generating *generating, const struct json_tree *root)
{
	if (!generating->are_schemas && !asyncapi_is(root) && !generate_is_schema(root))
		generating->are_samples = true;
	generating->model.source_kind = generating->are_samples ? "sample"
					: !generating->are_schemas && asyncapi_is(root)
						? "AsyncAPI document"
						: "JSON Schema";
}

/* Read one file. The first one tells what they all are. */
static bool
add_file(struct generating *generating, const char *path)
{
	struct document document;

	if (!document_read_or_print(generating->arena, path, &document))
		return false;
	if (generating->model.sources.count == 0)
		set_kind(generating, document.root);
	memory_list_add(generating->arena, &generating->model.sources, base_name(path));
	if (generating->are_samples) {
		memory_list_add(generating->arena, &generating->samples, document.root);
		return true;
	}
	if (!generating->are_schemas && asyncapi_is(document.root))
		return asyncapi_read(&generating->files, &document, &generating->messages);
	if (generating->model.sources.count == 1) {
		generating->schema = document.root;
		generating->files.is_guessed =
			!generating->are_schemas && !json_tree_string(document.root, "$schema");
	}
	return schema_files_add(&generating->files, &document, SCHEMA_2020_12);
}

/* Read all files, and check schemas. */
static bool
read_files(struct generating *generating)
{
	for (size_t i = 0; i < generating->from.count; i++)
		if (!add_file(generating, generating->from.items[i]))
			return false;
	for (size_t i = 0; i < generating->messages.count; i++) {
		const struct asyncapi_message *message = generating->messages.items[i];

		if (message->payload && !schema_check(&generating->files, message->payload))
			return false;
	}
	if (!generating->are_samples && !generating->schema && generating->messages.count == 0) {
		fprintf(stderr, "herald: %s: there are no messages in channels or components\n",
			(const char *)generating->from.items[0]);
		return false;
	}
	return !generating->schema || schema_check(&generating->files, generating->schema);
}

/* The name of the first file, up to its first dot. */
static bool
find_name(struct generating *generating)
{
	const char *base = base_name(generating->from.items[0]);

	if (!generating->name)
		generating->name =
			c_name_of(generating->arena, (struct herald_text){base, strcspn(base, ".")},
				  "payload");
	generating->model.name = generating->name;
	if (c_name_is_valid(generating->name))
		return true;
	fprintf(stderr, "herald: generate: --name is missing: \"%s\" cannot be a name in C\n",
		generating->name);
	return false;
}

static bool
write_file(struct generating *generating, const char *end,
	   void (*write)(struct c_model *model, struct herald_buffer *out))
{
	char *path =
		memory_print(generating->arena, "%s/%s%s", generating->out, generating->name, end);
	struct herald_buffer text;

	herald_buffer_init(&text, NULL, 0);
	write(&generating->model, &text);
	FILE *file = fopen(path, "w");
	bool is_written = file && fwrite(text.data, 1, text.bytes, file) == text.bytes;
	if (file && fclose(file) != 0)
		is_written = false;
	if (!is_written)
		fprintf(stderr, "herald: cannot write %s: %s\n", path, herald_errno_text(errno));
	herald_buffer_finish(&text);
	return is_written;
}

/* Returns false if it takes too many steps. */
static bool
make_model(struct generating *generating)
{
	struct c_model *model = &generating->model;

	if (generating->schema && !generating->are_samples)
		return generate_schema(model, &generating->files, generating->max_steps,
				       generating->schema);
	if (!generating->are_samples)
		return generate_messages(model, &generating->files, generating->max_steps,
					 &generating->messages);
	generate_samples(model, &generating->samples);
	return true;
}

static int
generate(struct generating *generating)
{
	generating->model.arena = generating->files.arena = generating->arena;
	if (!find_name(generating))
		return 2;
	if (!read_files(generating))
		return 1;
	if (!make_model(generating)) {
		fprintf(stderr,
			"herald: %s: its parts refer to each other in too many ways: it takes more "
			"than %" PRIu64 " steps, which --max-steps can raise\n",
			(const char *)generating->from.items[0], generating->max_steps);
		return 1;
	}
	if (mkdir(generating->out, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "herald: cannot make %s: %s\n", generating->out,
			herald_errno_text(errno));
		return 1;
	}
	return write_file(generating, ".h", c_write_header) &&
			       write_file(generating, ".c", c_write_source)
		       ? 0
		       : 1;
}

static int
run_generate(int argc, char **argv)
{
	static struct generating generating;
	char **words;
	int status = 2;

	generating.arena = memory_create();
	generating.max_steps = GENERATE_DEFAULT_STEPS;
	enum options_result result =
		options_read(&generate_command, argc, argv, &generating, 0, &words);
	if (result == OPTIONS_HELP)
		status = 0;
	else if (result == OPTIONS_OK && (generating.from.count == 0 || !generating.out))
		fprintf(stderr, "herald: generate: %s is missing\n",
			generating.from.count == 0 ? "--from" : "--out");
	else if (result == OPTIONS_OK && generating.are_samples && generating.are_schemas)
		fprintf(stderr, "herald: generate: --samples and --schema exclude each other\n");
	else if (result == OPTIONS_OK)
		status = generate(&generating);
	herald_arena_destroy(generating.arena);
	return status;
}

const struct tool_command generate_command = {
	.name = "generate",
	.words = "",
	.doc = "Write structs and schemas for C, from JSON Schema, AsyncAPI or sample payloads",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run_generate,
};
