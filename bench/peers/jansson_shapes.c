/*
 * jansson, the payloads of the cases of one shape each: a list of integers, of doubles or of
 * strings, the mixture of them, and the webhook of a pull request. jansson.c has the peer.
 */
#include "jansson_shapes.h"

/* Reading. */

static const int64_t *
read_int64s(const json_t *in, size_t list, size_t *count)
{
	int64_t *values = room(list, json_array_size(in) * sizeof(*values));

	*count = json_array_size(in);
	for (size_t i = 0; i < *count; i++) {
		if (!json_is_integer(json_array_get(in, i)))
			peer_fail("[%zu] is not an integer", i);
		values[i] = json_integer_value(json_array_get(in, i));
	}
	return values;
}

static const double *
read_numbers(const json_t *in, size_t list, size_t *count)
{
	double *values = room(list, json_array_size(in) * sizeof(*values));

	*count = json_array_size(in);
	for (size_t i = 0; i < *count; i++) {
		if (!json_is_number(json_array_get(in, i)))
			peer_fail("[%zu] is not a number", i);
		values[i] = json_number_value(json_array_get(in, i));
	}
	return values;
}

static const char *const *
read_texts(const json_t *in, size_t list, size_t *count)
{
	const char **values = room(list, json_array_size(in) * sizeof(*values));

	*count = json_array_size(in);
	for (size_t i = 0; i < *count; i++) {
		values[i] = json_string_value(json_array_get(in, i));
		if (!values[i])
			peer_fail("[%zu] is not a string", i);
	}
	return values;
}

void
read_integers(const json_t *in, struct integers *out)
{
	out->series_id = string(in, "series_id");
	out->values = read_int64s(member(in, "values"), 0, &out->values_count);
}

void
read_doubles(const json_t *in, struct doubles *out)
{
	out->series_id = string(in, "series_id");
	out->values = read_numbers(member(in, "values"), 0, &out->values_count);
}

void
read_strings(const json_t *in, struct strings *out)
{
	out->list_id = string(in, "list_id");
	out->texts = read_texts(member(in, "texts"), 0, &out->texts_count);
}

void
read_mixture(const json_t *in, struct mixture *out)
{
	const json_t *list = member(in, "records");
	size_t count = json_array_size(list);
	struct record *records = room(3, count * sizeof(*records));

	out->integers = read_int64s(member(in, "integers"), 0, &out->integers_count);
	out->doubles = read_numbers(member(in, "doubles"), 1, &out->doubles_count);
	out->strings = read_texts(member(in, "strings"), 2, &out->strings_count);
	for (size_t i = 0; i < count; i++) {
		const json_t *record = json_array_get(list, i);
		records[i].id = integer(record, "id");
		records[i].name = string(record, "name");
		records[i].score = number(record, "score");
		records[i].active = boolean(record, "active");
	}
	out->records = records;
	out->records_count = count;
}

static void
read_account(const json_t *in, struct account *out)
{
	out->login = string(in, "login");
	out->id = integer(in, "id");
}

static void
read_branch(const json_t *in, struct branch *out)
{
	out->ref = string(in, "ref");
	out->sha = string(in, "sha");
}

void
read_pull_request_event(const json_t *in, struct pull_request_event *out)
{
	const json_t *request = member(in, "pull_request"), *repository = member(in, "repository");

	out->action = string(in, "action");
	out->number = integer(in, "number");
	out->pull_request.id = integer(request, "id");
	out->pull_request.title = string(request, "title");
	out->pull_request.body = string(request, "body");
	out->pull_request.draft = boolean(request, "draft");
	out->pull_request.created_at = point_in_time(request, "created_at");
	read_account(member(request, "user"), &out->pull_request.user);
	read_branch(member(request, "head"), &out->pull_request.head);
	read_branch(member(request, "base"), &out->pull_request.base);
	out->pull_request.additions = integer(request, "additions");
	out->pull_request.deletions = integer(request, "deletions");
	out->repository.id = integer(repository, "id");
	out->repository.full_name = string(repository, "full_name");
	out->repository.is_private = boolean(repository, "private");
	read_account(member(in, "sender"), &out->sender);
}

/* Writing. */

static json_t *
write_int64s(const int64_t *values, size_t count)
{
	json_t *out = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(out, json_integer(values[i]));
	return out;
}

static json_t *
write_numbers(const double *values, size_t count)
{
	json_t *out = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(out, json_real(values[i]));
	return out;
}

static json_t *
write_texts(const char *const *values, size_t count)
{
	json_t *out = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(out, json_string(values[i]));
	return out;
}

json_t *
write_integers(const struct integers *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "series_id", json_string(in->series_id));
	json_object_set_new(out, "values", write_int64s(in->values, in->values_count));
	return out;
}

json_t *
write_doubles(const struct doubles *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "series_id", json_string(in->series_id));
	json_object_set_new(out, "values", write_numbers(in->values, in->values_count));
	return out;
}

json_t *
write_strings(const struct strings *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "list_id", json_string(in->list_id));
	json_object_set_new(out, "texts", write_texts(in->texts, in->texts_count));
	return out;
}

json_t *
write_mixture(const struct mixture *in)
{
	json_t *out = json_object(), *records = json_array();

	for (size_t i = 0; i < in->records_count; i++) {
		json_t *record = json_object();
		json_object_set_new(record, "id", json_integer(in->records[i].id));
		json_object_set_new(record, "name", json_string(in->records[i].name));
		json_object_set_new(record, "score", json_real(in->records[i].score));
		json_object_set_new(record, "active", json_boolean(in->records[i].active));
		json_array_append_new(records, record);
	}
	json_object_set_new(out, "integers", write_int64s(in->integers, in->integers_count));
	json_object_set_new(out, "doubles", write_numbers(in->doubles, in->doubles_count));
	json_object_set_new(out, "strings", write_texts(in->strings, in->strings_count));
	json_object_set_new(out, "records", records);
	return out;
}

static json_t *
write_account(const struct account *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "login", json_string(in->login));
	json_object_set_new(out, "id", json_integer(in->id));
	return out;
}

static json_t *
write_branch(const struct branch *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "ref", json_string(in->ref));
	json_object_set_new(out, "sha", json_string(in->sha));
	return out;
}

static json_t *
write_pull_request(const struct pull_request *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "id", json_integer(in->id));
	json_object_set_new(out, "title", json_string(in->title));
	json_object_set_new(out, "body", json_string(in->body));
	json_object_set_new(out, "draft", json_boolean(in->draft));
	json_object_set_new(out, "created_at", json_time(&in->created_at));
	json_object_set_new(out, "user", write_account(&in->user));
	json_object_set_new(out, "head", write_branch(&in->head));
	json_object_set_new(out, "base", write_branch(&in->base));
	json_object_set_new(out, "additions", json_integer(in->additions));
	json_object_set_new(out, "deletions", json_integer(in->deletions));
	return out;
}

json_t *
write_pull_request_event(const struct pull_request_event *in)
{
	json_t *out = json_object(), *repository = json_object();

	json_object_set_new(repository, "id", json_integer(in->repository.id));
	json_object_set_new(repository, "full_name", json_string(in->repository.full_name));
	json_object_set_new(repository, "private", json_boolean(in->repository.is_private));
	json_object_set_new(out, "action", json_string(in->action));
	json_object_set_new(out, "number", json_integer(in->number));
	json_object_set_new(out, "pull_request", write_pull_request(&in->pull_request));
	json_object_set_new(out, "repository", repository);
	json_object_set_new(out, "sender", write_account(&in->sender));
	return out;
}
