/*
 * A real RabbitMQ for tests. Owns its two processes, by their numbers, and the directory.
 */
#include "rabbitmq_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <amqp_tcp_socket.h>
#include <cmocka.h>

#include "ports.h"

#define PROGRAM "/usr/lib/rabbitmq/bin/rabbitmq-server"
#define CONTROL "/usr/lib/rabbitmq/bin/rabbitmqctl"
#define MAX_SETTINGS 16
#define CHANNEL 1
/* A publisher sends a refused message again for so long. */
#define PUBLISH_S 10
/* The server takes what the machine has. Its processes have 100 to 300 MiB. */
#define ALL_MEMORY "1000GiB"
#define NO_MEMORY "1MiB"
/* Until the server has written names of queues; it takes one to several seconds. */
#define NAMES_MS 60000

bool
rabbitmq_server_exists(void)
{
	return access(PROGRAM, X_OK) == 0;
}

int
rabbitmq_server_left_out(const char *name)
{
	printf("1..1\nok 1 - %s # SKIP the server of RabbitMQ is not here (Debian: "
	       "rabbitmq-server)\n",
	       name);
	return 0;
}

static void
pause_ms(long ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static void
write_file(const struct rabbitmq_server *server, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", server->directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* Processes. */

/* The environment: nothing of the machine's own RabbitMQ. */
static void
settings_of(const struct rabbitmq_server *server, char texts[MAX_SETTINGS][256],
	    char *out[MAX_SETTINGS + 1])
{
	const char *directory = server->directory;
	size_t count = 0;

	snprintf(texts[count++], 256, "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
	snprintf(texts[count++], 256, "HOME=%s", directory);
	snprintf(texts[count++], 256, "ERL_EPMD_PORT=%u", server->epmd_port);
	snprintf(texts[count++], 256, "ERL_EPMD_ADDRESS=127.0.0.1");
	snprintf(texts[count++], 256, "RABBITMQ_CONF_ENV_FILE=/dev/null");
	snprintf(texts[count++], 256, "RABBITMQ_NODENAME=herald%u@localhost", server->port);
	snprintf(texts[count++], 256, "RABBITMQ_DIST_PORT=%u", server->dist_port);
	snprintf(texts[count++], 256, "RABBITMQ_MNESIA_BASE=%s/mnesia", directory);
	snprintf(texts[count++], 256, "RABBITMQ_LOG_BASE=%s/logs", directory);
	snprintf(texts[count++], 256, "RABBITMQ_CONFIG_FILE=%s/rabbitmq.conf", directory);
	snprintf(texts[count++], 256, "RABBITMQ_ENABLED_PLUGINS_FILE=%s/enabled_plugins",
		 directory);
	snprintf(texts[count++], 256, "RABBITMQ_PID_FILE=%s/pid", directory);
	snprintf(texts[count++], 256, "RABBITMQ_ALLOW_INPUT=1");
	snprintf(texts[count++], 256,
		 "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface "
		 "{127,0,0,1} +S 1:1 +sbwt none");
	for (size_t i = 0; i < count; i++)
		out[i] = texts[i];
	out[count] = NULL;
}

/* Its output goes to a file, unless there are pipes. */
static pid_t
spawn_with(const struct rabbitmq_server *server, const char *const arguments[], int input,
	   int output)
{
	char texts[MAX_SETTINGS][256], *settings[MAX_SETTINGS + 1], path[96];
	sigset_t none;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	/* If the test ends before it stops it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	settings_of(server, texts, settings);
	snprintf(path, sizeof(path), "%s/output", server->directory);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (input < 0)
		input = open("/dev/null", O_RDONLY);
	if (fd < 0 || input < 0 || chdir(server->directory) != 0 || dup2(input, 0) < 0 ||
	    dup2(output < 0 ? fd : output, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execvpe(arguments[0], (char *const *)arguments, settings);
	_exit(127);
}

static pid_t
spawn(const struct rabbitmq_server *server, const char *const arguments[])
{
	return spawn_with(server, arguments, -1, -1);
}

static void
print_output(const struct rabbitmq_server *server)
{
	char path[96], line[512];

	snprintf(path, sizeof(path), "%s/output", server->directory);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		print_error("%s", line);
	if (file)
		fclose(file);
}

static bool
takes_connections(uint16_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	bool takes = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return takes;
}

void
rabbitmq_server_begin(struct rabbitmq_server *server)
{
	server->pid = spawn(server, (const char *const[]){PROGRAM, "-noinput", NULL});
}

void
rabbitmq_server_await(struct rabbitmq_server *server)
{
	while (!takes_connections(server->port) ||
	       (server->tls_port && !takes_connections(server->tls_port))) {
		if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
			print_output(server);
			fail_msg("RabbitMQ does not start");
		}
		pause_ms(20);
	}
}

void
rabbitmq_server_restart(struct rabbitmq_server *server)
{
	rabbitmq_server_begin(server);
	rabbitmq_server_await(server);
}

void
rabbitmq_server_start(struct rabbitmq_server *server)
{
	rabbitmq_server_start_with(server, "", 0);
}

void
rabbitmq_server_start_with(struct rabbitmq_server *server, const char *lines, uint16_t tls_port)
{
	char text[2048], port[8];

	memset(server, 0, sizeof(*server));
	snprintf(server->directory, sizeof(server->directory), "/tmp/herald-rabbitmq-XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	server->port = ports_take();
	server->tls_port = tls_port;
	server->epmd_port = ports_take();
	server->dist_port = ports_take();
	snprintf(server->url, sizeof(server->url), "amqp://guest:guest@127.0.0.1:%u/",
		 server->port);
	snprintf(text, sizeof(text),
		 "listeners.tcp.1 = 127.0.0.1:%u\n"
		 "vm_memory_high_watermark.absolute = " ALL_MEMORY "\n"
		 "max_message_size = 4194304\n"
		 "disk_free_limit.absolute = 0\n"
		 "%s",
		 server->port, lines);
	write_file(server, "rabbitmq.conf", text);
	write_file(server, "enabled_plugins", "[].\n");
	snprintf(port, sizeof(port), "%u", server->epmd_port);
	server->epmd = spawn(server, (const char *const[]){"epmd", "-port", port, "-address",
							   "127.0.0.1", NULL});
	while (!takes_connections(server->epmd_port))
		pause_ms(5);
	rabbitmq_server_restart(server);
}

static void
end(pid_t *pid)
{
	if (*pid == 0)
		return;
	kill(*pid, SIGKILL);
	assert_int_equal(waitpid(*pid, NULL, 0), *pid);
	*pid = 0;
}

/* The third number of the file is 1 if all of it has been written (dets_v9.erl of Erlang). */
bool
rabbitmq_server_knows_queues(const struct rabbitmq_server *server)
{
	unsigned char head[12];
	char path[320], name[64];

	snprintf(name, sizeof(name), "herald%u@localhost", server->port);
	snprintf(path, sizeof(path), "%s/mnesia/%s/quorum/%s/names.dets", server->directory, name,
		 name);
	FILE *file = fopen(path, "r");
	if (!file)
		return true; /* it has made no queues */
	const bool is_read = fread(head, sizeof(head), 1, file) == 1;
	fclose(file);
	return is_read && memcmp(head + 8, "\0\0\0\1", 4) == 0;
}

void
rabbitmq_server_crash(struct rabbitmq_server *server)
{
	for (int ms = 0; !rabbitmq_server_knows_queues(server); ms += 5) {
		if (ms > NAMES_MS)
			fail_msg("RabbitMQ does not write the names of its queues");
		pause_ms(5);
	}
	end(&server->pid);
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
rabbitmq_server_stop(struct rabbitmq_server *server)
{
	if (server->observer) {
		close(server->questions);
		close(server->answers);
	}
	end(&server->observer);
	end(&server->pid);
	end(&server->epmd);
	nftw(server->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void
rabbitmq_server_control(const struct rabbitmq_server *server, const char *command,
			const char *first, const char *second)
{
	int status;
	pid_t pid = spawn(server, (const char *const[]){CONTROL, command, first,
							first ? second : NULL, NULL});

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		print_output(server);
	assert_int_equal(status, 0);
}

void
rabbitmq_server_set_blocked(const struct rabbitmq_server *server, bool is_blocked)
{
	rabbitmq_server_control(server, "set_vm_memory_high_watermark", "absolute",
				is_blocked ? NO_MEMORY : ALL_MEMORY);
}

void
rabbitmq_server_pause(const struct rabbitmq_server *server)
{
	int status;

	assert_int_equal(kill(server->pid, SIGSTOP), 0);
	/* The call returns before it has stopped. */
	assert_int_equal(waitpid(server->pid, &status, WUNTRACED), server->pid);
}

void
rabbitmq_server_go_on(const struct rabbitmq_server *server)
{
	assert_int_equal(kill(server->pid, SIGCONT), 0);
}

/* AMQP does not tell how many messages consumers have. So there is another Erlang node, which asks
 * the processes of the server. It reads lines: a mark, and "count QUEUE MORE",
 * "full QUEUE" or "free QUEUE"; it writes the mark and a number. */
static const char observer_program[] =
	"Node = list_to_atom(\"herald%u@localhost\"),"
	"Count = fun(Name) -> case rpc:call(Node, ra, consistent_query,"
	" [{Name, Node}, fun rabbit_fifo:query_messages_total/1], 5000) of"
	" {ok, N, _} -> N; _ -> -1000000 end end,"
	"Names = fun(Queue, More) -> case rpc:call(Node, erlang, registered, [], 5000) of"
	" {badrpc, _} -> [none]; All -> [Name || Name <- All, Text <- [atom_to_list(Name)],"
	" Text =:= \"%%2F_\" ++ Queue orelse lists:prefix(\"%%2F_\" ++ Queue ++ More, Text)] end "
	"end,"
	"Policy = fun(Queue, Is) -> case Is of"
	" true -> rpc:call(Node, rabbit_policy, set, [<<\"/\">>, <<\"full\">>,"
	" list_to_binary(\"^\" ++ Queue ++ \"$\"), [{<<\"max-length\">>, 0},"
	" {<<\"overflow\">>, <<\"reject-publish\">>}], 0, <<\"queues\">>, <<\"test\">>]);"
	" false -> rpc:call(Node, rabbit_policy, delete,"
	" [<<\"/\">>, <<\"full\">>, <<\"test\">>]) end, 0 end,"
	"Loop = fun(F) -> case io:get_line(\"\") of eof -> halt(); Line ->"
	" [Mark | Question] = string:lexemes(Line, \" \\n\"),"
	" Answer = case Question of"
	" [\"count\", Queue, More] -> max(-1, lists:sum([Count(N) || N <- Names(Queue, More)]));"
	" [\"full\", Queue] -> Policy(Queue, true); [\"free\", Queue] -> Policy(Queue, false) end,"
	" io:format(\"~s ~p~n\", [Mark, Answer]), F(F) end end, Loop(Loop).";

static void
start_observer(struct rabbitmq_server *server)
{
	int questions[2], answers[2];
	char program[sizeof(observer_program) + 16], name[48];

	assert_int_equal(pipe2(questions, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
	snprintf(program, sizeof(program), observer_program, server->port);
	snprintf(name, sizeof(name), "observer%u@localhost", server->port);
	server->observer = spawn_with(
		server,
		(const char *const[]){"erl", "-noshell", "-hidden", "-sname", name, "-kernel",
				      "inet_dist_use_interface", "{127,0,0,1}", "+S", "1:1",
				      "-eval", program, NULL},
		questions[0], answers[1]);
	close(questions[0]);
	close(answers[1]);
	server->questions = questions[1];
	server->answers = answers[0];
}

static void
read_line(struct rabbitmq_server *server, char line[64])
{
	size_t bytes = 0;

	do {
		if (bytes == 63 || read(server->answers, line + bytes, 1) != 1) {
			print_output(server);
			fail_msg("the observer has ended");
		}
	} while (line[bytes++] != '\n');
	line[bytes] = '\0';
}

/* A process that was forked may have died before it read its answer. */
static long
ask(struct rabbitmq_server *server, const char *question)
{
	char line[320], answer[64], mark[32];

	if (!server->observer)
		start_observer(server);
	snprintf(mark, sizeof(mark), "%d-%u ", getpid(), ++server->asked);
	const int bytes = snprintf(line, sizeof(line), "%s%s", mark, question);
	assert_int_equal(write(server->questions, line, (size_t)bytes), bytes);
	do {
		read_line(server, answer);
	} while (strncmp(answer, mark, strlen(mark)) != 0);
	return strtol(answer + strlen(mark), NULL, 10);
}

long
rabbitmq_server_messages(struct rabbitmq_server *server, const char *queue, const char *more)
{
	char question[256];

	snprintf(question, sizeof(question), "count %s %s\n", queue, more);
	return ask(server, question);
}

void
rabbitmq_server_set_full(struct rabbitmq_server *server, const char *queue, bool is_full)
{
	char question[256];

	snprintf(question, sizeof(question), "%s %s\n", is_full ? "full" : "free", queue);
	ask(server, question);
}

/* A client. */

static void
fail_closed(const amqp_method_t *method)
{
	const amqp_channel_close_t *close = method->decoded;

	fail_msg("the server says: %u %.*s", close->reply_code, (int)close->reply_text.len,
		 (const char *)close->reply_text.bytes);
}

static void
check(amqp_connection_state_t conn)
{
	const amqp_rpc_reply_t reply = amqp_get_rpc_reply(conn);

	if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
		fail_msg("%s", amqp_error_string2(reply.library_error));
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		fail_closed(&reply.reply);
	assert_int_equal(reply.reply_type, AMQP_RESPONSE_NORMAL);
}

void
rabbitmq_client_open(struct rabbitmq_client *client, const struct rabbitmq_server *server)
{
	memset(client, 0, sizeof(*client));
	client->conn = amqp_new_connection();
	amqp_socket_t *socket = amqp_tcp_socket_new(client->conn);

	assert_non_null(socket);
	assert_int_equal(amqp_socket_open(socket, "127.0.0.1", server->port), AMQP_STATUS_OK);
	const amqp_rpc_reply_t reply = amqp_login(client->conn, "/", 0, 131072, 0,
						  AMQP_SASL_METHOD_PLAIN, "guest", "guest");
	assert_int_equal(reply.reply_type, AMQP_RESPONSE_NORMAL);
	amqp_channel_open(client->conn, CHANNEL);
	check(client->conn);
	amqp_confirm_select(client->conn, CHANNEL);
	check(client->conn);
}

void
rabbitmq_client_abandon(struct rabbitmq_client *client)
{
	amqp_destroy_connection(client->conn);
	free(client->is_confirmed);
}

void
rabbitmq_client_close(struct rabbitmq_client *client)
{
	amqp_connection_close(client->conn, AMQP_REPLY_SUCCESS);
	rabbitmq_client_abandon(client);
}

void
rabbitmq_client_declare(struct rabbitmq_client *client, const char *queue, const char *argument,
			const char *value)
{
	amqp_table_entry_t entry = {
		.key = amqp_cstring_bytes(argument ? argument : ""),
		.value = {.kind = AMQP_FIELD_KIND_UTF8,
			  .value.bytes = amqp_cstring_bytes(argument ? value : "")},
	};

	amqp_queue_declare(client->conn, CHANNEL, amqp_cstring_bytes(queue), 0, 1, 0, 0,
			   (amqp_table_t){argument ? 1 : 0, &entry});
	check(client->conn);
}

void
rabbitmq_client_purge(struct rabbitmq_client *client, const char *queue)
{
	amqp_queue_purge(client->conn, CHANNEL, amqp_cstring_bytes(queue));
	check(client->conn);
}

void
rabbitmq_client_delete(struct rabbitmq_client *client, const char *queue)
{
	amqp_queue_delete(client->conn, CHANNEL, amqp_cstring_bytes(queue), 0, 0);
	check(client->conn);
}

void
rabbitmq_client_send(struct rabbitmq_client *client, const char *queue, const void *data,
		     size_t bytes, const amqp_basic_properties_t *properties)
{
	const amqp_bytes_t body = {bytes, (void *)data};
	const size_t number = ++client->sent;

	if (number % 1024 == 1) {
		client->is_confirmed = realloc(client->is_confirmed, number + 1024);
		assert_non_null(client->is_confirmed);
	}
	client->is_confirmed[number] = false;
	assert_int_equal(amqp_basic_publish(client->conn, CHANNEL, amqp_empty_bytes,
					    amqp_cstring_bytes(queue), 1, 0, properties, body),
			 AMQP_STATUS_OK);
}

static void
confirm(struct rabbitmq_client *client, uint64_t number, bool is_stored)
{
	client->confirmed += !client->is_confirmed[number];
	client->refused += !client->is_confirmed[number] && !is_stored;
	client->is_confirmed[number] = true;
}

static size_t
await_all(struct rabbitmq_client *client)
{
	while (client->confirmed < client->sent) {
		amqp_frame_t frame;

		assert_int_equal(amqp_simple_wait_frame(client->conn, &frame), AMQP_STATUS_OK);
		assert_int_equal(frame.frame_type, AMQP_FRAME_METHOD);
		const amqp_method_t *method = &frame.payload.method;
		/* Both begin alike, as do the next two. */
		const bool is_stored = method->id == AMQP_BASIC_ACK_METHOD;
		if (method->id == AMQP_CHANNEL_CLOSE_METHOD ||
		    method->id == AMQP_CONNECTION_CLOSE_METHOD)
			fail_closed(method);
		if (!is_stored && method->id != AMQP_BASIC_NACK_METHOD)
			fail_msg("%s instead of a confirmation", amqp_method_name(method->id));
		const amqp_basic_ack_t *ack = frame.payload.method.decoded;
		for (uint64_t i = ack->multiple ? client->first_waiting + 1 : ack->delivery_tag;
		     i <= ack->delivery_tag; i++)
			confirm(client, i, is_stored);
		if (ack->multiple)
			client->first_waiting = ack->delivery_tag;
		amqp_maybe_release_buffers(client->conn);
	}
	return client->sent - client->refused;
}

void
rabbitmq_client_await(struct rabbitmq_client *client)
{
	const size_t refused = client->refused;

	await_all(client);
	assert_int_equal(client->refused, refused);
}

size_t
rabbitmq_client_try(struct rabbitmq_client *client, const char *queue)
{
	rabbitmq_client_send(client, queue, "x", 1, NULL);
	return await_all(client);
}

void
rabbitmq_client_publish(struct rabbitmq_client *client, const char *queue, const void *data,
			size_t bytes, const amqp_basic_properties_t *properties)
{
	const time_t until = time(NULL) + PUBLISH_S;
	size_t refused;

	do {
		assert_true(time(NULL) < until);
		refused = client->refused;
		rabbitmq_client_send(client, queue, data, bytes, properties);
		(void)await_all(client);
	} while (client->refused > refused);
}

/* On a channel of its own: the server closes the channel if the queue does not exist. */
int
rabbitmq_client_count(struct rabbitmq_client *client, const char *queue)
{
	amqp_queue_declare_ok_t *ok;
	int count = -1;

	amqp_channel_open(client->conn, CHANNEL + 1);
	check(client->conn);
	ok = amqp_queue_declare(client->conn, CHANNEL + 1, amqp_cstring_bytes(queue), 1, 0, 0, 0,
				amqp_empty_table);
	if (ok) {
		count = (int)ok->message_count;
		amqp_channel_close(client->conn, CHANNEL + 1, AMQP_REPLY_SUCCESS);
	} else {
		amqp_channel_close_ok_t close_ok = {0};

		amqp_send_method(client->conn, CHANNEL + 1, AMQP_CHANNEL_CLOSE_OK_METHOD,
				 &close_ok);
	}
	amqp_maybe_release_buffers(client->conn);
	return count;
}

/* After a restart, a queue may take some time until it answers: the server then closes the
 * channel. */
static bool
is_not_ready(struct rabbitmq_client *client, const amqp_rpc_reply_t *reply)
{
	const amqp_channel_close_t *close = reply->reply.decoded;
	amqp_channel_close_ok_t close_ok = {0};

	if (reply->reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
		return false;
	if (close->reply_code != AMQP_INTERNAL_ERROR)
		fail_closed(&reply->reply);
	amqp_send_method(client->conn, CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &close_ok);
	amqp_channel_open(client->conn, CHANNEL);
	check(client->conn);
	return true;
}

bool
rabbitmq_client_get(struct rabbitmq_client *client, const char *queue, int timeout_ms,
		    amqp_message_t *out)
{
	for (int waited_ms = 0;; waited_ms += 5) {
		amqp_rpc_reply_t reply =
			amqp_basic_get(client->conn, CHANNEL, amqp_cstring_bytes(queue), 1);

		if (is_not_ready(client, &reply))
			continue;
		assert_int_equal(reply.reply_type, AMQP_RESPONSE_NORMAL);
		if (reply.reply.id == AMQP_BASIC_GET_OK_METHOD)
			break;
		if (waited_ms >= timeout_ms)
			return false;
		pause_ms(5);
	}
	const amqp_rpc_reply_t reply = amqp_read_message(client->conn, CHANNEL, out, 0);
	assert_int_equal(reply.reply_type, AMQP_RESPONSE_NORMAL);
	return true;
}

void
rabbitmq_client_peek(const struct rabbitmq_server *server, const char *queue, size_t index,
		     amqp_message_t *out)
{
	struct rabbitmq_client client;

	rabbitmq_client_open(&client, server);
	for (size_t i = 0; i <= index; i++) {
		amqp_rpc_reply_t reply =
			amqp_basic_get(client.conn, CHANNEL, amqp_cstring_bytes(queue), 0);

		assert_int_equal(reply.reply_type, AMQP_RESPONSE_NORMAL);
		assert_int_equal(reply.reply.id, AMQP_BASIC_GET_OK_METHOD);
		reply = amqp_read_message(client.conn, CHANNEL, out, 0);
		assert_int_equal(reply.reply_type, AMQP_RESPONSE_NORMAL);
		if (i < index)
			amqp_destroy_message(out);
	}
	/* They go back. */
	rabbitmq_client_close(&client);
}

const char *
rabbitmq_header(const amqp_message_t *message, const char *name)
{
	static char text[1024];

	for (int i = 0; i < message->properties.headers.num_entries; i++) {
		const amqp_table_entry_t *entry = &message->properties.headers.entries[i];
		const amqp_bytes_t value = entry->value.value.bytes;

		if (entry->key.len != strlen(name) ||
		    memcmp(entry->key.bytes, name, entry->key.len) != 0 ||
		    entry->value.kind != AMQP_FIELD_KIND_UTF8)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)value.len, (const char *)value.bytes);
		return text;
	}
	return NULL;
}
