/*
 * Ports that are taken. A test that takes a port binds a name of the same number, an abstract one
 * of Unix sockets, which the kernel frees when the process ends.
 */
#include "ports.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST_PORT 10240
#define ATTEMPTS 1000

/* The first port that the kernel may give to any socket. */
static unsigned
first_ephemeral_port(void)
{
	unsigned first = 32768;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

	if (file && fscanf(file, "%u", &first) != 1)
		first = 32768;
	if (file)
		fclose(file);
	return first;
}

/* The name stays bound: its descriptor is left open. */
static bool
reserve(unsigned port)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "herald-port-%u", port);
	socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (bind(fd, (struct sockaddr *)&name, bytes) == 0)
		return true;
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	return false;
}

static bool
is_free(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	bool was_bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return was_bound;
}

uint16_t
ports_take(void)
{
	unsigned end = first_ephemeral_port();

	/* Where the kernel may give any port to any socket, a free one has to do. */
	if (end < FIRST_PORT + ATTEMPTS)
		end = 1 << 16;
	for (int i = 0; i < ATTEMPTS; i++) {
		unsigned random;

		assert_int_equal(getrandom(&random, sizeof(random), 0), sizeof(random));
		unsigned port = FIRST_PORT + random % (end - FIRST_PORT);
		if (reserve(port) && is_free(port))
			return (uint16_t)port;
	}
	fail_msg("no free port from %d to %u", FIRST_PORT, end - 1);
	return 0;
}
