/*
 * The options of a store: their defaults, and what is wrong with them.
 */
#ifndef HERALD_SRC_STORE_OPTIONS_H
#define HERALD_SRC_STORE_OPTIONS_H

#include <herald/status.h>
#include <herald/store.h>

/* Fill in defaults and check. Errors: HERALD_BAD_OPTION. */
enum herald_status
herald__store_options_check(struct herald_store_options *options, struct herald_error *error);

#endif
