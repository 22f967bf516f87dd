/*
 * A client of a broker that ../brokers.py measures. Commands come on stdin; the answer to each is
 * its count and the seconds that it took.
 *
 *	broker_NAME VARIANT URL EVENT
 *
 *	fill SOURCE COUNT     make the source anew, with so many events
 *	consume SOURCE COUNT  receive, run and acknowledge them, as VARIANT says:
 *
 *	bare      the broker's own library; nothing runs
 *	function  the same, and the event is handed to a service
 *	inline    herald_consumer without lanes
 *	N         herald_consumer with N lanes
 */
#include "broker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct program {
	struct place place;
	const char *variant;
	struct service *service;
};

_Noreturn void
die(const char *what, const char *why)
{
	fprintf(stderr, "broker: %s: %s\n", what, why);
	exit(1);
}

double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct address
address_of(const char *url)
{
	const char *at = strrchr(url, '@'), *slashes = strstr(url, "://");
	struct address address = {{0}, 0};

	if (!slashes ||
	    sscanf(at ? at + 1 : slashes + 3, "%63[^:]:%d", address.host, &address.port) != 2)
		die(url, "not a URL with a port");
	return address;
}

static void
consume(struct program *program, const char *source, uint64_t count)
{
	const char *variant = program->variant;

	if (strcmp(variant, "bare") == 0)
		broker_consume(&program->place, source, count, service_skip, program->service);
	else if (strcmp(variant, "function") == 0)
		broker_consume(&program->place, source, count, service_run, program->service);
	else
		service_consume(
			program->service, &program->place, source, count,
			strcmp(variant, "inline") == 0 ? 0 : (unsigned)strtoul(variant, NULL, 10));
}

static void
answer(struct program *program, const char *line)
{
	char command[16], source[64];
	uint64_t count;
	const double start = now_s();

	if (sscanf(line, "%15s %63s %" SCNu64, command, source, &count) != 3)
		die("not a command", line);
	if (strcmp(command, "fill") == 0)
		broker_fill(&program->place, source, count);
	else if (strcmp(command, "consume") == 0)
		consume(program, source, count);
	else
		die("not a command", line);
	printf("%" PRIu64 " %.6f\n", count, now_s() - start);
	fflush(stdout);
}

static size_t
read_event(const char *path, char *event, size_t capacity)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		die(path, "cannot be read");
	const size_t bytes = fread(event, 1, capacity, file);
	fclose(file);
	return bytes;
}

int
main(int argc, char **argv)
{
	static char event[65536], line[256];

	if (argc != 4) {
		fprintf(stderr, "usage: %s VARIANT URL EVENT\n", argv[0]);
		return 2;
	}
	struct program program = {{argv[2], event, read_event(argv[3], event, sizeof(event))},
				  argv[1],
				  service_create()};
	while (fgets(line, sizeof(line), stdin))
		answer(&program, line);
	service_destroy(program.service);
	return 0;
}
