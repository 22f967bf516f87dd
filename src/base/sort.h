/*
 * Heapsort. It allocates nothing and is O(n log n) in the worst case, so that a sender who chooses
 * the keys cannot make it slow. Not stable. Inline, so that the comparison is inlined too.
 */
#ifndef HERALD_SRC_BASE_SORT_H
#define HERALD_SRC_BASE_SORT_H

#include <stddef.h>

#include "base/attributes.h"

/* Negative: `a` comes before `b`; 0: either may; positive: `b` comes before `a`. */
typedef int herald__order(const void *a, const void *b);

/* Make a heap of `root` and the items below it, which are already heaps. The item that comes last
 * is on top. */
static HERALD__INLINE void
herald__sort_sift(const void **items, size_t root, size_t count, herald__order *order)
{
	const void *moved = items[root];
	size_t child;

	for (; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && order(items[child + 1], items[child]) > 0)
			child++;
		if (order(moved, items[child]) >= 0)
			break;
		items[root] = items[child];
	}
	items[root] = moved;
}

/* Sort pointers to items in ascending order. */
static HERALD__INLINE void
herald__sort(const void **items, size_t count, herald__order *order)
{
	for (size_t i = count / 2; i-- > 0;)
		herald__sort_sift(items, i, count, order);
	for (size_t i = count; i-- > 1;) {
		const void *last = items[0];

		items[0] = items[i];
		items[i] = last;
		herald__sort_sift(items, 0, i, order);
	}
}

#endif
