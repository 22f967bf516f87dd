/*
 * Redis over TLS (rediss://): a real server with certificates made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/redis.h>

#include "support/broker_tls.h"
#include "support/ports.h"
#include "support/redis_server.h"

static struct redis_server server;

static enum herald_status
create_publisher(const struct tls_options *options, struct herald_publisher **out,
		 struct herald_error *error)
{
	return herald_redis_publisher_create(
		&HERALD_REDIS_PUBLISHER_OPTIONS(.url = options->url, .ca_file = options->ca_file,
						.certificate_file = options->certificate_file,
						.key_file = options->key_file),
		out, error);
}

static enum herald_status
create_subscriber(const struct tls_options *options, struct herald_subscriber **out,
		  struct herald_error *error)
{
	return herald_redis_subscriber_create(
		&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = options->url, .stream = options->source,
						 .group = "billing", .ca_file = options->ca_file,
						 .certificate_file = options->certificate_file,
						 .key_file = options->key_file),
		out, error);
}

/* Listen with the files as they are now. */
static void
set_tls(void)
{
	redis_server_number(&server,
			    "CONFIG SET tls-port %d tls-cert-file %s tls-key-file %s "
			    "tls-ca-cert-file %s tls-auth-clients yes",
			    tls_broker.port, tls_files.server_file, tls_files.server_key,
			    tls_files.ca_file);
}

static void
kill_server(void)
{
	redis_server_kill(&server);
	redis_server_restart(&server);
	set_tls();
}

static int
start(void **state)
{
	(void)state;
	tls_files_create();
	redis_server_start(&server);
	tls_broker = (struct tls_broker){
		.scheme = "rediss://",
		.login = "",
		.port = ports_take(),
		.plain_port = server.port,
		.create_publisher = create_publisher,
		.create_subscriber = create_subscriber,
		.kill = kill_server,
	};
	set_tls();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	redis_server_stop(&server);
	tls_files_remove();
	return 0;
}

/* A certificate for an address; and one that was valid until a minute ago. */
static void
test_other_certificates(void **state)
{
	struct tls_options options = tls_good("127.0.0.1", "orders");

	(void)state;
	tls_files_certify("IP:127.0.0.1", 0);
	set_tls();
	tls_assert_passes(&options);
	options = tls_good("localhost", "orders");
	tls_assert_refused(&options, "not accepted: hostname mismatch");
	tls_files_certify("DNS:localhost", -60);
	set_tls();
	tls_assert_refused(&options, "not accepted: certificate has expired");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_messages_pass),
		cmocka_unit_test(test_tls_server_is_killed),
		cmocka_unit_test(test_tls_what_is_refused),
		cmocka_unit_test(test_tls_client_without_certificate),
		cmocka_unit_test(test_tls_options),
		cmocka_unit_test(test_other_certificates),
	};

	if (!redis_server_exists())
		return redis_server_left_out("redis_tls");
	return cmocka_run_group_tests(tests, start, stop);
}
