/*
 * Signers of deliveries. Owns the texts of their headers, and only borrows the signers.
 */
#include "delivery/signing.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/options.h"

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct herald_named_signer *)a)->name,
		      ((const struct herald_named_signer *)b)->name);
}

static enum herald_status
check_names(const struct herald__signers *signers, struct herald_error *error)
{
	for (size_t i = 1; i < signers->count; i++)
		if (compare(&signers->all[i - 1], &signers->all[i]) == 0)
			return herald__option_error(
				error, HERALD_BAD_OPTION, HERALD__OPTION("signers"),
				"have the name \"%s\" twice", signers->all[i].name);
	return HERALD_OK;
}

enum herald_status
herald__signers_read(const struct herald_deliverer_options *options, struct herald_arena *arena,
		     struct herald__signers *out, struct herald_error *error)
{
	size_t count = options->signers_count;

	*out = (struct herald__signers){0};
	if (count == 0)
		return HERALD_OK;
	out->all = herald__arena_array(arena, count, sizeof(*out->all));
	if (!out->all)
		return HERALD_NO_MEMORY;
	for (; out->count < count; out->count++) {
		struct herald_named_signer *signer = &out->all[out->count];

		*signer = options->signers[out->count];
		if (!herald__arena_string(arena, signer->name, &signer->name))
			return HERALD_NO_MEMORY;
	}
	qsort(out->all, out->count, sizeof(*out->all), compare);
	return check_names(out, error);
}

struct herald_signer *
herald__signers_find(const struct herald__signers *signers, const char *name)
{
	const struct herald_named_signer wanted = {.name = name};
	const struct herald_named_signer *found = NULL;

	if (signers->count > 0)
		found = bsearch(&wanted, signers->all, signers->count, sizeof(*signers->all),
				compare);
	return found ? found->signer : NULL;
}

enum herald_status
herald__signers_check(const struct herald__signers *signers, const struct herald_delivery *delivery,
		      struct herald_error *error)
{
	if (!delivery->signer || *delivery->signer == '\0' ||
	    herald__signers_find(signers, delivery->signer))
		return HERALD_OK;
	return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("signer"),
				    "is \"%s\", which is not one of the deliverer's signers",
				    delivery->signer);
}

/* Signing. */

struct writer {
	struct herald__signed *out;
	size_t offsets[HERALD_SIGNER_MAX_HEADERS]; /* of the texts, which may move */
	enum herald_status status;
	const char *problem; /* static storage */
};

static enum herald_status
append_header(struct herald_buffer *out, const char *name, const char *value)
{
	enum herald_status status = herald_buffer_append(out, name, strlen(name));

	if (status == HERALD_OK)
		status = herald_buffer_append(out, ": ", 2);
	return status == HERALD_OK ? herald_buffer_append(out, value, strlen(value) + 1) : status;
}

/* The herald_signer_sink. */
static void
take_header(const char *name, const char *value, void *state)
{
	struct writer *writer = state;
	struct herald__signed *out = writer->out;

	if (writer->status != HERALD_OK)
		return;
	if (out->count == HERALD_SIGNER_MAX_HEADERS) {
		writer->status = HERALD_LIMIT;
		writer->problem = "has more headers than are allowed";
		return;
	}
	writer->offsets[out->count] = out->texts.bytes;
	writer->status = append_header(&out->texts, name, value);
	if (writer->status != HERALD_OK)
		return;
	writer->problem = herald__header_problem(out->texts.data + writer->offsets[out->count++]);
	if (writer->problem)
		writer->status = HERALD_BAD_VALUE;
}

enum herald_status
herald__signed_write(struct herald_signer *signer, const struct herald_signer_request *request,
		     struct herald__signed *out, struct herald_error *error)
{
	struct writer writer = {.out = out, .status = HERALD_OK};

	out->texts.bytes = 0;
	out->count = 0;
	enum herald_status status = signer->ops->sign(signer, request, take_header, &writer, error);
	if (status != HERALD_OK)
		return status;
	if (writer.status != HERALD_OK)
		return herald_error_set(error, writer.status, HERALD_NO_OFFSET,
					"a header of the signer %s %s", signer->ops->name,
					writer.problem ? writer.problem : "has no memory");
	for (size_t i = 0; i < out->count; i++)
		out->headers[i] = out->texts.data + writer.offsets[i];
	return HERALD_OK;
}
