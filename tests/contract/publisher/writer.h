/*
 * What the cases use: a producer that publishes numbered messages to a topic of its own, and a
 * reader of what has arrived there.
 */
#ifndef HERALD_TESTS_CONTRACT_PUBLISHER_WRITER_H
#define HERALD_TESTS_CONTRACT_PUBLISHER_WRITER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/subscriber.h>
#include <herald/producer.h>

#include "contract/broker/probe.h"

#define WRITER_MESSAGES 8192
/* After this time without an answer, a server counts as hanging. */
#define WRITER_SILENCE_MS 1000

/* The end of a message. */
struct writer_end {
	enum herald_status status;
	unsigned calls; /* of its hook */
	char reason[256];
	struct writer *writer;
};

struct writer {
	char topic[64];
	struct herald_producer *producer; /* NULL: destroyed */
	pthread_mutex_t mutex;            /* protects the rest */
	size_t ended, confirmed;
	struct writer_end ends[WRITER_MESSAGES]; /* by number */
};

/* What a reader has received. Texts are copies, terminated by NUL. */
struct arrival {
	struct herald_text data, attributes, key;
	char *content_type; /* NULL: none */
	int number;         /* of its id, m-NUMBER; -1: it has another id */
};

struct arrivals {
	struct arrival *all;
	size_t count, room;
};

/* On a topic that exists, which no other writer has. */
#define WRITER(...) writer_create(&HERALD_PRODUCER_OPTIONS(__VA_ARGS__), true)
struct writer *writer_create(const struct herald_producer_options *options, bool makes_topic);
/* Destroy its producer; nothing for NULL. Then read what it has published. */
void writer_end(struct writer *writer);
void writer_destroy(struct writer *writer);
/* Make its topic. */
void writer_make_topic(const struct writer *writer);

/* Submit the message of a number, with the id m-NUMBER and the number as its body. */
enum herald_status writer_try(struct writer *writer, int number);
/* The same, which must be accepted, for `count` numbers. */
void writer_submit(struct writer *writer, int first, int count);

size_t writer_ended(struct writer *writer);
size_t writer_confirmed(struct writer *writer);
struct herald_producer_statistics writer_counts(struct writer *writer);

/* Read everything that is in the topic. */
void writer_read(const struct writer *writer, struct arrivals *out);
void arrivals_free(struct arrivals *arrivals);
/* How often messages of the numbers up to `count` have arrived too often. Fails if one has not. */
size_t arrivals_repeated(const struct arrivals *arrivals, int count);

#endif
