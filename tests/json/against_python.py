#!/usr/bin/env python3
"""Compares herald/json.h with Python's json module on random documents and JSON Pointers: what is
valid, what a pointer finds and where, and integers, numbers and strings.

    tests/json/against_python.py FIND_VALUES

FIND_VALUES is the program of find_values.c. HERALD_TEST_SEED repeats a run, HERALD_TEST_DOCUMENTS
is their number, default 2,000. Prints TAP.
"""

import json
import os
import random
import re
import subprocess
import sys

SEED = int(os.environ.get("HERALD_TEST_SEED") or random.randrange(1 << 32))
DOCUMENTS = int(os.environ.get("HERALD_TEST_DOCUMENTS") or 2000)
RANDOM = random.Random(SEED)

NAMES = ["", "a", "b", "~", "/", "~1", "~0", "a/b", "0", "00", "-", "1", "é", "\U0001f600", '"',
         "\\", "\n", "ab", "a~b", "\ud7ff"]
NUMBERS = ["0", "-0", "1", "-1", "9223372036854775807", "9223372036854775808",
           "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
           "18446744073709551616", "1.0", "1e3", "1E+2", "0.1", "1e-400", "1.7976931348623157e308",
           "1.7976931348623159e308", "1e309", "-1e400", "4.9e-324", "2.4703282292062327e-324",
           "2.4703282292062328e-324", "0.30000000000000004", "123456789012345678901234567890",
           "9007199254740993", "0e0", "-0.0", "1" + 400 * "0", "0." + 400 * "0" + "1"]
INVALID = ["00", "01", "1.", ".5", "+1", "1e", "0x1", "NaN", "Infinity", "-", "'a'", "tru"]
INDICES = ["-", "00", "01", "0", "", "-1", "+0", " 0", "1e0", "99999999999999999999",
           "18446744073709551616"]


class Number(str):
    """A number as it was written."""


class Object(list):
    """An object as pairs, with its duplicates."""


class Duplicate(Exception):
    """The pointer names a member that is there twice."""


def refuse(text):
    raise ValueError(text)


def parse(text):
    return json.loads(text, object_pairs_hook=Object, parse_int=Number, parse_float=Number,
                      parse_constant=refuse)


def space():
    return RANDOM.choice(["", "", "", " ", "\n", "\t", "\r ", "  "])


def character(char):
    """A character in a string, escaped if it must be, or at random."""
    if char in '"\\\n' and RANDOM.random() < 0.6:
        return {'"': '\\"', "\\": "\\\\", "\n": "\\n"}[char]
    if char == "/" and RANDOM.random() < 0.5:
        return "\\/"
    if char in '"\\\n' or RANDOM.random() < 0.3:
        units = char.encode("utf-16-be")
        form = RANDOM.choice(["\\u%04x", "\\u%04X"])
        return "".join(form % int.from_bytes(units[i:i + 2], "big")
                       for i in range(0, len(units), 2))
    return char


def string(text):
    return '"' + "".join(map(character, text)) + '"'


def items(item):
    return space() + ",".join(space() + item() + space() for _ in range(RANDOM.randrange(5)))


def value(depth=0):
    kind = RANDOM.random()
    if depth > 4 or kind < 0.25:
        return RANDOM.choice(INVALID if RANDOM.random() < 0.03 else NUMBERS)
    if kind < 0.4:
        return string(RANDOM.choice(NAMES) + RANDOM.choice(NAMES))
    if kind < 0.5:
        return RANDOM.choice(["true", "false", "null"])
    if kind < 0.75:
        return "[" + items(lambda: value(depth + 1)) + "]"
    return "{" + items(lambda: string(RANDOM.choice(NAMES)) + space() + ":" + space() +
                       value(depth + 1)) + "}"


def document():
    """A document; one in ten is damaged in one place."""
    text = space() + value() + space()
    if RANDOM.random() < 0.1:
        at = RANDOM.randrange(len(text))
        text = text[:at] + RANDOM.choice(["", ",", "}", '"', "\\", ":", " "]) + \
            text[at + RANDOM.randrange(2):]
    return text


