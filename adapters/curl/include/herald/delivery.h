/*
 * Deliveries: telling other services over HTTP how an event ended, for sure or with a report that it
 * was not possible.
 *
 * A deliverer is one thread that sends requests with libcurl, many at a time, and tries again what
 * may succeed later. Whatever it has accepted ends in one of three ways, and the outcome hook is told
 * which: accepted = delivered + failed + left + pending, at any moment. All of it is in memory: what is
 * pending when the process dies is lost.
 *
 * A request tells its receiver, in headers (those without a value are left out):
 *
 *	Herald-Delivery-Id  the same in every attempt: what to deduplicate by
 *	Herald-Attempt      1, 2, ...
 *	Herald-Event-Type   user_created
 *	Herald-Event-Id     the event's own id
 *	Herald-Result       success or fail
 *	Herald-Error        why it failed
 *
 * Control characters in these values, and bytes that are not UTF-8, become '?'; then bytes that are not
 * printable ASCII, and '%', are written as %XX. With HERALD_DELIVERY_POST the same is in the body, as
 * UTF-8, unless the delivery has a body of its own:
 *
 *	{"delivery_id":"...","attempt":1,"event_type":"...","event_id":"...","result":"fail","error":"..."}
 *
 * 2xx is success. Failures of name lookup and connection, timeouts, answers that are cut off, 408, 425,
 * 429 and 5xx are tried again; anything else is final. Redirects are not followed. An answer's body is
 * read, up to a limit, and thrown away. Neither a proxy nor an exception to one (no_proxy) is taken from
 * the environment.
 *
 * An attempt is one request on the wire: `attempts` requests are the most that a receiver sees of a
 * delivery. Connections are kept and used again. When one of them was closed by the receiver just
 * before the request was sent, the attempt has failed, and the next one opens a new connection, as after
 * every attempt that got no answer. Authentication that takes two requests (Digest, NTLM) is therefore
 * not possible.
 */
#ifndef HERALD_DELIVERY_H
#define HERALD_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/allocator.h>
#include <herald/array.h>
#include <herald/backoff.h>
#include <herald/codec.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_deliverer;

/**
 * What is to be delivered. Strings are UTF-8; NULL or "" means none; what is
 * unprintable is escaped as in JSON; where a size is given, longer ones are cut to it, which "..." shows.
 *
 * Without a body of its own the delivery is what the deliverer's `method` says: Herald's headers, and
 * perhaps Herald's body. With one it is a POST of that body, and of Herald's headers. A body is either
 * bytes, or a codec and the struct that it encodes:
 *
 *	.body = "<done/>", .body_bytes = 7, .content_type = "application/xml"
 *	.codec = order_codec, .value = &order
 */
struct herald_delivery {
	/** http or https; printable ASCII, other bytes written as %XX, and in the host as "xn--...". */
	const char *url;
	/**
	 * The caller's own id, such as that of a row in its outbox: sent as Herald-Delivery-Id, the same in
	 * every attempt, and given to the hooks. At most 63 visible ASCII characters but '%'. None: 32
	 * hexadecimal digits are made up.
	 */
	const char *id;
	const char *event_type; /**< 255 bytes. */
	const char *event_id;   /**< 127 bytes. */
	const char *result;     /**< 31 bytes. "success" and "fail" are the usual ones. */
	const char *error;      /**< 255 bytes. */

	const void *body;  /**< Any bytes; "" with 0 bytes is an empty body. NULL: see above. */
	size_t body_bytes; /**< At most max_body_bytes. */
	const struct herald_codec *codec; /**< Of the struct in `value`; used during the call. */
	const void *value;                /**< The struct, which becomes the body as JSON. */
	/** Default "application/json" for a value, "application/octet-stream" for bytes; limit 255. */
	const char *content_type;
	/**
	 * HERALD_HEADERS: "Name: value", at most 64, max_headers_bytes in all. They count before those of
	 * the same name in the options. Refused are names that begin with Herald-, Content-Type, and those
	 * that the connection decides about, such as Host, Content-Length and Transfer-Encoding.
	 */
	const char *const *headers;
	size_t headers_count; /**< How many. */
};

