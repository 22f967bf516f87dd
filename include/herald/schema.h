/*
 * Schemas: tables that map the members of a plain C struct to the members of a JSON object.
 *
 *	struct order_line   { const char *sku; int32_t quantity; };
 *	struct order_placed {
 *		const char *order_id;
 *		const struct order_line *lines;
 *		size_t lines_count;
 *	};
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
 * macros take each member's type, offset and size from the struct. A member of an unsupported type,
 * a macro that does not fit the member, and a line of another struct do not compile. Everything
 * else (duplicate keys, overlapping members, forgotten members, options that do not fit the kind)
 * is checked when a codec or a service is created.
 *
 * To share a schema between source files, declare it in a header with
 * HERALD_SCHEMA_DECLARE(order_placed), and define it in one source file with
 * HERALD_SCHEMA_DEFINE(order_placed, ...). Schemas are compared by address, so do not put
 * HERALD_SCHEMA into a header.
 *
 * Not supported: members with _Alignas, and padding in or around an anonymous struct, which looks
 * like a forgotten member.
 *
 * The macros need C11. A C++ program defines its schemas with herald/herald.hpp, or in a C file.
 */
#ifndef HERALD_SCHEMA_H
#define HERALD_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/array.h>
#include <herald/check.h>
#include <herald/each.h>
#include <herald/export.h>
#include <herald/time.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The type of a member. HERALD_FIELD and HERALD_VALUES infer it. */
enum herald_kind {
	HERALD_KIND_NONE, /**< Not in the JSON: HERALD_PRIVATE. */
	HERALD_KIND_BOOL, /**< bool: true, false. */
	HERALD_KIND_INT8, /**< Integers: a JSON number in range, without fraction or exponent. */
	HERALD_KIND_INT16,
	HERALD_KIND_INT32,
	HERALD_KIND_INT64,
	HERALD_KIND_UINT8,
	HERALD_KIND_UINT16,
	HERALD_KIND_UINT32,
	HERALD_KIND_UINT64,
	HERALD_KIND_FLOAT,  /**< float: a JSON number, correctly rounded; an error if too large. */
	HERALD_KIND_DOUBLE, /**< double, likewise. */
	HERALD_KIND_STRING, /**< const char *: NUL-terminated; an escaped NUL is an error. */
	HERALD_KIND_TEXT,   /**< struct herald_text: may hold a NUL. */
	HERALD_KIND_CHARS,  /**< char[N]: copied, with its NUL; at most N - 1 bytes. */
	HERALD_KIND_TIME,   /**< struct herald_time: an RFC 3339 string. */
	HERALD_KIND_JSON,   /**< struct herald_json: the raw text of any value, including null. */
	HERALD_KIND_MAP,    /**< struct herald_map: an object of strings. */
	HERALD_KIND_JSON_MAP,   /**< struct herald_json_map: an object of any values. */
	HERALD_KIND_ENUM,       /**< An int-sized enum: one of the field's names. */
	HERALD_KIND_STRUCT,     /**< A struct within the struct. */
	HERALD_KIND_POINTER,    /**< A pointer to a struct; NULL when absent or null. */
	HERALD_KIND_LIST,       /**< A pointer to structs and a count. */
	HERALD_KIND_VALUES,     /**< A pointer to values of kind `element` and a count. */
	HERALD_KIND_ARRAY,      /**< T[N]: an array of N values of kind `element`. */
	HERALD_KIND_STRUCT_MAP, /**< A pointer to structs and a count: an object, in input order. */
	HERALD_KIND_KEY,        /**< const char *: the name of a member of such an object. */
	HERALD_KIND_COUNT       /**< The number of kinds. Not a kind. */
};

/** A minimum or maximum, inclusive. Use HERALD_MIN, HERALD_MAX or HERALD_RANGE to set it. */
struct herald_bound {
	/** NULL. The first member, so that compilers refuse `.lower_bound = 5`. */
	const struct herald_use_HERALD_MIN_or_HERALD_MAX_ *misplaced;
	bool is_set;       /**< False: no bound; `value` must be 0. */
	long double value; /**< Inclusive. Exact for every 64-bit integer. */
};

/** A value of an enum. If several names have the same number, the first one is encoded. */
struct herald_name {
	const char *name; /**< In JSON. */
	int value;        /**< In C. */
};

/** The value of an enum for names without a value in C. Use HERALD_UNKNOWN to set it. */
struct herald_unknown {
	/** NULL. The first member, so that compilers refuse `.unknown = 5`. */
	const struct herald_use_HERALD_UNKNOWN_ *misplaced;
	bool is_set; /**< False: other names are errors; `value` must be 0. */
	int value;   /**< In C. */
};

/** The unit of a time that is a JSON number: the time since 1970-01-01T00:00:00Z. */
enum herald_epoch {
	HERALD_EPOCH_NONE,         /**< Not a number, but an RFC 3339 string. */
	HERALD_EPOCH_SECONDS,      /**< 1700000000, or 1700000000.25. */
	HERALD_EPOCH_MILLISECONDS, /**< 1700000000250, or 1700000000250.5. */
};

/**
 * A line of a schema: one member of a struct. The macros below fill in the first block. Set the
 * options of the second block as designated initialisers. Everything is borrowed; it is usually
 * static.
 */
struct herald_field {
	const char *owner;                  /**< The struct's name, as in its schema. */
	const char *name;                   /**< The member's name in C. */
	enum herald_kind kind;              /**< The member's type. */
	enum herald_kind element;           /**< Values and arrays: the type of an element. */
	size_t offset;                      /**< offsetof the member. */
	size_t bytes;                       /**< sizeof the member. */
	bool optional;                      /**< True if there is a `bool has_NAME`. */
	size_t has_offset;                  /**< offsetof has_NAME. */
	size_t count_offset;                /**< Lists: offsetof `size_t NAME_count`. */
	const struct herald_schema *schema; /**< Structs, pointers, lists: of the inner struct. */
	size_t inner_bytes; /**< sizeof the inner struct. 0: not checked against its schema. */
	const struct herald_name *names; /**< Enums: the allowed values. */
	size_t names_count;              /**< Enums: how many. */

