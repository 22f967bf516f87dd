/*
 * Work on the dead letters of a broker: one after the other, those that match a filter.
 */
#ifndef HERALD_CMD_BROKER_JOB_H
#define HERALD_CMD_BROKER_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "broker_letter.h"
#include "broker_place.h"
#include "progress.h"

enum broker_action {
	BROKER_LIST,
	BROKER_SHOW,
	BROKER_REPLAY,
	BROKER_DROP,
};

struct broker_job {
	enum broker_action action;
	struct broker_place place; /* its url and source may be NULL: missing */
	const char *target;        /* of a replay; NULL: the origin of each */
	struct broker_filter filter;
	uint64_t limit;      /* 0: none */
	uint64_t per_second; /* 0: as fast as possible */
	bool is_all, is_dry_run, is_json;

	/* From here on, of broker_job_run(). */
	struct herald_dead_letters *letters;
	struct inspector inspector;
	struct progress progress;
	uint64_t began_ms;
	uint64_t found;   /* that match */
	uint64_t done;    /* replayed or dropped; of a dry run, that would be */
	uint64_t failed;  /* still there */
	uint64_t unknown; /* may have been replayed or dropped */
	bool is_printed;  /* all of the output was */
};

/* Do it, and print what was done. Returns the exit status. */
int broker_job_run(struct broker_job *job);

#endif
