/*
 * A real PostgreSQL for tests. Owns the process, by its number, and the directory.
 */
#include "postgres_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "ports.h"

/* Free bytes of /dev/shm that a server may use. */
#define MIN_MEMORY (1ull << 30)

static const char settings[] = "listen_addresses = '127.0.0.1'\n"
			       "unix_socket_directories = '%s'\n"
			       "max_connections = 100\n"
			       "shared_buffers = '64MB'\n"
			       "max_wal_size = '256MB'\n"
			       "deadlock_timeout = '100ms'\n"
			       "restart_after_crash = on\n";

/* Only the user with a password needs one. */
static const char access_rules[] = "host all secured 127.0.0.1/32 scram-sha-256\n"
				   "local all all trust\n"
				   "host all all 127.0.0.1/32 trust\n";

/* Debian has the programs of each version in a folder of its own; the last one is taken. The
 * variable HERALD_TEST_POSTGRES names the folder of another version. */
bool
postgres_server_program(const char *name, char path[128])
{
	const char *chosen = getenv("HERALD_TEST_POSTGRES");
	const char *const patterns[] = {"/usr/lib/postgresql/*/bin", "/usr/local/bin", "/usr/bin",
					"/usr/local/pgsql/bin", "/usr/libexec/postgresql"};
	bool found = false;

	for (size_t i = 0; !found && i < sizeof(patterns) / sizeof(*patterns); i++) {
		glob_t folders;

		if (glob(chosen ? chosen : patterns[i], 0, NULL, &folders) != 0)
			continue;
		for (size_t j = 0; j < folders.gl_pathc; j++) {
			char candidate[128];

			snprintf(candidate, sizeof(candidate), "%s/%s", folders.gl_pathv[j], name);
			if (access(candidate, X_OK) == 0) {
				strcpy(path, candidate);
				found = true;
			}
		}
		globfree(&folders);
	}
	return found;
}

bool
postgres_server_exists(void)
{
	char path[128];

	return postgres_server_program("initdb", path) && postgres_server_program("postgres", path);
}

int
postgres_server_left_out(const char *name)
{
	printf("1..1\nok 1 - %s # SKIP the server of PostgreSQL is not here (Debian: postgresql)\n",
	       name);
	return 0;
}

/* Processes. */

/* PostgreSQL does not run as root. */
static const struct passwd *
ordinary_user(void)
{
	if (geteuid() != 0)
		return NULL;
	const struct passwd *user = getpwnam("postgres");
	if (!user)
		user = getpwnam("nobody");
	assert_non_null(user);
	return user;
}

/* Its output goes to a file. */
static pid_t
spawn(const struct postgres_server *server, const char *const arguments[])
{
	const struct passwd *user = ordinary_user();
	char log[96];
	sigset_t none;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	snprintf(log, sizeof(log), "%s/log", server->directory);
	if (user &&
	    (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
		_exit(126);
	/* If the test ends before it stops it. */
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || chdir(server->directory) != 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	setenv("LC_ALL", "C", 1);
	unsetenv("LOCPATH");
	execv(arguments[0], (char *const *)arguments);
	_exit(127);
}

static void
print_log(const struct postgres_server *server)
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
write_file(const struct postgres_server *server, const char *name, const char *mode,
	   const char *format, const char *argument)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/data/%s", server->directory, name);
	FILE *file = fopen(path, mode);
	assert_non_null(file);
	fprintf(file, format, argument);
	assert_int_equal(fclose(file), 0);
}

static void
create_cluster(const struct postgres_server *server)
{
	char program[128], data[96];
	int status;

	assert_true(postgres_server_program("initdb", program));
	snprintf(data, sizeof(data), "%s/data", server->directory);
	const char *const arguments[] = {program,           "-D",          data,    "-U",
					 "herald",          "-A",          "trust", "--no-sync",
					 "--encoding=UTF8", "--no-locale", NULL};
	pid_t pid = spawn(server, arguments);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		print_log(server);
	assert_int_equal(status, 0);
	write_file(server, "postgresql.conf", "a", settings, server->directory);
	write_file(server, "pg_hba.conf", "w", access_rules, "");
}

/* Whether it takes connections; false when it has ended instead. */
static bool
wait_started(struct postgres_server *server)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	int status;

	while (PQping(server->dsn) != PQPING_OK) {
		if (waitpid(server->pid, &status, WNOHANG) == server->pid)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

void
postgres_server_restart(struct postgres_server *server)
{
	char program[128], data[96], port[8];

	assert_true(postgres_server_program("postgres", program));
	snprintf(data, sizeof(data), "%s/data", server->directory);
	snprintf(port, sizeof(port), "%u", server->port);
	const char *const arguments[] = {program, "-D", data, "-p", port, NULL};
	server->pid = spawn(server, arguments);
	if (!wait_started(server)) {
		print_log(server);
		fail_msg("PostgreSQL does not start");
	}
}

/* In memory, if there is enough: a busy disk takes long for an fsync(), and tests make thousands.
 * They kill servers but not the machine, so nothing is lost. */
static const char *
folder(void)
{
	struct statvfs memory;

	if (statvfs("/dev/shm", &memory) == 0 && memory.f_bavail * memory.f_frsize >= MIN_MEMORY)
		return "/dev/shm";
	return "/tmp";
}

void
postgres_server_start(struct postgres_server *server)
{
	const struct passwd *user = ordinary_user();

	memset(server, 0, sizeof(*server));
	snprintf(server->directory, sizeof(server->directory), "%s/herald-postgres-XXXXXX",
		 folder());
	assert_non_null(mkdtemp(server->directory));
	if (user)
		assert_int_equal(chown(server->directory, user->pw_uid, user->pw_gid), 0);
	server->port = ports_take();
	snprintf(server->dsn, sizeof(server->dsn), "host=%s port=%u user=herald dbname=postgres",
		 server->directory, server->port);
	create_cluster(server);
	postgres_server_restart(server);
}

static void
end(struct postgres_server *server, int signal)
{
	int status;

	kill(server->pid, signal);
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
}

void
postgres_server_halt(struct postgres_server *server)
{
	end(server, SIGINT);
}

void
postgres_server_crash(struct postgres_server *server)
{
	end(server, SIGQUIT);
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
postgres_server_stop(struct postgres_server *server)
{
	postgres_server_crash(server);
	nftw(server->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* SQL. */

static bool
is_deadlock(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return state && strcmp(state, "40P01") == 0;
}

/* Again after a deadlock: a store may be at work on the same tables. */
static PGresult *
query(const struct postgres_server *server, const char *sql)
{
	PGconn *conn = PQconnectdb(server->dsn);
	PGresult *result = PQexec(conn, sql);

	while (is_deadlock(result)) {
		PQclear(result);
		result = PQexec(conn, sql);
	}
	const ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQfinish(conn);
	return result;
}

void
postgres_server_run(const struct postgres_server *server, const char *sql)
{
	PQclear(query(server, sql));
}

long
postgres_server_number(const struct postgres_server *server, const char *sql)
{
	PGresult *result = query(server, sql);

	assert_true(PQntuples(result) > 0);
	long number = strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return number;
}
