/*
 * Writing schemas as JSON Schema, as a document or as part of one. Private.
 */
#ifndef HERALD_SRC_CODEC_JSON_SCHEMA_H
#define HERALD_SRC_CODEC_JSON_SCHEMA_H

#include <herald/json_schema.h>

#include "codec/json_schema_value.h"

/* The limit of the option `indent` of documents. */
#define HERALD__MAX_INDENT 16

/* Write the keywords of a schema into an open object. */
void herald__schema_write(struct herald__schema_writer *writer, const struct herald__plan *plan);

/* Set the error of a document that could not be written: out of memory, or too large. Returns the
 * status. */
enum herald_status herald__document_fail(enum herald_status status, struct herald_error *error);

#endif
