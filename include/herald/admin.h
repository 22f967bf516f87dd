/*
 * The dashboard: a page that shows what a process does, and a JSON API that the page uses.
 *
 *	herald_admin_create(&HERALD_ADMIN_OPTIONS(.service = service, .token = token), &admin,
 *			    &error);
 *
 *	const struct herald_server_path paths[] = {herald_admin_path(admin)};
 *	herald_serve(service, &HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths)), &error);
 *
 * The page is then at http://127.0.0.1:8080/admin/ and asks for the token. docs/dashboard.md
 * explains what it shows, the requests of the API and their answers.
 *
 * All requests below api/ need the token, as `Authorization: Bearer TOKEN`. The page itself, its
 * style and its script do not: they contain nothing of the process. There are no cookies, so
 * another site cannot make a browser send the token.
 */
#ifndef HERALD_ADMIN_H
#define HERALD_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>
#include <herald/answer.h>
#include <herald/buffer.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/metrics.h>
#include <herald/pool.h>
#include <herald/server.h>
#include <herald/service.h>
#include <herald/status.h>
#include <herald/store.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_admin;

/**
 * What the dashboard shows, and what it may do. What is NULL is left out. All is borrowed, and must
 * outlive the dashboard; texts are copied. Zero means the default.
 */
struct herald_admin_options {
	size_t struct_size; /**< Set by HERALD_ADMIN_OPTIONS. */

	/**
	 * Required: what a request needs in its header Authorization. 1 to 256 visible ASCII
	 * characters. Use 32 random ones: `head -c 24 /dev/urandom | base64`. A token of fewer than
	 * 16 is accepted, with a warning in the log.
	 */
	const char *token;
	const char *name;  /**< The heading of the page. Limit 63 bytes. Default "Herald". */
	bool is_read_only; /**< Refuse replays and drops. Default false. */

	/** The service, its routes and their pipeline. */
	const struct herald_service *service;
	/** Default: the server that is asked for herald_admin_path(), if there is one. */
	const struct herald_server *server;
	struct herald_pool *pool;           /**< Such as the option `pool` of the server. */
	struct herald_store *store;         /**< Default: the store of the service. */
	struct herald_deliverer *deliverer; /**< Callbacks, and what is published. */
	/** Set by HERALD_CONSUMERS. No two have the same name. */
	const struct herald_named_consumer *consumers;
	size_t consumers_count; /**< Default 0, limit 1,024. */
	/** Set by HERALD_PRODUCERS. No two have the same name. */
	const struct herald_named_producer *producers;
	size_t producers_count; /**< Default 0, limit 1,024. */

	/**
	 * Wrong tokens within a minute, of all clients together. Once they are used up, wrong
	 * ones get 429 until the next one is allowed; the right one does not. Default 10, limit
	 * 1,000,000.
	 */
	unsigned max_wrong_tokens_per_minute;
	/** Replays and drops within a minute; further ones get 429. Dry runs count, too. Default
	 * 600, limit 1,000,000. */
	unsigned max_actions_per_minute;
	/** Dead letters that one request replays or drops. The page sends as many requests as it
	 * takes. Default 1,000, limit 1,000,000. */
	size_t max_action_count;
	/** How much of a dead letter's payload the API gives. Default 256 KiB, limit 64 MiB. */
	size_t max_payload_bytes;

	/** Replays and drops are logged as information, wrong tokens as warnings. Zeroed: nothing
	 * is logged. */
	struct herald_log log;
	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_ADMIN_OPTIONS(.service = service, .token = token). */
#define HERALD_ADMIN_OPTIONS(...)                                                                  \
	((struct herald_admin_options){.struct_size = sizeof(struct herald_admin_options),         \
				       __VA_ARGS__})

/**
 * Create a dashboard.
 *
 * options  copied, texts included.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_admin_create(const struct herald_admin_options *options, struct herald_admin **out,
		    struct herald_error *error);

/** Free the dashboard. Destroy a server with its path first. NULL is allowed. */
HERALD_API void herald_admin_destroy(struct herald_admin *admin);

/**
 * A path for a server: all that begins with "/admin/". For another place, change the member `path`;
 * it must end in a '/' and an asterisk.
 *
 * Lists, replays and drops of dead letters wait for the database on the thread of the server that
 * takes the request: meanwhile the other connections of that thread wait. One request at a time is
 * with the database; others get 503 after 100 ms. To keep them apart from events, or to listen
 * elsewhere, give the path to a server of its own: herald_server_create(NULL, ...).
 *
 * Its member `hosts` is HERALD_LOCAL_HOSTS. Change it behind a proxy on the same machine.
 *
 * admin  borrowed; must outlive the server.
 */
HERALD_API struct herald_server_path herald_admin_path(struct herald_admin *admin);

/* For other HTTP servers. */

/** A request to the dashboard. Borrowed during the call. */
struct herald_admin_request {
	size_t struct_size; /**< Set by HERALD_ADMIN_REQUEST. */

	const char *method; /**< "GET", "HEAD" or "POST"; others get 405. */
	/** What follows "/admin/" in the request's target, without the query: "", "page.css",
	 * "api/status". */
	const char *path;
	const char *query; /**< After the '?', as sent. NULL: none. */
	/** Returns the value of the first header of this name, ignoring case; NULL: none. */
	const char *(*header)(const char *name, void *state);
	void *state;             /**< Passed to `header`. */
	struct herald_text body; /**< Read up to 64 KiB; a larger one gets 413. */
};

/** A request as a compound literal: HERALD_ADMIN_REQUEST(.method = "GET", .path = ""). */
#define HERALD_ADMIN_REQUEST(...)                                                                  \
	((struct herald_admin_request){.struct_size = sizeof(struct herald_admin_request),         \
				       __VA_ARGS__})

/** The most headers that a response has. */
#define HERALD_ADMIN_MAX_HEADERS 12

/** A response of the dashboard. */
struct herald_admin_response {
	unsigned status;                                               /**< 200 to 503. */
	const char *content_type;                                      /**< Static storage. */
	struct herald_answer_header headers[HERALD_ADMIN_MAX_HEADERS]; /**< All must be sent. */
	size_t headers_count;                                          /**< How many there are. */
	struct herald_buffer body; /**< Also after HEAD, which must not send it. */
	char retry_after
		[24]; /**< The value of a header, which points here: do not copy the struct. */
};

/**
 * Answer a request.
 *
 * request   see above; the server must have refused ambiguous ones.
 * response  set only on HERALD_OK; free it with herald_admin_response_finish().
 * Errors    HERALD_NO_MEMORY: answer with 503. HERALD_BAD_OPTION: method or path is missing.
 * Threads   any, several at once. May block: see herald_admin_path().
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_admin_handle(struct herald_admin *admin, const struct herald_admin_request *request,
		    struct herald_admin_response *response);

/** Free the body of a response. */
HERALD_API void herald_admin_response_finish(struct herald_admin_response *response);

#ifdef __cplusplus
}
#endif
#endif
