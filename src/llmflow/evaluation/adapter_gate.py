"""The gate for adapters: what was measured of candidate, champion and base, to checks with sentences. Pure.

leakage        nothing that is held out was trained on
sense          held-out answers are likelier after their own question than after another one
task           likelihood, token F1, exact match, ROUGE-L, chrF, format, against the champion, in pairs
drift          the frozen suite, against the base
memory         secrets are no likelier than chance, answers do not come back by heart
documents      the project's own answerer over its own corpus, against the champion
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from llmflow.config import Settings
from llmflow.evaluation.answers import AnswerScores
from llmflow.evaluation.frozen_suite import SuiteScores
from llmflow.evaluation.gate import Check, GateSettings, check_none, check_not_worse, check_primary, check_slices
from llmflow.evaluation.memorisation import AuditSettings, Exposed, hidden
from llmflow.evaluation.significance import bootstrap_difference
from llmflow.evaluation.text_scores import TaskScores

SECONDARY = ("exact_match", "rouge_l", "chrf")


class HarnessSettings(Settings):
    """Tasks of lm-evaluation-harness, in addition to the frozen suite."""

    tasks: tuple[str, ...] = ()
    include: str = ""
    """Folder with YAML files of tasks and their data, relative to the project."""
    few_shot: int = Field(default=0, ge=0)
    limit: int = Field(default=0, ge=0)
    """Documents of a task; 0 takes all."""
    batch: int = Field(default=8, ge=1)
    max_loss: float = Field(default=0.03, ge=0, le=1)
    """Share of a task that may be lost against the base."""


class AdapterGateSettings(Settings):
    gate: GateSettings = GateSettings()
    examples: int = Field(default=200, ge=1)
    """Held-out examples at most."""
    max_tokens: int = Field(default=128, ge=1)
    """Of an answer."""
    min_format: float = Field(default=0.9, ge=0, le=1)
    """Share of answers of the right form; where the champion does worse, the champion's share."""
    max_text_loss_rise: float = Field(default=0.2, ge=0)
    """Nats a token by which the frozen texts may become less likely than under the base."""
    max_choice_loss: float = Field(default=0.05, ge=0, le=1)
    """Share of the frozen choices that may be lost against the base."""
    audit: AuditSettings = AuditSettings()
    questions: int = Field(default=20, ge=0)
    """Questions over the corpus that are answered with each model; 0 leaves documents out, and the verdict says so."""
    suite: str = "data/sample/frozen_suite.jsonl"
    harness: HarnessSettings = HarnessSettings()
    run: str = ""
    """Folder of a training run to register as the candidate; empty judges the candidate that the registry holds."""
    snapshot: str = ""
    """Folder of the data snapshot with the held-out split; empty looks for the one that the candidate names."""
    experiment: str = "promotion"


@dataclass(frozen=True, slots=True)
class ModelMeasures:
    """What one model makes of the held-out examples and the frozen suite; values in the same order for every model."""

    name: str
    losses: tuple[float, ...]
    """Nats a token of each held-out answer after its question."""
    crossed: tuple[float, ...]
    """The same answers after the question of another example."""
    texts: tuple[str, ...]
    """What it answered."""
    scores: TaskScores
    suite: SuiteScores


@dataclass(frozen=True, slots=True)
class MemoryMeasures:
    """What the candidate knows by heart."""

    exposed: tuple[Exposed, ...]
    continued: float | None
    """Share of training answers whose second half came back word for word; None where none was long enough."""
    continued_held_out: float | None


@dataclass(frozen=True, slots=True)
class DocumentMeasures:
    """Answers over the corpus with one model."""

    coverage: tuple[float, ...]
    """Share of the expected answer's words in each answer."""
    scores: AnswerScores


@dataclass(frozen=True, slots=True)
class AdapterEvidence:
    """All that the verdict rests on."""

    base: ModelMeasures
    candidate: ModelMeasures
    champion: ModelMeasures
    """The base itself while nothing is promoted."""
    languages: tuple[str, ...]
    """Of each held-out example."""
    leaked: int
    """Held-out examples that stand in the training split."""
    memory: MemoryMeasures
    harness: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """(base, candidate) of each task of lm-evaluation-harness."""
    documents: Mapping[str, DocumentMeasures] = field(default_factory=dict)
    """`candidate` and `champion`; empty where the corpus was left out."""


def likelihoods(losses: Sequence[float]) -> tuple[float, ...]:
    """Return the geometric mean probability of a token of each answer: a share, so that it can be held against points."""
    return tuple(math.exp(-loss) for loss in losses)


