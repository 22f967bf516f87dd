/*
 * The kinds of members: the sizes of their values in memory. Also herald_json_schema, for any
 * JSON, and herald_data_schema, for any bytes.
 */
#include "codec/kind.h"

const struct herald_schema herald_json_schema = {
	.name = "herald_json",
	.bytes = sizeof(struct herald_json),
	.alignment = _Alignof(struct herald_json),
	.doc = "Any JSON value, as it is.",
};

const struct herald_schema herald_data_schema = {
	.name = "herald_data",
	.bytes = sizeof(struct herald_data),
	.alignment = _Alignof(struct herald_data),
	.doc = "Bytes of any media type.",
};

static const struct {
	size_t bytes, alignment;
} kind_layouts[HERALD_KIND_COUNT] = {
#define LAYOUT(type)                                                                               \
	{                                                                                          \
		sizeof(type), _Alignof(type)                                                       \
	}
	[HERALD_KIND_BOOL] = LAYOUT(bool),
	[HERALD_KIND_INT8] = LAYOUT(int8_t),
	[HERALD_KIND_INT16] = LAYOUT(int16_t),
	[HERALD_KIND_INT32] = LAYOUT(int32_t),
	[HERALD_KIND_INT64] = LAYOUT(int64_t),
	[HERALD_KIND_UINT8] = LAYOUT(uint8_t),
	[HERALD_KIND_UINT16] = LAYOUT(uint16_t),
	[HERALD_KIND_UINT32] = LAYOUT(uint32_t),
	[HERALD_KIND_UINT64] = LAYOUT(uint64_t),
	[HERALD_KIND_FLOAT] = LAYOUT(float),
	[HERALD_KIND_DOUBLE] = LAYOUT(double),
	[HERALD_KIND_STRING] = LAYOUT(const char *),
	[HERALD_KIND_TEXT] = LAYOUT(struct herald_text),
	[HERALD_KIND_CHARS] = {0, 1},
	[HERALD_KIND_TIME] = LAYOUT(struct herald_time),
	[HERALD_KIND_JSON] = LAYOUT(struct herald_json),
	[HERALD_KIND_MAP] = LAYOUT(struct herald_map),
	[HERALD_KIND_JSON_MAP] = LAYOUT(struct herald_json_map),
	[HERALD_KIND_ENUM] = LAYOUT(int),
	[HERALD_KIND_POINTER] = LAYOUT(void *),
	[HERALD_KIND_LIST] = LAYOUT(void *),
	[HERALD_KIND_VALUES] = LAYOUT(void *),
	[HERALD_KIND_STRUCT_MAP] = LAYOUT(void *),
	[HERALD_KIND_KEY] = LAYOUT(const char *),
#undef LAYOUT
};

const char *
herald__enum_name(const struct herald_field *field, int64_t value)
{
	for (size_t i = 0; i < field->names_count; i++)
		if (field->names[i].value == value)
			return field->names[i].name;
	return NULL;
}

size_t
herald__kind_bytes(enum herald_kind kind)
{
	return kind_layouts[kind].bytes;
}

size_t
herald__kind_alignment(enum herald_kind kind)
{
	return kind_layouts[kind].alignment;
}
