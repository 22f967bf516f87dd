/*
 * What a codec makes of one member in a form of its own, for tests/codec/forms_against_python.py to
 * compare. Reads pairs of a member's name and its JSON from the standard input, each as its length
 * in decimal, a line feed, and its bytes. Decodes {"NAME":JSON}, and prints a line for each pair,
 * with tabs between its columns:
 *
 *	refused  STATUS  OFFSET of the error in the JSON  PATH  MESSAGE
 *	decoded  VALUE   ENCODED: the member's JSON again; empty if it is left out, or the status
 *
 * The VALUE is a number; of a time, three numbers with a '/' between them; of a list, its elements
 * with blanks between them. What was encoded must decode to what is encoded as the same again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>
#include <herald/json.h>

/* -3 has two names, and 5 has none. */
enum mark { MARK_NONE = 5, MARK_ZERO = 0, MARK_ONE, MARK_LOW = -3 };
static const struct herald_name marks[] = {
	{"zero", MARK_ZERO}, {"one", MARK_ONE}, {"low", MARK_LOW}, {"lowest", MARK_LOW}};
static const struct herald_name above[] = {{"one", MARK_ONE}, {"low", MARK_LOW}};

/* The integers of each width: quoted, lenient, and both. */
#define WIDTHS(X, FORM)                                                                            \
	X(FORM, int8)                                                                              \
	X(FORM, int16)                                                                             \
	X(FORM, int32)                                                                             \
	X(FORM, int64)                                                                             \
	X(FORM, uint8)                                                                             \
	X(FORM, uint16)                                                                            \
	X(FORM, uint32)                                                                            \
	X(FORM, uint64)
#define MEMBER(FORM, WIDTH) WIDTH##_t FORM##_##WIDTH;
#define QUOTED(FORM, WIDTH) HERALD_FIELD(forms, FORM##_##WIDTH, .quoted = true),
#define LENIENT(FORM, WIDTH) HERALD_FIELD(forms, FORM##_##WIDTH, .lenient = true),
#define BOTH(FORM, WIDTH) HERALD_FIELD(forms, FORM##_##WIDTH, .quoted = true, .lenient = true),

struct forms {
	WIDTHS(MEMBER, q)
	WIDTHS(MEMBER, l)
	WIDTHS(MEMBER, ql)
	int16_t bounded;
	double q_real, ql_real;
	bool n_bool, l_bool, nl_bool, qn_bool, qnl_bool;
	enum mark name, n_mark, qn_mark, qnl_mark, u_name, u_above, nu_mark, nu_above, qnu_mark;
	struct herald_time time, l_time;
	struct herald_time s, ms, ls, lms, qs, qms, qls, qlms;
	const enum mark *names;
	size_t names_count;
	const enum mark *u_names;
	size_t u_names_count;
	const enum mark *nu_marks;
	size_t nu_marks_count;
	const uint16_t *q_list;
	size_t q_list_count;
	const int64_t *l_list;
	size_t l_list_count;
	const struct herald_time *ms_list;
	size_t ms_list_count;
	const struct herald_time *l_times;
	size_t l_times_count;
	const bool *nl_bools;
	size_t nl_bools_count;
	bool has_o_int, has_o_time, has_o_mark;
	int32_t o_int;
	struct herald_time o_time;
	enum mark o_mark;
};

#define SECONDS .epoch = HERALD_EPOCH_SECONDS
#define MILLISECONDS .epoch = HERALD_EPOCH_MILLISECONDS

