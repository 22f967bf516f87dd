/*
 * A Redis server for a test: on a free port of 127.0.0.1, with its data in a folder of its own, and
 * what is confirmed stays (appendonly, appendfsync always, noeviction).
 */
#ifndef HERALD_TESTS_SUPPORT_REDIS_SERVER_H
#define HERALD_TESTS_SUPPORT_REDIS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <hiredis/hiredis.h>

struct redis_server {
	pid_t pid;
	uint16_t port;
	char directory[64];
	char url[64];
	redisContext *context; /* of the test, NULL: not connected */
	pid_t user;            /* the process that has connected */
};

/* Whether the server's program is on this machine. */
bool redis_server_exists(void);
/* Says so in TAP, where it is not. Returns the exit status for main(). */
int redis_server_left_out(const char *name);

/* Start it. Fails the test on errors, as do the other functions. */
void redis_server_start(struct redis_server *server);
/* The same with another option and its value: "--maxmemory-policy". */
void redis_server_start_with(struct redis_server *server, const char *option, const char *value);
/* Stop it, and remove the folder. */
void redis_server_stop(struct redis_server *server);

/* kill -9, and start it again on its data. */
void redis_server_kill(struct redis_server *server);
void redis_server_restart(struct redis_server *server);
/* SIGSTOP and SIGCONT. */
void redis_server_pause(struct redis_server *server);
void redis_server_go_on(struct redis_server *server);

/* Run a command, as redisCommand(). The answer is not an error. */
redisReply *redis_server_command(struct redis_server *server, const char *format, ...);
/* The same for its number, or the length of its array or text; -1 for nil. */
long long redis_server_number(struct redis_server *server, const char *format, ...);

#endif
