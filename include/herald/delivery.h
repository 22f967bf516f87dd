/*
 * Deliveries: HTTP requests that tell other services the outcome of an event. Each delivery either
 * arrives, or is reported as failed.
 *
 * A deliverer is one thread. It sends many requests at a time with a transport, such as
 * herald/curl.h, and retries those that may succeed later. Every accepted delivery ends as
 * delivered, failed, or left (still pending at the stop), and the outcome hook reports it. By
 * default deliveries are in memory only: if the process dies, pending ones are lost. With the
 * option `queue` they can be kept in a store and continue after a restart; then no delivery ends as
 * left.
 *
 * A request has these headers. Those without a value are omitted:
 *
 *	Herald-Delivery-Id  the same in every attempt, for deduplication
 *	Herald-Attempt      1, 2, ...
 *	Herald-Event-Type   user_created
 *	Herald-Event-Id     the event's own id
 *	Herald-Result       success or fail
 *	Herald-Error        why it failed
 *
 * In these values, control characters and invalid UTF-8 are replaced by '?'. '%' and all other
 * non-ASCII bytes are written as %XX. With HERALD_DELIVERY_POST the body has the same values in
 * UTF-8, unless the delivery has its own body:
 *
 *	{"delivery_id":"...","attempt":1,"event_type":"...","event_id":"...","result":"fail",
 *	 "error":"..."}
 *
 * 2xx is success. Failed name lookups and connections, timeouts, truncated responses, 408, 425, 429
 * and 5xx are retried; everything else is final. Redirects are not followed. The body of a response
 * is read, up to a limit, and ignored.
 *
 * An attempt is one request on the wire. A receiver never gets more than `attempts` requests for
 * one delivery, not even after a restart.
 */
#ifndef HERALD_DELIVERY_H
#define HERALD_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/array.h>
#include <herald/backoff.h>
#include <herald/codec.h>
#include <herald/durations.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/span.h>
#include <herald/status.h>
#include <herald/thread_hooks.h>
#include <herald/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_deliverer;
struct herald_delivery_queue;
struct herald_producer;
struct herald_signer;
struct herald_transport;

/**
 * A delivery. Strings are UTF-8; NULL or "" means none. Unprintable characters are escaped as in
 * JSON. A string that is longer than its limit is cut and ends in "...".
 *
 * Without a body, the deliverer's `method` decides: a GET with Herald's headers, or a POST with
 * Herald's headers and Herald's body. With a body it is a POST of this body with Herald's headers.
 * A body is either bytes, or a codec and a struct:
 *
 *	HERALD_BODY("<done/>", 7), .content_type = "application/xml"
 *	.codec = order_codec, .value = &order
 */
struct herald_delivery {
	/** http or https, in printable ASCII. Write other bytes as %XX, and host names in
	 * Punycode. NULL: the delivery goes to a producer. */
	const char *url;
	/**
	 * Instead of a URL: the name of one of the deliverer's `producers`, which sends the
	 * delivery to its broker as a message. Then `topic` is required: the stream, topic, subject
	 * or queue. Messages with the same `key` go to the same partition. Limit 255 bytes each.
	 * In reports and stores, such a delivery has the URL broker://NAME/TOPIC?key=KEY.
	 */
	const char *producer;
	const char *topic; /**< With a producer. */
	const char *key;   /**< With a producer; NULL: none. */
	/**
	 * Your id of the delivery, such as a row of an outbox. It is sent as Herald-Delivery-Id in
	 * every attempt, and passed to the hooks. Visible ASCII except '%', limit 63 characters.
	 * Default: 32 random hexadecimal digits.
	 */
	const char *id;
	const char *event_type; /**< Limit 255 bytes. */
	const char *event_id;   /**< Limit 127 bytes. */
	const char *result;     /**< Usually "success" or "fail". Limit 31 bytes. */
	const char *error;      /**< Limit 255 bytes. */

