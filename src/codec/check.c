/*
 * Runs the checks of schemas, which are functions of the user, and records their refusals. When
 * they run is decided by the decoder and the encoder, and which ones by plan.c.
 */
#include "codec/check.h"

#include <stdarg.h>
#include <string.h>

#include <herald/check.h>

#include "codec/cases.h"
#include "codec/schema_check.h"

struct herald_refusal {
	struct herald__trace *trace;
	size_t offset;
	const char *member; /* NULL: none */
	bool is_said;
};

bool
herald_refuse(struct herald_refusal *refusal, const char *member, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	herald__trace_vfail(refusal->trace, refusal->offset, HERALD_BAD_VALUE, format, arguments);
	va_end(arguments);
	refusal->member = member;
	refusal->is_said = true;
	return false;
}

/*
 * The line of a schema, or of a flat struct in it, with this name in C, or this key in JSON. Lines
 * of cases that the struct does not have do not count.
 */
static const struct herald_field *
find_line(const struct herald_schema *schema, const char *in, const char *name, bool by_key)
{
	const struct herald_field *found = NULL;

	for (size_t i = 0; !found && i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];

		if (!herald__kind_is_in_json(field->kind) ||
		    !herald__line_counts(schema, field, in))
			continue;
		if (field->flat)
			found = find_line(field->schema, in + field->offset, name, by_key);
		else if (strcmp(by_key ? herald__field_key(field) : field->name, name) == 0)
			found = field;
	}
	return found;
}

/* Prepend the member that the check has named to the path. A transparent struct has no members in
 * JSON. */
static void
trace_member(const struct herald_refusal *refusal, const struct herald_schema *schema,
	     const char *in)
{
	const struct herald_field *field;
	const char *key;

	if (!refusal->member || schema->transparent)
		return;
	if (!(field = find_line(schema, in, refusal->member, false)) &&
	    !(field = find_line(schema, in, refusal->member, true)))
		return;
	key = herald__field_key(field);
	herald__trace_key(refusal->trace, key, strlen(key));
}

bool
herald__run_checks(struct herald__trace *trace, size_t offset, const struct herald__plan *plan,
		   const char *in)
{
	for (size_t i = 0; i < plan->checks_count; i++) {
		const struct herald_schema *schema = plan->checks[i].schema;
		const struct herald_check *check = schema->check;
		const char *value = in + plan->checks[i].offset;
		struct herald_refusal refusal = {trace, offset, NULL, false};

		if (check->function(value, check->state, &refusal))
			continue;
		if (!refusal.is_said)
			herald__trace_fail(trace, offset, HERALD_BAD_VALUE,
					   "refused by the check of struct %s", schema->name);
		trace_member(&refusal, schema, value);
		return false;
	}
	return true;
}
