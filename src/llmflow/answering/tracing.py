"""A trace while its answer is being made: steps are noted as they end, and handed over once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from llmflow.context import current_request, new_trace_id
from llmflow.ports.tracing import AnswerTrace, NullTracer, Tracer, TraceSpan, Value
from llmflow.types import Answer, AskOptions, Hit, Principal, Space


@dataclass(slots=True)
class Step:
    """One step that is going on; `attributes` may be added to until it ends."""

    name: str
    start_ns: int
    attributes: dict[str, Value] = field(default_factory=dict)

    def note(self, name: str, value: Value) -> None:
        self.attributes[name] = value


class TraceBuilder:
    """One answer's trace. Safe to use from the threads that one answer wanders over, one at a time."""

    def __init__(self, tracer: Tracer | None, principal: Principal, session_id: str = "") -> None:
        """The id is the request's; a request that asks several times, such as a socket, gets a new one from the second on."""
        request = current_request()
        self.id = new_trace_id()
        if request is not None and "answers" not in request.extra:
            self.id = request.trace_id
            request.extra["answers"] = 1
        self._tracer = tracer or NullTracer()
        self._principal, self._session_id = principal, session_id
        self._start = time.time_ns()
        self._spans: list[TraceSpan] = []
        self._attributes: dict[str, Value] = {}
        self._question = ""
        self._lock = Lock()
        self._ended = False

    def asked(self, masked_question: str) -> None:
        self._question = masked_question

    def note(self, name: str, value: Value) -> None:
        """Say something of the whole answer."""
        self._attributes[name] = value

    def wished(self, space: Space, options: AskOptions) -> None:
        """Say what was wished of the answer: how much of it, not the words, which are the person's own."""
        if options.documents:
            self.note("ask.documents", options.documents)
        if space != Space.ALL:
            self.note("ask.space", str(space))
        if options.template:
            self.note("ask.template", options.template)
        if options.shaped:
            self.note("ask.instructions.characters", len(options.instructions))
            self.note("ask.examples", len(options.examples))

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time what happens inside the block; its error is noted by its kind and goes on."""
        step = Step(name, time.time_ns())
        error = ""
        try:
            yield step
        except BaseException as exc:
            error = type(exc).__name__
            raise
        finally:
            self._spans.append(TraceSpan(name, step.start_ns, time.time_ns(), dict(step.attributes), error))

    def span(self, name: str, start_ns: int, attributes: dict[str, Value], error: str = "") -> None:
        """Add a step that ends now, for work that is spread over a generator."""
        self._spans.append(TraceSpan(name, start_ns, time.time_ns(), attributes, error))

    def end(self, status: str, answer: Answer | None = None) -> None:
        """Hand the trace over; only the first end counts."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        if answer is not None:
            self._attributes |= {
                "answer.found": answer.found,
                "answer.cached": answer.cached,
                "answer.confidence": round(answer.confidence, 3),
                "answer.citations": tuple(citation.chunk_id for citation in answer.citations),
                "answer.suspicious": answer.suspicious,
                "answer.doubted": answer.doubted,
                "answer.settings_id": answer.settings_id,
                "gen_ai.request.model": answer.model,
                "gen_ai.usage.input_tokens": answer.prompt_tokens,
                "gen_ai.usage.output_tokens": answer.completion_tokens,
            }
        self._tracer.record(
            AnswerTrace(
                self.id,
                self._start,
                time.time_ns(),
                status,
                self._question,
                self._principal.tenant,
                self._principal.user,
                self._session_id,
                answer.text if answer else "",
                dict(self._attributes),
                tuple(self._spans),
            )
        )


def hit_attributes(hits: tuple[Hit, ...]) -> dict[str, Value]:
    """Return ids and scores of hits, best first, with the score of every channel that found one."""
    found: dict[str, Value] = {
        "hits.ids": tuple(hit.chunk.id for hit in hits),
        "hits.scores": tuple(round(hit.score, 4) for hit in hits),
    }
    for channel in sorted({name for hit in hits for name in hit.channels}):
        found[f"hits.{channel}"] = tuple(round(hit.channels.get(channel, 0.0), 4) for hit in hits)
    return found
