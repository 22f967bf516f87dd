/*
 * Settings that all transfers of a transport borrow.
 */
#ifndef HERALD_ADAPTERS_TRANSPORT_CURL_SETTINGS_H
#define HERALD_ADAPTERS_TRANSPORT_CURL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/adapter/transport.h>
#include <herald/allocator.h>
#include <herald/curl.h>

#include "poller.h"

struct herald__curl_settings {
	struct herald_curl_transport_options options; /* with the defaults filled in */
	struct herald_allocator allocator;
	const struct herald_transport *transport; /* its deliverer has the address policy */
	struct herald__poller *poller;
	size_t max_attempts_per_origin;
	bool allow_credentials;
};

#endif