HERALD_SCHEMA(forms,
	WIDTHS(QUOTED, q) WIDTHS(LENIENT, l) WIDTHS(BOTH, ql)
	HERALD_FIELD(forms, bounded, .quoted = true, .lenient = true, HERALD_RANGE(-100, 1000)),
	HERALD_FIELD(forms, q_real, .quoted = true),
	HERALD_FIELD(forms, ql_real, .quoted = true, .lenient = true, HERALD_RANGE(-1, 1e300)),
	HERALD_FIELD(forms, n_bool, .numeric = true),
	HERALD_FIELD(forms, l_bool, .lenient = true),
	HERALD_FIELD(forms, nl_bool, .numeric = true, .lenient = true),
	HERALD_FIELD(forms, qn_bool, .quoted = true, .numeric = true),
	HERALD_FIELD(forms, qnl_bool, .quoted = true, .numeric = true, .lenient = true),
	HERALD_ENUM(forms, name, marks),
	HERALD_ENUM(forms, n_mark, marks, .numeric = true),
	HERALD_ENUM(forms, qn_mark, marks, .quoted = true, .numeric = true),
	HERALD_ENUM(forms, qnl_mark, marks, .quoted = true, .numeric = true, .lenient = true),
	HERALD_ENUM(forms, u_name, marks, HERALD_UNKNOWN(MARK_NONE)),
	HERALD_ENUM(forms, u_above, above, HERALD_UNKNOWN(0)),
	HERALD_ENUM(forms, nu_mark, marks, .numeric = true, HERALD_UNKNOWN(MARK_NONE)),
	HERALD_ENUM(forms, nu_above, above, .numeric = true, HERALD_UNKNOWN(0)),
	HERALD_ENUM(forms, qnu_mark, marks, .quoted = true, .numeric = true,
		    HERALD_UNKNOWN(MARK_ONE)),
	HERALD_FIELD(forms, time),
	HERALD_FIELD(forms, l_time, .lenient = true),
	HERALD_FIELD(forms, s, SECONDS),
	HERALD_FIELD(forms, ms, MILLISECONDS),
	HERALD_FIELD(forms, ls, SECONDS, .lenient = true),
	HERALD_FIELD(forms, lms, MILLISECONDS, .lenient = true),
	HERALD_FIELD(forms, qs, SECONDS, .quoted = true),
	HERALD_FIELD(forms, qms, MILLISECONDS, .quoted = true),
	HERALD_FIELD(forms, qls, SECONDS, .quoted = true, .lenient = true),
	HERALD_FIELD(forms, qlms, MILLISECONDS, .quoted = true, .lenient = true),
	HERALD_ENUMS(forms, names, marks),
	HERALD_ENUMS(forms, u_names, marks, HERALD_UNKNOWN(MARK_ONE)),
	HERALD_ENUMS(forms, nu_marks, marks, .numeric = true, HERALD_UNKNOWN(MARK_NONE)),
	HERALD_VALUES(forms, q_list, .quoted = true),
	HERALD_VALUES(forms, l_list, .lenient = true),
	HERALD_VALUES(forms, ms_list, MILLISECONDS),
	HERALD_VALUES(forms, l_times, .lenient = true),
	HERALD_VALUES(forms, nl_bools, .numeric = true, .lenient = true),
	HERALD_OPTIONAL(forms, o_int, .quoted = true, .lenient = true),
	HERALD_OPTIONAL(forms, o_time, SECONDS),
	HERALD_OPTIONAL_ENUM(forms, o_mark, marks, .numeric = true));

/* Read a length and as many bytes. NULL at the end. The caller frees it. */
static char *
read_block(size_t *bytes)
{
	char line[32];

	if (!fgets(line, sizeof(line), stdin))
		return NULL;
	*bytes = strtoul(line, NULL, 10);
	char *block = malloc(*bytes + 1);
	if (!block || fread(block, 1, *bytes, stdin) != *bytes) {
		free(block);
		return NULL;
	}
	block[*bytes] = '\0';
	return block;
}

static void
print_number(enum herald_kind kind, const void *in)
{
	const struct herald_time *time = in;

	switch (kind) {
	case HERALD_KIND_BOOL:
		printf("%d", *(const bool *)in);
		return;
	case HERALD_KIND_INT8:
		printf("%d", *(const int8_t *)in);
		return;
	case HERALD_KIND_INT16:
		printf("%d", *(const int16_t *)in);
		return;
	case HERALD_KIND_INT32:
	case HERALD_KIND_ENUM:
		printf("%d", *(const int *)in);
		return;
	case HERALD_KIND_INT64:
		printf("%" PRId64, *(const int64_t *)in);
		return;
	case HERALD_KIND_UINT8:
		printf("%u", *(const uint8_t *)in);
		return;
	case HERALD_KIND_UINT16:
		printf("%u", *(const uint16_t *)in);
		return;
	case HERALD_KIND_UINT32:
		printf("%" PRIu32, *(const uint32_t *)in);
		return;
	case HERALD_KIND_UINT64:
		printf("%" PRIu64, *(const uint64_t *)in);
		return;
	case HERALD_KIND_DOUBLE:
		printf("%.17g", *(const double *)in);
		return;
	case HERALD_KIND_TIME:
		printf("%" PRId64 "/%" PRId32 "/%d", time->seconds, time->nanoseconds,
		       time->offset_minutes);
		return;
	default:
		abort();
	}
}

static size_t
element_bytes(enum herald_kind kind)
{
	switch (kind) {
	case HERALD_KIND_BOOL:
		return sizeof(bool);
	case HERALD_KIND_UINT16:
		return sizeof(uint16_t);
	case HERALD_KIND_INT64:
		return sizeof(int64_t);
	case HERALD_KIND_ENUM:
		return sizeof(int);
	case HERALD_KIND_TIME:
		return sizeof(struct herald_time);
	default:
		abort();
	}
}