	const char *key;                 /**< The name in JSON. Default: as in C. */
	const char *doc;                 /**< One line for people. */
	bool required;                   /**< Missing or null is an error. */
	struct herald_bound lower_bound; /**< Numbers: set by HERALD_MIN or HERALD_RANGE. */
	struct herald_bound upper_bound; /**< Numbers: set by HERALD_MAX or HERALD_RANGE. */
	size_t min_bytes;          /**< Strings, if present: bytes after unescaping. Default 0. */
	size_t max_bytes;          /**< Likewise. Default: the codec's limits only. */
	size_t min_count;          /**< Lists and maps, if present: elements. Default 0. */
	size_t max_count;          /**< Likewise. Default: the codec's limits only. */
	const char *const *one_of; /**< Strings: the allowed values, then NULL: HERALD_ONE_OF. */

	bool nullable; /**< Lists of strings: an element may be null, which is NULL. */

	/* Tagged unions: when the line is used. Set by HERALD_WHEN and HERALD_WHEN_OTHER. */
	const char *tag;  /**< The member in C that decides. NULL: the line is always used. */
	const char *when; /**< Its value. NULL: any value that no other line names. */
	bool flat;        /**< Structs: the members are in this object, not in an inner one. */

	/* Other forms of a value in JSON. For lists: of each element. */
	bool quoted;  /**< Numbers, and values written as numbers: in a string, such as "12". */
	bool numeric; /**< bool: 0 or 1. Enums: the number in C, which must be in `names`. */
	enum herald_epoch epoch; /**< Times: a number; offset_minutes is 0. Default: RFC 3339. */
	struct herald_unknown unknown; /**< Enums: set by HERALD_UNKNOWN. */
	/**
	 * Accept what less strict senders write, too; encoding does not write it.
	 *
	 * Integers  a fraction of zeros, and exponents: 10.0, 1e3. The value must be whole.
	 * bool      0 and 1; with `numeric`: true and false.
	 * Times     a blank for 'T'; offsets such as +0130 and +01; digits after the ninth of the
	 *           fraction, which are cut; second 60, which is the next second. With `epoch`:
	 *           digits after the nanosecond, which are cut, and exponents.
	 * `quoted`  a number without quotes.
	 */
	bool lenient;
};

/** A struct and its members. Borrowed by codecs and services for as long as they live. */
struct herald_schema {
	const char *name;                  /**< The struct's name. */
	size_t bytes;                      /**< sizeof the struct. */
	size_t alignment;                  /**< _Alignof the struct. */
	const struct herald_field *fields; /**< One for each member. */
	size_t fields_count;               /**< Limit 1,000,000,000. */
	const char *doc;                   /**< One line for people. */
	bool reject_unknown;               /**< Members of the JSON without a field are errors. */
	/**
	 * The JSON is the value of the only member, not an object with that member: a list of
	 * lists, a list of elements that may be null, a payload that is an array. The other members
	 * of the struct are HERALD_PRIVATE. A null is decoded as for that member.
	 */
	bool transparent;
	const struct herald_check *check; /**< Of the struct as a whole: see herald/check.h. */
	/**
	 * Every byte of the struct must be in a line, so that a forgotten member is always
	 * detected. Give padding a member with HERALD_PRIVATE. Inner structs are checked only if
	 * their own schemas set it.
	 */
	bool no_padding;
};

/**
 * The schema of a payload of any JSON, as raw text. The struct is struct herald_json. Use it for a
 * catch-all route, or for a function that needs the text.
 */
HERALD_API extern const struct herald_schema herald_json_schema;

/**
 * The schema of a payload of any media type: JSON, text, or an image. The struct is struct
 * herald_data. For routes and the input of upcasters only. CloudEvents, and formats of your own,
 * can have such payloads; in Herald's envelope, the payload is always JSON.
 */
HERALD_API extern const struct herald_schema herald_data_schema;

/** Declare a schema in a header; HERALD_SCHEMA_DEFINE defines it in one source file. */
#define HERALD_SCHEMA_DECLARE(STRUCT) extern const struct herald_schema STRUCT##_schema

#ifndef __cplusplus

/* clang-format mistakes initialisers and _Generic in macros for blocks and labels. */
/* clang-format off */

/**
 * Define `static const struct herald_schema STRUCT_schema`, with a line for each member of `struct
 * STRUCT`. Pointers and lists may refer to the schema itself.
 */
#define HERALD_SCHEMA(STRUCT, ...) HERALD_SCHEMA_WITH(STRUCT, (.doc = NULL), __VA_ARGS__)

/** HERALD_SCHEMA with options in parentheses: HERALD_SCHEMA_WITH(user, (.reject_unknown = true),
 * ...). */
#define HERALD_SCHEMA_WITH(STRUCT, OPTIONS, ...)                                                   \
	HERALD_SCHEMA_(HERALD_SCHEMA_FORWARD_, static, STRUCT, OPTIONS, __VA_ARGS__)

/** Define a schema that HERALD_SCHEMA_DECLARE has declared. Like HERALD_SCHEMA, but not static. */
#define HERALD_SCHEMA_DEFINE(STRUCT, ...)                                                          \
	HERALD_SCHEMA_DEFINE_WITH(STRUCT, (.doc = NULL), __VA_ARGS__)

/** HERALD_SCHEMA_WITH without `static`. */
#define HERALD_SCHEMA_DEFINE_WITH(STRUCT, OPTIONS, ...)                                            \
	HERALD_SCHEMA_(HERALD_SCHEMA_DECLARED_, , STRUCT, OPTIONS, __VA_ARGS__)

/**
 * A member of one of the types bool, integers, float, double, const char *, char *, char[N], struct
 * herald_text, herald_time, herald_json, herald_map, herald_json_map. If missing or null in the
 * JSON, it is zero. Through a char *, a function may change the bytes of the string, but not make
 * it longer.
 *
 *	HERALD_FIELD(user, name, .key = "userName", .required = true, .min_bytes = 1)
 */
#define HERALD_FIELD(STRUCT, ...) HERALD_FIELD_(STRUCT, __VA_ARGS__, )
#define HERALD_FIELD_(STRUCT, MEMBER, ...)                                                         \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_OF_(STRUCT, MEMBER), __VA_ARGS__)

/**
 * A member that distinguishes missing from zero, with `bool has_MEMBER` in the struct. has_MEMBER
 * is true if the JSON has a value that is not null. For raw JSON, null is a value too.
 */
#define HERALD_OPTIONAL(STRUCT, ...) HERALD_OPTIONAL_(STRUCT, __VA_ARGS__, )
#define HERALD_OPTIONAL_(STRUCT, MEMBER, ...)                                                      \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_OF_(STRUCT, MEMBER), .optional = true,                    \
		     .has_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, has_##MEMBER, bool), __VA_ARGS__)

