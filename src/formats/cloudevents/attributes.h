/*
 * The attributes of an event that is being decoded, whichever mode it came in: their names, which
 * values they may have, and that each is there at most once. Private.
 */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_ATTRIBUTES_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/cloudevent.h>

#include "base/error_path.h"

/* Extensions of an event, whether it is decoded, made or encoded. */
#define HERALD__MAX_EXTENSIONS 1024

/* The names that the specification defines. */
enum herald__event_attribute {
	HERALD__SPECVERSION,
	HERALD__ID,
	HERALD__SOURCE,
	HERALD__TYPE,
	HERALD__TIME,
	HERALD__SUBJECT,
	HERALD__DATASCHEMA,
	HERALD__DATACONTENTTYPE,
	HERALD__DATA,        /* not an attribute: a member in JSON */
	HERALD__DATA_BASE64, /* likewise */
	HERALD__EXTENSION,   /* any other name */
};

extern const char *const herald__event_attribute_names[HERALD__EXTENSION];

/* Compares exactly. */
enum herald__event_attribute herald__event_attribute_find(const char *name, size_t bytes);

/* Whether a name is [a-z0-9]+. */
bool herald__is_event_attribute_name(const char *name, size_t bytes);

/*
 * Check the value of an attribute, which must be UTF-8: allowed characters, not empty, and the
 * syntax of media types. Records the error in `trace` and returns false otherwise.
 */
bool herald__event_attribute_check(enum herald__event_attribute attribute, struct herald_text value,
				   size_t offset, struct herald__trace *trace);

/* An event under construction. */
struct herald__event_builder {
	struct herald_cloudevent *event;
	const struct herald_cloudevent_options *options; /* without zeros */
	struct herald_arena *arena;
	struct herald__trace *trace; /* where errors are recorded */
	struct herald_cloudevent_extension *extensions;
	size_t extensions_count, extensions_capacity;
	/* A bit for each enum herald__event_attribute: there, perhaps null; with a value. */
	unsigned seen, set;
};

/* The kind of an extension that must not be in the event: null, or one with a bad name that is
 * ignored. Its name must not occur twice either. */
#define HERALD__UNSET ((enum herald_cloudevent_kind)99)

/* Replace zeros by the defaults. Errors: HERALD_BAD_OPTION. */
HERALD_MUST_CHECK enum herald_status
herald__cloudevent_options(const struct herald_cloudevent_options *options,
			   struct herald_cloudevent_options *out, struct herald_error *error);

/*
 * The functions below return false after recording an error.
 */

/* Note that an attribute is there, `offset` being its name's: twice is an error. */
bool herald__builder_see(struct herald__event_builder *builder,
			 enum herald__event_attribute attribute, size_t offset);

/* Set an attribute other than an extension, after herald__builder_see(). The value must be UTF-8
 * and followed by a NUL. */
bool
herald__builder_set(struct herald__event_builder *builder, enum herald__event_attribute attribute,
		    struct herald_text value, size_t offset);

/* Add an extension; the caller sets its kind, which is HERALD__UNSET. Returns NULL after an error.
 * `name` is followed by a NUL. */
struct herald_cloudevent_extension *
herald__builder_extend(struct herald__event_builder *builder, const char *name, size_t bytes,
		       size_t offset);

/* Set an extension to a string, as herald__builder_set(). */
bool herald__builder_set_string(struct herald__event_builder *builder,
				struct herald_cloudevent_extension *extension,
				struct herald_text value, size_t offset);

/* Check that all required attributes are there, and complete the event. On failure *missing is the
 * name of the attribute, for the path. `offset` is where the event begins. */
bool
herald__builder_finish(struct herald__event_builder *builder, size_t offset, const char **missing);

/* Record that the arena gave NULL. Returns false. */
bool herald__builder_no_memory(struct herald__event_builder *builder, size_t offset);

#endif
