/*
 * A Kafka broker for tests, and a client. Owns the process, by its number, and the folder.
 */
#include "kafka_server.h"

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

#include "../../adapters/broker/kafka/offsets.h"
#include "ports.h"

#define TIMEOUT_MS 10000
#define MAX_PLACES 128

/* The process. */

static bool
find_program(const char *name, char path[256])
{
	const char *folders = getenv("PATH");
	char list[4096];

	snprintf(list, sizeof(list), "%s", folders ? folders : "");
	for (char *rest = list, *folder; (folder = strsep(&rest, ":"));) {
		snprintf(path, 256, "%s/%s", folder, name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Where the jars are: ./dev puts them there. Tests run in the root of the sources. */
static const char *
jars(void)
{
	const char *folder = getenv("HERALD_TEST_KAFKA");

	return folder ? folder : "build/tools/kafka";
}

bool
kafka_server_exists(void)
{
	char path[512], java[256];

	snprintf(path, sizeof(path), "%s/kafka-clients-3.9.1.jar", jars());
	return access(path, R_OK) == 0 && find_program("java", java);
}

int
kafka_server_left_out(const char *name)
{
	printf("1..1\nok 1 - %s # SKIP Kafka is not here (./dev test --all fetches it)\n", name);
	return 0;
}

/* Its output goes to a file. */
static pid_t
spawn(const struct kafka_server *server, const char *const *more)
{
	const char *arguments[20] = {"java",
				     "-Xmx384m",
				     "-XX:+UseSerialGC",
				     "-XX:TieredStopAtLevel=1",
				     "-XX:-UsePerfData",
				     "-cp",
				     NULL};
	char classes[512], log[96], java[256];
	sigset_t none;

	assert_true(find_program("java", java));
	snprintf(classes, sizeof(classes), "%s/*", jars());
	snprintf(log, sizeof(log), "%s/log", server->directory);
	arguments[6] = classes;
	for (size_t i = 0; more[i]; i++)
		arguments[7 + i] = more[i];
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
	execv(java, (char *const *)(uintptr_t)arguments);
	_exit(127);
}

static void
write_properties(const struct kafka_server *server, char path[96])
{
	snprintf(path, 96, "%s/server.properties", server->directory);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"process.roles=broker,controller\nnode.id=1\n"
		"controller.quorum.voters=1@127.0.0.1:%u\n"
		"listeners=PLAINTEXT://127.0.0.1:%u,CONTROLLER://127.0.0.1:%u\n"
		"advertised.listeners=PLAINTEXT://127.0.0.1:%u\n"
		"controller.listener.names=CONTROLLER\nlog.dirs=%s/data\n"
		"offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n"
		"transaction.state.log.replication.factor=1\n"
		"transaction.state.log.min.isr=1\ntransaction.state.log.num.partitions=1\n"
		"group.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=1000\n"
		"broker.session.timeout.ms=1500\nbroker.heartbeat.interval.ms=300\n"
		"num.partitions=1\nmessage.max.bytes=4000000\nauto.create.topics.enable=false\n"
		"log.cleaner.dedupe.buffer.size=2000000\n%s\n",
		server->controller_port, server->port, server->controller_port, server->port,
		server->directory, server->settings ? server->settings : "");
	assert_int_equal(fclose(file), 0);
}

static void
print_log(const struct kafka_server *server)
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
format(const struct kafka_server *server, const char *properties)
{
	const char *const arguments[] = {
		"kafka.tools.StorageTool",
		"format",
		"-t",
		"SGVyYWxkVGVzdHNLYWZrYQ",
		"-c",
		properties,
		NULL,
	};
	const pid_t pid = spawn(server, arguments);
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		print_log(server);
		fail_msg("Kafka's storage tool has ended: status %d", status);
	}
}

/* The clients. */

static rd_kafka_t *
create_client(const struct kafka_server *server, rd_kafka_type_t type, const char *group)
{
	const char *const settings[][2] = {
		{"bootstrap.servers", server->url + strlen("kafka://")},
		{"reconnect.backoff.max.ms", "200"},
		{"message.max.bytes", "100000000"},
		{"log_level", "0"},
		{type == RD_KAFKA_CONSUMER ? "group.id" : "acks",
		 type == RD_KAFKA_CONSUMER ? group : "all"},
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)) !=
		    RD_KAFKA_CONF_OK)
			fail_msg("%s", why);
	rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof(why));
	if (!client)
		fail_msg("%s", why);
	return client;
}

