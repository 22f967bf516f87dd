/*
 * A real Redis for tests. Owns the process, by its number, and the folder.
 */
#include "redis_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ports.h"

#define START_MS 10000

/* The variable HERALD_TEST_REDIS names another one. */
static const char *
program(void)
{
	static const char *const paths[] = {"/usr/bin/redis-server", "/usr/local/bin/redis-server"};
	const char *chosen = getenv("HERALD_TEST_REDIS");

	if (chosen)
		return chosen;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

bool
redis_server_exists(void)
{
	return program();
}

int
redis_server_left_out(const char *name)
{
	printf("1..1\nok 1 - %s # SKIP the server of Redis is not here (Debian: redis-server)\n",
	       name);
	return 0;
}

static void
print_log(const struct redis_server *server)
{
	char path[96], line[512];

	snprintf(path, sizeof(path), "%s/log", server->directory);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		print_error("%s", line);
	if (file)
		fclose(file);
}

static void
run(const struct redis_server *server, const char *option, const char *value)
{
	char port[8], log[96];
	sigset_t none;

	snprintf(port, sizeof(port), "%u", server->port);
	snprintf(log, sizeof(log), "%s/log", server->directory);
	const char *const arguments[] = {program(), "--port", port, "--bind", "127.0.0.1", "--dir",
					 server->directory, "--save", "", "--appendonly", "yes",
					 /* With "everysec", a server that is killed while it
					  * syncs has lost what it has confirmed meanwhile. */
					 "--appendfsync", "always", "--maxmemory-policy",
					 "noeviction", "--logfile", log, "--enable-debug-command",
					 "local", option, value, NULL};

	/* If the test ends before it stops it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int fd = open("/dev/null", O_RDWR);
	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execv(arguments[0], (char *const *)arguments);
	_exit(127);
}

static bool
answers(struct redis_server *server)
{
	redisContext *context = redisConnect("127.0.0.1", server->port);
	redisReply *reply = context && !context->err ? redisCommand(context, "PING") : NULL;
	/* While it reads its data, and if it needs a password, it says something else. */
	const bool is_ready = reply && (reply->type == REDIS_REPLY_STATUS ||
					strncmp(reply->str, "NOAUTH", 6) == 0);

	freeReplyObject(reply);
	if (is_ready) {
		if (server->context)
			redisFree(server->context);
		server->context = context;
		server->user = getpid();
	} else if (context) {
		redisFree(context);
	}
	return is_ready;
}

static void
start(struct redis_server *server, const char *option, const char *value)
{
	const struct timespec pause = {.tv_nsec = 2000000};

	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0)
		run(server, option, value);
	for (int waited = 0; !answers(server); waited += 2) {
		int status;

		if (waited > START_MS || waitpid(server->pid, &status, WNOHANG) == server->pid) {
			print_log(server);
			fail_msg("Redis does not start");
		}
		nanosleep(&pause, NULL);
	}
}

void
redis_server_start_with(struct redis_server *server, const char *option, const char *value)
{
	/* A connection of the test that the server has closed must not end the test. */
	signal(SIGPIPE, SIG_IGN);
	memset(server, 0, sizeof(*server));
	strcpy(server->directory, access("/dev/shm", W_OK) == 0 ? "/dev/shm/herald-redis-XXXXXX"
								: "/tmp/herald-redis-XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	server->port = ports_take();
	snprintf(server->url, sizeof(server->url), "redis://127.0.0.1:%u", server->port);
	start(server, option, value);
}

void
redis_server_start(struct redis_server *server)
{
	redis_server_start_with(server, NULL, NULL);
}

void
redis_server_restart(struct redis_server *server)
{
	start(server, NULL, NULL);
}

void
redis_server_kill(struct redis_server *server)
{
	int status;

	kill(server->pid, SIGKILL);
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
	if (server->context)
		redisFree(server->context);
	server->context = NULL;
}

void
redis_server_pause(struct redis_server *server)
{
	int status;

	kill(server->pid, SIGSTOP);
	assert_int_equal(waitpid(server->pid, &status, WUNTRACED), server->pid);
}

void
redis_server_go_on(struct redis_server *server)
{
	kill(server->pid, SIGCONT);
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

void
redis_server_stop(struct redis_server *server)
{
	redis_server_kill(server);
	nftw(server->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Commands. */

static redisReply *
command(struct redis_server *server, const char *format, va_list arguments)
{
	/* A child has a connection of its own. */
	if (server->user != getpid()) {
		server->context = NULL;
		assert_true(answers(server));
	}
	redisReply *reply = redisvCommand(server->context, format, arguments);

	if (!reply)
		fail_msg("%s: %s", format, server->context->errstr);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", format, reply->str);
	return reply;
}

redisReply *
redis_server_command(struct redis_server *server, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	redisReply *reply = command(server, format, arguments);
	va_end(arguments);
	return reply;
}

long long
redis_server_number(struct redis_server *server, const char *format, ...)
{
	va_list arguments;
	long long number = 0;

	va_start(arguments, format);
	redisReply *reply = command(server, format, arguments);
	va_end(arguments);
	switch (reply->type) {
	case REDIS_REPLY_INTEGER:
		number = reply->integer;
		break;
	case REDIS_REPLY_ARRAY:
		number = (long long)reply->elements;
		break;
	case REDIS_REPLY_NIL:
		number = -1;
		break;
	default:
		number = (long long)reply->len;
		break;
	}
	freeReplyObject(reply);
	return number;
}
