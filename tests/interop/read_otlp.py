"""Reads requests of OTLP in JSON, one a line, with OpenTelemetry's protobuf schema."""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2


def as_base64(spans):
    """OTLP's JSON has ids in hexadecimal digits, and protobuf's in base64."""
    for span in spans:
        for name in ("traceId", "spanId", "parentSpanId"):
            if name in span:
                span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
        as_base64(span.get("links", []))


def read(line):
    request = json.loads(line)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            as_base64(scope["spans"])
    message = json_format.ParseDict(request, trace_service_pb2.ExportTraceServiceRequest(),
                                    ignore_unknown_fields=False)
    for span in message.resource_spans[0].scope_spans[0].spans:
        assert (len(span.trace_id), len(span.span_id)) == (16, 8), span
        assert span.kind == span.SPAN_KIND_CONSUMER, span


LINES = sys.stdin.read().splitlines()
assert LINES, "there are no requests"
for each in LINES:
    read(each)
