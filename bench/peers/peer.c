/*
 * The main of the C and C++ peers, and their side of the protocol that bench/README.md describes:
 * batches long enough for the clock, one at each request, so that the driver can take turns between
 * peers.
 *
 *	PEER VARIANT decode|encode TYPE FILE BATCH_MS [ROUTES]
 *
 * With ROUTES, each line of FILE is a document.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer.h"

#define PADDING 64
#define ALLOCATION_EVENTS 1000

static struct document documents[4096];
static size_t documents_count;

void
peer_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static char *
read_file(const char *path, size_t *bytes)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		peer_fail("%s: %s", path, strerror(errno));
	fseek(file, 0, SEEK_END);
	*bytes = (size_t)ftell(file);
	rewind(file);
	char *data = calloc(1, *bytes + 1);
	if (!data || fread(data, 1, *bytes, file) != *bytes)
		peer_fail("%s: cannot be read", path);
	fclose(file);
	return data;
}

/* One document, or one a line; each in memory of its own. Returns the length of the longest. */
static size_t
load(const char *path, bool by_lines)
{
	const char *separator = by_lines ? "\n" : "";
	size_t bytes, max_bytes = 0;
	char *text = read_file(path, &bytes);
	char *rest = NULL;

	for (char *line = strtok_r(text, separator, &rest); line;
	     line = strtok_r(NULL, separator, &rest)) {
		size_t line_bytes = strlen(line);
		char *copy = calloc(1, line_bytes + PADDING);
		if (!copy || documents_count == sizeof(documents) / sizeof(documents[0]))
			peer_fail("%s: too many documents", path);
		memcpy(copy, line, line_bytes);
		documents[documents_count++] = (struct document){copy, line_bytes};
		if (line_bytes > max_bytes)
			max_bytes = line_bytes;
	}
	free(text);
	return max_bytes;
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
run(size_t events)
{
	size_t next = 0;

	for (size_t i = 0; i < events; i++) {
		peer_event(&documents[next]);
		if (++next == documents_count)
			next = 0;
	}
}

static uint64_t
measure(size_t events)
{
	uint64_t start = now_ns();

	run(events);
	return now_ns() - start;
}

/* How many events take at least this long, also when seen again: the first may have been
 * disturbed. */
static size_t
calibrate(uint64_t batch_ns)
{
	size_t events = documents_count;

	for (;;) {
		uint64_t took = measure(events);
		if (took >= batch_ns && (took = measure(events)) >= batch_ns)
			return events;
		size_t factor = took > batch_ns / 64 ? (size_t)(batch_ns / took) + 1 : 8;
		events *= factor > 1 ? factor : 2;
	}
}

/* Calls of malloc and its kind, counted by count_allocations.so when it is preloaded. */
static double
allocations_per_event(void)
{
	unsigned long (*count)(void);

	*(void **)&count = dlsym(RTLD_DEFAULT, "bench_allocations");
	if (!count)
		peer_fail("count_allocations.so is not preloaded");
	run(ALLOCATION_EVENTS / 10);
	unsigned long before = count();
	run(ALLOCATION_EVENTS);
	return (double)(count() - before) / ALLOCATION_EVENTS;
}

static void
serve(uint64_t batch_ns)
{
	char request[32];
	size_t events = 0;

	while (fgets(request, sizeof(request), stdin)) {
		if (strcmp(request, "run\n") == 0) {
			if (events == 0)
				events = calibrate(batch_ns);
			printf("%.4f\n", (double)measure(events) / (double)events);
		} else if (strcmp(request, "check\n") == 0) {
			peer_check(&documents[0]);
			puts("end");
		} else if (strcmp(request, "allocs\n") == 0) {
			printf("%.3f\n", allocations_per_event());
		} else {
			peer_fail("not a request: %s", request);
		}
		fflush(stdout);
	}
}

int
main(int argc, char **argv)
{
	if (argc < 6)
		peer_fail("usage: %s VARIANT decode|encode TYPE FILE BATCH_MS [ROUTES]", argv[0]);
	size_t max_bytes = load(argv[4], argc > 6);
	peer_open(&(struct peer_arguments){
		.variant = argv[1],
		.encode = strcmp(argv[2], "encode") == 0,
		.type = argv[3],
		.routes_count = argc > 6 ? strtoul(argv[6], NULL, 10) : 0,
		.documents = documents,
		.documents_count = documents_count,
		.max_bytes = max_bytes,
	});
	serve(strtoull(argv[5], NULL, 10) * 1000000u);
	return 0;
}
