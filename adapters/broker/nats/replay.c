/*
 * Publishes copies of dead letters, and deletes dead letters. A dead letter says itself where it
 * came from, and anyone who may publish can write one; so what is published where is checked here.
 */
#include "replay.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/subscriber.h>
#include <herald/adapter/text.h>

#include "address.h"
#include "answer.h"

#define STREAM_HEADER "Nats-"
#define MSG_ID_HEADER "Nats-Msg-Id"
/* A longer line than max_control_line (4,096 bytes) closes the connection. It has the subject, the
 * subject of the reply, and two numbers. */
#define TARGET_BYTES_MAX 3900

/* Statuses. */

static void
conclude(struct herald_dead_message *message, enum herald_status status, const char *reason)
{
	message->status = status;
	herald_text_write(message->reason, sizeof(message->reason), "%s", reason);
}

/* Waits for an answer. */
static bool
is_open(const struct herald_dead_message *message)
{
	return message->status == HERALD_UNKNOWN_OUTCOME;
}

/* Requests of a list, which are sent before their answers are read. */
struct round {
	struct nats_dead_letters *letters;
	struct herald_dead_message_list *list;
	const char *target; /* NULL: of removals */
	size_t asked;       /* requests without an answer */
	bool has_refused;   /* no one has taken some of them */
};

/* Returns false if libnats may have sent a part of the request: whatever is sent after it, the
 * server would misread. */
static bool
note_sent(struct round *round, struct herald_dead_message *message, natsStatus status,
	  struct herald_error *error)
{
	switch (status) {
	case NATS_OK:
		round->asked++;
		return true;
	case NATS_MAX_PAYLOAD:
	case NATS_INVALID_ARG:
	case NATS_NO_MEMORY:
		conclude(message, HERALD_UNAVAILABLE, natsStatus_GetText(status));
		return true;
	default:
		herald__nats_requests_lost("cannot send", status, error);
		herald__nats_requests_close(&round->letters->requests);
		return false;
	}
}

/* Answers. */

static void
take_copy(struct herald_dead_message *message, natsMsg *reply)
{
	struct nats_answer answer;

	herald__nats_answer_read(reply, &answer);
	if (answer.is_stored)
		conclude(message, HERALD_OK, "");
	else
		conclude(message, HERALD_UNAVAILABLE, answer.problem);
}

static void
take_removal(struct herald_dead_message *message, natsMsg *reply)
{
	static const char done[] = "\"success\":true";
	char problem[160];

	herald__nats_reply_error(reply, problem, sizeof(problem));
	if (problem[0] == '\0' &&
	    !memmem(natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply), done,
		    sizeof(done) - 1))
		herald_text_write(problem, sizeof(problem), "no stream has answered");
	if (problem[0] == '\0')
		conclude(message, HERALD_OK, "");
	else if (strstr(problem, "no message found"))
		conclude(message, HERALD_MISSING, "it is no longer there");
	else
		conclude(message, HERALD_UNAVAILABLE, problem);
}

/* A client that has subscribed to the target answers, too: a stream's answer counts, also if it is
 * the second one. */
static void
take_answer(struct round *round, uint64_t number, natsMsg *reply)
{
	struct herald_dead_message *message = round->list->first;

	while (message && nats_dead_message_of(message)->asked != number)
		message = message->next;
	if (!message || message->status == HERALD_OK)
		return;
	round->asked -= is_open(message);
	if (round->target)
		take_copy(message, reply);
	else
		take_removal(message, reply);
}

/* libnats does not say to which request there was no responder: to the ones that are left. */
static void
refuse_open(struct herald_dead_message_list *list, const char *target)
{
	for (struct herald_dead_message *message = list->first; message; message = message->next)
		if (is_open(message)) {
			message->status = HERALD_BAD_OPTION;
			herald_text_write(message->reason, sizeof(message->reason),
					  "no stream stores the subject %s", target);
		}
}

/* Those without an answer keep HERALD_UNKNOWN_OUTCOME. */
static enum herald_status
take_answers(struct round *round, struct herald_error *error)
{
	while (round->asked > 0) {
		uint64_t number = 0;
		natsMsg *reply;
		natsStatus status =
			herald__nats_requests_take(&round->letters->requests, &reply, &number);

		if (status == NATS_NO_RESPONDERS && round->target) {
			round->has_refused = true;
			round->asked--;
			continue;
		}
		if (status != NATS_OK)
			return herald__nats_requests_lost("no confirmation", status, error);
		take_answer(round, number, reply);
		natsMsg_Destroy(reply);
	}
	if (round->has_refused)
		refuse_open(round->list, round->target);
	return HERALD_OK;
}

/* Removal. */

static natsStatus
ask_removal(struct nats_dead_letters *letters, struct nats_dead_message *message)
{
	char subject[300], request[64];

	snprintf(subject, sizeof(subject), "$JS.API.STREAM.MSG.DELETE.%s", letters->stream);
	/* Without "no_erase": the server would forget the deletion if it were killed soon. */
	snprintf(request, sizeof(request), "{\"seq\":%llu}", (unsigned long long)message->sequence);
	natsStatus status = herald__nats_requests_send(&letters->requests, subject, request);
	message->asked = letters->requests.last;
	return status;
}

