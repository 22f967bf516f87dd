/*
 * A small HTTP/1.1 client for tests, over a raw socket. It sends any bytes in any pieces, and reads
 * one response at a time. It never sleeps: every wait is a poll() on the socket.
 *
 * A wait of HTTP_CLIENT_WAIT_MS fails the test, so that silence never passes for an end
 * of the connection.
 */
#ifndef HERALD_TESTS_SUPPORT_HTTP_CLIENT_H
#define HERALD_TESTS_SUPPORT_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Far longer than a loaded machine needs, even under a sanitizer. */
#define HTTP_CLIENT_WAIT_MS 60000

/* For the client's own test: a shorter wait, and what is called instead of failing the test. It
 * must not return. */
extern int http_client_wait_ms;
extern void (*http_client_failed)(const char *problem);

struct http_client {
	int fd;       /* -1 when it is not connected */
	void *stream; /* set by http_connect() if http_client_tls is set */
	size_t bytes; /* received, but not part of a response yet */
	char data[64 * 1024];
};

struct http_response {
	unsigned status;
	size_t body_bytes;
	char head[8 * 1024];  /* status line and headers, NUL-terminated */
	char body[32 * 1024]; /* NUL-terminated */
};

/*
 * What encrypts all connections, if a test program sets it before it starts threads. The sockets do
 * not block: functions that would return -1 with EAGAIN, and set *events to the events to poll for.
 */
struct http_client_tls {
	/* Handshake, up to HTTP_CLIENT_WAIT_MS. Returns NULL, with errno, if it fails. */
	void *(*open)(int fd);
	ssize_t (*send)(void *stream, const void *data, size_t bytes, short *events);
	ssize_t (*receive)(void *stream, void *data, size_t bytes, short *events);
	/* As receive() of one byte, which stays there. */
	ssize_t (*peek)(void *stream, short *events);
	void (*finish)(void *stream); /* Send close_notify. */
	void (*close)(void *stream);
};

extern const struct http_client_tls *http_client_tls;

/* Connect to a numeric address. Returns false, with errno, if the connection is refused. */
bool http_connect(struct http_client *client, const char *address, uint16_t port);

/* Close the connection, normally or with a reset. */
void http_close(struct http_client *client);
void http_reset(struct http_client *client);

/* Close the sending side. Answers may still come. */
void http_finish_sending(struct http_client *client);

/* Send all bytes. Returns false if the other side has closed the connection. */
bool http_send(struct http_client *client, const char *data, size_t bytes);

/* The same for a string and in pieces of `piece_bytes`, each a segment of its own. */
bool http_send_text(struct http_client *client, const char *text);
bool
http_send_pieces(struct http_client *client, const char *data, size_t bytes, size_t piece_bytes);

/*
 * Read one response; interim ones (100) count. `has_body` must be false for a response to HEAD.
 * Returns false if the connection ends before the response is complete, or if it is not HTTP/1.
 */
bool http_receive(struct http_client *client, bool has_body, struct http_response *out);

/* Receive bytes as they come. Returns 0 at the end of the connection. */
size_t http_receive_bytes(struct http_client *client, char *out, size_t out_bytes);

/* The value of a header, or NULL; valid until the next call of it. */
const char *http_header(const struct http_response *response, const char *name);

/* Wait for the other side to close. Returns false if the time is up. Discards what it sends. */
bool http_wait_closed(struct http_client *client, int wait_ms);

/* Whether bytes, or an end, arrive within `wait_ms`. */
bool http_wait_readable(struct http_client *client, int wait_ms);

#endif
