"""What people see of the results: tables, the part of README.md that is generated, and results.svg.

results.json holds every run of each bench, one object a line, in the shapes of --json with "run" in
front: date, commit and machine. A new run is appended. The pictures are drawn from it alone:
python3 bench/report.py draws them again.
"""

import json
import os
import platform
import subprocess
from datetime import date
from html import escape
from pathlib import Path
from statistics import median, quantiles

import consuming_report
import history
import storing_report

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results.json", HERE / "README.md"
PICTURE, HISTORY = HERE / "results.svg", HERE / "history.svg"
# {bench: (its own picture, what draws it)}
OWN_PICTURES = {"durable": (HERE / "durable.svg", storing_report.draw),
                "brokers": (HERE / "brokers.svg", consuming_report.draw)}
COST = {"decode": "ns_per_event", "encode": "ns_per_event",
        "signature": "ns_per_event", "cloudevents": "ns_per_event",
        "http": "cpu_us_per_event", "callback": "cpu_us_per_event", "durable": "cpu_us_per_event",
        "brokers": "client_us_per_event"}


def spread(values):
    """Half of the distance between the quartiles, in percent of the median."""
    if len(values) < 2:
        return 0.0
    low, _, high = quantiles(values, n=4)
    return 50 * (high - low) / median(values)


def is_ours(peer):
    return peer.startswith("herald")


def names(results, of):
    return list(dict.fromkeys(getattr(result, of) for result in results))


def rows_to_text(rows):
    """A Markdown table, its columns as wide as they need."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def table(bench, results):
    if bench in ("decode", "encode", "signature", "cloudevents"):
        return codec_tables(results)
    if bench == "durable":
        return storing_report.table([result.shape() for result in results], rows_to_text)
    if bench == "brokers":
        return consuming_report.table([result.shape() for result in results], rows_to_text)
    return serving_table(results)


def codec_tables(results):
    grown = [result for result in results if result.case.startswith(("size_", "routes_"))]
    many = [result for result in results if result.case.startswith("many_")]
    plain = [result for result in results if result not in grown + many]
    parts = []
    if plain:
        parts.append(codec_table(plain))
    if grown:
        rows = [["case", "bytes", "ns per event", "ns per byte"]]
        rows += [[r.case, str(r.bytes), f"{r.cost:.0f} ±{r.spread:.0f} %",
                  f"{r.cost / r.bytes:.2f}"] for r in grown]
        parts.append("How `herald service` grows:\n\n" + rows_to_text(rows))
    if many:
        rows = [["many events in one call", "case", "ns per event", "events per second"]]
        rows += [[r.peer, r.case, f"{r.cost:.0f} ±{r.spread:.0f} %", f"{1e9 / r.cost:,.0f}"]
                 for r in many]
        parts.append("`herald service` takes them one at a time:\n\n" + rows_to_text(rows))
    return "\n\n".join(parts)


def codec_table(results):
    """A row for each peer, a column for each case; the last row is ours against the best other."""
    cases = names(results, "case")
    at = {(r.case, r.peer): r for r in results}
    counted = all(r.allocs_per_event is not None for r in results)
    rows = [["ns per event (allocations)" if counted else "ns per event", *cases]]
    for peer in names(results, "peer"):
        cells = [at.get((case, peer)) for case in cases]
        rows.append([peer] + [
            "" if r is None else f"{r.cost:.0f} ±{r.spread:.0f} %"
            + (f" ({r.allocs_per_event:.0f})" if counted else "")
            for r in cells])
    ratios = [ratio([r for r in results if r.case == case]) for case in cases]
    if any(ratios):
        rows.append(["**herald / best other**", *[f"**{r:.2f}**" if r else "" for r in ratios]])
    return rows_to_text(rows)


def ratio(results):
    ours = [r.cost for r in results if r.peer == "herald"]
    others = [r.cost for r in results if not is_ours(r.peer)]
    return ours[0] / min(others) if ours and others else None


def serving_table(results):
    """A row for each case and peer; servers are compared with the bare loop, one request at a
    time."""
    bare = next((r for r in results if r.peer == "bare epoll" and r.cost is not None), None)
    rows = [["case", "peer", "CPU µs per event", "of it user", "events per s", "p50 µs", "p99 µs",
             "RSS MB"] + (["CPU / bare", "p99 / bare"] if bare else [])]
    for result in results:
        shape = result.shape()
        ratios = [] if not bare else ["", ""] if result.cost is None else [
            f"{result.cost / bare.cost:.2f}", f"{shape['p99_us'] / bare.shape()['p99_us']:.2f}"]
        cpu = "" if result.cost is None else f"{result.cost:.2f} ±{result.spread:.0f} %"
        numbers = [shape[key] for key in
                   ("user_us_per_event", "events_per_s", "p50_us", "p99_us", "rss_mb")]
        rows.append([result.case, result.peer, cpu,
                     *["" if number is None else f"{number:g}" for number in numbers], *ratios])
    return rows_to_text(rows)


# --- What is written ------------------------------------------------------------------------------


def write(bench, results, skipped, options):
    run = {"date": str(date.today()), "commit": commit(), "machine": hardware()}
    shapes = read_results() + [{"run": run, **result.shape()} for result in results]
    RESULTS.write_text("".join(json.dumps(shape) + "\n" for shape in shapes))
    draw_pictures(shapes)

    begin, end = f"<!-- results: {bench} -->\n", "<!-- end -->"
    text = README.read_text()
    if begin not in text:
        raise SystemExit(f"{README} has lost its line {begin!r}")
    before, rest = text.split(begin)
    after = rest.split(end, 1)[1]
    missing = "".join(f"\nSkipped: {name}: {reason}.\n" for name, reason in skipped.items())
    README.write_text(f"{before}{begin}{machine()}, {options.rounds} rounds.\n\n"
                      f"{table(bench, results)}\n{missing}{end}{after}")


def draw_pictures(shapes):
    last = last_runs(shapes)
    PICTURE.write_text(draw([shape for shape in last if shape["bench"] not in OWN_PICTURES]))
    for bench, (picture, drawn) in OWN_PICTURES.items():
        of_bench = [shape for shape in last if shape["bench"] == bench]
        if of_bench:
            picture.write_text(drawn(of_bench))
    HISTORY.write_text(history.draw(shapes, COST))


def last_runs(shapes):
    """The results of the last run of each bench, in the order of COST."""
    last = {shape["bench"]: shape["run"] for shape in shapes}
    return [shape for bench in COST for shape in shapes
            if shape["bench"] == bench and shape["run"] == last[bench]]


def read_results():
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text().splitlines()]


def hardware():
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores"


def machine():
    versions = [first_line(command) for command in
                (["gcc", "--version"], ["rustc", "--version"], ["go", "version"])]
    return (f"{date.today()}, commit {commit()}: {hardware()}, load "
            f"{os.getloadavg()[0]:.1f}, Linux {platform.release()}; "
            f"{'; '.join(filter(None, versions))}")


def commit():
    return first_line(["git", "-C", str(HERE), "describe", "--always", "--dirty"]) or "none"


def first_line(command):
    try:
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return output.splitlines()[0].strip()


# --- The picture ----------------------------------------------------------------------------------

# One colour a peer; ours is the dark one.
COLOURS = ["#b3261e", "#e08e79", "#1f6fb2", "#79b4e0", "#2e7d32", "#7cb342", "#b8d88c", "#f0a202",
           "#c77dff", "#777777", "#00838f", "#6d4c41", "#ec407a", "#222222"]
LEFT, RIGHT, WIDTH, ROW, TICKS = 150, 30, 900, 24, (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)


def draw(shapes):
    """For each bench and case the cost of each peer, as a multiple of Herald's, on a log scale."""
    from math import log

    def x(multiple):
        part = (log(multiple) - log(TICKS[0])) / (log(TICKS[-1]) - log(TICKS[0]))
        return LEFT + min(1, max(0, part)) * (WIDTH - LEFT - RIGHT)

    parts, y = [], 46
    for bench, cost in COST.items():
        of_bench = [s for s in shapes if s["bench"] == bench and s[cost] is not None]
        peers = list(dict.fromkeys(s["peer"] for s in of_bench))
        rows = panel_rows(of_bench, cost)
        if not rows:
            continue
        parts.append(f'<text x="10" y="{y}" class="title">{bench}: {unit(cost)}</text>')
        y = legend(parts, peers, y + 20)
        top = y + 6
        bottom = top + ROW * len(rows)
        for tick in TICKS:
            kind = "one" if tick == 1 else "tick"
            parts.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top}" y2="{bottom}" '
                         f'class="{kind}"/>')
            parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 14}" class="scale">{tick:g}×</text>')
        for i, (case, base, costs) in enumerate(rows):
            middle = top + ROW * i + ROW // 2
            parts.append(f'<text x="{LEFT - 8}" y="{middle + 4}" class="case">{escape(case)}</text>')
            for peer, value in costs:
                parts.append(
                    f'<circle cx="{x(value / base):.1f}" cy="{middle}" r="5" '
                    f'fill="{COLOURS[peers.index(peer) % len(COLOURS)]}">'
                    f'<title>{escape(peer)}: {value:g} ({value / base:.2f}×)</title></circle>')
        y = bottom + 50
    return PAGE.format(width=WIDTH, height=y - 20, body="\n".join(parts))