/** How a delivery, or one attempt of it, ended. */
enum herald_delivery_outcome {
	HERALD_DELIVERY_AGAIN,     /**< An attempt failed; there will be another one. */
	HERALD_DELIVERY_DELIVERED, /**< The receiver answered 2xx. */
	HERALD_DELIVERY_FAILED,    /**< For good: by its answer, or after the last attempt. */
	HERALD_DELIVERY_LEFT,      /**< Still pending when the deliverer stopped. */
};

/** "again", "delivered", "failed", "left". Static storage. */
HERALD_API const char *herald_delivery_outcome_name(enum herald_delivery_outcome outcome);

/** What the hooks are told; borrowed for the duration of the call, with all that it points to. */
struct herald_delivery_report {
	/** As it was submitted, with its id, and the value as a body. */
	const struct herald_delivery *delivery;
	enum herald_delivery_outcome outcome; /**< What came of it. */
	unsigned attempt;                     /**< The last one begun; 0: none was. */
	unsigned http_status; /**< Of its answer; 0: there was none, or not all of it. */
	const char *error;    /**< One line; "" when it is delivered. */
	uint64_t elapsed_ms;  /**< Of the attempt; in on_outcome since it was accepted. */
	uint64_t retry_in_ms; /**< With HERALD_DELIVERY_AGAIN. */
};

/** A hook. Runs on the deliverer's thread, so it must not block; it may submit, but not stop. */
typedef void herald_delivery_hook(const struct herald_delivery_report *report, void *state);

/** How a delivery is sent. */
enum herald_delivery_method {
	HERALD_DELIVERY_GET,  /**< Everything in headers. */
	HERALD_DELIVERY_POST, /**< And in a JSON body. */
};

/**
 * Which addresses may be connected to. It is the address of the socket that counts, after name
 * lookup, however the URL wrote it. A URL whose host is an address, in any form, or localhost, is judged
 * when it is submitted too, whether or not a proxy is used.
 */
enum herald_address_policy {
	/**
	 * Public ones, and the `networks` of the options. Not public is what IANA's registries of
	 * special-purpose addresses list (RFC 6890), multicast, and what is reserved. An address that
	 * carries an IPv4 address in it (mapped, NAT64) is judged by that one.
	 */
	HERALD_ADDRESSES_PUBLIC,
	HERALD_ADDRESSES_ANY, /**< All of them; for when senders are trusted. */
};

/** Ports from `first` to `last`; with `last` 0 it is `first` alone. */
struct herald_port_range {
	uint16_t first; /**< 1 or more. */
	uint16_t last;  /**< 0, or `first` or more. */
};

/** Headers for one destination. */
struct herald_destination {
	/**
	 * Scheme, host and port, "https://example.com" or "http://example.com:8080". A URL is of this origin
	 * when all three are the same; neither a longer host nor another scheme or port is.
	 */
	const char *origin;
	/** "Name: value". They count before those of the same name in the deliverer's `headers`. */
	const char *const *headers;
	size_t headers_count; /**< At least 1, at most 64. */
};

/** Options of a deliverer. Zero means the default; everything is copied, strings included. */
struct herald_deliverer_options {
	size_t struct_size; /**< Set by HERALD_DELIVERER_OPTIONS. */

	unsigned attempts;           /**< At most so many in all: 3; at most 1,000. */
	enum herald_backoff backoff; /**< How the delay grows; by default with full jitter. */
	uint32_t first_delay_ms;     /**< Default 2,000, or max_delay_ms if that is less. */
	double factor;               /**< 2; 1 to 1,000. */
	uint32_t max_delay_ms; /**< Default 60,000, or first_delay_ms if that is more; not less. */
	uint32_t max_retry_after_ms; /**< A longer Retry-After counts as this: 120,000. */
	uint32_t attempt_timeout_ms; /**< From the start to the end of the answer: 10,000. */
	uint32_t deadline_ms;        /**< From accepted to the end of the last attempt: 300,000. */

