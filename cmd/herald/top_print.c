/*
 * Prints samples as tables, for people. top_json.c prints them for programs.
 */
#include "top_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/array.h>

#include "readable.h"
#include "text.h"

/* Of a name on a terminal. */
#define MAX_NAME_COLUMNS 48

/* Cells. */

/* The columns that a text takes, at most `most`. */
static size_t
columns_of(const char *text, size_t most)
{
	size_t used;

	(void)text_cut(text_of(text), most, &used);
	return used;
}

/* The end of a text, from a character on, in as many columns at most. */
static const char *
end_of(const char *text, size_t columns)
{
	const size_t bytes = strlen(text);
	size_t at = bytes > 4 * columns ? bytes - 4 * columns : 0;

	while (((unsigned char)text[at] & 0xC0) == 0x80 ||
	       columns_of(text + at, columns + 1) > columns)
		at++;
	return text + at;
}

/* A text in as many columns. If it is longer, its end is shown, as names of one system begin alike.
 */
static const char *
cell(struct herald_arena *arena, const char *text, size_t columns)
{
	const char *shown = text;

	if (columns_of(text, columns + 1) > columns)
		shown = memory_print(arena, "\xe2\x80\xa6%s", end_of(text, columns - 1));
	return memory_print(arena, "%s%*s", shown, (int)(columns - columns_of(shown, columns)), "");
}

/* The most columns of a name. */
static size_t
most_columns(const struct screen *screen)
{
	return screen->is_terminal ? MAX_NAME_COLUMNS : SIZE_MAX - 1;
}

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static const char *
rate_text(char out[24], const struct top_view *view, uint64_t before, uint64_t after)
{
	if (!view->from)
		return "-";
	const uint64_t rate = top_rate_thousandths(view->from, view->to, before, after);
	if (rate > 0 && rate < 100)
		return "<0.1";
	snprintf(out, 24, "%" PRIu64 ".%u", rate / 1000, (unsigned)(rate % 1000 / 100));
	return out;
}

/* "85us", "1.2ms", "340ms", "2.5s", ">10.0s" */
static const char *
duration_text(char out[24], const struct top_view *view, size_t route, unsigned permille)
{
	struct top_duration duration;

	if (!view->from || !top_duration(view->from, view->to, route, permille, &duration))
		return "-";
	const char *sign = duration.is_longer ? ">" : "";
	const uint64_t us = duration.us;
	if (us < 1000)
		snprintf(out, 24, "%s%" PRIu64 "us", sign, us);
	else if (us < 10000)
		snprintf(out, 24, "%s%" PRIu64 ".%" PRIu64 "ms", sign, us / 1000, us % 1000 / 100);
	else if (us < 1000000)
		snprintf(out, 24, "%s%" PRIu64 "ms", sign, us / 1000);
	else
		snprintf(out, 24, "%s%" PRIu64 ".%" PRIu64 "s", sign, us / 1000000,
			 us % 1000000 / 100000);
	return out;
}

/* The first lines. */

static void
print_problems(struct screen *screen, const struct top_view *view)
{
	const struct memory_list *problems = &view->to->problems;

	if (view->problem) { /* The sample's own ones are old. */
		screen_line(screen, SCREEN_BAD, view->problem);
		return;
	}
	for (size_t i = 0; i < problems->count; i++) {
		const struct top_problem *problem = problems->items[i];

		screen_line(screen, SCREEN_BAD,
			    memory_print(view->arena, "%s: %s", problem->of, problem->text));
	}
}

/* Counts of the process that are not of a route or a queue. */
static void
print_figures(struct screen *screen, const struct top_view *view)
{
	static const struct {
		const char *part, *name, *label;
	} figures[] = {
		{"server", "connections", "connections"},
		{"server", "responses_5xx", "responses 5xx"},
		{"pool", "queued", "pool queued"},
		{"pool", "running", "pool running"},
		{"store", "running", "running"},
		{"deliverer", "pending", "deliveries pending"},
		{"deliverer", "in_flight", "in flight"},
	};
	struct herald_arena *arena = view->arena;
	char rate[24], stored[24];
	const char *line =
		memory_print(arena, "events/s %s",
			     rate_text(rate, view, view->from ? top_sample_events(view->from) : 0,
				       top_sample_events(view->to)));

	if (json_tree_get(view->to->state, "store"))
		line = memory_print(arena, "%s  stored/s %s", line,
				    rate_text(stored, view,
					      view->from ? top_sample_stored(view->from) : 0,
					      top_sample_stored(view->to)));

	for (size_t i = 0; i < HERALD_COUNT(figures); i++) {
		const struct json_tree *part = json_tree_get(view->to->state, figures[i].part);

		if (json_tree_get(part, figures[i].name))
			line = memory_print(arena, "%s  %s %zu", line, figures[i].label,
					    json_tree_count(part, figures[i].name, 0));
	}
	screen_line(screen, SCREEN_PLAIN, line);
}

/* Queues. */

static const char *
queue_name(struct herald_arena *arena, const struct top_queue *queue)
{
	if (strcmp(queue->kind, "event") == 0)
		return queue->name;
	return *queue->name == '\0' ? "(deliveries)"
				    : memory_print(arena, "%s (%s)", queue->name, queue->kind);
}

