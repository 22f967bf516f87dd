/*
 * `herald generate`: structs and tables from JSON Schemas, AsyncAPI documents and samples.
 */
#ifndef HERALD_CMD_GENERATE_H
#define HERALD_CMD_GENERATE_H

#include "asyncapi.h"
#include "c_model.h"
#include "options.h"
#include "schema_file.h"

extern const struct tool_command generate_command;

/* Schemas and members that are visited, each as often as it is referred to in another way. */
#define GENERATE_DEFAULT_STEPS 2000000

/* Whether a document looks like a JSON Schema, not like a sample (generate_kind.c). */
bool generate_is_schema(const struct json_tree *root);

/* Add the structs of a schema, and of the messages of an AsyncAPI document. Returns false if that
 * takes more than max_steps. */
bool generate_schema(struct c_model *model, struct schema_files *files, uint64_t max_steps,
		     const struct json_tree *schema);
bool generate_messages(struct c_model *model, struct schema_files *files, uint64_t max_steps,
		       const struct memory_list *messages);

/* Add the structs that all samples (struct json_tree) fit into. */
void generate_samples(struct c_model *model, const struct memory_list *samples);

#endif
