/*
 * Which messages made the server close the channel: it does not say a number, so they are found by
 * its text. Owns nothing.
 */
#include "refusals.h"

#include <stdio.h>
#include <string.h>

#include <amqp_framing.h>

#include <herald/adapter/text.h>

#define TEXT_BYTES 256

static void
refuse(struct herald_outgoing *message, enum herald_status status, const char *text)
{
	message->status = status;
	herald_text_write(message->reason, sizeof(message->reason), "%s", text);
}

/* "message size 5 is larger than configured max size 4". */
static void
find_too_large(const char *text, struct herald_outgoing *first)
{
	static const char what[] = "message size ";
	const char *size = strstr(text, what);
	uint64_t bytes = 0;

	for (const char *at = size ? size + strlen(what) : ""; herald_ascii_is_digit(*at); at++)
		bytes = bytes * 10 + (uint64_t)(*at - '0');
	for (struct herald_outgoing *at = first; at && bytes > 0; at = at->next)
		if (at->data.bytes == bytes)
			refuse(at, HERALD_TOO_LARGE, size);
}

/* "access to topic 'a.b' in exchange 'amq.topic' in vhost '/' refused for user 'u'". */
static void
find_topic(const char *text, const char *topic, struct herald_outgoing *first)
{
	for (struct herald_outgoing *at = first; at; at = at->next) {
		const size_t bytes = strlen(at->topic);

		if (strncmp(topic, at->topic, bytes) == 0 &&
		    strncmp(topic + bytes, "' in exchange ", 14) == 0)
			refuse(at, HERALD_BAD_OPTION, text);
	}
}

/* "access to exchange 'amq.default' in vhost '/' refused for user 'u'". All messages of the channel
 * are for this exchange. If the first one is confirmed, the user had the right then, and others may
 * be stored: the next channel finds out. */
static void
find_denied(const char *text, struct herald_outgoing *sent)
{
	static const char what[] = "access to topic '";
	const char *topic = strstr(text, what);

	if (topic)
		find_topic(text, topic + strlen(what), sent);
	else if (sent && sent->number == 1)
		for (struct herald_outgoing *at = sent; at; at = at->next)
			refuse(at, HERALD_BAD_OPTION, text);
}

void
herald__rabbitmq_refusals_find(const amqp_method_t *method, struct herald_outgoing *sent,
			       struct herald_outgoing *waiting)
{
	const amqp_channel_close_t *close = method->decoded;
	char text[TEXT_BYTES];

	if (method->id != AMQP_CHANNEL_CLOSE_METHOD)
		return;
	herald_text_write(text, sizeof(text), "%.*s", (int)close->reply_text.len,
			  (const char *)close->reply_text.bytes);
	find_too_large(text, sent);
	find_too_large(text, waiting);
	if (close->reply_code == AMQP_ACCESS_REFUSED && close->class_id == AMQP_BASIC_CLASS)
		find_denied(text, sent);
}
