"""What people see of `durable`: a table for each case, the goals with their results, durable.svg.

It takes the shapes of --json, so that what was measured before can be shown again.
"""

from dataclasses import dataclass
from html import escape
from math import log

# Drawn and compared: the others have a figure of Herald's alone.
COMPARED = ("insert_1", "insert_256", "work", "in_done", "accept_64")
STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


@dataclass
class Goal:
    """What a figure of Herald's must be; `key` is one of its shape."""

    case: str
    peer: str
    key: str
    limit: float
    unit: str
    is_least: bool = False

    def text(self):
        return f"{'≥' if self.is_least else '≤'} {self.limit:g} {self.unit}"

    def is_met(self, value):
        return value >= self.limit if self.is_least else value <= self.limit


SQLITE, POSTGRES = "herald sqlite", "herald postgres"
GOALS = [
    Goal("accept_64", SQLITE, "events_per_s", 15000, "events/s", True),
    Goal("accept_64", SQLITE, "p50_us", 3000, "µs, median latency"),
    Goal("in_done", SQLITE, "events_per_s", 25000, "events/s", True),
    Goal("in_done", SQLITE, "cpu_us_per_event", 15, "µs CPU"),
    Goal("in_done", POSTGRES, "events_per_s", 15000, "events/s", True),
    Goal("in_done", POSTGRES, "server_us_per_event", 45, "µs CPU, server"),
    Goal("in_done", POSTGRES, "client_us_per_event", 4, "µs CPU, client"),
    Goal("store_insert_256", f"{SQLITE}, ids in order", "cpu_us_per_event", 6, "µs CPU"),
    Goal("store_insert_256", f"{SQLITE}, random ids", "cpu_us_per_event", 15, "µs CPU"),
    Goal("exactly_once", SQLITE, "events_per_s", 30000, "events/s", True),
    Goal("held_snapshot", POSTGRES, "value", 40, "% of normal", True),
    *[Goal(case, peer, "value", 90, "% of normal", True)
      for case, extra in (("stuck_keys", ""), ("pending_1m", ", rate"))
      for peer in (SQLITE + extra, POSTGRES + extra)],
    *[Goal("pending_1m", f"{peer}, open", "value", 100, "ms") for peer in (SQLITE, POSTGRES)],
    *[Goal("pending_10m", f"{peer}, RSS", "value", 32, "MiB") for peer in (SQLITE, POSTGRES)],
    Goal("recover", SQLITE, "value", 1000, "ms"),
    Goal("recover", POSTGRES, "value", 16000, "ms"),
    *[Goal("wake_up", f"{peer}, in process", "value", 1, "ms") for peer in (SQLITE, POSTGRES)],
    Goal("wake_up", f"{POSTGRES}, between processes, p99", "value", 50, "ms"),
    Goal("wake_up", f"{POSTGRES}, NOTIFY", "value", 50, "per second"),
]


def names(shapes, of):
    return list(dict.fromkeys(shape[of] for shape in shapes))


def table(shapes, rows_to_text):
    """A table for each case that is compared, one for the other figures, one for the goals."""
    parts = []
    for case in names(shapes, "case"):
        of_case = [shape for shape in shapes if shape["case"] == case]
        if case in COMPARED:
            parts.append(f"`{case}`:\n\n" + rows_to_text(compared_rows(of_case)))
    own = [shape for shape in shapes if shape["case"] not in COMPARED]
    if own:
        parts.append("Other figures:\n\n" + rows_to_text(own_rows(own)))
    reached = goal_rows(shapes)
    if len(reached) > 1:
        parts.append("Goals:\n\n" + rows_to_text(reached))
    return "\n\n".join(parts)


def compared_rows(shapes):
    """A row a queue; the ratio is to Herald on the same database."""
    ours = {shape["store"]: shape["cpu_us_per_event"] for shape in shapes
            if shape["peer"] in (SQLITE, POSTGRES)}
    latencies = any(shape["p50_us"] is not None for shape in shapes)
    rows = [["database", "queue", "CPU µs per event", "client", "server",
             *(["× Herald"] if ours else []), "events per s",
             *(["p50 ms", "p99 ms"] if latencies else [])]]
    for store in STORES:
        for shape in (shape for shape in shapes if shape["store"] == store):
            ratio = f"{shape['cpu_us_per_event'] / ours[store]:.1f}" if store in ours else ""
            server = f"{shape['server_us_per_event']:.1f}" if store == "postgres" else "–"
            rows.append([STORES[store], shape["peer"],
                         with_range(shape["cpu_us_per_event"], shape["cpu_us_range"], 1),
                         f"{shape['client_us_per_event']:.1f}", server,
                         *([ratio] if ours else []),
                         with_range(shape["events_per_s"], shape["events_per_s_range"], 0),
                         *([f"{shape[key] / 1000:.1f}" for key in ("p50_us", "p99_us")]
                           if latencies else [])])
    return rows