	/** HERALD_BODY: any bytes. A body of 0 bytes must be HERALD_EMPTY_BODY. NULL: the delivery
	 * has no own body. */
	const void *body;
	size_t body_bytes;                /**< Limit max_body_bytes of the options. */
	const struct herald_codec *codec; /**< Of the struct in `value`; used during the call. */
	const void *value;                /**< The struct, encoded as JSON. */
	/** Default "application/json" for a value, "application/octet-stream" for bytes; limit
	 * 255. */
	const char *content_type;
	/**
	 * Headers of the form "Name: value", set by HERALD_HEADERS. Limit 64, and max_headers_bytes
	 * in total. They replace headers of the same name in the options. Some names are refused:
	 * those that begin with Herald-, Content-Type, and headers that control the connection,
	 * such as Host, Content-Length and Transfer-Encoding.
	 */
	const char *const *headers;
	size_t headers_count; /**< Number of headers. */
	/**
	 * The span that sends it, such as herald_context_trace(ctx); NULL: none. It becomes the
	 * headers traceparent and tracestate, unless `headers` has a traceparent or more than 62
	 * headers. Of the tracestate, at most 512 bytes are sent. Callbacks and herald_publish()
	 * set it to the event's span if it is NULL.
	 */
	const struct herald_trace *trace;
	/**
	 * The name of one of the deliverer's `signers`, which signs each attempt. Visible ASCII,
	 * limit 63 characters. Default: the signer of the destination, else of the deliverer; with
	 * a producer none.
	 */
	const char *signer;
};

/** The outcome of a delivery, or of one attempt. */
enum herald_delivery_outcome {
	HERALD_DELIVERY_AGAIN,     /**< An attempt failed, and there will be another one. */
	HERALD_DELIVERY_DELIVERED, /**< The receiver answered 2xx. */
	HERALD_DELIVERY_FAILED,    /**< A final response, or the last attempt failed. */
	HERALD_DELIVERY_LEFT,      /**< Still pending when the deliverer stopped. */
};

/** "again", "delivered", "failed", "left". Static storage. */
HERALD_API const char *herald_delivery_outcome_name(enum herald_delivery_outcome outcome);

/** Why a delivery ended as HERALD_DELIVERY_FAILED. */
enum herald_delivery_failure {
	HERALD_DELIVERY_NOT_FAILED, /**< It did not. */
	/** The receiver's response is final, or the delivery is not allowed any more, or it
	 * cannot be signed. */
	HERALD_DELIVERY_REFUSED,
	HERALD_DELIVERY_EXHAUSTED, /**< The last attempt failed. */
	HERALD_DELIVERY_EXPIRED,   /**< Its deadline passed, or would before the next attempt. */
};

/** What the hooks get. Borrowed, with all that it points to, during the call. */
struct herald_delivery_report {
	/** The delivery as submitted, with its id. A value is replaced by its encoded body. */
	const struct herald_delivery *delivery;
	enum herald_delivery_outcome outcome; /**< The outcome. */
	enum herald_delivery_failure failure; /**< With HERALD_DELIVERY_FAILED: why. */
	unsigned attempt;                     /**< The last attempt, from 1; 0: none was made. */
	unsigned http_status;                 /**< Of the attempt; 0: no complete response. */
	const char *error;                    /**< One line; "" if delivered. */
	/**
	 * Duration of the attempt; in on_outcome, of the whole delivery. If a queue stored the
	 * delivery, the time from its submission until it was last claimed is measured by the wall
	 * clock, so it includes changes of that clock. If the clock was set back to before the
	 * submission, this time counts as 0.
	 */
	uint64_t elapsed_ms;
	uint64_t retry_in_ms; /**< With HERALD_DELIVERY_AGAIN. */
	/** The address of the connection: the receiver's or a proxy's; "": none. */
	const char *address;
	uint64_t answer_bytes; /**< Bytes received for the attempt's response. */
};

/** A hook. It runs on the deliverer's thread and must not block. It may submit, but not stop. */
typedef void herald_delivery_hook(const struct herald_delivery_report *report, void *state);

/** How a delivery is sent. */
enum herald_delivery_method {
	HERALD_DELIVERY_GET,  /**< All values in headers. */
	HERALD_DELIVERY_POST, /**< In headers and in a JSON body. */
};

/**
 * The addresses to which connections are allowed. The address of each socket is checked, after name
 * lookup. If the host of a URL is an address in any form, or localhost, it is also checked when the
 * URL is submitted, even if a proxy is used.
 */
enum herald_address_policy {
	/**
	 * Public addresses, and the option `networks`. The special-purpose addresses of IANA's
	 * registries (RFC 6890), multicast and reserved addresses are not public. If an IPv6
	 * address contains an IPv4 address, the IPv4 address is checked (mapped, NAT64), or both
	 * are (SIIT, 64:ff9b:1::/48, 6to4, Teredo).
	 */
	HERALD_ADDRESSES_PUBLIC,
	HERALD_ADDRESSES_ANY, /**< All addresses. Only if you trust all senders. */
};

