/*
 * Dead letters, for an operator: reads the stream of them, moves entries back to where they came
 * from, and deletes entries. Owns its connection, and the entries that it has read.
 */
#include <stdio.h>
#include <string.h>

#include <herald/adapter/dead_letters.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/subscriber.h>
#include <herald/adapter/text.h>
#include <herald/redis.h>

#include "connection.h"
#include "entry.h"
#include "server.h"

#define NAME_BYTES_MAX 1024
/* Of entries that the first XRANGE asks for; the next ones go by the size of those. */
#define FIRST_COUNT 16

struct redis_dead_letters {
	struct herald_dead_letters base;
	struct herald_redis_dead_letters_options options;
	struct redis_url url;
	char stream[NAME_BYTES_MAX + 1];
	char dead[NAME_BYTES_MAX + 8];
	char place[NAME_BYTES_MAX + 16]; /* for base */
	struct redis_connection connection;
	struct redis_place server;
	char from[48];        /* of the next XRANGE; "": there are no more */
	struct redis_id last; /* what was there at open() */
	size_t average_bytes; /* of an entry; 0: unknown */
};

struct redis_dead_message {
	struct herald_dead_message base;
	struct redis_entry *entry;
};

static struct redis_dead_letters *
of(struct herald_dead_letters *letters)
{
	return (struct redis_dead_letters *)letters;
}

/* Opening. */

/* Ask for XINFO STREAM. NULL: sets *status, which is HERALD_MISSING if there is no such key. */
static redisReply *
ask_info(struct redis_dead_letters *letters, const char *key, enum herald_status *status,
	 struct herald_error *error)
{
	REDIS_COMMAND(&letters->connection, "XINFO", "STREAM", key);
	redisReply *reply =
		herald__redis_call(&letters->connection, letters->options.reply_timeout_ms, error);
	if (!reply) {
		*status = HERALD_UNAVAILABLE;
		return NULL;
	}
	if (reply->type != REDIS_REPLY_ERROR)
		return reply;
	if (strncmp(reply->str, "WRONGTYPE", 9) == 0)
		*status = herald_option_refuse(error, "stream", "the key %s is not a stream", key);
	else if (strncmp(reply->str, "ERR no such key", 15) == 0)
		*status = HERALD_MISSING;
	else
		*status = herald__redis_refuse(error, "XINFO STREAM", reply);
	freeReplyObject(reply);
	return NULL;
}

/* There are no dead letters yet, or the name is wrong. */
static enum herald_status
check_origin(struct redis_dead_letters *letters, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	freeReplyObject(ask_info(letters, letters->stream, &status, error));
	if (status == HERALD_MISSING)
		herald_error_set(error, status, HERALD_NO_OFFSET,
				 "the server has neither the stream %s nor the stream %s",
				 letters->stream, letters->dead);
	return status;
}

static void
copy_last_id(struct redis_dead_letters *letters, const redisReply *info)
{
	for (size_t i = 0; i + 1 < info->elements; i += 2)
		if (strcmp(info->element[i]->str, "last-generated-id") == 0)
			snprintf(letters->last.text, sizeof(letters->last.text), "%s",
				 info->element[i + 1]->str);
}

static enum herald_status
find_end(struct redis_dead_letters *letters, const char *id, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	redisReply *info = ask_info(letters, letters->dead, &status, error);

	letters->from[0] = '\0';
	if (status == HERALD_MISSING)
		return check_origin(letters, error);
	if (!info)
		return status;
	copy_last_id(letters, info);
	freeReplyObject(info);
	herald_text_write(letters->from, sizeof(letters->from), "%s", id ? id : "-");
	if (id)
		herald_text_write(letters->last.text, sizeof(letters->last.text), "%s", id);
	return HERALD_OK;
}

/* "1764438000123-0". An incomplete one would be a range, and one that is too large an error. */
static bool
is_id(const char *text)
{
	char half[24];
	uint64_t number;

	const size_t bytes = strcspn(text, "-");
	if (text[bytes] == '\0' || bytes >= sizeof(half))
		return false;
	memcpy(half, text, bytes);
	half[bytes] = '\0';
	return herald_ascii_number(half, UINT64_MAX, &number) &&
	       herald_ascii_number(text + bytes + 1, UINT64_MAX, &number);
}

