/*
 * The lists in the options of metrics: consumers and producers with their names, checked and
 * copied. A name twice would be two series with the same labels, which readers refuse.
 */
#include "metrics/options.h"

#include <string.h>

#include <herald/adapter/options.h>

#include "base/options.h"
#include "producer/named.h"

#define MAX_NAMED 1024

static enum herald_status
check_name(const char *list, size_t index, const char *name, struct herald_error *error)
{
	const struct herald__option option = {list, index, "name"};

	if (!name || *name == '\0')
		return herald__option_error(error, HERALD_BAD_OPTION, option, "is missing");
	if (!herald__is_producer_name(name))
		return herald__option_error(
			error, HERALD_BAD_OPTION, option,
			"expected 1 to 63 letters, digits, '-', '.' and '_', not \"%s\"", name);
	return HERALD_OK;
}

/* An element of either list. */
struct named {
	const char *name;
	const void *object;
};

typedef struct named named_at(const struct herald_metrics_options *options, size_t index);

static struct named
consumer_at(const struct herald_metrics_options *options, size_t index)
{
	return (struct named){options->consumers[index].name, options->consumers[index].consumer};
}

static struct named
producer_at(const struct herald_metrics_options *options, size_t index)
{
	return (struct named){options->producers[index].name, options->producers[index].producer};
}

/* `member` is the other member of an element, for errors. */
static enum herald_status
check_element(const struct herald_metrics_options *options, named_at *at, const char *list,
	      const char *member, size_t index, struct herald_error *error)
{
	const struct named named = at(options, index);
	enum herald_status status = check_name(list, index, named.name, error);

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < index; i++) {
		const char *before = at(options, i).name;

		if (before && strcmp(before, named.name) == 0)
			return herald__option_error(error, HERALD_BAD_OPTION,
						    (struct herald__option){list, index, "name"},
						    "%s[%zu] has the same name", list, i);
	}
	if (!named.object)
		return herald__option_error(error, HERALD_BAD_OPTION,
					    (struct herald__option){list, index, member},
					    "is missing");
	return HERALD_OK;
}

static enum herald_status
copy_consumers(struct herald_metrics *metrics, struct herald_error *error)
{
	struct herald_metrics_options *options = &metrics->options;
	struct herald_named_consumer *copies =
		herald__arena_array(metrics->arena, options->consumers_count, sizeof(*copies));
	enum herald_status status = HERALD_OK;

	if (!copies)
		return herald_out_of_memory(error);
	for (size_t i = 0; status == HERALD_OK && i < options->consumers_count; i++) {
		status = check_element(options, consumer_at, "consumers", "consumer", i, error);
		if (status != HERALD_OK)
			return status;
		copies[i].consumer = options->consumers[i].consumer;
		if (!herald__arena_string(metrics->arena, options->consumers[i].name,
					  &copies[i].name))
			return herald_out_of_memory(error);
	}
	options->consumers = copies;
	return status;
}

static enum herald_status
copy_producers(struct herald_metrics *metrics, struct herald_error *error)
{
	struct herald_metrics_options *options = &metrics->options;
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; status == HERALD_OK && i < options->producers_count; i++)
		status = check_element(options, producer_at, "producers", "producer", i, error);
	if (status != HERALD_OK)
		return status;
	options->producers = herald__named_producers_copy(metrics->arena, options->producers,
							  options->producers_count);
	return options->producers || options->producers_count == 0 ? HERALD_OK
								   : herald_out_of_memory(error);
}

enum herald_status
herald__metrics_lists_copy(struct herald_metrics *metrics, struct herald_error *error)
{
	const struct herald_metrics_options *options = &metrics->options;
	const struct herald_option_range ranges[] = {
		{"consumers_count", options->consumers_count, 0, MAX_NAMED},
		{"producers_count", options->producers_count, 0, MAX_NAMED},
	};
	enum herald_status status =
		herald_option_array_check("consumers", "HERALD_CONSUMERS", options->consumers,
					  options->consumers_count, error);

	if (status == HERALD_OK)
		status = herald_option_array_check("producers", "HERALD_PRODUCERS",
						   options->producers, options->producers_count,
						   error);
	if (status == HERALD_OK)
		status = herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
	if (status == HERALD_OK)
		status = copy_consumers(metrics, error);
	if (status == HERALD_OK)
		status = copy_producers(metrics, error);
	return status;
}
