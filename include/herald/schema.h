/*
 * Schemas: how a plain C struct and a JSON object correspond, member by member.
 *
 *	struct order_line   { const char *sku; int32_t quantity; };
 *	struct order_placed { const char *order_id; const struct order_line *lines; size_t lines_count; };
 *
 *	HERALD_SCHEMA(order_line,
 *		HERALD_FIELD(order_line, sku, .required = true),
 *		HERALD_FIELD(order_line, quantity, HERALD_RANGE(1, 999)));
 *
 *	HERALD_SCHEMA(order_placed,
 *		HERALD_FIELD(order_placed, order_id, .key = "orderId", .required = true),
 *		HERALD_LIST(order_placed, lines, order_line, .min_count = 1));
 *
 * HERALD_SCHEMA(order_line, ...) defines `static const struct herald_schema order_line_schema`. The
 * macros take each member's type, place and size from the struct; a member that they do not support,
 * or that does not fit the macro, does not compile, nor does a line of another struct. The rest
 * (duplicate keys, overlaps, members left out, options that do not suit the kind) is checked when a
 * codec or a service is created.
 *
 * Two schemas are the same only if they are one object. A struct that several files use has its schema
 * declared in their header, HERALD_SCHEMA_DECLARE(order_placed), and defined in one of the files,
 * HERALD_SCHEMA_DEFINE(order_placed, ...).
 *
 * Not supported: members with an alignment of their own (_Alignas), and padding in or around a struct
 * without a name; what is there looks like a member left out.
 *
 * The macros are C11. A C++ program defines its schemas in a C file, or fills in the structs itself.
 */
#ifndef HERALD_SCHEMA_H
#define HERALD_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/array.h>
#include <herald/export.h>
#include <herald/time.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a member holds. HERALD_FIELD and HERALD_VALUES infer it. */
enum herald_kind {
	HERALD_KIND_NONE, /**< Not in the JSON: HERALD_PRIVATE. */
	HERALD_KIND_BOOL, /**< bool: true, false. */
	HERALD_KIND_INT8, /**< Integers: a JSON number without fraction and exponent, in range. */
	HERALD_KIND_INT16,
	HERALD_KIND_INT32,
	HERALD_KIND_INT64,
	HERALD_KIND_UINT8,
	HERALD_KIND_UINT16,
	HERALD_KIND_UINT32,
	HERALD_KIND_UINT64,
	HERALD_KIND_FLOAT,  /**< float: a JSON number, rounded correctly; too large is an error. */
	HERALD_KIND_DOUBLE, /**< double, likewise. */
	HERALD_KIND_STRING, /**< const char *: NUL-terminated; an escaped NUL in the JSON is an error. */
	HERALD_KIND_TEXT, /**< struct herald_text: may hold a NUL. */
	HERALD_KIND_CHARS, /**< char[N]: copied, with its NUL; longer than N - 1 bytes is an error. */
	HERALD_KIND_TIME,     /**< struct herald_time: an RFC 3339 string. */
	HERALD_KIND_JSON,     /**< struct herald_json: the raw text of any value, null as well. */
	HERALD_KIND_MAP,      /**< struct herald_map: an object of strings. */
	HERALD_KIND_JSON_MAP, /**< struct herald_json_map: an object of any values. */
	HERALD_KIND_ENUM,     /**< An int-sized enum: one of the field's names. */
	HERALD_KIND_STRUCT,   /**< A struct within the struct. */
	HERALD_KIND_POINTER,  /**< A pointer to a struct; NULL when absent or null. */
	HERALD_KIND_LIST,     /**< A pointer to structs and a count. */
	HERALD_KIND_VALUES,   /**< A pointer to values of kind `element` and a count. */
	HERALD_KIND_COUNT     /**< The number of kinds; no kind itself. */
};

/** One end of a range; made by HERALD_MIN, HERALD_MAX, HERALD_RANGE. Exact for every 64-bit integer. */
struct herald_bound {
	long double value; /**< Inclusive. */
	bool is_set;       /**< False: there is no bound, and the value must be 0. */
};

