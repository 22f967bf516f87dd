/*
 * `herald store`: looks at the events in a store, and repairs it. Each command opens the store,
 * calls functions of herald/store.h, and prints.
 */
#include "store.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/database.h>
#include <herald/array.h>

#include "arguments.h"
#include "database.h"
#include "output.h"
#include "progress.h"
#include "text.h"

/* A command: the store is open. `is_ok` of the visitors' state says whether printing worked. */
struct job {
	struct herald_store *store;
	struct arguments arguments;
	bool is_ok;
	bool is_found; /* a row was visited */
	struct progress progress;
};

static enum herald_status run_status(struct job *job, struct herald_error *error);
static enum herald_status run_dead_list(struct job *job, struct herald_error *error);
static enum herald_status run_dead_show(struct job *job, struct herald_error *error);
static enum herald_status run_dead_replay(struct job *job, struct herald_error *error);
static enum herald_status run_dead_drop(struct job *job, struct herald_error *error);
static enum herald_status run_purge(struct job *job, struct herald_error *error);
static enum herald_status run_check(struct job *job, struct herald_error *error);
static enum herald_status run_migrate(struct job *job, struct herald_error *error);

static const struct command {
	const char *words[2];
	unsigned takes;
	enum herald_status (*run)(struct job *job, struct herald_error *error);
	const char *doc;
} commands[] = {
	{{"status"}, TAKES_JSON, run_status, "count events and deliveries by state and type"},
	{{"dead", "list"},
	 TAKES_FILTER | TAKES_LIMIT | TAKES_JSON,
	 run_dead_list,
	 "list dead letters, the oldest first"},
	{{"dead", "show"},
	 TAKES_ID | TAKES_JSON,
	 run_dead_show,
	 "print a dead letter with its data"},
	{{"dead", "replay"},
	 TAKES_FILTER | TAKES_LIMIT | TAKES_BULK | TAKES_JSON,
	 run_dead_replay,
	 "run dead letters again"},
	{{"dead", "drop"},
	 TAKES_FILTER | TAKES_LIMIT | TAKES_BULK | TAKES_JSON,
	 run_dead_drop,
	 "delete dead letters"},
	{{"purge"},
	 TAKES_PURGE | TAKES_BULK | TAKES_JSON,
	 run_purge,
	 "delete events or deliveries that have not run"},
	{{"check"}, TAKES_JSON, run_check, "check the database"},
	{{"migrate"}, 0, run_migrate, "create the tables, or bring them up to date"},
	{{"sql"}, 0, NULL, "print the SQL that creates the tables"},
};

/* Commands. */

static bool
take_count(const struct herald_count *count, void *state)
{
	struct job *job = state;

	if (!job->is_found && !job->arguments.is_json)
		print_count_heading();
	job->is_found = true;
	return job->is_ok = print_count(count, job->arguments.is_json);
}

static enum herald_status
run_status(struct job *job, struct herald_error *error)
{
	enum herald_status status = herald_store_counts(job->store, take_count, job, error);

	if (status == HERALD_OK && !job->is_found && !job->arguments.is_json)
		printf("The store is empty.\n");
	return status;
}

static bool
take_letter(const struct herald_dead_letter *letter, void *state)
{
	struct job *job = state;

	if (!job->is_found && !job->arguments.is_json)
		print_letter_heading();
	job->is_found = true;
	return job->is_ok = print_letter(letter, job->arguments.is_json);
}

static enum herald_status
run_dead_list(struct job *job, struct herald_error *error)
{
	enum herald_status status = herald_store_dead_visit(job->store, &job->arguments.filter,
							    take_letter, job, error);

	if (status == HERALD_OK && !job->is_found && !job->arguments.is_json)
		printf("There are no such dead letters.\n");
	return status;
}

static bool
take_whole_letter(const struct herald_dead_letter *letter, void *state)
{
	struct job *job = state;

	job->is_found = true;
	return job->is_ok = print_whole_letter(letter, job->arguments.is_json);
}

static enum herald_status
no_such_id(const struct job *job, struct herald_error *error)
{
	return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
				job->arguments.has_more ? "no dead letter %llu matches the filter"
							: "there is no dead letter %llu",
				(unsigned long long)job->arguments.filter.id);
}