/* Open them at one address of the host. Sets *is_reached if there is a server. */
static enum herald_status
open_at_one(struct redis_dead_letters *letters, const char *id, bool *is_reached,
	    struct herald_error *error)
{
	enum herald_status status =
		herald__redis_connection_open(&letters->connection, &letters->url, &letters->server,
					      letters->options.connect_timeout_ms, error);

	*is_reached = status == HERALD_OK;
	if (status == HERALD_OK)
		status = herald__redis_log_in(&letters->connection, &letters->url,
					      letters->options.reply_timeout_ms, error);
	if (status == HERALD_OK)
		status = find_end(letters, id, error);
	letters->server.is_good = status != HERALD_UNAVAILABLE;
	if (status != HERALD_OK)
		herald__redis_connection_close(&letters->connection);
	return status;
}

/* A server that takes the connection may hang: then the next address is tried. */
static enum herald_status
open_letters(struct herald_dead_letters *base, const char *id, struct herald_error *error)
{
	struct redis_dead_letters *letters = of(base);
	enum herald_status status;
	struct herald_error found;
	bool is_reached;
	size_t tries = 0;

	letters->average_bytes = 0;
	do
		status = open_at_one(letters, id, &is_reached, &found);
	while (status == HERALD_UNAVAILABLE && is_reached &&
	       ++tries < letters->server.addresses_count);
	if (status != HERALD_OK && error)
		*error = found;
	if (status == HERALD_OK && id && !is_id(id))
		letters->from[0] = '\0';
	return status;
}

/* Reading. */

static enum herald_status
add_message(struct redis_dead_letters *letters, const redisReply *reply,
	    struct herald_dead_message_list *out)
{
	const struct herald_allocator *allocator = &letters->options.allocator;
	struct redis_dead_message *message = herald_memory_allocate(allocator, sizeof(*message));
	struct redis_entry *entry =
		message ? herald__redis_entry_create(allocator, reply, 0) : NULL;

	if (!entry) {
		herald_memory_release(allocator, message, sizeof(*message));
		return HERALD_NO_MEMORY;
	}
	*message = (struct redis_dead_message){
		.base = {.id = entry->id.text,
			 .data = entry->base.data,
			 .attributes = entry->base.attributes,
			 .stored_ms = entry->base.created_ms},
		.entry = entry,
	};
	herald_dead_message_list_add(out, &message->base);
	return HERALD_OK;
}

static size_t
bytes_of(const redisReply *entry)
{
	const redisReply *fields = entry->element[1];
	size_t bytes = 0;

	for (size_t i = 0; i < fields->elements; i++)
		bytes += fields->element[i]->len;
	return bytes;
}

/* The next XRANGE begins after the last one of this answer. */
static enum herald_status
take_entries(struct redis_dead_letters *letters, const redisReply *reply, size_t count,
	     struct herald_dead_message_list *out)
{
	const size_t found = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
	enum herald_status status = HERALD_OK;
	size_t bytes = 0;

	for (size_t i = 0; i < found && status == HERALD_OK; i++) {
		const redisReply *entry = reply->element[i];

		if (!herald__redis_is_entry(entry))
			continue;
		bytes += bytes_of(entry);
		status = add_message(letters, entry, out);
		herald_text_write(letters->from, sizeof(letters->from), "(%s",
				  entry->element[0]->str);
	}
	if (found > 0)
		letters->average_bytes = bytes / found + 1;
	if (found < count)
		letters->from[0] = '\0';
	return status;
}

static enum herald_status
read_letters(struct herald_dead_letters *base, size_t room, size_t room_bytes,
	     struct herald_dead_message_list *out, struct herald_error *error)
{
	struct redis_dead_letters *letters = of(base);
	size_t count = letters->average_bytes ? room_bytes / letters->average_bytes : FIRST_COUNT;
	enum herald_status status;

	if (letters->from[0] == '\0')
		return HERALD_OK;
	count = count > room ? room : count > 0 ? count : 1;
	REDIS_COMMAND(&letters->connection, "XRANGE", letters->dead, letters->from,
		      letters->last.text, "COUNT", herald__redis_number(count).text);
	redisReply *reply = herald__redis_ask(
		&letters->connection, letters->options.reply_timeout_ms, "XRANGE", &status, error);
	if (!reply)
		return status;
	status = take_entries(letters, reply, count, out);
	freeReplyObject(reply);
	return status == HERALD_OK ? status : herald_out_of_memory(error);
}