/* Of the list, those that are HERALD_OK. */
static enum herald_status
remove_those(struct nats_dead_letters *letters, struct herald_dead_message_list *list,
	     struct herald_error *error)
{
	struct round round = {.letters = letters, .list = list};
	bool is_sending = true;

	for (struct herald_dead_message *message = list->first; message; message = message->next) {
		nats_dead_message_of(message)->asked = 0;
		if (message->status != HERALD_OK)
			continue;
		conclude(message, HERALD_UNKNOWN_OUTCOME, "it may still be there");
		if (is_sending)
			is_sending = note_sent(&round, message,
					       ask_removal(letters, nats_dead_message_of(message)),
					       error);
	}
	return is_sending ? take_answers(&round, error) : HERALD_UNAVAILABLE;
}

enum herald_status
herald__nats_replay_remove(struct herald_dead_letters *base, struct herald_dead_message_list *list,
			   struct herald_error *error)
{
	for (struct herald_dead_message *message = list->first; message; message = message->next)
		message->status = HERALD_OK;
	return remove_those(nats_dead_letters_of(base), list, error);
}

/* Replay. */

/* Why nothing is published there; NULL: it may be. Subjects with '$' are interfaces of the server,
 * which would obey. */
static const char *
problem_of(const struct nats_dead_letters *letters, const char *target)
{
	if (strcmp(target, letters->nats.options.dead_subject) == 0)
		return "it would be sent to the dead letters themselves";
	if (strlen(target) > TARGET_BYTES_MAX)
		return "where it would be sent to is too long for a subject";
	if (!herald__nats_is_subject(target))
		return "where it would be sent to is not a subject: it has blanks, control "
		       "characters, wildcards or empty tokens";
	if (target[0] == '$' || strcmp(target, "_INBOX") == 0 || strncmp(target, "_INBOX.", 7) == 0)
		return "where it would be sent to is reserved for NATS itself: subjects that begin "
		       "with $ or _INBOX";
	return NULL;
}

static bool
is_copied(const char *name)
{
	const size_t bytes = strlen(STREAM_HEADER);

	return !herald_header_is_own(name) &&
	       !(strlen(name) >= bytes && herald_ascii_same_bytes(name, STREAM_HEADER, bytes));
}

static natsStatus
copy_headers(struct herald_text attributes, natsMsg *copy)
{
	const char *const end = attributes.data + attributes.bytes;
	natsStatus status = NATS_OK;

	for (const char *name = attributes.data; name < end && status == NATS_OK;) {
		const char *value = name + strlen(name) + 1;

		if (is_copied(name))
			status = natsMsgHeader_Add(copy, name, value);
		name = value + strlen(value) + 1;
	}
	return status;
}

/* With an id, so that a stream stores a copy once, if it is published again soon. The target is a
 * part of it: a stream may have several subjects, and a copy for one is none for another. */
static natsStatus
publish(struct nats_dead_letters *letters, struct nats_dead_message *message, const char *target)
{
	const struct herald_text data = message->base.data;
	char reply[NATS_REPLY_BYTES], id[TARGET_BYTES_MAX + 400];
	natsMsg *copy = NULL;

	herald__nats_requests_next(&letters->requests, reply);
	message->asked = letters->requests.last;
	snprintf(id, sizeof(id), "herald-replay.%s.%s.%lld.%s", letters->stream, message->id,
		 (long long)message->base.stored_ms, target);
	natsStatus status = natsMsg_Create(&copy, target, reply, data.data, (int)data.bytes);
	if (status == NATS_OK)
		status = copy_headers(message->base.attributes, copy);
	if (status == NATS_OK)
		status = natsMsgHeader_Set(copy, MSG_ID_HEADER, id);
	if (status == NATS_OK)
		status = natsConnection_PublishMsg(letters->requests.connection, copy);
	natsMsg_Destroy(copy);
	return status;
}

static enum herald_status
publish_all(struct nats_dead_letters *letters, struct herald_dead_message_list *list,
	    const char *target, struct herald_error *error)
{
	struct round round = {.letters = letters, .list = list, .target = target};
	const char *problem = problem_of(letters, target);
	bool is_sending = true;

	for (struct herald_dead_message *message = list->first; message; message = message->next) {
		if (problem) {
			conclude(message, HERALD_BAD_OPTION, problem);
			continue;
		}
		conclude(message, HERALD_UNKNOWN_OUTCOME, "its copy may have been stored");
		nats_dead_message_of(message)->asked = 0;
		if (is_sending)
			is_sending = note_sent(
				&round, message,
				publish(letters, nats_dead_message_of(message), target), error);
	}
	return is_sending ? take_answers(&round, error) : HERALD_UNAVAILABLE;
}

enum herald_status
herald__nats_replay(struct herald_dead_letters *base, struct herald_dead_message_list *list,
		    const char *target, struct herald_error *error)
{
	struct nats_dead_letters *letters = nats_dead_letters_of(base);
	enum herald_status status = publish_all(letters, list, target, error);

	if (status == HERALD_OK)
		return remove_those(letters, list, error);
	/* Copies of these are stored, but the dead letters are still there. */
	for (struct herald_dead_message *message = list->first; message; message = message->next)
		if (message->status == HERALD_OK)
			conclude(message, HERALD_UNKNOWN_OUTCOME, "it is still there");
	return status;
}