static enum herald_status
run_dead_show(struct job *job, struct herald_error *error)
{
	enum herald_status status = herald_store_dead_visit(job->store, &job->arguments.filter,
							    take_whole_letter, job, error);

	return status == HERALD_OK && !job->is_found ? no_such_id(job, error) : status;
}

static bool
tell_progress(uint64_t count, void *state)
{
	struct job *job = state;

	return progress_tell(&job->progress, count);
}

static struct herald_bulk
bulk_of(struct job *job, const char *doing)
{
	struct herald_bulk bulk = job->arguments.bulk;

	progress_begin(&job->progress, doing, bulk.is_dry_run);
	bulk.progress = tell_progress;
	bulk.state = job;
	return bulk;
}

/* What was done is told even if the rest failed. */
static enum herald_status
end_bulk(struct job *job, enum herald_status status, uint64_t count)
{
	if (status == HERALD_OK || count > 0)
		job->is_ok = print_done(job->progress.doing, count, job->arguments.bulk.is_dry_run,
					job->arguments.is_json);
	return status;
}

/* A function of herald/store.h for dead letters. */
typedef enum herald_status
dead_operation(struct herald_store *store, const struct herald_dead_filter *filter,
	       const struct herald_bulk *bulk, uint64_t *count, struct herald_error *error);

static enum herald_status
run_dead(struct job *job, dead_operation *run, const char *doing, struct herald_error *error)
{
	const struct herald_bulk bulk = bulk_of(job, doing);
	uint64_t count = 0;
	enum herald_status status = run(job->store, &job->arguments.filter, &bulk, &count, error);

	if (status == HERALD_OK && count == 0 && job->arguments.filter.id != 0)
		return no_such_id(job, error);
	return end_bulk(job, status, count);
}

static enum herald_status
run_dead_replay(struct job *job, struct herald_error *error)
{
	return run_dead(job, herald_store_dead_replay, "replayed", error);
}

static enum herald_status
run_dead_drop(struct job *job, struct herald_error *error)
{
	return run_dead(job, herald_store_dead_drop, "dropped", error);
}

static enum herald_status
run_purge(struct job *job, struct herald_error *error)
{
	const struct herald_bulk bulk = bulk_of(job, "purged");
	uint64_t count = 0;

	enum herald_status status =
		herald_store_purge(job->store, &job->arguments.purge, &bulk, &count, error);
	return end_bulk(job, status, count);
}

static bool
take_finding(const struct herald_finding *finding, void *state)
{
	struct job *job = state;

	job->is_found |= finding->is_problem;
	return job->is_ok = print_finding(finding, job->arguments.is_json);
}

static enum herald_status
run_check(struct job *job, struct herald_error *error)
{
	enum herald_status status = herald_store_check(job->store, take_finding, job, error);

	if (status == HERALD_OK && job->is_found)
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"the check found problems");
	return status;
}

/* Opening it without must_exist was the work. */
static enum herald_status
run_migrate(struct job *job, struct herald_error *error)
{
	(void)error;
	job->is_ok = printf("The tables are up to date.\n") > 0;
	return HERALD_OK;
}

/* The database need not exist: nothing is opened. */
static enum herald_status
print_sql(struct herald_database *database, struct herald_error *error)
{
	bool is_printed = fputs(database->ops->sql(database), stdout) >= 0;
	database->ops->destroy(database);
	return is_printed ? HERALD_OK
			  : herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					     "could not write to stdout");
}

/* Finding and running a command. */

void
store_print_usage(FILE *out)
{
	fprintf(out, "usage: herald store COMMAND --store sqlite:FILE|postgres://... [OPTION...]\n"
		     "\ncommands:\n");
	for (size_t i = 0; i < HERALD_COUNT(commands); i++) {
		const struct command *command = &commands[i];
		const char *second = command->words[1] ? command->words[1] : "";

		fprintf(out, "  %-8s %-8s %s\n", command->words[0], second, command->doc);
	}
	fputs("\nfilters of dead letters:\n"
	      "  N or --id N  --queue NAME  --type TYPE  --source SOURCE  --event-id ID\n"
	      "  --reason failed|attempts|interrupted|undecodable|no_route|refused|expired\n"
	      "  --kind events|deliveries|both (default events; with an id both)  --destination "
	      "URL-PREFIX\n"
	      "  --from TIME  --to TIME   when it became one: 2026-01-31T12:00:00Z, or an age: "
	      "15m, 7d\n"
	      "  --limit N  --after-id N   (where to end and to go on; not filters)\n"
	      "\npurge: --queue NAME  --type TYPE  --created-before TIME  --deliveries\n"
	      "\nreplay, drop and purge: a filter or --all; --dry-run counts only; --rate N a "
	      "second\n"
	      "\nPostgreSQL: --schema NAME (default herald)  --pooled behind PgBouncer\n"
	      "\n--json prints one JSON object a line. HERALD_STORE is the default of --store.\n"
	      "Exit status: 0, 1 for a failure or a problem that check found, 2 for wrong usage.\n",
	      out);
}

