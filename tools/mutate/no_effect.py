"""Changes that are known to have no effect that a test could notice, each with the reason.

The file has blocks of three lines, and an empty line between two blocks:

    PATH: OLD -> NEW
    the line of the source, without the blanks before it
    why nothing can notice the change
"""

from collections import namedtuple

Entry = namedtuple("Entry", "path old new line why")


class NoEffectError(Exception):
    """The file cannot be read, or an entry is about a line that is not there."""


def squeeze(text):
    return " ".join(text.split())


def parse_entry(number, lines):
    """Make an Entry of the lines of a block, the first of which has a number."""
    path, colon, change = lines[0].partition(": ")
    old, arrow, new = change.rpartition(" -> ")
    if len(lines) < 3 or not colon or not arrow:
        raise NoEffectError(f"line {number}: expected PATH: OLD -> NEW, the line, and why")
    return Entry(path, old, new, squeeze(lines[1]), squeeze(" ".join(lines[2:])))


def read(text):
    entries, block, first = [], [], 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("# "):
            continue
        if line.strip():
            first = first if block else number
            block.append(line.strip())
        elif block:
            entries.append(parse_entry(first, block))
            block = []
    return entries


def check(entries, sources):
    """Raise NoEffectError for the entries whose line is not in the sources (path -> text)."""
    lines = {str(path): {squeeze(line) for line in text.splitlines()}
             for path, text in sources.items()}
    missing = [entry for entry in entries if entry.line not in lines.get(entry.path, ())]
    if missing:
        raise NoEffectError("\n".join(f"{entry.path} has no line: {entry.line}"
                                      for entry in missing))


def why(entries, change, text):
    """Why a change of a source text has no effect; None if that is not known."""
    line = squeeze(text.splitlines()[change.line - 1])
    old = squeeze(text[change.start:change.end])
    new = squeeze(change.new) or "nothing"
    for entry in entries:
        if entry[:4] == (str(change.path), old, new, line):
            return entry.why
    return None
