"""The gate for adapters, measured: candidate, champion and base over held-out examples, the frozen suite and the corpus."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from llmflow.adapters.lm_eval_harness import harness_scores
from llmflow.adapters.local_chat import LocalChat
from llmflow.answering.answerer import Answerer
from llmflow.errors import DatasetError, SettingsError
from llmflow.evaluation.adapter_gate import (
    AdapterEvidence,
    AdapterGateSettings,
    DocumentMeasures,
    MemoryMeasures,
    ModelMeasures,
    judge_adapter,
)
from llmflow.evaluation.answers import AnsweredQuestion, answer_coverage, summarise_answers
from llmflow.evaluation.frozen_suite import load_suite, score_suite
from llmflow.evaluation.gate import Verdict, decide
from llmflow.evaluation.judged_questions import JudgedQuestion
from llmflow.evaluation.judged_sets import load_sample_questions
from llmflow.evaluation.memorisation import audit_secrets, find_secrets, split_answer
from llmflow.evaluation.text_scores import score_texts
from llmflow.finetuning.local_model import LocalModel, pairs_of
from llmflow.finetuning.snapshot import Snapshot, open_snapshot
from llmflow.finetuning.types import Example, Task, TrainedAdapter
from llmflow.ingestion.language import detect_language
from llmflow.ports import ModelVersion, StateStore
from llmflow.serving.models.adapter_sources import adapter_source, trained_source
from llmflow.serving.models.finetuning import finished_runs
from llmflow.serving.models.promotion import SUBJECT, ModelPromotions, verdict_id
from llmflow.types import DocumentStatus
from llmflow.workspace import home_path, project_path

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Documents:
    """The corpus, asked as it is served."""

    answerer: Answerer
    questions: tuple[JudgedQuestion, ...]


@dataclass(frozen=True, slots=True)
class GateCase:
    """What is judged, and against what."""

    candidate: ModelVersion
    champion: ModelVersion | None
    champion_id: str
    held_out: tuple[Example, ...]
    trained_on: tuple[Example, ...]


def open_case(models: ModelPromotions, settings: AdapterGateSettings) -> GateCase:
    """Return the candidate with its held-out data.

    `settings.run` is registered first where it is given, else the newest finished run of the workspace where the registry does
    not know it yet; so `finetuning` and then `promotion` need no argument.
    Raises SettingsError without a candidate, DatasetError without its snapshot or with an empty held-out split.
    """
    if settings.run:
        models.register(adapter_source(project_path() / Path(settings.run).expanduser()))
    elif (newest := _newest_run()) and newest.digest not in {version.adapter.digest for version in models.registry.versions()}:
        models.register(trained_source(newest))
    candidate = models.registry.aliased("candidate")
    if candidate is None:
        raise SettingsError(
            "There is no candidate to judge. Train one and name its folder in promotion.run, or: llmflow models register FOLDER"
        )
    snapshot = find_snapshot(candidate, settings.snapshot)
    examples = [example for example in snapshot.examples("test") if example.task is not Task.KTO or example.desirable]
    if not examples:
        raise DatasetError(f"{snapshot.directory} holds out nothing to judge by. Enlarge finetuning.data.splits.test.")
    champion = models.registry.aliased("champion")
    trained_on = snapshot.examples("train")
    return GateCase(candidate, champion, models.champion_id(), tuple(examples[: settings.examples]), tuple(trained_on))


def find_snapshot(candidate: ModelVersion, named: str) -> Snapshot:
    """Return the snapshot in the folder `named`, else the one in the workspace that the candidate was trained on."""
    if named:
        return open_snapshot(project_path() / Path(named).expanduser(), verify=True)
    if candidate.snapshot:
        for path in sorted(Path(home_path()).glob(f"**/*-{candidate.snapshot[:12]}/snapshot.json")):
            return open_snapshot(path.parent, verify=True)
    raise DatasetError(
        f"The data that {candidate.adapter.name} was trained on is not in the workspace, so nothing is known to be held out. "
        "Name its folder in promotion.snapshot."
    )


def measure_models(case: GateCase, settings: AdapterGateSettings, model: LocalModel, progress: Progress) -> AdapterEvidence:
    """Return what base, champion and candidate make of the same examples; documents are measured apart."""
    suite = load_suite(project_path() / settings.suite)
    measured: dict[str, ModelMeasures] = {}
    names = {"base": None, "candidate": "candidate"} | ({"champion": "champion"} if case.champion else {})
    for number, (name, adapter) in enumerate(names.items(), start=1):
        with model.use(adapter) as used:
            pairs = pairs_of(case.held_out)
            made = used.answers([prompt for prompt, _ in pairs], settings.max_tokens)
            texts = [item.text for item in made]
            measured[name] = ModelMeasures(
                name,
                tuple(used.answer_losses(pairs)),
                tuple(used.answer_losses(crossed(case.held_out))),
                tuple(texts),
                score_texts(texts, [answer for _, answer in pairs], [item.ended for item in made]),
                score_suite(suite, used.text_losses),
            )
        progress("gate", number, len(names) + 1)
    with model.use("candidate") as used:
        memory = measure_memory(case, settings, used)
    progress("gate", len(names) + 1, len(names) + 1)
    scores = [
        harness_scores(case.candidate.base_model, adapter, settings.harness) for adapter in (None, case.candidate.adapter.path)
    ]
    return AdapterEvidence(
        base=measured["base"],
        candidate=measured["candidate"],
        champion=measured.get("champion", measured["base"]),
        languages=tuple(detect_language(example.answer.content) for example in case.held_out),
        leaked=count_leaked(case.held_out, case.trained_on),
        memory=memory,
        harness={task: (scores[0][task], scores[1][task]) for task in scores[0]},
    )


def crossed(examples: Sequence[Example]) -> list[tuple[tuple, str]]:
    """Return each answer after the question of the next example that has another answer; after its own where all are equal."""
    pairs = pairs_of(examples)
    found = []
    for position, (prompt, answer) in enumerate(pairs):
        later = (pairs[(position + step) % len(pairs)] for step in range(1, len(pairs)))
        found.append((next((other for other, text in later if text != answer), prompt), answer))
    return found


def count_leaked(held_out: Sequence[Example], trained_on: Sequence[Example]) -> int:
    """Return how many held-out conversations stand in the training data, spaces and case aside."""
    known = {_plain(example) for example in trained_on}
    return sum(_plain(example) in known for example in held_out)


def measure_memory(case: GateCase, settings: AdapterGateSettings, model: LocalModel) -> MemoryMeasures:
    """Return what the candidate knows by heart of its training data."""
    audit = settings.audit
    secrets = find_secrets([example.answer.content for example in case.trained_on], audit)
    exposed = audit_secrets(secrets, lambda rows: [total for total, _ in model.text_losses(rows)], audit)
    shares = []
    for examples in (case.trained_on, case.held_out):
        begun, rest = [], []
        for example in examples:
            halves = split_answer(example.answer.content)
            if halves and len(begun) < audit.continued:
                begun.append((example.prompt, halves[0]))
                rest.append(halves[1])
        made = model.continued_answers(begun, settings.max_tokens) if begun else []
        same = [made_.text.strip() == wanted.strip() for made_, wanted in zip(made, rest, strict=True)]
        shares.append(sum(same) / len(same) if same else None)
    return MemoryMeasures(tuple(exposed), *shares)


def measure_documents(case: GateCase, model: LocalModel, documents: Documents) -> dict[str, DocumentMeasures]:
    """Return what the project's own answerer makes of the corpus with candidate and champion."""
    found = {}
    for name, adapter in (("candidate", "candidate"), ("champion", "champion" if case.champion else None)):
        with_model = replace(documents.answerer, model=LocalChat(model, adapter, name))
        answered = [AnsweredQuestion(one, with_model.answer(one.text, one.principal)) for one in documents.questions]
        found[name] = DocumentMeasures(tuple(map(answer_coverage, answered)), summarise_answers(answered).overall)
    return found


