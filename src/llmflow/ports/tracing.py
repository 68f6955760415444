"""Port of traces: what became of one answer, step by step, told once it is complete."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

Value = str | int | float | bool | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """One step. Times are nanoseconds since 1970; every span is a child of the answer."""

    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Value] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class AnswerTrace:
    """One answer. Nothing in it is personal: questions and texts are masked, documents are ids unless content is asked for."""

    id: str
    """32 hexadecimal digits."""
    start_ns: int
    end_ns: int
    status: str
    """`done`, `stopped` or `failed`."""
    question: str
    tenant: str = ""
    account_id: str = ""
    session_id: str = ""
    answer: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    spans: tuple[TraceSpan, ...] = ()


class Tracer(Protocol):
    """Takes traces without making anybody wait. What cannot be kept is dropped and counted, never raised."""

    def begin(self) -> None:
        """Prepare in the background what the first trace would need; safe twice, and never needed."""
        ...

    def record(self, trace: AnswerTrace) -> None: ...

    def close(self) -> None:
        """Write what is still held, for a few seconds at most; safe twice."""
        ...


class NullTracer:
    """Keeps nothing."""

    def begin(self) -> None:
        """Do nothing."""

    def record(self, trace: AnswerTrace) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
