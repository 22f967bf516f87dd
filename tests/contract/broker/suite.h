/*
 * The contract of brokers: what a consumer and a producer do on each of them. A broker is a table
 * of functions. Its test program has one more line:
 *
 *	return broker_contract_run(&redis_broker);
 */
#ifndef HERALD_TESTS_CONTRACT_BROKER_SUITE_H
#define HERALD_TESTS_CONTRACT_BROKER_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>
#include <herald/value.h>

struct herald_publisher;
struct herald_subscriber;

/* A dead letter. */
struct contract_dead {
	char *data; /* for free() */
	size_t bytes;
	struct herald_pair headers[32]; /* both texts are for free() */
	size_t headers_count;
};

/* All of them fail the test on errors. */
struct contract_broker {
	const char *name;
	/* Its library has threads, so a child of fork() cannot use it. Cases in which the
	 * process of a consumer dies are left out; a test of the example has them. */
	bool has_threads;
	/* A message whose dead letter cannot be written does not run again in the meantime. */
	bool holds_dead;
	/* Its server stores acknowledgements some time later. If it is killed, it has forgotten
	 * some that it had confirmed, so more events run twice than were in flight. */
	bool stores_ends_later;
	/* Its consumer goes on within a second after the server is back, and ends open() at a stop.
	 * Kafka's library does both by itself, and later; the cases of it are left out. */
	bool is_found_soon;
	/* Its library may not notice that what is consumed was deleted, and is there again:
	 * messages at the places of old ones may be skipped, and later ones are not. */
	bool may_miss_deletion;
	/* Its server may count more than one delivery that did not reach a consumer, because that
	 * has stopped. */
	bool counts_undelivered;
	/* A message that is sent again arrives once. */
	bool deduplicates;
	/* Publishing makes a topic that does not exist. */
	bool creates_topics;
	/* A body that it refuses; 0: that would be too large for a test. */
	size_t too_large_bytes;

	/* Only the cases of producers run. */
	bool publishes_only;
	/* The server drops the first messages of a topic with many bytes. */
	bool drops_bytes;

	/* The server of this program. */
	bool (*exists)(void);
	void (*start)(void);
	void (*stop)(void);
	/* kill -9, and start it again with its data. */
	void (*kill)(void);
	void (*restart)(void);
	/* SIGSTOP and SIGCONT. */
	void (*pause)(void);
	void (*go_on)(void);

	/* A subscriber to a stream, topic or queue, which it makes if it is not there. */
	enum herald_status (*subscribe)(const char *source, const char *group,
					uint32_t visibility_ms, struct herald_subscriber **out,
					struct herald_error *error);
	void (*publish)(const char *source, const char *data, size_t bytes,
			const struct herald_pair *headers, size_t headers_count);
	/* The same for many, without headers. */
	void (*publish_all)(const char *source, const char *const *data, size_t count);

	/* Messages that are not finished, whether consumers have them or not. */
	size_t (*left)(const char *source, const char *group);
	size_t (*dead_count)(const char *source);
	void (*dead)(const char *source, size_t index, struct contract_dead *out);
	/* Make it impossible to write dead letters, and possible again. */
	void (*break_dead)(const char *source);
	void (*mend_dead)(const char *source);
	/* Delete what is consumed, with all its messages. */
	void (*delete_source)(const char *source);

	/* A publisher that gives up a server that is silent for so long. NULL: there is none, and
	 * no case of producers runs. */
	enum herald_status (*publisher)(uint32_t silence_ms, struct herald_publisher **out,
					struct herald_error *error);
	/* Make a topic; NULL: subscribe() makes it, and this is quick. */
	void (*make_topic)(const char *topic);
	/* The server takes nothing that is published to a topic, which has a message, and takes it
	 * again. NULL: it always takes messages. */
	void (*block)(const char *topic);
	void (*unblock)(const char *topic);
};

/* Run all cases. Returns the exit status for main(). */
int broker_contract_run(const struct contract_broker *kind);

#endif
