/*
 * Events in each format through a store, for the tests of databases.
 */
#ifndef HERALD_TESTS_SUPPORT_STORED_FORMATS_H
#define HERALD_TESTS_SUPPORT_STORED_FORMATS_H

#include "contract/store/suite.h"

/* What a function sees of an event that comes out of a store, closed and opened again meanwhile, is
 * what it sees without a store. Uses `place_create`, `place_destroy` and `create`. */
void stored_formats_check(const struct contract_store *kind);

#endif