/* Replay and removal. */

/* Returns 1: done, 0: the dead letter is gone, -1: there is no such target. The server copies the
 * fields, so that those that are not attributes are kept, too. */
static const char replay_script[] =
	"local e = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1] "
	"if not e then return 0 end "
	"local own, copy = {}, {} "
	"for i = 2, #ARGV do own[ARGV[i]] = true end "
	"for i = 1, #e[2], 2 do if not own[e[2][i]] then "
	"copy[#copy + 1] = e[2][i] copy[#copy + 1] = e[2][i + 1] end end "
	"if not redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', unpack(copy)) then return -1 end "
	"redis.call('XDEL', KEYS[1], ARGV[1]) "
	"return 1";

/* Calls for the names of headers that Herald has added. Returns their number. */
static size_t
add_own_headers(struct redis_connection *connection, struct herald_text attributes)
{
	const char *const end = attributes.data + attributes.bytes;
	size_t count = 0;

	for (const char *name = attributes.data; name < end;) {
		const char *value = name + strlen(name) + 1;

		if (herald_header_is_own(name)) {
			count++;
			if (connection)
				herald__redis_add_text(connection, name);
		}
		name = value + strlen(value) + 1;
	}
	return count;
}

static void
ask_replay(struct redis_dead_letters *letters, const struct herald_dead_message *message,
	   const char *target)
{
	REDIS_BEGIN(&letters->connection, add_own_headers(NULL, message->attributes), "EVAL",
		    replay_script, "2", letters->dead, target, message->id);
	add_own_headers(&letters->connection, message->attributes);
}

static void
conclude(struct herald_dead_message *message, enum herald_status status, const char *reason)
{
	message->status = status;
	herald_text_write(message->reason, sizeof(message->reason), "%s", reason);
}

/* The answer to a replay or a removal. `reply` NULL: the connection is lost. */
static void
take_answer(struct herald_dead_message *message, const redisReply *reply, const char *target,
	    const struct herald_error *error)
{
	if (!reply) {
		conclude(message, HERALD_UNKNOWN_OUTCOME, error->message);
	} else if (reply->type == REDIS_REPLY_ERROR) {
		conclude(message, HERALD_UNAVAILABLE, reply->str);
	} else if (reply->integer == 1) {
		conclude(message, HERALD_OK, "");
	} else if (reply->integer == 0) {
		conclude(message, HERALD_MISSING, "it is no longer there");
	} else {
		message->status = HERALD_BAD_OPTION;
		herald_text_write(message->reason, sizeof(message->reason), "there is no stream %s",
				  target);
	}
}

/* For each command that was added, in their order. */
static enum herald_status
take_answers(struct redis_dead_letters *letters, struct herald_dead_message_list *list,
	     const char *target, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	struct herald_error lost;

	for (struct herald_dead_message *message = list->first; message; message = message->next) {
		redisReply *reply = herald__redis_call(&letters->connection,
						       letters->options.reply_timeout_ms, &lost);

		take_answer(message, reply, target, &lost);
		if (!reply)
			status = HERALD_UNAVAILABLE;
		freeReplyObject(reply);
	}
	if (status != HERALD_OK && error)
		*error = lost;
	return status;
}

static enum herald_status
replay(struct herald_dead_letters *base, struct herald_dead_message_list *list, const char *target,
       struct herald_error *error)
{
	struct redis_dead_letters *letters = of(base);

	if (strcmp(target, letters->dead) == 0) {
		for (struct herald_dead_message *message = list->first; message;
		     message = message->next)
			conclude(message, HERALD_BAD_OPTION,
				 "it would be sent to the dead letters themselves");
		return HERALD_OK;
	}
	for (struct herald_dead_message *message = list->first; message; message = message->next)
		ask_replay(letters, message, target);
	return take_answers(letters, list, target, error);
}

static enum herald_status
remove_letters(struct herald_dead_letters *base, struct herald_dead_message_list *list,
	       struct herald_error *error)
{
	struct redis_dead_letters *letters = of(base);

