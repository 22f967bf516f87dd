/*
 * Reads {"stream":"orders","seq":1} and {"error":{"err_code":10077,"description":"..."}}. The
 * server writes them, so they are searched, not checked.
 */
#include "answer.h"

#include <string.h>

#include <herald/adapter/text.h>

#include "subscriber.h"

/* What follows a text; NULL: it is not there. Answers are terminated by NUL in libnats. */
static const char *
after(const char *text, const char *wanted)
{
	const char *at = strstr(text, wanted);

	return at ? at + strlen(wanted) : NULL;
}

void
herald__nats_answer_read(natsMsg *msg, struct nats_answer *out)
{
	const size_t bytes = (size_t)natsMsg_GetDataLength(msg);
	char text[1024];

	*out = (struct nats_answer){0};
	if (natsMsg_IsNoResponders(msg) || bytes == 0) {
		herald_text_write(out->problem, sizeof(out->problem), "%s",
				  "no stream stores its subject");
		return;
	}
	herald_text_write(text, sizeof(text), "%.*s", (int)bytes, natsMsg_GetData(msg));
	/* A quote is never part of a stream's name, which may be "error". */
	const char *error = after(text, "\"error\":");
	out->is_stored = !error && strstr(text, "\"stream\":");
	if (out->is_stored)
		return;
	if (!error) {
		herald_text_write(out->problem, sizeof(out->problem),
				  "no stream has answered, but a client: %s", text);
		return;
	}
	const char *code = after(error, "\"err_code\":"), *why = after(error, "\"description\":\"");
	out->code = code ? (int)nats_number(code) : 0;
	why = why ? why : error;
	herald_text_write(out->problem, sizeof(out->problem), "%.*s", (int)strcspn(why, "\""), why);
}
