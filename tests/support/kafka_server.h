/*
 * A Kafka broker for a test: a real one in a process of its own (KRaft, Java), or librdkafka's mock
 * cluster in this process. And a client that looks at it.
 */
#ifndef HERALD_TESTS_SUPPORT_KAFKA_SERVER_H
#define HERALD_TESTS_SUPPORT_KAFKA_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <herald/value.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct kafka_server {
	pid_t pid;
	uint16_t port, controller_port;
	char directory[64];
	char url[64];
	/* More lines of server.properties; may be NULL. */
	const char *settings;
	rd_kafka_t *mock_client; /* NULL: a real one */
	rd_kafka_mock_cluster_t *mock;

	/* The test's own clients. NULL: there is none yet. */
	rd_kafka_t *producer, *consumer, *reader;
	char group[32]; /* the consumer's; "": none is set */
};

/* Whether the real one is on this machine: Java, and its jars in the folder HERALD_TEST_KAFKA or
 * build/tools/kafka. */
bool kafka_server_exists(void);
/* Says so in TAP, where it is not. Returns the exit status for main(). */
int kafka_server_left_out(const char *name);

/* Start it. Fails the test on errors, as do the other functions. */
void kafka_server_start(struct kafka_server *server);
void kafka_server_start_mock(struct kafka_server *server);
/* Stop it, and remove its folder. */
void kafka_server_stop(struct kafka_server *server);

/* kill -9, and start it again on its data. */
void kafka_server_kill(struct kafka_server *server);
void kafka_server_restart(struct kafka_server *server);
/* SIGSTOP and SIGCONT. */
void kafka_server_pause(struct kafka_server *server);
void kafka_server_go_on(struct kafka_server *server);

/* Publish, without waiting. The value of the header "key" is the key. */
void kafka_server_send(struct kafka_server *server, const char *topic, const char *data,
		       size_t bytes, const struct herald_pair *headers, size_t headers_count);
/* Until the broker has stored all. */
void kafka_server_await(struct kafka_server *server);
/* Messages of a topic and of the group's topics for retries that are not finished. SIZE_MAX while
 * the broker does not answer. */
size_t kafka_server_left(struct kafka_server *server, const char *topic, const char *group);
/* Messages of a topic. */
size_t kafka_server_count(struct kafka_server *server, const char *topic);
/* The message of an index, in the order of partitions; for rd_kafka_message_destroy(). */
rd_kafka_message_t *kafka_server_read(struct kafka_server *server, const char *topic, size_t index);
void kafka_server_make_topic(struct kafka_server *server, const char *topic, int partitions);
void kafka_server_delete_topic(struct kafka_server *server, const char *topic);
/* The largest message that a topic takes. */
void kafka_server_limit(struct kafka_server *server, const char *topic, const char *bytes);
/* A topic of one partition takes nothing, and takes messages again. For the mock cluster. */
void kafka_server_block(struct kafka_server *server, const char *topic);
void kafka_server_unblock(struct kafka_server *server, const char *topic);

#endif