/** Ports from `first` to `last`. If `last` is 0, only `first`. */
struct herald_port_range {
	uint16_t first; /**< 1 or more. */
	uint16_t last;  /**< 0, or `first` or more. */
};

/** Headers for one destination. */
struct herald_destination {
	/**
	 * Scheme, host and optionally port: "https://example.com" or "http://example.com:8080". A
	 * URL has this origin if all three are equal.
	 */
	const char *origin;
	/** "Name: value". They replace the deliverer's `headers` of the same name. */
	const char *const *headers;
	size_t headers_count; /**< Limit 64. At least 1 without a signer. */
	/** Signs deliveries to this origin that name no other signer. Default: the deliverer's. */
	struct herald_signer *signer;
};

/** A signer that deliveries name. */
struct herald_named_signer {
	const char *name;             /**< Visible ASCII, limit 63 characters. */
	struct herald_signer *signer; /**< Borrowed; must outlive the deliverer. */
};

/** A producer (herald/producer.h) that deliveries name. */
struct herald_named_producer {
	const char *name;                 /**< 1 to 63 letters, digits, '-', '.' and '_'. */
	struct herald_producer *producer; /**< Borrowed; must outlive the deliverer. */
};

/** Options of a deliverer. Zero means the default; everything is copied, strings included. */
struct herald_deliverer_options {
	size_t struct_size; /**< Set by HERALD_DELIVERER_OPTIONS. */

	/**
	 * Sends the requests; see herald_curl_transport_create(). Required, unless there are
	 * `producers`; without it, deliveries with a URL fail. Owned as herald_deliverer_create()
	 * says.
	 */
	struct herald_transport *transport;
	/**
	 * Keeps the deliveries until their outcomes are known; see herald/adapter/queue.h. Default:
	 * in memory. Owned like the transport.
	 */
	struct herald_delivery_queue *queue;

	unsigned attempts;           /**< Maximum, including the first. Default 3, limit 1,000. */
	enum herald_backoff backoff; /**< Default HERALD_BACKOFF_FULL_JITTER. */
	uint32_t first_delay_ms;     /**< Default 2,000, or max_delay_ms if less. */
	double factor;               /**< Default 2, from 1 to 1,000. */
	uint32_t max_delay_ms;       /**< Default 60,000; at least first_delay_ms. */
	uint32_t max_retry_after_ms; /**< Cap of Retry-After. Default 120,000. */
	uint32_t attempt_timeout_ms; /**< For one attempt, with its response. Default 10,000. */
	uint32_t deadline_ms;        /**< For all attempts together. Default 300,000. */

	enum herald_delivery_method method; /**< Default GET. */
	/**
	 * Headers of the form "Name: value", sent to every URL, but not to producers. Set by
	 * HERALD_HEADERS. They must not contain secrets, because senders choose the URLs;
	 * Authorization, Cookie, Api-Key, X-Api-Key and X-Auth-Token are refused. See struct
	 * herald_delivery for further names.
	 */
	const char *const *headers;
	size_t headers_count; /**< Default 0, limit 64. */
	/** Headers for one origin each, such as Authorization. Set by HERALD_DESTINATIONS. */
	const struct herald_destination *destinations;
	size_t destinations_count; /**< Default 0, limit 1,024. */
	/**
	 * Adds headers to each attempt, such as a new signature; herald_signature_signer() of
	 * herald/signature.h makes one. It signs all deliveries to URLs without another signer. The
	 * body is signed as it is sent. Borrowed; must outlive the deliverer. Default: none.
	 */
	struct herald_signer *signer;
	/** The signers that deliveries name, such as one for each customer. Set by
	 * HERALD_SIGNERS. A stored delivery keeps the name. */
	const struct herald_named_signer *signers;
	size_t signers_count; /**< Default 0, limit 65,536. */
	/**
	 * The producers that deliveries name. Set by HERALD_PRODUCERS. While a producer is not
	 * connected, its deliveries wait, and no attempt counts. A message has the delivery's
	 * headers, and herald-delivery-id, herald-event-type, herald-event-id, herald-result and
	 * herald-error; it has the id of the delivery. `headers` and `signer` of these options are
	 * only for URLs: a message is signed if its delivery names a signer.
	 *
	 * An attempt ends after attempt_timeout_ms (default 10,000), but the producer goes on for
	 * its own timeout_ms (default 30,000). So the message may arrive although the delivery has
	 * failed, or twice because it was retried. Set the producer's timeout_ms to less than
	 * attempt_timeout_ms. Then that happens only if an answer of the broker is lost.
	 */
	const struct herald_named_producer *producers;
	size_t producers_count;   /**< Default 0, limit 64. */
	size_t max_body_bytes;    /**< Of a delivery's body. Default 1 MiB, limit 1 GiB. */
	size_t max_headers_bytes; /**< Of its own headers. Default 16 KiB, limit 256 KiB. */
	size_t max_url_bytes;     /**< Default 2,048, limit 65,536. */
	bool allow_credentials;   /**< Accept URLs with user:password@. */

