"""Reads metrics with the parsers of prometheus-client: OpenMetrics strictly, and Prometheus's text.

    read_metrics.py openmetrics|prometheus < METRICS

Prints all samples as JSON, [[name, labels, value], ...], and the families' types.
"""

import json
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as strict

reader = strict if sys.argv[1] == "openmetrics" else parser
families = list(reader.text_string_to_metric_families(sys.stdin.buffer.read().decode()))
print(json.dumps({
    "types": {family.name: family.type for family in families},
    "samples": [[sample.name, sample.labels, sample.value]
                for family in families for sample in family.samples],
}))
