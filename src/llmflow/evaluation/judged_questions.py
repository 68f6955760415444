"""Judged questions as values: what is asked, by whom, what is right, and where the question comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmflow.types import Principal

BENCHMARK_TENANT = "benchmark"
"""Tenant of the questions of public sets, which know no permissions."""
_BENCHMARK_PRINCIPAL = Principal(BENCHMARK_TENANT)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quoted span that proves an answer, and the source it stands in."""

    source: str
    quote: str


@dataclass(frozen=True, slots=True)
class Passage:
    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Marks a question as generated, and says by what."""

    generator: str
    """`templates` (no model) or `model`."""
    template: str
    """What it was made from, such as `definition`, `table`, `bridge`."""
    model: str
    """Name of the language model; empty for templates."""
    date: str
    """ISO 8601 day."""
    fingerprint: str
    """Of generator, settings and passages: equal fingerprints mean equal questions."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a person decided about a generated question."""

    decision: str
    """`accepted` or `rejected`."""
    by: str
    at: str
    """ISO 8601, UTC."""
    edited: bool = False
    """Whether the wording was changed before it was accepted."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """One question with its gold: passages by id (public sets) or evidence by quote (our own documents)."""

    id: str
    text: str
    language: str
    """`ko`, `en` or `other`."""
    kind: str = ""
    principal: Principal = field(default=_BENCHMARK_PRINCIPAL)
    """Who asks."""
    relevant: Mapping[str, int] = field(default_factory=dict)
    """Grade of each judged passage; 0 and less is judged and not relevant."""
    evidence: tuple[Evidence, ...] = ()
    forbidden: tuple[str, ...] = ()
    """Sources that this principal must never be shown."""
    answer: str | None = None
    answerable: bool = True
    """False when the right answer is that nothing was found."""
    aliases: tuple[str, ...] = ()
    """Other wordings of `answer` that count as right."""
    origin: Origin | None = None
    """None for questions written by a person."""
    review: Review | None = None
    """None while nobody has looked at a generated question."""

    @property
    def standing(self) -> str:
        """Return `written`, `reviewed`, `generated` (nobody has looked at it) or `rejected`."""
        if self.review is not None and self.review.decision == "rejected":
            return "rejected"
        if self.origin is None:
            return "written"
        return "generated" if self.review is None else "reviewed"


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Passages and questions in the order of their files; ids are unique."""

    name: str
    passages: tuple[Passage, ...]
    """Empty for questions over ingested documents."""
    questions: tuple[JudgedQuestion, ...]

    def qrels(self) -> dict[str, dict[str, int]]:
        """Return the grades of every question that has judged passages, by question id."""
        return {question.id: dict(question.relevant) for question in self.questions if question.relevant}
