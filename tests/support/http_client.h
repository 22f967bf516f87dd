/*
 * A small HTTP/1.1 client for tests, over a raw socket: sends any bytes in any pieces, reads one
 * response at a time. Nothing waits for ever, and nothing sleeps: every wait is a poll() for the
 * socket, up to HTTP_CLIENT_WAIT_MS.
 */
#ifndef HERALD_TESTS_HTTP_CLIENT_H
#define HERALD_TESTS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_CLIENT_WAIT_MS 20000

struct http_client {
	int fd;       /* -1 when it is not connected */
	size_t bytes; /* received and not yet part of a response */
	char data[64 * 1024];
};

struct http_response {
	unsigned status;
	size_t body_bytes;
	char head[8 * 1024];  /* status line and headers, NUL-terminated */
	char body[32 * 1024]; /* NUL-terminated */
};

/* Connect to a numeric address. Returns false, with errno, when that is refused. */
bool http_connect(struct http_client *client, const char *address, uint16_t port);

/* Close the connection, as a client that has what it wanted, or with a reset. */
void http_close(struct http_client *client);
void http_reset(struct http_client *client);

/* Send all bytes; false when the other side does not take them. */
bool http_send(struct http_client *client, const char *data, size_t bytes);

/* The same for a string and in pieces of `piece_bytes`, each a segment of its own. */
bool http_send_text(struct http_client *client, const char *text);
bool
http_send_pieces(struct http_client *client, const char *data, size_t bytes, size_t piece_bytes);

/*
 * Read one response; interim ones (100) count. With `has_body` false it is one to HEAD.
 * Returns false when the connection ends or the time is up before it is complete.
 */
bool http_receive(struct http_client *client, bool has_body, struct http_response *out);

/* The value of a header, or NULL; valid until the next call of it. */
const char *http_header(const struct http_response *response, const char *name);

/* Wait for the other side to close; false when the time is up. What it sends is thrown away. */
bool http_wait_closed(struct http_client *client, int wait_ms);

/* Whether bytes, or an end, arrive within `wait_ms`. */
bool http_wait_readable(struct http_client *client, int wait_ms);

#endif
