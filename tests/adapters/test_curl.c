/*
 * The transport with libcurl: the contract, and what only this one has.
 */
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/curl.h>

#include "contract/transport/probe.h"

/* NULL: out of memory. */
static struct herald_transport *
create_with(const struct herald_curl_transport_options *options)
{
	struct herald_transport *created = NULL;

	return herald_curl_transport_create(options, &created, NULL) == HERALD_OK ? created : NULL;
}

static struct herald_transport *
create(const struct contract_transport_options *options)
{
	struct herald_curl_transport_options own =
		HERALD_CURL_TRANSPORT_OPTIONS(.max_answer_header_bytes = options->max_header_bytes,
					      .max_answer_body_bytes = options->max_body_bytes,
					      .max_answer_bytes = options->max_bytes);

	if (options->allocator)
		own.allocator = *options->allocator;
	return create_with(&own);
}

static const struct contract_transport transport = {
	.name = "curl",
	.capabilities = CONTRACT_TRANSPORT_ALL,
	.create = create,
};

/* Connections of others. */

static CURLSH *share;

static bool
share_connections(CURL *easy, void *state)
{
	return curl_easy_setopt(easy, CURLOPT_SHARE, state) == CURLE_OK;
}

static struct herald_transport *
create_sharing(const struct contract_transport_options *options)
{
	(void)options;
	return create_with(
		&HERALD_CURL_TRANSPORT_OPTIONS(.setup = share_connections, .state = share));
}

static const struct contract_transport sharing = {.name = "curl", .create = create_sharing};

/* The setup asks for it; but what one deliverer may connect to is not open for another one. */
static void
transports_share_no_connections(void **state)
{
	share = curl_share_init();
	assert_int_equal(curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT),
			 CURLSHE_OK);
	struct probe *first = probe_create(&sharing), *second = probe_create(&sharing);
	char url[64];

	(void)state;
	probe_serve(first);
	probe_open(first, NULL, 1);
	probe_open(second, NULL, 1);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/200", first->server.port);
	assert_int_equal(probe_fetch(first, url)->http_status, 200);
	assert_int_equal(probe_fetch(second, url)->http_status, 200);
	assert_int_equal(misbehaving_server_connections(&first->server), 2);
	probe_close(first);
	assert_int_equal(probe_fetch(second, url)->http_status, 200);
	probe_destroy(second);
	probe_destroy(first);
	curl_share_cleanup(share);
}

/* However a connection has come to be, such as by a name lookup over HTTPS. */
static void
addresses_are_judged_with_each_request(void **state)
{
	struct probe *probe = probe_create(&transport);
	const struct herald_port_range others[] = {{1, 1}};

	(void)state;
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
	probe->rules.url_rules.ports.allowed = others;
	probe->rules.url_rules.ports.allowed_count = 1;
	const struct herald_attempt_result *result = probe_fetch(probe, "/200");
	assert_int_equal(result->http_status, 0);
	assert_false(result->may_retry);
	assert_string_equal(result->error, "the port of the connection is not allowed");
	assert_int_equal(misbehaving_server_requests(&probe->server), 1);
	probe->rules.url_rules.ports.allowed_count = 0;
	assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
	probe_destroy(probe);
}

/* Compressed: it is the decoded bytes that count. */

static bool
ask_for_gzip(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK;
}

static struct herald_transport *
create_asking_for_gzip(const struct contract_transport_options *options)
{
	(void)options;
	return create_with(&HERALD_CURL_TRANSPORT_OPTIONS(.setup = ask_for_gzip));
}

static const struct contract_transport asking_for_gzip = {
	.name = "curl",
	.create = create_asking_for_gzip,
};

/* Add `count` bits to the stream, the lowest of them first. */
static void
add_bits(unsigned char *data, size_t *bits, unsigned value, unsigned count)
{
	for (; count > 0; count--, value >>= 1, ++*bits)
		data[*bits / 8] |= (unsigned char)((value & 1) << *bits % 8);
}

/* RFC 1951 section 3.2.6: a zero, then copies of 258 bytes from the one before, in 13 bits each. */
static size_t
write_bomb(unsigned char *data, size_t size, size_t copies)
{
	static const unsigned char magic[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	size_t bits = sizeof(magic) * 8;

	memset(data, 0, size);
	memcpy(data, magic, sizeof(magic));
	add_bits(data, &bits, 3, 3);    /* the last block, fixed codes */
	add_bits(data, &bits, 0x0c, 8); /* 00110000, highest bit first */
	for (; copies > 0 && bits / 8 + 4 < size; copies--)
		add_bits(data, &bits, 0xa3, 13); /* 11000101, then 00000 */
	return bits / 8;
}

static void
compressed_body(void **state)
{
	static const char head[] =
		"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n";
	static char raw[4096];
	struct probe *probe = probe_create(&asking_for_gzip);

	(void)state;
	memcpy(raw, head, sizeof(head) - 1);
	probe->server.raw_bytes =
		sizeof(head) - 1 + write_bomb((unsigned char *)raw + sizeof(head) - 1, 2000, 1000);
	probe_serve_raw(probe, raw, NULL);
	probe_open(probe, NULL, 1);
	/* Less than 2,000 bytes of 100,000 have come: only what they decode to ends the attempt. */
	assert_int_equal(probe_fetch(probe, "/raw")->http_status, 500);
	probe_destroy(probe);
}

int
main(void)
{
	bool has_gzip = curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_LIBZ;
	const struct CMUnitTest own[] = {
		cmocka_unit_test(transports_share_no_connections),
		cmocka_unit_test(addresses_are_judged_with_each_request),
		cmocka_unit_test(compressed_body),
	};

	return contract_transport_main(&transport, own, HERALD_COUNT(own) - !has_gzip);
}
