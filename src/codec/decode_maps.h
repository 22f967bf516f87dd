/*
 * Decoding of maps: of strings, of any values, and of structs.
 *
 * A part of decode_object.c, its only includer, in the middle of it: maps of structs and objects
 * call each other, and compiling both together is faster. Private.
 */
#ifndef HERALD_SRC_CODEC_DECODE_MAPS_H
#define HERALD_SRC_CODEC_DECODE_MAPS_H

static char *decode_transparent(struct herald__reader *reader, char *at,
				const struct herald__field *field, char *out);

/* read_entry_key() for keys with escapes, and for those that are not directly followed by their
 * colon. */
HERALD__NOT_INLINE static char *
read_other_key(struct herald__reader *reader, char *at, const char **key)
{
	struct herald__string name;

	if (!(at = read_key(reader, at, &name)))
		return NULL;
	if (name.nul)
		return fail_nul(reader, name.nul);
	*key = name.data;
	return read_colon(reader, at);
}

/* Read the key of an entry and its colon. Returns the place of the value. */
static HERALD__INLINE char *
read_entry_key(struct herald__reader *reader, char *at, const char **key)
{
	char *close;

	if (*at != '"' || *(close = herald__next_special(reader, at + 1)) != '"' ||
	    close[1] != ':' || (size_t)(close - at) - 1 > reader->limits->max_key_bytes)
		return read_other_key(reader, at, key);
	*close = '\0';
	*key = at + 1;
	return herald__skip_blank(reader, close + 2);
}

/* Decode a member of a map of structs. */
HERALD__NOT_INLINE static char *
decode_keyed(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out)
{
	const char *key;

	if (!(at = read_entry_key(reader, at, &key)))
		return NULL;
	*(const char **)(void *)(out + plan->key_offset) = key;
	/* Maps of numbers and strings are of transparent structs. */
	if (plan->special == HERALD__TRANSPARENT)
		at = decode_transparent(reader, at, &plan->fields[0], out);
	else
		at = decode_object(reader, at, plan, out);
	if (!at)
		herald__trace_key(&reader->trace, key, strlen(key));
	return at;
}

/* Decode the members of a map of structs. Returns the place after its closing brace. */
static char *
decode_keyed_members(struct herald__reader *reader, char *at, const struct herald__field *field,
		     struct herald__list *list)
{
	for (;; at++) {
		void *item = begin_item(reader, &at, field, list);

		if (!item || !(at = decode_keyed(reader, at, field->inner,
						 memset(item, 0, list->item_bytes))))
			return NULL;
		if (at == reader->end)
			return herald__fail_syntax(reader, at, "',' or '}'");
		at = herald__skip_blank(reader, at);
		if (*at == '}')
			return at + 1;
		if (*at != ',')
			return herald__fail_syntax(reader, at, "',' or '}'");
	}
}

static char *check_keys(struct herald__reader *reader, const struct herald__list *list,
			size_t key_offset, char *after);

HERALD__NOT_INLINE static char *
decode_struct_map(struct herald__reader *reader, char *at, const struct herald__field *field,
		  char *out, size_t *count)
{
	struct herald__list list = {.item_bytes = field->item_bytes};

	at = decode_between(reader, at, field, &list, '{', decode_keyed_members, out, count);
	return check_keys(reader, &list, field->inner->key_offset, at);
}

/* The common beginning of an entry of either kind of map. */
struct __attribute__((may_alias)) entry {
	const char *key;
	const char *text;
};

_Static_assert(offsetof(struct herald_pair, key) == offsetof(struct entry, key) &&
		       offsetof(struct herald_pair, value) == offsetof(struct entry, text) &&
		       offsetof(struct herald_json_pair, key) == offsetof(struct entry, key) &&
		       offsetof(struct herald_json_pair, text) == offsetof(struct entry, text),
	       "the same layout");

static char *
decode_entry_string(struct herald__reader *reader, char *at, struct entry *entry)
{
	struct herald__string value;

	if (!(at = read_string(reader, at, "a string", &value)))
		return NULL;
	if (value.nul)
		return fail_nul(reader, value.nul);
	entry->text = value.data;
	return at;
}