/** An enum member, with a table `static const struct herald_name NAMES[]` of its values. */
#define HERALD_ENUM(STRUCT, MEMBER, ...) HERALD_ENUM_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_ENUM_(STRUCT, MEMBER, NAMES, ...)                                                   \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_ENUM_OF_(STRUCT, MEMBER),                                 \
		     HERALD_NAMES_(NAMES), __VA_ARGS__)

/** HERALD_ENUM with `bool has_MEMBER`, which distinguishes missing from zero. */
#define HERALD_OPTIONAL_ENUM(STRUCT, MEMBER, ...)                                                  \
	HERALD_OPTIONAL_ENUM_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_OPTIONAL_ENUM_(STRUCT, MEMBER, NAMES, ...)                                          \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_ENUM_OF_(STRUCT, MEMBER), .optional = true,               \
		     .has_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, has_##MEMBER, bool),             \
		     HERALD_NAMES_(NAMES), __VA_ARGS__)

/** A list of enums: `const enum E *MEMBER; size_t MEMBER_count;`, with names as in HERALD_ENUM. */
#define HERALD_ENUMS(STRUCT, MEMBER, ...) HERALD_ENUMS_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_ENUMS_(STRUCT, MEMBER, NAMES, ...)                                                  \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_ENUM_AT_(STRUCT, MEMBER),  \
		     .count_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, MEMBER##_count, size_t),       \
		     HERALD_NAMES_(NAMES), __VA_ARGS__)

/** A nested struct: `struct INNER MEMBER;`. All zero if missing or null. */
#define HERALD_STRUCT(STRUCT, MEMBER, ...) HERALD_STRUCT_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_STRUCT_(STRUCT, MEMBER, INNER, ...)                                                 \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_STRUCT,                                   \
		     .schema = HERALD_SCHEMA_IN_(STRUCT, MEMBER, INNER), __VA_ARGS__)

/** A pointer to a struct: `const struct INNER *MEMBER;`. NULL if missing or null. */
#define HERALD_POINTER(STRUCT, MEMBER, ...) HERALD_POINTER_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_POINTER_(STRUCT, MEMBER, INNER, ...)                                                \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_POINTER,                                  \
		     .schema = HERALD_SCHEMA_AT_(STRUCT, MEMBER, INNER), __VA_ARGS__)

/** A list of structs: `const struct INNER *MEMBER; size_t MEMBER_count;`. NULL if missing. */
#define HERALD_LIST(STRUCT, MEMBER, ...) HERALD_LIST_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_LIST_(STRUCT, MEMBER, INNER, ...)                                                   \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_LIST,                                     \
		     .count_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, MEMBER##_count, size_t),       \
		     .schema = HERALD_SCHEMA_AT_(STRUCT, MEMBER, INNER), __VA_ARGS__)

/**
 * A list of values: `const int32_t *MEMBER; size_t MEMBER_count;`. Elements may have any type that
 * HERALD_FIELD supports except char[N] and maps; strings are `const char *const *MEMBER` or
 * `char **MEMBER`. Bounds of numbers and strings apply to each element.
 */
#define HERALD_VALUES(STRUCT, ...) HERALD_VALUES_(STRUCT, __VA_ARGS__, )
#define HERALD_VALUES_(STRUCT, MEMBER, ...)                                                        \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_VALUES, .element = HERALD_ELEMENT_OF_(STRUCT, MEMBER),    \
		     .count_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, MEMBER##_count, size_t),       \
		     __VA_ARGS__)

/**
 * A fixed array: `double MEMBER[2];`, in JSON an array of as many elements. All zero if missing or
 * null. Elements as in HERALD_VALUES.
 */
#define HERALD_ARRAY(STRUCT, ...) HERALD_ARRAY_(STRUCT, __VA_ARGS__, )
#define HERALD_ARRAY_(STRUCT, MEMBER, ...)                                                         \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_ARRAY, .element = HERALD_KIND_IN_ARRAY_(STRUCT, MEMBER),  \
		     __VA_ARGS__)

/** HERALD_ARRAY with `bool has_MEMBER`, which distinguishes missing from zero. */
#define HERALD_OPTIONAL_ARRAY(STRUCT, ...) HERALD_OPTIONAL_ARRAY_(STRUCT, __VA_ARGS__, )
#define HERALD_OPTIONAL_ARRAY_(STRUCT, MEMBER, ...)                                                \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_ARRAY, .element = HERALD_KIND_IN_ARRAY_(STRUCT, MEMBER),  \
		     .optional = true,                                                             \
		     .has_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, has_##MEMBER, bool), __VA_ARGS__)

/** A fixed array of structs: `struct INNER MEMBER[2];`. */
#define HERALD_STRUCT_ARRAY(STRUCT, MEMBER, ...) HERALD_STRUCT_ARRAY_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_STRUCT_ARRAY_(STRUCT, MEMBER, INNER, ...)                                           \
	HERALD_LINE_(STRUCT, MEMBER,                                                               \
		     .kind = HERALD_KIND_ARRAY, .element = HERALD_KIND_STRUCT,                     \
		     .schema = HERALD_SCHEMA_IN_ARRAY_(STRUCT, MEMBER, INNER), __VA_ARGS__)

/**
 * A map: `const struct INNER *MEMBER; size_t MEMBER_count;`, in JSON an object of any members, in
 * input order, without duplicate names. NULL if missing or null. Each struct is one member of the
 * object: HERALD_KEY is its name, and the other lines are the members of its value. If the schema
 * is transparent, the value is not an object:
 *
 *	struct price { const char *sku; int64_t cents; };
 *
 *	HERALD_SCHEMA_WITH(price, (.transparent = true),
 *		HERALD_KEY(price, sku),
 *		HERALD_FIELD(price, cents));
 *
 *	HERALD_MAP(catalog, prices, price, .max_count = 100)
 */
#define HERALD_MAP(STRUCT, MEMBER, ...) HERALD_MAP_(STRUCT, MEMBER, __VA_ARGS__, )
#define HERALD_MAP_(STRUCT, MEMBER, INNER, ...)                                                    \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_STRUCT_MAP,                               \
		     .count_offset = HERALD_OFFSET_OF_TYPE_(STRUCT, MEMBER##_count, size_t),       \
		     .schema = HERALD_SCHEMA_AT_(STRUCT, MEMBER, INNER), __VA_ARGS__)

