/*
 * Reads the arguments of `herald store`: a table of options, each with the commands that take it.
 * Knows nothing of what the commands do.
 */
#include "arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/array.h>

#include "moment.h"
#include "options.h"

/* Each reads the value of one option. Returns NULL, or what was expected. */
typedef const char *read_value(const char *value, struct arguments *out);

static const char *
read_store(const char *value, struct arguments *out)
{
	out->store.name = value;
	return NULL;
}

static const char *
read_schema(const char *value, struct arguments *out)
{
	out->store.schema = value;
	return NULL;
}

static const char *
read_pooled(const char *value, struct arguments *out)
{
	(void)value;
	out->store.is_pooled = true;
	return NULL;
}

static const char *
read_json(const char *value, struct arguments *out)
{
	(void)value;
	out->is_json = true;
	return NULL;
}

static const char *
read_help(const char *value, struct arguments *out)
{
	(void)value;
	out->wants_help = true;
	return NULL;
}

static const char *
read_all(const char *value, struct arguments *out)
{
	(void)value;
	out->is_all = true;
	return NULL;
}

static const char *
read_dry_run(const char *value, struct arguments *out)
{
	(void)value;
	out->bulk.is_dry_run = true;
	return NULL;
}

static const char *
read_rate(const char *value, struct arguments *out)
{
	return moment_read_count(value, &out->bulk.per_second) && out->bulk.per_second > 0
		       ? NULL
		       : "a number per second from 1";
}

static const char *
read_limit(const char *value, struct arguments *out)
{
	return moment_read_count(value, &out->filter.limit) && out->filter.limit > 0
		       ? NULL
		       : "a number from 1";
}

static const char *
read_id_from(const char *value, uint64_t min, uint64_t *out)
{
	if (!moment_read_count(value, out) || *out < min)
		return "an id";
	return *out <= INT64_MAX ? NULL : "an id, which are up to 9223372036854775807";
}

static const char *
read_id(const char *value, struct arguments *out)
{
	return read_id_from(value, 1, &out->filter.id);
}

static const char *
read_after_id(const char *value, struct arguments *out)
{
	return read_id_from(value, 0, &out->filter.after_id);
}

static const char *
read_queue(const char *value, struct arguments *out)
{
	out->filter.queue = out->purge.queue = value;
	return NULL;
}

static const char *
read_type(const char *value, struct arguments *out)
{
	out->filter.event_type = out->purge.event_type = value;
	return NULL;
}

static const char *
read_source(const char *value, struct arguments *out)
{
	out->filter.source = value;
	return NULL;
}

static const char *
read_event_id(const char *value, struct arguments *out)
{
	out->filter.event_id = value;
	return NULL;
}

static const char *
read_destination(const char *value, struct arguments *out)
{
	out->filter.destination = value;
	return NULL;
}

static const char *
read_reason(const char *value, struct arguments *out)
{
	for (int i = HERALD_DEAD_ANY; i < HERALD_DEAD_REASON_COUNT; i++) {
		enum herald_dead_reason reason = (enum herald_dead_reason)i;

		if (strcmp(value, herald_dead_reason_name(reason)) == 0) {
			out->filter.reason = reason;
			return NULL;
		}
	}
	return "failed, attempts, interrupted, undecodable, no_route, refused or expired";
}

static const char *
read_kind(const char *value, struct arguments *out)
{
	static const char *const names[] = {"events", "deliveries", "both"};

	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		if (strcmp(value, names[i]) == 0) {
			out->filter.kind = (enum herald_dead_kind)i;
			out->has_kind = true;
			return NULL;
		}
	return "events, deliveries or both";
}

static const char *
read_from(const char *value, struct arguments *out)
{
	return moment_read(value, 0, &out->filter.from_ms) ? NULL : MOMENT_EXPECTED;
}

static const char *
read_to(const char *value, struct arguments *out)
{
	return moment_read(value, 1, &out->filter.to_ms) ? NULL : MOMENT_EXPECTED;
}

static const char *
read_before(const char *value, struct arguments *out)
{
	return moment_read(value, 1, &out->purge.created_before_ms) ? NULL : MOMENT_EXPECTED;
}

static const char *
read_deliveries(const char *value, struct arguments *out)
{
	(void)value;
	out->purge.deliveries = true;
	return NULL;
}

static const struct {
	const char *name;
	int has_value;
	unsigned takes; /* the commands: those with one of these bits; 0: all */
	read_value *read;
} options[] = {
	{"store", required_argument, 0, read_store},
	{"schema", required_argument, 0, read_schema},
	{"pooled", no_argument, 0, read_pooled},
	{"help", no_argument, 0, read_help},
	{"json", no_argument, TAKES_JSON, read_json},
	{"all", no_argument, TAKES_BULK, read_all},
	{"dry-run", no_argument, TAKES_BULK, read_dry_run},
	{"rate", required_argument, TAKES_BULK, read_rate},
	{"limit", required_argument, TAKES_LIMIT, read_limit},
	{"id", required_argument, TAKES_FILTER | TAKES_ID, read_id},
	{"after-id", required_argument, TAKES_FILTER, read_after_id},
	{"queue", required_argument, TAKES_FILTER | TAKES_PURGE, read_queue},
	{"type", required_argument, TAKES_FILTER | TAKES_PURGE, read_type},
	{"source", required_argument, TAKES_FILTER, read_source},
	{"event-id", required_argument, TAKES_FILTER, read_event_id},
	{"destination", required_argument, TAKES_FILTER, read_destination},
	{"reason", required_argument, TAKES_FILTER, read_reason},
	{"kind", required_argument, TAKES_FILTER, read_kind},
	{"from", required_argument, TAKES_FILTER, read_from},
	{"to", required_argument, TAKES_FILTER, read_to},
	{"created-before", required_argument, TAKES_PURGE, read_before},
	{"deliveries", no_argument, TAKES_PURGE, read_deliveries},
};

