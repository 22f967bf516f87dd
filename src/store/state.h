/*
 * The data of a store, and which thread each part belongs to. How they work together is described
 * in docs/internals/durable.md.
 */
#ifndef HERALD_SRC_STORE_STATE_H
#define HERALD_SRC_STORE_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/store.h>

#include "base/clock.h"
#include "service/inbox.h"
#include "store/backlog.h"
#include "store/committer.h"
#include "store/dispatch.h"
#include "store/ending.h"
#include "store/health.h"
#include "store/node.h"
#include "store/outbox.h"
#include "store/start.h"
#include "store/upkeep.h"
#include "store/worker.h"

struct herald__store_threads;

/* Set once, before there are threads. */
struct herald__store_settings {
	struct herald_store_options options; /* with defaults; no pointer but `database` */
	struct herald_log log;
	struct herald_allocator allocator;
	struct herald__delivery_clock clock; /* any thread; also random() */
};

/* Counts; any thread. */
struct herald__store_counts {
	atomic_uint_fast64_t accepted, duplicates, refused, runs, done, retries, dead, interrupted,
		lost, commits, failures;
};

struct herald_store {
	struct herald__inbox inbox; /* the first member */
	struct herald__store_settings settings;
	struct herald_database *database;
	unsigned char secret[HERALD__SIPHASH_KEY_BYTES]; /* of the database */
	struct herald__store_counts counts;
	struct herald__health health;
	struct herald__dispatch dispatch;
	struct herald__outbox outbox;
	struct herald__committer committer;
	struct herald__node node;
	struct herald__upkeep upkeep;
	struct herald__backlog backlog;
	struct herald__worker *workers;
	struct herald__starting starting;
	struct herald__ending ending;
	bool has_threads;
	bool is_stopped;                       /* by herald_store_stop() */
	struct herald__store_threads *threads; /* NULL: none run */
	atomic_uint_fast64_t random;           /* state of the system's clock */
};

#endif