def with_range(value, ends, digits):
    low, high = ends
    return f"{value:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def own_rows(shapes):
    rows = [["case", "what", "figure", "unit"]]
    for shape in shapes:
        figures = [("value", "value_range", 1, shape.get("unit"))]
        if shape.get("value") is None:
            figures = [("cpu_us_per_event", "cpu_us_range", 1, "µs CPU per event"),
                       ("events_per_s", "events_per_s_range", 0, "events/s")]
        for key, ends, digits, unit in figures:
            rows.append([shape["case"], shape["peer"],
                         with_range(shape[key], shape[ends], digits), unit])
    return rows


def goal_rows(shapes):
    at = {(shape["case"], shape["peer"]): shape for shape in shapes}
    rows = [["case", "what", "goal", "result", ""]]
    for goal in GOALS:
        shape = at.get((goal.case, goal.peer))
        if shape is not None and shape.get(goal.key) is not None:
            value = shape[goal.key]
            rows.append([goal.case, goal.peer, goal.text(), f"{value:.5g}",
                         "met" if goal.is_met(value) else "**missed**"])
    return rows


# --- The picture ----------------------------------------------------------------------------------

LEFT, RIGHT, WIDTH, ROW = 170, 90, 900, 20
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
CLIENT, SERVER, OURS = "#79b4e0", "#1f6fb2", "#b3261e"

PAGE = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}">
<style>
text {{ font: 12px sans-serif; fill: #222; }}
.title {{ font-weight: bold; font-size: 14px; }}
.peer {{ text-anchor: end; }}
.scale {{ text-anchor: middle; font-size: 11px; fill: #666; }}
.tick {{ stroke: #ddd; }}
.range {{ stroke: #222; stroke-width: 2; }}
</style>
<rect width="{width}" height="{height}" fill="white"/>
<text x="10" y="20">CPU time of an event in µs, {of}, on a logarithmic scale; shorter is \
better.</text>
<text x="10" y="38">A bar ends at the median, the line goes from the least to the most. Herald is \
red.</text>
{body}
</svg>
"""


def draw(shapes):
    parts, y = [], 66
    for case in COMPARED:
        for store, title in STORES.items():
            of_panel = [shape for shape in shapes if shape["case"] == case
                        and shape["store"] == store and shape["cpu_us_per_event"]]
            if of_panel:
                y = draw_panel(parts, f"{case}, {title}", of_panel, y)
    return page("client and server together", parts, y)


def page(of, parts, height):
    return PAGE.format(of=of, width=WIDTH, height=height, body="\n".join(parts))


def place(us, ticks):
    part = (log(us) - log(ticks[0])) / (log(ticks[-1]) - log(ticks[0]))
    return LEFT + min(1, max(0, part)) * (WIDTH - LEFT - RIGHT)


def draw_panel(parts, title, shapes, y, ticks=TICKS):
    top, bottom = y + 8, y + 8 + ROW * len(shapes)
    parts.append(f'<text x="10" y="{y}" class="title">{escape(title)}</text>')
    for tick in ticks:
        x = f"{place(tick, ticks):.1f}"
        parts.append(f'<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}" class="tick"/>'
                     f'<text x="{x}" y="{bottom + 13}" class="scale">{tick}</text>')
    for i, shape in enumerate(sorted(shapes, key=lambda shape: shape["cpu_us_per_event"])):
        draw_bar(parts, shape, top + ROW * i, ticks)
    return bottom + 44


def draw_bar(parts, shape, top, ticks):
    value, (low, high) = shape["cpu_us_per_event"], shape["cpu_us_range"]
    colour = OURS if shape["peer"].startswith("herald") else \
        SERVER if shape["store"] == "postgres" else CLIENT
    middle = top + ROW // 2
    end, left, right = (place(us, ticks) for us in (value, low, high))
    parts.append(
        f'<text x="{LEFT - 8}" y="{middle + 4}" class="peer">{escape(shape["peer"])}</text>'
        f'<rect x="{LEFT}" y="{top + 4}" width="{end - LEFT:.1f}" height="{ROW - 8}" '
        f'fill="{colour}"/>'
        f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{middle}" y2="{middle}" class="range"/>'
        f'<text x="{max(end, right) + 6:.1f}" y="{middle + 4}">{rounded(value)}</text>')


def rounded(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
