"""An experiment matrix as data: conditions (what is changed) by judged sets (what it is measured on). Pure.

A condition names only what differs from conf/: `{retrieval: {fusion: {method: rrf}}}`. Its settings are those of conf/ with
these values in their place. The condition `champion` is always there: what is served when the matrix runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import Field, field_validator, model_validator

from llmflow.config import Settings
from llmflow.errors import SettingsError
from llmflow.evaluation.gate import GateSettings
from llmflow.evaluation.judged_sets import JudgedQuestion
from llmflow.evaluation.metrics import LatencySummary
from llmflow.ingestion.prepare import PreparationSettings
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.types import ScoredId

Model = TypeVar("Model", bound=Settings)

CHAMPION = "champion"
"""The condition that is served, which every other one is compared with."""
RESERVED = (CHAMPION, "conf", "best")
CORPUS = "corpus"
"""The set of the corpus's own questions, on which candidates are chosen and judged."""
DEPTHS = (1, 2, 5, 10, 20)


class Condition(Settings):
    """What one row of the matrix changes; what is not named stays as in conf/."""

    retrieval: RetrievalSettings = RetrievalSettings()
    preparation: PreparationSettings = PreparationSettings()
    """A change here (another chunker) is measured on an index of its own, and cannot be promoted without ingesting again."""
    note: str = ""
    """Why it is tried; shown in the report."""

    def __repr_args__(self) -> Iterable[tuple[str, Any]]:
        """Show what is named and no default: MLflow keeps the matrix as one parameter of limited length."""
        return self.model_dump(exclude_unset=True).items()


class ComparedSet(Settings):
    """One column of the matrix."""

    path: str | None = None
    """A BEIR folder or KorQuAD file, relative to the project; None: the corpus's own questions."""
    drop_titles: bool = False
    questions: int | None = Field(default=None, ge=1)
    """Only the first so many questions; None: all."""
    optional: bool = False
    """Leave the set out, and say so, where its path is missing."""
    expected: Mapping[str, float] = Field(default_factory=dict)
    """Condition to the share that the measure had when it was last written down."""
    tolerance: float = Field(default=0.02, ge=0, le=1)
    """How far a measured value may lie from the expected one, either way."""


class ExperimentSettings(Settings):
    """Everything under `experiments:` in the parameters."""

    conditions: Mapping[str, Condition] = Field(default_factory=dict)
    sets: Mapping[str, ComparedSet] = Field(default_factory=lambda: {CORPUS: ComparedSet()})
    measure: str = "R@5"
    """What conditions are chosen and judged by."""
    candidate: str = "best"
    """The condition that goes to the gate; `best` chooses it, `none` leaves the gate out."""
    timed_questions: int = Field(default=20, ge=0)
    """Single questions that are timed for each condition; 0 leaves latency out."""
    confident: float = Field(default=0.6, ge=0, le=1)
    """Wrong answers of at least this confidence are listed with their text."""
    strict: bool = False
    """End the run with an error where a measured value is not the expected one."""
    gate: GateSettings = GateSettings()

    @field_validator("conditions")
    @classmethod
    def _names(cls, conditions: Mapping[str, Condition]) -> Mapping[str, Condition]:
        if taken := sorted(set(conditions) & {*RESERVED, "none"}):
            raise ValueError(f"{', '.join(taken)} cannot name a condition: these names have a meaning of their own")
        return conditions

    @field_validator("measure")
    @classmethod
    def _measure(cls, measure: str) -> str:
        known = [*(f"R@{depth}" for depth in DEPTHS), "RR@10"]
        if measure not in known:
            raise ValueError(f"unknown measure {measure!r}; choose one of: {', '.join(known)}")
        return measure

    @model_validator(mode="after")
    def _known_conditions(self) -> "ExperimentSettings":
        known = {*self.conditions, CHAMPION}
        if self.candidate not in known - {CHAMPION} | {"best", "none"}:
            raise ValueError(f"candidate {self.candidate!r} is no condition; choose best, none or one of: {sorted(known)}")
        for name, compared in self.sets.items():
            if (name == CORPUS) != (compared.path is None):
                raise ValueError(f"sets.{name}: every set but '{CORPUS}' needs a path, and '{CORPUS}' has none")
            if name == CORPUS and (compared.questions or compared.drop_titles):
                raise ValueError(f"sets.{CORPUS} is measured whole: questions and drop_titles are for sets with a path")
            if unknown := sorted(set(compared.expected) - known):
                raise ValueError(f"sets.{name}.expected names unknown conditions: {', '.join(unknown)}")
        return self


