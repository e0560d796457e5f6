"""Collects the traces of a local stack: OTLP over HTTP on the loopback port given as the first argument, each span as a
line of JSON in the file given as the second.

Whoever has a collector of their own names it in OTEL_EXPORTER_OTLP_ENDPOINT, and is sent everything too.
"""

import http.server
import json
import os
import sys
import threading
import urllib.request

import lifetime
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

lifetime.settle()

PORT, FILE = int(sys.argv[1]), sys.argv[2]
ANSWER = ExportTraceServiceResponse().SerializeToString()
PROTOBUF = "application/x-protobuf"

elsewhere = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/")
written = threading.Lock()


def plain(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None


def attributes(pairs):
    return {pair.key: plain(pair.value) for pair in pairs}


def lines(request):
    for of_resource in request.resource_spans:
        resource = attributes(of_resource.resource.attributes)
        for scope in of_resource.scope_spans:
            for span in scope.spans:
                links = [
                    {"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex(), "attributes": attributes(link.attributes)}
                    for link in span.links
                ]
                yield {
                    "trace_id": span.trace_id.hex(),
                    "span_id": span.span_id.hex(),
                    "parent_span_id": span.parent_span_id.hex() or None,
                    "name": span.name,
                    "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "status": Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_").lower(),
                    "attributes": attributes(span.attributes),
                    "links": links,
                    "resource": resource,
                }


def pass_on(body):
    request = urllib.request.Request(f"{elsewhere}/v1/traces", body, {"Content-Type": PROTOBUF})
    try:
        urllib.request.urlopen(request, timeout=2).close()
    except OSError as error:
        print(f"not passed on: {error}", flush=True)


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are written apart, and Nagle's algorithm would make one wait for the other.
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/traces":
            return self.answer(404, b"")
        if self.headers.get("Content-Type") != PROTOBUF:
            return self.answer(415, b"")
        request = ExportTraceServiceRequest()
        try:
            request.ParseFromString(body)
        except DecodeError:
            return self.answer(400, b"")
        text = "".join(json.dumps(line) + "\n" for line in lines(request))
        with written, open(FILE, "a", encoding="utf-8") as file:
            file.write(text)
        if elsewhere:
            threading.Thread(target=pass_on, args=(body,), daemon=True).start()
        return self.answer(200, ANSWER)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Says nothing of what went well: that is in the file."""


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Collector).serve_forever()
