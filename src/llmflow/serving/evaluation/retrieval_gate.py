"""From a matrix to a verdict: measure, choose, answer with the chosen settings, hold them against the champion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from llmflow.answering.answerer import Answerer
from llmflow.errors import SettingsError
from llmflow.evaluation.answers import AnsweredQuestion, summarise_answers
from llmflow.evaluation.experiment_analysis import analyse_set, choose_condition
from llmflow.evaluation.experiment_page import ExperimentReport
from llmflow.evaluation.experiments import (
    CHAMPION,
    CORPUS,
    ComparedSet,
    Condition,
    ExperimentSettings,
    SetResult,
    resolve_condition,
)
from llmflow.evaluation.gate import decide
from llmflow.evaluation.judged_sets import load_sample_questions
from llmflow.evaluation.mistakes import confident_mistakes
from llmflow.evaluation.promotion import Candidate
from llmflow.evaluation.retrieval_gate import SUBJECT, Side, retrieval_checks
from llmflow.ingestion.indexing import Progress
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.serving.catalog import Workspace
from llmflow.serving.evaluation.evaluate import answer_questions, chosen_questions
from llmflow.serving.evaluation.matrix import Corpus, run_matrix
from llmflow.serving.evaluation.promotion import CONFIGURED, ServedRetrieval
from llmflow.workspace import project_path

AnswererFor = Callable[[RetrievalSettings], Answerer]
"""Returns the answerer that would serve with these settings."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a matrix came to."""

    report: ExperimentReport
    candidate: Candidate | None
    """The chosen condition with its verdict; None where what is served stays."""


def compare_conditions(
    settings: ExperimentSettings,
    corpus: Corpus,
    configured: RetrievalSettings,
    served: ServedRetrieval,
    answerer_for: AnswererFor,
    progress: Progress,
    champion_answers: Sequence[AnsweredQuestion] | None = None,
) -> Outcome:
    """Run the matrix and hold its best condition (or the one named in `settings`) against what is served.

    Only the champion and the candidate answer questions; `champion_answers` are used where they are there already.
    """
    results = run_matrix(settings, corpus, configured, served.settings, progress)
    analyses = [analyse_set(result, settings) for result in results]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    answered: dict[str, Sequence[AnsweredQuestion]] = {CHAMPION: champion_answers} if champion_answers is not None else {}
    choice, candidate = None, None
    for result, analysis in zip(results, analyses, strict=True):
        if result.name != CORPUS:
            continue
        choice = choose_condition(result, analysis, settings)
        if not choice.stays:
            chosen = result.conditions[choice.condition].condition
            if CHAMPION not in answered:
                answered[CHAMPION] = answer_questions(corpus.questions, answerer_for(served.settings))
            answered[chosen.name] = answer_questions(corpus.questions, answerer_for(chosen.retrieval))
            candidate = _judged(result, chosen.name, served.id, answered, corpus, settings, now)
    mistakes = {name: tuple(confident_mistakes(items, settings.confident)) for name, items in answered.items()}
    verdict = candidate.verdict if candidate else None
    report = ExperimentReport(settings, tuple(results), tuple(analyses), choice, verdict, mistakes, now)
    return Outcome(report, candidate)


def run_gate(workspace: Workspace, wanted: str, progress: Progress) -> Outcome:
    """Judge one candidate and write the verdict down: a condition's name, a file of retrieval settings, or `conf`.

    Raises SettingsError when it is none of these, or the same as what is served.
    """
    settings = candidate_settings(workspace, wanted)
    served = workspace.promotions.served()
    asked = resolve_condition(settings.candidate, settings, workspace.retrieval, workspace.ingestion.preparation)
    if asked.id == served.id and not asked.own_index:
        raise SettingsError(f"'{wanted}' is what is served already ({served.id}). Name settings that differ.")
    questions = load_sample_questions(project_path() / workspace.evaluation.questions)
    chosen = chosen_questions(questions, workspace.stores.state, workspace.evaluation.covered_only)
    corpus = Corpus(workspace.stores, workspace.ingestion, chosen, workspace.evaluation.limit)
    outcome = compare_conditions(settings, corpus, workspace.retrieval, served, workspace.answerer_with, progress)
    assert outcome.candidate is not None
    workspace.promotions.keep_verdict(outcome.candidate)
    return outcome