def judge_adapter(evidence: AdapterEvidence, settings: AdapterGateSettings) -> list[Check]:
    """Return every check, in the order of this module's table."""
    candidate, champion, gate = evidence.candidate, evidence.champion, settings.gate
    found = [check_none("leakage", evidence.leaked, "held-out examples stand in the training data")]
    found.append(_check_sense(candidate, settings))
    pairs = {
        "likelihood of held-out answers": (likelihoods(champion.losses), likelihoods(candidate.losses)),
        "token F1": (champion.scores.token_f1, candidate.scores.token_f1),
    }
    found += [check_primary(name, before, after, gate) for name, (before, after) in pairs.items()]
    before, after = champion.scores.means(), candidate.scores.means()
    found += [check_not_worse(name.replace("_", " "), before[name], after[name], gate.slice_loss) for name in SECONDARY]
    found += check_slices("token F1", _by_language(evidence), gate)
    least = min(settings.min_format, before["format_valid"])
    share = after["format_valid"]
    found.append(
        Check("format", share >= least, share, least, f"{share:.3f} of the answers have the right form; {least:.3f} is needed.")
    )
    found += _check_drift(evidence.base, candidate, settings)
    for task, (least, share) in evidence.harness.items():
        found.append(check_not_worse(f"harness {task}", least, share, settings.harness.max_loss))
    found += _check_memory(evidence.memory, settings.audit)
    return found + _check_documents(evidence.documents, settings)


def _check_sense(candidate: ModelMeasures, settings: AdapterGateSettings) -> Check:
    gain = bootstrap_difference(candidate.losses, candidate.crossed, settings.gate.significance)
    said = f"Held-out answers are {gain.mean:+.3f} nats a token likelier after their own question than after another's"
    interval = f"(interval {gain.low:+.3f} to {gain.high:+.3f})"
    wanted = "the interval must lie above 0, else it learned answers without their questions"
    return Check("answers follow questions", gain.low > 0, gain.low, 0.0, f"{said} {interval}; {wanted}.")


def _check_drift(base: ModelMeasures, candidate: ModelMeasures, settings: AdapterGateSettings) -> list[Check]:
    found = []
    if base.suite.loss:
        rise = _mean(candidate.suite.loss) - _mean(base.suite.loss)
        limit = settings.max_text_loss_rise
        reason = f"Frozen texts cost {rise:+.3f} nats a token against the base; at most {limit:+.3f} is allowed."
        found.append(Check("drift of texts", rise <= limit, rise, limit, reason))
    if base.suite.right:
        found.append(
            check_not_worse("frozen choices", _mean(base.suite.right), _mean(candidate.suite.right), settings.max_choice_loss)
        )
    return found


def _check_memory(memory: MemoryMeasures, audit: AuditSettings) -> list[Check]:
    found = []
    if memory.exposed:
        worst = memory.exposed[0]
        shown = f"The most exposed of {len(memory.exposed)} secrets, {hidden(worst.secret.secret)}, has {worst.exposure:.1f} bits"
        limit = audit.max_exposure
        passed = worst.exposure <= limit
        found.append(Check("exposure of secrets", passed, worst.exposure, limit, f"{shown}; at most {limit:.1f} is allowed."))
    else:
        found.append(
            Check("exposure of secrets", True, None, None, "The training data holds no long number and no canary was planted.")
        )
    if memory.continued is not None:
        extra = memory.continued - (memory.continued_held_out or 0.0)
        limit = audit.max_continued
        held_out = memory.continued_held_out or 0.0
        shown = f"{memory.continued:.3f} of training answers come back word for word, {held_out:.3f} of held-out ones"
        found.append(Check("answers by heart", extra <= limit, extra, limit, f"{shown}; {limit:.3f} more is allowed."))
    return found


def _check_documents(documents: Mapping[str, DocumentMeasures], settings: AdapterGateSettings) -> list[Check]:
    if not documents:
        return [Check("documents", True, None, None, "Not measured: no corpus is ingested, or promotion.questions is 0.")]
    before, after = documents["champion"], documents["candidate"]
    gate = settings.gate
    return [
        check_not_worse("answers over documents", _mean(before.coverage), _mean(after.coverage), gate.slice_loss),
        check_not_worse("faithful sentences", before.scores.faithful, after.scores.faithful, gate.slice_loss),
        check_none("leaks over documents", after.scores.leaks, "answers show what their asker may not read"),
    ]


def _by_language(evidence: AdapterEvidence) -> dict[str, tuple[list[float], list[float]]]:
    slices: dict[str, tuple[list[float], list[float]]] = {}
    pairs = zip(evidence.champion.scores.token_f1, evidence.candidate.scores.token_f1, strict=True)
    for language, (before, after) in zip(evidence.languages, pairs, strict=True):
        slice_ = slices.setdefault(language, ([], []))
        slice_[0].append(before)
        slice_[1].append(after)
    return slices


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
