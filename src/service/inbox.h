/*
 * Between the service and the store above it: how a service hands over events that it has accepted,
 * and how the store runs them later. Functions that the store implements are in an ops table,
 * because the service's layer does not know the store's; functions that the store calls are below.
 */
#ifndef HERALD_SRC_SERVICE_INBOX_H
#define HERALD_SRC_SERVICE_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/buffer.h>
#include <herald/service.h>
#include <herald/status.h>
#include <herald/value.h>

struct herald_delivery;
struct herald_session;
struct herald__inbox_ops;
struct herald__queue;

/* The first member of struct herald_store. */
struct herald__inbox {
	const struct herald__inbox_ops *ops;
	/* The most events that wait for a commit; others are refused for the moment. A larger batch
	 * would be refused each time. */
	size_t max_waiting;
};

/*
 * An event to store. All that it points to is valid until `done` is called. The service sets the
 * first block, the store the second one.
 */
struct herald__inbox_event {
	struct herald_service *service;
	const char *event_type; /* never NULL, likewise below */
	const char *source;
	const char *id; /* "": none */
	const char *content_type;
	struct herald_text attributes; /* "name\0value\0" for each */
	struct herald_text data;       /* as it came */
	struct herald_text key;        /* of the order; data NULL: none */
	bool holds_key;                /* for ends that know no route; see struct herald__run */
	int64_t due_ms;                /* 0: now */
	/* Called once, on any thread, perhaps before accept() returns. Must not block. The event is
	 * not used after it. */
	void (*done)(struct herald__inbox_event *event);

	enum herald_status status; /* HERALD_OK: it is on disk */
	bool is_duplicate;
	struct herald_error error; /* set unless HERALD_OK */
	struct herald__queue *queue;
	struct herald__inbox_event *next;
};

/* A run of a stored event, or of a message of a broker. The store or the consumer sets the first
 * block. */
struct herald__run {
	uint64_t id;
	/*
	 * It comes from a broker, to a service without a store: so it was not checked when it was
	 * accepted. Then its `receive` runs, and its id is checked. data NULL: it was. Otherwise
	 * the bytes as they came, which stay unchanged.
	 */
	struct herald_text arrived;
	const char *content_type;
	struct herald_text attributes; /* as above */
	int64_t created_ms;            /* when it was accepted */
	unsigned attempt;              /* 1, 2, ... */
	bool is_last_attempt;          /* a HERALD_RETRY of it is a HERALD_FAIL */
	/* Why the event is a dead letter: it does not run, only its handlers are told. NULL: it
	 * runs. */
	const char *death;
	/*
	 * Called once before anything of the user's runs: before the `before` handlers, or before
	 * `rejected` if there is no route. `joins`: the route has HERALD_TRANSACTION_JOIN: opens
	 * the event's part of a transaction, and sets `session`. Otherwise ends the transaction of
	 * the worker's earlier events, so that it does not block the function's own. Fails if the
	 * database does, or if the event may belong to another process by now: then the event is
	 * HERALD_RETRY with that status, and nothing of the user's runs.
	 */
	enum herald_status (*begin)(struct herald__run *run, bool joins,
				    struct herald_error *error);
	/*
	 * Called after function and handlers, if `session` is set: ends the event's part of the
	 * transaction, which is kept if it `is_done`, and sets `session` to NULL. HERALD_BAD_VALUE:
	 * the user's code has ended the transaction, and the event is HERALD_FAIL. Other errors:
	 * the event is HERALD_RETRY, also if it was to be HERALD_FAIL: it runs again.
	 */
	enum herald_status (*end)(struct herald__run *run, bool is_done,
				  struct herald_error *error);
	struct herald_session *session; /* NULL: no transaction */

	/* In: as when the event was accepted. Out: what its route says now, if it has one. */
	bool holds_key; /* when_dead is HERALD_WHEN_DEAD_HOLD */

	/* Set by the service. */
	bool is_exhausted; /* a HERALD_RETRY became a HERALD_FAIL: it was the last attempt */
	/* Opaque: what was published, encoded by the store. The service cuts it back where a
	 * verdict says so. */
	struct herald_buffer published;
};

/* All functions may be called on any thread. */
struct herald__inbox_ops {
	/* A service with this store was created. Workers may run its events before this returns. */
	enum herald_status (*attach)(struct herald__inbox *inbox, struct herald_service *service,
				     struct herald_error *error);
	/* The service is destroyed: returns when none of its events is running, and those that
	 * wait for a commit are done. */
	void (*detach)(struct herald__inbox *inbox, struct herald_service *service);
	/* Store an event; calls event->done. */
	void (*accept)(struct herald__inbox *inbox, struct herald__inbox_event *event);
	/* Append a delivery to run->published. */
	enum herald_status (*publish)(struct herald__inbox *inbox, struct herald__run *run,
				      const struct herald_delivery *delivery,
				      struct herald_error *error);
};

/* Functions of the service for the store. */

/*
 * Run a stored event: decode, `before`, function, `after`, `rejected`; count and log it. `data` is
 * modified. run->published has what is to be stored with the outcome.
 */
void herald__service_run(struct herald_service *service, struct herald__run *run, char *data,
			 size_t bytes, struct herald_result *out);

/* The queue's name: the service's option `queue`. */
const char *herald__service_queue(const struct herald_service *service);

#endif