def pointer(found):
    """A pointer that usually leads somewhere."""
    text = ""
    while RANDOM.random() < 0.85:
        if isinstance(found, Object):
            name = RANDOM.choice([name for name, _ in found] + NAMES[:3])
            text += "/" + name.replace("~", "~0").replace("/", "~1")
            found = dict(found).get(name)
        elif isinstance(found, list):
            index = RANDOM.choice([str(i) for i in range(len(found))] * 3 + INDICES)
            text += "/" + index
            found = found[int(index)] if index.isdigit() and int(index) < len(found) else None
        else:
            text += RANDOM.choice(["", "", "/0", "/a", "/"])
            break
    return text + (RANDOM.choice(["~", "~2", "/", "x", "~~0"]) if RANDOM.random() < 0.05 else "")


def find(found, text):
    """What RFC 6901 says; raises LookupError, ValueError or Duplicate."""
    if text == "":
        return found
    if text[0] != "/" or re.search("~(?![01])", text):
        raise ValueError(text)
    for token in text[1:].split("/"):
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Object):
            matches = [member for name, member in found if name == token]
            if len(matches) > 1:
                raise Duplicate(token)
            found = matches[0] if matches else refuse_lookup(token)
        elif isinstance(found, list) and re.fullmatch("0|[1-9][0-9]*", token, re.ASCII):
            found = found[int(token)]
        else:
            refuse_lookup(token)
    return found


def refuse_lookup(token):
    raise LookupError(token)


def expected_of(text, path):
    """The beginning of the line that find_values is to print, and the value."""
    try:
        parsed = parse(text)
    except (ValueError, RecursionError):
        return "refused ", None
    try:
        return "at ", find(parsed, path)
    except Duplicate:
        return "status HERALD_DUPLICATE", None
    except LookupError:
        return "status HERALD_MISSING", None
    except ValueError:
        return "status HERALD_BAD_VALUE", None


def check_value(found, data, line):
    """Compare what was found with the value, and with its text in the document."""
    _, offset, count, integer, unsigned, real, number, content = line.split(" ")
    assert parse(data[int(offset):int(offset) + int(count)].decode()) == found, "another value"
    whole = isinstance(found, Number) and re.fullmatch("-?[0-9]+", found)
    fits = whole and -2**63 <= int(found) < 2**63
    assert integer == "i=" + (str(int(found)) if fits else ""), "another integer"
    fits = whole and 0 <= int(found) < 2**64
    assert unsigned == "u=" + (str(int(found)) if fits else ""), "another unsigned integer"
    finite = isinstance(found, Number) and abs(float(found)) != float("inf")
    assert (real != "d=") == finite, "not a number"
    assert not finite or repr(float(real[2:])) == repr(float(found)), "another number"
    assert number == f"count={len(found) if isinstance(found, list) else 0}", "another count"
    is_text = isinstance(found, str) and not isinstance(found, Number)
    assert content == ('s="' + found.encode().hex() if is_text else "s=-"), "another string"


def check(program, text, path):
    data, token = text.encode(), path.encode()
    for block in (data, token):
        program.stdin.write(b"%d\n%s" % (len(block), block))
    program.stdin.flush()
    line = program.stdout.readline().decode().rstrip("\n")
    begin, found = expected_of(text, path)
    # Python lets lone surrogates pass, which an escape that was damaged can leave.
    if line.startswith("refused ") and re.search(r"\\u[dD][89a-fA-F]", text):
        return "surrogate"
    assert line.startswith(begin), f"{line!r}, but expected {begin!r}"
    if begin == "at ":
        check_value(found, data, line)
    return begin


def main():
    counts = {}
    print(f"# HERALD_TEST_SEED={SEED}\n1..1", flush=True)
    with subprocess.Popen(sys.argv[1:2], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        for _ in range(DOCUMENTS):
            text = document()
            try:
                path = pointer(parse(text))
            except ValueError:
                path = "/a"
            try:
                kind = check(program, text, path)
            except AssertionError as error:
                print(f"not ok 1 - {path!r} in {text!r}: {error}")
                program.stdin.close()
                return 1
            counts[kind] = counts.get(kind, 0) + 1
        program.stdin.close()
    print("# " + ", ".join(f"{kind.strip()}: {count}" for kind, count in sorted(counts.items())))
    few = [kind for kind in ("at ", "refused ", "status HERALD_MISSING")
           if counts.get(kind, 0) < DOCUMENTS / 40]
    print(f"not ok 1 - few of {few}" if few else "ok 1 - as Python reads it")
    return 1 if few else 0


sys.exit(main())
