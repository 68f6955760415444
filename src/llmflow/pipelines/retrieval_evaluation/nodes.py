"""Nodes of the retrieval evaluation."""

from typing import Any

from llmflow.answering.settings import AnsweringSettings
from llmflow.evaluation.experiment_page import experiment_html
from llmflow.evaluation.experiments import ExperimentSettings
from llmflow.evaluation.judged_sets import JudgedQuestion, load_sample_questions
from llmflow.evaluation.report import answers_table, metrics_table
from llmflow.ingestion.run import IngestionSettings
from llmflow.ports import ChatModel, StateStore, Stores
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.serving.catalog import EvaluationSettings, build_answerer
from llmflow.serving.evaluation.evaluate import CorpusEvaluation, chosen_questions, evaluate_corpus, make_judge
from llmflow.serving.evaluation.experiments import corpus_report, log_corpus_evaluation, log_matrix
from llmflow.serving.evaluation.matrix import Corpus
from llmflow.serving.evaluation.promotion import RetrievalPromotions
from llmflow.serving.evaluation.retrieval_gate import AnswererFor, Outcome, compare_conditions, outcome_report, require_expected
from llmflow.serving.progress import log_progress
from llmflow.serving.tables import print_experiments, print_lines
from llmflow.serving.tracking import tracked_run
from llmflow.workspace import project_path


def read_questions(settings: EvaluationSettings, *_after: Any) -> tuple[JudgedQuestion, ...]:
    """Return the judged questions of the corpus."""
    return load_sample_questions(project_path() / settings.questions)


def make_answerers(
    ingestion: IngestionSettings,
    answering: AnsweringSettings,
    prompt_ko: str,
    prompt_en: str,
    chat_model: ChatModel | None,
    *stores: Any,
) -> AnswererFor:
    """Return what gives the answerer that would serve with given retrieval settings: the code that serves."""
    prompts = {"ko": prompt_ko, "en": prompt_en}
    opened = Stores(*stores)
    return lambda retrieval: build_answerer(opened, ingestion.preparation, retrieval, answering, prompts, chat_model)


def evaluate_questions(
    questions: tuple[JudgedQuestion, ...],
    answerer_for: AnswererFor,
    retrieval: RetrievalSettings,
    settings: EvaluationSettings,
    judge_prompt_ko: str,
    judge_prompt_en: str,
    judge_model: ChatModel | None,
    state: StateStore,
) -> CorpusEvaluation:
    """Ask every question as its own principal, with the settings that are served."""
    answerer = answerer_for(RetrievalPromotions(state, retrieval).served().settings)
    judge = make_judge(judge_model, judge_prompt_ko, judge_prompt_en, settings.judge)
    return evaluate_corpus(chosen_questions(questions, state, settings.covered_only), answerer, settings.limit, judge)


def compare_settings(
    evaluation: CorpusEvaluation,
    answerer_for: AnswererFor,
    experiments: ExperimentSettings,
    ingestion: IngestionSettings,
    retrieval: RetrievalSettings,
    settings: EvaluationSettings,
    *stores: Any,
) -> Outcome:
    """Measure every condition on every set and hold the best one against what is served."""
    opened = Stores(*stores)
    questions = [item.question for item in evaluation.answered]
    corpus = Corpus(opened, ingestion, questions, settings.limit)
    served = RetrievalPromotions(opened.state, retrieval).served()
    with log_progress() as progress:
        return compare_conditions(experiments, corpus, retrieval, served, answerer_for, progress, evaluation.answered)


def keep_verdict(outcome: Outcome, retrieval: RetrievalSettings, state: StateStore) -> dict[str, Any]:
    """Write the candidate's verdict down, so that it may be promoted; return the comparison as plain values."""
    RetrievalPromotions(state, retrieval).keep_outcome(outcome.candidate)
    return outcome_report(outcome)


def log_evaluation(
    evaluation: CorpusEvaluation,
    outcome: Outcome,
    settings: EvaluationSettings,
    retrieval: RetrievalSettings,
    answering: AnsweringSettings,
) -> tuple[dict[str, Any], str]:
    """Print the tables, log everything to MLflow, and return the report and the page."""
    print_lines(metrics_table(evaluation.rows))
    print_lines(metrics_table(evaluation.kinds, heading="kind"))
    print_lines(answers_table(evaluation.answers))
    print_lines(", ".join(f"{count} {name}" for name, count in evaluation.standing.items()) + " questions")
    print_experiments(outcome.report)
    page = experiment_html("Retrieval experiments", outcome.report)
    with tracked_run(settings.experiment, "retrieval experiments"):
        log_corpus_evaluation(evaluation, settings, retrieval, answering)
        log_matrix(outcome, page)
    return corpus_report(evaluation), page


def check_expected(outcome: Outcome, _report: dict[str, Any]) -> None:
    """End the run where a measured value is not the expected one and `strict` is set; everything is written by then."""
    require_expected(outcome)
