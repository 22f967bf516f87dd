/*
 * References between schemas: URIs and JSON Pointers in them.
 */
#ifndef HERALD_CMD_URI_H
#define HERALD_CMD_URI_H

#include <stdbool.h>

#include <herald/arena.h>
#include <herald/value.h>

/* Resolve a reference against an absolute URI (RFC 3986 section 5.2). */
char *uri_resolve(struct herald_arena *arena, const char *base, const char *reference);

/* The URI of a file, with its path as it was given, which may be relative. */
char *uri_of_file(struct herald_arena *arena, const char *path);

/* Cut a URI before its fragment. Returns the fragment, percent-decoded; "" if there is none. */
char *uri_cut_fragment(char *uri);

/* Take the next name of a JSON Pointer, which is decoded in place. Returns false at its end. */
bool uri_pointer_next(char **pointer, struct herald_text *name);

/* Whether a text is a URI with a scheme (RFC 3986 section 3). */
bool uri_is_valid(struct herald_text text);

#endif
