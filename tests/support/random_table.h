/*
 * Schemas drawn at random: structs that no C source has, of every kind, with every option, in each
 * other. every_fill() and every_equal() of every_kind.h work on them. Does not need cmocka.
 */
#ifndef HERALD_TESTS_SUPPORT_RANDOM_TABLE_H
#define HERALD_TESTS_SUPPORT_RANDOM_TABLE_H

#include <herald/arena.h>
#include <herald/schema.h>

#include "every_kind.h"

/*
 * Draw a schema whose tables are in the arena, which must be large enough. `refuses` is what the
 * checks of its structs read: as long as it is true, they refuse all structs.
 */
const struct herald_schema *
random_table(struct every_random *random, struct herald_arena *arena, const bool *refuses);

#endif
