/*
 * Herald, as the peer of `./dev bench cloudevents`: an event of either mode, and its data as a
 * struct. Decoding is in place, so each body is copied first; that copy is measured as well.
 *
 *	PEER structured|binary FILE BATCH_MS
 *
 * FILE has headers, one "name: value" a line, an empty line, and the body. Protocol: a line "run"
 * is answered by the nanoseconds per event of one batch, "check" by the decoded event.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/herald.h>

#define MAX_HEADERS 32

struct line {
	const char *sku;
	int64_t quantity;
};

HERALD_SCHEMA(line, HERALD_FIELD(line, sku, .required = true),
	      HERALD_FIELD(line, quantity, .required = true));

struct order {
	const char *order_id;
	int64_t total_cents;
	struct line *lines;
	size_t lines_count;
};

HERALD_SCHEMA(order, HERALD_FIELD(order, order_id, .required = true),
	      HERALD_FIELD(order, total_cents, .required = true),
	      HERALD_LIST(order, lines, line, .required = true));

static struct herald_cloudevent_header list[MAX_HEADERS];
static struct herald_cloudevent_headers headers = {list, 0};
static const char *content_type, *body;
static char *copy;
static size_t body_bytes;
static struct herald_codec *codec;
static struct herald_arena *arena;

/* The last event. */
static struct herald_cloudevent event;
static struct order order;

__attribute__((noreturn)) static void
fail(const char *what, const struct herald_error *error)
{
	fprintf(stderr, "%s: %s\n", what, error ? error->message : "");
	exit(1);
}

/* What is measured: the mode, the event, and its data. */
static void
decode_event(void)
{
	static const struct herald_cloudevent_options options = {.data_unchecked = true};
	struct herald_error error;
	enum herald_status status;

	herald_arena_reset(arena);
	memcpy(copy, body, body_bytes);
	if (herald_cloudevent_detect(content_type, headers.headers_count > 1, &error) ==
	    HERALD_CLOUDEVENT_STRUCTURED)
		status = herald_cloudevent_decode_structured(copy, body_bytes, &options, arena,
							     &event, &error);
	else
		status = herald_cloudevent_decode_binary(herald_cloudevent_headers_visit_array,
							 &headers, content_type, copy, body_bytes,
							 &options, arena, &event, &error);
	if (status != HERALD_OK)
		fail("decode", &error);
	/* The data is in the copy, which may be written to. */
	status = herald_codec_decode(codec, copy + (event.data.data - copy), event.data.bytes,
				     arena, &order, &error);
	if (status != HERALD_OK)
		fail("data", &error);
}

static void
print_event(void)
{
	char time[HERALD_TIME_TEXT_BYTES];

	decode_event();
	herald_time_format(&event.time, time);
	printf("%s %s %s %s %s %s %s %" PRId64, event.id.data, event.source.data, event.type.data,
	       event.subject.data, time,
	       herald_cloudevent_extension_find(&event, "traceparent")->text.data, order.order_id,
	       order.total_cents);
	for (size_t i = 0; i < order.lines_count; i++)
		printf(" %s:%" PRId64, order.lines[i].sku, order.lines[i].quantity);
	puts("");
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
measure(uint64_t batch_ns)
{
	uint64_t begin = now_ns(), took = 0, count = 0;

	while (took < batch_ns) {
		for (int i = 0; i < 256; i++)
			decode_event();
		count += 256;
		took = now_ns() - begin;
	}
	printf("%.2f\n", (double)took / (double)count);
}

static void
read_request(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "r");
	char *line = text, *end;
	size_t bytes;

	if (!file)
		fail(path, NULL);
	bytes = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	for (; *line != '\n' && (end = strchr(line, '\n')); line = end + 1) {
		char *colon = strchr(line, ':');

		*colon = *end = '\0';
		if (headers.headers_count == MAX_HEADERS)
			fail("too many headers", NULL);
		list[headers.headers_count++] = (struct herald_cloudevent_header){line, colon + 2};
		if (strcmp(line, "content-type") == 0)
			content_type = colon + 2;
	}
	body = line + 1;
	body_bytes = (size_t)(text + bytes - body);
	copy = malloc(body_bytes);
}

int
main(int argc, char **argv)
{
	struct herald_error error;
	char request[16];

	if (argc != 4)
		return 2;
	read_request(argv[2]);
	if (!copy || herald_arena_create(NULL, 0, &arena) != HERALD_OK ||
	    herald_codec_create(&order_schema, NULL, NULL, &codec, &error) != HERALD_OK)
		fail("setup", NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(request, sizeof(request), stdin)) {
		if (strcmp(request, "check\n") == 0)
			print_event();
		else
			measure((uint64_t)atoi(argv[3]) * 1000000);
	}
	return 0;
}