static rd_kafka_t *
producer_of(struct kafka_server *server)
{
	if (!server->producer)
		server->producer = create_client(server, RD_KAFKA_PRODUCER, NULL);
	return server->producer;
}

/* The last group that a test has asked for. */
static rd_kafka_t *
consumer_of(struct kafka_server *server)
{
	if (!server->consumer)
		server->consumer = create_client(server, RD_KAFKA_CONSUMER,
						 server->group[0] ? server->group : "group");
	return server->consumer;
}

static void
set_group(struct kafka_server *server, const char *group)
{
	if (strcmp(server->group, group) == 0)
		return;
	snprintf(server->group, sizeof(server->group), "%s", group);
	if (server->consumer)
		rd_kafka_destroy(server->consumer);
	server->consumer = NULL;
}

static bool
answers(struct kafka_server *server)
{
	const struct rd_kafka_metadata *metadata = NULL;
	const rd_kafka_resp_err_t error =
		rd_kafka_metadata(producer_of(server), 0, NULL, &metadata, 200);

	if (metadata)
		rd_kafka_metadata_destroy(metadata);
	return !error;
}

/* Starting and stopping. */

void
kafka_server_restart(struct kafka_server *server)
{
	char properties[96];
	int status;

	if (server->mock) {
		assert_int_equal(rd_kafka_mock_broker_set_up(server->mock, 1), 0);
		return;
	}
	snprintf(properties, sizeof(properties), "%s/server.properties", server->directory);
	const char *const arguments[] = {"kafka.Kafka", properties, NULL};
	server->pid = spawn(server, arguments);
	while (!answers(server))
		if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
			print_log(server);
			fail_msg("Kafka has ended: status %d", status);
		}
}

void
kafka_server_start(struct kafka_server *server)
{
	char properties[96];

	strcpy(server->directory, "/tmp/herald-kafka-XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	server->port = ports_take();
	server->controller_port = ports_take();
	snprintf(server->url, sizeof(server->url), "kafka://127.0.0.1:%u", server->port);
	write_properties(server, properties);
	format(server, properties);
	kafka_server_restart(server);
}

void
kafka_server_start_mock(struct kafka_server *server)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	assert_int_equal(rd_kafka_conf_set(conf, "log_level", "0", why, sizeof(why)),
			 RD_KAFKA_CONF_OK);
	server->mock_client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(server->mock_client);
	server->mock = rd_kafka_mock_cluster_new(server->mock_client, 1);
	assert_non_null(server->mock);
	snprintf(server->url, sizeof(server->url), "kafka://%s",
		 rd_kafka_mock_cluster_bootstraps(server->mock));
}

static void
end(struct kafka_server *server)
{
	if (server->pid <= 0)
		return;
	assert_int_equal(kill(server->pid, SIGKILL), 0);
	assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
	server->pid = 0;
}

void
kafka_server_kill(struct kafka_server *server)
{
	if (server->mock)
		assert_int_equal(rd_kafka_mock_broker_set_down(server->mock, 1), 0);
	end(server);
}

void
kafka_server_pause(struct kafka_server *server)
{
	if (server->mock)
		assert_int_equal(rd_kafka_mock_broker_set_rtt(server->mock, 1, 600000), 0);
	else
		assert_int_equal(kill(server->pid, SIGSTOP), 0);
}

void
kafka_server_go_on(struct kafka_server *server)
{
	if (server->mock)
		assert_int_equal(rd_kafka_mock_broker_set_rtt(server->mock, 1, 0), 0);
	else
		assert_int_equal(kill(server->pid, SIGCONT), 0);
}

static int
remove_path(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat, (void)type, (void)walk;
	return remove(path);
}

void
kafka_server_stop(struct kafka_server *server)
{
	if (server->producer)
		rd_kafka_destroy(server->producer);
	if (server->consumer)
		rd_kafka_destroy(server->consumer);
	if (server->reader)
		rd_kafka_destroy(server->reader);
	server->producer = server->consumer = server->reader = NULL;
	end(server);
	if (server->mock) {
		rd_kafka_mock_cluster_destroy(server->mock);
		rd_kafka_destroy(server->mock_client);
	} else {
		nftw(server->directory, remove_path, 8, FTW_DEPTH | FTW_PHYS);
	}
}

