/*
 * Kafka for the contract of brokers: a real one, and librdkafka's mock cluster, on which only
 * producers are tested.
 */
#ifndef HERALD_TESTS_SUPPORT_KAFKA_BROKER_H
#define HERALD_TESTS_SUPPORT_KAFKA_BROKER_H

#include "contract/broker/suite.h"

extern const struct contract_broker kafka_broker, kafka_mock_broker;

#endif
