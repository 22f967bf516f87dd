/*
 * The publisher of Kafka on librdkafka's mock cluster: the cases of all brokers.
 */
#include "support/kafka_broker.h"

int
main(void)
{
	return broker_contract_run(&kafka_mock_broker);
}
