"""Traces to any collector over OTLP/HTTP (protobuf): Langfuse, Jaeger, Grafana Tempo, an OpenTelemetry Collector."""

from collections.abc import Mapping, Sequence

from llmflow.adapters.trace_queue import QueuedTracer, TraceSettings
from llmflow.adapters.trace_spans import spans_of
from llmflow.errors import MissingDependency, SettingsError
from llmflow.ports.tracing import AnswerTrace


class OtlpSettings(TraceSettings):
    endpoint: str
    """Address that takes traces, such as http://collector:4318/v1/traces. There is no default: nothing is sent unasked."""
    service: str = "llmflow"
    timeout_s: float = 10.0


class OtlpWriter:
    """Sends batches. Nothing is read from OTEL_* variables: where traces go is said in conf/ alone."""

    def __init__(self, settings: OtlpSettings, headers: Mapping[str, str]) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as exc:
            raise MissingDependency("Traces over OTLP need an extra: pip install 'llmflow[otlp]'") from exc
        from opentelemetry.sdk.resources import Resource

        self._resource = Resource({"service.name": settings.service})
        self._exporter = OTLPSpanExporter(settings.endpoint, headers=dict(headers), timeout=settings.timeout_s)

    def write(self, traces: Sequence[AnswerTrace]) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        spans = [span for trace in traces for span in spans_of(trace, self._resource, {})]
        if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise ConnectionError("the collector did not take them")


def otlp_tracer(settings: OtlpSettings, headers: str = "") -> QueuedTracer:
    """Return the tracer. `headers` as `name=value,name=value`, which may hold a key and comes from credentials."""
    if not settings.endpoint.startswith(("http://", "https://")):
        raise SettingsError(f"The endpoint of the tracer is '{settings.endpoint}'. Give an http:// or https:// address.")
    pairs = dict(pair.strip().split("=", 1) for pair in headers.split(",") if "=" in pair)
    return QueuedTracer(settings, lambda: OtlpWriter(settings, pairs))