/**
 * The name of a member of a HERALD_MAP: `const char *MEMBER;`. A schema with this line is for the
 * elements of a HERALD_MAP only.
 */
#define HERALD_KEY(STRUCT, MEMBER)                                                                 \
	HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_KEY_OF_(STRUCT, MEMBER))

/**
 * A tagged union: `union {...} MEMBER;`. The value of another member, TAG, decides which member of
 * the union is used. In the JSON, the union has the key "MEMBER"; TAG may come before or after it.
 * TAG is a string or an enum. It is required, and cannot be `quoted`.
 *
 *	enum shape_kind { SHAPE_CIRCLE, SHAPE_SQUARE };
 *	struct shape {
 *		enum shape_kind kind;
 *		union {
 *			struct circle circle;
 *			struct square square;
 *		} body;
 *	};
 *
 *	HERALD_SCHEMA(shape,
 *		HERALD_ENUM(shape, kind, shape_kinds, .required = true),
 *		HERALD_VARIANT(shape, body, kind,
 *			HERALD_CASE("circle", circle),
 *			HERALD_CASE("square", square)));
 *
 *	{"kind": "circle", "body": {"radius": 2}}
 *
 * A string without a case is an error, unless there is a HERALD_CASE_OTHER, or HERALD_ONE_OF of TAG
 * lists it. A name of an enum without a case is allowed. Without a case, the union has no value.
 * Limit 64 cases; for more, write the lines with HERALD_WHEN.
 */
#define HERALD_VARIANT(STRUCT, MEMBER, TAG, ...)                                                   \
	HERALD_VARIANT_WITH(STRUCT, MEMBER, TAG, (.doc = NULL), __VA_ARGS__)

/** HERALD_VARIANT with options of its lines in parentheses: (.key = "data", .required = true). */
#define HERALD_VARIANT_WITH(STRUCT, MEMBER, TAG, OPTIONS, ...)                                     \
	HERALD_EACH_(HERALD_CASE_LINE_, (_in_union_, STRUCT, MEMBER, TAG, OPTIONS), __VA_ARGS__)

/**
 * HERALD_VARIANT whose members are in the same object as the tag, not in one of their own:
 *
 *	{"kind": "circle", "radius": 2}
 */
#define HERALD_FLAT_VARIANT(STRUCT, MEMBER, TAG, ...)                                              \
	HERALD_VARIANT_WITH(STRUCT, MEMBER, TAG, (.flat = true), __VA_ARGS__)

/** HERALD_VARIANT for `const void *MEMBER;`, which points to the case's struct. NULL if missing. */
#define HERALD_POINTER_VARIANT(STRUCT, MEMBER, TAG, ...)                                           \
	HERALD_POINTER_VARIANT_WITH(STRUCT, MEMBER, TAG, (.doc = NULL), __VA_ARGS__)

/** HERALD_POINTER_VARIANT with options of its lines. */
#define HERALD_POINTER_VARIANT_WITH(STRUCT, MEMBER, TAG, OPTIONS, ...)                             \
	HERALD_EACH_(HERALD_CASE_LINE_, (_at_pointer_, STRUCT, MEMBER, TAG, OPTIONS), __VA_ARGS__)

/**
 * A case: HERALD_CASE("circle", circle), or HERALD_CASE("circle", round, circle) if the union's
 * member `round` is a struct circle. The member may be a pointer to the struct, too. VALUE is the
 * text of the tag in the JSON or, for an enum, its name in the enum's table, also if the enum is
 * `numeric`.
 */
#define HERALD_CASE(VALUE, ...) HERALD_CASE_(HERALD_CASE_TEXT_(VALUE), __VA_ARGS__, __VA_ARGS__, )
#define HERALD_CASE_(VALUE, MEMBER, INNER, ...) (HERALD_CASE_STRUCT, VALUE, MEMBER, INNER)

/** A case that is not a struct, but of a type that HERALD_FIELD takes. */
#define HERALD_CASE_FIELD(VALUE, MEMBER)                                                           \
	(HERALD_CASE_VALUE, HERALD_CASE_TEXT_(VALUE), MEMBER, )

/**
 * The case of all other tags: HERALD_CASE_OTHER(raw), of a type that HERALD_FIELD takes, such as
 * struct herald_json; or HERALD_CASE_OTHER(any, any_shape), a struct.
 */
#define HERALD_CASE_OTHER(...)                                                                     \
	HERALD_CASE_OTHER_(__VA_ARGS__, HERALD_CASE_STRUCT, HERALD_CASE_VALUE, )
#define HERALD_CASE_OTHER_(MEMBER, INNER, TYPE, ...) (TYPE, NULL, MEMBER, INNER)

/**
 * Option of a line: it is used only if the member TAG has this value. Lines with different values
 * may share memory and keys. HERALD_VARIANT writes such lines. Write them yourself for unions
 * without a name, for several members in a case, and for lists and other types.
 *
 *	HERALD_STRUCT(shape, circle, circle, .key = "body", HERALD_WHEN(kind, "circle"))
 *	HERALD_VALUES(shape, corners, .key = "body", HERALD_WHEN(kind, "polygon"))
 */
#define HERALD_WHEN(TAG, VALUE) HERALD_TAG_(TAG), .when = HERALD_CASE_TEXT_(VALUE)

/** HERALD_WHEN for all values that no other line names. */
#define HERALD_WHEN_OTHER(TAG) HERALD_TAG_(TAG), .when = NULL

/**
 * A member that is not in the JSON. Decoding sets it to zero. One member of a union that has cases
 * may be private, or the whole union: then it shares their memory, and after decoding it has what
 * the case has stored there: `HERALD_PRIVATE(shape, body.cache)`.
 */
#define HERALD_PRIVATE(STRUCT, MEMBER) HERALD_LINE_(STRUCT, MEMBER, .kind = HERALD_KIND_NONE)

/** Option of a number: the least value. */
#define HERALD_MIN(VALUE) .lower_bound = {NULL, true, (VALUE)}

/** Option of a number: the greatest value. */
#define HERALD_MAX(VALUE) .upper_bound = {NULL, true, (VALUE)}

/** Option of a number: both ends. */
#define HERALD_RANGE(LEAST, GREATEST) HERALD_MIN(LEAST), HERALD_MAX(GREATEST)

