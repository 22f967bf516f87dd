/*
 * TLS to a broker whose client library has none that could be used: a client of OpenSSL's on a
 * socket that is connected and does not block. Compiled into each adapter that uses it, with names
 * of its own (BROKER_TLS_ADAPTER): a program may link several adapters as archives.
 */
#ifndef HERALD_BROKER_COMMON_TLS_H
#define HERALD_BROKER_COMMON_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <herald/status.h>

#define BROKER_TLS_JOIN(ADAPTER, NAME) herald__##ADAPTER##_tls_##NAME
#define BROKER_TLS_NAME(ADAPTER, NAME) BROKER_TLS_JOIN(ADAPTER, NAME)
#define herald__broker_tls_configure BROKER_TLS_NAME(BROKER_TLS_ADAPTER, configure)
#define herald__broker_tls_open BROKER_TLS_NAME(BROKER_TLS_ADAPTER, open)
#define herald__broker_tls_read BROKER_TLS_NAME(BROKER_TLS_ADAPTER, read)
#define herald__broker_tls_write BROKER_TLS_NAME(BROKER_TLS_ADAPTER, write)
#define herald__broker_tls_problem BROKER_TLS_NAME(BROKER_TLS_ADAPTER, problem)
#define herald__broker_tls_close BROKER_TLS_NAME(BROKER_TLS_ADAPTER, close)

/* The options of adapters. NULL: not given. */
struct broker_tls_files {
	const char *ca_file;
	const char *certificate_file;
	const char *key_file;
};

#define BROKER_TLS_PATH_BYTES 1024

/* A copy of them; "": not given. */
struct broker_tls_settings {
	char ca_file[BROKER_TLS_PATH_BYTES];
	char certificate_file[BROKER_TLS_PATH_BYTES];
	char key_file[BROKER_TLS_PATH_BYTES];
};

struct broker_tls;

/*
 * Copy the options, and check that the files can be used. They are read again for each connection,
 * as they may be renewed.
 *
 * is_secure  the URL asks for TLS; otherwise no file may be given.
 * scheme     of such a URL, for errors.
 * error      its path names the option.
 * Errors     HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
enum herald_status
herald__broker_tls_configure(const struct broker_tls_files *files, bool is_secure,
			     const char *scheme, struct broker_tls_settings *out,
			     struct herald_error *error);

/* Waits until the socket has one of poll()'s `events`. Returns 0, or an error number. */
typedef int herald__broker_tls_wait(int fd, short events, void *state);

/*
 * Shake hands, and verify that the server has a certificate for `host`, a name or an address, of a
 * CA that is trusted.
 *
 * fd      borrowed until herald__broker_tls_close().
 * out     set only on HERALD_OK.
 * Errors  HERALD_BAD_OPTION: the server does not speak TLS, or not this one, or its certificate is
 *         not accepted; the message says why, and the path is "url". HERALD_UNAVAILABLE,
 *         HERALD_NO_MEMORY.
 */
enum herald_status
herald__broker_tls_open(const struct broker_tls_settings *settings, const char *host, int fd,
			herald__broker_tls_wait *wait, void *state, struct broker_tls **out,
			struct herald_error *error);

/*
 * As recv() and send(): -1 with errno EAGAIN if nothing can be read or written now, and with
 * another errno if the connection is broken; herald__broker_tls_problem() has the text. One call
 * reads at most one record. If `bytes` is at least 16,384, OpenSSL keeps nothing back that poll()
 * does not know of.
 */
ssize_t herald__broker_tls_read(struct broker_tls *tls, void *data, size_t bytes);
ssize_t herald__broker_tls_write(struct broker_tls *tls, const void *data, size_t bytes);

/* Why the last call has failed; "" if the socket's errno says it. */
const char *herald__broker_tls_problem(const struct broker_tls *tls);

/* Say goodbye, if that is possible at once. The socket stays open. NULL is allowed. */
void herald__broker_tls_close(struct broker_tls *tls);

#endif
