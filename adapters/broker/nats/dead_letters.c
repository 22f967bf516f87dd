/*
 * Dead letters, for an operator: reads the stream of them by its sequence numbers, so that no
 * consumer is made. Owns its connection, and the messages that it has read. Replays and removals
 * are in replay.c.
 */
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>
#include <herald/base64.h>
#include <herald/time.h>

#include "address.h"
#include "dead_message.h"
#include "failure.h"
#include "options.h"
#include "replay.h"

/* Of messages that are asked for first; the next ones go by the size of those. */
#define FIRST_COUNT 8
#define ORIGIN_BYTES_MAX 255

/* Opening. */

/* The stream that stores a subject, which has no escapes in JSON; "" if there is none. */
static natsStatus
find_stream(struct nats_dead_letters *letters, const char *subject, char *out, size_t size)
{
	char request[320];
	natsMsg *reply;

	snprintf(request, sizeof(request), "{\"subject\":\"%s\"}", subject);
	natsStatus status = herald__nats_requests_call(&letters->requests, "$JS.API.STREAM.NAMES",
						       request, &reply);
	if (status != NATS_OK)
		return status;
	const char *text = natsMsg_GetData(reply);
	const char *list =
		memmem(text, (size_t)natsMsg_GetDataLength(reply), "\"streams\":[\"", 12);
	out[0] = '\0';
	if (list)
		herald_text_write(out, size, "%.*s", (int)strcspn(list + 12, "\""), list + 12);
	natsMsg_Destroy(reply);
	return NATS_OK;
}

static enum herald_status
find_dead_letters(struct nats_dead_letters *letters, struct herald_error *error)
{
	natsStatus status = find_stream(letters, letters->nats.options.dead_subject,
					letters->stream, sizeof(letters->stream));

	return status == NATS_OK ? HERALD_OK
				 : herald__nats_failure_set(error, status, 0, "url",
							    "cannot look for dead letters");
}

static natsStatus
get_info(struct nats_dead_letters *letters, const char *stream, jsStreamInfo **out, jsErrCode *code)
{
	jsOptions options;
	jsCtx *js = NULL;

	jsOptions_Init(&options);
	options.Wait = letters->nats.options.timeout_ms;
	natsStatus status = natsConnection_JetStream(&js, letters->requests.connection, &options);
	if (status == NATS_OK)
		status = js_GetStreamInfo(out, js, stream, NULL, code);
	jsCtx_Destroy(js);
	return status;
}

/* There are no dead letters yet, or the name is wrong. */
static enum herald_status
check_origin(struct nats_dead_letters *letters, struct herald_error *error)
{
	const struct herald_nats_subscriber_options *options = &letters->nats.options;
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status = get_info(letters, options->stream, &info, &code);

	jsStreamInfo_Destroy(info);
	if (status == NATS_NOT_FOUND)
		return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
					"the server has neither the stream %s nor a stream with "
					"the subject %s",
					options->stream, options->dead_subject);
	return status == NATS_OK ? HERALD_OK
				 : herald__nats_failure_set(error, status, code, "stream",
							    "cannot look up the stream");
}

static enum herald_status
find_range(struct nats_dead_letters *letters, const char *id, struct herald_error *error)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	uint64_t only = 0;

	letters->next = 1;
	letters->last = 0;
	letters->average_bytes = 0;
	if (letters->stream[0] == '\0')
		return check_origin(letters, error);
	natsStatus status = get_info(letters, letters->stream, &info, &code);
	if (status != NATS_OK)
		return herald__nats_failure_set(error, status, code, "stream",
						"cannot look up the stream of dead letters");
	if (info->State.Msgs > 0) {
		letters->next = info->State.FirstSeq;
		letters->last = info->State.LastSeq;
	}
	jsStreamInfo_Destroy(info);
	if (id && !herald_ascii_number(id, UINT64_MAX - 1, &only))
		letters->last = 0;
	else if (id && only < letters->last)
		letters->last = only;
	if (only > letters->next)
		letters->next = only;
	return HERALD_OK;
}

static void
close_letters(struct herald_dead_letters *base)
{
	herald__nats_requests_close(&nats_dead_letters_of(base)->requests);
}