/* Publishing. */

void
kafka_server_send(struct kafka_server *server, const char *topic, const char *data, size_t bytes,
		  const struct herald_pair *headers, size_t headers_count)
{
	rd_kafka_headers_t *list = rd_kafka_headers_new(headers_count);
	const char *key = NULL;
	rd_kafka_resp_err_t error;

	for (size_t i = 0; i < headers_count; i++) {
		assert_int_equal(
			rd_kafka_header_add(list, headers[i].key, -1, headers[i].value, -1), 0);
		if (strcmp(headers[i].key, "key") == 0)
			key = headers[i].value;
	}
	while ((error = __extension__ rd_kafka_producev(
			producer_of(server), RD_KAFKA_V_TOPIC(topic),
			RD_KAFKA_V_VALUE((void *)(uintptr_t)data, bytes),
			RD_KAFKA_V_KEY((void *)(uintptr_t)key, key ? strlen(key) : 0),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(list),
			RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(server->producer, 10);
	if (error)
		fail_msg("%s: %s", topic, rd_kafka_err2str(error));
}

void
kafka_server_await(struct kafka_server *server)
{
	assert_int_equal(rd_kafka_flush(producer_of(server), 3 * TIMEOUT_MS), 0);
}

/* Looking. */

/* Of one topic, or of those whose names have a prefix. NULL: the broker does not answer. */
static rd_kafka_topic_partition_list_t *
partitions_of(struct kafka_server *server, const char *topic, bool is_prefix)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
	const struct rd_kafka_metadata *metadata = NULL;

	if (rd_kafka_metadata(consumer_of(server), 1, NULL, &metadata, TIMEOUT_MS / 10)) {
		rd_kafka_topic_partition_list_destroy(list);
		return NULL;
	}
	for (int i = 0; i < metadata->topic_cnt; i++) {
		const struct rd_kafka_metadata_topic *found = &metadata->topics[i];

		if (strncmp(found->topic, topic, strlen(topic) + !is_prefix) != 0)
			continue;
		for (int j = 0; j < found->partition_cnt; j++)
			rd_kafka_topic_partition_list_add(list, found->topic,
							  found->partitions[j].id);
	}
	rd_kafka_metadata_destroy(metadata);
	return list;
}

/* Sets the offset that the next message of each partition gets. */
static bool
find_ends(struct kafka_server *server, rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++)
		list->elems[i].offset = RD_KAFKA_OFFSET_END;
	if (rd_kafka_offsets_for_times(consumer_of(server), list, TIMEOUT_MS / 10) != 0)
		return false;
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].err || list->elems[i].offset < 0)
			return false;
	return true;
}

static size_t
left_of(const rd_kafka_topic_partition_t *committed, int64_t end)
{
	struct kafka_offsets offsets = {0};
	const int64_t first = committed->offset < 0 ? 0 : committed->offset;

	if (committed->metadata_size > 0)
		assert_true(herald__kafka_offsets_read(&offsets, &herald_allocator_libc, first,
						       committed->metadata,
						       committed->metadata_size));
	const size_t left = offsets.limit > 0 ? offsets.count + (size_t)(end - offsets.limit)
					      : (size_t)(end - first);
	herald__kafka_offsets_free(&offsets, &herald_allocator_libc);
	return left;
}

static bool
add_left(struct kafka_server *server, const char *topic, bool is_prefix, size_t *left)
{
	rd_kafka_topic_partition_list_t *list = partitions_of(server, topic, is_prefix);
	if (!list)
		return false;
	/* First what is finished: it may change meanwhile. */
	rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_copy(list);
	const bool answered = list->cnt == 0 || (rd_kafka_committed(consumer_of(server), list,
								    TIMEOUT_MS / 10) == 0 &&
						 find_ends(server, ends));
	for (int i = 0; answered && i < list->cnt; i++)
		*left += left_of(&list->elems[i], ends->elems[i].offset);
	rd_kafka_topic_partition_list_destroy(ends);
	rd_kafka_topic_partition_list_destroy(list);
	return answered;
}

