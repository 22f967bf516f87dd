/*
 * Reads the answers of api/state and api/queues into samples. What an answer lacks counts as 0.
 */
#include "top_sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/time.h>

#include "text.h"

void
top_sample_init(struct top_sample *sample)
{
	*sample = (struct top_sample){.arena = memory_create()};
}

void
top_sample_finish(struct top_sample *sample)
{
	herald_arena_destroy(sample->arena);
}

/* Numbers and lists of an answer. */

static uint64_t
number(const struct json_tree *object, const char *name)
{
	return json_tree_count(object, name, 0);
}

/* The member if it is an array; else NULL. */
static const struct json_tree *
list_of(const struct json_tree *object, const char *name)
{
	const struct json_tree *list = json_tree_get(object, name);

	return list && list->type == HERALD_JSON_ARRAY ? list : NULL;
}

static size_t
count_of(const struct json_tree *list)
{
	return list ? list->count : 0;
}

/* The numbers of an array. */
static const uint64_t *
numbers(struct herald_arena *arena, const struct json_tree *list)
{
	uint64_t *all = memory_take_array(arena, list->count + 1, sizeof(*all));

	for (size_t i = 0; i < list->count; i++)
		if (herald_json_read_uint64(&list->items[i].json, &all[i]) != HERALD_OK)
			all[i] = 0;
	return all;
}

/* Routes. */

static void
read_route(struct top_sample *sample, const struct json_tree *json, struct top_route *out)
{
	const struct json_tree *counts = list_of(json_tree_get(json, "durations"), "counts");

	*out = (struct top_route){
		.event_type = json_tree_string(json, "event_type"),
		.version = json_tree_string(json, "version"),
		.done = number(json, "done"),
		.retry = number(json, "retry"),
		.fail = number(json, "fail"),
		.refused = number(json, "invalid") + number(json, "unauthorized") +
			   number(json, "unknown"),
		.ignored = number(json, "ignored"),
		.stored = number(json, "accepted") + number(json, "duplicates"),
	};
	if (counts && counts->count == sample->bounds_count + 1)
		out->durations = numbers(sample->arena, counts);
}

static void
read_routes(struct top_sample *sample)
{
	const struct json_tree *bounds = list_of(sample->state, "bounds_us");
	const struct json_tree *routes = list_of(sample->state, "routes");

	sample->bounds_count = count_of(bounds);
	if (bounds)
		sample->bounds_us = numbers(sample->arena, bounds);
	sample->routes_count = count_of(routes);
	sample->routes =
		memory_take_array(sample->arena, sample->routes_count + 1, sizeof(*sample->routes));
	for (size_t i = 0; i < sample->routes_count; i++)
		read_route(sample, &routes->items[i], &sample->routes[i]);
}

/* Queues. */

static int64_t
ms_of(const char *text)
{
	struct herald_time time;

	if (!text || herald_time_parse(text, strlen(text), &time, NULL) != HERALD_OK)
		return 0;
	return time.seconds * 1000 + time.nanoseconds / 1000000;
}

static const char *
or_empty(const char *text)
{
	return text ? text : "";
}

/* The rows of a queue come one after the other. */
static struct top_queue *
queue_of(struct top_sample *sample, const char *kind, const char *name)
{
	struct top_queue *queue = sample->queues + sample->queues_count;

	if (sample->queues_count > 0 && strcmp(queue[-1].kind, kind) == 0 &&
	    strcmp(queue[-1].name, name) == 0)
		return queue - 1;
	sample->queues_count++;
	*queue = (struct top_queue){.kind = kind, .name = name, .oldest_ready_ms = -1};
	return queue;
}

/* A row is of a queue, a type and a state. */
static void
add_row(struct top_sample *sample, const struct json_tree *row, int64_t counted_ms)
{
	struct top_queue *queue = queue_of(sample, or_empty(json_tree_string(row, "kind")),
					   or_empty(json_tree_string(row, "queue")));
	const char *state = or_empty(json_tree_string(row, "state"));
	const uint64_t count = number(row, "count");
	const int64_t ms = counted_ms - ms_of(json_tree_string(row, "oldest"));
	const int64_t age_ms = ms > 0 ? ms : 0; /* by another node's clock it may be of later */

	if (strcmp(state, "ready") == 0) {
		queue->ready += count;
		if (age_ms > queue->oldest_ready_ms)
			queue->oldest_ready_ms = age_ms;
	} else if (strcmp(state, "delayed") == 0) {
		queue->delayed += count;
	} else if (strcmp(state, "blocked") == 0) {
		queue->blocked += count;
	} else if (strcmp(state, "running") == 0) {
		queue->running += count;
	} else if (strcmp(state, "dead") == 0) {
		queue->dead += count;
	}
}

static void
add_problem(struct top_sample *sample, const char *of, const char *text)
{
	struct top_problem *problem = memory_take(sample->arena, sizeof(*problem));

	if (!text)
		return;
	*problem = (struct top_problem){of, text};
	memory_list_add(sample->arena, &sample->problems, problem);
}

