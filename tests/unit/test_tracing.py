"""Traces arrive whole in MLflow and in a collector, cost the answer nothing, and hold no text that nobody asked for."""

import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from llmflow.adapters.mlflow_tracer import MlflowTraceSettings, MlflowWriter
from llmflow.adapters.otlp_tracer import OtlpSettings, otlp_tracer
from llmflow.adapters.trace_queue import QueuedTracer, TraceSettings
from llmflow.answering.tracing import TraceBuilder
from llmflow.context import request_context
from llmflow.errors import ModelUnavailable, SettingsError
from llmflow.ports.tracing import AnswerTrace, TraceSpan
from llmflow.types import Answer, Principal

WHO = Principal("acme", user="a1")


def wait_until(holds) -> None:
    """Return once `holds()`; fail after a minute."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


class Kept:
    def __init__(self) -> None:
        self.traces: list[AnswerTrace] = []

    def write(self, traces: Sequence[AnswerTrace]) -> None:
        self.traces += traces

    def begin(self) -> None: ...

    def record(self, trace: AnswerTrace) -> None:
        self.traces.append(trace)

    def close(self) -> None: ...


def trace(id: str = "1" * 32, status: str = "done", start_ms: int = 1_700_000_000_000) -> AnswerTrace:
    start = start_ms * 1_000_000
    step = TraceSpan("retrieval", start, start + 5_000_000, {"hits.ids": ("c1", "c2"), "hits.scores": (1.0, 0.5)})
    return AnswerTrace(
        id, start, start + 9_000_000, status, "법인카드 한도는?", "acme", "a1", "s1", "300만 원", {"answer.found": True}, (step,)
    )


def test_a_builder_hands_over_one_trace_with_its_steps():
    kept = Kept()
    with request_context() as request:
        first, second = TraceBuilder(kept, WHO, "s1"), TraceBuilder(kept, WHO)
    assert first.id == request.trace_id != second.id
    first.asked("q")
    with first.step("retrieval") as step:
        step.note("n", 3)
    with pytest.raises(ModelUnavailable), first.step("generation"):
        raise ModelUnavailable("secret text")
    first.end("done", Answer("a", True))
    first.end("failed")
    (told,) = kept.traces
    assert (told.id, told.status, told.question, told.tenant, told.account_id) == (first.id, "done", "q", "acme", "a1")
    assert [(span.name, dict(span.attributes), span.error) for span in told.spans] == [
        ("retrieval", {"n": 3}, ""), ("generation", {}, "ModelUnavailable"),
    ]  # fmt: skip
    assert told.start_ns <= told.spans[0].start_ns <= told.spans[0].end_ns <= told.end_ns


def test_the_queue_samples_by_id_and_keeps_failures_and_no_text():
    kept = Kept()
    tracer = QueuedTracer(TraceSettings(sample=0.5, every_s=0.01), lambda: kept)
    for id, status in (("0" * 31 + "1", "done"), ("f" * 32, "done"), ("f" * 31 + "e", "failed")):
        tracer.record(trace(id, status))
    tracer.close()
    assert [(told.id[0], told.status, told.answer) for told in kept.traces] == [("0", "done", ""), ("f", "failed", "")]
    tracer.close()


def test_a_full_queue_drops_and_a_slow_writer_blocks_nobody():
    release, entered = threading.Event(), threading.Event()

    class Slow(Kept):
        def write(self, traces: Sequence[AnswerTrace]) -> None:
            entered.set()
            release.wait(60)
            super().write(traces)

    slow = Slow()
    tracer = QueuedTracer(TraceSettings(waiting=2, batch=1, every_s=0.01, content=True), lambda: slow)
    tracer.record(trace())
    assert entered.wait(60)
    for _ in range(5):
        tracer.record(trace())
    assert tracer.dropped == 3
    release.set()
    tracer.close()
    assert len(slow.traces) == 3 and slow.traces[0].answer == "300만 원"


def test_a_writer_that_fails_is_told_and_tried_again():
    kept, tries = Kept(), []

    def opened() -> Kept:
        tries.append(1)
        if len(tries) <= 2:
            raise ConnectionError("away")
        return kept

    tracer = QueuedTracer(TraceSettings(every_s=0.01), opened)
    tracer.record(trace())
    wait_until(lambda: tracer.dropped == 1)
    tracer.record(trace())
    tracer.close()
    assert len(kept.traces) == 1


def test_what_writes_is_opened_before_the_first_trace():
    opened = threading.Event()
    tracer = QueuedTracer(TraceSettings(), lambda: opened.set() or Kept())
    tracer.begin()
    tracer.begin()
    assert opened.wait(60)
    tracer.close()


def test_what_is_held_at_the_end_is_written_and_what_is_lost_is_counted_and_told(caplog):
    kept = Kept()
    tracer = QueuedTracer(TraceSettings(every_s=60, batch=3), lambda: kept)
    for _ in range(10):
        tracer.record(trace())
    tracer.close()
    assert (len(kept.traces), tracer.dropped) == (10, 0)
    tracer.record(trace())
    assert (len(kept.traces), tracer.dropped) == (10, 1)

    release = threading.Event()

    def opened_late() -> Kept:
        release.wait(60)
        return Kept()

    late = QueuedTracer(TraceSettings(every_s=60, closing_s=0.01), opened_late)
    late.record(trace())
    late.close()
    release.set()
    assert late.dropped == 1 and "1 traces could not be written" in caplog.text


def test_a_collector_gets_protobuf_with_ids_names_and_the_key():
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    received: list[tuple[str, str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers.get("Authorization", ""), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        settings = OtlpSettings(endpoint=f"http://127.0.0.1:{server.server_port}/v1/traces", every_s=0.01, content=True)
        tracer = otlp_tracer(settings, "Authorization=Basic abc")
        tracer.record(trace())
        tracer.close()
        wait_until(lambda: len(received) == 1)
    finally:
        server.shutdown()
        server.server_close()
    path, key, body = received[0]
    assert (path, key) == ("/v1/traces", "Basic abc")
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    spans = resource.scope_spans[0].spans
    assert [span.name for span in spans] == ["answer", "retrieval"]
    assert {span.trace_id.hex() for span in spans} == {"1" * 32}
    assert spans[1].parent_span_id == spans[0].span_id and spans[0].parent_span_id == b""
    values = {item.key: item.value for item in spans[0].attributes}
    assert values["input.value"].string_value == "법인카드 한도는?" and values["session.id"].string_value == "s1"
    assert spans[1].attributes[0].value.array_value.values[1].string_value == "c2"


def test_nothing_is_sent_without_an_address():
    with pytest.raises(SettingsError, match="http"):
        otlp_tracer(OtlpSettings(endpoint=""))


@pytest.mark.slow
def test_mlflow_keeps_traces_in_an_experiment_of_their_own_and_forgets_old_ones(tmp_path):
    writer = MlflowWriter(MlflowTraceSettings(uri=f"sqlite:///{tmp_path}/mlflow.db", experiment="answers", keep_days=7))
    now = int(time.time() * 1000)
    writer.write([trace("2" * 32, start_ms=now), trace("3" * 32, "failed", start_ms=now)])
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("answers")
    found = {item.info.trace_id: item for item in client.search_traces([experiment.experiment_id])}
    assert set(found) == {"tr-" + "2" * 32, "tr-" + "3" * 32}
    whole = found["tr-" + "2" * 32]
    assert [span.name for span in whole.data.spans] == ["answer", "retrieval"]
    assert whole.data.spans[0].inputs == "법인카드 한도는?" and whole.data.spans[1].attributes["hits.ids"] == ["c1", "c2"]
    assert str(found["tr-" + "3" * 32].info.state).endswith("ERROR")
    writer.write([trace("4" * 32, start_ms=now - 8 * 86_400_000)])
    assert writer.sweep() == 1
    assert len(client.search_traces([experiment.experiment_id])) == 2
