"""Nodes of the retrieval evaluation."""

from typing import Any

from llmflow.answering.answerer import AnsweringSettings
from llmflow.evaluation.judged_sets import JudgedQuestion, load_sample_questions
from llmflow.evaluation.report import answers_table, metrics_table
from llmflow.ingestion.run import IngestionSettings
from llmflow.ports import ChatModel, Stores
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.serving.catalog import EvaluationSettings, build_answerer
from llmflow.serving.evaluate import CorpusEvaluation, chosen_questions, evaluate_corpus, make_judge
from llmflow.serving.experiments import corpus_report, log_corpus_evaluation
from llmflow.serving.tables import print_lines
from llmflow.workspace import project_path


def read_questions(settings: EvaluationSettings, *_after: Any) -> tuple[JudgedQuestion, ...]:
    """Return the judged questions of the corpus."""
    return load_sample_questions(project_path() / settings.questions)


def evaluate_questions(
    questions: tuple[JudgedQuestion, ...],
    ingestion: IngestionSettings,
    retrieval: RetrievalSettings,
    answering: AnsweringSettings,
    settings: EvaluationSettings,
    prompt_ko: str,
    prompt_en: str,
    chat_model: ChatModel | None,
    judge_prompt_ko: str,
    judge_prompt_en: str,
    judge_model: ChatModel | None,
    *stores: Any,
) -> CorpusEvaluation:
    """Ask every question as its own principal, through the code that serves."""
    prompts = {"ko": prompt_ko, "en": prompt_en}
    opened = Stores(*stores)
    answerer = build_answerer(opened, ingestion.preparation, retrieval, answering, prompts, chat_model)
    judge = make_judge(judge_model, judge_prompt_ko, judge_prompt_en, settings.judge)
    return evaluate_corpus(chosen_questions(questions, opened.state, settings.covered_only), answerer, settings.limit, judge)


def log_evaluation(
    evaluation: CorpusEvaluation, settings: EvaluationSettings, retrieval: RetrievalSettings, answering: AnsweringSettings
) -> dict[str, Any]:
    """Print the tables and log parameters, metrics, tables and a plot to MLflow."""
    print_lines(metrics_table(evaluation.rows))
    print_lines(metrics_table(evaluation.kinds, heading="kind"))
    print_lines(answers_table(evaluation.answers))
    print_lines(", ".join(f"{count} {name}" for name, count in evaluation.standing.items()) + " questions")
    log_corpus_evaluation(evaluation, settings, retrieval, answering)
    return corpus_report(evaluation)
