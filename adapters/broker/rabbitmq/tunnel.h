/*
 * TLS for librabbitmq, whose own sockets cannot be given up while they connect, and do not say why
 * a certificate is not accepted. librabbitmq gets one end of a pair of sockets; a thread passes on
 * what comes there, encrypted, and what the server sends, decrypted.
 */
#ifndef HERALD_RABBITMQ_TUNNEL_H
#define HERALD_RABBITMQ_TUNNEL_H

#include <herald/status.h>

#include "../common/tls.h"

struct rabbitmq_tunnel;

/*
 * Begin.
 *
 * tls     owned by the tunnel after HERALD_OK.
 * fd      the connection to the server; owned likewise.
 * end     the end for librabbitmq, which owns it. It does not block.
 * Errors  HERALD_SYSTEM, HERALD_NO_MEMORY.
 */
enum herald_status
herald__rabbitmq_tunnel_open(struct broker_tls *tls, int fd, struct rabbitmq_tunnel **out, int *end,
			     struct herald_error *error);

/* Why it has ended; "": it has not, or the server has closed the connection. */
const char *herald__rabbitmq_tunnel_problem(struct rabbitmq_tunnel *tunnel);

/* End it at once. The other end is closed, or no longer used. NULL is allowed. */
void herald__rabbitmq_tunnel_close(struct rabbitmq_tunnel *tunnel);

#endif