static enum herald_status
open_letters(struct herald_dead_letters *base, const char *id, struct herald_error *error)
{
	struct nats_dead_letters *letters = nats_dead_letters_of(base);
	enum herald_status status =
		herald__nats_requests_open(&letters->requests, &letters->nats, error);

	if (status == HERALD_OK)
		status = find_dead_letters(letters, error);
	if (status == HERALD_OK)
		status = find_range(letters, id, error);
	if (status != HERALD_OK)
		close_letters(base);
	return status;
}

/* Reading. */

/* Headers as NATS sends them, "NATS/1.0\r\nName: value\r\n...", become attributes in place. */
static struct herald_text
make_attributes(char *headers, size_t bytes)
{
	char *const end = headers + bytes, *out = headers;
	char *line = memmem(headers, bytes, "\r\n", 2);

	for (line = line ? line + 2 : end; line < end;) {
		char *line_end = memmem(line, (size_t)(end - line), "\r\n", 2);
		line_end = line_end ? line_end : end;
		char *colon = memchr(line, ':', (size_t)(line_end - line));

		if (colon && !memchr(line, '\0', (size_t)(line_end - line))) {
			const struct herald_text value =
				herald_http_trimmed(colon + 1, (size_t)(line_end - colon - 1));

			memmove(out, line, (size_t)(colon - line));
			out += colon - line;
			*out++ = '\0';
			memmove(out, value.data, value.bytes);
			out += value.bytes;
			*out++ = '\0';
		}
		line = line_end + 2;
	}
	return (struct herald_text){headers, (size_t)(out - headers)};
}

/* Copy and decode. The base64 of the server is right; something else becomes "". */
static size_t
decode(struct herald_text base64, char *out)
{
	size_t bytes = 0, wrong;

	if (base64.bytes > 0)
		memcpy(out, base64.data, base64.bytes);
	if (!herald_base64_decode(out, base64.bytes, &bytes, &wrong))
		bytes = 0;
	out[bytes] = '\0';
	return bytes;
}

static struct nats_dead_message *
create_message(struct nats_dead_letters *letters, natsMsg *reply)
{
	const struct herald_text headers = herald__nats_reply_text(reply, "hdrs");
	const struct herald_text data = herald__nats_reply_text(reply, "data");
	const struct herald_text stored = herald__nats_reply_text(reply, "time");
	/* The last line of headers may lack its end. */
	const size_t bytes = sizeof(struct nats_dead_message) + headers.bytes + data.bytes + 4;
	struct nats_dead_message *message =
		herald_memory_allocate(&letters->nats.options.allocator, bytes);
	struct herald_time time;

	if (!message)
		return NULL;
	*message = (struct nats_dead_message){.base.id = message->id, .bytes = bytes};
	char *at = (char *)(message + 1);
	message->base.attributes = make_attributes(at, decode(headers, at));
	at += headers.bytes + 3;
	message->base.data = (struct herald_text){at, decode(data, at)};
	if (stored.data && herald_time_parse(stored.data, stored.bytes, &time, NULL) == HERALD_OK)
		message->base.stored_ms = time.seconds * 1000 + time.nanoseconds / 1000000;
	return message;
}

/* "seq":42 */
static uint64_t
sequence_of(natsMsg *reply)
{
	const char *text = natsMsg_GetData(reply);
	const char *at = memmem(text, (size_t)natsMsg_GetDataLength(reply), "\"seq\":", 6);

	return at ? nats_number(at + 6) : 0;
}

/* The stream may have other subjects, too. */
static bool
is_dead_letter(const struct nats_dead_letters *letters, natsMsg *reply)
{
	const char *wanted = letters->nats.options.dead_subject;
	const struct herald_text subject = herald__nats_reply_text(reply, "subject");

	return subject.bytes == strlen(wanted) && memcmp(subject.data, wanted, subject.bytes) == 0;
}

/* The reply to a request of STREAM.MSG.GET. Without a dead letter: *out is NULL. */
static enum herald_status
take_message(struct nats_dead_letters *letters, natsMsg *reply, struct nats_dead_message **out,
	     struct herald_error *error)
{
	char problem[160];
	const bool is_missing = memmem(natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply),
				       "\"code\":404", 10);

	*out = NULL;
	herald__nats_reply_error(reply, problem, sizeof(problem));
	if (problem[0] != '\0' && is_missing)
		return HERALD_OK;
	if (problem[0] == '\0' && !is_dead_letter(letters, reply))
		return HERALD_OK;
	if (problem[0] != '\0')
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"cannot read the stream %s: %s", letters->stream, problem);
	*out = create_message(letters, reply);
	if (!*out)
		return herald_out_of_memory(error);
	(*out)->sequence = sequence_of(reply);
	snprintf((*out)->id, sizeof((*out)->id), "%llu", (unsigned long long)(*out)->sequence);
	return HERALD_OK;
}

