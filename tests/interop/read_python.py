"""Reads requests with the CloudEvents SDK for Python; sdks.py describes the lines."""

import base64
import datetime
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat


def text_of(value):
    return value.isoformat() if isinstance(value, datetime.datetime) else value


def data_of(event):
    data = event.get_data()
    if data is None:
        return None
    if isinstance(data, bytes):
        return {"base64": base64.b64encode(data).decode()}
    return {"value": data}


def read(request):
    message = HTTPMessage(headers=request["headers"],
                          body=base64.b64decode(request["body_base64"]))
    event = from_http(message, JSONFormat())
    attributes = {name: text_of(value) for name, value in event.get_attributes().items()
                  if value is not None}
    return [{"attributes": attributes, "data": data_of(event)}]


for line in sys.stdin:
    request = json.loads(line)
    answer = {"case": request["case"], "mode": request["mode"]}
    try:
        answer["events"] = read(request)
    except Exception as error:  # pylint: disable=broad-except
        answer["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(answer), flush=True)
