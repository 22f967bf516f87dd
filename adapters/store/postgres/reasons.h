/*
 * The reasons of dead letters, by their names in the database.
 */
#ifndef HERALD_POSTGRES_REASONS_H
#define HERALD_POSTGRES_REASONS_H

#include <herald/store.h>

/* Such as "failed". */
const char *herald__postgres_reason_name(enum herald_dead_reason reason);

/* HERALD_DEAD_ANY if it is not known: a newer Herald has stored it. */
enum herald_dead_reason herald__postgres_reason(const char *name);

#endif
