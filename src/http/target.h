/* Targets and hosts, for files other than target.c. */
#ifndef HERALD_SRC_HTTP_TARGET_H
#define HERALD_SRC_HTTP_TARGET_H

#include <stdbool.h>

#include <herald/value.h>

/* The longest path that herald_http_path_check() accepts. */
#define HERALD__MAX_PATH_BYTES 1024

/* Whether a text is empty or a host with or without a port, as in Host (RFC 9110 section 7.2). */
bool herald__http_is_host(struct herald_text text);

/* Whether a text can be the path of a target, or its query. */
bool herald__http_is_target_part(const char *part);

/* A problem below: the target is not valid. */
extern const char herald__http_bad_target[];
/* Likewise: the method is CONNECT. */
extern const char herald__http_no_tunnels[];
/* Likewise: the target has the scheme https, but the connection is not secured. */
extern const char herald__http_not_secured[];

/*
 * Why a request with this method and target must be refused; NULL: it need not be.
 *
 * is_secured  whether a target may have the scheme https; http is always allowed.
 * path        set only on success, as by herald_http_target_path().
 */
const char *herald__http_target_problem(const char *method, const char *target, bool is_secured,
					struct herald_text *path);

#endif
