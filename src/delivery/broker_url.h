/*
 * The destination of a delivery to a broker, as it is stored: broker://NAME/TOPIC, or
 * broker://NAME/TOPIC?key=KEY. NAME is one of the deliverer's producers. Bytes that a URL cannot
 * have are written as %XX. Users give the parts: a URL from outside must not name a broker.
 */
#ifndef HERALD_SRC_DELIVERY_BROKER_URL_H
#define HERALD_SRC_DELIVERY_BROKER_URL_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/delivery.h>
#include <herald/status.h>

#include "producer/named.h"

#define HERALD__BROKER_TEXT_BYTES 256

/* The longest one, with its NUL. */
#define HERALD__BROKER_URL_BYTES                                                                   \
	(sizeof("broker:///?key=") + HERALD__PRODUCER_NAME_BYTES +                                 \
	 (size_t)6 * HERALD__BROKER_TEXT_BYTES)

struct herald__broker_url {
	char name[HERALD__PRODUCER_NAME_BYTES];
	char topic[HERALD__BROKER_TEXT_BYTES];
	char key[HERALD__BROKER_TEXT_BYTES]; /* "": none */
};

/* Whether a URL has the scheme `broker`, in any case. */
bool herald__is_broker_url(const char *url);

/* A delivery with the URL of its destination. */
struct herald__addressed {
	struct herald_delivery delivery;
	char url[HERALD__BROKER_URL_BYTES];
};

/*
 * Set the URL of a delivery to a producer. Any other delivery is copied as it is, if its URL does
 * not name a broker.
 *
 * error   may be NULL; its path names the member.
 * Errors  HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_MISSING.
 */
HERALD_MUST_CHECK enum herald_status
herald__broker_address(const struct herald_delivery *delivery, struct herald__addressed *out,
		       struct herald_error *error);

/*
 * Read a URL of which herald__is_broker_url() is true and whose bytes are printable ASCII.
 *
 * error   may be NULL; does not repeat the URL.
 * Errors  HERALD_BAD_VALUE.
 */
HERALD_MUST_CHECK enum herald_status
herald__broker_url_read(const char *url, struct herald__broker_url *out,
			struct herald_error *error);

#endif
