/*
 * The log records of events: the fields common to all, the records of functions and handlers, and
 * the record of an event's outcome.
 */
#include "service/event_log.h"

#include <assert.h>
#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/options.h"
#include "service/service.h"

/* The number of fields of a log call that are copied on the stack. More are copied to the event's
 * memory. */
#define STACK_FIELDS 16

/* The fields that every record about an event has: its own, then the service's `log_fields`. */
enum { OWN_FIELDS = 5, MAX_LOG_FIELDS = 16, EVENT_FIELDS = OWN_FIELDS + MAX_LOG_FIELDS };

/* The names of Herald's own fields, in any record of an event. */
static const char *const own_names[] = {
	"event_type",  "version",     "event_id", "trace_id", "span_id", "verdict",  "status",
	"http_status", "path",        "offset",   "reason",   "handler", "upcaster", "function",
	"attempts",    "duration_us", "delay_ms", "value",    "time",    "level",    "message",
};

/* The options. */

/* Letters, digits and '_', as a log field needs. NULL when out of memory. */
static const char *
make_key(struct herald_service *service, const char *name)
{
	char *key = herald_arena_copy(service->arena, name, strlen(name));

	for (char *at = key; at && *at != '\0'; at++)
		*at = herald_ascii_is_letter(*at) || herald_ascii_is_digit(*at)
			      ? herald_ascii_lower(*at)
			      : '_';
	return key;
}

/* Returns what is wrong with a name, or NULL. */
static const char *
key_problem(const struct herald_service *service, const char *key)
{
	if (*key == '\0')
		return "the name is empty";
	for (size_t i = 0; i < HERALD_COUNT(own_names); i++)
		if (strcmp(own_names[i], key) == 0)
			return "Herald has a field of this name";
	for (size_t i = 0; i < service->log_fields_count; i++)
		if (strcmp(service->log_fields[i].key, key) == 0)
			return "two names become the same field";
	return NULL;
}

static enum herald_status
add_log_field(struct herald_service *service, const char *name, struct herald_error *error)
{
	const struct herald__option option = {"log_fields", service->log_fields_count, NULL};
	const char *copy, *key = make_key(service, name);

	if (!key || !herald__arena_string(service->arena, name, &copy))
		return herald_out_of_memory(error);
	const char *problem = service->log_fields_count == MAX_LOG_FIELDS
				      ? "there are more than 16"
				      : key_problem(service, key);
	if (problem)
		return herald__option_error(error, HERALD_BAD_OPTION, option, "%s", problem);
	service->log_fields[service->log_fields_count++] = (struct herald__log_name){copy, key};
	return HERALD_OK;
}

enum herald_status
herald__log_fields_init(struct herald_service *service, const char *const *names,
			struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	if (!names || !*names)
		return HERALD_OK;
	service->log_fields =
		herald__arena_array(service->arena, MAX_LOG_FIELDS, sizeof(*service->log_fields));
	if (!service->log_fields)
		return herald_out_of_memory(error);
	for (; *names && status == HERALD_OK; names++)
		status = add_log_field(service, *names, error);
	return status;
}

/* Writing records. */

static size_t
add_text(struct herald_log_field *fields, size_t count, const char *key, const char *text)
{
	if (text && *text != '\0')
		fields[count++] = (struct herald_log_field){key, text, 0};
	return count;
}

/* Of the metadata, once it is decoded, or of the attributes. NULL: neither has it. */
static const char *
find_value(const struct herald_context *ctx, const char *name)
{
	const char *value =
		ctx->message ? herald_json_map_get(&ctx->message->metadata, name) : NULL;

	if (value || !ctx->attribute)
		return value;
	return ctx->attribute(name, ctx->attribute_state);
}

