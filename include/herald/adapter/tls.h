/*
 * For authors of TLS adapters: how a server (herald/server.h, option `tls`) reads and writes
 * encrypted connections.
 *
 * An adapter embeds struct herald_tls as its first member, and has a constructor:
 *
 *	struct my_tls {
 *		struct herald_tls base;
 *		...
 *	};
 *
 *	static const struct herald_tls_ops my_ops = {.name = "my", .open = my_open, ...};
 *
 * The server opens a stream for each accepted socket. The socket stays the server's, which waits
 * for it; the functions read and write it, and must not block. They handshake when they need to.
 * A stream belongs to one of the server's threads, on which signals, among them SIGPIPE, are
 * blocked; streams of the same adapter are used on several threads at a time. All functions are
 * required.
 */
#ifndef HERALD_ADAPTER_TLS_H
#define HERALD_ADAPTER_TLS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_tls_ops;

/** The first member of every TLS adapter. */
struct herald_tls {
	const struct herald_tls_ops *ops; /**< Its functions; set by its constructor. */
};

/** An encrypted connection; defined by the adapter. */
struct herald_tls_stream;

/** The result of a function of a stream. */
enum herald_tls_result {
	HERALD_TLS_DONE,
	HERALD_TLS_WANTS_READ,  /**< Call again when the socket is readable. */
	HERALD_TLS_WANTS_WRITE, /**< Call again when the socket is writable. */
	HERALD_TLS_END,         /**< The client has closed its side, by close_notify or FIN. */
	/** The client has sent an HTTP request without TLS. What was read of it is lost, and the
	 * server answers 400. Only read() returns this. */
	HERALD_TLS_PLAIN_HTTP,
	HERALD_TLS_BROKEN, /**< The connection failed, or the handshake; see problem(). */
};

/** The functions of a TLS adapter. */
struct herald_tls_ops {
	/** The name of the TLS library, such as "openssl", for messages. */
	const char *name;

	/**
	 * Open a stream for a connected socket that does not block. Any thread. Sends nothing.
	 * Returns NULL when out of memory.
	 */
	struct herald_tls_stream *(*open)(struct herald_tls *tls, int fd);

	/**
	 * Read up to `bytes` bytes, at least 16,384, the most of a TLS record. *got is set if the
	 * result is HERALD_TLS_DONE, and is at least 1.
	 *
	 * No decrypted bytes stay in the stream: the server reads again when the socket is
	 * readable.
	 */
	enum herald_tls_result (*read)(struct herald_tls_stream *stream, void *data, size_t bytes,
				       size_t *got);

	/**
	 * Write some of `bytes` bytes, at least 1. *sent is set if the result is HERALD_TLS_DONE,
	 * and is at least 1. Otherwise the next call has the same bytes, perhaps at another place
	 * and with further ones after them.
	 */
	enum herald_tls_result (*write)(struct herald_tls_stream *stream, const void *data,
					size_t bytes, size_t *sent);

	/**
	 * Send close_notify; read() still works. Called until the result is neither WANTS_READ nor
	 * WANTS_WRITE.
	 */
	enum herald_tls_result (*shutdown)(struct herald_tls_stream *stream);

	/** After HERALD_TLS_BROKEN: the reason, one line of static storage, for the log. */
	const char *(*problem)(const struct herald_tls_stream *stream);

	/**
	 * Free the stream. If it has sent no close_notify and is not broken, try once to send one.
	 * The server closes the socket afterwards.
	 */
	void (*close)(struct herald_tls_stream *stream);
};

#ifdef __cplusplus
}
#endif
#endif