/* Decode a value other than a string, in a map of any values. */
static char *
decode_entry_json(struct herald__reader *reader, char *at, struct herald_json_pair *pair)
{
	char *after = herald__skip_unwanted(reader, at);

	if (!after)
		return NULL;
	pair->json = (struct herald_json){at, (size_t)(after - at)};
	if (*at == 'n')
		pair->text = "";
	else if (*at == '{' || *at == '[')
		pair->text = NULL;
	/* The JSON has no room for a NUL after it, so copy it. */
	else if (!(pair->text = herald_arena_copy(reader->arena, at, pair->json.bytes)))
		return herald__fail_memory(reader, at);
	return after;
}

/* Decode the value of an entry of either kind of map. */
static inline char *
decode_entry_value(struct herald__reader *reader, char *at, enum herald_kind kind,
		   struct entry *entry)
{
	if (kind == HERALD_KIND_JSON_MAP) {
		struct herald_json_pair *pair = (struct herald_json_pair *)(void *)entry;

		if (*at != '"')
			return decode_entry_json(reader, at, pair);
		pair->json = (struct herald_json){NULL, 0};
	} else if (herald__is_word(reader, at, "null", 4)) {
		entry->text = "";
		return at + 4;
	}
	return decode_entry_string(reader, at, entry);
}

/* Decode an entry of either kind of map. */
static char *
decode_entry(struct herald__reader *reader, char *at, enum herald_kind kind, struct entry *entry)
{
	if (!(at = read_entry_key(reader, at, &entry->key)))
		return NULL;
	if (!(at = decode_entry_value(reader, at, kind, entry)))
		herald__trace_key(&reader->trace, entry->key, strlen(entry->key));
	return at;
}

/* Returns `after`, or NULL if a key is duplicated. */
static HERALD__INLINE char *
check_keys(struct herald__reader *reader, const struct herald__list *list, size_t key_offset,
	   char *after)
{
	size_t scratch_bytes = herald__duplicate_scratch(list->count);
	void *scratch = NULL;
	const char *twice;

	if (!after)
		return NULL;
	if (scratch_bytes > 0 && !(scratch = herald__arena_take(reader->arena, scratch_bytes)))
		return herald__fail_memory(reader, after - 1);
	twice = herald__find_duplicate(list->items + key_offset, list->item_bytes, list->count,
				       scratch);
	if (!twice)
		return after;
	herald__fail(reader, twice - 1, HERALD_DUPLICATE, "is a duplicate member");
	herald__trace_key(&reader->trace, twice, strlen(twice));
	return NULL;
}

static char *
decode_entries(struct herald__reader *reader, char *at, const struct herald__field *field,
	       struct herald__list *list)
{
	for (;; at++) {
		struct entry *entry = begin_item(reader, &at, field, list);

		if (!entry ||
		    !(at = decode_entry(reader, at, (enum herald_kind)field->kind, entry)))
			return NULL;
		/* As in decode_elements(): the value may have taken the document's last bracket.
		 * With a function for both ends, a map of four would take 0.6 % longer. */
		if (at == reader->end)
			return herald__fail_syntax(reader, at, "',' or '}'");
		at = herald__skip_blank(reader, at);
		if (*at == '}')
			return at + 1;
		if (*at != ',')
			return herald__fail_syntax(reader, at, "',' or '}'");
	}
}

_Static_assert(sizeof(struct herald_json_map) == sizeof(struct herald_map) &&
		       offsetof(struct herald_json_map, pairs) ==
			       offsetof(struct herald_map, pairs) &&
		       offsetof(struct herald_json_map, count) ==
			       offsetof(struct herald_map, count),
	       "the same layout");

/* Decode either kind of map. */
HERALD__NOT_INLINE static char *
decode_map(struct herald__reader *reader, char *at, const struct herald__field *field, char *out)
{
	bool of_strings = field->kind == HERALD_KIND_MAP;
	struct herald__list list = {.item_bytes = of_strings ? sizeof(struct herald_pair)
							     : sizeof(struct herald_json_pair)};

	if (of_strings && *at != '{')
		return herald__fail_type(reader, at, "an object of strings");
	at = decode_between(reader, at, field, &list, '{', decode_entries, out,
			    (size_t *)(void *)(out + offsetof(struct herald_map, count)));
	return check_keys(reader, &list, 0, at);
}

#endif
