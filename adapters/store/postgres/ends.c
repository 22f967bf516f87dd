/*
 * Ends, sorted. Owns the list.
 */
#include "ends.h"

#include <stdlib.h>

#include <herald/adapter/memory.h>

#include "rows.h"
#include "session.h"

bool
herald__postgres_ends_init(const struct postgres_session *session, struct postgres_ends *ends,
			   size_t capacity)
{
	*ends = (struct postgres_ends){.capacity = capacity};
	ends->all = herald_memory_allocate(&session->database->options.allocator,
					   capacity * sizeof(*ends->all));
	return ends->all;
}

void
herald__postgres_ends_finish(const struct postgres_session *session, struct postgres_ends *ends)
{
	herald_memory_release(&session->database->options.allocator, ends->all,
			      ends->capacity * sizeof(*ends->all));
	*ends = (struct postgres_ends){0};
}

void
herald__postgres_ends_add(struct postgres_ends *ends, const struct postgres_end *end)
{
	*end->is_lost = true;
	ends->all[ends->count++] = *end;
}

static int
compare_fences(const struct postgres_end *first, const struct postgres_end *second)
{
	if (first->id != second->id)
		return first->id < second->id ? -1 : 1;
	if (first->owner != second->owner)
		return first->owner < second->owner ? -1 : 1;
	if (first->replays != second->replays)
		return first->replays < second->replays ? -1 : 1;
	return (first->attempts > second->attempts) - (first->attempts < second->attempts);
}

/* The completions are members of one array, so their addresses have their order. */
static int
compare(const void *a, const void *b)
{
	const struct postgres_end *first = a, *second = b;
	const int order = compare_fences(first, second);

	return order != 0 ? order
			  : (first->is_lost > second->is_lost) - (first->is_lost < second->is_lost);
}

void
herald__postgres_ends_sort(struct postgres_ends *ends)
{
	size_t count = 0;

	qsort(ends->all, ends->count, sizeof(*ends->all), compare);
	for (size_t i = 0; i < ends->count; i++)
		if (i == 0 || compare_fences(&ends->all[i], &ends->all[count - 1]) != 0)
			ends->all[count++] = ends->all[i];
	ends->count = count;
}

bool
herald__postgres_is_done(const struct postgres_end *end)
{
	return end->kind == HERALD_COMPLETE_DONE;
}

bool
herald__postgres_is_retry(const struct postgres_end *end)
{
	return end->kind == HERALD_COMPLETE_RETRY;
}

bool
herald__postgres_is_return(const struct postgres_end *end)
{
	return end->kind == HERALD_COMPLETE_RETRY || end->kind == HERALD_COMPLETE_RELEASE;
}

bool
herald__postgres_is_dead(const struct postgres_end *end)
{
	return end->kind == HERALD_COMPLETE_DEAD;
}

size_t
herald__postgres_put_fence(struct postgres_session *session, const struct postgres_ends *ends,
			   postgres_end_selection *selects)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	size_t count = 0;

	POSTGRES_EACH_END(ends, selects, end)
	count++;
	herald__postgres_array(parameters, POSTGRES_INT8, count);
	POSTGRES_EACH_END(ends, selects, end)
	herald__postgres_put_int8(parameters, (int64_t)end->id);
	herald__postgres_array(parameters, POSTGRES_INT8, count);
	POSTGRES_EACH_END(ends, selects, end)
	herald__postgres_put_int8(parameters, (int64_t)end->owner);
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	POSTGRES_EACH_END(ends, selects, end)
	herald__postgres_put_int4(parameters, (int32_t)end->attempts);
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	POSTGRES_EACH_END(ends, selects, end)
	herald__postgres_put_int4(parameters, (int32_t)end->replays);
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	POSTGRES_EACH_END(ends, selects, end)
	herald__postgres_put_int4(parameters, (int32_t)(end - ends->all));
	return count;
}

const struct postgres_end *
herald__postgres_end_found(const struct postgres_ends *ends, const PGresult *result, int row)
{
	const struct postgres_end *end = &ends->all[herald__postgres_row_int4(result, row, 0)];

	*end->is_lost = false;
	return end;
}
