/*
 * The contract of subscribers and publishers on Kafka.
 */
#include "support/kafka_broker.h"

int
main(void)
{
	return broker_contract_run(&kafka_broker);
}