/** A name in JSON and the number that it stands for in C. */
struct herald_name {
	const char *name; /**< In JSON. */
	int value;        /**< In C. */
};

/**
 * One member of a struct. The macros below fill in the first block; a user may add the options of
 * the second as designated initialisers. Everything is borrowed, and is static as a rule.
 */
struct herald_field {
	const char *owner;                  /**< The struct's name; that of its schema. */
	const char *name;                   /**< The member's name in C. */
	enum herald_kind kind;              /**< What it holds. */
	enum herald_kind element;           /**< What each element of HERALD_KIND_VALUES holds. */
	size_t offset;                      /**< Of the member in its struct, in bytes. */
	size_t bytes;                       /**< sizeof the member. */
	bool optional;                      /**< There is a `bool has_NAME` at has_offset. */
	size_t has_offset;                  /**< Of that member. */
	size_t count_offset;                /**< Of the `size_t NAME_count` of a list. */
	const struct herald_schema *schema; /**< Of a struct, a pointer or a list's elements. */
	const struct herald_name *names;    /**< Of an enum. */
	size_t names_count;                 /**< Of an enum. */

	const char *key;                 /**< The JSON member's name; NULL: as in C. */
	const char *doc;                 /**< One line for people. */
	bool required;                   /**< It must be there and not null. */
	struct herald_bound lower_bound; /**< Numbers: HERALD_MIN or HERALD_RANGE sets it. */
	struct herald_bound upper_bound; /**< Numbers: HERALD_MAX or HERALD_RANGE sets it. */
	size_t min_bytes;          /**< Strings that are there: bytes of UTF-8, after unescaping. */
	size_t max_bytes;          /**< Likewise; 0: only the limits of the codec. */
	size_t min_count;          /**< Lists and maps that are there: elements. */
	size_t max_count;          /**< Likewise; 0: only the limits of the codec. */
	const char *const *one_of; /**< Strings: the values allowed, up to a NULL: HERALD_ONE_OF. */
};

/** A struct and its members. Borrowed by codecs and services for as long as they live. */
struct herald_schema {
	const char *name;                  /**< The struct's name. */
	size_t bytes;                      /**< sizeof the struct. */
	size_t alignment;                  /**< _Alignof the struct. */
	const struct herald_field *fields; /**< One for each member. */
	size_t fields_count;               /**< No limit. */
	const char *doc;                   /**< One line for people. */
	bool reject_unknown; /**< A member of the JSON that no field has as its key is an error. */
};

/**
 * The schema of a payload that is any JSON at all: the struct is struct herald_json itself. For a
 * catch-all route, or a function that wants the raw text.
 */
HERALD_API extern const struct herald_schema herald_json_schema;

/** Declare a schema that HERALD_SCHEMA_DEFINE defines, for a header that several files include. */
#define HERALD_SCHEMA_DECLARE(STRUCT) extern const struct herald_schema STRUCT##_schema

#ifndef __cplusplus

/* It cannot tell initialisers and _Generic in macros from blocks and labels. */
/* clang-format off */

/**
 * Define `static const struct herald_schema STRUCT_schema` from the fields of `struct STRUCT`. A
 * schema may name itself in its pointers and lists.
 */
#define HERALD_SCHEMA(STRUCT, ...) HERALD_SCHEMA_WITH(STRUCT, (.doc = NULL), __VA_ARGS__)

/** HERALD_SCHEMA with options in parentheses: HERALD_SCHEMA_WITH(user, (.reject_unknown = true), ...). */
#define HERALD_SCHEMA_WITH(STRUCT, OPTIONS, ...)                                                   \
	HERALD_SCHEMA_(HERALD_SCHEMA_FORWARD_, static, STRUCT, OPTIONS, __VA_ARGS__)

/** HERALD_SCHEMA without `static`: the one definition of what HERALD_SCHEMA_DECLARE has declared. */
#define HERALD_SCHEMA_DEFINE(STRUCT, ...) HERALD_SCHEMA_DEFINE_WITH(STRUCT, (.doc = NULL), __VA_ARGS__)

