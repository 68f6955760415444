"""Traces in MLflow: one experiment of their own, read in its UI; spans go straight to the tracking store, many in one call."""

import json
import logging
import time
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from llmflow.adapters.mlflow_opening import open_mlflow
from llmflow.adapters.trace_queue import QueuedTracer, TraceSettings
from llmflow.adapters.trace_spans import KINDS, spans_of
from llmflow.ports.tracing import AnswerTrace

log = logging.getLogger(__name__)

_DAY_MS = 86_400_000


class MlflowTraceSettings(TraceSettings):
    uri: str
    """Tracking store, such as sqlite:////data/mlflow.db or http://mlflow:5000."""
    experiment: str = "answers"
    keep_days: int = Field(default=30, ge=0)
    """Older traces are removed once a day; 0 keeps them for good."""


class MlflowWriter:
    """Opens the store when it is made, which takes seconds: make it where nobody waits."""

    def __init__(self, settings: MlflowTraceSettings) -> None:
        from mlflow.tracking._tracking_service.utils import _get_store

        self._settings = settings
        client = open_mlflow(settings.uri)
        known = client.get_experiment_by_name(settings.experiment)
        self._client, self._store = client, _get_store(settings.uri)
        self._experiment = known.experiment_id if known else client.create_experiment(settings.experiment)
        self._swept = 0.0

    def write(self, traces: Sequence[AnswerTrace]) -> None:
        from mlflow.entities import Span
        from opentelemetry.sdk.resources import Resource

        resource = Resource({"service.name": "llmflow"})
        spans = []
        for trace in traces:
            marks = {"mlflow.traceRequestId": json.dumps(f"tr-{trace.id}"), "mlflow.experimentId": json.dumps(self._experiment)}
            spans += [
                Span(_encoded(span, trace if not number else None, marks))
                for number, span in enumerate(spans_of(trace, resource, {}))
            ]
        self._store.log_spans(self._experiment, spans)
        if self._settings.keep_days and time.time() - self._swept > _DAY_MS / 1000:
            self._swept = time.time()
            self.sweep()

    def sweep(self) -> int:
        """Remove traces older than `keep_days` and return how many."""
        before = int(time.time() * 1000) - self._settings.keep_days * _DAY_MS
        removed = self._client.delete_traces(self._experiment, max_timestamp_millis=before)
        if removed:
            log.info("Removed %d traces older than %d days", removed, self._settings.keep_days)
        return removed


def mlflow_tracer(settings: MlflowTraceSettings) -> QueuedTracer:
    """Return the tracer; MLflow is imported in its thread, with the first trace."""
    return QueuedTracer(settings, lambda: MlflowWriter(settings))


def _encoded(span: Any, trace: AnswerTrace | None, marks: dict[str, str]) -> Any:
    """Return the span as MLflow reads it: every value as JSON, with what its pages show."""
    from opentelemetry.sdk.trace import ReadableSpan

    attributes = {name: json.dumps(value, ensure_ascii=False) for name, value in (span.attributes or {}).items()}
    attributes |= {**marks, "mlflow.spanType": json.dumps("CHAIN" if trace else KINDS.get(span.name, "UNKNOWN"))}
    if trace is not None:
        attributes["mlflow.spanInputs"] = json.dumps(trace.question, ensure_ascii=False)
        if trace.answer:
            attributes["mlflow.spanOutputs"] = json.dumps(trace.answer, ensure_ascii=False)
    return ReadableSpan(
        span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
