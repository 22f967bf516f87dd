"""C as tokens, and the changes of one token that can be made to a source file."""

import re
from collections import namedtuple

# A replacement of text[start:end]; `line` is the line of `start`, from 1.
Change = namedtuple("Change", "path start end new line")

Token = namedtuple("Token", "kind text start end line")

PATTERN = re.compile(r"""
      (?P<space>   \s+ | \\\n | //[^\n]* | /\*.*?\*/ )
    | (?P<string>  (?:u8|[uUL])?"(?:\\.|[^"\\])*" )
    | (?P<char>    [uUL]?'(?:\\.|[^'\\])*' )
    | (?P<number>  \.?[0-9](?:[eEpP][+-]|[\w.])* )
    | (?P<name>    [A-Za-z_]\w* )
    | (?P<mark>    \.\.\. | <<= | >>= | -> | \+\+ | -- | << | >> | <= | >= | == | != | && | \|\|
                   | [-+*/%&|^]= | \#\# | . )
    """, re.VERBOSE | re.DOTALL)

DIRECTIVE = re.compile(r"[ \t]*\#[ \t]*(?P<name>\w*)(?P<rest>(?:\\\n|/\*.*?\*/|[^\n])*)", re.DOTALL)
MACRO_HEAD = re.compile(r"[ \t]+\w+(?:\([^)]*\))?")

SWAPS = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
    "==": ("!=",), "!=": ("==",),
    "++": ("--",), "--": ("++",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("/",),
    "+=": ("-=",), "-=": ("+=",), "*=": ("/=",), "/=": ("*=",), "%=": ("/=",),
    "&&": ("||",), "||": ("&&",), "!": ("",), "~": ("",),
    "&": ("|", "^"), "|": ("&", "^"), "^": ("&", "|"),
    "&=": ("|=", "^="), "|=": ("&=", "^="), "^=": ("&=", "|="),
    "<<": (">>",), ">>": ("<<",), "<<=": (">>=",), ">>=": ("<<=",),
    "true": ("false",), "false": ("true",), "break": ("continue",), "continue": ("break",),
}
# These are operators of two values, or belong to a pointer: clang-format sets the first in blanks.
BINARY_OR_POINTER = ("*", "&")

# What is said to the compiler or to the reader, and does nothing.
REMARKS = ("assert", "static_assert", "_Static_assert", "__attribute__", "__builtin_expect")

STATEMENT_WORDS = ("if", "for", "while", "do", "switch", "else", "case", "default")
INTEGER = re.compile(r"(0[xX])?([0-9a-fA-F]+)([uUlL]*)$")
ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "b": 8, "f": 12, "v": 11, "a": 7}


def tokenize(text):
    """The tokens that are compiled: no comments, and of directives only the bodies of macros."""
    tokens = []
    at, line, line_starts = 0, 1, True
    macro_end = -1  # Within a macro's body, its end
    while at < len(text):
        directive = line_starts and DIRECTIVE.match(text, at)
        if directive:
            head = MACRO_HEAD.match(text, directive.start("rest"))
            end = directive.end()
            if directive.group("name") == "define" and head:
                macro_end, end = end, head.end()
            line += text.count("\n", at, end)
            at, line_starts = end, False
            continue
        match = PATTERN.match(text, at)
        kind, found = match.lastgroup, match.group()
        if kind != "space":
            tokens.append(Token(kind, found, at, match.end(), line))
        elif at >= macro_end and "\n" in found and not found.startswith("/"):
            # A directive begins a line: look again from where that line begins.
            found = found[:found.rindex("\n") + 1]
            line_starts = True
        line += found.count("\n")
        at += len(found)
        if kind != "space":
            line_starts = False
        elif found.startswith("/") and at < macro_end:
            line_starts = False
    return tokens


def closing(tokens, index):
    """The index of the parenthesis that closes the one at index."""
    depth = 0
    for at in range(index, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[at].text, 0)
        if depth == 0:
            return at
    return len(tokens) - 1


def without_remarks(tokens):
    """The indices of the tokens outside of REMARKS and their arguments."""
    indices = []
    at = 0
    while at < len(tokens):
        if tokens[at].text in REMARKS and at + 1 < len(tokens) and tokens[at + 1].text == "(":
            at = closing(tokens, at + 1) + 1
        else:
            indices.append(at)
            at += 1
    return indices


def is_binary(tokens, at):
    return 0 < at < len(tokens) - 1 and (
        tokens[at - 1].end < tokens[at].start and tokens[at].end < tokens[at + 1].start)


def other_integers(text):
    match = INTEGER.match(text)
    if not match:
        return ()
    prefix, digits, suffix = match.groups()
    octal = not prefix and len(digits) > 1 and digits[0] == "0"
    try:
        value = int(digits, 16 if prefix else 8 if octal else 10)
    except ValueError:
        return ()
    form = f"0x{{:0{len(digits)}x}}" if prefix else "0{:o}" if octal else "{}"
    others = (value + 1, value - 1) if value > 0 else (value + 1,)
    return tuple(form.format(other) + suffix for other in others)


