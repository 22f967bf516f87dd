/*
 * Lists of methods as in Allow: "GET, HEAD". Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_METHODS_H
#define HERALD_SRC_HTTP_SERVER_METHODS_H

#include <stdbool.h>

#include <herald/arena.h>
#include <herald/value.h>

/* Whether a list has a method. */
bool herald__methods_have(const char *list, struct herald_text method);

/* A list with those methods of another one after it that it lacks. NULL when out of memory. */
const char *herald__methods_add(struct herald_arena *arena, const char *list, const char *others);

#endif
