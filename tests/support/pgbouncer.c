/*
 * A real PgBouncer for tests. Owns the process, by its number.
 */
#include "pgbouncer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

/* Few server connections, so that transactions share them. */
static const char settings[] = "[databases]\n"
			       "* = host=%s port=%u\n"
			       "[pgbouncer]\n"
			       "pool_mode = transaction\n"
			       "default_pool_size = 8\n"
			       "max_client_conn = 200\n"
			       "listen_addr =\n"
			       "unix_socket_dir = %s\n"
			       "listen_port = 6432\n"
			       "auth_type = trust\n"
			       "auth_file = %s\n";

static bool
find_program(char path[256])
{
	const char *folders = getenv("PATH");
	char copy[4096], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s:/usr/sbin", folders ? folders : "");
	for (char *folder = strtok_r(copy, ":", &rest); folder;
	     folder = strtok_r(NULL, ":", &rest)) {
		snprintf(path, 256, "%.200s/pgbouncer", folder);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

bool
pgbouncer_exists(void)
{
	char path[256];

	return find_program(path);
}

static void
write_files(struct pgbouncer *pool, const struct postgres_server *server)
{
	char users[128];

	snprintf(users, sizeof(users), "%s/users", server->directory);
	snprintf(pool->path, sizeof(pool->path), "%s/pgbouncer.ini", server->directory);
	FILE *file = fopen(users, "w");
	assert_non_null(file);
	fputs("\"herald\" \"\"\n", file);
	assert_int_equal(fclose(file), 0);
	file = fopen(pool->path, "w");
	assert_non_null(file);
	fprintf(file, settings, server->directory, server->port, server->directory, users);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(users, 0644), 0);
	assert_int_equal(chmod(pool->path, 0644), 0);
}

/* It does not run as root. */
static void
run(const struct pgbouncer *pool, const char *program, const char *log)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
	sigset_t none;

	if (geteuid() == 0 && !user)
		user = getpwnam("nobody");
	if (user &&
	    (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execl(program, program, pool->path, (char *)NULL);
	_exit(127);
}

void
pgbouncer_start(struct pgbouncer *pool, const struct postgres_server *server)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	char program[256], log[96];
	int status;

	assert_true(find_program(program));
	write_files(pool, server);
	snprintf(log, sizeof(log), "%s/pgbouncer.log", server->directory);
	snprintf(pool->dsn, sizeof(pool->dsn), "host=%s port=6432 user=herald dbname=postgres",
		 server->directory);
	pool->pid = fork();
	assert_true(pool->pid >= 0);
	if (pool->pid == 0)
		run(pool, program, log);
	while (PQping(pool->dsn) != PQPING_OK) {
		assert_int_equal(waitpid(pool->pid, &status, WNOHANG), 0);
		nanosleep(&pause, NULL);
	}
}

void
pgbouncer_stop(struct pgbouncer *pool)
{
	int status;

	kill(pool->pid, SIGTERM);
	assert_int_equal(waitpid(pool->pid, &status, 0), pool->pid);
}
