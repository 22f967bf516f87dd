#!/usr/bin/env python3
"""Writes results of two runs with bench/report.py and looks at what is kept. Prints TAP."""

import json
import sys
import tempfile
import types
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import report  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


class Result:
    """As codec.py has it."""

    def __init__(self, case, peer, cost):
        self.bench, self.case, self.peer, self.cost = "decode", case, peer, cost
        self.bytes, self.spread, self.allocs_per_event = 100, 0, 0

    def shape(self):
        return {"bench": self.bench, "case": self.case, "peer": self.peer,
                "ns_per_event": self.cost, "cpu_us_per_event": None}


def write(folder, commit, machine, cost):
    report.RESULTS, report.README = folder / "results.json", folder / "README.md"
    report.PICTURE, report.HISTORY = folder / "results.svg", folder / "history.svg"
    report.commit, report.hardware = lambda: commit, lambda: machine
    results = [Result("small", "herald", cost), Result("small", "other <1>", 200.0),
               Result("large", "herald", cost * 10)]
    report.write("decode", results, {}, types.SimpleNamespace(rounds=3))


def titles(path):
    return [title.text for title in ElementTree.parse(path).iter(f"{SVG}title")]


def runs_are_kept(folder):
    lines = [json.loads(line) for line in (folder / "results.json").read_text().splitlines()]
    assert [line["ns_per_event"] for line in lines] == [50.0, 200.0, 500.0, 40.0, 200.0, 400.0,
                                                        30.0, 200.0, 300.0], lines
    assert [line["run"]["commit"] for line in lines[::3]] == ["aaa", "bbb", "ccc"], lines
    assert {"date", "commit", "machine"} == set(lines[0]["run"]), lines[0]


def tables_have_the_last_run(folder):
    text = (folder / "README.md").read_text()
    assert "commit ccc" in text and "commit bbb" not in text, text
    assert text.startswith("# Head\n") and text.endswith("<!-- end -->\ntail\n"), text
    assert "0.15" in text, text


def the_comparison_has_the_last_run(folder):
    found = titles(folder / "results.svg")
    assert found == ["other <1>: 200 (6.67×)", "herald: 30 (1.00×)"], found


def the_history_has_every_run(folder):
    found = titles(folder / "history.svg")
    expected = [f"herald: {cost} ns; {report.date.today()}, {commit}, {machine}"
                for scale in (1, 10)
                for cost, commit, machine in ((50 * scale, "aaa", "old"), (40 * scale, "bbb", "new"),
                                              (30 * scale, "ccc", "new"))]
    assert found == expected, found
    # Another machine's are hollow, and not joined to ours.
    tree = ElementTree.parse(folder / "history.svg")
    hollow = [c for c in tree.iter(f"{SVG}circle") if c.get("fill") == "white"]
    joined = [path.get("d").count(",") for path in tree.iter(f"{SVG}path")]
    assert len(hollow) == 2 and joined == [2, 2], (len(hollow), joined)


def many_events_have_a_rate(folder):
    text = report.table("decode", [Result("small", "herald", 90.0),
                                   Result("many_100", "herald lines", 200.0)])
    small, many = text.split("\n\n`herald service`")
    assert "many_100" not in small and "5,000,000" in many, text


def main():
    cases = [runs_are_kept, tables_have_the_last_run, the_comparison_has_the_last_run,
             the_history_has_every_run, many_events_have_a_rate]
    print(f"1..{len(cases)}")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "README.md").write_text("# Head\n<!-- results: decode -->\n<!-- end -->\ntail\n")
        for commit, machine, cost in (("aaa", "old", 50.0), ("bbb", "new", 40.0),
                                      ("ccc", "new", 30.0)):
            write(folder, commit, machine, cost)
        for number, case in enumerate(cases, 1):
            try:
                case(folder)
                print(f"ok {number} - {case.__name__.replace('_', ' ')}")
            except AssertionError as error:
                failed = True
                print(f"not ok {number} - {case.__name__.replace('_', ' ')}\n# {error}")
    return 1 if failed else 0


sys.exit(main())