/* The number of its words that argv begins with; 0: it is another one. */
static int
matching_words(const struct command *command, int argc, char **argv)
{
	int count = command->words[1] ? 2 : 1;

	if (argc < count)
		return 0;
	for (int i = 0; i < count; i++)
		if (strcmp(argv[i], command->words[i]) != 0)
			return 0;
	return count;
}

static enum herald_status
run_on(const struct command *command, struct herald_database *database, struct job *job,
       struct herald_error *error)
{
	if (!command->run)
		return print_sql(database, error);
	enum herald_status status =
		store_open(database, command->run != run_migrate, &job->store, error);
	if (status != HERALD_OK)
		return status;
	status = command->run(job, error);
	herald_store_destroy(job->store);
	return status;
}

static int
run_command(const struct command *command, struct job *job)
{
	struct store_place *place = &job->arguments.store;
	struct herald_database *database;
	struct herald_error error;

	/* `sql` opens nothing, so that the file's name may be missing. */
	if (!command->run && strcmp(place->name, "sqlite:") == 0)
		place->name = "sqlite:any.db";
	enum herald_status status = database_create(place, &database, &error);
	const bool is_wrong_usage = status == HERALD_BAD_OPTION;
	if (status == HERALD_OK)
		status = run_on(command, database, job, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "herald", &error);
	if (!tool_flush() || !job->is_ok)
		return 1;
	progress_end(&job->progress);
	return status == HERALD_OK ? 0 : is_wrong_usage ? 2 : 1;
}

/* Says how much of argv is known: `store dead frob`. */
static void
refuse_command(int argc, char **argv)
{
	bool is_first_known = false;

	for (size_t i = 0; i < HERALD_COUNT(commands); i++)
		is_first_known |=
			commands[i].words[1] && strcmp(argv[0], commands[i].words[0]) == 0;
	if (!is_first_known)
		fprintf(stderr, "herald: store: unknown command \"%s\"\n", argv[0]);
	else if (argc == 1 || argv[1][0] == '-')
		fprintf(stderr, "herald: store %s: a command is missing", argv[0]);
	else
		fprintf(stderr, "herald: store %s: unknown command \"%s\"", argv[0], argv[1]);
	if (!is_first_known)
		return;
	for (size_t i = 0, found = 0; i < HERALD_COUNT(commands); i++)
		if (commands[i].words[1] && strcmp(argv[0], commands[i].words[0]) == 0)
			fprintf(stderr, "%s%s", found++ == 0 ? "; expected one of " : ", ",
				commands[i].words[1]);
	fprintf(stderr, "\n");
}

/* Without a command no option has a value. */
static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int
help(void)
{
	store_print_usage(stdout);
	return 0;
}

int
store_main(int argc, char **argv)
{
	for (size_t i = 0; i < HERALD_COUNT(commands); i++) {
		int words = matching_words(&commands[i], argc, argv);
		struct job job = {.is_ok = true};
		char name[32];

		if (words == 0)
			continue;
		snprintf(name, sizeof(name), "store %s%s%s", commands[i].words[0],
			 words > 1 ? " " : "", words > 1 ? commands[i].words[1] : "");
		/* The last word takes the place of the program's name. */
		if (!arguments_read(name, commands[i].takes, argc - words + 1, argv + words - 1,
				    &job.arguments))
			return 2;
		if (job.arguments.wants_help)
			return help();
		return run_command(&commands[i], &job);
	}
	if (asks_for_help(argc, argv))
		return help();
	if (argc > 0)
		refuse_command(argc, argv);
	store_print_usage(stderr);
	return 2;
}
