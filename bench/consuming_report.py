"""What people see of `brokers`: a table for each broker, the goals with results, brokers.svg."""

import storing_report

TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100)
BROKERS = {"redis": "Redis Streams", "nats": "NATS JetStream", "rabbitmq": "RabbitMQ",
           "kafka": "Kafka"}
# CPU time of an event, in µs: without lanes, and with four of them where that is more.
MOST = {"redis": 1.2, "nats": 2.0, "rabbitmq": 2.8, "kafka": 0.9}
MOST_WITH_LANES = {"kafka": 1.3}
MOST_ABOVE_BARE, MOST_OF_WATERMILL, MOST_HAND_OFF = 0.5, 0.25, 0.3


def table(shapes, rows_to_text):
    parts = []
    for case in storing_report.names(shapes, "case"):
        of_case = [shape for shape in shapes if shape["case"] == case]
        parts.append(f"`{case}`:\n\n" + rows_to_text(compared_rows(of_case)))
    reached = goal_rows(shapes)
    if len(reached) > 1:
        parts.append("Goals, in µs of the client's CPU time:\n\n" + rows_to_text(reached))
    return "\n\n".join(parts)


def compared_rows(shapes):
    bare = next((shape["client_us_per_event"] for shape in shapes if shape["peer"] == "bare"), None)
    rows = [["client", "CPU µs per event", *(["× bare"] if bare else []), "server's CPU µs",
             "events per s"]]
    for shape in shapes:
        us = shape["client_us_per_event"]
        rows.append([shape["peer"], storing_report.with_range(us, shape["client_us_range"], 2),
                     *([f"{us / bare:.1f}"] if bare else []),
                     f"{shape['server_us_per_event']:.1f}",
                     storing_report.with_range(shape["events_per_s"],
                                               shape["events_per_s_range"], 0)])
    return rows


def goal_rows(shapes):
    rows = [["case", "what", "goal", "result", ""]]
    for case in storing_report.names(shapes, "case"):
        cost = {shape["peer"]: shape["client_us_per_event"] for shape in shapes
                if shape["case"] == case}
        for what, limit, value in goals(case.partition("_")[2], cost):
            rows.append([case, what, f"≤ {limit:.2f}", f"{value:.2f}",
                         "met" if value <= limit else "**missed**"])
    return rows


def goals(broker, cost):
    """(what, the most, what it is), for what was measured."""
    if "herald" not in cost:
        return
    herald = cost["herald"]
    yield "herald", MOST[broker], herald
    if broker in MOST_WITH_LANES and "herald, 4 lanes" in cost:
        yield "herald, 4 lanes", MOST_WITH_LANES[broker], cost["herald, 4 lanes"]
    for bare in ("bare", "bare, function"):
        if bare in cost:
            yield f"herald − {bare}", MOST_ABOVE_BARE, herald - cost[bare]
    if "herald, 1 lane" in cost:
        yield "herald, 1 lane − herald: a lane's hand-off", MOST_HAND_OFF, \
            cost["herald, 1 lane"] - herald
    if "watermill" in cost:
        yield "herald, a quarter of watermill", MOST_OF_WATERMILL * cost["watermill"], herald


def draw(shapes):
    parts, y = [], 66
    for case in storing_report.names(shapes, "case"):
        of_panel = [{**shape, "cpu_us_per_event": shape["client_us_per_event"],
                     "cpu_us_range": shape["client_us_range"]}
                    for shape in shapes if shape["case"] == case]
        title = f"{case}, {BROKERS[of_panel[0]['store']]}"
        y = storing_report.draw_panel(parts, title, of_panel, y, TICKS)
    return storing_report.page("of the client", parts, y)
