/*
 * A filter between a server's sockets and evhttp. Scans the bytes of every connection as they
 * arrive, before evhttp reads them, and replaces those that a strict reader would refuse by bytes
 * that evhttp refuses too. Owns a scanner for each connection; scanner.c decides what is valid.
 *
 * Without it, evhttp (2.1.12) ends a head at a line that begins with a NUL, joins folded lines, and
 * accepts HTTP/1.2, line feeds without a carriage return, control characters, and chunk sizes such
 * as 0x1f. It may then handle as the next request what another reader takes for a body.
 */
#include <stdint.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include <herald/libevent.h>

#include "guard.h"
#include "scanner.h"

/*
 * A line that is invalid wherever a line is expected; twice, because a part of the first one may
 * have been passed on already. evhttp answers 400 within a head and 413 within a body, and closes.
 */
static const char bad[] = "x\r\nx\r\n";

/* The end of a head that declares too large a body. evhttp answers 413. */
static const char too_large[] = "\r\n";

struct guard {
	struct herald__scanner scanner;
	bool is_editing; /* The guard itself is changing the input. */
};

static void
add_end(struct evbuffer *input, enum herald__scan_verdict verdict)
{
	if (verdict == SCAN_BAD)
		evbuffer_add(input, bad, sizeof(bad) - 1);
	if (verdict == SCAN_TOO_LARGE)
		evbuffer_add(input, too_large, sizeof(too_large) - 1);
}

/* Append to `to` what the scanner passes of `data`. */
static void
copy_passed(struct guard *guard, struct evbuffer *to, const char *data, size_t bytes)
{
	size_t at = 0;

	while (at < bytes) {
		struct herald__scan scan =
			herald__scanner_run(&guard->scanner, data + at, bytes - at);

		evbuffer_add(to, data + at, scan.passed_bytes);
		add_end(to, scan.verdict);
		at += scan.passed_bytes + scan.dropped_bytes;
	}
}

/*
 * Keep the first bytes of the input, apply the scanner's result to the next ones, and scan the
 * rest. When out of memory, the rest is dropped, and the connection ends with evhttp's timeout.
 */
static void
edit(struct guard *guard, struct evbuffer *input, size_t kept_bytes, struct herald__scan scan)
{
	struct evbuffer *out = evbuffer_new();

	if (out)
		evbuffer_remove_buffer(input, out, kept_bytes + scan.passed_bytes);
	evbuffer_drain(input, scan.dropped_bytes);

	size_t bytes = evbuffer_get_length(input);
	const char *data = (const char *)evbuffer_pullup(input, -1);
	if (!out || (!data && bytes > 0)) {
		guard->scanner.state = SCAN_REFUSED;
	} else {
		add_end(out, scan.verdict);
		copy_passed(guard, out, data, bytes);
	}
	evbuffer_drain(input, bytes);
	if (!out)
		return;
	evbuffer_add_buffer(input, out);
	evbuffer_free(out);
}

/* Scan the input from an offset on. */
static void
scan_input(struct guard *guard, struct evbuffer *input, size_t from)
{
	while (from < evbuffer_get_length(input)) {
		struct evbuffer_ptr at;
		struct evbuffer_iovec piece;

		evbuffer_ptr_set(input, &at, from, EVBUFFER_PTR_SET);
		if (evbuffer_peek(input, 1, &at, &piece, 1) < 1)
			return;
		struct herald__scan scan =
			herald__scanner_run(&guard->scanner, piece.iov_base, piece.iov_len);
		if (scan.dropped_bytes > 0 || scan.verdict != SCAN_GOOD) {
			edit(guard, input, from, scan);
			return;
		}
		from += scan.passed_bytes;
	}
}

/* The evbuffer_cb_func: called after reading from the socket and before evhttp is notified. */
static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *state)
{
	struct guard *guard = state;

	if (guard->is_editing || info->n_added == 0)
		return;
	guard->is_editing = true;
	scan_input(guard, input, evbuffer_get_length(input) - info->n_added);
	guard->is_editing = false;
}

