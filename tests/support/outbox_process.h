/*
 * A process with a store on a model of a database, and a deliverer that sends from it by a
 * transport without a network. Processes with the same model share the work. Include cmocka.h (and
 * what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_OUTBOX_PROCESS_H
#define HERALD_TESTS_SUPPORT_OUTBOX_PROCESS_H

#include <herald/delivery.h>
#include <herald/store.h>

#include "support/delivering.h"
#include "support/fake_transport.h"
#include "support/model_database.h"
#include "support/stored_outbox.h"

struct outbox_process {
	struct herald_database *database;
	struct herald_store *store;
	const struct fake_step *steps; /* of the transport; NULL: as the paths of the URLs say */
	size_t steps_count;
	struct fake_transport transport;
	struct recorder recorder;
	struct herald_delivery_queue *queue;
	struct herald_deliverer *deliverer;
};

/* Hooks, transport, queue and database of the options are replaced. Delays are 1 ms by default. */
void
outbox_process_begin(struct outbox_process *process, struct model *model,
		     struct herald_store_options store, struct herald_deliverer_options deliverer);

/* Stop at once, and destroy deliverer and store. The recorder's counts can still be read. */
void outbox_process_end(struct outbox_process *process);

/* The process dies: nothing that it does reaches the database any more. */
void outbox_process_kill(struct outbox_process *process);

#endif