	enum herald_delivery_method method; /**< GET. */
	/**
	 * HERALD_HEADERS: "Name: value", sent to every URL that a sender names. So Authorization, Cookie,
	 * Api-Key, X-Api-Key and X-Auth-Token are refused here; other secrets must not be here either. See
	 * struct herald_delivery for further names that are refused.
	 */
	const char *const *headers;
	size_t headers_count; /**< Default 0, limit 64. */
	/** HERALD_DESTINATIONS: headers for one destination each, such as Authorization. */
	const struct herald_destination *destinations;
	size_t destinations_count; /**< Default 0, limit 1,024. */
	size_t max_body_bytes;     /**< Of a delivery's body. Default 1 MiB, limit 1 GiB. */
	size_t max_headers_bytes; /**< Of a delivery's own headers. Default 16 KiB, limit 256 KiB. */
	size_t max_url_bytes;     /**< 2,048; at most 65,536. */
	bool allow_credentials;   /**< URLs with user:password@ are taken. */

	/**
	 * Accepted, reserved, not ended; past it none is taken: 10,000. All hosts share it: deliveries
	 * to one that is silent can fill it, until their deadlines.
	 */
	size_t max_pending;
	/**
	 * Bytes of bodies and headers that deliveries bring, of all together. A delivery with more is
	 * HERALD_BAD_LENGTH. Default 64 MiB.
	 */
	size_t max_pending_bytes;
	/**
	 * Attempts at a time: 512; at most 65,536. A socket each, and up to twice as many in all: idle
	 * connections to other hosts stay until attempts that end have them closed.
	 */
	unsigned slots;
	unsigned slots_per_host; /**< 16. Nor does a host get more than are left free for others. */

	/**
	 * Header bytes of an answer: of its head, of all interim (1xx) answers before it, and of its
	 * trailers. More of them before the final answer's head is complete are a failure, which is not
	 * tried again. Default 65,536, limit 262,144.
	 */
	size_t max_answer_header_bytes;
	/**
	 * Body bytes of an answer, decoded if the setup asked for a coding. An answer with more is cut off
	 * there, its connection is closed, and its status counts. Default 65,536, limit 1 GiB.
	 */
	size_t max_answer_body_bytes;
	/**
	 * All that the socket receives for an answer: also TLS, chunk sizes and extensions, and frames.
	 * Counted from the third time on that something has come, of which libcurl may take 400 KiB each;
	 * so up to 2 MiB more may be read. Past it, as with the other two. Default 131,072 more than these
	 * together, limit 2 GiB.
	 */
	size_t max_answer_bytes;

	enum herald_address_policy addresses; /**< Public ones. */
	/** HERALD_NETWORKS: allowed though not public, such as "10.1.0.0/16" or "fd00::/8". */
	const char *const *networks;
	size_t networks_count; /**< How many. */
	/**
	 * HERALD_DENIED_NETWORKS: never connected to, whatever `addresses` and `networks` say. An IPv4
	 * network denies the IPv6 addresses that carry its addresses too.
	 */
	const char *const *denied_networks;
	size_t denied_networks_count; /**< How many. */
	/**
	 * Lift what is otherwise denied as well: the addresses at which cloud hosts give credentials or
	 * commands to the machine. They are 169.254.169.254, 169.254.170.2, 169.254.170.23,
	 * fd00:ec2::254 and fd00:ec2::23 (AWS and others), 168.63.129.16 (Azure, a public address),
	 * fd20:ce::254 (Google Cloud), fe80::a9fe:a9fe (OpenStack), fd00:c1::a9fe:a9fe and 192.0.0.192
	 * (Oracle), 100.100.100.200 (Alibaba), 169.254.0.23 (Tencent), 169.254.42.42 and fd00:42::42
	 * (Scaleway).
	 */
	bool allow_cloud_agents;

