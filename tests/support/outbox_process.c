/*
 * A store, a deliverer and what they run on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outbox_process.h"

void
outbox_process_begin(struct outbox_process *process, struct model *model,
		     struct herald_store_options store, struct herald_deliverer_options deliverer)
{
	struct herald_error error = {.message = ""};

	recorder_init(&process->recorder);
	fake_transport_init(&process->transport, process->steps, process->steps_count);
	process->database = model_open(model);
	store.struct_size = sizeof(store);
	store.database = process->database;
	store.workers = store.workers ? store.workers : 1;
	store.first_delay_ms = store.first_delay_ms ? store.first_delay_ms : 1;
	if (herald_store_create(&store, &process->store, &error) != HERALD_OK ||
	    herald_store_queue_create(process->store, &process->queue, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	deliverer.struct_size = sizeof(deliverer);
	deliverer.transport = &process->transport.base;
	deliverer.queue = process->queue;
	deliverer.on_attempt = record_attempt;
	deliverer.on_outcome = record_outcome;
	deliverer.state = &process->recorder;
	deliverer.first_delay_ms = deliverer.first_delay_ms ? deliverer.first_delay_ms : 1;
	if (herald_deliverer_create(&deliverer, &process->deliverer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

void
outbox_process_end(struct outbox_process *process)
{
	assert_int_equal(herald_deliverer_stop(process->deliverer, 0), 0);
	herald_deliverer_destroy(process->deliverer);
	herald_store_destroy(process->store);
	recorder_finish(&process->recorder);
}

void
outbox_process_kill(struct outbox_process *process)
{
	model_kill(process->database);
	outbox_process_end(process);
}
