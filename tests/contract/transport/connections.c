/*
 * Connections: failed ones, ones that the deliverer's options do not allow, and reuse.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/array.h>

#include "delivery/address_policy.h"
#include "probe.h"
#include "support/names.h"

/* A port where nobody listens: bound, so that nobody else gets it. Close the socket afterwards. */
static int
hold_closed_port(uint16_t *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t bytes = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &bytes), 0);
	*port = ntohs(name.sin_port);
	return fd;
}

static const struct herald_attempt_result *
fetch_from(struct probe *probe, const char *scheme, const char *host, uint16_t port)
{
	char url[128];

	snprintf(url, sizeof(url), "%s://%s:%u/200", scheme, host, port);
	return probe_fetch(probe, url);
}

static void
assert_fails(const struct herald_attempt_result *result, bool may_retry, const char *error)
{
	if (result->http_status != 0 || result->may_retry != may_retry ||
	    !strstr(result->error, error))
		fail_msg("%u, may retry %d: %s", result->http_status, result->may_retry,
			 result->error);
}

/* And the address is of the attempt, not of the one before. */
static void
connections_that_cannot_be_made(struct probe *probe)
{
	uint16_t port;
	int held = hold_closed_port(&port);

	probe_serve(probe);
	probe_open(probe, NULL, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(probe_fetch(probe, "/200")->address, "127.0.0.1");
		const struct herald_attempt_result *result =
			fetch_from(probe, "http", "127.0.0.1", port);
		assert_fails(result, true, "cannot connect");
		assert_string_equal(result->address, "");
		result = fetch_from(probe, "http", "a.invalid", port);
		assert_fails(result, true, "cannot resolve the host name");
		assert_string_equal(result->address, "");
		assert_int_equal(result->answer_bytes, 0);
		assert_fails(fetch_from(probe, "https", "127.0.0.1", probe->server.port), true, "");
	}
	close(held);
}

static void
addresses_of_names(struct probe *probe)
{
	names_set("here.test", "127.0.0.3");
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	const struct herald_attempt_result *result =
		fetch_from(probe, "http", "here.test", probe->server.port);
	assert_int_equal(result->http_status, 200);
	assert_string_equal(result->address, "127.0.0.3");
}

/* The address that a name lookup has found counts, and any other one that is allowed is tried. */
static void
denied_addresses(struct probe *probe)
{
	struct herald__network denied;

	assert_true(herald__network_parse("127.0.0.2/32", &denied));
	probe->rules.address_rules.denied = &denied;
	probe->rules.address_rules.denied_count = 1;
	names_set("denied.test", "127.0.0.2");
	names_set("both.test", "127.0.0.2 127.0.0.3");
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_fails(fetch_from(probe, "http", "denied.test", probe->server.port), false,
			     "the host's address is not allowed");
		assert_fails(fetch_from(probe, "https", "denied.test", probe->server.port), false,
			     "the host's address is not allowed");
		assert_fails(fetch_from(probe, "http", "127.0.0.2", probe->server.port), false,
			     "the host's address is not allowed");
	}
	assert_int_equal(misbehaving_server_connections(&probe->server), 0);
	const struct herald_attempt_result *result =
		fetch_from(probe, "http", "both.test", probe->server.port);
	assert_int_equal(result->http_status, 200);
	assert_string_equal(result->address, "127.0.0.3");
	/* An address that was allowed for one attempt may be refused for the next, even on a kept
	 * connection. */
	assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
	assert_fails(fetch_from(probe, "http", "denied.test", probe->server.port), false,
		     "the host's address is not allowed");
}

/* It is an address that is not allowed only if no other one was tried; and of one attempt. */
static void
denied_addresses_and_other_failures(struct probe *probe)
{
	struct herald__network denied;
	uint16_t port;
	int held = hold_closed_port(&port);

	assert_true(herald__network_parse("127.0.0.2/32", &denied));
	probe->rules.address_rules.denied = &denied;
	probe->rules.address_rules.denied_count = 1;
	names_set("denied.test", "127.0.0.2");
	names_set("both.test", "127.0.0.2 127.0.0.1");
	names_set("other.test", "127.0.0.1 127.0.0.2");
	probe_open(probe, NULL, 1);
	assert_fails(fetch_from(probe, "http", "denied.test", port), false, "not allowed");
	assert_fails(fetch_from(probe, "http", "a.invalid", port), true,
		     "cannot resolve the host name");
	assert_fails(fetch_from(probe, "http", "both.test", port), true, "cannot connect");
	assert_fails(fetch_from(probe, "http", "other.test", port), true, "cannot connect");
	assert_fails(fetch_from(probe, "http", "denied.test", port), false, "not allowed");
	close(held);
}