static natsStatus
ask_for(struct nats_dead_letters *letters, uint64_t sequence, bool or_later)
{
	char subject[300], request[360];

	snprintf(subject, sizeof(subject), "$JS.API.STREAM.MSG.GET.%s", letters->stream);
	if (or_later)
		snprintf(request, sizeof(request), "{\"seq\":%llu,\"next_by_subj\":\"%s\"}",
			 (unsigned long long)sequence, letters->nats.options.dead_subject);
	else
		snprintf(request, sizeof(request), "{\"seq\":%llu}", (unsigned long long)sequence);
	return herald__nats_requests_send(&letters->requests, subject, request);
}

/* The first message from a sequence number on, which skips those that were deleted. */
static enum herald_status
read_first(struct nats_dead_letters *letters, struct nats_dead_message **out,
	   struct herald_error *error)
{
	uint64_t number = 0;
	natsMsg *reply;
	natsStatus status = ask_for(letters, letters->next, true);

	if (status == NATS_OK)
		status = herald__nats_requests_take(&letters->requests, &reply, &number);
	if (status != NATS_OK)
		return herald__nats_requests_lost("no message", status, error);
	enum herald_status taken = take_message(letters, reply, out, error);
	natsMsg_Destroy(reply);
	return taken;
}

/* The oldest first, though the server answers in any order. */
static void
insert(struct herald_dead_message_list *list, struct nats_dead_message *message)
{
	struct herald_dead_message *before = list->first;

	if (nats_dead_message_of(list->last)->sequence < message->sequence) {
		herald_dead_message_list_add(list, &message->base);
		return;
	}
	while (before->next && nats_dead_message_of(before->next)->sequence < message->sequence)
		before = before->next;
	message->base.next = before->next;
	before->next = &message->base;
	list->count++;
}

/* The messages that follow the first one of a list, by their numbers, asked for at once. */
static enum herald_status
read_next(struct nats_dead_letters *letters, size_t count, struct herald_dead_message_list *out,
	  size_t *bytes, struct herald_error *error)
{
	natsStatus status = NATS_OK;
	uint64_t number = 0;

	for (size_t i = 0; i < count && status == NATS_OK; i++)
		status = ask_for(letters, letters->next + i, false);
	for (size_t i = 0; i < count && status == NATS_OK; i++) {
		struct nats_dead_message *message = NULL;
		natsMsg *reply;

		status = herald__nats_requests_take(&letters->requests, &reply, &number);
		if (status != NATS_OK)
			break;
		enum herald_status taken = take_message(letters, reply, &message, error);
		natsMsg_Destroy(reply);
		if (taken != HERALD_OK)
			return taken;
		if (message) {
			*bytes += message->bytes;
			insert(out, message);
		}
	}
	letters->next += count;
	return status == NATS_OK ? HERALD_OK
				 : herald__nats_requests_lost("no message", status, error);
}

static enum herald_status
read_letters(struct herald_dead_letters *base, size_t room, size_t room_bytes,
	     struct herald_dead_message_list *out, struct herald_error *error)
{
	struct nats_dead_letters *letters = nats_dead_letters_of(base);
	size_t count = letters->average_bytes ? room_bytes / letters->average_bytes : FIRST_COUNT;
	struct nats_dead_message *first = NULL;

	if (letters->next > letters->last)
		return HERALD_OK;
	enum herald_status status = read_first(letters, &first, error);
	if (status != HERALD_OK)
		return status;
	if (!first || first->sequence > letters->last) {
		letters->next = letters->last + 1;
		if (first)
			herald_memory_release(&letters->nats.options.allocator, first,
					      first->bytes);
		return HERALD_OK;
	}
	herald_dead_message_list_add(out, &first->base);
	letters->next = first->sequence + 1;
	count = count > room ? room : count > 0 ? count : 1;
	if (count - 1 > letters->last + 1 - letters->next)
		count = (size_t)(letters->last + 2 - letters->next);
	size_t bytes = first->bytes;
	status = read_next(letters, count - 1, out, &bytes, error);
	letters->average_bytes = bytes / out->count;
	return status;
}