def candidate_settings(workspace: Workspace, wanted: str) -> ExperimentSettings:
    """Return a matrix of the one condition that `wanted` names, on the corpus's own questions."""
    known = workspace.experiments
    if wanted in known.conditions:
        label, condition = wanted, known.conditions[wanted]
    elif wanted == CONFIGURED:
        label, condition = CONFIGURED, Condition()
    elif Path(wanted).is_file():
        label, condition = Path(wanted).stem, Condition(retrieval=_read_file(Path(wanted)))
    else:
        names = ", ".join([CONFIGURED, *known.conditions])
        raise SettingsError(f"'{wanted}' is no condition and no file. Choose one of: {names}; or name a YAML or JSON file.")
    sets = {CORPUS: known.sets.get(CORPUS, ComparedSet())}
    return known.model_copy(update={"conditions": {label: condition}, "sets": sets, "candidate": label})


def outcome_report(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as plain values, fit for JSON."""
    report = outcome.report
    return {
        "made_at": report.made_at,
        "choice": asdict(report.choice) if report.choice else None,
        "verdict": asdict(report.verdict) if report.verdict else None,
        "candidate": dict(outcome.candidate.settings) if outcome.candidate else None,
        "sets": {
            result.name: {
                "questions": len(result.questions),
                "passages": result.passages,
                "conditions": {
                    name: {
                        "settings_id": found.condition.id,
                        "means": found.means,
                        "leaks": found.leaks,
                        "latency_ms": asdict(found.latency) if found.latency else None,
                        "seconds": dict(found.seconds),
                        **asdict(analysis.rows[name]),
                    }
                    for name, found in result.conditions.items()
                },
            }
            for result, analysis in zip(report.results, report.analyses, strict=True)
        },
        "mistakes": {
            name: [
                {"id": item.question.id, "question": item.question.text, "said": item.said, "confidence": item.confidence}
                | {"why": item.why}
                for item in mistakes
            ]
            for name, mistakes in report.mistakes.items()
        },
    }


def require_expected(outcome: Outcome) -> None:
    """Raise SettingsError where `strict` is set and a measured value is not the expected one."""
    report = outcome.report
    off = [
        f"{row.name} on {analysis.name}: {100 * row.interval.mean:.1f} instead of {100 * (row.expected or 0.0):.1f}"
        for analysis in report.analyses
        for row in analysis.surprises
    ]
    if off and report.settings.strict:
        raise SettingsError(
            f"{report.settings.measure} is not as expected. {'; '.join(off)}. Find out why, or write it down anew."
        )


def _judged(
    result: SetResult,
    name: str,
    champion_id: str,
    answered: Mapping[str, Sequence[AnsweredQuestion]],
    corpus: Corpus,
    settings: ExperimentSettings,
    now: str,
) -> Candidate:
    champion, candidate = (Side(result.conditions[side], summarise_answers(answered[side])) for side in (CHAMPION, name))
    sources = {document.source for document in corpus.stores.state.documents() if document.version}
    checks = retrieval_checks(result.questions, sources, champion, candidate, settings.measure, settings.gate)
    condition = result.conditions[name].condition
    verdict = decide(SUBJECT, condition.id, champion_id, checks, now)
    return Candidate(name, condition.retrieval.model_dump(mode="json"), verdict)


def _read_file(path: Path) -> RetrievalSettings:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise SettingsError(
            f"{path}: cannot be read as YAML or JSON ({exc}). Write retrieval settings as under retrieval:."
        ) from exc
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: a mapping of retrieval settings is expected, such as: channels: [text, dense].")
    try:
        return RetrievalSettings.model_validate(values.get("retrieval", values))
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise SettingsError(f"{path}: {wrong}. Write what may stand under retrieval: in conf/base/parameters.yml.") from exc