static void
print_queue(struct screen *screen, struct herald_arena *arena, const struct top_queue *queue,
	    size_t columns)
{
	char age[24] = "-";

	if (queue->oldest_ready_ms >= 0)
		readable_seconds(queue->oldest_ready_ms / 1000, age);
	screen_line(screen, queue->dead > 0 ? SCREEN_BAD : SCREEN_PLAIN,
		    memory_print(arena,
				 "%s %9" PRIu64 " %7s %9" PRIu64 " %9" PRIu64 " %9" PRIu64
				 " %9" PRIu64,
				 cell(arena, queue_name(arena, queue), columns), queue->ready, age,
				 queue->running, queue->dead, queue->delayed, queue->blocked));
}

static void
print_queues(struct screen *screen, const struct top_view *view)
{
	const struct top_sample *sample = view->to;
	size_t columns = strlen("QUEUE");

	if (sample->queues_count == 0)
		return;
	for (size_t i = 0; i < sample->queues_count; i++)
		columns = larger(columns, columns_of(queue_name(view->arena, &sample->queues[i]),
						     most_columns(screen)));
	screen_line(screen, SCREEN_PLAIN, "");
	screen_line(screen, SCREEN_HEADING,
		    memory_print(view->arena, "%-*s %9s %7s %9s %9s %9s %9s", (int)columns, "QUEUE",
				 "READY", "OLDEST", "RUNNING", "DEAD", "DELAYED", "BLOCKED"));
	for (size_t i = 0; i < sample->queues_count; i++)
		print_queue(screen, view->arena, &sample->queues[i], columns);
}

/* Routes. */

/* A line of the table. */
struct line {
	const char *name;
	size_t route;
	uint64_t events; /* between the samples */
};

/* The busiest first; else in the order of the service. */
static int
compare_lines(const void *a, const void *b)
{
	const struct line *one = a, *other = b;

	if (one->events != other->events)
		return one->events > other->events ? -1 : 1;
	return one->route < other->route ? -1 : 1;
}

static const char *
name_of(struct herald_arena *arena, const struct top_route *route)
{
	const char *type = !route->event_type                    ? "(no route)"
			   : strcmp(route->event_type, "*") == 0 ? "(any other)"
								 : route->event_type;

	if (!route->version)
		return type;
	if (*route->version == '\0')
		return memory_print(arena, "%s (no version)", type);
	return memory_print(arena, "%s %s", type, route->version);
}

static struct line *
make_lines(const struct top_view *view, size_t most, size_t *columns)
{
	const struct top_sample *to = view->to;
	struct line *lines = memory_take_array(view->arena, to->routes_count + 1, sizeof(*lines));

	*columns = strlen("EVENT TYPE");
	for (size_t i = 0; i < to->routes_count; i++) {
		const uint64_t before = view->from ? top_route_events(&view->from->routes[i]) : 0;

		lines[i] =
			(struct line){name_of(view->arena, &to->routes[i]), i,
				      view->from ? top_route_events(&to->routes[i]) - before : 0};
		*columns = larger(*columns, columns_of(lines[i].name, most));
	}
	qsort(lines, to->routes_count, sizeof(*lines), compare_lines);
	return lines;
}

static void
print_route(struct screen *screen, const struct top_view *view, const struct line *line,
	    size_t columns)
{
	const struct top_route *route = &view->to->routes[line->route];
	struct herald_arena *arena = view->arena;
	const uint64_t failed = route->fail + route->refused;
	const struct top_route *old = view->from ? &view->from->routes[line->route] : route;
	char rate[24], p50[24], p95[24], p99[24];

	screen_line(screen, failed > old->fail + old->refused ? SCREEN_BAD : SCREEN_PLAIN,
		    memory_print(arena,
				 "%s %9s %7s %7s %7s %9" PRIu64 " %7" PRIu64 " %7" PRIu64
				 " %7" PRIu64 " %9" PRIu64,
				 cell(arena, line->name, columns),
				 rate_text(rate, view, 0, line->events),
				 duration_text(p50, view, line->route, 500),
				 duration_text(p95, view, line->route, 950),
				 duration_text(p99, view, line->route, 990), route->done,
				 route->retry, route->fail, route->refused, route->stored));
}

static void
print_routes(struct screen *screen, const struct top_view *view)
{
	size_t columns;
	const struct line *lines = make_lines(view, most_columns(screen), &columns);

	if (view->to->routes_count == 0)
		return;
	screen_line(screen, SCREEN_PLAIN, "");
	screen_line(screen, SCREEN_HEADING,
		    memory_print(view->arena, "%-*s %9s %7s %7s %7s %9s %7s %7s %7s %9s",
				 (int)columns, "EVENT TYPE", "EVENTS/S", "P50", "P95", "P99",
				 "DONE", "RETRY", "FAIL", "REFUSED", "STORED"));
	for (size_t i = 0; i < view->to->routes_count; i++)
		print_route(screen, view, &lines[i], columns);
}

bool
top_print(struct screen *screen, const struct top_view *view)
{
	screen_begin(screen);
	screen_line(screen, SCREEN_HEADING,
		    memory_print(view->arena, "%s  %s", view->page, view->to->time));
	print_problems(screen, view);
	print_figures(screen, view);
	print_queues(screen, view);
	print_routes(screen, view);
	return screen_end(screen);
}
