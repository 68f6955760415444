"""Judged questions over one workspace: made from what is served, checked against it, handed to other tools and taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from llmflow.errors import DatasetError, SettingsError
from llmflow.evaluation.beir_corpus import Export, corpus_as_set, set_as_questions
from llmflow.evaluation.judged_questions import JudgedQuestion
from llmflow.evaluation.judged_sets import export_beir, load_beir, load_sample_questions
from llmflow.evaluation.metrics import normalise_quote
from llmflow.evaluation.question_files import merge_reviews, save_questions, standings
from llmflow.evaluation.question_generation import Generation, GenerationSettings, Served, generate_questions
from llmflow.evaluation.question_generation_model import generate_with_model
from llmflow.ingestion.indexing import Progress
from llmflow.ingestion.prepare import load_masker
from llmflow.ports import current_model
from llmflow.serving.catalog import Workspace
from llmflow.serving.evaluation.evaluate import CorpusEvaluation, chosen_questions, evaluate_corpus, make_judge
from llmflow.types import Principal


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a file after a generation."""

    generation: Generation
    questions: tuple[JudgedQuestion, ...]

    @property
    def standings(self) -> dict[str, int]:
        return dict(standings(self.questions))


def generate_file(
    workspace: Workspace, path: Path, settings: GenerationSettings, tenant: str | None, use_model: bool | None, progress: Progress
) -> Written:
    """Generate questions and write them to `path`; what stands there already and was written or decided by people is kept.

    `use_model` None: the environment's chat model where it has one, else templates.
    """
    kept = load_sample_questions(path, with_rejected=True) if path.exists() else ()
    served = served_of(workspace, tenant)
    model = current_model(workspace.load("chat_model")) if use_model is not False else None
    if use_model and model is None:
        raise SettingsError(
            f"The environment '{workspace.env}' serves no chat model. Start one (llmflow serve-llm), or leave --model away."
        )
    date = datetime.now(UTC).date().isoformat()
    analyser = workspace.ingestion.preparation.analyser
    if model is None:
        found = generate_questions(served, settings, analyser, date)
    else:
        prompts = {language: workspace.load(f"question_prompt_{language}") for language in ("ko", "en")}
        masker = load_masker(workspace.ingestion.preparation.masking)
        found = generate_with_model(
            served, model, prompts, settings, analyser, lambda text: masker.mask(text).text, date, progress
        )
    questions = merge_reviews(kept, found.questions)
    save_questions(path, questions)
    return Written(found, questions)


def served_of(workspace: Workspace, tenant: str | None) -> Served:
    """Return what yields the served documents of one tenant, or of all."""
    state = workspace.stores.state
    return lambda: ((document, prepared) for document, prepared in state.served() if tenant in (None, document.tenant))


def stale_questions(questions: Sequence[JudgedQuestion], served: Served) -> list[str]:
    """Return the ids of the questions whose evidence no served passage holds any more, in order."""
    open_quotes = {
        (question.principal.tenant, item.source, normalise_quote(item.quote))
        for question in questions
        for item in question.evidence
    }
    sources = {(tenant, source) for tenant, source, _ in open_quotes}
    for document, prepared in served():
        if (document.tenant, document.source) in sources:
            for item in prepared.chunks:
                text = normalise_quote("\n".join([*item.chunk.heading_path, item.chunk.text]))
                held = {key for key in open_quotes if key[:2] == (document.tenant, document.source) and key[2] in text}
                open_quotes -= held
    return [
        question.id
        for question in questions
        if any((question.principal.tenant, item.source, normalise_quote(item.quote)) in open_quotes for item in question.evidence)
    ]


def evaluate_questions(workspace: Workspace, questions: Sequence[JudgedQuestion], covered_only: bool) -> CorpusEvaluation:
    """Return what the served retriever and answerer make of the questions; the judge model judges where one is configured."""
    settings = workspace.evaluation
    asked = chosen_questions(questions, workspace.stores.state, covered_only)
    prompts = (workspace.load("judge_prompt_ko"), workspace.load("judge_prompt_en"))
    judge = make_judge(workspace.load("judge_model"), *prompts, settings.judge)
    return evaluate_corpus(asked, workspace.answerer, settings.limit, judge=judge)


def export_file(workspace: Workspace, path: Path, folder: Path, principal: Principal | None) -> Export:
    """Write the served passages and the questions of `path` as a BEIR folder."""
    if folder.exists() and any(folder.iterdir()):
        raise DatasetError(f"{folder} is not empty. Name a new folder, so that nothing of an older set stays between.")
    questions = load_sample_questions(path)
    export = corpus_as_set(folder.name, questions, workspace.stores.state.served(), principal)
    if not export.judged_set.questions:
        raise DatasetError(
            f"{path}: none of its {len(questions)} questions is answered by the passages. Were they made from this corpus, "
            "and may this principal read it?"
        )
    export_beir(export.judged_set, folder)
    return export


def import_folder(folder: Path, path: Path, asker: Principal, documents: Path | None) -> tuple[list[JudgedQuestion], int]:
    """Write a BEIR folder's questions to `path` and, where its passages are foreign, each as a file in `documents`.

    Returns the questions and how many files were written.
    """
    questions, texts = set_as_questions(load_beir(folder), asker)
    if texts and documents is None:
        raise DatasetError(
            f"{folder}: its {len(texts)} passages are no documents of this corpus. Name a folder for them with --documents, "
            "ingest that folder, and the questions find their evidence."
        )
    if path.exists():
        raise DatasetError(f"{path} exists. Name a new file; `judged generate` is what adds to an old one.")
    if documents is not None:
        documents.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (documents / name).write_text(text, encoding="utf-8", newline="\n")
    save_questions(path, questions)
    return questions, len(texts)


def with_settings(settings: GenerationSettings, limit: int | None, seed: int | None) -> GenerationSettings:
    """Return the settings with what the command line says otherwise."""
    given = {name: value for name, value in (("limit", limit), ("seed", seed)) if value is not None}
    return GenerationSettings.model_validate(settings.model_dump() | given)
