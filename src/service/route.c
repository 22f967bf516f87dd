/*
 * The route table: finds the target of an event by its type and version. A hash table finds the
 * type. Its versions are sorted: first the exact ones, then the few patterns, the longest first.
 * The table is built in route_build.c; codecs and handlers belong to the service.
 */
#include "service/route.h"

#include <string.h>

static uint64_t
mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ hash >> 32; /* the upper half of a product depends on all bits */
}

/* The keys are the program's own, so an attacker cannot choose them to collide. */
uint32_t
herald__type_hash(const char *event_type)
{
	size_t bytes = strlen(event_type), at = 0;
	uint64_t hash = bytes, word;

	for (; bytes - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, event_type + at, sizeof(word));
		hash = mix(hash, word);
	}
	for (word = 0; at < bytes; at++)
		word = word << 8 | (unsigned char)event_type[at];
	return (uint32_t)mix(hash, word);
}

static const struct herald__type *
find_type(const struct herald__route_table *table, const char *event_type)
{
	if (table->types_count == 0)
		return NULL;

	/* At least half of the slots are empty, so the search ends. */
	for (size_t slot = herald__type_hash(event_type);; slot++) {
		uint32_t index = table->slots[slot & table->slots_mask];

		if (index == 0)
			return NULL;
		if (strcmp(table->types[index - 1].event_type, event_type) == 0)
			return &table->types[index - 1];
	}
}

static const struct herald__version *
find_exact(const struct herald__type *type, const char *version)
{
	size_t begin = 0, end = type->exact_count;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		int order = strcmp(version, type->versions[middle].text);

		if (order == 0)
			return &type->versions[middle];
		if (order < 0)
			end = middle;
		else
			begin = middle + 1;
	}
	return NULL;
}

static bool
matches_pattern(const struct herald__version *pattern, const char *version)
{
	if (pattern->match == HERALD__MATCH_ANY)
		return true;
	if (strncmp(version, pattern->text, pattern->bytes) != 0)
		return false;
	return version[pattern->bytes] == '\0' || version[pattern->bytes] == '.';
}

static const struct herald__version *
find_version(const struct herald__type *type, const char *version)
{
	if (!version)
		return type->versions[0].match == HERALD__MATCH_ANY ? &type->versions[0] : NULL;

	const struct herald__version *found = find_exact(type, version);

	for (size_t i = type->exact_count; !found && i < type->versions_count; i++)
		if (matches_pattern(&type->versions[i], version))
			found = &type->versions[i];
	return found;
}

const struct herald__version *
herald__route_table_version(const struct herald__route_table *table, const char *event_type,
			    const char *version)
{
	const struct herald__type *type = find_type(table, event_type);

	return type ? find_version(type, version) : NULL;
}

struct herald__target
herald__route_table_find(const struct herald__route_table *table, const char *event_type,
			 const char *version)
{
	const struct herald__type *type = find_type(table, event_type);
	const struct herald__version *found = type ? find_version(type, version) : NULL;

	if (found)
		return (struct herald__target){.route = found->route, .upcast = found->upcast};
	/* The catch-all takes every version that nothing else takes. As long as the version is not
	 * known, it can take only unknown types. */
	if (table->catch_all && (version || !type))
		return (struct herald__target){.route = table->catch_all};
	return (struct herald__target){.status =
					       type ? HERALD_UNKNOWN_VERSION : HERALD_UNKNOWN_TYPE};
}
