/*
 * The names of the attributes that a service lists, and the log record about names that it uses
 * without listing them. The values arrive with each event and are not stored here.
 */
#include "service/attribute_names.h"

#include <string.h>

#include <herald/adapter/format.h>
#include <herald/adapter/log.h>
#include <herald/adapter/text.h>

#include "base/options.h"
#include "service/event_trace.h"
#include "service/service.h"

static size_t
count_names(const char *const *names)
{
	size_t count = 0;

	while (names && names[count])
		count++;
	return count;
}

static struct herald__attribute_name
read_name(const char *text)
{
	size_t bytes = strlen(text);
	bool is_prefix = bytes > 0 && text[bytes - 1] == '*';

	return (struct herald__attribute_name){text, bytes - is_prefix, is_prefix};
}

static bool
is_listed(const struct herald__attribute_names *names, const char *text)
{
	for (size_t i = 0; i < names->count; i++)
		if (herald_ascii_same(names->all[i].text, text))
			return true;
	return false;
}

/* Returns false when out of memory. */
static bool
add_names(struct herald_service *service, const char *const *texts)
{
	struct herald__attribute_names *names = &service->attributes;

	for (; texts && *texts; texts++) {
		const char *copy;

		if (is_listed(names, *texts))
			continue;
		if (!herald__arena_string(service->arena, *texts, &copy))
			return false;
		names->all[names->count++] = read_name(copy);
		names->has_arguments |= *copy == HERALD__ARGUMENT_MARK;
	}
	return true;
}

/* Visit all lists. Returns false as soon as the visit does. */
static bool
visit_lists(struct herald_service *service, const char *const *own,
	    bool (*visit)(struct herald_service *service, const char *const *texts))
{
	if (service->tracing && !visit(service, herald__trace_attributes))
		return false;
	for (size_t i = 0; i < service->log_fields_count; i++) {
		const char *const log_field[] = {service->log_fields[i].name, NULL};

		if (!visit(service, log_field))
			return false;
	}
	if (!visit(service, own) || !visit(service, service->id_attributes))
		return false;
	for (size_t i = 0; i < service->formats_count; i++)
		if (!visit(service, service->formats[i]->attributes))
			return false;
	for (size_t i = 0; i < service->owned_count; i++)
		if (!visit(service, service->owned[i]->ops->attributes))
			return false;
	for (size_t i = 0; i < service->table.routes_count; i++)
		if (!visit(service, service->table.routes[i].declared.attributes))
			return false;
	return true;
}

/* `count` is the size of all lists until their names have been added. */
static bool
count_list(struct herald_service *service, const char *const *texts)
{
	service->attributes.count += count_names(texts);
	return true;
}

enum herald_status
herald__attribute_names_collect(struct herald_service *service, const char *const *own,
				struct herald_error *error)
{
	struct herald__attribute_names *names = &service->attributes;

	visit_lists(service, own, count_list);
	names->all = herald__arena_array(service->arena, names->count, sizeof(*names->all));
	names->count = 0;
	return names->all && visit_lists(service, own, add_names) ? HERALD_OK
								  : herald_out_of_memory(error);
}

static bool
has_prefix(const char *name, const struct herald__attribute_name *prefix)
{
	if (prefix->bytes == 0)
		return *name != HERALD__ARGUMENT_MARK;
	return strlen(name) >= prefix->bytes &&
	       herald_ascii_same_bytes(name, prefix->text, prefix->bytes);
}

bool
herald__attribute_names_have(const struct herald__attribute_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct herald__attribute_name *wanted = &names->all[i];

		if (wanted->is_prefix ? has_prefix(name, wanted)
				      : herald_ascii_same(name, wanted->text))
			return true;
	}
	return false;
}

/* FNV-1a of the name in lower case; never 0. */
static uint64_t
hash_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)herald_ascii_lower(*name)) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

/* Whether a name is new, and there was room to remember it. */
static bool
remember(struct herald__attribute_names *names, const char *name)
{
	uint64_t hash = hash_of(name);

	for (size_t i = 0; i < HERALD__LOGGED_NAMES; i++) {
		uint64_t found = 0;

		if (atomic_compare_exchange_strong(&names->logged[i], &found, hash))
			return true;
		if (found == hash)
			return false;
	}
	return false;
}

void
herald__attribute_names_missed(struct herald_service *service, const char *name)
{
	const struct herald_log_field field = {"attribute", name, 0};

	if (!herald_log_takes(&service->log, HERALD_LOG_DEBUG) ||
	    herald__attribute_names_have(&service->attributes, name) ||
	    !remember(&service->attributes, name))
		return;
	herald_log_write(&service->log, HERALD_LOG_DEBUG,
			 "an attribute was asked for that is in no list of attributes", &field, 1);
}