/* A message that goes to a topic for retries is there before it is finished here. */
size_t
kafka_server_left(struct kafka_server *server, const char *topic, const char *group)
{
	char prefix[256];
	size_t left = 0;

	set_group(server, group);
	snprintf(prefix, sizeof(prefix), "%s.%s.retry.", topic, group);
	return add_left(server, topic, false, &left) && add_left(server, prefix, true, &left)
		       ? left
		       : SIZE_MAX;
}

size_t
kafka_server_count(struct kafka_server *server, const char *topic)
{
	rd_kafka_topic_partition_list_t *list = partitions_of(server, topic, false);
	size_t count = 0;

	for (int i = 0; list && i < list->cnt && find_ends(server, list); i++)
		count += (size_t)list->elems[i].offset;
	if (list)
		rd_kafka_topic_partition_list_destroy(list);
	return count;
}

rd_kafka_message_t *
kafka_server_read(struct kafka_server *server, const char *topic, size_t index)
{
	rd_kafka_topic_partition_list_t *list = partitions_of(server, topic, false);
	rd_kafka_message_t *message = NULL;
	int at = 0;

	assert_non_null(list);
	assert_true(find_ends(server, list));
	while (at < list->cnt && (size_t)list->elems[at].offset <= index)
		index -= (size_t)list->elems[at++].offset;
	assert_true(at < list->cnt);
	rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(one, topic, list->elems[at].partition)->offset =
		(int64_t)index;
	if (!server->reader)
		server->reader = create_client(server, RD_KAFKA_CONSUMER, "reader");
	assert_int_equal(rd_kafka_assign(server->reader, one), 0);
	while (!message || message->err) {
		if (message)
			rd_kafka_message_destroy(message);
		message = rd_kafka_consumer_poll(server->reader, TIMEOUT_MS);
		assert_non_null(message);
	}
	rd_kafka_topic_partition_list_destroy(one);
	rd_kafka_topic_partition_list_destroy(list);
	return message;
}

/* Administration. */

static rd_kafka_event_t *
await_event(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);

	rd_kafka_queue_destroy(queue);
	assert_non_null(event);
	return event;
}

void
kafka_server_make_topic(struct kafka_server *server, const char *topic, int partitions)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(producer_of(server));
	rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(topic, partitions, -1, NULL, 0);

	if (server->mock) {
		rd_kafka_mock_topic_create(server->mock, topic, partitions, 1);
		rd_kafka_NewTopic_destroy(new);
		rd_kafka_queue_destroy(queue);
		return;
	}
	rd_kafka_CreateTopics(server->producer, &new, 1, NULL, queue);
	rd_kafka_event_destroy(await_event(queue));
	rd_kafka_NewTopic_destroy(new);
}

void
kafka_server_delete_topic(struct kafka_server *server, const char *topic)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(producer_of(server));
	rd_kafka_DeleteTopic_t *old = rd_kafka_DeleteTopic_new(topic);

	rd_kafka_DeleteTopics(server->producer, &old, 1, NULL, queue);
	rd_kafka_event_t *event = await_event(queue);
	assert_int_equal(rd_kafka_event_error(event), 0);
	rd_kafka_event_destroy(event);
	rd_kafka_DeleteTopic_destroy(old);
}

void
kafka_server_limit(struct kafka_server *server, const char *topic, const char *bytes)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(producer_of(server));
	rd_kafka_ConfigResource_t *resource =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

	rd_kafka_ConfigResource_set_config(resource, "max.message.bytes", bytes);
	rd_kafka_AlterConfigs(server->producer, &resource, 1, NULL, queue);
	rd_kafka_event_t *event = await_event(queue);
	assert_int_equal(rd_kafka_event_error(event), 0);
	rd_kafka_event_destroy(event);
	rd_kafka_ConfigResource_destroy(resource);
}

/* Its partition has no leader. */
void
kafka_server_block(struct kafka_server *server, const char *topic)
{
	assert_int_equal(rd_kafka_mock_partition_set_leader(server->mock, topic, 0, -1), 0);
}

void
kafka_server_unblock(struct kafka_server *server, const char *topic)
{
	assert_int_equal(rd_kafka_mock_partition_set_leader(server->mock, topic, 0, 1), 0);
}
