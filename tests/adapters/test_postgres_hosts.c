/*
 * The servers of a DSN: how they are told apart, and that a silent one does not keep the store from
 * reaching another one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/postgres.h>

#include "../../adapters/store/postgres/database.h"
#include "../../adapters/store/postgres/hosts.h"
#include "support/postgres_server.h"

/* "host|number|port" of each address. */
static void
write_addresses(const char *dsn, char *out, size_t size)
{
	struct postgres_address addresses[POSTGRES_ADDRESSES_MAX];
	const size_t count = herald__postgres_addresses(dsn, addresses);

	FILE *stream = fmemopen(out, size, "w");

	assert_non_null(stream);
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s%s|%s|%s", i > 0 ? " " : "", addresses[i].host,
			addresses[i].number, addresses[i].port);
	fclose(stream);
}

static void
hosts_are_told_apart(void **unused)
{
	static const struct {
		const char *dsn, *expected;
	} cases[] = {
		{"", "||"},
		{"dbname=a user=b", "||"},
		{"port=1", "||"},
		{"not a dsn", "||"},
		{"host=/run/postgresql", "/run/postgresql||"},
		{"host=127.0.0.1", "127.0.0.1|127.0.0.1|"},
		{"host=127.0.0.1 port=5433", "127.0.0.1|127.0.0.1|5433"},
		{"host=127.0.0.1,127.0.0.2 port=1,2",
		 "127.0.0.1|127.0.0.1|1 127.0.0.2|127.0.0.2|2"},
		{"host=127.0.0.1,127.0.0.2,/tmp port=7",
		 "127.0.0.1|127.0.0.1|7 127.0.0.2|127.0.0.2|7 /tmp||7"},
		{"postgres://u:p@127.0.0.1:1,127.0.0.2:2/db?target_session_attrs=read-write",
		 "127.0.0.1|127.0.0.1|1 127.0.0.2|127.0.0.2|2"},
		{"hostaddr=127.0.0.1,127.0.0.2", "|127.0.0.1| |127.0.0.2|"},
		{"host=a.example,b.example hostaddr=127.0.0.1,127.0.0.2 port=1,2",
		 "a.example|127.0.0.1|1 b.example|127.0.0.2|2"},
		/* libpq says what is wrong with it. */
		{"host=no-such-host.invalid", "no-such-host.invalid||"},
		{"host=127.0.0.1,127.0.0.2 port=1,2,3",
		 "127.0.0.1|127.0.0.1|1 127.0.0.2|127.0.0.2|2"},
		{"host=127.0.0.1,,127.0.0.2", "||"},
		{"host=127.0.0.1,127.0.0.2 port=1,", "||"},
		{"host=127.0.0.1,127.0.0.2 hostaddr=127.0.0.1,", "||"},
	};
	char found[1024];

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		write_addresses(cases[i].dsn, found, sizeof(found));
		if (strcmp(found, cases[i].expected) != 0)
			fail_msg("%s: %s, not %s", cases[i].dsn, found, cases[i].expected);
	}
}

static void
too_many_are_cut(void **unused)
{
	struct postgres_address addresses[POSTGRES_ADDRESSES_MAX];
	char dsn[512] = "host=127.0.0.1", name[300] = "host=";

	(void)unused;
	for (int i = 0; i < 40; i++)
		strcat(dsn, ",127.0.0.1");
	assert_int_equal(herald__postgres_addresses(dsn, addresses), POSTGRES_ADDRESSES_MAX);
	memset(name + 5, 'a', 290);
	assert_int_equal(herald__postgres_addresses(name, addresses), 1);
	assert_string_equal(addresses[0].host, "");
}

/* A port at which connections are taken, and nothing is ever said. */
static int
listen_silently(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(listen(listener, 64), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
	*port = ntohs(address.sin_port);
	return listener;
}

/* How many connections there were since the last call. */
static unsigned
take_all(int listener)
{
	unsigned count = 0;
	int connection;

	while ((connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		close(connection);
		count++;
	}
	return count;
}

static enum herald_status
open_database(const char *dsn, struct herald_database **out, struct herald_error *error)
{
	const struct herald_database_settings settings = {.lease_ms = 15000};

	assert_int_equal(herald_postgres_create(
				 &HERALD_POSTGRES_OPTIONS(.dsn = dsn, .connect_timeout_ms = 400),
				 out, error),
			 HERALD_OK);
	return (*out)->ops->open(*out, &settings, error);
}

static void
a_silent_server_is_left(void **unused)
{
	struct postgres_server server;
	struct herald_database *database;
	struct herald_session *session;
	struct herald_error error;
	uint16_t port;
	int listener = listen_silently(&port);
	char dsn[160];

	(void)unused;
	postgres_server_start(&server);
	snprintf(dsn, sizeof(dsn),
		 "host=127.0.0.1,127.0.0.1 port=%u,%u user=herald dbname=postgres", port,
		 server.port);
	if (open_database(dsn, &database, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_true(take_all(listener) > 0);
	assert_int_equal(
		database->ops->session_open(database, HERALD_SESSION_COMMIT, &session, &error),
		HERALD_OK);
	/* The one that was reached is the first that is tried from then on. */
	assert_int_equal(take_all(listener), 0);
	database->ops->session_close(session);
	database->ops->destroy(database);
	postgres_server_stop(&server);
	close(listener);
}

/* Without an option, the DSN's own timeout holds. */
static void
the_timeout_of_the_dsn_holds(void **unused)
{
	static const struct {
		const char *given;
		uint32_t option_ms, expected_ms;
	} cases[] = {
		{"", 0, 5000},
		{"connect_timeout=2", 0, 2000},
		{"connect_timeout=20", 0, 20000},
		{"connect_timeout=2", 700, 700},
		{"connect_timeout=0", 0, 5000},
		{"connect_timeout=-1", 0, 5000},
	};
	struct herald_database *database;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(
			herald_postgres_create(
				&HERALD_POSTGRES_OPTIONS(.dsn = cases[i].given,
							 .connect_timeout_ms = cases[i].option_ms),
				&database, NULL),
			HERALD_OK);
		assert_int_equal(((struct postgres *)database)->options.connect_timeout_ms,
				 cases[i].expected_ms);
		database->ops->destroy(database);
	}
}

/* An error that may pass is told. */
static void
when_none_can_be_reached(void **unused)
{
	struct herald_database *database;
	struct herald_error error;
	uint16_t port;
	int listener = listen_silently(&port);
	char dsn[160];

	(void)unused;
	snprintf(dsn, sizeof(dsn), "host=127.0.0.1,127.0.0.1 port=%u,1 user=a dbname=b", port);
	assert_int_equal(open_database(dsn, &database, &error), HERALD_UNAVAILABLE);
	assert_string_equal(error.message,
			    "cannot connect to PostgreSQL: no answer of 127.0.0.1 within 400 ms");
	database->ops->destroy(database);
	close(listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_told_apart),
		cmocka_unit_test(too_many_are_cut),
		cmocka_unit_test(a_silent_server_is_left),
		cmocka_unit_test(when_none_can_be_reached),
		cmocka_unit_test(the_timeout_of_the_dsn_holds),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_hosts");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