/** HERALD_SCHEMA_WITH without `static`. */
#define HERALD_SCHEMA_DEFINE_WITH(STRUCT, OPTIONS, ...)                                            \
	HERALD_SCHEMA_(HERALD_SCHEMA_DECLARED_, , STRUCT, OPTIONS, __VA_ARGS__)

/**
 * A member whose kind its type tells: bool, integers, float, double, const char *, char[N],
 * struct herald_text, herald_time, herald_json, herald_map, herald_json_map. Missing or null: its zero value.
 *
 *	HERALD_FIELD(user, name, .key = "userName", .required = true, .min_bytes = 1)
 */
#define HERALD_FIELD(STRUCT, ...) HERALD_FIELD_(STRUCT, __VA_ARGS__, )
#define HERALD_FIELD_(STRUCT, MEMBER, ...)                                                         \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_OF_(STRUCT, MEMBER), __VA_ARGS__)

/**
 * The same beside a member `bool has_MEMBER`, which says whether a value that is not null was there:
 * missing, null and zero are then told apart from a value. A null and a missing member both give false
 * (but for raw JSON, where a null is a value too).
 */
#define HERALD_OPTIONAL(STRUCT, ...) HERALD_OPTIONAL_(STRUCT, __VA_ARGS__, )
#define HERALD_OPTIONAL_(STRUCT, MEMBER, ...)                                                      \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_OF_(STRUCT, MEMBER), .optional = true,                    \
		     .has_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, has_##MEMBER, bool), __VA_ARGS__)

/** An enum member, by a table `static const struct herald_name NAMES[]`. */
#define HERALD_ENUM(STRUCT, MEMBER, ...) HERALD_ENUM_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_ENUM_(STRUCT, MEMBER, NAMES, ...)                                                   \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_ENUM_OF_(STRUCT, MEMBER),                                 \
		     .names = HERALD_NAMES_(NAMES), .names_count = HERALD_COUNT(NAMES), __VA_ARGS__)

/** A struct within the struct: `struct INNER MEMBER;`. Missing or null: all of it zero. */
#define HERALD_STRUCT(STRUCT, MEMBER, ...) HERALD_STRUCT_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_STRUCT_(STRUCT, MEMBER, INNER, ...)                                                 \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_STRUCT,                                   \
		     .schema = HERALD_SCHEMA_IN_(STRUCT, MEMBER, INNER), __VA_ARGS__)

/** A pointer to a struct: `const struct INNER *MEMBER;`. NULL when missing or null. */
#define HERALD_POINTER(STRUCT, MEMBER, ...) HERALD_POINTER_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_POINTER_(STRUCT, MEMBER, INNER, ...)                                                \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_POINTER,                                  \
		     .schema = HERALD_SCHEMA_AT_(STRUCT, MEMBER, INNER), __VA_ARGS__)

/** A list of structs: `const struct INNER *MEMBER; size_t MEMBER_count;`. NULL when missing or null. */
#define HERALD_LIST(STRUCT, MEMBER, ...) HERALD_LIST_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_LIST_(STRUCT, MEMBER, INNER, ...)                                                   \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_LIST,                                     \
		     .count_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, MEMBER##_count, size_t),       \
		     .schema = HERALD_SCHEMA_AT_(STRUCT, MEMBER, INNER), __VA_ARGS__)

/**
 * A list of values: `const int32_t *MEMBER; size_t MEMBER_count;`, or of any other type that
 * HERALD_FIELD takes but char[N] and maps; strings are `const char *const *MEMBER`. The bounds of
 * numbers and strings hold for each element.
 */
#define HERALD_VALUES(STRUCT, ...) HERALD_VALUES_(STRUCT, __VA_ARGS__, )
#define HERALD_VALUES_(STRUCT, MEMBER, ...)                                                        \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_VALUES, .element = HERALD_ELEMENT_OF_(STRUCT, MEMBER),    \
		     .count_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, MEMBER##_count, size_t),       \
		     __VA_ARGS__)

/** A member that the JSON does not carry; zero after a decode. Says that it was not forgotten. */
#define HERALD_PRIVATE(STRUCT, MEMBER) HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_NONE)

