"""What an administrator should look at today, from what the API says; pure but for the asking."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from apps.admin import texts_overview as words
from apps.admin.client import Client
from apps.admin.session import Visit, named, say
from apps.admin.shapes_running import Health, Models, Retrieval, Usage, Version
from apps.admin.tables import milliseconds, share
from apps.admin.texts_documents import PARTS
from llmflow.accounts.permissions import Permission

MOST_ERRORS, FEWEST_QUESTIONS, SLOWER = 0.05, 5, 2.0
"""Today's share of failures that is too much, of at least so many questions; how much slower than before is too slow."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to look at, and the page that helps."""

    grave: bool
    text: str
    remedy: str
    page: str


def what_needs_attention(visit: Visit, today: date) -> list[Item]:
    """Return what needs somebody, grave things first. Only what this person may see is asked for."""
    return sorted(_items(visit, today), key=lambda item: not item.grave)


def _items(visit: Visit, today: date) -> Iterator[Item]:
    client = visit.client
    if visit.may(Permission.HEALTH_READ):
        yield from of_health(client.health())
    if visit.may(Permission.CORPUS_READ):
        if failed := client.documents(status="failed", limit=1).total:
            yield Item(False, say(words.FAILED_DOCUMENTS, count=f"{failed:,}"), "", "documents")
        if failed := client.jobs(status="failed", limit=1).total:
            yield Item(False, say(words.FAILED_JOBS, count=f"{failed:,}"), "", "health")
    yield from of_usage(*_today_and_before(client, today))
    if visit.may(Permission.MODELS_READ):
        yield from of_retrieval(client.retrieval())
        yield from of_models(client.models())


def _today_and_before(client: Client, today: date) -> tuple[Usage, Usage]:
    start, end = today.isoformat(), (today + timedelta(days=1)).isoformat()
    before = (today - timedelta(days=7)).isoformat()
    return client.usage(start, end).whole, client.usage(before, start).whole


def of_health(health: Health) -> Iterator[Item]:
    for part in health.parts:
        if part.status != "ok":
            text = say(words.PARTS_DOWN, name=named(PARTS, part.name), detail=part.detail or part.status)
            yield Item(part.status == "failed", text, part.remedy, "health")


def of_usage(today: Usage, before: Usage) -> Iterator[Item]:
    if today.questions >= FEWEST_QUESTIONS and today.errors / today.questions > MOST_ERRORS:
        told = share(today.errors, today.questions)
        yield Item(True, say(words.ERRORS_UP, share=told, count=today.errors), "", "health")
    now, usual = today.latency_p95_ms, before.latency_p95_ms
    if today.questions >= FEWEST_QUESTIONS and now and usual and now > SLOWER * usual:
        yield Item(False, say(words.SLOW, now=milliseconds(now), before=milliseconds(usual)), "", "health")


def of_retrieval(retrieval: Retrieval) -> Iterator[Item]:
    if retrieval.problem:
        yield Item(True, say(words.PROBLEM, text=retrieval.problem), "", "quality")
    for verdict in retrieval.verdicts:
        if verdict.decision == "PROMOTE" and verdict.champion == retrieval.served.id:
            yield Item(False, say(words.CANDIDATE, name=verdict.label or verdict.id), "", "quality")


def of_models(models: Models) -> Iterator[Item]:
    for version in models.versions:
        if "candidate" in version.aliases and "champion" not in version.aliases and _promotable(version):
            yield Item(False, say(words.CANDIDATE, name=version.name), "", "models")


def _promotable(version: Version) -> bool:
    return version.verdict is not None and version.verdict.decision == "PROMOTE"