def local_model(case: GateCase) -> LocalModel:
    """Return the base with candidate and champion, loaded on first use. Raises SettingsError when they have different bases."""
    adapters = {"candidate": case.candidate.adapter.path}
    if case.champion is not None:
        if case.champion.base_fingerprint != case.candidate.base_fingerprint:
            raise SettingsError(
                f"{case.candidate.adapter.name} belongs to {case.candidate.base_model}, the champion to "
                f"{case.champion.base_model}. "
                "A new base is served beside the old one under a name of its own, not promoted."
            )
        adapters["champion"] = case.champion.adapter.path
    return LocalModel(case.candidate.base_model, adapters)


def reach_verdict(case: GateCase, evidence: AdapterEvidence, settings: AdapterGateSettings) -> Verdict:
    """Return the written decision, bound to the candidate's digest and to what it was held against."""
    checks = judge_adapter(evidence, settings)
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return decide(SUBJECT, verdict_id(case.candidate.adapter), case.champion_id, checks, made_at)


def measure_adapters(
    case: GateCase, settings: AdapterGateSettings, documents: Documents | None, progress: Progress
) -> AdapterEvidence:
    """Return everything that the verdict rests on; each model is loaded once."""
    model = local_model(case)
    evidence = measure_models(case, settings, model, progress)
    if documents is None:
        return evidence
    return replace(evidence, documents=measure_documents(case, model, documents))


def choose_documents(answerer: Answerer, state: StateStore, questions: str, limit: int) -> Documents | None:
    """Return the answerable questions that the served corpus can answer, at most `limit`; None where there are none."""
    if not limit or not state.documents(status=DocumentStatus.READY):
        return None
    served = {document.source for document in state.documents() if document.version}
    every = load_sample_questions(project_path() / questions)
    fitting = [one for one in every if one.evidence and {item.source for item in one.evidence} <= served]
    return Documents(answerer, tuple(fitting[:limit])) if fitting else None


def _newest_run() -> TrainedAdapter | None:
    runs = [trained for _, trained in finished_runs() if trained.rank and trained.servable]
    return runs[-1] if runs else None


def _plain(example: Example) -> str:
    return " ".join(" ".join(example.texts()).casefold().split())