	/**
	 * Pending and reserved deliveries; further ones are refused. Default 10,000, limit
	 * 100,000,000. All hosts share this limit: deliveries to a host that does not respond can
	 * use all of it until their deadlines.
	 */
	size_t max_pending;
	/**
	 * Bodies and headers of all pending deliveries together. A single delivery with more is
	 * HERALD_BAD_LENGTH. Default 64 MiB.
	 */
	size_t max_pending_bytes;
	/**
	 * Limit of concurrent attempts. Default 512, limit 65,536. Each attempt has a socket. Idle
	 * connections have sockets too, and those to other hosts are closed only when attempts end.
	 * Together there may be twice as many sockets as slots.
	 */
	unsigned slots;
	unsigned slots_per_host; /**< Limit of concurrent attempts to one host. Default 16. */
	/**
	 * Only for a queue that stores deliveries: how many of them the deliverer takes out of the
	 * queue at a time. It takes fewer if their bodies and headers reach max_pending_bytes. They
	 * do not count for max_pending. Default eight times the slots, limit
	 * 1,000,000. One half of them is shared by as many hosts as there are slots, so that silent
	 * hosts do not keep others out.
	 */
	size_t max_claimed;

	enum herald_address_policy addresses; /**< Default HERALD_ADDRESSES_PUBLIC. */
	/** Networks that are also allowed, such as "10.1.0.0/16" or "fd00::/8". Set by
	 * HERALD_NETWORKS. */
	const char *const *networks;
	size_t networks_count; /**< Default 0, limit 4,096. */
	/**
	 * Networks that are never allowed, even if `addresses` or `networks` allow them. Set by
	 * HERALD_DENIED_NETWORKS. An IPv4 network also denies the IPv6 addresses that contain its
	 * addresses: mapped, SIIT, NAT64 (64:ff9b::/96, and the last 32 bits in 64:ff9b:1::/48),
	 * 6to4, and Teredo's servers.
	 */
	const char *const *denied_networks;
	size_t denied_networks_count; /**< Default 0, limit 4,096. */
	/**
	 * Allow the metadata services of cloud hosts, which give credentials or commands to the
	 * machine. Default false. Their addresses are 169.254.169.254, 169.254.170.2,
	 * 169.254.170.23, fd00:ec2::254 and fd00:ec2::23 (AWS and others), 168.63.129.16 (Azure, a
	 * public address), fd20:ce::254 (Google Cloud), fe80::a9fe:a9fe (OpenStack),
	 * fd00:c1::a9fe:a9fe and 192.0.0.192 (Oracle), 100.100.100.200 (Alibaba), 169.254.0.23
	 * (Tencent), 169.254.42.42 and fd00:42::42 (Scaleway).
	 */
	bool allow_cloud_agents;

	/**
	 * The allowed ports. Set by HERALD_PORTS. Default: all except 0, the ports that browsers
	 * block (the Fetch standard's "port blocking", such as 22, 25 and 6667), 6379 (Redis) and
	 * 11211 (memcached). The port in the URL is checked when it is submitted. The port of each
	 * connection is checked too; with a proxy, this is the port of the proxy.
	 */
	const struct herald_port_range *ports;
	size_t ports_count; /**< Default 0, limit 4,096. */

	herald_delivery_hook *on_attempt; /**< Called after each attempt. */
	herald_delivery_hook *on_outcome; /**< Called once for each accepted delivery. */
	void *state;                      /**< Passed to both; must outlive the deliverer. */

	/**
	 * Takes a span of each attempt of a delivery with a trace. The receiver then gets the
	 * attempt's span as parent, another one in each attempt. Without a hook, it is the span
	 * that sent the delivery, the same in each attempt. Called on the deliverer's thread.
	 */
	struct herald_span_hook spans;