	/**
	 * HERALD_PORTS: no other ports are connected to, such as 443 alone. Default: all but 0, those that
	 * browsers block because HTTP must not be spoken there (the Fetch standard's "port blocking",
	 * such as 22, 25 and 6667), 6379 (Redis) and 11211 (memcached).
	 */
	const struct herald_port_range *ports;
	size_t ports_count; /**< How many ranges. */

	/**
	 * Called once for each of libcurl's handles when it is made, of which there are at most
	 * `slots`, to set what TLS needs (CURLOPT_CAINFO, CURLOPT_SSLCERT, ...), a user agent, an
	 * interface or a proxy, which is then what the address policy sees. Handles keep it. What
	 * the deliverer needs for itself (method, headers, timeouts, callbacks, redirects, new
	 * connections, protocols, what an answer means) it sets afterwards. The first call is during creation,
	 * which fails when it returns false. Later ones are on the deliverer's thread: when one
	 * returns false, the handle is given up, the attempt put off by a second, and another
	 * handle made then, if need be. Handles serve all destinations: a password that is set here
	 * (CURLOPT_USERPWD, CURLOPT_XOAUTH2_BEARER) is sent to any URL that a sender names.
	 */
	bool (*setup)(CURL *easy, void *state);
	herald_delivery_hook *on_attempt; /**< After each attempt. */
	herald_delivery_hook *on_outcome; /**< Once for each that was accepted. */
	void *state;                      /**< Of these three; must outlive the deliverer. */

	struct herald_log log;             /**< Zeroed: nothing is logged. */
	struct herald_allocator allocator; /**< Zeroed: libc's. libcurl has its own. */
};

/** Options as a compound literal: HERALD_DELIVERER_OPTIONS(.attempts = 5). */
#define HERALD_DELIVERER_OPTIONS(...)                                                              \
	((struct herald_deliverer_options){.struct_size = sizeof(struct herald_deliverer_options), \
					   __VA_ARGS__})

/** The member `headers` of options, destinations and deliveries, and its count: `const char *const headers[] = {"X-Tenant: acme"};`. */
#define HERALD_HEADERS(ARRAY) .headers = (ARRAY), .headers_count = HERALD_COUNT(ARRAY)

/** The option `destinations` and its count. */
#define HERALD_DESTINATIONS(ARRAY)                                                                 \
	.destinations = (ARRAY), .destinations_count = HERALD_COUNT(ARRAY)

/** The option `networks` and its count: `const char *const networks[] = {"10.1.0.0/16"};`. */
#define HERALD_NETWORKS(ARRAY) .networks = (ARRAY), .networks_count = HERALD_COUNT(ARRAY)

/** The option `denied_networks` and its count. */
#define HERALD_DENIED_NETWORKS(ARRAY)                                                              \
	.denied_networks = (ARRAY), .denied_networks_count = HERALD_COUNT(ARRAY)

/** The option `ports` and its count: `const struct herald_port_range ports[] = {{443}, {8000, 8999}};`. */
#define HERALD_PORTS(ARRAY) .ports = (ARRAY), .ports_count = HERALD_COUNT(ARRAY)

