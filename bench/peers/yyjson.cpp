/*
 * yyjson: the document as a tree of values, of which the members go into structs of string_views
 * and vectors; strings are borrowed from the tree, which is freed at the next event. Members are
 * found by the iterator that expects them in order. Encoding builds a mutable tree, which borrows
 * the strings too, and writes it out. Allocators keep their memory from event to event.
 * yyjson_read_opts() has no flags in the package that the source comes from.
 */
#include <limits>

#include <yyjson.h>

#include "events.hpp"
#include "rfc3339.h"

namespace
{

/* Reading. */

void
must(bool right)
{
	if (!right)
		peer_fail("yyjson: a member is missing or has another type");
}

void
read(yyjson_val *in, string_view &out)
{
	must(yyjson_is_str(in));
	out = string_view(unsafe_yyjson_get_str(in), unsafe_yyjson_get_len(in));
}

void
read(yyjson_val *in, int64_t &out)
{
	must(yyjson_is_int(in));
	out = unsafe_yyjson_get_sint(in);
}

void
read(yyjson_val *in, uint64_t &out)
{
	must(yyjson_is_uint(in));
	out = unsafe_yyjson_get_uint(in);
}

void
read(yyjson_val *in, int32_t &out)
{
	int64_t wide;

	read(in, wide);
	must(wide >= std::numeric_limits<int32_t>::min() &&
	     wide <= std::numeric_limits<int32_t>::max());
	out = static_cast<int32_t>(wide);
}

void
read(yyjson_val *in, double &out)
{
	must(yyjson_is_num(in));
	out = yyjson_get_num(in);
}

void
read(yyjson_val *in, bool &out)
{
	must(yyjson_is_bool(in));
	out = unsafe_yyjson_get_bool(in);
}

void
read(yyjson_val *in, point_in_time &out)
{
	string_view text;

	read(in, text);
	must(rfc3339_parse(text.data(), text.size(), &out.seconds, &out.nanoseconds,
			   &out.offset_minutes));
}

template <typename T> void read(yyjson_val *in, entries<T> &out);
template <typename T> void read(yyjson_val *in, std::vector<T> &out);

template <typename T>
void
read(yyjson_val *in, T &out)
{
	yyjson_obj_iter iterator = yyjson_obj_iter_with(in);

	must(yyjson_is_obj(in));
	each(out, [&](const char *name, auto &member) {
		read(yyjson_obj_iter_get(&iterator, name), member);
	});
}

void
read(yyjson_val *in, any_order &out)
{
	string_view kind;
	yyjson_val *order = yyjson_obj_get(in, "order");

	read(yyjson_obj_get(in, "kind"), kind);
	if (kind == "goods")
		read(order, out.emplace<goods>());
	else if (kind == "download")
		read(order, out.emplace<download>());
	else if (kind == "subscription")
		read(order, out.emplace<subscription>());
	else
		read(order, out.emplace<refund>());
}

template <typename T>
void
read(yyjson_val *in, entries<T> &out)
{
	yyjson_obj_iter iterator = yyjson_obj_iter_with(in);

	must(yyjson_is_obj(in));
	out.clear();
	while (yyjson_val *key = yyjson_obj_iter_next(&iterator)) {
		auto &entry = out.emplace_back();
		read(key, entry.first);
		read(yyjson_obj_iter_get_val(key), entry.second);
	}
}

template <typename T>
void
read(yyjson_val *in, std::vector<T> &out)
{
	yyjson_val *element;
	size_t i, count;

	must(yyjson_is_arr(in));
	out.resize(yyjson_arr_size(in));
	yyjson_arr_foreach(in, i, count, element) read(element, out[i]);
}

/* Writing. */

yyjson_mut_val *
write(yyjson_mut_doc *doc, string_view &in)
{
	return yyjson_mut_strn(doc, in.data(), in.size());
}

yyjson_mut_val *
write(yyjson_mut_doc *doc, int32_t &in)
{
	return yyjson_mut_sint(doc, in);
}

yyjson_mut_val *
write(yyjson_mut_doc *doc, int64_t &in)
{
	return yyjson_mut_sint(doc, in);
}

yyjson_mut_val *
write(yyjson_mut_doc *doc, uint64_t &in)
{
	return yyjson_mut_uint(doc, in);
}

yyjson_mut_val *
write(yyjson_mut_doc *doc, double &in)
{
	return yyjson_mut_real(doc, in);
}

yyjson_mut_val *
write(yyjson_mut_doc *doc, bool &in)
{
	return yyjson_mut_bool(doc, in);
}

yyjson_mut_val *
write(yyjson_mut_doc *doc, point_in_time &in)
{
	char text[36];
	size_t bytes = rfc3339_format(in.seconds, in.nanoseconds, in.offset_minutes, text);

	return yyjson_mut_strncpy(doc, text, bytes);
}

template <typename T> yyjson_mut_val *write(yyjson_mut_doc *doc, entries<T> &in);
template <typename T> yyjson_mut_val *write(yyjson_mut_doc *doc, std::vector<T> &in);

template <typename T>
yyjson_mut_val *
write(yyjson_mut_doc *doc, T &in)
{
	yyjson_mut_val *out = yyjson_mut_obj(doc);

	each(in, [&](const char *name, auto &member) {
		yyjson_mut_obj_add(out, yyjson_mut_str(doc, name), write(doc, member));
	});
	return out;
}

yyjson_mut_val *
write(yyjson_mut_doc *doc, any_order &in)
{
	static const char *const kinds[] = {"goods", "download", "subscription", "refund"};
	yyjson_mut_val *out = yyjson_mut_obj(doc);

	yyjson_mut_obj_add_str(doc, out, "kind", kinds[in.index()]);
	yyjson_mut_obj_add_val(doc, out, "order",
			       std::visit([&](auto &order) { return write(doc, order); }, in));
	return out;
}

template <typename T>
yyjson_mut_val *
write(yyjson_mut_doc *doc, entries<T> &in)
{
	yyjson_mut_val *out = yyjson_mut_obj(doc);

	for (auto &entry : in)
		yyjson_mut_obj_add(out, write(doc, entry.first), write(doc, entry.second));
	return out;
}

template <typename T>
yyjson_mut_val *
write(yyjson_mut_doc *doc, std::vector<T> &in)
{
	yyjson_mut_val *out = yyjson_mut_arr(doc);

	for (T &element : in)
		yyjson_mut_arr_append(out, write(doc, element));
	return out;
}

/* The peer. */
yyjson_alc *memory;
yyjson_doc *tree;
char *encoded;
size_t encoded_bytes;
bool is_encode;

template <typename Event> Event current;

template <typename Event>
void
decode(const struct document *document)
{
	yyjson_read_err error;

	yyjson_doc_free(tree);
	tree = yyjson_read_opts(const_cast<char *>(document->data), document->bytes, memory,
				&error);
	if (!tree)
		peer_fail("yyjson: %s", error.msg);
	read(yyjson_doc_get_root(tree), current<Event>);
}

template <typename Event>
void
encode()
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(memory);
	yyjson_write_err error;

	if (encoded)
		memory->free(memory->ctx, encoded);
	yyjson_mut_doc_set_root(doc, write(doc, current<Event>));
	encoded = yyjson_mut_write_opts(doc, 0, memory, &encoded_bytes, &error);
	yyjson_mut_doc_free(doc);
	if (!encoded)
		peer_fail("yyjson: %s", error.msg);
}

void (*decode_current)(const struct document *document);
void (*encode_current)();
void (*dump_current)();

} // namespace

void
peer_open(const struct peer_arguments *arguments)
{
	is_encode = arguments->encode;
	memory = yyjson_alc_dyn_new();
	if (!memory)
		peer_fail("out of memory");
	with_type(arguments->type, [](auto event) {
		decode_current = decode<decltype(event)>;
		encode_current = encode<decltype(event)>;
		dump_current = [] { dump(current<decltype(event)>); };
	});
	if (is_encode)
		decode_current(&arguments->documents[0]);
}

void
peer_event(const struct document *document)
{
	if (is_encode)
		encode_current();
	else
		decode_current(document);
}

void
peer_check(const struct document *document)
{
	peer_event(document);
	if (!is_encode)
		dump_current();
	else
		printf("%.*s\n", static_cast<int>(encoded_bytes), encoded);
}