/* Write them to `fields`, which must have room for them. Returns their number. */
static size_t
common_fields(struct herald_context *ctx, struct herald_log_field *fields)
{
	const struct herald_service *service = ctx->service;
	const struct herald_trace *trace = herald_context_trace(ctx);
	size_t count = 0;

	if (ctx->message) {
		fields[count++] =
			(struct herald_log_field){"event_type", ctx->message->event_type, 0};
		count = add_text(fields, count, "version", herald_context_version(ctx));
		count = add_text(fields, count, "event_id", herald_context_id(ctx));
	}
	if (trace) {
		count = add_text(fields, count, "trace_id", trace->trace_id);
		count = add_text(fields, count, "span_id", trace->span_id);
	}
	for (size_t i = 0; i < service->log_fields_count; i++)
		count = add_text(fields, count, service->log_fields[i].key,
				 find_value(ctx, service->log_fields[i].name));
	return count;
}

void
herald_context_log(struct herald_context *ctx, enum herald_log_level level, const char *message,
		   const struct herald_log_field *fields, size_t fields_count)
{
	struct herald_log_field room[EVENT_FIELDS + STACK_FIELDS];
	struct herald_log_field *all = room;

	assert(fields || fields_count == 0);
	if (!herald_log_takes(&ctx->service->log, level))
		return;
	if (fields_count > STACK_FIELDS) {
		all = fields_count < SIZE_MAX / sizeof(*all) - EVENT_FIELDS
			      ? herald_context_alloc(ctx,
						     (EVENT_FIELDS + fields_count) * sizeof(*all))
			      : NULL;
		if (!all) { /* A truncated record is better than none. */
			all = room;
			fields_count = STACK_FIELDS;
		}
	}

	size_t count = common_fields(ctx, all);
	if (fields_count > 0)
		memcpy(all + count, fields, fields_count * sizeof(*fields));
	herald_log_write(&ctx->service->log, level, message, all, count + fields_count);
}

/* The record of an event's outcome. */

static enum herald_log_level
level_of(const struct herald_result *result)
{
	if (result->verdict == HERALD_DONE)
		return HERALD_LOG_DEBUG;
	return result->status != HERALD_OK
		       ? HERALD_LOG_WARNING
		       : herald__log_level_of(result->verdict, result->http_status);
}

static const char *
message_of(const struct herald_context *ctx, const struct herald_result *result)
{
	if (ctx && ctx->ignored)
		return "event ignored";
	if (result->acceptance != HERALD_ACCEPTANCE_NONE)
		return result->acceptance == HERALD_ACCEPTANCE_ACCEPTED ? "event accepted"
									: "event is a duplicate";
	if (result->verdict == HERALD_DONE)
		return "event done";
	if (result->verdict == HERALD_RETRY)
		return "event retry requested";
	return result->status == HERALD_OK ? "event failed" : "event rejected";
}

void
herald__event_log(const struct herald_service *service, struct herald_context *ctx,
		  const struct herald_result *result, uint64_t nanoseconds)
{
	const struct herald_error *error = &result->error;
	struct herald_log_field fields[EVENT_FIELDS + 10];
	enum herald_log_level level = level_of(result);

	if (!herald_log_takes(&service->log, level))
		return;

	size_t count = ctx ? common_fields(ctx, fields) : 0;
	fields[count++] =
		(struct herald_log_field){"verdict", herald_verdict_name(result->verdict), 0};
	if (result->status != HERALD_OK)
		fields[count++] =
			(struct herald_log_field){"status", herald_status_name(result->status), 0};
	if (result->http_status != 0)
		fields[count++] =
			(struct herald_log_field){"http_status", NULL, result->http_status};
	if (error->path[0] != '\0')
		fields[count++] = (struct herald_log_field){"path", error->path, 0};
	if (error->offset != HERALD_NO_OFFSET)
		fields[count++] = (struct herald_log_field){"offset", NULL, (int64_t)error->offset};
	if (error->message[0] != '\0')
		fields[count++] = (struct herald_log_field){"reason", error->message, 0};
	if (ctx && ctx->who)
		fields[count++] = (struct herald_log_field){ctx->where, ctx->who, 0};
	if (ctx && herald_context_attempt(ctx) > 1)
		fields[count++] =
			(struct herald_log_field){"attempts", NULL, herald_context_attempt(ctx)};
	fields[count++] =
		(struct herald_log_field){"duration_us", NULL, (int64_t)(nanoseconds / 1000)};
	herald_log_write(&service->log, level, message_of(ctx, result), fields, count);
}