/* It goes into JSON without escapes. */
static bool
is_literal(const char *subject)
{
	return herald__nats_is_subject(subject) && strlen(subject) <= ORIGIN_BYTES_MAX &&
	       !strpbrk(subject, "\"\\&<");
}

/* A subject that the stream stores: its messages have their own subjects as origin. */
static enum herald_status
is_origin(struct herald_dead_letters *base, const char *origin, bool *out,
	  struct herald_error *error)
{
	struct nats_dead_letters *letters = nats_dead_letters_of(base);
	char stream[sizeof(letters->stream)] = "";

	*out = false;
	if (!is_literal(origin))
		return HERALD_OK;
	natsStatus status = find_stream(letters, origin, stream, sizeof(stream));
	if (status != NATS_OK)
		return herald__nats_requests_lost("no answer", status, error);
	*out = strcmp(stream, letters->nats.options.stream) == 0;
	return HERALD_OK;
}

/* The end. */

static void
release(struct herald_dead_letters *base, struct herald_dead_message_list *list)
{
	for (struct herald_dead_message *message; (message = herald_dead_message_list_take(list));)
		herald_memory_release(&nats_dead_letters_of(base)->nats.options.allocator, message,
				      nats_dead_message_of(message)->bytes);
}

static void
destroy(struct herald_dead_letters *base)
{
	struct nats_dead_letters *letters = nats_dead_letters_of(base);
	const struct herald_allocator allocator = letters->nats.options.allocator;

	close_letters(base);
	herald_arena_destroy(letters->nats.texts);
	herald_memory_release(&allocator, letters, sizeof(*letters));
}

static const struct herald_dead_letters_ops ops = {
	.name = "nats",
	.open = open_letters,
	.read = read_letters,
	.replay = herald__nats_replay,
	.remove = herald__nats_replay_remove,
	.is_origin = is_origin,
	.release = release,
	.close = close_letters,
	.destroy = destroy,
};

/* Creation. */

/* The options of a subscriber that has such dead letters. */
static enum herald_status
read_options(const struct herald_nats_dead_letters_options *given,
	     struct herald_nats_subscriber_options *out, struct herald_error *error)
{
	struct herald_nats_dead_letters_options options;
	enum herald_status status = herald_options_read(given, &options, sizeof(options),
							"HERALD_NATS_DEAD_LETTERS_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	return herald__nats_options_read(
		&HERALD_NATS_SUBSCRIBER_OPTIONS(.url = options.url, .stream = options.stream,
						.group = "herald-broker-dead",
						.dead_subject = options.dead_subject,
						.timeout_ms = options.timeout_ms,
						.credentials_file = options.credentials_file,
						.ca_file = options.ca_file,
						.certificate_file = options.certificate_file,
						.key_file = options.key_file,
						.allocator = options.allocator),
		out, error);
}

enum herald_status
herald_nats_dead_letters_create(const struct herald_nats_dead_letters_options *given,
				struct herald_dead_letters **out, struct herald_error *error)
{
	struct herald_nats_subscriber_options options;
	enum herald_status status = read_options(given, &options, error);

	if (status != HERALD_OK)
		return status;
	struct nats_dead_letters *letters =
		herald_memory_allocate_zeroed(&options.allocator, 1, sizeof(*letters));
	if (!letters)
		return herald_out_of_memory(error);
	letters->nats.options = options;
	letters->base.ops = &ops;
	status = herald_arena_create(&options.allocator, 1 << 14, &letters->nats.texts);
	if (status != HERALD_OK || !herald__nats_options_copy(&letters->nats)) {
		destroy(&letters->base);
		return herald_out_of_memory(error);
	}
	snprintf(letters->place, sizeof(letters->place), "subject %s",
		 letters->nats.options.dead_subject);
	letters->base.place = letters->place;
	/* As texts of JSON, they would have escapes. */
	if (strpbrk(letters->nats.options.dead_subject, "\"\\&<")) {
		destroy(&letters->base);
		return herald_option_refuse(error, given->dead_subject ? "dead_subject" : "stream",
					    "must not have any of \" \\ & <");
	}
	*out = &letters->base;
	return HERALD_OK;
}
