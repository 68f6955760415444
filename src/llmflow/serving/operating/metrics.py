"""What Prometheus reads: a registry of its own, counters that requests and answers move, and gauges read when asked.

No label holds anything that a caller chose: routes are templates, models are those of answers, and everything else is a kind.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmflow.errors import LlmflowError
from llmflow.ports import AnswerEvent, EventLog

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
ANSWER_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
UNKNOWN_ROUTE = "(other)"
MAX_MODELS = 50
"""Names of models that get a label of their own; adapters come and go over the life of a process."""
KEPT_S = 15.0
"""Gauges are read from the stores at most so often, however many scrape."""

Reading = Mapping[tuple[str, ...], float]
"""Label values to a number; () where a gauge has no labels."""


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        r = self.registry
        self._requests = Counter("llmflow_http_requests", "Requests by route.", ["route", "method", "status"], registry=r)
        self._seconds = Histogram(
            "llmflow_http_request_seconds", "Seconds to the end of a response.", ["route"], buckets=REQUEST_SECONDS, registry=r
        )
        self._in_flight = Gauge("llmflow_http_in_flight", "Requests that are being answered.", registry=r)
        self._answers = Counter("llmflow_answers", "Questions answered.", ["model", "found", "cached", "status"], registry=r)
        self._first = Histogram(
            "llmflow_answer_first_token_seconds", "Seconds to the first word.", buckets=ANSWER_SECONDS, registry=r
        )
        self._total = Histogram("llmflow_answer_seconds", "Seconds to the end of an answer.", buckets=ANSWER_SECONDS, registry=r)
        self._tokens = Counter("llmflow_tokens", "Tokens as model servers count them.", ["model", "kind"], registry=r)
        self._pii = Counter("llmflow_pii_masked", "Personal data masked in questions and answers.", ["kind"], registry=r)
        self._suspicious = Counter("llmflow_suspicious_passages", "Passages whose instructions were neutralised.", registry=r)
        self._errors = Counter("llmflow_errors", "Failures by kind.", ["kind"], registry=r)
        self._models: set[str] = set()

    def observe(self, event: AnswerEvent) -> None:
        """Count one answer."""
        model = self._model(event.model)
        self._answers.labels(model, _flag(event.found), _flag(event.cached), event.status).inc()
        if event.ttft_ms > 0:
            self._first.observe(event.ttft_ms / 1000)
        self._total.observe(event.total_ms / 1000)
        self._tokens.labels(model, "prompt").inc(event.prompt_tokens)
        self._tokens.labels(model, "completion").inc(event.completion_tokens)
        for kind, count in event.pii.items():
            self._pii.labels(kind).inc(count)
        self._suspicious.inc(event.suspicious)

    def failed(self, kind: str) -> None:
        """Count a failure; `kind` is one of the product's own words."""
        self._errors.labels(kind).inc()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method if method in METHODS else "OTHER", str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status >= 500:
            self._errors.labels("http").inc()

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        self._in_flight.inc()
        try:
            yield
        finally:
            self._in_flight.dec()

    def watch(self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Reading]) -> None:
        """Add a gauge that `read` gives when Prometheus asks; while it fails, the gauge is absent and `llmflow_errors` counts."""
        self.registry.register(_Watched(self, name, text, labels, read))  # type: ignore[arg-type]

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _model(self, name: str) -> str:
        if name in self._models or len(self._models) < MAX_MODELS:
            self._models.add(name)
            return name
        return "other"


class _Watched:
    """A gauge read from the outside, at most every `KEPT_S` seconds."""

    def __init__(self, metrics: Metrics, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Reading]):
        self._metrics, self._name, self._text, self._labels, self._read = metrics, name, text, labels, read
        self._kept: tuple[float, Reading] = (0.0, {})

    def describe(self) -> Iterable[Any]:
        return [GaugeMetricFamily(self._name, self._text, labels=self._labels)]

    def collect(self) -> Iterable[Any]:
        at, values = self._kept
        if not at or time.monotonic() - at > KEPT_S:
            try:
                values = self._read()
            except LlmflowError as exc:
                log.warning("%s cannot be read: %s", self._name, exc)
                self._metrics.failed("metrics")
                values = {}
            self._kept = (time.monotonic(), values)
        family = GaugeMetricFamily(self._name, self._text, labels=self._labels)
        for key, value in sorted(values.items()):
            family.add_metric(list(key), value)
        return [family]


class CountedEvents:
    """An EventLog that also moves the counters."""

    def __init__(self, events: EventLog, metrics: Metrics):
        self._events, self._metrics = events, metrics

    def record(self, event: AnswerEvent) -> None:
        self._metrics.observe(event)
        self._events.record(event)

    def events(self, tenant: str, since: str, until: str = "") -> list[AnswerEvent]:
        return self._events.events(tenant, since, until)

    def close(self) -> None:
        self._events.close()


class MetricsMiddleware:
    """Counts requests by the template of their route, whatever the path was. Pure ASGI: streams stay streams."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.in_flight():
            try:
                await self._app(scope, receive, sent)
            finally:
                self._metrics.answered(_template(scope), scope["method"], status, time.perf_counter() - start)


def _template(scope: Scope) -> str:
    """Return the route's own path, such as /api/documents/{document_id}: the path as sent is the caller's choice."""
    path = getattr(scope.get("route"), "path", "")
    return path if isinstance(path, str) and path else UNKNOWN_ROUTE


def _flag(value: bool) -> str:
    return "true" if value else "false"
