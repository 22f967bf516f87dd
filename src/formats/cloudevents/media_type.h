/*
 * Media types: syntax, JSON or not, and the charset. Private.
 */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_MEDIA_TYPE_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the type and the subtype that a text begins with ("text/plain"), or 0 if it is not
 * a media type (RFC 9110 section 8.3.1). The parameters after it are not checked. */
size_t herald__media_type_bytes(const char *text, size_t bytes);

/* herald_cloudevent_is_json_type() of a text with a length. */
bool herald__media_type_is_json(const char *text, size_t bytes);

#endif