	/** Called on the deliverer's thread. Default: none. */
	struct herald_thread_hooks thread_hooks;
	struct herald_log log;             /**< Zeroed: nothing is logged. */
	struct herald_allocator allocator; /**< Zeroed: libc's. */

	/**
	 * The bounds of the histogram of attempts that herald/metrics.h writes; set by
	 * HERALD_DURATION_BOUNDS. Ascending, in microseconds. Default: 16 bounds from 100 us to
	 * 10 s. Limit 32, of up to a day.
	 */
	const uint64_t *duration_bounds_us;
	size_t duration_bounds_count; /**< Number of bounds. */
};

/** Options as a compound literal: HERALD_DELIVERER_OPTIONS(.transport = t). */
#define HERALD_DELIVERER_OPTIONS(...)                                                              \
	((struct herald_deliverer_options){.struct_size = sizeof(struct herald_deliverer_options), \
					   __VA_ARGS__})

/** Members `headers` and headers_count: `const char *const headers[] = {"X-Tenant: acme"};`. */
#define HERALD_HEADERS(ARRAY) .headers = (ARRAY), .headers_count = HERALD_COUNT(ARRAY)

/** A body of 0 bytes. Any other body with `body_bytes` 0 is refused, because its size was probably
 * forgotten. */
#define HERALD_EMPTY_BODY (&herald_empty_body)
HERALD_API extern const char herald_empty_body; /**< See HERALD_EMPTY_BODY. */

/** The member `body` of a delivery and its size, which may be 0. BYTES is evaluated twice. */
#define HERALD_BODY(DATA, BYTES)                                                                   \
	.body = (BYTES) > 0 ? (const void *)(DATA) : HERALD_EMPTY_BODY, .body_bytes = (BYTES)

/** The option `destinations` and its count. */
#define HERALD_DESTINATIONS(ARRAY)                                                                 \
	.destinations = (ARRAY), .destinations_count = HERALD_COUNT(ARRAY)

/** The option `signers` and its count. */
#define HERALD_SIGNERS(ARRAY) .signers = (ARRAY), .signers_count = HERALD_COUNT(ARRAY)

/** The option `producers` and its count. */
#define HERALD_PRODUCERS(ARRAY) .producers = (ARRAY), .producers_count = HERALD_COUNT(ARRAY)

/** The option `networks` and its count: `const char *const networks[] = {"10.1.0.0/16"};`. */
#define HERALD_NETWORKS(ARRAY) .networks = (ARRAY), .networks_count = HERALD_COUNT(ARRAY)

/** The option `denied_networks` and its count. */
#define HERALD_DENIED_NETWORKS(ARRAY)                                                              \
	.denied_networks = (ARRAY), .denied_networks_count = HERALD_COUNT(ARRAY)

/** The option `ports` and its count: `const struct herald_port_range ports[] = {{443}, {8000,
 * 8999}};`. */
#define HERALD_PORTS(ARRAY) .ports = (ARRAY), .ports_count = HERALD_COUNT(ARRAY)

/**
 * Create a deliverer and start its thread. The thread blocks all signals.
 *
 * options  copied. The deliverer owns its transport and its queue, even after an error, except if
 *          they belong to another deliverer already, which is HERALD_BAD_OPTION, or if
 *          struct_size is not set.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY; any of the transport or the queue.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deliverer_create(const struct herald_deliverer_options *options,
			struct herald_deliverer **out, struct herald_error *error);

/**
 * Check a URL as herald_deliverer_submit() does: its length, syntax and port. If the host is an
 * address, the address is checked too. Host names are resolved and checked in each attempt.
 *
 * error    may be NULL. The message does not contain the URL, which may contain secrets.
 * Errors   HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deliverer_check_url(const struct herald_deliverer *deliverer, const char *url,
			   struct herald_error *error);

/**
 * Submit a delivery. Does not wait for the network.
 *
 * delivery  copied, with everything that it points to. A value is encoded.
 * error     may be NULL; its path names the wrong member, also within a value that cannot be
 *           encoded. The offset is the wrong byte of the URL.
 * Errors    HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_LIMIT (max_pending or max_pending_bytes is
 *           reached, or the deliverer stopped), HERALD_NO_MEMORY; the errors of
 *           herald_codec_encode().
 * Threads   any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deliverer_submit(struct herald_deliverer *deliverer, const struct herald_delivery *delivery,
			struct herald_error *error);

/** What a delivery with a `trace` needs in a reservation besides its own content. */
#define HERALD_DELIVERY_TRACE_BYTES 640

