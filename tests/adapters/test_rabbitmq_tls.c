/*
 * RabbitMQ over TLS (amqps://): a real server with certificates made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/rabbitmq.h>

#include "support/broker_tls.h"
#include "support/ports.h"
#include "support/rabbitmq_server.h"

static struct rabbitmq_server server;

static enum herald_status
create_publisher(const struct tls_options *options, struct herald_publisher **out,
		 struct herald_error *error)
{
	return herald_rabbitmq_publisher_create(
		&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = options->url, .ca_file = options->ca_file,
						   .certificate_file = options->certificate_file,
						   .key_file = options->key_file),
		out, error);
}

static enum herald_status
create_subscriber(const struct tls_options *options, struct herald_subscriber **out,
		  struct herald_error *error)
{
	return herald_rabbitmq_subscriber_create(
		&HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = options->url, .queue = options->source,
						    .ca_file = options->ca_file,
						    .certificate_file = options->certificate_file,
						    .key_file = options->key_file),
		out, error);
}

static void
kill_server(void)
{
	rabbitmq_server_crash(&server);
	rabbitmq_server_restart(&server);
}

static int
start(void **state)
{
	char lines[1024];

	(void)state;
	tls_files_create();
	tls_broker = (struct tls_broker){
		.scheme = "amqps://",
		.login = "guest:guest@",
		.port = ports_take(),
		.create_publisher = create_publisher,
		.create_subscriber = create_subscriber,
		.kill = kill_server,
	};
	snprintf(lines, sizeof(lines),
		 "listeners.ssl.1 = 127.0.0.1:%u\n"
		 "ssl_options.cacertfile = %s\n"
		 "ssl_options.certfile = %s\n"
		 "ssl_options.keyfile = %s\n"
		 "ssl_options.verify = verify_peer\n"
		 "ssl_options.fail_if_no_peer_cert = true\n",
		 tls_broker.port, tls_files.ca_file, tls_files.server_file, tls_files.server_key);
	rabbitmq_server_start_with(&server, lines, tls_broker.port);
	tls_broker.plain_port = server.port;
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	rabbitmq_server_stop(&server);
	tls_files_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_messages_pass),
		cmocka_unit_test(test_tls_what_is_refused),
		cmocka_unit_test(test_tls_client_without_certificate),
		cmocka_unit_test(test_tls_options),
		cmocka_unit_test(test_tls_server_is_killed),
	};

	if (!rabbitmq_server_exists())
		return rabbitmq_server_left_out("rabbitmq_tls");
	return cmocka_run_group_tests(tests, start, stop);
}
