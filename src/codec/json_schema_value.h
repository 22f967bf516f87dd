/*
 * Writing the values of members, and references to schemas, as JSON Schema. Private.
 */
#ifndef HERALD_SRC_CODEC_JSON_SCHEMA_VALUE_H
#define HERALD_SRC_CODEC_JSON_SCHEMA_VALUE_H

#include <stdbool.h>

#include "codec/definitions.h"
#include "codec/plan.h"
#include "json/writer/indented.h"

/* A document that has schemas in it. */
struct herald__schema_writer {
	struct herald__indented json;
	struct herald__definitions definitions;
	const char *prefix;              /* of references: "#/$defs/" */
	const struct herald__plan *root; /* its reference is "#"; NULL: none */
	bool refs_are_alone;             /* keywords next to "$ref" are ignored: draft-07 */
};

/* Whether null is a valid document of a schema. */
bool herald__schema_accepts_null(const struct herald__plan *plan);

/*
 * Write the keywords of a reference to a schema into an open object.
 *
 * takes_null  null is valid, whether or not the schema accepts it.
 * is_alone    the object has no other keywords.
 */
void herald__schema_write_ref(struct herald__schema_writer *writer, const struct herald__plan *plan,
			      bool takes_null, bool is_alone);

/* Write the keywords of a member's value into an open object, which already has its "description",
 * if there is one. */
void herald__schema_write_value(struct herald__schema_writer *writer,
				const struct herald__field *field, bool takes_null);

#endif
