/*
 * Actions on dead letters: reads what to do, does it, and logs it. Whether it is allowed was
 * checked before.
 */
#include "admin/actions.h"

#include <herald/adapter/log.h>
#include <herald/schema.h>

#include "admin/call.h"
#include "admin/filter.h"

/* The body. */

struct admin_action {
	struct herald__admin_filter filter;
	bool all;
	bool dry_run;
};

/* The members of the filter are members of the body. An empty text is refused: it is more often a
 * variable that was not set than a wish, and would select more than was meant. */
#define FILTER(...) HERALD_FIELD(herald__admin_filter, __VA_ARGS__)
#define FILTER_TEXT(NAME) FILTER(NAME, .min_bytes = 1)

HERALD_SCHEMA(herald__admin_filter,
	FILTER_TEXT(kind),
	FILTER_TEXT(id),
	FILTER_TEXT(queue),
	FILTER_TEXT(event_type),
	FILTER_TEXT(source),
	FILTER_TEXT(event_id),
	FILTER_TEXT(destination),
	FILTER_TEXT(why),
	FILTER_TEXT(after),
	FILTER(from_ms, HERALD_MIN(0)),
	FILTER(to_ms, HERALD_MIN(1)),
	FILTER(limit, HERALD_MIN(1)));

HERALD_SCHEMA_WITH(admin_action, (.reject_unknown = true),
	HERALD_STRUCT(admin_action, filter, herald__admin_filter, .flat = true),
	HERALD_FIELD(admin_action, all),
	HERALD_FIELD(admin_action, dry_run));

enum herald_status
herald__admin_actions_init(struct herald_admin *admin, struct herald_error *error)
{
	return herald_codec_create(&admin_action_schema, NULL, &admin->allocator,
				   &admin->action_codec, error);
}

/* Returns false after answering. */
static bool
read_action(struct herald__admin_call *call, struct admin_action *out)
{
	const struct herald_text body = call->request->body;
	char *copy = herald_arena_copy(call->arena, body.data, body.bytes);
	struct herald_error error;

	if (!copy) {
		call->json.status = HERALD_NO_MEMORY;
		return false;
	}
	if (herald_codec_decode(call->admin->action_codec, copy, body.bytes, call->arena, out,
				&error) != HERALD_OK) {
		herald__admin_refuse_error(call, &error);
		return false;
	}
	if (herald__admin_filter_is_empty(&out->filter) && !out->all) {
		herald__admin_refuse(call, 400,
				     "no filter: set \"all\" to true to select all dead letters");
		return false;
	}
	return true;
}

/* A dry run counts what is dead by now, and answers with the time, which bounds the action itself:
 * what dies later, again or for the first time, was not counted. A single one needs no bound. */
static void
bound_dry_run(const struct herald_admin *admin, struct herald_dead_filter *filter)
{
	const int64_t to_ms = herald__clock_wall_ms(&admin->clock) + 1;

	if (filter->id == 0 && filter->to_ms == 0 && filter->from_ms < to_ms)
		filter->to_ms = to_ms;
}

/* Doing it. */

typedef enum herald_status
action_function(struct herald_store *store, const struct herald_dead_filter *filter,
		const struct herald_bulk *bulk, uint64_t *count, struct herald_error *error);

struct action {
	const char *name;
	action_function *run;
};

static const struct action replay = {"replay", herald_store_dead_replay};
static const struct action drop = {"drop", herald_store_dead_drop};

static void
log_action(const struct herald_admin *admin, const struct action *action,
	   const struct admin_action *given, uint64_t count, const struct herald_error *error)
{
	const struct herald__admin_filter *filter = &given->filter;
	/* What has neither a text nor a number is left out. */
	const struct herald_log_field all[] = {
		{.key = "action", .text = action->name},
		{.key = "dry_run", .text = given->dry_run ? "true" : "false"},
		{.key = "count", .number = (int64_t)count},
		{.key = "error", .text = error->message[0] != '\0' ? error->message : NULL},
		{.key = "all", .text = given->all ? "true" : NULL},
		{.key = "kind", .text = filter->kind},
		{.key = "id", .text = filter->id},
		{.key = "queue", .text = filter->queue},
		{.key = "event_type", .text = filter->event_type},
		{.key = "source", .text = filter->source},
		{.key = "event_id", .text = filter->event_id},
		{.key = "destination", .text = filter->destination},
		{.key = "why", .text = filter->why},
		{.key = "after", .text = filter->after},
		{.key = "from_ms", .number = filter->from_ms},
		{.key = "to_ms", .number = filter->to_ms},
		{.key = "limit",
		 .number = filter->limit < INT64_MAX ? (int64_t)filter->limit : INT64_MAX},
	};
	struct herald_log_field fields[HERALD_COUNT(all)];
	size_t fields_count = 0;

	for (size_t i = 0; i < HERALD_COUNT(all); i++)
		if (i == 2 || all[i].text || all[i].number != 0)
			fields[fields_count++] = all[i];
	herald_log_write(&admin->options.log, HERALD_LOG_INFO, "action of the dashboard", fields,
			 fields_count);
}

static void
put_done(struct herald__admin_call *call, const struct action *action, bool is_dry_run,
	 uint64_t count, const struct herald_dead_filter *filter)
{
	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "operation", action->name);
	herald__admin_put(call, "count", count);
	herald__admin_put_bool(call, "dry_run", is_dry_run);
	herald__admin_put_bool(call, "more", count == filter->limit);
	if (is_dry_run && filter->to_ms != 0)
		herald__admin_put(call, "to_ms", (uint64_t)filter->to_ms);
	herald__indented_end(&call->json, '}');
}

static void
act(struct herald__admin_call *call, const struct action *action)
{
	const struct herald_admin_options *options = &call->admin->options;
	struct herald_dead_filter filter;
	struct admin_action given;
	struct herald_error error = {.message = ""};
	uint64_t count = 0;

	if (!read_action(call, &given) ||
	    !herald__admin_filter_resolve(call, &given.filter, &filter))
		return;
	if (given.dry_run)
		bound_dry_run(call->admin, &filter);
	filter.limit = given.filter.limit;
	if (filter.limit == 0 || filter.limit > options->max_action_count)
		filter.limit = options->max_action_count;
	enum herald_status status =
		action->run(options->store, &filter,
			    &(struct herald_bulk){.is_dry_run = given.dry_run}, &count, &error);
	log_action(call->admin, action, &given, count, &error);
	if (status != HERALD_OK)
		herald__admin_refuse_error(call, &error);
	else
		put_done(call, action, given.dry_run, count, &filter);
}

void
herald__admin_replay(struct herald__admin_call *call)
{
	act(call, &replay);
}

void
herald__admin_drop(struct herald__admin_call *call)
{
	act(call, &drop);
}
