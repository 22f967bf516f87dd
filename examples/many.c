/*
 * A stream of events, one in each line (NDJSON). Lines that are not valid are reported.
 *
 *	printf '%s\n' \
 *		'{"event_type":"paid","timestamp":"2024-08-20T05:21:19Z","payload":{"cents":250}}' \
 *		'{"event_type":"paid","timestamp":"2024-08-20T05:21:20Z","payload":{}}' \
 *		'{"event_type":"paid","timestamp":"2024-08-20T05:21:21Z","payload":{"cents":-5}}' \
 *		'{"event_type":"paid","timestamp":"2024-08-20T05:21:22Z","payload":{"cents":50}}' \
 *		| many
 *	=> line 2, byte 66: cents is required, but missing
 *	   line 3: a payment must not be negative
 *	   2 of 4 events done, 300 cents
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

/* No line may be larger. */
enum { PART_BYTES = 4 << 20 };

struct paid {
	int64_t cents;
};
HERALD_SCHEMA(paid, HERALD_FIELD(paid, cents, .required = true));

struct totals {
	size_t lines, events, done;
	int64_t cents;
};

static enum herald_verdict
on_paid(struct herald_context *ctx, const struct paid *paid, struct totals *totals)
{
	if (paid->cents < 0)
		return herald_fail(ctx, "a payment must not be negative");
	totals->cents += paid->cents;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_paid, paid, totals);

static void
on_handled(const struct herald_handled *event, void *state)
{
	const struct herald_error *error = &event->result->error;
	const struct totals *totals = state;

	if (event->result->verdict == HERALD_DONE)
		return;
	printf("line %zu", totals->lines + event->line);
	if (error->offset != HERALD_NO_OFFSET)
		printf(", byte %zu", error->offset);
	printf(": %s\n", error->message);
}

/* Handle the whole lines of a part. Returns the number of bytes. */
static size_t
handle_lines(struct herald_service *service, char *part, size_t bytes, bool is_last,
	     struct totals *totals)
{
	struct herald_many_counts counts;
	size_t lines = 0, used = is_last ? bytes : 0;

	for (size_t i = 0; i < bytes; i++)
		if (part[i] == '\n') {
			lines++;
			if (!is_last)
				used = i + 1;
		}
	/* Fails only if there is no memory even for one event. */
	if (herald_service_handle_many(service, part, used,
				       &HERALD_MANY_OPTIONS(.handled = on_handled, .state = totals),
				       &counts, NULL) != HERALD_OK)
		exit(1);
	totals->lines += lines;
	totals->events += counts.events;
	totals->done += counts.done;
	return used;
}

static void
handle_file(struct herald_service *service, FILE *file, struct totals *totals)
{
	static char part[PART_BYTES];
	size_t left = 0, more;

	do {
		more = fread(part + left, 1, PART_BYTES - left, file);
		size_t bytes = left + more;
		size_t used = handle_lines(service, part, bytes, more == 0, totals);

		if (used == 0 && bytes == PART_BYTES) {
			fprintf(stderr, "many: a line is larger than %d bytes\n", PART_BYTES);
			exit(1);
		}
		left = bytes - used;
		memmove(part, part + used, left);
	} while (more > 0);
}

int
main(void)
{
	struct totals totals = {0};
	const struct herald_route routes[] = {HERALD_ROUTE("paid", paid, on_paid, &totals)};
	struct herald_service *service;
	struct herald_error error;

	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
				  &error) != HERALD_OK)
		return 1;
	handle_file(service, stdin, &totals);
	printf("%zu of %zu events done, %" PRId64 " cents\n", totals.done, totals.events,
	       totals.cents);
	herald_service_destroy(service);
	return 0;
}