/* evhttp's callback before it frees a connection. */
static void
on_close(struct evhttp_connection *connection, void *state)
{
	struct evbuffer *input =
		bufferevent_get_input(evhttp_connection_get_bufferevent(connection));
	struct guard *guard = state;

	evbuffer_remove_cb(input, on_input, guard);
	herald__scanner_finish(&guard->scanner);
	free(guard);
}

/* The limit for bodies. Until a connection has a guard, it is stored in the write high-water mark
 * of its bufferevent, which sockets do not use. */
static uint64_t
max_body_bytes(struct bufferevent *bufferevent)
{
	size_t low, high = 0;

	bufferevent_getwatermark(bufferevent, EV_WRITE, &low, &high);
	return high;
}

/* The connection that evhttp has created for a bufferevent. */
static struct evhttp_connection *
connection_of(struct bufferevent *bufferevent)
{
	void *connection = NULL;

	bufferevent_getcb(bufferevent, NULL, NULL, NULL, &connection);
	return connection;
}

/*
 * The evbuffer_cb_func for the first bytes of a connection. Creates the guard; not earlier, because
 * only from here on evhttp notifies when to free it.
 */
static void
on_first_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *bufferevent)
{
	if (info->n_added == 0)
		return;
	evbuffer_remove_cb(input, on_first_input, bufferevent);

	struct guard *guard = calloc(1, sizeof(*guard));
	if (!guard || !evbuffer_add_cb(input, on_input, guard)) {
		free(guard);
		/* Without a guard, nothing may be read. */
		evbuffer_drain(input, evbuffer_get_length(input));
		bufferevent_setwatermark(bufferevent, EV_READ, SIZE_MAX, 0);
		return;
	}
	herald__scanner_init(&guard->scanner, max_body_bytes(bufferevent));
	evhttp_connection_set_closecb(connection_of(bufferevent), on_close, guard);
	on_input(input, info, guard);
}

/*
 * An evbuffer_cb_func that is never called. It marks an input as guarded: libevent can tell whether
 * a buffer has a callback only by removing it.
 */
static void
guarded(struct evbuffer *input, const struct evbuffer_cb_info *info, void *state)
{
	(void)input;
	(void)info;
	(void)state;
}

static bool
mark(struct evbuffer *input)
{
	struct evbuffer_cb_entry *entry = evbuffer_add_cb(input, guarded, NULL);

	return entry && evbuffer_cb_clear_flags(input, entry, EVBUFFER_CB_ENABLED) == 0;
}

bool
herald__is_guarded(struct bufferevent *bufferevent)
{
	struct evbuffer *input = bufferevent_get_input(bufferevent);

	return evbuffer_remove_cb(input, guarded, NULL) == 0 && mark(input);
}

bool
herald_libevent_guard(struct bufferevent *bufferevent, size_t max_body_bytes)
{
	struct evbuffer *input = bufferevent_get_input(bufferevent);

	bufferevent_setwatermark(bufferevent, EV_WRITE, 0, max_body_bytes);
	return evbuffer_add_cb(input, on_first_input, bufferevent) && mark(input);
}

/* The callback for evhttp_set_bevcb(). */
static struct bufferevent *
create_bufferevent(struct event_base *base, void *max_body_bytes)
{
	struct bufferevent *bufferevent = bufferevent_socket_new(base, -1, 0);

	if (bufferevent && !herald_libevent_guard(bufferevent, (uintptr_t)max_body_bytes))
		bufferevent_setwatermark(bufferevent, EV_READ, SIZE_MAX, 0);
	return bufferevent;
}

void
herald__guard_server(struct evhttp *server, size_t max_body_bytes)
{
	/* The argument is the limit itself, because the server keeps it longer than the adapter
	 * lives. */
	evhttp_set_bevcb(server, create_bufferevent, (void *)(uintptr_t)max_body_bytes);
}
