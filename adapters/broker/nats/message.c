/*
 * From libnats's message to the consumer's: headers, and what the reply subject says. The body is
 * not copied.
 */
#include "message.h"

#include <stdlib.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>

#define ACK_PREFIX "$JS.ACK."

/* The tokens of a reply subject, $JS.ACK and what follows:
 *
 *	      stream consumer delivered sequence consumer-sequence time pending
 *	domain account stream consumer delivered sequence consumer-sequence time pending [random]
 */
#define TOKENS_DOMAIN 11
#define TOKEN_DELIVERED 4

bool
herald__nats_message_is(natsMsg *msg)
{
	const char *reply = natsMsg_GetReply(msg);

	return reply && strncmp(reply, ACK_PREFIX, strlen(ACK_PREFIX)) == 0;
}

/* Where the tokens begin; "" for those that it does not have. Returns how many it has. */
static unsigned
split(const char *subject, const char *tokens[TOKENS_DOMAIN])
{
	unsigned count = 0;

	for (unsigned i = 0; i < TOKENS_DOMAIN; i++) {
		const char *dot = strchr(subject, '.');

		tokens[i] = subject;
		count += *subject != '\0';
		subject = dot ? dot + 1 : "";
	}
	return count;
}

/* The finaliser of SplitMix64: neighbours become unlike. */
static uint64_t
mix(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

static void
read_reply(struct nats_message *message)
{
	const char *tokens[TOKENS_DOMAIN];
	const unsigned domain = split(message->reply, tokens) == TOKENS_DOMAIN ? 2 : 0;
	const char **numbers = &tokens[TOKEN_DELIVERED + domain];

	message->base.deliveries = (unsigned)nats_number(numbers[0]);
	message->sequence = nats_number(numbers[1]);
	message->time_ns = nats_number(numbers[3]);
	if (message->base.deliveries == 0)
		message->base.deliveries = 1;
	message->base.created_ms = (int64_t)(message->time_ns / 1000000);
	message->base.identity = mix(message->sequence + mix(message->time_ns));
	if (message->base.identity == 0 || message->sequence == 0)
		message->base.identity = message->sequence != 0;
}

/* Headers. */

struct header {
	const char *name;
	const char **values;
	int count;
};

static size_t
bytes_of(const struct header *header)
{
	size_t bytes = 0;

	for (int i = 0; i < header->count; i++)
		bytes += strlen(header->name) + strlen(header->values[i]) + 2;
	return bytes;
}

static char *
put(char *at, const char *text)
{
	const size_t bytes = strlen(text) + 1;

	memcpy(at, text, bytes);
	return at + bytes;
}

static bool
write_headers(struct nats *nats, struct nats_message *message, const struct header *headers,
	      int count)
{
	size_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += bytes_of(&headers[i]);
	char *at = herald_memory_allocate(&nats->settings.allocator, bytes);
	if (!at)
		return false;
	message->attributes = at;
	message->base.attributes = (struct herald_text){at, bytes};
	for (int i = 0; i < count; i++)
		for (int j = 0; j < headers[i].count; j++) {
			char *value = put(at, headers[i].name);

			if (j == 0 && herald_ascii_same(headers[i].name, "Content-Type"))
				message->base.content_type = value;
			at = put(value, headers[i].values[j]);
		}
	return true;
}

static bool
read_headers(struct nats *nats, struct nats_message *message)
{
	const char **names = NULL;
	int count = 0, known = 0;
	natsStatus status = natsMsgHeader_Keys(message->msg, &names, &count);

	if (status == NATS_NOT_FOUND)
		return true;
	if (status != NATS_OK)
		return status != NATS_NO_MEMORY; /* the headers are malformed */
	const struct herald_allocator *allocator = &nats->settings.allocator;
	struct header *headers =
		herald_memory_allocate_zeroed(allocator, (size_t)count, sizeof(*headers));
	bool done = headers;
	for (; done && known < count; known++) {
		headers[known].name = names[known];
		done = natsMsgHeader_Values(message->msg, names[known], &headers[known].values,
					    &headers[known].count) == NATS_OK;
	}
	done = done && write_headers(nats, message, headers, count);
	for (int i = 0; headers && i < count; i++)
		free((void *)headers[i].values);
	herald_memory_release(allocator, headers, (size_t)count * sizeof(*headers));
	free((void *)names);
	return done;
}

/* Memory. */

static struct nats_message *
take_memory(struct nats *nats)
{
	struct nats_message *message = nats->unused;

	if (message)
		nats->unused = message->newer;
	else
		message = herald_memory_allocate(&nats->settings.allocator, sizeof(*message));
	return message;
}

static void
give_memory(struct nats *nats, struct nats_message *message)
{
	herald_memory_release(&nats->settings.allocator, message->attributes,
			      message->base.attributes.bytes);
	message->newer = nats->unused;
	nats->unused = message;
}

static void
link_in(struct nats *nats, struct nats_message *message)
{
	message->older = nats->messages;
	if (nats->messages)
		nats->messages->newer = message;
	nats->messages = message;
}

static void
link_out(struct nats *nats, struct nats_message *message)
{
	if (message->older)
		message->older->newer = message->newer;
	if (message->newer)
		message->newer->older = message->older;
	else
		nats->messages = message->older;
}

struct nats_message *
herald__nats_message_create(struct nats *nats, natsMsg *msg)
{
	struct nats_message *message = take_memory(nats);

	if (!message)
		return NULL;
	*message = (struct nats_message){.msg = msg, .reply = natsMsg_GetReply(msg)};
	if (!read_headers(nats, message)) {
		give_memory(nats, message);
		return NULL;
	}
	message->base.data =
		(struct herald_text){natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg)};
	if (!message->base.data.data)
		message->base.data.data = "";
	if (nats->has_wildcards) {
		const char *subject = natsMsg_GetSubject(msg);

		message->base.key = (struct herald_text){subject, strlen(subject)};
	}
	read_reply(message);
	link_in(nats, message);
	return message;
}

void
herald__nats_message_destroy(struct nats *nats, struct nats_message *message)
{
	if (!herald_received_is_lost(&message->base))
		link_out(nats, message);
	natsMsg_Destroy(message->msg);
	give_memory(nats, message);
}

void
herald__nats_messages_lose(struct nats *nats)
{
	for (struct nats_message *message = nats->messages; message; message = message->older)
		herald_received_lose(&nats->base, &message->base);
	nats->messages = NULL;
}

void
herald__nats_messages_finish(struct nats *nats)
{
	while (nats->unused) {
		struct nats_message *message = nats->unused;

		nats->unused = message->newer;
		herald_memory_release(&nats->settings.allocator, message, sizeof(*message));
	}
}