/* The command's options for getopt_long(); `val` is the index in `options`, plus 1. */
static void
list_options(unsigned takes, struct option *out)
{
	for (size_t i = 0; i < HERALD_COUNT(options); i++)
		if (options[i].takes == 0 || (options[i].takes & takes) != 0)
			*out++ = (struct option){
				.name = options[i].name,
				.has_arg = options[i].has_value,
				.val = (int)i + 1,
			};
	*out = (struct option){0};
}

static bool
read_options(const char *command, unsigned takes, int argc, char **argv, struct arguments *out)
{
	struct option list[HERALD_COUNT(options) + 1];
	int found;

	list_options(takes, list);
	optind = 1;
	opterr = 0;
	while (!out->wants_help && (found = getopt_long(argc, argv, "h", list, NULL)) != -1) {
		if (found == 'h') {
			out->wants_help = true;
			return true;
		}
		if (found == '?') {
			fprintf(stderr, "herald: %s: unknown option, or its value is missing: %s\n",
				command, argv[optind - 1]);
			return false;
		}
		if (optarg && *optarg == '\0') {
			fprintf(stderr, OPTIONS_EMPTY, options[found - 1].name);
			return false;
		}
		const char *expected = options[found - 1].read(optarg, out);
		if (expected) {
			fprintf(stderr, "herald: --%s: expected %s, found \"%s\"\n",
				options[found - 1].name, expected, optarg);
			return false;
		}
		out->has_more |= (options[found - 1].takes & TAKES_FILTER) &&
				 options[found - 1].read != read_id;
	}
	return true;
}

/* The id of a dead letter: as an argument, or by --id. */
static bool
read_id_word(const char *command, const char *word, struct arguments *out)
{
	const uint64_t option = out->filter.id;

	if (read_id(word, out)) {
		fprintf(stderr,
			"herald: %s: expected an id, as `herald store dead list` prints it, "
			"found \"%s\"\n",
			command, word);
		return false;
	}
	if (option != 0 && option != out->filter.id) {
		fprintf(stderr, "herald: %s: expected one id, found %s and --id %llu\n", command,
			word, (unsigned long long)option);
		return false;
	}
	return true;
}

static bool
read_words(const char *command, unsigned takes, int argc, char **argv, struct arguments *out)
{
	int index = optind;

	if ((takes & (TAKES_ID | TAKES_FILTER)) && index < argc &&
	    !read_id_word(command, argv[index++], out))
		return false;
	if (index < argc) {
		fprintf(stderr, "herald: %s: unexpected argument \"%s\"\n", command, argv[index]);
		return false;
	}
	if ((takes & TAKES_ID) && out->filter.id == 0) {
		fprintf(stderr,
			"herald: %s: expected an id, as `herald store dead list` prints it\n",
			command);
		return false;
	}
	/* An id is one of either kind. */
	if (out->filter.id != 0 && !out->has_kind)
		out->filter.kind = HERALD_DEAD_BOTH;
	return true;
}

/* Whether the filters leave something out. --after-id says where to go on, as --limit says where to
 * end: neither is meant to choose. */
static bool
is_filtered(const struct arguments *arguments)
{
	const struct herald_dead_filter *filter = &arguments->filter;

	return moment_is_end(filter->to_ms) || moment_is_end(arguments->purge.created_before_ms) ||
	       moment_is_beginning(filter->from_ms) || filter->id != 0 || filter->queue ||
	       filter->event_type || filter->source || filter->event_id || filter->destination ||
	       filter->reason != HERALD_DEAD_ANY;
}

/* Options that do not go together. */
static bool
check_options(const char *command, const struct arguments *arguments)
{
	const struct herald_dead_filter *filter = &arguments->filter;
	const char *why = NULL;

	if (filter->to_ms != 0 && filter->from_ms >= filter->to_ms)
		why = "--to must be later than --from";
	else if (arguments->purge.deliveries && arguments->purge.queue)
		why = "--queue: deliveries are in no queue; leave it out, or --deliveries";
	if (why)
		fprintf(stderr, "herald: %s: %s\n", command, why);
	return !why;
}

static bool
check_store(const char *command, const struct store_place *store)
{
	if (!store->name || *store->name == '\0') {
		fprintf(stderr,
			"herald: %s: --store is missing: sqlite:FILE or "
			"postgres://USER@HOST/DATABASE\n",
			command);
		return false;
	}
	if ((store->schema || store->is_pooled) && !database_is_postgres(store->name)) {
		fprintf(stderr, "herald: %s: --%s is for PostgreSQL, found --store %s\n", command,
			store->schema ? "schema" : "pooled", store->name);
		return false;
	}
	return true;
}

bool
arguments_read(const char *command, unsigned takes, int argc, char **argv, struct arguments *out)
{
	*out = (struct arguments){.store.name = getenv("HERALD_STORE")};
	if (!read_options(command, takes, argc, argv, out))
		return false;
	if (out->wants_help)
		return true;
	if (!read_words(command, takes, argc, argv, out) || !check_options(command, out) ||
	    !check_store(command, &out->store))
		return false;
	if ((takes & TAKES_BULK) && !is_filtered(out) && !out->is_all) {
		fprintf(stderr,
			"herald: %s: give a filter such as --type, or --all for all of them\n",
			command);
		return false;
	}
	return true;
}
