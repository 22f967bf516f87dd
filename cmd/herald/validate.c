/*
 * `herald validate`: checks events in files by a JSON Schema, and prints what is wrong first in
 * each.
 */
#include "validate.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <herald/array.h>

#include "asyncapi.h"
#include "check.h"
#include "text.h"

#define MAX_SCHEMAS 64

struct validation {
	const char *schemas[MAX_SCHEMAS];
	size_t schemas_count;
	const char *message;
	struct schema_files files;
	struct checker checker;
};

static const char *
read_schema(const char *value, void *state)
{
	struct validation *validation = state;

	if (validation->schemas_count == MAX_SCHEMAS)
		return "at most 64 of them";
	validation->schemas[validation->schemas_count++] = value;
	return NULL;
}

static const char *
read_message(const char *value, void *state)
{
	((struct validation *)state)->message = value;
	return NULL;
}

static const char *
read_draft(const char *value, void *state)
{
	struct validation *validation = state;

	if (!schema_draft_read(value, &validation->files.draft))
		return "7 or 2020-12";
	return NULL;
}

static const char *
read_formats(const char *value, void *state)
{
	(void)value;
	((struct validation *)state)->checker.asserts_formats = true;
	return NULL;
}

static const char *
read_max_steps(const char *value, void *state)
{
	return options_number(value, 1, UINT64_MAX / 2,
			      &((struct validation *)state)->checker.max_steps)
		       ? NULL
		       : "a number from 1";
}

static const struct tool_option options[] = {
	{"schema", "FILE", read_schema, "JSON Schema or AsyncAPI; again for what it refers to"},
	{"message", "NAME", read_message, "of AsyncAPI: which message's payload the events are"},
	{"draft", "7|2020-12", read_draft, "of the schemas. Default: their $schema, or 2020-12"},
	{"max-steps", "N", read_max_steps,
	 "schemas applied to an event, more if it is large. Default 20000000"},
	{"formats", NULL, read_formats, "check date-time, uuid, uri and email, too"},
};

/* The schema of a message's payload; NULL if it is in another format, which was printed. */
static const struct json_tree *
payload_of(const struct validation *validation, const struct asyncapi_message *message)
{
	static const struct json_tree any = {.type = HERALD_JSON_BOOL, .json = {"true", 4}};

	if (!message->format)
		return message->payload ? message->payload : &any;
	fprintf(stderr, "herald: %s: the message ", validation->schemas[0]);
	text_print_safe(stderr, text_of(message->type));
	fprintf(stderr, ": only JSON Schema is supported, not the schemaFormat ");
	text_print_safe(stderr, text_of(message->format));
	fprintf(stderr, "\n");
	return NULL;
}

/* A name that no other message has: its type, if that is one. */
static const char *
own_name(const struct memory_list *messages, const struct asyncapi_message *message)
{
	for (size_t i = 0; i < messages->count; i++) {
		const struct asyncapi_message *other = messages->items[i];

		if (other != message && strcmp(other->type, message->type) == 0)
			return message->name;
	}
	return message->type;
}

/* The message that --message names, or the only one; else NULL. If several messages have one type,
 * it names the first of them. */
static const struct asyncapi_message *
named_message(const char *name, const struct memory_list *messages)
{
	for (int by_type = 1; by_type >= 0; by_type--)
		for (size_t i = 0; i < messages->count; i++) {
			const struct asyncapi_message *message = messages->items[i];

			if (name ? strcmp(by_type ? message->type : message->name, name) == 0
				 : messages->count == 1)
				return message;
		}
	return NULL;
}

/* The payload of the message that --message names. */
static const struct json_tree *
find_message(const struct validation *validation, const struct memory_list *messages)
{
	const struct asyncapi_message *found = named_message(validation->message, messages);
	const char *names = "";

	if (found)
		return payload_of(validation, found);
	if (messages->count == 0) {
		fprintf(stderr, "herald: %s: there are no messages in channels or components\n",
			validation->schemas[0]);
		return NULL;
	}
	for (size_t i = 0; i < messages->count; i++)
		names = memory_print(validation->files.arena, "%s%s%s", names, i > 0 ? ", " : "",
				     own_name(messages, messages->items[i]));
	fprintf(stderr, "herald: validate: --message: expected one of ");
	text_print_safe(stderr, text_of(names));
	if (validation->message)
		fprintf(stderr, ", found \"%s\"", validation->message);
	fprintf(stderr, "\n");
	return NULL;
}