	for (struct herald_dead_message *message = list->first; message; message = message->next)
		REDIS_COMMAND(&letters->connection, "XDEL", letters->dead, message->id);
	return take_answers(letters, list, "", error);
}

/* The end. */

static void
release(struct herald_dead_letters *base, struct herald_dead_message_list *list)
{
	const struct herald_allocator *allocator = &of(base)->options.allocator;

	for (struct herald_dead_message *base_message;
	     (base_message = herald_dead_message_list_take(list));) {
		struct redis_dead_message *message = (struct redis_dead_message *)base_message;

		herald__redis_entry_destroy(allocator, message->entry);
		herald_memory_release(allocator, message, sizeof(*message));
	}
}

static void
close_letters(struct herald_dead_letters *base)
{
	herald__redis_connection_close(&of(base)->connection);
}

static void
destroy(struct herald_dead_letters *base)
{
	struct redis_dead_letters *letters = of(base);
	const struct herald_allocator allocator = letters->options.allocator;

	close_letters(base);
	memset(letters->url.password, 0, sizeof(letters->url.password));
	herald_memory_release(&allocator, letters, sizeof(*letters));
}

static const struct herald_dead_letters_ops ops = {
	.name = "redis",
	.open = open_letters,
	.read = read_letters,
	.replay = replay,
	.remove = remove_letters,
	.release = release,
	.close = close_letters,
	.destroy = destroy,
};

/* Creation. */

static enum herald_status
read_options(const struct herald_redis_dead_letters_options *given,
	     struct redis_dead_letters *letters, struct herald_error *error)
{
	struct herald_redis_dead_letters_options *options = &letters->options;
	enum herald_status status = herald_options_read(given, options, sizeof(*options),
							"HERALD_REDIS_DEAD_LETTERS_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&options->allocator, error);
	if (status == HERALD_OK)
		status = herald__redis_url_parse(options->url, &letters->url, error);
	if (status == HERALD_OK)
		status = herald__broker_tls_configure(
			&(struct broker_tls_files){options->ca_file, options->certificate_file,
						   options->key_file},
			letters->url.is_secure, "rediss://", &letters->url.tls, error);
	if (status != HERALD_OK)
		return status;
	if (!options->stream || *options->stream == '\0' ||
	    strlen(options->stream) > NAME_BYTES_MAX)
		return herald_option_refuse(error, "stream", "must have 1 to %d bytes",
					    NAME_BYTES_MAX);
	if (options->connect_timeout_ms == 0)
		options->connect_timeout_ms = 5000;
	if (options->reply_timeout_ms == 0)
		options->reply_timeout_ms = 30000;
	const struct herald_option_range ranges[] = {
		{"connect_timeout_ms", options->connect_timeout_ms, 1, 60000},
		{"reply_timeout_ms", options->reply_timeout_ms, 1, 600000},
	};
	return herald_option_ranges_check(ranges, sizeof(ranges) / sizeof(*ranges), error);
}

enum herald_status
herald_redis_dead_letters_create(const struct herald_redis_dead_letters_options *options,
				 struct herald_dead_letters **out, struct herald_error *error)
{
	struct redis_dead_letters given = {.base = {.ops = &ops}};
	enum herald_status status = read_options(options, &given, error);

	if (status != HERALD_OK)
		return status;
	const struct herald_allocator allocator =
		herald_allocator_or_libc(&given.options.allocator);
	struct redis_dead_letters *letters = herald_memory_allocate(&allocator, sizeof(*letters));
	if (!letters)
		return herald_out_of_memory(error);
	*letters = given;
	snprintf(letters->stream, sizeof(letters->stream), "%s", given.options.stream);
	snprintf(letters->dead, sizeof(letters->dead), "%s.dead", letters->stream);
	snprintf(letters->place, sizeof(letters->place), "stream %s", letters->dead);
	letters->base.place = letters->place;
	letters->options.allocator = allocator;
	letters->options.url = letters->options.stream = NULL;
	letters->options.ca_file = letters->options.certificate_file = NULL;
	letters->options.key_file = NULL;
	herald__redis_connection_init(&letters->connection, &letters->options.allocator);
	*out = &letters->base;
	return HERALD_OK;
}
