"""The port of answers that were given before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from llmflow.types import Answer


@dataclass(frozen=True, slots=True)
class CachedSource:
    """A chunk that an answer rests on, as it was then."""

    chunk_id: str
    document_id: str
    version: str
    """Of the document's content."""
    cited: bool
    """False: it was among the evidence, and the answer does not cite it."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer with what it is an answer to."""

    id: str
    """Follows from scope and form: the same question in the same scope replaces its answer."""
    scope: str
    """Who may be given it and what made it: tenant, readable groups, model, prompts, settings, language."""
    tenant: str
    question: str
    """Masked."""
    form: str
    """What is asked, in the form that questions are compared in."""
    answer: Answer
    """Without its hits."""
    sources: tuple[CachedSource, ...]


class AnswerCache(Protocol):
    """Answers by scope, at most so many in all, each gone some time after it was put. Raises `StoreUnavailable`.

    It is an index of what can be answered again: losing it costs time, never an answer.
    """

    def forms(self, scope: str) -> list[tuple[str, str, str]]:
        """Return (id, form, question) of the scope's answers, the one used last first; expired ones are not there."""
        ...

    def get(self, entry_id: str) -> CachedAnswer | None:
        """Return an answer and count it as used now, give or take a minute; None when it is gone."""
        ...

    def put(self, entry: CachedAnswer) -> None:
        """Keep an answer; beyond the limit the ones used longest ago go."""
        ...

    def forget_documents(self, document_ids: Sequence[str]) -> int:
        """Remove the answers that rest on any of these documents and return how many."""
        ...

    def forget_chunks(self, chunk_ids: Sequence[str]) -> int:
        """Remove the answers that rest on any of these chunks and return how many."""
        ...

    def forget_answers(self, tenant: str, text: str) -> int:
        """Remove a tenant's answers of this text, such as one that a reader judged wrong, and return how many."""
        ...

    def forget_tenant(self, tenant: str) -> int: ...

    def size(self) -> int:
        """Return how many answers are kept."""
        ...

    def close(self) -> None: ...
