/*
 * What stands between the sockets of a server and evhttp: every connection's bytes are scanned as
 * they come, before evhttp reads them, and those that a strict reader would refuse are replaced by
 * some that evhttp refuses, too. It owns a scanner for each connection; what is good is
 * scanner.c's.
 *
 * evhttp (2.1.12) by itself ends a head at a line that begins with NUL, joins folded lines, and
 * takes HTTP/1.2, line feeds without a carriage return, control characters and sizes such as 0x1f;
 * what one reader takes for a body, evhttp takes for the next request.
 */
#include <stdint.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "adapter.h"
#include "scanner.h"

/*
 * A line that is none wherever one is expected, twice: a part of the first one may have been passed
 * on already. evhttp answers with 400 within a head, with 413 within a body, and closes.
 */
static const char bad[] = "x\r\nx\r\n";

/* The end of a head that declares too large a body, which evhttp answers with 413. */
static const char too_large[] = "\r\n";

struct guard {
	struct herald__scanner scanner;
	bool is_editing; /* The changes are our own. */
};

static void
add_end(struct evbuffer *input, enum herald__scan_verdict verdict)
{
	if (verdict == SCAN_BAD)
		evbuffer_add(input, bad, sizeof(bad) - 1);
	if (verdict == SCAN_TOO_LARGE)
		evbuffer_add(input, too_large, sizeof(too_large) - 1);
}

/* Put what the scanner passes of `data` at the end of `to`. */
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
 * Keep the first bytes of the input, do to the next what the scanner said, and scan the rest. When
 * memory is out nothing of it is left, and the connection ends with evhttp's timeout.
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

/* evbuffer_cb_func: within the reading from the socket, and before evhttp is told. */
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

/* The largest body of a connection is kept where it does no harm until there is a guard: a socket's
 * bufferevent has no use for the most that it should be asked to write. */
static uint64_t
max_body_bytes(struct bufferevent *bufferevent)
{
	size_t low, high = 0;

	bufferevent_getwatermark(bufferevent, EV_WRITE, &low, &high);
	return high;
}

/* The connection that evhttp has made of a bufferevent. */
static struct evhttp_connection *
connection_of(struct bufferevent *bufferevent)
{
	void *connection = NULL;

	bufferevent_getcb(bufferevent, NULL, NULL, NULL, &connection);
	return connection;
}

/*
 * evbuffer_cb_func for the first bytes of a connection. The guard is made here and not before,
 * because from now on evhttp tells when it is to be freed.
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
		/* Nothing is read unguarded. */
		evbuffer_drain(input, evbuffer_get_length(input));
		bufferevent_setwatermark(bufferevent, EV_READ, SIZE_MAX, 0);
		return;
	}
	herald__scanner_init(&guard->scanner, max_body_bytes(bufferevent));
	evhttp_connection_set_closecb(connection_of(bufferevent), on_close, guard);
	on_input(input, info, guard);
}

bool
herald_libevent_guard(struct bufferevent *bufferevent, size_t max_body_bytes)
{
	bufferevent_setwatermark(bufferevent, EV_WRITE, 0, max_body_bytes);
	return evbuffer_add_cb(bufferevent_get_input(bufferevent), on_first_input, bufferevent);
}

/* evhttp_set_bevcb()'s function. */
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
	/* The limit itself is what is passed: the server keeps this beyond the adapter's end. */
	evhttp_set_bevcb(server, create_bufferevent, (void *)(uintptr_t)max_body_bytes);
}
