/*
 * What is signed, in pieces. Owns the decoded form, if there is one, until it is finished.
 */
#include "content.h"

#include <string.h>

#include <herald/adapter/memory.h>

#include "encoding.h"

/* Without a form, the URL has the hash of the body, or nothing is there that could be changed. */
static const char *
hash_problem(const struct herald__values *values)
{
	unsigned char hash[HERALD__SHA256_BYTES];
	char digits[2 * HERALD__SHA256_BYTES];
	struct herald_text given;

	if (!herald__url_body_hash(values->url, &given))
		return values->body_bytes == 0
			       ? NULL
			       : "the body is not a form, and the URL has no bodySHA256";
	herald__sha256(values->body, values->body_bytes, hash);
	herald__hex_encode(hash, sizeof(hash), digits);
	if (given.bytes == sizeof(digits) && memcmp(given.data, digits, sizeof(digits)) == 0)
		return NULL;
	return "the body has another hash than the URL's bodySHA256";
}

static enum herald_signature_result
fill_form(const struct herald__scheme *scheme, const struct herald__values *values,
	  struct herald__content *out, const char **problem)
{
	if (!scheme->has[HERALD__PART_FORM])
		return HERALD_SIGNATURE_VALID;
	if (herald__form_is_type(values->content_type)) {
		enum herald_status status = herald__form_read(
			&scheme->options.allocator, scheme->options.max_form_pairs, values->body,
			values->body_bytes, &out->form);

		if (status == HERALD_NO_MEMORY)
			return HERALD_SIGNATURE_NO_MEMORY;
		*problem = status == HERALD_LIMIT ? "the form has too many pairs (max_form_pairs)"
						  : NULL;
		return *problem ? HERALD_SIGNATURE_NO_MATCH : HERALD_SIGNATURE_VALID;
	}
	*problem = hash_problem(values);
	return *problem ? HERALD_SIGNATURE_NO_MATCH : HERALD_SIGNATURE_VALID;
}

static void
add(struct herald__content *content, const void *data, size_t bytes)
{
	content->pieces[content->count++] = (struct herald__piece){bytes > 0 ? data : NULL, bytes};
}

static void
add_text(struct herald__content *content, struct herald_text text)
{
	add(content, text.data, text.bytes);
}

static void
add_url(struct herald__content *content, const char *url)
{
	struct herald__url_pieces pieces;

	herald__url_split(url, &pieces);
	add_text(content, pieces.before);
	content->port = &content->pieces[content->count];
	content->other_port = pieces.other_port;
	add_text(content, pieces.port);
	add_text(content, pieces.after);
}

static void
add_part(const struct herald__part *part, const struct herald__values *values,
	 struct herald__content *out)
{
	switch (part->kind) {
	case HERALD__PART_ID:
		add_text(out, values->id);
		break;
	case HERALD__PART_TIMESTAMP:
		add_text(out, values->timestamp);
		break;
	case HERALD__PART_BODY:
		add(out, values->body, values->body_bytes);
		break;
	case HERALD__PART_URL:
		add_url(out, values->url);
		break;
	case HERALD__PART_FORM:
		add_text(out, out->form.text);
		break;
	case HERALD__PART_TEXT:
	case HERALD__PART_COUNT:
		add_text(out, part->text);
		break;
	}
}

enum herald_signature_result
herald__content_fill(const struct herald__scheme *scheme, const struct herald__values *values,
		     struct herald__content *out, const char **problem)
{
	out->count = 0;
	out->port = NULL;
	out->form = (struct herald__form){.text = {"", 0}};
	if (scheme->has[HERALD__PART_URL] && (!values->url || *values->url == '\0')) {
		*problem = "the URL is not known";
		return HERALD_SIGNATURE_MISSING;
	}
	enum herald_signature_result result = fill_form(scheme, values, out, problem);
	for (size_t i = 0; i < scheme->parts_count && result == HERALD_SIGNATURE_VALID; i++)
		add_part(&scheme->parts[i], values, out);
	return result;
}

void
herald__content_finish(const struct herald__scheme *scheme, struct herald__content *content)
{
	herald__form_finish(&scheme->options.allocator, &content->form);
}

bool
herald__content_other_port(struct herald__content *content)
{
	if (!content->port)
		return false;
	*content->port = (struct herald__piece){content->other_port, strlen(content->other_port)};
	return true;
}

bool
herald__content_join(const struct herald_allocator *allocator,
		     const struct herald__content *content, struct herald__joined *out)
{
	char *to = out->room;

	out->bytes = 0;
	out->block = NULL;
	for (size_t i = 0; i < content->count; i++)
		out->bytes += content->pieces[i].bytes;
	if (out->bytes > sizeof(out->room))
		to = out->block = herald_memory_allocate(allocator, out->bytes);
	if (!to)
		return false;
	out->data = to;
	for (size_t i = 0; i < content->count; i++)
		if (content->pieces[i].bytes > 0) {
			memcpy(to, content->pieces[i].data, content->pieces[i].bytes);
			to += content->pieces[i].bytes;
		}
	return true;
}

void
herald__joined_finish(const struct herald_allocator *allocator, struct herald__joined *joined)
{
	herald_memory_release(allocator, joined->block, joined->bytes);
}
