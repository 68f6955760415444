"""Traces as OpenTelemetry spans: what MLflow keeps and what OTLP carries."""

import hashlib
from collections.abc import Mapping
from typing import Any

from llmflow.ports.tracing import AnswerTrace

KINDS = {"retrieval": "RETRIEVER", "generation": "LLM", "cache": "TOOL", "rewriting": "CHAIN"}


def spans_of(trace: AnswerTrace, resource: Any, extra: Mapping[str, Any]) -> list[Any]:
    """Return the answer's ReadableSpan first, then its steps. `extra` goes to every span. Ids follow from the trace's id."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    scope = InstrumentationScope("llmflow")

    def context(number: int) -> SpanContext:
        digest = hashlib.sha256(f"{trace.id}/{number}".encode()).digest()[:8]
        return SpanContext(int(trace.id, 16), int.from_bytes(digest) or 1, False, TraceFlags(TraceFlags.SAMPLED))

    def span(number: int, name: str, start: int, end: int, attributes: Mapping[str, Any], failed: bool) -> ReadableSpan:
        return ReadableSpan(
            name,
            context=context(number),
            parent=context(0) if number else None,
            resource=resource,
            attributes={**attributes, **extra},
            kind=SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR if failed else StatusCode.OK),
            start_time=start,
            end_time=max(end, start),
            instrumentation_scope=scope,
        )

    whole = {
        "session.id": trace.session_id,
        "user.id": trace.account_id,
        "llmflow.tenant": trace.tenant,
        "llmflow.status": trace.status,
        "input.value": trace.question,
        **({"output.value": trace.answer} if trace.answer else {}),
        **trace.attributes,
    }
    spans = [span(0, "answer", trace.start_ns, trace.end_ns, whole, trace.status == "failed")]
    for number, step in enumerate(trace.spans, 1):
        attributes = {**step.attributes, **({"error.type": step.error} if step.error else {})}
        spans.append(span(number, step.name, step.start_ns, step.end_ns, attributes, bool(step.error)))
    return spans
