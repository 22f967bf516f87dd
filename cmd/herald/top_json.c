/*
 * Prints samples as lines of JSON. top_print.c prints them for people.
 */
#include <inttypes.h>
#include <stdio.h>

#include "json_line.h"
#include "text.h"
#include "top_print.h"

/* A rate with three decimals. */
static void
add_rate(struct json_line *line, const char *key, const struct top_view *view, uint64_t before,
	 uint64_t after)
{
	const uint64_t rate = top_rate_thousandths(view->from, view->to, before, after);
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03u", rate / 1000, (unsigned)(rate % 1000));
	json_line_json(line, key, text_of(text));
}

/* null if there were no events. What is longer than the last bound is given as that bound. */
static void
add_duration(struct json_line *line, const char *key, const struct top_view *view, size_t route,
	     unsigned permille)
{
	struct top_duration duration;

	if (top_duration(view->from, view->to, route, permille, &duration))
		json_line_number(line, key, duration.us);
	else
		json_line_string(line, key, NULL);
}

static void
add_route(struct json_line *line, const struct top_view *view, size_t index)
{
	const struct top_route *route = &view->to->routes[index];
	const struct top_route *old = &view->from->routes[index];

	json_line_item(line);
	json_line_string(line, "event_type", route->event_type);
	json_line_string(line, "version", route->version);
	add_rate(line, "events_per_second", view, top_route_events(old), top_route_events(route));
	add_rate(line, "stored_per_second", view, old->stored, route->stored);
	add_duration(line, "p50_us", view, index, 500);
	add_duration(line, "p95_us", view, index, 950);
	add_duration(line, "p99_us", view, index, 990);
	json_line_number(line, "done", route->done);
	json_line_number(line, "retry", route->retry);
	json_line_number(line, "fail", route->fail);
	json_line_number(line, "refused", route->refused);
	json_line_number(line, "ignored", route->ignored);
	json_line_number(line, "stored", route->stored);
	json_line_close(line);
}

static void
add_queue(struct json_line *line, const struct top_queue *queue)
{
	json_line_item(line);
	json_line_string(line, "kind", queue->kind);
	json_line_string(line, "queue", queue->name);
	json_line_number(line, "ready", queue->ready);
	if (queue->oldest_ready_ms >= 0)
		json_line_number(line, "oldest_ready_ms", (uint64_t)queue->oldest_ready_ms);
	else
		json_line_string(line, "oldest_ready_ms", NULL);
	json_line_number(line, "running", queue->running);
	json_line_number(line, "dead", queue->dead);
	json_line_number(line, "delayed", queue->delayed);
	json_line_number(line, "blocked", queue->blocked);
	json_line_close(line);
}

static void
add_problems(struct json_line *line, const struct memory_list *problems)
{
	json_line_list(line, "problems");
	for (size_t i = 0; i < problems->count; i++) {
		const struct top_problem *problem = problems->items[i];

		json_line_item(line);
		json_line_string(line, "of", problem->of);
		json_line_string(line, "problem", problem->text);
		json_line_close(line);
	}
	json_line_list_end(line);
}

bool
top_print_json(const struct top_view *view)
{
	const struct top_sample *to = view->to;
	struct json_line line;

	json_line_begin(&line);
	json_line_string(&line, "time", to->time);
	json_line_number(&line, "interval_ms", to->clock_ms - view->from->clock_ms);
	add_rate(&line, "events_per_second", view, top_sample_events(view->from),
		 top_sample_events(to));
	add_rate(&line, "stored_per_second", view, top_sample_stored(view->from),
		 top_sample_stored(to));
	json_line_list(&line, "routes");
	for (size_t i = 0; i < to->routes_count; i++)
		add_route(&line, view, i);
	json_line_list_end(&line);
	json_line_list(&line, "queues");
	for (size_t i = 0; i < to->queues_count; i++)
		add_queue(&line, &to->queues[i]);
	json_line_list_end(&line);
	add_problems(&line, &to->problems);
	return json_line_end(&line);
}