/* Read file i of --schema. Returns the schema; the first file's is the one to check events by. */
static const struct json_tree *
add_file(struct validation *validation, size_t i)
{
	const char *path = validation->schemas[i];
	struct memory_list messages = {0};
	struct document document;

	if (!document_read_or_print(validation->files.arena, path, &document))
		return NULL;
	if (!asyncapi_is(document.root))
		return schema_files_add(&validation->files, &document, SCHEMA_2020_12)
			       ? document.root
			       : NULL;
	if (!asyncapi_read(&validation->files, &document, &messages))
		return NULL;
	return i > 0 ? document.root : find_message(validation, &messages);
}

/* The schema of --schema; NULL if it cannot be used, which was printed. */
static const struct json_tree *
read_schemas(struct validation *validation)
{
	const struct json_tree *schema = NULL;

	for (size_t i = 0; i < validation->schemas_count; i++) {
		const struct json_tree *root = add_file(validation, i);

		if (!root)
			return NULL;
		if (i == 0)
			schema = root;
	}
	return schema_check(&validation->files, schema) ? schema : NULL;
}

static void
print_failure(const struct document *document, const struct checker *checker,
	      const struct check_failure *failure)
{
	printf("%s: ", document->path);
	if (checker->stopped) {
		printf("not checked: ");
		text_print_safe(stdout, text_of(checker->stopped));
		putchar('\n');
		return;
	}
	const char *path = check_path(checker->arena, document->root, failure->value);
	text_print_safe(stdout, text_of(path));
	printf("%s", *path != '\0' ? ": " : "");
	text_print_safe(stdout, text_of(failure->reason));
	printf(" (byte %zu)\n", (size_t)(failure->value->json.data - document->text));
}

/* Returns whether the file is valid. */
static bool
validate_file(struct validation *validation, const struct json_tree *schema, const char *path)
{
	struct checker *checker = &validation->checker;
	struct check_failure failure;
	struct herald_error error;
	struct document document;
	bool is_read = document_read(checker->arena, path, &document, &error);
	bool is_valid = is_read && check_document(checker, schema, document.root, &failure);

	if (!is_read && error.status != HERALD_SYSTEM)
		herald_error_print(stdout, path, &error);
	else if (is_read && !is_valid)
		print_failure(&document, checker, &failure);
	herald_arena_reset(checker->arena);
	return is_valid;
}

static int
validate_files(struct validation *validation, char **paths)
{
	int status = 0;

	validation->files.arena = memory_create();
	validation->checker.arena = memory_create();
	validation->checker.files = &validation->files;
	const struct json_tree *schema = read_schemas(validation);
	if (!schema)
		status = 2;
	for (; schema && *paths; paths++)
		if (!validate_file(validation, schema, *paths))
			status = 1;
	herald_arena_destroy(validation->checker.arena);
	herald_arena_destroy(validation->files.arena);
	return fflush(stdout) == 0 ? status : 1;
}

static int
run_validate(int argc, char **argv)
{
	static struct validation validation;
	char **words;

	validation.checker.max_steps = CHECK_DEFAULT_STEPS;
	enum options_result result =
		options_read(&validate_command, argc, argv, &validation, INT_MAX, &words);

	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	if (validation.schemas_count == 0 || !*words) {
		fprintf(stderr, "herald: validate: %s is missing\n",
			validation.schemas_count == 0 ? "--schema" : "a file with an event");
		return 2;
	}
	return validate_files(&validation, words);
}

const struct tool_command validate_command = {
	.name = "validate",
	.words = "EVENT...",
	.doc = "Check events in files by a JSON Schema, and print what is wrong first in each",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run_validate,
};