/* The store may be busy, or fail, while the counts of the process are still there. */
static void
read_queues(struct admin_client *client, struct top_sample *sample)
{
	const bool was_quiet = client->is_quiet;
	struct admin_answer answer = {.root = NULL};

	if (!json_tree_get(sample->state, "store"))
		return;
	client->is_quiet = true;
	if (!admin_client_get(client, "queues", NULL, 0, sample->arena, &answer))
		add_problem(sample, "queues",
			    memory_copy(sample->arena, client->problem, strlen(client->problem)));
	client->is_quiet = was_quiet;
	const struct json_tree *rows = list_of(answer.root, "rows");
	sample->queues =
		memory_take_array(sample->arena, count_of(rows) + 1, sizeof(*sample->queues));
	for (size_t i = 0; i < count_of(rows); i++)
		add_row(sample, &rows->items[i], ms_of(json_tree_string(answer.root, "time")));
}

/* Problems. */

static void
read_problems(struct top_sample *sample)
{
	static const char *const brokers[] = {"consumers", "producers"};

	add_problem(sample, "store",
		    json_tree_string(json_tree_get(sample->state, "store"), "problem"));
	for (size_t i = 0; i < 2; i++) {
		const struct json_tree *list = list_of(sample->state, brokers[i]);

		for (size_t j = 0; j < count_of(list); j++)
			add_problem(sample, or_empty(json_tree_string(&list->items[j], "name")),
				    json_tree_string(&list->items[j], "problem"));
	}
}

bool
top_sample_read(struct admin_client *client, struct top_sample *sample)
{
	struct herald_arena *arena = sample->arena;
	struct admin_answer answer;

	herald_arena_reset(arena);
	*sample = (struct top_sample){.arena = arena};
	if (!admin_client_get(client, "state", NULL, 0, arena, &answer))
		return false;
	if (!json_tree_get(answer.root, "clock_ms"))
		return admin_client_fail(client, "the answer has no clock_ms");
	sample->state = answer.root;
	sample->time = or_empty(json_tree_string(answer.root, "time"));
	sample->began = or_empty(json_tree_string(answer.root, "began"));
	sample->clock_ms = number(answer.root, "clock_ms");
	read_routes(sample);
	read_problems(sample);
	read_queues(client, sample);
	return true;
}

/* Differences. */

uint64_t
top_route_events(const struct top_route *route)
{
	return route->done + route->retry + route->fail + route->refused + route->ignored;
}

uint64_t
top_sample_events(const struct top_sample *sample)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sample->routes_count; i++)
		sum += top_route_events(&sample->routes[i]);
	return sum;
}

uint64_t
top_sample_stored(const struct top_sample *sample)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sample->routes_count; i++)
		sum += sample->routes[i].stored;
	return sum;
}

static bool
route_follows(const struct top_sample *sample, const struct top_route *from,
	      const struct top_route *to)
{
	if (top_route_events(to) < top_route_events(from) || to->stored < from->stored ||
	    strcmp(or_empty(to->event_type), or_empty(from->event_type)) != 0 ||
	    strcmp(or_empty(to->version), or_empty(from->version)) != 0 ||
	    !to->durations != !from->durations)
		return false;
	for (size_t i = 0; to->durations && i <= sample->bounds_count; i++)
		if (to->durations[i] < from->durations[i])
			return false;
	return true;
}

bool
top_sample_follows(const struct top_sample *from, const struct top_sample *to)
{
	if (strcmp(to->began, from->began) != 0 || to->clock_ms <= from->clock_ms ||
	    to->routes_count != from->routes_count || to->bounds_count != from->bounds_count)
		return false;
	for (size_t i = 0; i < to->routes_count; i++)
		if (!route_follows(to, &from->routes[i], &to->routes[i]))
			return false;
	return true;
}

uint64_t
top_rate_thousandths(const struct top_sample *from, const struct top_sample *to, uint64_t before,
		     uint64_t after)
{
	const uint64_t ms = to->clock_ms - from->clock_ms;

	return (uint64_t)((double)(after - before) * 1e6 / (double)ms + 0.5);
}

bool
top_duration(const struct top_sample *from, const struct top_sample *to, size_t route,
	     unsigned permille, struct top_duration *out)
{
	const uint64_t *before = from->routes[route].durations;
	const uint64_t *after = to->routes[route].durations;
	uint64_t all = 0;

	for (size_t i = 0; after && i <= to->bounds_count; i++)
		all += after[i] - before[i];
	if (all == 0 || to->bounds_count == 0)
		return false;
	double left = (double)all * permille / 1000;
	for (size_t i = 0; i < to->bounds_count; i++) {
		const double low = i > 0 ? (double)to->bounds_us[i - 1] : 0;
		const double count = (double)(after[i] - before[i]);

		if (count > 0 && left <= count) {
			const double us = low + ((double)to->bounds_us[i] - low) * left / count;

			*out = (struct top_duration){(uint64_t)us, false};
			return true;
		}
		left -= count;
	}
	*out = (struct top_duration){to->bounds_us[to->bounds_count - 1], true};
	return true;
}