/** Option of a string: HERALD_ONE_OF("small", "large"). */
#define HERALD_ONE_OF(...)                                                                         \
	.one_of = HERALD_REFUSE_NO_TEXT_(__VA_ARGS__, ) + (const char *const[]){__VA_ARGS__, NULL}

/**
 * Option of an enum: other names, or other integers if it is `numeric`, decode to this value. It
 * can be encoded only if it has a name. But a 0 without a name is omitted, not refused, if the
 * member is neither required nor optional.
 */
#define HERALD_UNKNOWN(VALUE) .unknown = {NULL, true, (VALUE)}

/* What follows is for the macros above. */

#define HERALD_UNPACK_(...) __VA_ARGS__
#define HERALD_EXPAND_(...) __VA_ARGS__ /* cppcheck expands a name before an argument only here */
#define HERALD_MEMBER_(STRUCT, MEMBER) (((struct STRUCT *)0)->MEMBER)

/*
 * Each line is a union with one member, line_of_struct_STRUCT. A line of another struct would
 * initialise a member that this union does not have, so it does not compile, regardless of the
 * compiler's options. A union with one member has that member's layout, so an array of such unions
 * can be read as an array of fields.
 */
#define HERALD_SCHEMA_(BEFORE, STORAGE, STRUCT, OPTIONS, ...)                                      \
	HERALD_ASSERT_(HERALD_IN_PARENTHESES_(OPTIONS),                                            \
		       "the options of the schema of struct " #STRUCT                              \
		       " must be in parentheses: (.doc = ...)");                                   \
	HERALD_ASSERT_(sizeof(HERALD_TEXT_OF_FIRST_(__VA_ARGS__, )) > 1,                           \
		       "the schema of struct " #STRUCT " needs a line for each member");           \
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
#define HERALD_TEXT_OF_FIRST_(FIRST, ...) #FIRST

/* 1 if an argument is in parentheses, else 0. */
#define HERALD_IN_PARENTHESES_(ARGUMENT)                                                           \
	HERALD_SECOND_OF_(HERALD_EXPAND_(HERALD_PARENTHESES_ ARGUMENT), 0, )
#define HERALD_PARENTHESES_(...) , 1
#define HERALD_SECOND_OF_(...) HERALD_SECOND_(__VA_ARGS__)
#define HERALD_SECOND_(FIRST, SECOND, ...) SECOND

/* An array of texts, or numbers, would only be a warning of many compilers. */
#define HERALD_REFUSE_NO_TEXT_(FIRST, ...)                                                         \
	HERALD_REFUSE_(_Generic((FIRST), char *: 0, const char *: 0, default: 1),                  \
		       "HERALD_ONE_OF lists texts: HERALD_ONE_OF(\"small\", \"large\")")

/* A schema may refer to itself, so it is declared first. */
#define HERALD_SCHEMA_FORWARD_(STRUCT) static const struct herald_schema STRUCT##_schema
#define HERALD_SCHEMA_DECLARED_(STRUCT)                                                            \
	HERALD_ASSERT_(sizeof(STRUCT##_schema) == sizeof(struct herald_schema),                    \
		       "HERALD_SCHEMA_DECLARE(" #STRUCT ") comes first")

#define HERALD_LINE_(STRUCT, MEMBER, ...)                                                          \
	{.line_of_struct_##STRUCT = {.owner = #STRUCT, .name = #MEMBER,                            \
				     .offset = offsetof(struct STRUCT, MEMBER),                    \
				     .bytes = sizeof(HERALD_MEMBER_(STRUCT, MEMBER)), __VA_ARGS__}}

/* The offset of a member that must have this very type. */
#define HERALD_OFFSET_OF_TYPE_(STRUCT, MEMBER, TYPE)                                               \
	(offsetof(struct STRUCT, MEMBER) +                                                         \
	 HERALD_REFUSE_(!_Generic(&HERALD_MEMBER_(STRUCT, MEMBER), TYPE *: 1, default: 0),         \
			#STRUCT "." #MEMBER " must be a " #TYPE))

/*
 * The text of a case. The number of an enum is refused: 0 would be a null pointer, which is the
 * case of all other tags.
 */
#define HERALD_CASE_TEXT_(VALUE)                                                                   \
	(_Generic((VALUE), char *: (VALUE), const char *: (VALUE), default: (const char *)0) +     \
	 HERALD_REFUSE_(_Generic((VALUE), char *: 0, const char *: 0, default: 1),                 \
			"the value of a case must be the text of the tag in JSON or, for an enum, "\
			"its name in the table of the enum; all other values are "                 \
			"HERALD_CASE_OTHER or HERALD_WHEN_OTHER"))

/* The name of a tag. A string does not compile. */
#define HERALD_TAG_(TAG)                                                                           \
	.tag = &(#TAG)[0 * sizeof(HERALD_TEXT_OF_FIRST_(write_the_tag_without_quotes_##TAG, ))]

/*
 * A line of a variant. The context says where the value is: _in_union_ or _at_pointer_. The case
 * begins with its type: HERALD_CASE_STRUCT, HERALD_CASE_VALUE, or HERALD_CASE_MISSING.
 */
#define HERALD_CASE_LINE_(CONTEXT, CASE)                                                           \
	HERALD_CASE_LINE_IF_(HERALD_IN_PARENTHESES_(CASE), CONTEXT, CASE)
#define HERALD_CASE_LINE_IF_(IS_CASE, CONTEXT, CASE) HERALD_CASE_LINE_IF2_(IS_CASE, CONTEXT, CASE)
#define HERALD_CASE_LINE_IF2_(IS_CASE, CONTEXT, CASE) HERALD_CASE_LINE_##IS_CASE##_(CONTEXT, CASE)
#define HERALD_CASE_LINE_1_(CONTEXT, CASE)                                                         \
	HERALD_CASE_EXPANDED_(HERALD_UNPACK_ CONTEXT, HERALD_UNPACK_ CASE)
#define HERALD_CASE_LINE_0_(CONTEXT, CASE)                                                         \
	HERALD_CASE_EXPANDED_(HERALD_UNPACK_ CONTEXT, HERALD_CASE_MISSING, )
#define HERALD_CASE_EXPANDED_(...) HERALD_CASE_PASTED_(__VA_ARGS__)
#define HERALD_CASE_PASTED_(PLACE, STRUCT, MEMBER, TAG, OPTIONS, TYPE, ...)                        \
	TYPE##PLACE(STRUCT, MEMBER, TAG, OPTIONS, __VA_ARGS__)

#define HERALD_CASE_STRUCT_in_union_(STRUCT, MEMBER, TAG, OPTIONS, VALUE, CASE, INNER)             \
	HERALD_VARIANT_LINE_(STRUCT, MEMBER, MEMBER.CASE, TAG, OPTIONS, VALUE,                     \
		HERALD_REFUSE_NO_UNION_(STRUCT, MEMBER),                                           \
		.kind = HERALD_KIND_OF_CASE_(STRUCT, MEMBER.CASE, INNER),                          \
		.schema = &INNER##_schema)
#define HERALD_CASE_VALUE_in_union_(STRUCT, MEMBER, TAG, OPTIONS, VALUE, CASE, NOTHING)            \
	HERALD_VARIANT_LINE_(STRUCT, MEMBER, MEMBER.CASE, TAG, OPTIONS, VALUE,                     \
		HERALD_REFUSE_NO_UNION_(STRUCT, MEMBER),                                           \
		.kind = HERALD_KIND_OF_(STRUCT, MEMBER.CASE))
#define HERALD_CASE_STRUCT_at_pointer_(STRUCT, MEMBER, TAG, OPTIONS, VALUE, CASE, INNER)           \
	HERALD_VARIANT_LINE_(STRUCT, MEMBER, MEMBER, TAG, OPTIONS, VALUE, 0,                       \
		.kind = HERALD_KIND_OF_POINTED_(STRUCT, MEMBER),                                   \
		.schema = &INNER##_schema)
#define HERALD_CASE_VALUE_at_pointer_(STRUCT, MEMBER, ...)                                         \
	{.line_of_struct_##STRUCT = {                                                              \
		 .offset = HERALD_REFUSE_(1, #STRUCT "." #MEMBER                                   \
					     " points to structs: its cases are HERALD_CASE")}}
#define HERALD_CASE_MISSING_in_union_(STRUCT, MEMBER, ...)                                         \
	{.line_of_struct_##STRUCT = {                                                              \
		 .offset = HERALD_REFUSE_(1, "the variant " #STRUCT "." #MEMBER                    \
					     " needs its tag, and then cases: HERALD_CASE, "       \
					     "HERALD_CASE_FIELD or HERALD_CASE_OTHER")}}
#define HERALD_CASE_MISSING_at_pointer_(STRUCT, MEMBER, ...)                                       \
	HERALD_CASE_MISSING_in_union_(STRUCT, MEMBER, )

#define HERALD_REFUSE_NO_UNION_(STRUCT, MEMBER)                                                    \
	HERALD_REFUSE_(__builtin_classify_type(HERALD_MEMBER_(STRUCT, MEMBER)) != 12 &&            \
			       __builtin_classify_type(HERALD_MEMBER_(STRUCT, MEMBER)) != 13,      \
		       #STRUCT "." #MEMBER " must be a union; after it comes its tag: "            \
		       "HERALD_VARIANT(" #STRUCT ", member, tag, ...)")

/* The default key is NAME, the union. TAG must be a member of the struct. */
#define HERALD_VARIANT_LINE_(STRUCT, NAME, MEMBER, TAG, OPTIONS, VALUE, ZERO, ...)                 \
	{.line_of_struct_##STRUCT = {                                                              \
		 .owner = #STRUCT, .name = #NAME,                                                  \
		 .names_count = ZERO +                                                             \
			HERALD_REFUSE_(!HERALD_IN_PARENTHESES_(OPTIONS),                           \
				       "the options of the variant " #STRUCT "." #NAME             \
				       " must be in parentheses: (.doc = ...)"),                   \
		 HERALD_TAG_(TAG),                                                                 \
		 .offset = offsetof(struct STRUCT, MEMBER) + 0 * offsetof(struct STRUCT, TAG),     \
		 .bytes = sizeof(HERALD_MEMBER_(STRUCT, MEMBER)), .when = (VALUE),                 \
		 __VA_ARGS__, HERALD_EXPAND_(HERALD_UNPACK_ OPTIONS)}}

/* First in a line, because without INNER the rest of it does not compile. */
#define HERALD_REFUSE_NO_INNER_(STRUCT, MEMBER, INNER)                                             \
	HERALD_REFUSE_(sizeof(#INNER) == 1,                                                        \
		       "after " #STRUCT "." #MEMBER " comes the name of its struct, the one that " \
		       "has a schema")

/* The schema of INNER, if the member is a struct INNER. */
#define HERALD_SCHEMA_IN_(STRUCT, MEMBER, INNER)                                                   \
	(HERALD_REFUSE_NO_INNER_(STRUCT, MEMBER, INNER) + &INNER##_schema +                        \
	 HERALD_REFUSE_(                                                                           \
		 !_Generic(&HERALD_MEMBER_(STRUCT, MEMBER), struct INNER *: 1, default: 0),        \
		 #STRUCT "." #MEMBER " must be a struct " #INNER                                   \
		 ": a pointer to one is HERALD_POINTER"))

/* The schema of INNER, if the member is a pointer to a struct INNER, constant or not. */
#define HERALD_SCHEMA_AT_(STRUCT, MEMBER, INNER)                                                   \
	(HERALD_REFUSE_NO_INNER_(STRUCT, MEMBER, INNER) + &INNER##_schema +                        \
	 HERALD_REFUSE_(!_Generic(&HERALD_MEMBER_(STRUCT, MEMBER),                                 \
				  const struct INNER **: 1, struct INNER **: 1, default: 0),       \
			#STRUCT "." #MEMBER " must be a pointer to struct " #INNER                 \
			": a struct itself is HERALD_STRUCT, a list of values HERALD_VALUES"))

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

/*
 * The types with a kind of their own, as _Generic associations. Q is applied to each type: it makes
 * the type to compare with.
 */
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
	HERALD_KIND_CHECKED_(HERALD_MEMBER_(STRUCT, MEMBER), #STRUCT "." #MEMBER)
#define HERALD_KIND_CHECKED_(VALUE, NAME)                                                          \
	(HERALD_KIND_OF_VALUE_(VALUE) +                                                            \
	 HERALD_REFUSE_(HERALD_IS_ENUM_(VALUE),                                                    \
			NAME " is an enum: use HERALD_ENUM, with its names") +                     \
	 HERALD_REFUSE_(HERALD_UNFIT_(VALUE) == 1,                                                 \
			NAME " is const or volatile: decoding could not set it") +                 \
	 HERALD_REFUSE_(HERALD_UNFIT_(VALUE) == 2,                                                 \
			NAME " is a struct: use HERALD_STRUCT, with its schema") +                 \
	 HERALD_REFUSE_(HERALD_UNFIT_(VALUE) == 3,                                                 \
			NAME " is a pointer that HERALD_FIELD does not support: use "              \
			     "HERALD_POINTER, HERALD_LIST or HERALD_VALUES") +                     \
	 HERALD_REFUSE_(HERALD_UNFIT_(VALUE) == 5,                                                 \
			NAME " is an array: use HERALD_ARRAY, or HERALD_STRUCT_ARRAY") +           \
	 HERALD_REFUSE_(HERALD_UNFIT_(VALUE) == 6,                                                 \
			NAME " is a union: use HERALD_VARIANT, with its tag and cases") +          \
	 HERALD_REFUSE_(HERALD_UNFIT_(VALUE) == 4,                                                 \
			NAME " has a type that HERALD_FIELD does not support"))

/* Why a value has no kind. */
#define HERALD_UNFIT_(VALUE)                                                                       \
	(HERALD_KIND_OF_VALUE_(VALUE) != 0	    ? 0                                            \
	 : HERALD_IS_QUALIFIED_(VALUE)		    ? 1                                            \
	 : __builtin_classify_type(VALUE) == 12 /* a struct */ ? 2                                 \
	 : HERALD_IS_LIST_(VALUE)		    ? 3                                            \
	 : HERALD_IS_ADDRESS_(VALUE)		    ? 5                                            \
	 : __builtin_classify_type(VALUE) == 13 /* a union */ ? 6                                  \
						    : 4)
#define HERALD_IS_QUALIFIED_(VALUE)                                                                \
	(_Generic(&(VALUE), const __typeof__(VALUE) *: 1, default: 0) ||                           \
	 _Generic(&(VALUE), volatile __typeof__(VALUE) *: 1, default: 0))

/* The kind of a value, 0 if its type has none. */
#define HERALD_KIND_OF_VALUE_(VALUE)                                                               \
	_Generic(&(VALUE),                                                                         \
		HERALD_KIND_ASSOCIATIONS_(HERALD_TO_),                                             \
		const char **: HERALD_KIND_STRING,                                                 \
		char **: HERALD_KIND_STRING,                                                       \
		char (*)[sizeof(VALUE)]: HERALD_KIND_CHARS,                                        \
		struct herald_map *: HERALD_KIND_MAP,                                              \
		struct herald_json_map *: HERALD_KIND_JSON_MAP,                                    \
		default: 0)

/* gcc and clang give an enum the type unsigned int, or int when a value of it is negative. */
#define HERALD_KIND_ENUM_OF_(STRUCT, MEMBER)                                                       \
	(HERALD_KIND_ENUM +                                                                        \
	 HERALD_REFUSE_(!_Generic(&HERALD_MEMBER_(STRUCT, MEMBER), unsigned int *: 1, int *: 1,    \
				  default: 0),                                                     \
			#STRUCT "." #MEMBER " must be an enum, as large as an int: "               \
			"a list is HERALD_ENUMS, a string with fixed values HERALD_ONE_OF"))

/* Compares enums, not pointers: clang tells `const enum e *` from `const unsigned int *`. */
#define HERALD_KIND_ENUM_AT_(STRUCT, MEMBER)                                                       \
	(HERALD_KIND_ENUM +                                                                        \
	 HERALD_REFUSE_(!HERALD_IS_ADDRESS_(HERALD_MEMBER_(STRUCT, MEMBER)) ||                     \
				!HERALD_IS_POINTER_(                                               \
					HERALD_IF_ADDRESS_(HERALD_MEMBER_(STRUCT, MEMBER))) ||     \
				!_Generic(HERALD_TARGET_(HERALD_MEMBER_(STRUCT, MEMBER)),          \
					  unsigned int: 1, int: 1, default: 0),                    \
			#STRUCT "." #MEMBER " must be a pointer to enums, as large as an int"))

/* The names, which must be an array of names, constant or not. */
#define HERALD_NAMES_(NAMES)                                                                       \
	.names_count = HERALD_REFUSE_(sizeof(#NAMES) == 1, "the names of the enum are missing") +       \
		       HERALD_COUNT(NAMES),                                                        \
	.names = (NAMES) + HERALD_REFUSE_(!_Generic(&(NAMES)[0], const struct herald_name *: 1,    \
						    struct herald_name *: 1, default: 0),          \
					  #NAMES " must be an array of struct herald_name")

#define HERALD_ELEMENT_OF_(STRUCT, MEMBER)                                                         \
	(HERALD_KIND_OF_LIST_(HERALD_MEMBER_(STRUCT, MEMBER)) +                                    \
	 HERALD_REFUSE_(HERALD_IS_ENUM_(HERALD_TARGET_(HERALD_MEMBER_(STRUCT, MEMBER))),           \
			"the elements of " #STRUCT "." #MEMBER                                     \
			" are enums: use HERALD_ENUMS, with their names") +                        \
	 HERALD_REFUSE_(HERALD_KIND_OF_LIST_(HERALD_MEMBER_(STRUCT, MEMBER)) == 0,                 \
			#STRUCT "." #MEMBER " must be a pointer to values that HERALD_VALUES "     \
			"supports: a list of structs is HERALD_LIST, an array HERALD_ARRAY"))
#define HERALD_KIND_OF_LIST_(VALUE)                                                                \
	_Generic(&(VALUE),                                                                         \
		HERALD_KIND_ASSOCIATIONS_(HERALD_TO_LIST_),                                        \
		HERALD_KIND_ASSOCIATIONS_(HERALD_TO_CONST_LIST_),                                  \
		const char *const **: HERALD_KIND_STRING,                                          \
		const char ***: HERALD_KIND_STRING,                                                \
		char ***: HERALD_KIND_STRING,                                                      \
		default: 0)

/* What a pointer points to; an int, if the value is not a pointer or an array. */
#define HERALD_TARGET_(VALUE) (*HERALD_IF_ADDRESS_(VALUE))
#define HERALD_IF_ADDRESS_(VALUE)                                                                  \
	__builtin_choose_expr(HERALD_IS_ADDRESS_(VALUE), (VALUE), (int *)0)

/* Whether a value is a pointer, or an array. */
#define HERALD_IS_ADDRESS_(VALUE) (__builtin_classify_type(VALUE) == 5)

#define HERALD_KIND_KEY_OF_(STRUCT, MEMBER)                                                        \
	(HERALD_KIND_KEY +                                                                         \
	 HERALD_REFUSE_(!_Generic(&HERALD_MEMBER_(STRUCT, MEMBER), const char **: 1, char **: 1,   \
				  default: 0),                                                     \
			#STRUCT "." #MEMBER " must be a const char *, because a name in JSON is "  \
			"a string"))

/* The kind of the elements of an array. `char` has none, so that char[N] is a string only. */
#define HERALD_KIND_IN_ARRAY_(STRUCT, MEMBER)                                                      \
	(HERALD_KIND_OF_ELEMENT_(HERALD_MEMBER_(STRUCT, MEMBER)) +                                 \
	 HERALD_REFUSE_(!HERALD_IS_ADDRESS_(HERALD_MEMBER_(STRUCT, MEMBER)),                       \
			#STRUCT "." #MEMBER " must be an array, such as double[2]") +              \
	 HERALD_REFUSE_(HERALD_IS_LIST_(HERALD_MEMBER_(STRUCT, MEMBER)),                           \
			#STRUCT "." #MEMBER " is a pointer: use HERALD_VALUES, with its count") +  \
	 HERALD_REFUSE_(HERALD_IS_ENUM_(HERALD_TARGET_(HERALD_MEMBER_(STRUCT, MEMBER))),           \
			#STRUCT "." #MEMBER " is an array of enums, which is not supported: use "  \
			"HERALD_ENUMS") +                                                          \
	 HERALD_REFUSE_(HERALD_KIND_OF_ELEMENT_(HERALD_MEMBER_(STRUCT, MEMBER)) == 0,              \
			"the elements of " #STRUCT "." #MEMBER " have a type that HERALD_ARRAY "   \
			"does not support: an array of structs is HERALD_STRUCT_ARRAY, char[N] "   \
			"HERALD_FIELD"))
#define HERALD_KIND_OF_ELEMENT_(VALUE)                                                             \
	_Generic(&HERALD_TARGET_(VALUE),                                                           \
		HERALD_KIND_ASSOCIATIONS_(HERALD_TO_),                                             \
		const char **: HERALD_KIND_STRING,                                                 \
		char **: HERALD_KIND_STRING,                                                       \
		default: 0)

/* Whether a value is a pointer. An array is not: after a comma, its type becomes a pointer. */
#define HERALD_IS_LIST_(VALUE)                                                                     \
	(HERALD_IS_ADDRESS_(VALUE) &&                                                              \
	 __builtin_types_compatible_p(__typeof__(VALUE), __typeof__(((void)0, (VALUE)))))

/* The schema of INNER, if the member is an array of struct INNER. */
#define HERALD_SCHEMA_IN_ARRAY_(STRUCT, MEMBER, INNER)                                             \
	(HERALD_REFUSE_NO_INNER_(STRUCT, MEMBER, INNER) + &INNER##_schema +                        \
	 HERALD_REFUSE_(                                                                           \
		 !_Generic(&HERALD_MEMBER_(STRUCT, MEMBER),                                        \
			 struct INNER(*)[sizeof(HERALD_MEMBER_(STRUCT, MEMBER)) /                  \
					 sizeof(struct INNER)]: 1,                                 \
			 default: 0),                                                              \
		 #STRUCT "." #MEMBER " must be an array of struct " #INNER                         \
		 ": a pointer to them is HERALD_LIST, with its count"))

/* The kind of a case: the union has either the struct or a pointer to it. */
#define HERALD_KIND_OF_CASE_(STRUCT, MEMBER, INNER)                                                \
	(_Generic(&HERALD_MEMBER_(STRUCT, MEMBER),                                                 \
		struct INNER *: HERALD_KIND_STRUCT,                                                \
		const struct INNER **: HERALD_KIND_POINTER,                                        \
		struct INNER **: HERALD_KIND_POINTER,                                              \
		default: 0) +                                                                      \
	 HERALD_REFUSE_(_Generic(&HERALD_MEMBER_(STRUCT, MEMBER),                                  \
				 struct INNER *: 0, const struct INNER **: 0, struct INNER **: 0,  \
				 default: 1),                                                      \
			#STRUCT "." #MEMBER " must be a struct " #INNER                            \
			", or a pointer to one: other types are HERALD_CASE_FIELD"))

/* The kind of a HERALD_POINTER_VARIANT. */
#define HERALD_KIND_OF_POINTED_(STRUCT, MEMBER)                                                    \
	(HERALD_KIND_POINTER +                                                                     \
	 HERALD_REFUSE_(!_Generic(&HERALD_MEMBER_(STRUCT, MEMBER), const void **: 1, void **: 1,   \
				  default: 0),                                                     \
			#STRUCT "." #MEMBER " must be a const void *, because it points to "       \
			"different structs"))

/*
 * Whether a value's type is an enum. An enum is compatible with an integer type (C11 section
 * 6.7.2.2), so _Generic cannot tell them apart. But two enums are never compatible. So there is an
 * enum here for each integer type: values of the integer type match it, other enums do not. With
 * `packed` or -fshort-enums, enums are as small as bytes. Only clang and gcc 13 allow enums of bool
 * and long long ("enum size : bool").
 */
enum __attribute__((packed)) herald_int8_enum_ { HERALD_INT8_MIN_ = -128, HERALD_INT8_MAX_ = 127 };
enum __attribute__((packed)) herald_uint8_enum_ { HERALD_UINT8_MAX_ = 255 };
enum __attribute__((packed)) herald_int16_enum_ {
	HERALD_INT16_MIN_ = -32768,
	HERALD_INT16_MAX_ = 32767
};
enum __attribute__((packed)) herald_uint16_enum_ { HERALD_UINT16_MAX_ = 65535 };
enum herald_int32_enum_ { HERALD_INT32_MIN_ = INT32_MIN, HERALD_INT32_MAX_ = INT32_MAX };
enum herald_uint32_enum_ { HERALD_UINT32_HALF_ = INT32_MAX };
__extension__ enum herald_int64_enum_ {
	HERALD_INT64_MIN_ = INT64_MIN,
	HERALD_INT64_MAX_ = INT64_MAX
};
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
