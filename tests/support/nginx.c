/*
 * A real nginx for the tests of adapters. It owns the process, by its number, and the
 * directory; the test provides the FastCGI server behind it.
 */
#include "nginx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_client.h"
#include "ports.h"

/* Another process may take the port before nginx starts. */
#define ATTEMPTS 5

/* Who has begun a request gets two seconds, and who is refused 200 ms to read that; idle
 * connections end with a stop. The rest is what a user would write. */
static const char configuration[] =
	"%s"
	"daemon off;\n"
	"pid %s/pid;\n"
	"error_log %s/error.log;\n"
	"worker_processes 1;\n"
	"worker_shutdown_timeout 10s;\n"
	"events { worker_connections 1024; }\n"
	"http {\n"
	"  access_log off;\n"
	"  client_body_temp_path body; fastcgi_temp_path fastcgi; proxy_temp_path proxy;\n"
	"  scgi_temp_path scgi; uwsgi_temp_path uwsgi;\n"
	"  client_header_timeout 2s;\n"
	"  keepalive_timeout 0;\n"
	"  lingering_timeout 200ms;\n"
	"  fastcgi_param REQUEST_METHOD $request_method;\n"
	"  fastcgi_param REQUEST_URI $request_uri;\n"
	"  fastcgi_param CONTENT_TYPE $content_type;\n"
	"  fastcgi_param CONTENT_LENGTH $content_length;\n"
	"  fastcgi_param SCRIPT_NAME $fastcgi_script_name;\n"
	"  fastcgi_param QUERY_STRING $query_string;\n"
	"  fastcgi_param SERVER_PROTOCOL $server_protocol;\n"
	"  fastcgi_ignore_client_abort on;\n"
	"  server {\n"
	"    listen 127.0.0.1:%u %s;\n"
	"    %s\n"
	"    location = /event { fastcgi_pass unix:%s; }\n"
	"    location = /hello { fastcgi_pass unix:%s; }\n"
	"    location = /healthz { return 200; }\n"
	"    location / { return 404; }\n"
	"  }\n"
	"}\n";

void
nginx_prepare(struct nginx *nginx)
{
	memset(nginx, 0, sizeof(*nginx));
	snprintf(nginx->directory, sizeof(nginx->directory), "/tmp/herald-nginx-XXXXXX");
	assert_non_null(mkdtemp(nginx->directory));
	snprintf(nginx->socket, sizeof(nginx->socket), "%s/socket", nginx->directory);
}

static void
write_configuration(const struct nginx *nginx, const char *path, const char *extra)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	/* If root starts it, its workers would be another user, who cannot use the socket. */
	fprintf(file, configuration, geteuid() == 0 ? "user root;\n" : "", nginx->directory,
		nginx->directory, nginx->port, nginx->listen ? nginx->listen : "", extra,
		nginx->socket, nginx->socket);
	assert_int_equal(fclose(file), 0);
}

/* In the child. */
static void
run(const struct nginx *nginx, const char *path, const char *errors)
{
	sigset_t none;

	/* Where the test ends before it stops it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execlp("nginx", "nginx", "-e", errors, "-p", nginx->directory, "-c", path, (char *)NULL);
	/* Not in the PATH of an ordinary user on Debian. */
	execl("/usr/sbin/nginx", "nginx", "-e", errors, "-p", nginx->directory, "-c", path,
	      (char *)NULL);
	_exit(127);
}

/* Whether it listens: only then does it write the file. Another process may have the port. */
static bool
listens(const struct nginx *nginx)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/pid", nginx->directory);
	return access(path, F_OK) == 0;
}

/* Whether it takes connections; false when it ended instead. */
static bool
wait_started(const struct nginx *nginx)
{
	struct http_client client;
	int status;

	while (!listens(nginx) || !http_connect(&client, "127.0.0.1", nginx->port)) {
		if (waitpid(nginx->pid, &status, WNOHANG) == nginx->pid)
			return false;
		sched_yield();
	}
	http_close(&client);
	return true;
}

static void
print_errors(const char *path)
{
	char line[512];
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file))
		print_error("%s", line);
	if (file)
		fclose(file);
}

void
nginx_start(struct nginx *nginx, const char *extra)
{
	char path[96], errors[96];

	snprintf(path, sizeof(path), "%s/nginx.conf", nginx->directory);
	snprintf(errors, sizeof(errors), "%s/error.log", nginx->directory);
	for (int i = 0; i < ATTEMPTS; i++) {
		nginx->port = ports_take();
		write_configuration(nginx, path, extra);
		nginx->pid = fork();
		assert_true(nginx->pid >= 0);
		if (nginx->pid == 0)
			run(nginx, path, errors);
		if (wait_started(nginx))
			return;
	}
	print_errors(errors);
	fail_msg("nginx does not start");
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
nginx_stop(struct nginx *nginx)
{
	int status;

	kill(nginx->pid, SIGQUIT);
	waitpid(nginx->pid, &status, 0);
	nftw(nginx->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}
