/*
 * Wake-ups. A notification says from which due time on there are new READY rows, so that others
 * lower their watermarks. Owns when the next one may be sent: notifications within 20 ms become
 * one, which is sent by tend() or the next notify(). NOTIFY is never in a transaction with others:
 * it would hold a lock of the whole server while that commits.
 */
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

#include "session.h"
#include "times.h"
#include "watermark.h"

#define NOTIFY_PAUSE_MS 20

/* Watching. */

static enum herald_status
start_listening(struct postgres_session *session, struct herald_error *error)
{
	const struct postgres *database = session->database;
	char sql[80];
	enum herald_status status = herald__postgres_session_restore(session, error);

	if (status != HERALD_OK || session->is_listening)
		return status;
	snprintf(sql, sizeof(sql), "LISTEN \"herald_%s\"", database->options.schema);
	status = herald__postgres_command(session, sql, "listen", NULL, error);
	session->is_listening = status == HERALD_OK;
	return status;
}

/* Whether another process has sent one. "instance due_ms", both in hexadecimal. */
static bool
read_notifications(struct postgres_session *session)
{
	struct postgres *database = session->database;
	bool is_found = false;
	PGnotify *notification;

	while ((notification = PQnotifies(session->conn))) {
		char *end;
		uint64_t instance = strtoull(notification->extra, &end, 16);
		uint64_t due_ms = *end == ' ' ? strtoull(end + 1, NULL, 16) : 0;

		if (instance != (uint64_t)database->instance) {
			is_found = true;
			herald__postgres_watermarks_lower(&database->watermarks, false,
							  (int64_t)due_ms);
			herald__postgres_watermarks_lower(&database->watermarks, true,
							  (int64_t)due_ms);
		}
		PQfreemem(notification);
	}
	return is_found;
}

/* Wait for the socket or for watch_end(). Returns true when it is time to return. */
static bool
wait(struct postgres_session *session, int64_t deadline_ms)
{
	struct pollfd polled[] = {
		{.fd = session->wake_fd, .events = POLLIN},
		{.fd = session->is_listening && session->conn ? PQsocket(session->conn) : -1,
		 .events = POLLIN},
	};
	int64_t left_ms = deadline_ms - herald__postgres_clock_ms();
	int ready = left_ms > 0 ? poll(polled, 2, (int)left_ms) : 0;
	uint64_t count;

	if (ready < 0)
		return errno != EINTR;
	if (polled[0].revents)
		return read(session->wake_fd, &count, sizeof(count)) == sizeof(count);
	return ready == 0;
}

enum herald_status
herald__postgres_watch(struct herald_session *base, uint32_t timeout_ms, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	int64_t deadline_ms = herald__postgres_clock_ms() + timeout_ms;
	bool was_listening = session->is_listening && session->conn;
	enum herald_status status = start_listening(session, error);

	/* Others may have sent something in between. */
	if (status == HERALD_OK && session->is_listening && !was_listening)
		return HERALD_OK;
	for (;;) {
		if (status == HERALD_OK && session->is_listening && read_notifications(session))
			return HERALD_OK;
		if (wait(session, deadline_ms))
			return status;
		if (status == HERALD_OK && session->is_listening &&
		    !PQconsumeInput(session->conn)) {
			herald__postgres_session_cut(session);
			return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						"the connection to PostgreSQL is lost");
		}
	}
}

void
herald__postgres_watch_end(struct herald_session *base)
{
	const struct postgres_session *session = postgres_session(base);
	uint64_t one = 1;
	ssize_t written = write(session->wake_fd, &one, sizeof(one));

	(void)written; /* a full counter wakes, too */
}

/* Notifying. */

/* Whether one is to be sent now, and what it says. */
static bool
take_notification(struct postgres *database, bool is_asked, int64_t *from_ms)
{
	int64_t clock_ms = herald__postgres_clock_ms();

	pthread_mutex_lock(&database->notify_mutex);
	database->notify_is_due |= is_asked;
	bool is_sent =
		database->notify_is_due && clock_ms - database->notified_ms >= NOTIFY_PAUSE_MS;
	if (is_sent) {
		*from_ms = database->notify_from_ms;
		database->notify_from_ms = INT64_MAX;
		database->notify_is_due = false;
		database->notified_ms = clock_ms;
	}
	pthread_mutex_unlock(&database->notify_mutex);
	return is_sent;
}

static enum herald_status
notify(struct postgres_session *session, bool is_asked, struct herald_error *error)
{
	const struct postgres *database = session->database;
	int64_t from_ms;
	char sql[160];

	if (!session->conn || !take_notification(session->database, is_asked, &from_ms))
		return HERALD_OK;
	snprintf(sql, sizeof(sql), "NOTIFY \"herald_%s\", '%" PRIx64 " %" PRIx64 "'",
		 database->options.schema, (uint64_t)database->instance, (uint64_t)from_ms);
	return herald__postgres_command(session, sql, "notify other processes", NULL, error);
}

enum herald_status
herald__postgres_notify(struct herald_session *base, struct herald_error *error)
{
	return notify(postgres_session(base), true, error);
}

void
herald__postgres_tend(struct herald_session *base, int64_t now_ms)
{
	(void)now_ms;
	if (notify(postgres_session(base), false, NULL) != HERALD_OK)
		return; /* polling finds what it would have said */
}