def other_chars(text):
    body = text[text.index("'") + 1:-1]
    if len(body) == 1:
        value = ord(body)
    elif body[0] == "\\" and body[1] == "x":
        value = int(body[2:], 16)
    elif body[0] == "\\" and len(body) == 2:
        value = ESCAPES.get(body[1], ord(body[1]))
    else:
        return ()
    return tuple(f"'\\x{other:02x}'" if not chr(other).isalnum() else f"'{chr(other)}'"
                 for other in (value + 1, value - 1) if 0 <= other < 128)


def is_sign(tokens, at):
    """Whether a number is a 1 of `? -1 : 1` or `? 1 : -1`: of what a comparison returns, only the
    sign counts.
    """
    words = [token.text for token in tokens[max(0, at - 5):at + 5]]
    middle = at - max(0, at - 5)
    return any("".join(words[first:first + 5]) in ("?-1:1", "?1:-1")
               for first in range(max(0, middle - 4), middle + 1))


def replacements(tokens, at, siblings):
    """What a token can be replaced by: a tuple of texts."""
    token = tokens[at]
    if token.text in BINARY_OR_POINTER and not is_binary(tokens, at):
        return ()
    if token.text in SWAPS:
        return SWAPS[token.text]
    if token.kind == "number" and not is_sign(tokens, at):
        return other_integers(token.text)
    if token.kind == "char":
        return other_chars(token.text)
    if token.kind == "name":
        return tuple(name for name in siblings.get(token.text, ()) if name != token.text)
    return ()


def statement_end(tokens, at):
    """The index of the `;` of the simple statement that begins at an index, or None."""
    if tokens[at].text in STATEMENT_WORDS or tokens[at].text in ("{", "}", ";", ")"):
        return None
    if tokens[at].kind not in ("name", "mark") or tokens[at].text in ("static", "const", "struct"):
        return None
    depth = 0
    for index in range(at, len(tokens)):
        text = tokens[index].text
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text, 0)
        if depth < 0 or (text == ":" and index == at + 1):
            return None
        if depth == 0 and text == ";":
            return index
    return None


def statement_starts(tokens):
    """The indices where statements begin: in braces, and behind the head of an if or a loop."""
    starts = []
    blocks, heads = [], []  # The open braces: do they hold statements? The words before open "("
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text if index else ""
        if token.text == "(":
            heads.append(before)
        elif token.text == ")" and heads:
            if heads.pop() in ("if", "for", "while", "switch") and not heads:
                starts.append(index + 1)
        elif token.text == "{":
            blocks.append(before == ")" or (
                before in (";", "{", "}", ":", "else", "do") and any(blocks)))
        elif token.text == "}" and blocks:
            blocks.pop()
        if any(blocks) and not heads and token.text in (";", "{", "}", "else", "do", ":"):
            starts.append(index + 1)
    return [start for start in starts if start < len(tokens)]


def statement_options(text, tokens, start):
    """Changes of the statement that begins at an index: its deletion, another value returned."""
    end = statement_end(tokens, start)
    if end is None:
        return []
    first, last = tokens[start], tokens[end]
    kept_lines = "\n" * text.count("\n", first.start, last.start)
    options = [(first, last.start, kept_lines)]
    if first.text == "return" and end - start > 2:
        value = text[tokens[start + 1].start:last.start]
        kept_lines = "\n" * value.count("\n")
        options += [(tokens[start + 1], last.start, other + kept_lines) for other in ("0", "1")]
    return options


def sites(path, text, siblings):
    """The places of a file where it can be changed, each a list of the changes to choose from."""
    tokens = tokenize(text)
    indices = without_remarks(tokens)
    allowed = set(indices)
    found = []
    for at in indices:
        token = tokens[at]
        changes = [Change(path, token.start, token.end, new, token.line)
                   for new in replacements(tokens, at, siblings)]
        if changes:
            found.append(changes)
    for start in statement_starts(tokens):
        if start in allowed:
            options = statement_options(text, tokens, start)
            if options:
                found.append([Change(path, first.start, end, new, first.line)
                              for first, end, new in options])
    return found


ENUM = re.compile(r"\benum\s+\w*\s*\{(.*?)\}", re.DOTALL)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
ENUM_BY_LIST = re.compile(r"#define\s+(\w+)\(\w+[^)]*\)\s+(\w*)##\w+,\s*\n\s*(\w+)\(\1\)")


def enum_siblings(texts):
    """Map the constants of the enums that the texts define to the tuple of their enum."""
    whole = COMMENT.sub("", "\n".join(texts))
    siblings = {}
    for body in ENUM.findall(whole):
        names = []
        for _, prefix, name_list in ENUM_BY_LIST.findall(body):
            rows = re.search(rf"#define\s+{name_list}\(\w+\)((?:[^\n]*\\\n)*[^\n]*)", whole)
            names += [prefix + name for name in re.findall(r"\bX\((\w+)", rows.group(1))]
        plain = re.sub(r"#(?:\\\n|[^\n])*|\w+\([^)]*\)", "", body)
        names += [part.split("=")[0].strip() for part in plain.split(",") if part.strip()]
        names = tuple(name for name in names if re.fullmatch(r"\w+", name))
        siblings.update({name: names for name in names})
    return siblings


def apply(text, change):
    return text[:change.start] + change.new + text[change.end:]