@dataclass(frozen=True, slots=True)
class ResolvedCondition:
    """A condition with every value filled in."""

    name: str
    retrieval: RetrievalSettings
    preparation: PreparationSettings
    own_index: bool
    """The preparation differs from the corpus's: passages, tokens or entities are others."""
    note: str = ""

    @property
    def id(self) -> str:
        """Fingerprint of the retrieval settings: what the gate's verdict is on."""
        return self.retrieval.fingerprint()


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One condition measured on one set."""

    condition: ResolvedCondition
    per_question: Mapping[str, Mapping[str, float]] = field(repr=False)
    """Measure to question id to value; the same questions in the same order in every condition of a set."""
    run: Mapping[str, Sequence[ScoredId]] = field(repr=False)
    """The rankings, for a TREC run file: passages of public sets, chunks of the corpus."""
    leaks: int
    """Forbidden sources shown, over all questions."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds of the batched search by stage, over all questions, and `index` where one was built."""
    latency: LatencySummary | None = None
    """Of single questions."""

    @property
    def means(self) -> dict[str, float]:
        return {measure: sum(values.values()) / len(values) for measure, values in self.per_question.items() if values}


@dataclass(frozen=True, slots=True)
class SetResult:
    """Every condition on one set, the champion first."""

    name: str
    questions: tuple[JudgedQuestion, ...] = field(repr=False)
    """The questions that have gold, in the set's order."""
    passages: int
    conditions: Mapping[str, ConditionResult]
    note: str = ""

    @property
    def champion(self) -> ConditionResult:
        return self.conditions[CHAMPION]

    def values(self, condition: str, measure: str) -> list[float]:
        """Return one value a question, in the order of `questions`."""
        known = self.conditions[condition].per_question[measure]
        return [known[question.id] for question in self.questions]


def resolve_conditions(
    settings: ExperimentSettings, configured: RetrievalSettings, served: RetrievalSettings, preparation: PreparationSettings
) -> tuple[ResolvedCondition, ...]:
    """Return the champion (`served`) and then every condition in its order, applied to `configured` (what conf/ says)."""
    champion = ResolvedCondition(CHAMPION, served, preparation, False, "what is served")
    return (champion, *(resolve_condition(name, settings, configured, preparation) for name in settings.conditions))


def resolve_condition(
    name: str, settings: ExperimentSettings, configured: RetrievalSettings, preparation: PreparationSettings
) -> ResolvedCondition:
    """Return the condition `name`. Raises SettingsError when it is unknown."""
    condition = settings.conditions.get(name)
    if condition is None:
        known = ", ".join(settings.conditions) or "none is configured"
        raise SettingsError(f"There is no condition '{name}'. Choose one of: {known}; or add it to experiments.conditions.")
    retrieval = overlay(configured, condition.retrieval)
    prepared = overlay(preparation, condition.preparation)
    own_index = prepared.fingerprint() != preparation.fingerprint()
    return ResolvedCondition(name, retrieval, prepared, own_index, condition.note)


def overlay(base: Model, change: Model) -> Model:
    """Return `base` with the values in their place that were set in `change`, key by key; lists are replaced whole."""
    return type(base).model_validate(_merged(base.model_dump(), change.model_dump(exclude_unset=True)))


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
