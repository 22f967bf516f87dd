"""history.svg: what Herald costs in each case, run by run.

One small chart a case, a line for each of Herald's peers; a run is a point, from left to right as
they were made. Runs on another machine than the last one are hollow and not joined: their numbers
cannot be compared.
"""

from html import escape

WIDTH, COLUMNS, ROW, PAD = 900, 3, 150, 50
COLOURS = ["#b3261e", "#1f6fb2", "#2e7d32", "#f0a202", "#777777", "#c77dff"]
UNITS = {"ns_per_event": "ns", "cpu_us_per_event": "µs", "client_us_per_event": "µs"}

PAGE = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}">
<style>
text {{ font: 11px sans-serif; fill: #222; }}
.title {{ font-weight: bold; font-size: 14px; }}
.case {{ font-weight: bold; }}
.scale {{ fill: #666; }}
.axis {{ stroke: #bbb; }}
path {{ fill: none; stroke-width: 1.5; }}
</style>
<rect width="{width}" height="{height}" fill="white"/>
<text x="10" y="20">Cost of an event in Herald, run by run; lower is better.</text>
{body}
</svg>
"""


def runs_of(shapes):
    """The runs, in the order in which they were made."""
    return list(dict.fromkeys(tuple(shape["run"].items()) for shape in shapes))


def draw(shapes, costs):
    parts, y = [], 46
    for bench, cost in costs.items():
        ours = [shape for shape in shapes if shape["bench"] == bench and shape[cost] is not None
                and shape["peer"].startswith("herald")]
        if not ours:
            continue
        runs = runs_of(ours)
        cases = list(dict.fromkeys(shape["case"] for shape in ours))
        peers = list(dict.fromkeys(shape["peer"] for shape in ours))
        parts.append(f'<text x="10" y="{y}" class="title">{bench}, {UNITS[cost]} per event; '
                     f'{span(runs)}</text>')
        draw_legend(parts, peers, y + 18)
        y += 30
        for index, case in enumerate(cases):
            x = 10 + index % COLUMNS * (WIDTH - 20) // COLUMNS
            of_case = [shape for shape in ours if shape["case"] == case]
            draw_case(parts, x, y + index // COLUMNS * ROW, case, of_case, runs, peers, cost)
        y += (len(cases) + COLUMNS - 1) // COLUMNS * ROW + 20
    return PAGE.format(width=WIDTH, height=y, body="\n".join(parts))


def span(runs):
    first, last = dict(runs[0]), dict(runs[-1])
    return escape(f"{first['date']} ({first['commit']}) to {last['date']} ({last['commit']})")


def draw_legend(parts, peers, y):
    x = 14
    for index, peer in enumerate(peers):
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour(index)}"/>'
                     f'<text x="{x + 8}" y="{y}">{escape(peer)}</text>')
        x += 30 + 7 * len(peer)


def colour(index):
    return COLOURS[index % len(COLOURS)]


def draw_case(parts, left, top, case, shapes, runs, peers, cost):
    width, height = (WIDTH - 20) // COLUMNS - PAD - 20, ROW - 45
    most = max(shape[cost] for shape in shapes) * 1.1 or 1
    bottom = top + 20 + height
    parts.append(f'<text x="{left}" y="{top + 12}" class="case">{escape(case)}</text>'
                 f'<text x="{left}" y="{top + 26}" class="scale">{number(most)}</text>'
                 f'<line x1="{left}" x2="{left + width + PAD}" y1="{bottom}" y2="{bottom}" '
                 f'class="axis"/>')
    step = width / max(1, len(runs) - 1)
    labels = []
    for index, peer in enumerate(peers):
        path = []
        for shape in shapes:
            if shape["peer"] != peer:
                continue
            at = runs.index(tuple(shape["run"].items()))
            x, y = left + 4 + at * step, bottom - shape[cost] / most * height
            same = shape["run"]["machine"] == dict(runs[-1])["machine"]
            parts.append(point(x, y, colour(index), same, shape, cost))
            if same:
                path.append(f"{x:.1f},{y:.1f}")
                last = (x, y, shape[cost])
        if path:
            parts.append(f'<path d="M{" L".join(path)}" stroke="{colour(index)}"/>')
            labels.append(last)
    write_labels(parts, labels)


def write_labels(parts, labels):
    """The last cost of each line, one above the other where lines end at the same place."""
    below = float("inf")
    for x, y, cost in sorted(labels, key=lambda label: -label[1]):
        below = min(y + 4, below - 11)
        parts.append(f'<text x="{x + 6:.1f}" y="{below:.1f}">{number(cost)}</text>')


def number(cost):
    return f"{cost:,.0f}" if cost >= 100 else f"{cost:.3g}"


def point(x, y, fill, same, shape, cost):
    run = shape["run"]
    title = (f"{shape['peer']}: {shape[cost]:g} {UNITS[cost]}; {run['date']}, {run['commit']}, "
             f"{run['machine']}")
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{fill if same else "white"}" '
            f'stroke="{fill}"><title>{escape(title)}</title></circle>')
