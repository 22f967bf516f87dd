/*
 * Opens the connections of a subscriber: the group, and the consumers that dead processes have
 * left. Login, and what the server must be like, are in server.c.
 */
#include "handshake.h"

#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "record.h"
#include "server.h"

/* A consumer is removed when it has been idle this long, and ten times the visibility. */
#define MIN_IDLE_MS 60000

/* Run a command that was added. NULL: sets *status. */
static redisReply *
run(struct redis_subscriber *subscriber, struct redis_connection *connection, const char *command,
    enum herald_status *status, struct herald_error *error)
{
	return herald__redis_ask(connection, subscriber->options.reply_timeout_ms, command, status,
				 error);
}

/* The server's clock, for delays that other processes read. */
static enum herald_status
read_clock(struct redis_subscriber *subscriber, struct herald_error *error)
{
	const uint64_t sent_ms = herald__redis_now_ms();
	uint64_t seconds = 0, microseconds = 0;
	enum herald_status status;

	REDIS_COMMAND(&subscriber->settler, "TIME");
	redisReply *reply = run(subscriber, &subscriber->settler, "TIME", &status, error);
	if (!reply)
		return status;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
		(void)!herald_ascii_number(reply->element[0]->str, INT64_MAX / 1000, &seconds);
		(void)!herald_ascii_number(reply->element[1]->str, 999999, &microseconds);
	}
	freeReplyObject(reply);
	subscriber->clock_offset_ms = seconds * 1000 + microseconds / 1000 + 1 - sent_ms;
	subscriber->clock_error_ms = herald__redis_now_ms() - sent_ms + 1;
	return HERALD_OK;
}

static enum herald_status
create_group(struct redis_subscriber *subscriber, struct herald_error *error)
{
	struct redis_connection *settler = &subscriber->settler;
	const struct herald_redis_subscriber_options *options = &subscriber->options;
	const struct herald_log_field fields[] = {
		{"stream", options->stream, 0},
		{"group", options->group, 0},
	};

	REDIS_COMMAND(settler, "XGROUP", "CREATE", options->stream, options->group,
		      options->from_end && !subscriber->has_opened ? "$" : "0", "MKSTREAM");
	redisReply *reply = herald__redis_call(settler, options->reply_timeout_ms, error);
	if (!reply)
		return HERALD_UNAVAILABLE;
	enum herald_status status = HERALD_OK;
	if (reply->type != REDIS_REPLY_ERROR && subscriber->has_opened)
		herald_log_write(&subscriber->settings.log, HERALD_LOG_ERROR,
				 "the group of a stream was gone; it is created again, and begins "
				 "with the stream's first entry",
				 fields, 2);
	else if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "BUSYGROUP", 9) != 0)
		status = herald__redis_refuse(error, "XGROUP CREATE", reply);
	freeReplyObject(reply);
	return status;
}

/* A number in a list of names and values; -1: none. */
static long long
number_of(const redisReply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < pairs->elements; i += 2)
		if (pairs->element[i]->str && strcmp(pairs->element[i]->str, name) == 0 &&
		    pairs->element[i + 1]->type == REDIS_REPLY_INTEGER)
			return pairs->element[i + 1]->integer;
	return -1;
}

/* Ask for XINFO of the stream, or of its groups. */
static redisReply *
ask_info(struct redis_subscriber *subscriber, const char *what, enum herald_status *status,
	 struct herald_error *error)
{
	REDIS_COMMAND(&subscriber->settler, "XINFO", what, subscriber->options.stream);
	return run(subscriber, &subscriber->settler, "XINFO", status, error);
}

/* Entries that are gone from the stream must have been read by the group. */
static enum herald_status
check_trimmed(struct redis_subscriber *subscriber, struct herald_error *error)
{
	const char *stream = subscriber->options.stream, *group = subscriber->options.group;
	enum herald_status status;
	redisReply *info = ask_info(subscriber, "STREAM", &status, error);

	if (!info)
		return status;
	const long long gone = number_of(info, "entries-added") - number_of(info, "length");
	freeReplyObject(info);
	redisReply *groups = ask_info(subscriber, "GROUPS", &status, error);
	if (!groups)
		return status;
	long long read = -1;
	for (size_t i = 0; i < groups->elements; i++) {
		const redisReply *pairs = groups->element[i];

		if (pairs->elements > 1 && strcmp(pairs->element[1]->str, group) == 0)
			read = number_of(pairs, "entries-read");
	}
	freeReplyObject(groups);
	if (read >= 0 && gone > read)
		return herald_option_refuse(
			error, "stream",
			"%lld entries of \"%s\" were removed (MAXLEN?) before the group \"%s\" "
			"has read them; trim only what all groups have read, then set XGROUP "
			"SETID ... ENTRIESREAD %lld or more",
			gone - read, stream, group, gone);
	return HERALD_OK;
}