/**
 * Create a deliverer and start its thread, with all signals blocked.
 *
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads  any; curl_global_init() is called, which is safe in any thread since libcurl 7.84.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deliverer_create(const struct herald_deliverer_options *options,
			struct herald_deliverer **out, struct herald_error *error);

/**
 * Check a URL as herald_deliverer_submit() does: its length and syntax, its port, and the address if the
 * host is one. A host's name is looked up, and the addresses that it has are judged, in each attempt.
 *
 * error    may be NULL; its message says what is wrong, without the URL, which may hold secrets.
 * Errors   HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deliverer_check_url(const struct herald_deliverer *deliverer, const char *url,
			   struct herald_error *error);

/**
 * Accept a delivery. Never waits for the network.
 *
 * delivery  copied, with all that it points to; the value is encoded.
 * error     may be NULL; its path is the member that is wrong, or that of a value that cannot be encoded;
 *           the offset is that of a byte of the URL.
 * Errors    HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_LIMIT (max_pending or max_pending_bytes is
 *           reached, or the deliverer stopped), HERALD_NO_MEMORY; those of herald_codec_encode().
 * Threads   any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deliverer_submit(struct herald_deliverer *deliverer, const struct herald_delivery *delivery,
			struct herald_error *error);

struct herald_reservation;

/**
 * Reserve room for one delivery, for when it must be certain before the work that it will report:
 * that of the queue and of the memory. A stop waits for reservations as it does for deliveries.
 *
 * max_url_bytes      the longest URL that will be submitted.
 * max_content_bytes  the most that its body, content type and headers will have together, without a
 *                    content type by default; 0: it has none. As many bytes are allocated now, and some.
 * out                set only on HERALD_OK; submit or release it.
 * error              may be NULL.
 * Errors             HERALD_LIMIT, HERALD_BAD_LENGTH, HERALD_NO_MEMORY.
 * Threads            any; one reservation is for one thread at a time.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deliverer_reserve(struct herald_deliverer *deliverer, size_t max_url_bytes,
			 size_t max_content_bytes, struct herald_reservation **out,
			 struct herald_error *error);

/**
 * Accept a delivery in the room reserved. The reservation is gone, whatever is returned.
 *
 * Errors  as herald_deliverer_submit(), HERALD_BAD_LENGTH if more comes than was reserved; HERALD_LIMIT
 *         only when the deliverer has stopped meanwhile.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_reservation_submit(struct herald_reservation *reservation,
			  const struct herald_delivery *delivery, struct herald_error *error);

/** Give the room back. NULL is allowed. */
HERALD_API void herald_reservation_release(struct herald_reservation *reservation);

/** Counts since the deliverer was created; those of one call fit together. */
struct herald_delivery_statistics {
	uint64_t accepted;      /**< The sum of delivered, failed, left and pending. */
	uint64_t delivered;     /**< The receiver answered 2xx. */
	uint64_t failed;        /**< For good. */
	uint64_t left;          /**< Reported by the stop. */
	uint64_t pending;       /**< Now: queued, waiting, in flight. */
	uint64_t reserved;      /**< Now. */
	uint64_t content_bytes; /**< Of bodies and headers, pending and reserved, now. */
	uint64_t in_flight;     /**< Attempts, now. */
	uint64_t attempts;      /**< Begun. */
	uint64_t retries;       /**< Those after the first of a delivery. */
	uint64_t refused;       /**< Not accepted because there was no room, or after the stop. */
};

/** Read the counts. Any thread, any time until it is destroyed. */
HERALD_API void herald_deliverer_statistics(struct herald_deliverer *deliverer,
					    struct herald_delivery_statistics *out);

/**
 * Stop: accept nothing more but what is reserved, go on delivering until nothing is pending or
 * reserved or `flush_ms` have passed, end the thread. What is left is cut off, logged, and reported
 * as HERALD_DELIVERY_LEFT; it may have reached its receiver. Retries that would come too late are
 * not waited for.
 *
 * Returns  the number of deliveries that were left, at the first call and at later ones.
 * Threads  any but the deliverer's, one at a time. The others may go on submitting, in vain.
 */
HERALD_API size_t herald_deliverer_stop(struct herald_deliverer *deliverer, uint32_t flush_ms);

/** Stop at once, if it was not stopped, and free. Nobody may use it any more. NULL is allowed. */
HERALD_API void herald_deliverer_destroy(struct herald_deliverer *deliverer);

#ifdef __cplusplus
}
#endif
#endif
