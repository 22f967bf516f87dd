/*
 * A queue whose records outlive the deliverer keeps the contract of queues: so the interface is
 * enough for one.
 */
#include "contract/queue/suite.h"
#include "support/stored_queue.h"

static void *
store_create(void)
{
	return stored_queue_store_create();
}

static void
store_destroy(void *store)
{
	stored_queue_store_destroy(store);
}

static struct herald_delivery_queue *
create(void *store)
{
	return stored_queue_create(store);
}

static const struct contract_queue queue = {
	.name = "stored_queue",
	.store_create = store_create,
	.store_destroy = store_destroy,
	.create = create,
	.cut_off = stored_queue_cut_off,
};

int
main(void)
{
	return contract_queue_main(&queue);
}
