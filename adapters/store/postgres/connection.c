/*
 * Connections: making one, and waiting for results. Owns nothing; sessions own their connections.
 */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include <herald/adapter/options.h>

#include "failure.h"
#include "times.h"

/* Wait until the socket is ready, or the other file is, unless it is -1. Returns false when the
 * time is over. */
static bool
wait_either(const PGconn *conn, short events, int64_t deadline_ms, int other, bool *other_is_ready)
{
	struct pollfd polled[] = {{.fd = PQsocket(conn), .events = events},
				  {.fd = other, .events = POLLIN}};

	if (polled[0].fd < 0)
		return false;
	for (;;) {
		int64_t left_ms = deadline_ms - herald__postgres_clock_ms();
		int ready = poll(polled, 2, left_ms > 0 ? (int)left_ms : 0);

		*other_is_ready = ready > 0 && polled[1].revents != 0;
		if (ready > 0)
			return true;
		if (ready < 0 && errno == EINTR)
			continue;
		return false;
	}
}

/* What the DSN may change. */
static PGconn *
start(const char *dsn, const struct postgres_address *address, uint32_t timeout_ms)
{
	char silence_ms[16];

	/* Data that the server does not take for so long. */
	snprintf(silence_ms, sizeof(silence_ms), "%u", timeout_ms);
	const char *const names[] = {"fallback_application_name",
				     "keepalives_idle",
				     "keepalives_interval",
				     "keepalives_count",
				     "tcp_user_timeout",
				     "dbname",
				     "host",
				     "hostaddr",
				     "port",
				     NULL};
	/* Those behind the DSN replace what it says, unless they are empty. */
	const char *const values[] = {"herald",      "10", "5",           "3",
				      silence_ms,    dsn,  address->host, address->number,
				      address->port, NULL};
	PGconn *conn = PQconnectStartParams(names, values, 1);

	/* The SQLSTATE of a refusal is said nowhere else. */
	if (conn)
		PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
	return conn;
}

/* libpq may go on to another socket at each step, if there is more than one address. */
static bool
finish(PGconn *conn, int64_t deadline_ms, int interrupt_fd, bool *is_interrupted)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	if (PQstatus(conn) == CONNECTION_BAD)
		return false;
	while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
		if (!wait_either(conn, next == PGRES_POLLING_READING ? POLLIN : POLLOUT,
				 deadline_ms, interrupt_fd, is_interrupted) ||
		    *is_interrupted)
			return false;
		next = PQconnectPoll(conn);
	}
	return next == PGRES_POLLING_OK;
}

enum herald_status
herald__postgres_interrupted(struct herald_error *error)
{
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"interrupted: the store is being destroyed");
}

static void
ignore_notice(void *state, const PGresult *result)
{
	(void)state;
	(void)result;
}

enum herald_status
herald__postgres_connect(const char *dsn, const struct postgres_address *address,
			 uint32_t timeout_ms, int interrupt_fd, PGconn **out,
			 struct herald_error *error)
{
	int64_t deadline_ms = herald__postgres_clock_ms() + timeout_ms;
	PGconn *conn = start(dsn, address, timeout_ms);
	enum herald_status status = HERALD_OK;
	bool is_interrupted = false;

	if (!conn)
		return herald_out_of_memory(error);
	if (finish(conn, deadline_ms, interrupt_fd, &is_interrupted)) {
		PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
		PQsetNoticeReceiver(conn, ignore_notice, NULL);
		*out = conn;
		return HERALD_OK;
	}
	if (is_interrupted)
		status = herald__postgres_interrupted(error);
	else if (PQstatus(conn) != CONNECTION_BAD)
		status = herald_error_set(
			error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
			"cannot connect to PostgreSQL: no answer%s%s within %u ms",
			address->host[0] != '\0' ? " of " : "", address->host, timeout_ms);
	else
		status = herald__postgres_refuse(error, conn);
	PQfinish(conn);
	return status;
}

bool
herald__postgres_succeeded(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* A wait for the results of a statement. */
struct wait {
	PGconn *conn;
	int64_t deadline_ms;
	int interrupt_fd; /* -1: none */
};

/* The next result, or NULL after the last one. Returns false if the connection is lost. */
static bool
next_result(struct wait *wait, PGresult **out)
{
	while (PQisBusy(wait->conn)) {
		bool is_interrupted;

		if (!wait_either(wait->conn, POLLIN, wait->deadline_ms, wait->interrupt_fd,
				 &is_interrupted))
			return false;
		/* PQcancel() could wait for a server that hangs, without end. */
		if (is_interrupted || !PQconsumeInput(wait->conn))
			return false;
	}
	*out = PQgetResult(wait->conn);
	return true;
}

PGresult *
herald__postgres_wait(PGconn *conn, uint32_t timeout_ms, int interrupt_fd)
{
	struct wait wait = {conn, herald__postgres_clock_ms() + timeout_ms, interrupt_fd};
	PGresult *result = NULL, *next;

	for (;;) {
		if (!next_result(&wait, &next)) {
			PQclear(result);
			return NULL;
		}
		if (!next)
			break;
		if (result && !herald__postgres_succeeded(result)) {
			PQclear(next);
			continue;
		}
		PQclear(result);
		result = next;
	}
	/* libpq makes a result of the loss of the connection. */
	if (PQstatus(conn) == CONNECTION_BAD && !PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
		PQclear(result);
		return NULL;
	}
	return result;
}
