/* What herald_serve() needs of a server. Private. */
#ifndef HERALD_SRC_HTTP_SERVER_SERVER_H
#define HERALD_SRC_HTTP_SERVER_SERVER_H

#include <stdio.h>

#include <herald/server.h>

/* Print a line with the URL of the server's first socket and its path for events: "listening on
 * http://127.0.0.1:8080/event". */
void herald__server_print(const struct herald_server *server, FILE *stream);

#endif
