/*
 * What `herald generate` writes: structs, enums and their tables, before they are text.
 */
#ifndef HERALD_CMD_C_MODEL_H
#define HERALD_CMD_C_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/buffer.h>

#include "memory_map.h"

enum c_kind {
	C_JSON,       /* struct herald_json */
	C_BOOL,       /* bool */
	C_NUMBER,     /* an integer or double: `number` */
	C_STRING,     /* const char * */
	C_TEXT,       /* struct herald_text */
	C_TIME,       /* struct herald_time */
	C_STRING_MAP, /* struct herald_map */
	C_JSON_MAP,   /* struct herald_json_map */
	C_ENUM,       /* enum `names` */
	C_STRUCT,     /* struct `target`, or a pointer to it */
	C_LIST,       /* a pointer to `element`s and a count */
	C_ARRAY,      /* `count` elements in the struct */
	C_UNION,      /* a union of `cases`, which `tag` tells apart */
	C_MAP,        /* a pointer to structs with a key, `target`, and a count */
};

struct c_type {
	enum c_kind kind;
	const char *number; /* "int32_t" */
	struct c_struct *target;
	const struct c_enum *names;
	const struct c_type *element; /* not a list, an array or a map: those are in a struct */
	size_t count;
	struct memory_list cases; /* struct c_case */
	const char *tag;          /* the name of a member that is an enum */
	bool is_flat;             /* members of the cases are in the same object as the tag */
	bool is_nullable;
	const char *min, *max;                             /* as C writes them; NULL: none */
	size_t min_bytes, max_bytes, min_count, max_count; /* 0: none */
	const char *only;                                  /* of strings: the one value */
	struct memory_list notes; /* sentences for people: what C or Herald cannot say */
};

/* A member of a union. */
struct c_case {
	const char *name;
	struct memory_list values; /* of the tag, struct herald_text; one at least */
	const struct c_struct *target;
	bool is_pointer;
};

struct c_member {
	const char *name;
	struct herald_text key; /* the name in JSON */
	const char *doc;        /* may be NULL */
	struct c_type type;
	bool is_required;
	bool is_pointer; /* of C_STRUCT */
	bool is_key;     /* the name of a member of a map */
};

struct c_struct {
	const char *name, *doc;
	struct memory_list members; /* struct c_member */
	struct memory_list notes;   /* sentences */
	struct memory_map used;     /* names that its members have */
	bool rejects_unknown, is_transparent;
	bool is_complete;
};

struct c_value {
	const char *name; /* in C */
	struct herald_text json;
};

struct c_enum {
	const char *name, *doc;
	struct memory_list values; /* struct c_value */
	bool is_numeric;           /* in JSON, values are numbers */
};

/* A payload, and the type of events that have it. */
struct c_route {
	const char *type, *function;    /* each once */
	const struct c_struct *payload; /* NULL: any JSON */
	struct memory_list notes;       /* sentences */
};

struct c_model {
	struct herald_arena *arena;
	const char *name;           /* of the files, and the prefix of all names */
	struct memory_list sources; /* names of files */
	const char *source_kind;    /* what they are: "sample" */
	const char *doc;
	struct memory_list notes;   /* sentences about the payload as a whole */
	struct memory_list structs; /* struct c_struct; each after those it holds */
	struct memory_list enums;   /* struct c_enum */
	struct memory_list routes;  /* struct c_route */
	struct memory_map used;     /* names at file scope */
};

/* Whether a name can be the one of files and structs: an identifier that is not reserved. */
bool c_name_is_valid(const char *name);

/* "orderId" becomes "order_id", "Größe" becomes "groesse". Never empty: `other` if there is no
 * letter or digit. */
char *c_name_of(struct herald_arena *arena, struct herald_text text, const char *other);

/* "lines" becomes "line". What has no singular, such as "news", remains. */
char *c_name_singular(struct herald_arena *arena, const char *name);

/* A name that no other has, with the prefix of the model: "shop_line", or "shop_line_2". */
char *c_name_take(struct c_model *model, const char *name);

/* Use a name, which no other gets then. */
void c_name_use(struct herald_arena *arena, struct memory_map *used, const char *name);

/* The name `wanted`, or if it is used, the first of NAME_2, NAME_3 that is not. */
char *c_name_take_free(struct herald_arena *arena, struct memory_map *used, char *wanted);

/* Begin a struct, whose name is free. c_struct_end() adds it to the model. */
struct c_struct *c_struct_begin(struct c_model *model, const char *name);
void c_struct_end(struct c_model *model, struct c_struct *out);

/* Add a member. Its name is made of the key, and differs from all others. */
struct c_member *c_struct_add(struct c_model *model, struct c_struct *out, struct herald_text key,
			      const struct c_type *type, bool is_required);

/* The name of a member that no other has: for the members of a union. */
const char *
c_member_name_take(struct c_model *model, struct memory_map *used, struct herald_text key);

/* Add the member that holds the names of a map. */
void c_struct_add_key(struct c_model *model, struct c_struct *out);

/* An enum of these names, or numbers as JSON and C write them (struct herald_text). */
const struct c_enum *c_enum_add(struct c_model *model, const char *name,
				const struct memory_list *values, bool are_numbers);

/* Whether a member distinguishes missing from zero by a bool has_NAME. */
bool c_member_has_flag(const struct c_member *member);

/* Write NAME.h and NAME.c to buffers. */
void c_write_header(struct c_model *model, struct herald_buffer *out);
void c_write_source(struct c_model *model, struct herald_buffer *out);

#endif