struct herald_reservation;

/**
 * Reserve a place in the queue and memory for one delivery. Do so before the work whose outcome the
 * delivery will report. A stop waits for reservations as it does for deliveries.
 *
 * max_url_bytes      the longest URL that will be submitted.
 * max_content_bytes  limit of body, content type (if set) and headers together; 0: none. Add
 *                    HERALD_DELIVERY_TRACE_BYTES for a trace. This memory is allocated now.
 * out                set only on HERALD_OK; submit or release it.
 * error              may be NULL.
 * Errors             HERALD_LIMIT, HERALD_BAD_LENGTH, HERALD_NO_MEMORY.
 * Threads            any. Use a reservation on one thread at a time.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deliverer_reserve(struct herald_deliverer *deliverer, size_t max_url_bytes,
			 size_t max_content_bytes, struct herald_reservation **out,
			 struct herald_error *error);

/**
 * Submit a delivery with a reservation, which is freed in any case.
 *
 * Errors  as herald_deliverer_submit(), HERALD_BAD_LENGTH if the delivery is larger than the
 *         reservation; HERALD_LIMIT only if the deliverer has stopped in the meantime.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_reservation_submit(struct herald_reservation *reservation,
			  const struct herald_delivery *delivery, struct herald_error *error);

/** Free a reservation that is not needed. NULL is allowed. */
HERALD_API void herald_reservation_release(struct herald_reservation *reservation);

/**
 * Counts since the deliverer was created. The counts of one call are consistent: accepted + resumed
 * = delivered + failed + left + stored + pending. Without a queue of your own, resumed and stored
 * are 0.
 */
struct herald_delivery_statistics {
	uint64_t accepted;      /**< Submitted and taken by the queue. */
	uint64_t resumed;       /**< Taken out of a queue that had stored them. */
	uint64_t delivered;     /**< The receiver answered 2xx. */
	uint64_t failed;        /**< Will not be attempted again. */
	uint64_t left;          /**< Pending when the deliverer stopped. */
	uint64_t stored;        /**< Stored by the queue, for later or for another deliverer. */
	uint64_t pending;       /**< In memory now: queued, waiting or in flight. */
	uint64_t reserved;      /**< Reservations now. */
	uint64_t content_bytes; /**< Bodies and headers, pending and reserved, now. */
	uint64_t in_flight;     /**< Attempts in progress now. */
	uint64_t attempts;      /**< Attempts that have begun. */
	uint64_t retries;       /**< Attempts other than the first of a delivery. */
	uint64_t refused;       /**< Not accepted: there was no room, or it had stopped. */
};

/** Read the counts. Any thread, as long as the deliverer exists. */
HERALD_API void herald_deliverer_statistics(struct herald_deliverer *deliverer,
					    struct herald_delivery_statistics *out);

/**
 * Stop the deliverer. Accept nothing more except for reservations, and continue to deliver until
 * nothing is pending or reserved, or until `drain_ms` have passed. Then end the thread. Retries
 * that would be due after `drain_ms` are not waited for. Deliveries that are still pending are cut
 * off, logged, and reported as HERALD_DELIVERY_LEFT; they may have reached their receivers. A queue
 * that stores deliveries gets them back instead, so none is left. With such a queue, the stop waits
 * only for deliveries that the deliverer has taken out of the queue.
 *
 * Returns  the number of deliveries that were left, also in later calls; 0 for NULL.
 * Threads  any except for the deliverer's, one at a time. Other threads may still submit; they get
 *          HERALD_LIMIT.
 */
HERALD_API size_t herald_deliverer_stop(struct herald_deliverer *deliverer, uint32_t drain_ms);

/**
 * Free the deliverer. If it is running, it is stopped with drain_ms 0. It must not be in use. NULL
 * is allowed.
 *
 * Threads  any except for the deliverer's. Deliveries never raise SIGPIPE. However, libcurl with
 *          OpenSSL temporarily sets SIGPIPE to SIG_IGN when it closes connections here. So do not
 *          destroy two deliverers, or change that signal, at the same time.
 */
HERALD_API void herald_deliverer_destroy(struct herald_deliverer *deliverer);

#ifdef __cplusplus
}
#endif
#endif
