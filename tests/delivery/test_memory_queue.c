/*
 * The queue in memory keeps the contract of queues.
 */
#include "contract/queue/suite.h"
#include "delivery/memory_queue.h"

static struct herald_delivery_queue *
create(void *store)
{
	(void)store;
	return herald__memory_queue_create(&herald_allocator_libc, 1000);
}

static const struct contract_queue queue = {.name = "memory_queue", .create = create};

int
main(void)
{
	return contract_queue_main(&queue);
}