/* The set of delays is made when it is needed. */
static enum herald_status
check_delayed(struct redis_subscriber *subscriber, struct herald_error *error)
{
	enum herald_status status;

	REDIS_COMMAND(&subscriber->settler, "ZSCORE", subscriber->delayed, "0-0");
	redisReply *reply = herald__redis_call(&subscriber->settler,
					       subscriber->options.reply_timeout_ms, error);
	if (!reply)
		return HERALD_UNAVAILABLE;
	status = HERALD_OK;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "WRONGTYPE", 9) == 0)
		status = herald_option_refuse(
			error, "group",
			"the key \"%s\" is not a sorted set; retries with long delays need it: "
			"rename or delete it",
			subscriber->delayed);
	else if (reply->type == REDIS_REPLY_ERROR)
		status = herald__redis_refuse(error, "ZSCORE", reply);
	freeReplyObject(reply);
	return status;
}

static enum herald_status
ask_reader_id(struct redis_subscriber *subscriber, struct herald_error *error)
{
	enum herald_status status;

	REDIS_COMMAND(&subscriber->reader, "CLIENT", "ID");
	redisReply *reply = run(subscriber, &subscriber->reader, "CLIENT ID", &status, error);
	if (!reply)
		return status;
	subscriber->reader_id = reply->integer;
	freeReplyObject(reply);
	return HERALD_OK;
}

/* A script, so that no entry is delivered to a consumer between the check and its removal. */
static const char clean_script[] =
	"local n = 0 "
	"for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do "
	"local f = {} for i = 1, #c, 2 do f[c[i]] = c[i + 1] end "
	"if f.pending == 0 and (f.name == ARGV[3] or (f.idle >= tonumber(ARGV[2]) and "
	"string.sub(f.name, 1, 7) == 'herald-')) then "
	"redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], f.name) n = n + 1 end end "
	"return n";

void
herald__redis_clean(struct redis_subscriber *subscriber, const char *own)
{
	const uint64_t idle_ms = (uint64_t)subscriber->options.visibility_ms * 10;

	REDIS_COMMAND(&subscriber->settler, "EVAL", clean_script, "1", subscriber->options.stream,
		      subscriber->options.group,
		      herald__redis_number(idle_ms > MIN_IDLE_MS ? idle_ms : MIN_IDLE_MS).text,
		      own);
	herald__redis_record(subscriber,
			     (struct herald__redis_record){.asked = REDIS_ASKED_NOTHING});
	subscriber->clean_ms = herald__redis_now_ms() + MIN_IDLE_MS;
}

static enum herald_status
shake_hands(struct redis_subscriber *subscriber, struct herald_error *error)
{
	const uint32_t timeout_ms = subscriber->options.connect_timeout_ms;
	const uint32_t reply_ms = subscriber->options.reply_timeout_ms;
	enum herald_status status = herald__redis_connection_open(
		&subscriber->settler, &subscriber->url, &subscriber->place, timeout_ms, error);

	if (status == HERALD_OK)
		status = herald__redis_connection_open_at(&subscriber->reader, &subscriber->url,
							  &subscriber->place, timeout_ms, error);
	if (status == HERALD_OK)
		status = herald__redis_log_in(&subscriber->settler, &subscriber->url, reply_ms,
					      error);
	if (status == HERALD_OK)
		status = herald__redis_log_in(&subscriber->reader, &subscriber->url, reply_ms,
					      error);
	if (status == HERALD_OK)
		status = herald__redis_check_server(&subscriber->settler, reply_ms, error);
	if (status == HERALD_OK)
		status = read_clock(subscriber, error);
	if (status == HERALD_OK)
		status = create_group(subscriber, error);
	if (status == HERALD_OK)
		status = check_trimmed(subscriber, error);
	if (status == HERALD_OK)
		status = check_delayed(subscriber, error);
	if (status == HERALD_OK)
		status = ask_reader_id(subscriber, error);
	return status;
}

enum herald_status
herald__redis_open(struct redis_subscriber *subscriber, struct herald_error *error)
{
	enum herald_status status = shake_hands(subscriber, error);

	if (status != HERALD_OK) {
		herald__redis_connection_close(&subscriber->reader);
		herald__redis_connection_close(&subscriber->settler);
		return status;
	}
	subscriber->place.is_good = true;
	subscriber->has_opened = true;
	subscriber->sweep_ms = 0;
	herald__redis_clean(subscriber, "");
	return HERALD_OK;
}