/** Option of a number: the least value. */
#define HERALD_MIN(VALUE) .lower_bound = {(VALUE), true}

/** Option of a number: the greatest value. */
#define HERALD_MAX(VALUE) .upper_bound = {(VALUE), true}

/** Option of a number: both ends. */
#define HERALD_RANGE(LEAST, GREATEST) HERALD_MIN(LEAST), HERALD_MAX(GREATEST)

/** Option of a string: HERALD_ONE_OF("small", "large"). */
#define HERALD_ONE_OF(...) .one_of = (const char *const[]){__VA_ARGS__, NULL}

/* What follows is for the macros above. */

#define HERALD_UNPACK_(...) __VA_ARGS__
#define HERALD_EXPAND_(...) __VA_ARGS__ /* cppcheck expands a name before an argument only here */
#define HERALD_MEMBER_(STRUCT, MEMBER) (((struct STRUCT *)0)->MEMBER)

/*
 * A schema's lines are unions with one member, whose name holds the struct's: a line of another struct
 * initialises a member that the union does not have, and does not compile, whatever the compiler's
 * options. The union is laid out as its member, so that the lines are an array of fields.
 */
#define HERALD_SCHEMA_(BEFORE, STORAGE, STRUCT, OPTIONS, ...)                                      \
	union herald_lines_of_struct_##STRUCT {                                                    \
		struct herald_field line_of_struct_##STRUCT;                                       \
	};                                                                                         \
	BEFORE(STRUCT);                                                                            \
	static const union herald_lines_of_struct_##STRUCT STRUCT##_fields_[] = {__VA_ARGS__};     \
	STORAGE const struct herald_schema STRUCT##_schema __attribute__((unused)) = {             \
		.name = #STRUCT,                                                                   \
		.bytes = sizeof(struct STRUCT),                                                    \
		.alignment = _Alignof(struct STRUCT),                                              \
		.fields = &STRUCT##_fields_[0].line_of_struct_##STRUCT,                            \
		.fields_count = HERALD_COUNT(STRUCT##_fields_),                                    \
		HERALD_EXPAND_(HERALD_UNPACK_ OPTIONS)}

/* A schema may name itself, so it is declared before. */
#define HERALD_SCHEMA_FORWARD_(STRUCT) static const struct herald_schema STRUCT##_schema
#define HERALD_SCHEMA_DECLARED_(STRUCT)                                                            \
	_Static_assert(sizeof(STRUCT##_schema) == sizeof(struct herald_schema),                    \
		       "HERALD_SCHEMA_DECLARE comes first")

#define HERALD_LINE_(STRUCT, MEMBER, ...)                                                          \
	{.line_of_struct_##STRUCT = {.owner = #STRUCT, .name = #MEMBER,                            \
				     .offset = offsetof(struct STRUCT, MEMBER),                    \
				     .bytes = sizeof(HERALD_MEMBER_(STRUCT, MEMBER)), __VA_ARGS__}}

/* The offset of a member that must have this very type. */
#define HERALD_OFFSET_OF_TYPE_(STRUCT, MEMBER, TYPE)                                               \
	_Generic(&HERALD_MEMBER_(STRUCT, MEMBER), TYPE *: offsetof(struct STRUCT, MEMBER))

