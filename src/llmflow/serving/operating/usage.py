"""What was used, from the events of answers: pure counts, percentiles and costs, as rows that fit a CSV.

>>> percentile([30.0, 10.0, 20.0], 0.5)
20.0
"""

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from llmflow.ports import AnswerEvent, MessageStatus
from llmflow.serving.operating.settings import TokenPrice

NO_GROUP = "(none)"
UNKNOWN_KIND = "unknown"
"""Of questions that were answered before their kind was kept."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Use of one day, group or model; `key` is `total` in the row over everything."""

    key: str
    questions: int
    people: int
    errors: int
    """Failed or interrupted."""
    stopped: int
    refused: int
    """Answered that nothing was found."""
    cached: int
    suspicious: int
    latency_p50_ms: float
    latency_p95_ms: float
    ttft_p50_ms: float
    ttft_p95_ms: float
    prompt_tokens: int
    completion_tokens: int
    cost: float


@dataclass(frozen=True, slots=True)
class AnswerQualityRow:
    """Answers of one day, language, model or settings: how many found something and how sure they were."""

    key: str
    answers: int
    found_share: float
    mean_confidence: float
    cached_share: float


@dataclass(frozen=True, slots=True)
class PiiRow:
    day: str
    kind: str
    count: int


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed (nearest rank); 0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def usage_rows(events: Iterable[AnswerEvent], by: str, prices: Mapping[str, TokenPrice]) -> list[UsageRow]:
    """Return a row a key, sorted, and last the one over everything. `by` is `day`, `group` or `model`.

    A question of a person in two groups counts in both, so groups add up to more than the total.
    """
    chosen = list(events)
    keys: dict[str, Callable[[AnswerEvent], Sequence[str]]] = {
        "day": lambda event: (day_of(event.at),),
        "group": lambda event: event.groups or (NO_GROUP,),
        "model": lambda event: (event.model,),
    }
    parts = _grouped(chosen, keys[by])
    return [*(_usage(key, parts[key], prices) for key in sorted(parts)), _usage("total", chosen, prices)]


def quality_rows(events: Iterable[AnswerEvent], by: str) -> list[AnswerQualityRow]:
    """Return a row a `day`, `language`, `model`, `settings_id` or `kind` of question over answers that came to their end."""
    ended = [event for event in events if event.status == MessageStatus.DONE]
    keys: dict[str, Callable[[AnswerEvent], Sequence[str]]] = {
        "day": lambda event: (day_of(event.at),),
        "language": lambda event: (event.language or "other",),
        "model": lambda event: (event.model,),
        "settings_id": lambda event: (event.settings_id or "conf",),
        "kind": lambda event: (event.kind or UNKNOWN_KIND,),
    }
    parts = _grouped(ended, keys[by])
    return [_quality(key, parts[key]) for key in sorted(parts)]


def pii_rows(events: Iterable[AnswerEvent]) -> list[PiiRow]:
    """Return how many pieces of personal data were masked in questions and answers, by day and kind."""
    counts: Counter[tuple[str, str]] = Counter()
    for event in events:
        for kind, count in event.pii.items():
            counts[day_of(event.at), kind] += count
    return [PiiRow(day, kind, counts[day, kind]) for day, kind in sorted(counts)]


def cost(event: AnswerEvent, prices: Mapping[str, TokenPrice]) -> float:
    """Return what an answer cost; one from the cache asked no model."""
    price = prices.get(event.model)
    if price is None or event.cached:
        return 0.0
    return (event.prompt_tokens * price.prompt + event.completion_tokens * price.completion) / 1000


def day_of(at: str) -> str:
    """Return the day (UTC) of a time, as 2026-11-25."""
    return at[:10]


def days_before(now: datetime, days: int) -> str:
    """Return the time so many days before `now`, ISO 8601."""
    return (now - timedelta(days=days)).isoformat(timespec="seconds")


def as_csv(rows: Sequence[Any]) -> str:
    """Return dataclass rows as CSV with a header; empty for none. Cells that a spreadsheet would run as a formula are quoted."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [item.name for item in fields(rows[0])]
    writer.writerow(names)
    for row in rows:
        values = asdict(row)
        writer.writerow([_harmless(values[name]) for name in names])
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _grouped(events: Iterable[AnswerEvent], keys: Callable[[AnswerEvent], Sequence[str]]) -> dict[str, list[AnswerEvent]]:
    parts: dict[str, list[AnswerEvent]] = {}
    for event in events:
        for key in keys(event):
            parts.setdefault(key, []).append(event)
    return parts


def _usage(key: str, events: Sequence[AnswerEvent], prices: Mapping[str, TokenPrice]) -> UsageRow:
    ended = [event for event in events if event.status == MessageStatus.DONE]
    first = [event.ttft_ms for event in ended if event.ttft_ms > 0]
    return UsageRow(
        key=key,
        questions=len(events),
        people=len({event.account_id for event in events}),
        errors=sum(event.status in (MessageStatus.FAILED, MessageStatus.INTERRUPTED) for event in events),
        stopped=sum(event.status == MessageStatus.STOPPED for event in events),
        refused=sum(not event.found for event in ended),
        cached=sum(event.cached for event in events),
        suspicious=sum(event.suspicious for event in events),
        latency_p50_ms=percentile([event.total_ms for event in ended], 0.5),
        latency_p95_ms=percentile([event.total_ms for event in ended], 0.95),
        ttft_p50_ms=percentile(first, 0.5),
        ttft_p95_ms=percentile(first, 0.95),
        prompt_tokens=sum(event.prompt_tokens for event in events),
        completion_tokens=sum(event.completion_tokens for event in events),
        cost=round(sum(cost(event, prices) for event in events), 6),
    )


def _quality(key: str, events: Sequence[AnswerEvent]) -> AnswerQualityRow:
    count = len(events)
    return AnswerQualityRow(
        key=key,
        answers=count,
        found_share=round(sum(event.found for event in events) / count, 4),
        mean_confidence=round(sum(event.confidence for event in events) / count, 4),
        cached_share=round(sum(event.cached for event in events) / count, 4),
    )