def unit(cost):
    return "time" if cost == "ns_per_event" else "CPU time"


def panel_rows(shapes, cost):
    """(case, our cost, [(peer, cost)]) of the cases that have others to compare with."""
    rows = []
    for case in dict.fromkeys(s["case"] for s in shapes):
        costs = [(s["peer"], s[cost]) for s in shapes if s["case"] == case]
        ours = [value for peer, value in costs if is_ours(peer)]
        if ours and len(costs) > len(ours):
            # Ours is drawn last, above the others.
            rows.append((case, ours[0], sorted(costs, key=lambda pair: is_ours(pair[0]))))
    return rows


def legend(parts, peers, y):
    x = 16
    for i, peer in enumerate(peers):
        width = 24 + 7 * len(peer)
        if x + width > WIDTH:
            x, y = 16, y + 18
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{COLOURS[i % len(COLOURS)]}"/>')
        parts.append(f'<text x="{x + 9}" y="{y}">{escape(peer)}</text>')
        x += width
    return y


PAGE = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}">
<style>
text {{ font: 12px sans-serif; fill: #222; }}
.title {{ font-weight: bold; font-size: 14px; }}
.case {{ text-anchor: end; }}
.scale {{ text-anchor: middle; font-size: 11px; fill: #666; }}
.tick {{ stroke: #ddd; }}
.one {{ stroke: #b3261e; stroke-dasharray: 3 3; }}
</style>
<rect width="{width}" height="{height}" fill="white"/>
<text x="10" y="20">Cost of an event as a multiple of Herald's; further left is better.</text>
{body}
</svg>
"""

if __name__ == "__main__":
    draw_pictures(read_results())
