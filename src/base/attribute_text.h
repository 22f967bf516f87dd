/*
 * Attributes of an event as one text: "name\0value\0" for each.
 */
#ifndef HERALD_SRC_BASE_ATTRIBUTE_TEXT_H
#define HERALD_SRC_BASE_ATTRIBUTE_TEXT_H

#include <herald/context.h>
#include <herald/value.h>

/* The first value of a name, ignoring the case of ASCII letters; NULL if there is none. The text
 * may be cut off anywhere. */
const char *herald__attributes_find(struct herald_text attributes, const char *name);

/* Visit all of them in their order. */
void herald__attributes_visit(struct herald_text attributes, herald_attribute_visitor *visit,
			      void *state);

#endif
