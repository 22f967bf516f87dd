/*
 * Writes and reads URLs of brokers. Whether the broker has such a topic is not known here.
 */
#include "delivery/broker_url.h"

#include <string.h>

#include <herald/adapter/text.h>

#include "base/options.h"

static const char scheme[] = "broker://";

static enum herald_status
refuse(struct herald_error *error, const char *what)
{
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "%s", what);
}

bool
herald__is_broker_url(const char *url)
{
	const size_t bytes = sizeof(scheme) - 1;

	return strnlen(url, bytes) == bytes && herald_ascii_same_bytes(url, scheme, bytes);
}

/* Writing. */

static enum herald_status
check_text(const char *member, const char *text, struct herald_error *error)
{
	const size_t bytes = strlen(text);

	if (bytes == 0)
		return herald__option_error(error, HERALD_BAD_LENGTH, HERALD__OPTION(member),
					    "is empty");
	if (bytes >= HERALD__BROKER_TEXT_BYTES)
		return herald__option_error(error, HERALD_BAD_LENGTH, HERALD__OPTION(member),
					    "has more than 255 bytes");
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION(member),
						    "has a control character");
	return HERALD_OK;
}

static enum herald_status
check_parts(const struct herald_delivery *delivery, struct herald_error *error)
{
	enum herald_status status;

	if (delivery->url)
		return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("url"),
					    "is set, but a producer is too");
	if (!herald__is_producer_name(delivery->producer))
		return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("producer"),
					    "must be a name of 1 to 63 letters, digits, '-', '.' "
					    "and '_'");
	if (!delivery->topic)
		return herald__option_error(error, HERALD_MISSING, HERALD__OPTION("topic"),
					    "is required for a producer");
	status = check_text("topic", delivery->topic, error);
	if (status == HERALD_OK && delivery->key)
		status = check_text("key", delivery->key, error);
	return status;
}

static char *
encode(char *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (;;) {
		const size_t plain = herald__producer_name_bytes(text);

		out = mempcpy(out, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		const unsigned char byte = (unsigned char)*text++;
		*out++ = '%';
		*out++ = digits[byte >> 4];
		*out++ = digits[byte & 15];
	}
	*out = '\0';
	return out;
}

enum herald_status
herald__broker_address(const struct herald_delivery *delivery, struct herald__addressed *out,
		       struct herald_error *error)
{
	out->delivery = *delivery;
	if (!delivery->producer) {
		if (!delivery->url || !herald__is_broker_url(delivery->url))
			return HERALD_OK;
		return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("url"),
					    "names a broker; set `producer` and `topic` instead");
	}
	const enum herald_status status = check_parts(delivery, error);
	if (status != HERALD_OK)
		return status;

	char *end = stpcpy(stpcpy(out->url, scheme), delivery->producer);
	end = encode(stpcpy(end, "/"), delivery->topic);
	if (delivery->key)
		encode(stpcpy(end, "?key="), delivery->key);
	out->delivery.url = out->url;
	return HERALD_OK;
}

/* Reading. */

/* Copy a part of a URL, with %XX decoded. Returns false if it is too long, or not well formed. */
static bool
decode(const char *text, size_t bytes, char out[HERALD__BROKER_TEXT_BYTES])
{
	size_t length = 0;

	for (size_t i = 0; i < bytes; i++) {
		char byte = text[i];

		if (byte == '%') {
			const int high = bytes - i < 3 ? -1 : herald_ascii_hex_value(text[i + 1]);
			const int low = high < 0 ? -1 : herald_ascii_hex_value(text[i + 2]);

			if (low < 0)
				return false;
			byte = (char)(high * 16 + low);
			i += 2;
		}
		if (byte == '\0' || length + 1 == HERALD__BROKER_TEXT_BYTES)
			return false;
		out[length++] = byte;
	}
	out[length] = '\0';
	return true;
}

static enum herald_status
read_query(const char *query, struct herald__broker_url *out, struct herald_error *error)
{
	static const char key[] = "?key=";

	if (*query == '\0')
		return HERALD_OK;
	if (strncmp(query, key, sizeof(key) - 1) != 0 || strpbrk(query, "&#"))
		return refuse(error, "expected ?key=KEY, or nothing, after the topic of a broker's "
				     "URL");
	query += sizeof(key) - 1;
	if (*query == '\0' || !decode(query, strlen(query), out->key))
		return refuse(error, "expected a key of 1 to 255 bytes in a broker's URL, with %XX "
				     "for bytes that a URL cannot have");
	return HERALD_OK;
}

enum herald_status
herald__broker_url_read(const char *url, struct herald__broker_url *out, struct herald_error *error)
{
	const char *name = url + sizeof(scheme) - 1;
	const size_t bytes = herald__producer_name_bytes(name);

	*out = (struct herald__broker_url){.name = ""};
	if (bytes == 0 || bytes >= sizeof(out->name) || name[bytes] != '/')
		return refuse(error, "expected broker://NAME/TOPIC, with the name of a producer");
	memcpy(out->name, name, bytes);

	const char *topic = name + bytes + 1;
	const size_t topic_bytes = strcspn(topic, "?#");
	if (topic_bytes == 0 || !decode(topic, topic_bytes, out->topic))
		return refuse(error, "expected a topic of 1 to 255 bytes in a broker's URL, with "
				     "%XX for bytes that a URL cannot have");
	return read_query(topic + topic_bytes, out, error);
}