static void
print_value(const struct herald_field *field, const struct forms *forms)
{
	const char *at = (const char *)forms + field->offset;

	if (field->kind != HERALD_KIND_VALUES) {
		print_number(field->kind, at);
		return;
	}
	const char *items = *(const char *const *)(const void *)at;
	size_t count = *(const size_t *)(const void *)((const char *)forms + field->count_offset);
	for (size_t i = 0; i < count; i++) {
		printf(i > 0 ? " " : "");
		print_number(field->element, items + i * element_bytes(field->element));
	}
}

/* Encode a struct. Fails the program unless the text comes back as the same. */
static enum herald_status
encode(const struct herald_codec *codec, const struct forms *forms, struct herald_arena *arena,
       struct herald_buffer *out)
{
	struct herald_error error;
	struct herald_buffer again;
	struct forms decoded;
	enum herald_status status = herald_codec_encode(codec, forms, out, &error);

	if (status != HERALD_OK)
		return status;
	char *copy = herald_arena_copy(arena, out->data, out->bytes);
	herald_buffer_init(&again, NULL, 0);
	if (!copy ||
	    herald_codec_decode(codec, copy, out->bytes, arena, &decoded, &error) != HERALD_OK ||
	    herald_codec_encode(codec, &decoded, &again, &error) != HERALD_OK ||
	    again.bytes != out->bytes || memcmp(again.data, out->data, out->bytes) != 0) {
		printf("comes back otherwise: %.*s\n", (int)out->bytes, out->data);
		exit(1);
	}
	herald_buffer_finish(&again);
	return HERALD_OK;
}

static void
print_encoded(const struct herald_codec *codec, const struct forms *forms, const char *pointer,
	      struct herald_arena *arena)
{
	struct herald_buffer buffer;
	struct herald_json json, found;

	herald_buffer_init(&buffer, NULL, 0);
	enum herald_status status = encode(codec, forms, arena, &buffer);
	if (status != HERALD_OK)
		printf("\t%s\n", herald_status_name(status));
	else if (herald_json_check(buffer.data, buffer.bytes, NULL, &json, NULL) == HERALD_OK &&
		 herald_json_find(&json, pointer, &found, NULL) == HERALD_OK)
		printf("\t%.*s\n", (int)found.bytes, found.data);
	else
		printf("\t\n");
	herald_buffer_finish(&buffer);
}

static const struct herald_field *
find_field(const char *name)
{
	for (size_t i = 0; i < forms_schema.fields_count; i++)
		if (strcmp(forms_schema.fields[i].name, name) == 0)
			return &forms_schema.fields[i];
	return NULL;
}

static void
try_value(const struct herald_codec *codec, const char *name, const char *value, size_t bytes,
	  struct herald_arena *arena)
{
	const struct herald_field *field = find_field(name);
	size_t begin = strlen(name) + strlen("{\"\":");
	char *document = herald_arena_alloc(arena, begin + bytes + 2), pointer[64];
	struct herald_error error;
	struct forms forms;

	if (!field || !document)
		abort();
	snprintf(document, begin + 1, "{\"%s\":", name);
	memcpy(document + begin, value, bytes);
	document[begin + bytes] = '}';
	if (herald_codec_decode(codec, document, begin + bytes + 1, arena, &forms, &error) !=
	    HERALD_OK) {
		printf("refused\t%s\t%td\t%s\t%s\n", herald_status_name(error.status),
		       (ptrdiff_t)(error.offset - begin), error.path, error.message);
		return;
	}
	printf("decoded\t");
	print_value(field, &forms);
	snprintf(pointer, sizeof(pointer), "/%s", name);
	print_encoded(codec, &forms, pointer, arena);
}

int
main(void)
{
	struct herald_codec *codec = NULL;
	struct herald_arena *arena = NULL;
	struct herald_error error;
	char *name, *value = NULL;
	size_t bytes;

	if (herald_arena_create(NULL, 0, &arena) != HERALD_OK)
		return 1;
	if (herald_codec_create(&forms_schema, NULL, NULL, &codec, &error) != HERALD_OK) {
		fprintf(stderr, "%s: %s\n", error.path, error.message);
		return 1;
	}
	while ((name = read_block(&bytes)) && (value = read_block(&bytes))) {
		try_value(codec, name, value, bytes, arena);
		fflush(stdout);
		free(name);
		free(value);
		herald_arena_reset(arena);
	}
	free(name);
	herald_codec_destroy(codec);
	herald_arena_destroy(arena);
	return 0;
}