/* The schema of INNER where the member is one. */
#define HERALD_SCHEMA_IN_(STRUCT, MEMBER, INNER)                                                   \
	_Generic(&HERALD_MEMBER_(STRUCT, MEMBER), struct INNER *: &INNER##_schema)

/* The schema of INNER where the member points to one, constant or not. */
#define HERALD_SCHEMA_AT_(STRUCT, MEMBER, INNER)                                                   \
	_Generic(&HERALD_MEMBER_(STRUCT, MEMBER),                                                  \
		const struct INNER **: &INNER##_schema,                                            \
		struct INNER **: &INNER##_schema)

/* An integer kind by its signedness and size. */
#define HERALD_KIND_SIGNED_(TYPE)                                                                  \
	(sizeof(TYPE) == 8   ? HERALD_KIND_INT64                                                   \
	 : sizeof(TYPE) == 4 ? HERALD_KIND_INT32                                                   \
	 : sizeof(TYPE) == 2 ? HERALD_KIND_INT16                                                   \
			     : HERALD_KIND_INT8)
#define HERALD_KIND_UNSIGNED_(TYPE)                                                                \
	(sizeof(TYPE) == 8   ? HERALD_KIND_UINT64                                                  \
	 : sizeof(TYPE) == 4 ? HERALD_KIND_UINT32                                                  \
	 : sizeof(TYPE) == 2 ? HERALD_KIND_UINT16                                                  \
			     : HERALD_KIND_UINT8)

/* The kinds that stand for themselves, as _Generic associations with what Q makes of each type. */
#define HERALD_KIND_ASSOCIATIONS_(Q)                                                               \
	Q(bool): HERALD_KIND_BOOL,                                                                 \
	Q(signed char): HERALD_KIND_INT8,                                                          \
	Q(short): HERALD_KIND_SIGNED_(short),                                                      \
	Q(int): HERALD_KIND_SIGNED_(int),                                                          \
	Q(long): HERALD_KIND_SIGNED_(long),                                                        \
	Q(long long): HERALD_KIND_SIGNED_(long long),                                              \
	Q(unsigned char): HERALD_KIND_UINT8,                                                       \
	Q(unsigned short): HERALD_KIND_UNSIGNED_(unsigned short),                                  \
	Q(unsigned int): HERALD_KIND_UNSIGNED_(unsigned int),                                      \
	Q(unsigned long): HERALD_KIND_UNSIGNED_(unsigned long),                                    \
	Q(unsigned long long): HERALD_KIND_UNSIGNED_(unsigned long long),                          \
	Q(float): HERALD_KIND_FLOAT,                                                               \
	Q(double): HERALD_KIND_DOUBLE,                                                             \
	Q(struct herald_text): HERALD_KIND_TEXT,                                                   \
	Q(struct herald_time): HERALD_KIND_TIME,                                                   \
	Q(struct herald_json): HERALD_KIND_JSON

#define HERALD_TO_(TYPE) TYPE *
#define HERALD_TO_LIST_(TYPE) TYPE **
#define HERALD_TO_CONST_LIST_(TYPE) const TYPE **

#define HERALD_KIND_OF_(STRUCT, MEMBER)                                                            \
	(_Generic(&HERALD_MEMBER_(STRUCT, MEMBER),                                                 \
		HERALD_KIND_ASSOCIATIONS_(HERALD_TO_),                                             \
		const char **: HERALD_KIND_STRING,                                                 \
		char **: HERALD_KIND_STRING,                                                       \
		char (*)[sizeof(HERALD_MEMBER_(STRUCT, MEMBER))]: HERALD_KIND_CHARS,               \
		struct herald_map *: HERALD_KIND_MAP,                                              \
		struct herald_json_map *: HERALD_KIND_JSON_MAP) +                                  \
	 HERALD_REFUSE_(HERALD_IS_ENUM_(HERALD_MEMBER_(STRUCT, MEMBER)),                           \
			"the member is an enum: HERALD_ENUM takes it, with its names"))

/* gcc and clang give an enum the type unsigned int, or int when a value of it is negative. */
#define HERALD_KIND_ENUM_OF_(STRUCT, MEMBER)                                                       \
	_Generic(&HERALD_MEMBER_(STRUCT, MEMBER),                                                  \
		unsigned int *: HERALD_KIND_ENUM,                                                  \
		int *: HERALD_KIND_ENUM)

/* The names where they are an array of names, constant or not. */
#define HERALD_NAMES_(NAMES)                                                                       \
	_Generic(&(NAMES)[0], const struct herald_name *: (NAMES), struct herald_name *: (NAMES))

#define HERALD_ELEMENT_OF_(STRUCT, MEMBER)                                                         \
	(_Generic(&HERALD_MEMBER_(STRUCT, MEMBER),                                                 \
		HERALD_KIND_ASSOCIATIONS_(HERALD_TO_LIST_),                                        \
		HERALD_KIND_ASSOCIATIONS_(HERALD_TO_CONST_LIST_),                                  \
		const char *const **: HERALD_KIND_STRING,                                          \
		const char ***: HERALD_KIND_STRING,                                                \
		char ***: HERALD_KIND_STRING) +                                                    \
	 HERALD_REFUSE_(HERALD_IS_ENUM_(*HERALD_MEMBER_(STRUCT, MEMBER)),                          \
			"a list of enums is not supported: their values have no names"))

/*
 * Whether a value's type is an enum. _Generic alone takes an enum for the integer type that is compatible
 * with it (C11 section 6.7.2.2). But one enum is never compatible with another. So there is an enum here
 * for each integer type: only the type itself is compatible with it, and no enum of the user's. Enums are
 * as small as bytes if they are packed, or the compiler was told -fshort-enums; they are bool or long
 * long only if they say so ("enum size : bool"), which of the compilers known here clang and gcc 13 allow.
 */
enum __attribute__((packed)) herald_int8_enum_ { HERALD_INT8_MIN_ = -128, HERALD_INT8_MAX_ = 127 };
enum __attribute__((packed)) herald_uint8_enum_ { HERALD_UINT8_MAX_ = 255 };
enum __attribute__((packed)) herald_int16_enum_ { HERALD_INT16_MIN_ = -32768, HERALD_INT16_MAX_ = 32767 };
enum __attribute__((packed)) herald_uint16_enum_ { HERALD_UINT16_MAX_ = 65535 };
enum herald_int32_enum_ { HERALD_INT32_MIN_ = INT32_MIN, HERALD_INT32_MAX_ = INT32_MAX };
enum herald_uint32_enum_ { HERALD_UINT32_HALF_ = INT32_MAX };
__extension__ enum herald_int64_enum_ { HERALD_INT64_MIN_ = INT64_MIN, HERALD_INT64_MAX_ = INT64_MAX };
__extension__ enum herald_uint64_enum_ { HERALD_UINT64_MAX_ = UINT64_MAX };
#if defined(__clang__) || (__GNUC__ >= 13 && __STDC_VERSION__ > 201710L)
__extension__ enum herald_bool_enum_ : bool { HERALD_BOOL_ };
__extension__ enum herald_llong_enum_ : long long { HERALD_LLONG_ };
__extension__ enum herald_ullong_enum_ : unsigned long long { HERALD_ULLONG_ };
#define HERALD_BOOL_ENUM_ enum herald_bool_enum_
#define HERALD_LLONG_ENUM_ enum herald_llong_enum_
#define HERALD_ULLONG_ENUM_ enum herald_ullong_enum_
#else
#define HERALD_BOOL_ENUM_ bool
#define HERALD_LLONG_ENUM_ long long
#define HERALD_ULLONG_ENUM_ unsigned long long
#endif

#define HERALD_IS_ENUM_(VALUE)                                                                     \
	_Generic((VALUE),                                                                          \
		enum herald_int8_enum_: 0, enum herald_uint8_enum_: 0,                             \
		enum herald_int16_enum_: 0, enum herald_uint16_enum_: 0,                           \
		enum herald_int32_enum_: 0, enum herald_uint32_enum_: 0,                           \
		enum herald_int64_enum_: 0, enum herald_uint64_enum_: 0,                           \
		HERALD_BOOL_ENUM_: 0, HERALD_LLONG_ENUM_: 0, HERALD_ULLONG_ENUM_: 0,               \
		default: HERALD_IS_INTEGER_(VALUE))
#define HERALD_IS_INTEGER_(VALUE)                                                                  \
	_Generic((VALUE),                                                                          \
		bool: 1, signed char: 1, unsigned char: 1, short: 1, unsigned short: 1, int: 1,    \
		unsigned int: 1, long: 1, unsigned long: 1, long long: 1, unsigned long long: 1,   \
		default: 0)

/* clang-format on */

#endif /* __cplusplus */

#ifdef __cplusplus
}
#endif
#endif
