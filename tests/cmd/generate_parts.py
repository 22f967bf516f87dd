"""What `herald generate` makes of parts of schemas, for generate.py."""

S7 = "http://json-schema.org/draft-07/schema#"


def branch(kind, **members):
    """An alternative of a tagged union."""
    return {"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}, **members}}


CLOSED = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}

# (schema, which may be text, lines that the header has, lines that the source has)
PARTS = [
    # Types of integers: the narrowest that holds both bounds.
    *[({"properties": {"a": {"type": "integer", "minimum": low, "maximum": high}}},
       [f"\t{name} a;"], [f"\tHERALD_OPTIONAL(p, a{bounds}));"])
      for low, high, name, bounds in (
          (0, 255, "uint8_t", ""), (0, 256, "uint16_t", ", HERALD_MAX(256)"),
          (-128, 127, "int8_t", ""), (-1, 128, "int16_t", ", HERALD_RANGE(-1, 128)"),
          (0, 65535, "uint16_t", ""), (-32768, 32767, "int16_t", ""),
          (0, 2 ** 32 - 1, "uint32_t", ""), (-2 ** 31, 2 ** 31 - 1, "int32_t", ""),
          (0, 2 ** 64 - 1, "uint64_t", ""), (-2 ** 63, 2 ** 63 - 1, "int64_t", ""),
          (1, 2 ** 63, "uint64_t", ", HERALD_RANGE(1, UINT64_C(9223372036854775808))"))],
    ({"properties": {"a": {"type": "integer"}}}, ["\tint64_t a;", "\tbool has_a;"],
     ["\tHERALD_OPTIONAL(p, a));"]),
    ({"properties": {"a": {"type": "integer", "maximum": 5}}}, ["\tint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MAX(5)));"]),
    ({"properties": {"a": {"type": "number", "minimum": 10 ** 30}}}, ["\tdouble a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(1000000000000000000000000000000.0)));"]),
    # Bounds of integers that are not written as integers are rounded inwards.
    *[({"properties": {"a": {"type": "integer", **bounds}}}, [f"\t{name} a;"],
       [f"\tHERALD_OPTIONAL(p, a{text}));"])
      for bounds, name, text in (
          ({"minimum": 1.0, "maximum": 10.0}, "uint8_t", ", HERALD_RANGE(1, 10)"),
          ({"minimum": 0.5, "maximum": 1e3}, "uint16_t", ", HERALD_RANGE(1, 1000)"),
          ({"minimum": -1.5, "maximum": 1.5}, "int8_t", ", HERALD_RANGE(-1, 1)"),
          ({"exclusiveMinimum": 1.5, "exclusiveMaximum": 9.5}, "uint8_t", ", HERALD_RANGE(2, 9)"),
          ({"exclusiveMinimum": 1.0, "exclusiveMaximum": 9.0}, "uint8_t", ", HERALD_RANGE(2, 8)"),
          ({"exclusiveMinimum": -1.5, "exclusiveMaximum": -0.5}, "int8_t",
           ", HERALD_RANGE(-1, -1)"),
          ({"exclusiveMinimum": 2 ** 63}, "uint64_t",
           ", HERALD_MIN(UINT64_C(9223372036854775809))"))],
    ({"properties": {"a": {"type": "integer", "minimum": 1e30}}},
     ["\t/* Not checked: minimum. */", "\tint64_t a;"], ["\tHERALD_OPTIONAL(p, a));"]),
    # At the ends of 64 bits.
    *[({"properties": {"a": {"type": "integer", **bounds}}}, [f"\t{name} a;", *notes],
       [f"\tHERALD_OPTIONAL(p, a{text}));"])
      for bounds, name, notes, text in (
          ({"exclusiveMaximum": -2 ** 63}, "int64_t", ["\t/* Not checked: exclusiveMaximum. */"], ""),
          ({"exclusiveMaximum": -2 ** 63 + 1}, "int64_t", [], ", HERALD_MAX(INT64_MIN)"),
          ({"exclusiveMinimum": 2 ** 64 - 1}, "int64_t", ["\t/* Not checked: exclusiveMinimum. */"], ""),
          ({"exclusiveMinimum": 2 ** 64 - 2}, "uint64_t", [],
           ", HERALD_MIN(UINT64_C(18446744073709551615))"),
          ({"exclusiveMinimum": -2 ** 63}, "int64_t", [], ", HERALD_MIN(-9223372036854775807)"),
          ({"exclusiveMinimum": -2 ** 63, "exclusiveMaximum": 2 ** 63 - 1}, "int64_t", [],
           ", HERALD_RANGE(-9223372036854775807, 9223372036854775806)"),
          ({"minimum": 0, "exclusiveMaximum": 2 ** 63}, "uint64_t", [],
           ", HERALD_MAX(9223372036854775807)"))],
    # A format does not override given lengths.
    *[({"properties": {"a": {"type": "string", "format": "uuid", **lengths}}}, [],
       [f"\tHERALD_FIELD(p, a, {text}));"])
      for lengths, text in (
          ({}, ".min_bytes = 36, .max_bytes = 36"), ({"maxLength": 64}, ".min_bytes = 36, .max_bytes = 36"),
          ({"maxLength": 20}, ".max_bytes = 80"), ({"minLength": 40}, ".min_bytes = 40"))],
    # Lengths are characters; one character, not "1 characters".
    *[({"properties": {"a": {"type": "string", **lengths}}}, [f"\t/* {text} */"], [])
      for lengths, text in (
          ({"minLength": 40, "maxLength": 40}, "Exactly 40 characters."),
          ({"minLength": 1, "maxLength": 1}, "Exactly 1 character."),
          ({"maxLength": 1}, "At most 1 character."), ({"minLength": 2}, "At least 2 characters."),
          ({"maxLength": 0}, "Exactly 0 characters."),
          ({"minLength": 1, "maxLength": 3}, "1 to 3 characters."))],
    # However they are written, they are exact beyond 2 to the power of 53.
    ('{"properties": {"a": {"type": "integer", "minimum": 9007199254740993.0,'
     '"maximum": 9.007199254740995e15}}}', ["\tuint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(9007199254740993, 9007199254740995)));"]),
    ('{"properties": {"a": {"type": "integer", "minimum": -9007199254740993.5,'
     '"exclusiveMaximum": 9007199254740993.0}}}', ["\tint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(-9007199254740993, 9007199254740992)));"]),
    ({"properties": {"a": {"type": "integer", "minimum": -0.5, "maximum": 0.5}}}, ["\tuint8_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MAX(0)));"]),
    ({"properties": {"a": {"type": "integer", "maximum": -0.5}}}, ["\tint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MAX(-1)));"]),
    # A maximum that no int64_t exceeds is left out.
    ({"properties": {"a": {"type": "integer", "minimum": -5, "maximum": 2 ** 64 - 1}}},
     ["\t/* Refused: integers above 9223372036854775807. */", "\tint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(-5)));"]),
    ({"properties": {"a": {"type": "integer", "maximum": 2 ** 64 - 1}}},
     ["\t/* Refused: integers above 9223372036854775807. */", "\tint64_t a;"], ["\tHERALD_OPTIONAL(p, a));"]),
    # Numbers that a double rounds to 0: a compiler warns of them.
    *[('{"properties": {"a": {"type": "number", %s}}}' % schema,
       [line], [f"\tHERALD_OPTIONAL(p, a, {text}));"])
      for schema, line, text in (
          ('"minimum": 1e-400', "\t/* Not checked: the bound 1e-400, which is 0 as a double. */", "HERALD_MIN(0)"),
          ('"maximum": -1e-330', "\t/* Not checked: the bound -1e-330, which is 0 as a double. */", "HERALD_MAX(0)"),
          (f'"minimum": 0.{"0" * 400}1', f"\t * Not checked: the bound 0.{'0' * 38}..., which is 0 as a",
           "HERALD_MIN(0)"),
          ('"const": 1e-400', "\t/* Not checked: the bound 1e-400, which is 0 as a double. */",
           "HERALD_RANGE(0, 0)"))],
    ('{"properties": {"a": {"enum": [0.5, 1e-400]}}}', ["\tdouble a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(0, 0.5)));"]),
    # Two bounds that are one double; the exclusive one is mentioned although the other is tighter.
    *[({"properties": {"a": {"type": "number", first: exact + step, second: exact}}},
       [f"\t/* Not checked: {second}, but its value is allowed. */"], [])
      for first, second, exact, step in (
          ("maximum", "exclusiveMaximum", -2 ** 63, -1), ("minimum", "exclusiveMinimum", 2 ** 63, 1))],
    ({"properties": {"a": {"type": "number", "minimum": 5e-324}}}, [], ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(5e-324)));"]),
    # Counts that no signed type holds.
    *[({"properties": {"a": {**schema, **bounds}}}, [], [f"\t{macro}(p, a, {text}));"])
      for schema, macro, bounds, text in (
          ({"items": {}}, "HERALD_VALUES", {"minItems": 2 ** 64}, ".min_count = 18446744073709551615u"),
          ({"items": {}}, "HERALD_VALUES", {"minItems": 2 ** 63 - 1}, ".min_count = 9223372036854775807"),
          ({"items": {}}, "HERALD_VALUES", {"minItems": 9007199254740993}, ".min_count = 9007199254740993"),
          ({"items": {}}, "HERALD_VALUES", {"maxItems": 2 ** 64 - 2}, ".max_count = 18446744073709551614u"),
          ({"type": "string"}, "HERALD_FIELD", {"minLength": 2 ** 63}, ".min_bytes = 9223372036854775808u"),
          ({"type": "object"}, "HERALD_FIELD", {"minProperties": 2 ** 64 - 1},
           ".min_count = 18446744073709551615u"))],
    # Integers of a list, without those that are none.
    ({"properties": {"a": {"type": "integer", "enum": [1.5, 2]}}}, ["\tuint8_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(2, 2)));"]),
    ({"properties": {"a": {"type": "integer", "oneOf": [{"const": 1.5}, {"const": 2}, {"const": 4}]}}},
     ["\tP_A_2 = 2,"], ['\t{"4", P_A_4},']),
    *[({"properties": {"a": {"type": "integer", **values}}},
       ["\t/* Never valid: no integer is in every enum. */", "\tint64_t a;"], ["\tHERALD_OPTIONAL(p, a));"])
      for values in ({"const": 1.5}, {"enum": [0.5, 1.5]})],
    # A table with bounds that exclude each other would be refused.
    *[({"properties": {"a": {"type": kind, **bounds}}},
       [f"\t/* Never valid: {reason} */"], [line])
      for kind, bounds, reason, line in (
          ("integer", {"minimum": 5, "maximum": 3},
           "the smallest integer allowed is 5, and the largest 3.", "\tHERALD_OPTIONAL(p, a));"),
          ("integer", {"exclusiveMinimum": 3, "maximum": 3},
           "the smallest integer allowed is 4, and the largest 3.", "\tHERALD_OPTIONAL(p, a));"),
          ("number", {"minimum": 5.5, "maximum": 3}, "minimum 5.5 is greater than maximum 3.",
           "\tHERALD_OPTIONAL(p, a));"),
          ("string", {"minLength": 5, "maxLength": 3}, "minLength 5 is greater than maxLength 3.",
           "\tHERALD_FIELD(p, a));"),
          ("array", {"minItems": 5, "maxItems": 3, "items": {"type": "string"}},
           "minItems 5 is greater than maxItems 3.", "\tHERALD_VALUES(p, a));"),
          ("object", {"minProperties": 5, "maxProperties": 3,
                      "additionalProperties": {"type": "integer"}},
           "minProperties 5 is greater than maxProperties 3.", "\tHERALD_MAP(p, a, p_a_entry));"))],
    # Of several bounds, the tightest counts.
    *[({"properties": {"a": {"type": "number", "allOf": [first, second]}}}, ["\tdouble a;"],
       [f"\tHERALD_OPTIONAL(p, a, {text}));"])
      for one, other, text in (
          ({"minimum": 1}, {"minimum": 2.5}, "HERALD_MIN(2.5)"),
          ({"maximum": 1}, {"maximum": 2.5}, "HERALD_MAX(1)"),
          ({"minimum": 1}, {"exclusiveMinimum": 3}, "HERALD_MIN(3)"),
          ({"maximum": 4}, {"exclusiveMaximum": 3}, "HERALD_MAX(3)"))
      for first, second in ((one, other), (other, one))],
    ({"properties": {"a": {"type": "number", "minimum": 1, "exclusiveMinimum": 1}}},
     ["\t/* Not checked: exclusiveMinimum, but its value is allowed. */"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(1)));"]),
    ({"properties": {"a": {"type": "number", "minimum": -2 ** 63}}}, [],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(INT64_MIN)));"]),
    # Bounds of any length.
    ({"properties": {"a": {"type": "number", "minimum": 10 ** 300, "maximum": 10 ** 301}}}, [],
     [f"\t\tHERALD_RANGE({10 ** 300}.0, {10 ** 301}.0)));"]),
    ({"properties": {"a": {"type": "array", "items": {"type": "boolean"}, "maxItems": 0}}},
     ["\t/* Not checked: maxItems 0. */"], []),
    # Values that all of several lists have.
    ({"properties": {"a": {"allOf": [{"enum": ["x"]}, {"const": "y"}]}}},
     ["\t/* Never valid: no value is in every enum. */", "\tconst char *a;"], []),
    # Integers that are listed, in every way.
    *[({"properties": {"a": a}}, ["enum p_a {", "\tP_A_3 = 3,", "\tP_A_MINUS_1 = -1,", "\tenum p_a a;", "\tbool has_a;"],
       ['\t{"3", P_A_3},', "\tHERALD_OPTIONAL_ENUM(p, a, p_a_names, .numeric = true));"])
      for a in ({"enum": [3, -1]}, {"type": "integer", "enum": [3.0, -1, "x", 3]}, {"enum": [3, -1, None]},
                {"oneOf": [{"const": 3}, {"const": -1}]}, {"anyOf": [{"const": 3}, {"enum": [-1, 3]}]},
                {"type": "integer", "enum": [5, 3, -1], "maximum": 4},
                {"type": "integer", "enum": [5, 3, -1], "exclusiveMaximum": 5},
                {"allOf": [{"enum": [3, -1, 5]}, {"enum": [7, -1, 3]}]},
                {"enum": [7, 3, -1], "oneOf": [{"const": 3}, {"const": -1}]},
                {"anyOf": [{"const": 3}, {"const": -1}, {"const": 7}], "oneOf": [{"const": -1}, {"const": 3}]})],
    ({"properties": {"a": {"items": {"enum": [1, 2]}}}}, ["\tconst enum p_a *a;"],
     ["\tHERALD_ENUMS(p, a, p_a_names, .numeric = true));"]),
    ({"properties": {"a": {"enum": [1, 2]}, "b": {"enum": ["1", "2"]}}, "required": ["a"]},
     ["\tP_A_1 = 1,", "\tP_B_1,"],
     ["\tHERALD_ENUM(p, a, p_a_names, .numeric = true, .required = true),"]),
    ({"properties": {"a": {"enum": [-2 ** 31, 2 ** 31 - 1]}}},
     ["\tP_A_MINUS_2147483648 = -2147483648,", "\tP_A_2147483647 = 2147483647,"], []),
    # One value, and those that are not an int, are bounds.
    ({"properties": {"a": {"const": 5}}}, ["\tuint8_t a;"], ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(5, 5)));"]),
    ({"properties": {"a": {"enum": [2 ** 31, 1]}}},
     ["\t/* Not checked: that it is one of 2 values. */", "\tuint32_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(1, 2147483648)));"]),
    ({"properties": {"a": {"enum": list(range(501))}}}, ["\t/* Not checked: that it is one of 501 values. */", "\tint64_t a;"], []),
    ({"properties": {"a": {"type": "number", "enum": [2.5, -1, 0.5]}}},
     ["\t/* Not checked: that it is one of 3 values. */", "\tdouble a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(-1, 2.5)));"]),
    ({"properties": {"a": {"allOf": [{"enum": [1, 2]}, {"enum": [3]}]}}},
     ["\t/* Never valid: no integer is in every enum. */", "\tint64_t a;"], ["\tHERALD_OPTIONAL(p, a));"]),
    ({"properties": {"a": {"type": "boolean", "const": True}}}, ["\t/* Not checked: that it is always the same. */"], []),
    # Values with a NUL, which no string of C holds.
    *[({"properties": {"a": {"enum": values}}},
       ["\t/* Not checked: that it is one of %d value%s. */" % (len(values), "s"[len(values) == 1:]),
        "\tstruct herald_text a;"], ["\tHERALD_FIELD(p, a));"]) for values in (["\0", "a"], ["a\0"])],
    ({"properties": {"a": {"const": "\0"}}}, ["\tstruct herald_text a;"], []),
    ({"properties": {"a": {"items": {"enum": ["a", "b\0", None]}}}}, ["\tstruct herald_text value;"], []),
    # Names.
    ({"properties": {"a": {}, "A": {}, "a_2": {}}},
     ["\tstruct herald_json a;", "\tstruct herald_json a_2;", "\tstruct herald_json a_2_2;"],
     ['\tHERALD_FIELD(p, a_2, .key = "A"),', '\tHERALD_FIELD(p, a_2_2, .key = "a_2"));']),
    ({"properties": {"x": {"type": "boolean"}, "has_x": {"type": "boolean"}}},
     ["\tbool x;", "\tbool has_x;", "\tbool has_x_2;", "\tbool has_has_x_2;"], []),
    ({"properties": {"日本": {}}}, ["\tstruct herald_json member;"],
     ['\tHERALD_FIELD(p, member, .key = "日本"));']),
    # A struct with members that are never valid, or whose name has a NUL, only.
    *[(schema, [f"\t/* {reason} */", "\tstruct herald_json_map value;"], ["\tHERALD_FIELD(p, value, .required = true));"])
      for schema, reason in (
          ({"properties": {"a": False}}, "Not checked: that members are missing that are never valid: a."),
          ({"properties": {"a": False}, "required": ["a"]},
           "Never valid: it requires members that are never valid: a."),
          ({"type": "object", "allOf": [{"properties": {"a": {}}}, {"properties": {"a": False}}]},
           "Not checked: that members are missing that are never valid: a."),
          ({"properties": {"a": {"$ref": "#/$defs/no"}, "b": {"allOf": [True, False]}}, "$defs": {"no": False}},
           "Not checked: that members are missing that are never valid: a, b."))],
    ({"properties": {"x": {"properties": {"a": False}}, "y": {}}}, ["\tstruct herald_json_map x;"], []),
    # With additionalProperties: false, the table refuses members that are never valid, too.
    ({"properties": {"a": False, "b": {}}, "additionalProperties": False}, ["struct p {"],
     ["\t(.reject_unknown = true),"]),
    ({"properties": {"a\0": {}, "b": {}}, "additionalProperties": False},
     ["/* Left out: a member whose name has a NUL. Others are not refused. */"], ["HERALD_SCHEMA_DEFINE(p,"]),
    ({"properties": {"a\0": {}}},
     ["\t * Raw JSON: the name of a member has a NUL.", "\t * Not checked: properties."], []),
    ({"oneOf": [branch("x", d={"properties": {"z": False}}), branch("y", d={"properties": {"z": {}}})]},
     ["\tstruct herald_json_map d;"], []),
    ({"oneOf": [branch("x", z=False), branch("y", b={})]},
     ['/* With the tag "x": Not checked: that members are missing that are never valid: z. */'],
     ['\t\tHERALD_CASE("y", y, p_y)));']),
    ({"oneOf": [{"type": "object", "required": ["k\0"], "properties": {"k\0": {"const": value}}} for value in "xy"]},
     [" * One of the alternatives of oneOf."], []),
    # What nothing checks is named, also of raw JSON.
    *[({"properties": {"a": schema}}, lines, [])
      for schema, *lines in (
          ({"type": "array", "minItems": 3}, "\t * An array of anything.", "\t * Not checked: minItems 3."),
          ({"type": ["string", "integer"], "minimum": 3, "maxLength": 5},
           "\t * Not checked: minimum 3, maxLength 5."),
          ({"enum": ["a", 1, True]}, '\t * Not checked: enum ["a", 1, true].'),
          ({"not": {"type": "null"}}, "\t/* Not checked: not. */"),
          ({"not": False}, "\tstruct herald_json a;"),
          ({"enum": ["x", "yy"], "minLength": 2}, "\t/* Not checked: minLength. */"),
          ({"type": "string", "format": "date-time", "maxLength": 20, "minLength": 20},
           "\t/* Not checked: minLength, maxLength. */"),
          ({"oneOf": [{"type": "string"}, {"type": "boolean"}], "const": "x"}, '\tstruct herald_json a;'),
          ({"type": "object", "propertyNames": False}, "\t/* Not checked: propertyNames false. */"),
          ({"type": "object", "unevaluatedProperties": False},
           "\t/* Not checked: unevaluatedProperties false. */"),
          ({"type": "object", "unevaluatedProperties": True}, "\tstruct herald_json_map a;"),
          ({"items": {"type": "string"}, "enum": [["a"], ["b"]]}, '\t/* Not checked: enum [["a"], ["b"]]. */'),
          ({"items": {"type": "string"}, "const": ["a"]}, '\t/* Not checked: const ["a"]. */'),
          ({"properties": {"b": {}}, "const": {"b": 1}}, "\tconst struct p_a *a;"),
          ({"items": False}, "\t/* Not checked: that it is empty. No element is valid. */"),
          ({"anyOf": [False, {"type": "boolean"}]}, "\tbool a;"),
          ({"additionalProperties": {"minimum": 3, "type": ["number", "string"]}},
           "\tconst struct p_a_entry *a;", "\t * Not checked: minimum 3."),
          ({"additionalProperties": {"not": {"type": "null"}}}, "\t/* Not checked: additionalProperties. */"))],
    # Values that no integer of 64 bits has, or no literal of C.
    *[({"properties": {"a": schema}}, [f"\t{kind} a;", *lines], [])
      for schema, kind, *lines in (
          ({"enum": [10 ** 30]}, "int64_t",
           "\t/* Never valid: no value of its enum is an integer of 64 bits. */"),
          ({"const": 2 ** 64}, "int64_t", "\t/* Never valid: no value of its enum is an integer of 64 bits. */"),
          ({"enum": [2 ** 64 - 1, 2 ** 64]}, "uint64_t", "\t * Not checked: that it is one of 2 values.",
           "\t * Refused: values of its enum that have more than 64 bits."),
          ({"const": 2 ** 64 - 1}, "uint64_t"))],
    *[({"properties": {"a": schema}}, ["\tconst char *a;", line], [])
      for schema, line in (
          ({"const": "x" * 4096}, "\t/* Not checked: that it is one of 1 value. */"),
          ({"enum": ["x" * 4096, "y"]}, "\t/* Not checked: that it is one of 2 values. */"))],
    ({"properties": {"a": {"const": "x" * 4095}}}, ["\tconst char *a;"], []),
    ({"oneOf": [branch("x" * 4096, b={}), branch("y", c={})]},
     [" * Not a union: no member that all require has different strings or integers in each."], []),
    # A number is one type, an alternative of another type is not valid.
    ({"type": "number", "minimum": 5}, ["\tdouble value;"], ["\tHERALD_FIELD(p, value, .required = true, HERALD_MIN(5)));"]),
    ({"properties": {"a": {"type": "number", "oneOf": [branch("x", b={}), branch("y", c={})]}}},
     ["\t/* Never valid. */"], []),
    # Patterns of names are not checked.
    ({"properties": {"a": {"patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False}}},
     ["\t/*", "\t * Not checked: additionalProperties."], []),
    ({"properties": {"a": {"patternProperties": {"^x": {"type": "string"}}}}},
     ["\t * Refused: members of other types whose names do not match the pattern."], []),
    # Members without a schema of their own.
    *[({"properties": {"a": {}}, "additionalProperties": more, **patterns}, lines, [])
      for more, patterns, lines in (
          ({"type": "integer"}, {}, [" * Other members are not kept.", " * Not checked: additionalProperties."]),
          ({"maxLength": 1}, {}, [" * Not checked: additionalProperties."]),
          ({}, {}, ["/* Other members are not kept. */"]), ({"title": "T"}, {}, ["/* Other members are not kept. */"]),
          (False, {"patternProperties": {"^x": {}}},
           [" * Not checked: patternProperties.", " * Not checked: additionalProperties."]))],
    # One of several schemas forbids the members of the others.
    ({"properties": {"a": {}}, "additionalProperties": False, "allOf": [{"properties": {"b": {}}}]},
     ["/* Not checked: additionalProperties, which forbids some of these. */"], ["\t(.reject_unknown = true),"]),
    ({"properties": {"a": {"type": "string", "maxLength": 0}}}, ["\t/* Exactly 0 characters. */"],
     ['\tHERALD_FIELD(p, a, HERALD_ONE_OF("")));']),
    # A number tells the alternatives apart.
    ({"oneOf": [branch(1, b={}), branch(2.0, c={}), {"type": "object", "required": ["kind"], "properties": {
        "kind": {"type": "integer", "enum": [-3, 4]}, "d": {}}}]},
     ["\tP_KIND_1 = 1,", "\tP_KIND_MINUS_3 = -3,", "\tenum p_kind kind;", "\t\tstruct p_n_1 n_1;"],
     ["\tHERALD_ENUM(p, kind, p_kind_names, .numeric = true, .required = true),",
      '\t\tHERALD_CASE("1", n_1, p_n_1),', '\t\tHERALD_CASE("2", n_2, p_n_2),',
      '\t\tHERALD_CASE("-3", n_minus_3, p_n_minus_3),', '\t\tHERALD_CASE("4", n_minus_3, p_n_minus_3)));']),
    ({"oneOf": [branch(-1, b={}), branch(1, c={})]},
     ["\tP_KIND_MINUS_1 = -1,", "\t\tstruct p_n_minus_1 n_minus_1;", "\t\tstruct p_n_1 n_1;"], []),
    ({"properties": {"a\0": {}, "b": {}}}, ["/* Left out: a member whose name has a NUL. */"],
     ["\tHERALD_FIELD(p, b));"]),
    ({"properties": {"a": {"enum": ["x", "X", "x!"]}}},
     ["\tP_A_X,", "\tP_A_X_2,", "\tP_A_X_3,"], ['\t{"x!", P_A_X_3},']),
    ({"properties": {"a": {"enum": [str(i) for i in range(501)]}}},
     ["\t/* Not checked: that it is one of 501 values. */", "\tconst char *a;"], []),
    ({"properties": {"int64_t": {"type": "integer"}, "size_t": {"type": "string"}}},
     ["\tint64_t int64_t_;", "\tconst char *size_t_;"], []),
    # A doc is cut before a character, not within, also if blanks were collapsed.
    *[({"properties": {"a": {"description": blanks + "x" * (198 - i) + "é" * 9}}}, [],
       ['\tHERALD_FIELD(p, a,', f'\t\t.doc = "{"x" * (198 - i) + "é" * ((i + 2) // 2)}"));'])
      for blanks in ("", "     ") for i in range(4)],
    # Unions.
    ({"properties": {"a": {"oneOf": [{"type": "string"}, {"type": "integer"}]}}},
     ["\t/* One of the alternatives of oneOf. */", "\tstruct herald_json a;"], []),
    ({"properties": {"a": {"anyOf": [{"minimum": 1}, {"type": "number"}]}}},
     ["\t/* Not checked: which alternative of anyOf it is. */", "\tdouble a;"], []),
    ({"properties": {"a": {"type": "object", "properties": {"b": {"type": "null"}},
                           "anyOf": [{"required": ["b"]}]}}},
     ["/* Not checked: anyOf. */", "\t/* Always null. */", "\tstruct herald_json b;"], []),
    ({"anyOf": [{"type": "object", "title": "One", "properties": {"a": {}}}, {"type": "array"}]},
     [" * The payload is raw JSON, struct herald_json: use herald_json_schema.",
      " * One of struct p_one: decode it with herald_context_decode().", "struct p_one {"], []),
    # Unions of objects that a member tells apart.
    *[({"properties": {"a": {key: [branch("x", b={"type": "string"}), branch("y", c={"type": "integer"}),
                                   *more]}}},
       ["enum p_a_kind {", "\tP_A_KIND_X,", "\tP_A_KIND_Y,", "struct p_a_x {", "\tconst char *b;",
        "struct p_a {", "\tenum p_a_kind kind;", "\tunion {", "\t\tstruct p_a_x x;", "\t\tstruct p_a_y y;",
        "\t} body;", "\tconst struct p_a *a;"],
       ["\tHERALD_ENUM(p_a, kind, p_a_kind_names, .required = true),",
        "\tHERALD_FLAT_VARIANT(p_a, body, kind,", '\t\tHERALD_CASE("x", x, p_a_x),',
        '\t\tHERALD_CASE("y", y, p_a_y)));', "\tHERALD_POINTER(p, a, p_a));"])
      for key in ("anyOf", "oneOf") for more in ([], [{"type": "null"}])],
    # As elements, as values of a map, as the whole; a case without members; members of all.
    ({"properties": {"a": {"type": "array", "items": {"oneOf": [branch("x", b={}), branch("y")]}}}},
     ["\tconst struct p_a *a;", "\tsize_t a_count;"], ['\t\tHERALD_CASE("x", x, p_a_x)));']),
    ({"properties": {"a": {"additionalProperties": {"oneOf": [branch("x", b={}), branch("y")]}}}},
     ["\tconst struct p_a_entry *a;", "\tstruct p_a value;"], []),
    ({"oneOf": [branch("x"), branch("y")], "type": "object", "required": ["n"],
      "properties": {"n": {"type": "boolean"}}}, ["\tenum p_kind kind;", "\tbool n;"],
     ["\tHERALD_ENUM(p, kind, p_kind_names, .required = true),",
      "\tHERALD_FIELD(p, n, .required = true));"]),
    ({"oneOf": [branch("x", int={}), {**branch("class", b={}), "additionalProperties": False}]},
     ["\t\tstruct p_class class_;", "\tstruct herald_json int_;",
      "/* Not checked: additionalProperties of some alternatives. */"],
     ['\t\tHERALD_CASE("class", class_, p_class)));']),
    ({"oneOf": [{**branch(name, b={}), "additionalProperties": False} for name in "xy"]}, [],
     ["HERALD_SCHEMA_DEFINE_WITH(p,", "\t(.reject_unknown = true),"]),
    ({"type": "object", "required": ["kind", "b"],
      "oneOf": [{"properties": {"kind": {"const": "x"}, "b": {"type": "string"}}},
                {"properties": {"kind": {"const": "y"}, "b": {"type": "integer"}, "c": {}}}]},
     ["\tconst char *b;", "\tint64_t b;"],
     ["\tHERALD_FIELD(p_x, b, .required = true));", "\tHERALD_FIELD(p_y, b, .required = true),",
      "\tHERALD_FIELD(p_y, c));"]),
    # The tag may be outside, by name or as an enum; a definition gives a case its name.
    ({"required": ["kind"], "properties": {"kind": {"enum": ["x", "y"]}},
      "oneOf": [{"properties": {"kind": {"const": "x"}, "b": {}}}, {"$ref": "#/$defs/why"}],
      "$defs": {"why": {"allOf": [{"properties": {"kind": {"enum": ["y"]}}}, {"properties": {"c": {}}}]}}},
     ["\t\tstruct p_x x;", "\t\tstruct p_why y;"], ['\t\tHERALD_CASE("y", y, p_why)));']),
    # Several values of the tag for a case; alternatives within an alternative.
    ({"oneOf": [branch("x", b={}), {"type": "object", "required": ["kind"], "properties": {
        "kind": {"enum": ["y", "z"]}, "c": {}}}]}, ["\tP_KIND_Z,", "\t\tstruct p_y y;"],
     ['\t\tHERALD_CASE("y", y, p_y),', '\t\tHERALD_CASE("z", y, p_y)));']),
    ({"oneOf": [branch("x", b={}), {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}},
                                    "anyOf": [branch("y", c={}), {"oneOf": [branch("z", d={}), branch("w")]}]}]},
     ["\tP_KIND_W,", "\t\tstruct p_z z;", "\t\tstruct p_w w;"],
     ["\tHERALD_FIELD(p_z, d),", "\tHERALD_FIELD(p_z, n, .required = true));",
      "\tHERALD_FIELD(p_w, n, .required = true));"]),
    # The alternatives are a member of their own, next to the tag: required, or pointers.
    *[({"oneOf": [{"type": "object", "required": ["type", *required], "properties": {
        "type": {"const": value}, "Data": {"type": "object", "properties": {value: {}}}}} for value in "xy"] +
        [{"type": "object", "required": ["type"], "properties": {"type": {"enum": ["z", "w"]}}}]},
       ["\tP_TYPE_W,", *lines, "\t} data;"],
       ["\tHERALD_VARIANT_WITH(p, data, type,", f'\t\t(.key = "Data"{option}),', '\t\tHERALD_CASE("x", x, p_x),',
        '\t\tHERALD_CASE("y", y, p_y)));'])
      for required, lines, option in (
          (["Data"], ["\t\tstruct p_x x;", "\t\tstruct p_y y;"], ", .required = true"),
          ([], ["\t\tconst struct p_x *x;", "\t\tconst struct p_y *y;"], ""))],
    # What a discriminator names, by its mapping or by the names of definitions.
    *[({"oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}], "discriminator": discriminator,
        "$defs": {name: {"type": "object", "required": ["pet"], "properties": {"pet": {"type": "string"}, key: {}}}
                  for name, key in (("Cat", "c"), ("Dog", "d"))}},
       ["\tenum p_pet pet;", *lines], cases)
      for discriminator, lines, cases in (
          ({"propertyName": "pet", "mapping": {"cat": "#/$defs/Cat", "dog": "Dog", "puppy": "#/$defs/Dog"}},
           ["\tP_PET_PUPPY,"], ['\t\tHERALD_CASE("cat", cat, p_cat),', '\t\tHERALD_CASE("dog", dog, p_dog),',
                               '\t\tHERALD_CASE("puppy", dog, p_dog)));']),
          ({"propertyName": "pet", "mapping": {"cat": "#/$defs/Cat"}}, [],
           ['\t\tHERALD_CASE("cat", cat, p_cat),', '\t\tHERALD_CASE("Dog", dog, p_dog)));']),
          ({"propertyName": "pet"}, [], ['\t\tHERALD_CASE("Cat", cat, p_cat),']),
          ("pet", [], ['\t\tHERALD_CASE("Dog", dog, p_dog)));']))],
    ({"properties": {"a": {"oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]}},
      "$defs": {"Pet": {"type": "object", "required": ["pet"], "discriminator": "pet",
                        "properties": {"pet": {"type": "string"}}},
                "Cat": {"allOf": [{"$ref": "#/$defs/Pet"}, {"properties": {"c": {}}}]},
                "Dog": {"allOf": [{"$ref": "#/$defs/Pet"}, {"properties": {"d": {}}}]}}},
     ["\t\tstruct p_cat cat;", "\t\tstruct p_dog dog;"], ['\t\tHERALD_CASE("Cat", cat, p_cat),']),
    # The one of a base schema, of which no other schema is an alternative.
    ({"$ref": "#/$defs/Pet",
      "$defs": {"Pet": {"type": "object", "required": ["pet"], "discriminator": "pet",
                        "properties": {"pet": {"type": "string"}}},
                "Cat": {"allOf": [{"$ref": "#/$defs/Pet"}, {"properties": {"c": {}}}]}}},
     ["/* Not checked: discriminator. */", "struct p {", "\tconst char *pet;"], []),
    # Required members without a schema; in Herald, what is required is not null.
    ({"properties": {"a": {}}, "required": ["a", "b", "c"]},
     ["/* Not checked: required members without a schema: b, c. */",
      "\t/* Not checked: that it is not missing. */", "\tstruct herald_json a;"], ["\tHERALD_FIELD(p, a));"]),
    ({"properties": {"a": {"type": ["string", "integer"]}}, "required": ["a"]},
     ["\t/* Raw JSON: an integer or a string. */"], ["\tHERALD_FIELD(p, a, .required = true));"]),
    ({"properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]},
     ["\t/* Not checked: that it is not missing. */", "\tconst char *a;"], ["\tHERALD_FIELD(p, a));"]),
    ({"properties": {"a": {"type": "object", "additionalProperties": {"type": "string"},
                           "required": ["x"], "allOf": [{"required": ["x"]}]}}},
     ["\t/* Not checked: required members without a schema: x. */"], []),
    ({"oneOf": [branch("x", b={}), {**branch("y", c={}), "required": ["kind", "e", "n"]}], "type": "object",
      "properties": {"n": {"type": "boolean"}}, "required": ["c", "d", "kind"]},
     ["/* Not checked: required members without a schema: c, d. */",
      "/* Not checked: required members without a schema: e. */"], []),
    # What is not a tagged union, and why.
    *[({"properties": {"a": {"oneOf": branches}}}, ["\tstruct herald_json a;", f"\t * {why}"], [])
      for branches, why in (
          ([branch("x", b={}), branch("x", c={})],
           "Not a union: no member that all require has different strings or integers in each."),
          ([branch("x", b={}), {"type": "object", "properties": {"kind": {"const": "y"}}}],
           "Not a union: no member that all require has different strings or integers in each."),
          *[([branch(left, b={}), branch(right, c={})],
             "Not a union: no member that all require has different strings or integers in each.")
            for left, right in ((1, 1.0), (1, "1"), (1, 1.5), (True, False), (1, 2 ** 31), (1, None))],
          ([branch("x", b={}), {"type": "string"}],
           "Not a union: not all of them are objects."),
          ([branch("x", b={}), {"oneOf": [branch("x", c={}), branch("z", c={})]}],
           "Not a union: no member that all require has different strings or integers in each."),
          ([branch("x", b={}), {"oneOf": [{"properties": {"c": {}}}, {"properties": {"d": {}}}],
                                "anyOf": [{"properties": {"e": {}}}, {"properties": {"f": {}}}]}],
           "Not a union: there are several lists of them."),
          ([{"type": "object", "required": ["kind"], "properties": {"kind": {"enum": [f"{i}{j}" for j in range(9)]},
                                                                    "b": {}}} for i in range(8)],
           "Not a union: the member that tells them apart has more than 64 values."),
          ([branch(str(i), b={}) for i in range(65)],
           "Not a union: there are more than 64."))],
    ({"properties": {"a": {"properties": {"b": {}}, "oneOf": [branch("x", b={}), branch("y")]}}},
     [" * Members that only the alternatives of oneOf have are not in this struct: members of theirs are",
      " * also outside of them."], ["\tHERALD_POINTER(p, a, p_a));"]),
    ({"oneOf": [branch("x", b={}), branch("y"), {"type": "null"}]},
     ["/* Refused: a payload that is null. */"], []),
    # In a collection of definitions, whose other structs keep their names.
    ({"$defs": {"shape": {"oneOf": [branch("circle", r={}), branch("dot")]}}},
     ["struct p_shape {", "\tenum p_shape_kind kind;", "\t\tstruct p_shape_circle circle;"], []),
    ({"$schema": S7, "definitions": {
        "shape": {"oneOf": [{"$ref": "#/definitions/circle"}, {"$ref": "#/definitions/dot"}]},
        "circle": branch("circle", r={}), "dot": branch("dot", x={})}},
     ["struct p_shape {", "\t\tstruct p_circle_2 circle;", "\t\tstruct p_dot_2 dot;"],
     ['\tHERALD_FIELD(p_circle, kind, .required = true, HERALD_ONE_OF("circle")),',
      '\tHERALD_FIELD(p_dot, kind, .required = true, HERALD_ONE_OF("dot")),']),
    # Other members are refused if any of the schemas does, or a comment says so.
    *[({"properties": {"a": a}, "$defs": {"x": CLOSED}}, [],
       ["HERALD_SCHEMA_DEFINE_WITH(p_x,", "\t(.reject_unknown = true),", "\tHERALD_POINTER(p, a, p_x));"])
      for a in ({"$ref": "#/$defs/x"}, {"$ref": "#/$defs/x", "minProperties": 1},
                {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]})],
    ({"properties": {"a": {"allOf": [{"type": "object", "properties": {"m": {}}}, CLOSED]}}},
     [], ["HERALD_SCHEMA_DEFINE_WITH(p_a,", "\t(.reject_unknown = true),"]),
    ({"properties": {"a": {"minProperties": 1, "allOf": [{**CLOSED, "patternProperties": {"^x": {}}}]}}},
     [" * Other members are not kept."], ["HERALD_SCHEMA_DEFINE(p_a,"]),
    ({"properties": {"a": {"type": "object", "additionalProperties": False}}},
     ["\t/* Not checked: additionalProperties. */", "\tstruct herald_json_map a;"], []),
    # A definition that may be null is the same struct; around an array, null makes a difference.
    ({"properties": {"a": {"$ref": "#/$defs/x"}, "b": {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]},
                     "c": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/x"}], "description": "C."}},
      "$defs": {"x": {"properties": {"n": {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]}}}}},
     ["\tconst struct p_x *a;", "\tconst struct p_x *b;", "\tconst struct p_x *c;", "\tconst struct p_x *n;"],
     []),
    ({"properties": {"a": {"items": {"$ref": "#/$defs/x"}},
                     "b": {"items": {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]}}},
      "$defs": {"x": {"type": "array", "items": {"type": "integer"}}}},
     ["\tconst struct p_x *a;", "\tconst struct p_x_2 *b;"],
     ["\tHERALD_VALUES(p_x, items, .required = true));", "\tHERALD_VALUES(p_x_2, items));"]),
    # One that contains itself.
    ({"oneOf": [branch("x", b={"$ref": "#"}), branch("y", c={"items": {"$ref": "#"}})]},
     ["\tconst struct p *b;", "\tconst struct p *c;"], ["\tHERALD_POINTER(p_x, b, p));"]),
    # Draft-07: what is next to $ref does not count; items may be a list.
    ({"$schema": S7, "properties": {"a": {"$ref": "#/definitions/b", "type": "string"}},
      "definitions": {"b": {"type": "boolean"}}}, ["\tbool a;"], []),
    ({"$schema": S7, "properties": {"a": {"items": [{"type": "string"}]}}},
     ["\t * An array with a schema for each element.", "\t * Not checked: items [{\"type\": \"string\"}].", "\tstruct herald_json a;"], []),
    # Payloads that are not objects.
    ({"type": "array", "items": {"type": "string"}}, ["\tconst char *const *items;"],
     ["\t(.transparent = true),", "\tHERALD_VALUES(p, items, .required = true));"]),
    # Schemas that contain themselves.
    ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}},
     ["\tconst struct p *items;"], []),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}], "type": "object",
                                           "properties": {"b": {"$ref": "#/$defs/a"}}}}},
     ["\tconst struct p *b;"], ["\tHERALD_POINTER(p, b, p));"]),
    ({"type": "object", "additionalProperties": {"$ref": "#"}},
     ["\tconst struct p_payload_entry *value;"], []),
]
