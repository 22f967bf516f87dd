/*
 * A real NATS server for tests. Owns the process, by its number, and the directory.
 */
#include "nats_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ports.h"

/* In HERALD_TEST_NATS, in PATH, or where Debian has it. Returns false if it is not there. */
static bool
find_program(char path[256])
{
	const char *chosen = getenv("HERALD_TEST_NATS"), *folders = getenv("PATH");
	char list[4096];

	if (chosen) {
		snprintf(path, 256, "%s", chosen);
		return access(path, X_OK) == 0;
	}
	snprintf(list, sizeof(list), "%s:/usr/sbin", folders ? folders : "");
	for (char *rest = list, *folder; (folder = strsep(&rest, ":"));) {
		snprintf(path, 256, "%s/nats-server", folder);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

bool
nats_server_exists(void)
{
	char path[256];

	return find_program(path);
}

int
nats_server_left_out(const char *name)
{
	printf("1..1\nok 1 - %s # SKIP nats-server is not here (Debian: nats-server)\n", name);
	return 0;
}

static void
write_settings(const struct nats_server *server, char path[96])
{
	snprintf(path, 96, "%s/server.conf", server->directory);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s\n", server->settings ? server->settings : "");
	assert_int_equal(fclose(file), 0);
}

/* Its output goes to a file. */
static pid_t
spawn(const struct nats_server *server)
{
	char log[96], store[96], port[8], settings[96], program[256];
	sigset_t none;

	assert_true(find_program(program));

	snprintf(log, sizeof(log), "%s/log", server->directory);
	snprintf(store, sizeof(store), "%s/store", server->directory);
	snprintf(port, sizeof(port), "%u", server->port);
	write_settings(server, settings);
	const char *const arguments[] = {program, "-js", "-sd", store,    "-a", "127.0.0.1",
					 "-p",    port,  "-c",  settings, NULL};
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	/* If the test ends before it stops it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execv(arguments[0], (char *const *)arguments);
	_exit(127);
}

static bool
takes_connections(const struct nats_server *server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(server->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool takes = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return takes;
}

static void
print_log(const struct nats_server *server)
{
	char path[96], line[512];

	snprintf(path, sizeof(path), "%s/log", server->directory);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		print_error("%s", line);
	if (file)
		fclose(file);
}

void
nats_server_restart(struct nats_server *server)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	int status;

	server->pid = spawn(server);
	while (!takes_connections(server)) {
		if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
			print_log(server);
			fail_msg("nats-server has ended: status %d", status);
		}
		nanosleep(&pause, NULL);
	}
}

void
nats_server_start(struct nats_server *server)
{
	strcpy(server->directory, "/tmp/herald-nats-XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	server->port = ports_take();
	snprintf(server->url, sizeof(server->url), "nats://127.0.0.1:%u", server->port);
	nats_server_restart(server);
}

static void
end(struct nats_server *server, int signal)
{
	if (server->pid <= 0)
		return;
	assert_int_equal(kill(server->pid, signal), 0);
	assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
	server->pid = 0;
}

void
nats_server_crash(struct nats_server *server)
{
	end(server, SIGKILL);
}

void
nats_server_pause(struct nats_server *server)
{
	int status;

	assert_int_equal(kill(server->pid, SIGSTOP), 0);
	/* It runs a little longer than the call. */
	assert_int_equal(waitpid(server->pid, &status, WUNTRACED), server->pid);
}

void
nats_server_resume(struct nats_server *server)
{
	assert_int_equal(kill(server->pid, SIGCONT), 0);
}

static int
remove_path(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat, (void)type, (void)walk;
	return remove(path);
}

void
nats_server_stop(struct nats_server *server)
{
	end(server, SIGKILL);
	nftw(server->directory, remove_path, 8, FTW_DEPTH | FTW_PHYS);
}