static void
denied_ports(struct probe *probe)
{
	const struct herald_port_range ranges[] = {
		{1, (uint16_t)(probe->server.port - 1)},
		{(uint16_t)(probe->server.port + 1), 65535},
	};

	probe->rules.url_rules.ports.allowed = ranges;
	probe->rules.url_rules.ports.allowed_count = HERALD_COUNT(ranges);
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	assert_fails(probe_fetch(probe, "/200"), false,
		     "the port of the connection is not allowed");
	assert_int_equal(misbehaving_server_connections(&probe->server), 0);
}

static void
connections_are_used_again(struct probe *probe)
{
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(probe_fetch(probe, i % 2 ? "/503" : "/200")->http_status,
				 i % 2 ? 503 : 200);
	assert_int_equal(misbehaving_server_connections(&probe->server), 1);
}

/* Several connections are kept; each would be good for another request. */
static void
failure_on_a_kept_connection(struct probe *probe, enum herald_delivery_method method)
{
	enum { KEPT = 5 };

	probe->server.delay_ms = 50;
	probe_serve(probe);
	probe_open(probe, NULL, 2 * KEPT);
	for (size_t i = 0; i < KEPT; i++)
		probe_begin(probe, probe_get(probe, "/slow"));
	probe_finish_all(probe);
	assert_int_equal(misbehaving_server_connections(&probe->server), KEPT);

	struct probe_attempt *attempt = probe_get(probe, "/close");
	attempt->base.method = method;
	attempt->base.content_type = method == HERALD_DELIVERY_POST ? "a/b" : NULL;
	attempt->base.body = method == HERALD_DELIVERY_POST ? "" : NULL;
	assert_fails(probe_finish(probe, probe_begin(probe, attempt)), true,
		     "the connection was closed before an answer");
	assert_int_equal(misbehaving_server_requests(&probe->server), KEPT + 1);
	/* Nor is there a connection that nobody used. */
	assert_int_equal(misbehaving_server_connections(&probe->server), KEPT);
}

static void
get_on_a_kept_connection(struct probe *probe)
{
	failure_on_a_kept_connection(probe, HERALD_DELIVERY_GET);
}

static void
post_on_a_kept_connection(struct probe *probe)
{
	failure_on_a_kept_connection(probe, HERALD_DELIVERY_POST);
}

/* Where the attempt before got no answer. */
static void
connection_is_opened_if_asked_for(struct probe *probe)
{
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	for (size_t i = 0; i < 6; i++) {
		struct probe_attempt *attempt = probe_get(probe, "/200");
		size_t connections = misbehaving_server_connections(&probe->server);

		attempt->base.opens_connection = i % 2 == 0;
		assert_int_equal(probe_finish(probe, probe_begin(probe, attempt))->http_status,
				 200);
		if (i % 2 == 0)
			assert_int_equal(misbehaving_server_connections(&probe->server),
					 connections + 1);
	}
}

/* Cancelling closes the connection of an incomplete answer; destroying the transport closes all
 * others. */
static void
connections_are_closed(struct probe *probe)
{
	static const char *const urls[] = {"/silent", "/drip"};

	probe_serve(probe);
	probe_open(probe, NULL, 4);
	for (size_t i = 0; i < HERALD_COUNT(urls); i++) {
		size_t number = probe_begin(probe, probe_get(probe, urls[i]));

		while (misbehaving_server_requests(&probe->server) <= i)
			probe_wait(probe, 1);
		probe_cancel(probe, number);
		misbehaving_server_wait_open(&probe->server, 0);
	}
	assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
	probe_close(probe);
	misbehaving_server_wait_open(&probe->server, 0);
}

const struct contract_transport_case contract_transport_connections[] = {
	CONTRACT_CASE(connections_that_cannot_be_made, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(addresses_of_names, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(denied_addresses, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(denied_addresses_and_other_failures, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(denied_ports, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(connections_are_used_again,
		      CONTRACT_TRANSPORT_NETWORK | CONTRACT_TRANSPORT_KEEPS),
	CONTRACT_CASE(get_on_a_kept_connection,
		      CONTRACT_TRANSPORT_NETWORK | CONTRACT_TRANSPORT_KEEPS),
	CONTRACT_CASE(post_on_a_kept_connection,
		      CONTRACT_TRANSPORT_NETWORK | CONTRACT_TRANSPORT_KEEPS),
	CONTRACT_CASE(connection_is_opened_if_asked_for, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(connections_are_closed, CONTRACT_TRANSPORT_NETWORK),
};
const size_t contract_transport_connections_count = HERALD_COUNT(contract_transport_connections);
