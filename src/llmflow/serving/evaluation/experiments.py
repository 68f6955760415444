"""Evaluations, experiments and promotions in MLflow. Inside a Kedro run they join its MLflow run."""

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmflow.answering.settings import AnsweringSettings
from llmflow.evaluation.experiments import ConditionResult
from llmflow.evaluation.gate import verdict_to_json
from llmflow.evaluation.promotion import PromotionRecord
from llmflow.evaluation.report import plot_channels, results_html
from llmflow.evaluation.run_files import write_run
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.serving.catalog import EvaluationSettings
from llmflow.serving.evaluation.evaluate import CorpusEvaluation
from llmflow.serving.evaluation.retrieval_gate import Outcome
from llmflow.serving.tracking import metric_name, tracked_run

log = logging.getLogger(__name__)

SCALAR = (int, float)


def corpus_report(evaluation: CorpusEvaluation) -> dict[str, Any]:
    """Return the evaluation as plain values, fit for JSON."""
    return {
        "channels": {name: dict(row) for name, row in evaluation.rows.items()},
        "kinds": {name: dict(row) for name, row in evaluation.kinds.items()},
        "answers": asdict(evaluation.answers),
        "leaks": evaluation.leaks,
        "questions": evaluation.standing,
        "refused": [item.question.id for item in evaluation.answered if not item.answer.found],
    }


def log_corpus_evaluation(
    evaluation: CorpusEvaluation, settings: EvaluationSettings, retrieval: RetrievalSettings, answering: AnsweringSettings
) -> None:
    """Log to the active MLflow run where there is one, else to a new run of the experiment."""
    metrics = {f"{name}.{metric_name(key)}": float(value) for name, row in evaluation.rows.items() for key, value in row.items()}
    overall = asdict(evaluation.answers.overall)
    metrics |= {f"answers.{key}": float(value) for key, value in overall.items() if isinstance(value, SCALAR)}
    metrics["leaks"] = float(evaluation.leaks)
    metrics |= {f"questions.{name}": float(count) for name, count in evaluation.standing.items()}
    import mlflow

    joins = mlflow.active_run() is not None  # Kedro logs the parameters of its run itself
    with tracked_run(settings.experiment, "corpus questions"):
        _log(mlflow, metrics, evaluation)
        if not joins:
            for name, model in (("retrieval", retrieval), ("answering", answering)):
                mlflow.log_params({f"{name}.{key}": str(value)[:500] for key, value in model.model_dump().items()})


def log_matrix(outcome: Outcome, page: str) -> None:
    """Log a run for every condition on every set inside the active run, and the report to the active run itself."""
    import mlflow

    for result in outcome.report.results:
        for name, found in result.conditions.items():
            with mlflow.start_run(run_name=f"{result.name}: {name}", nested=True):
                mlflow.set_tags({"set": result.name, "condition": name, "settings_id": found.condition.id})
                mlflow.log_params(_flat("retrieval", found.condition.retrieval.model_dump(mode="json")))
                mlflow.log_params(_flat("preparation.chunker", found.condition.preparation.chunker.model_dump(mode="json")))
                mlflow.log_metrics(_condition_metrics(found))
                with tempfile.TemporaryDirectory() as folder:
                    run_file = Path(folder) / "run.trec"
                    write_run(run_file, found.run)
                    mlflow.log_artifact(str(run_file))
    report = outcome.report
    mlflow.set_tags({"served_settings": report.results[0].champion.condition.id})
    if report.verdict:
        mlflow.set_tags({"verdict": report.verdict.decision, "candidate": report.verdict.candidate})
        mlflow.log_text(verdict_to_json(report.verdict), "verdict.json")
    mlflow.log_text(page, "experiments.html")


def log_promotion(experiment: str, record: PromotionRecord) -> None:
    """Log the newest change of the record as a run, and champion and previous as tags of the experiment.

    The state database has decided by then: where MLflow cannot be reached that is said and nothing else happens.
    """
    change, champion, previous = record.history[-1], record.champion, record.previous
    tags = {"champion": change.id, "previous": previous.id if previous else ""}
    try:
        with tracked_run(experiment, f"{change.action} {change.id}") as mlflow:
            mlflow.set_tags({**tags, "action": change.action, "by": change.by, "reason": change.reason, "before": change.before})
            if champion is not None:
                mlflow.log_dict(dict(champion.settings), "settings.json")
            if champion is not None and champion.verdict is not None:
                mlflow.log_text(verdict_to_json(champion.verdict), "verdict.json")
            for key, value in tags.items():
                mlflow.set_experiment_tag(key, value)
    except Exception as exc:
        log.warning("MLflow was not told of the change: %s. What is served is kept in the state database.", exc)


def _condition_metrics(found: ConditionResult) -> dict[str, float]:
    metrics = {metric_name(name): value for name, value in found.means.items()}
    metrics |= {f"seconds.{metric_name(stage)}": value for stage, value in found.seconds.items()}
    if found.latency:
        metrics |= {"p50_ms": found.latency.p50, "p95_ms": found.latency.p95}
    return {**metrics, "leaks": float(found.leaks)}


def _flat(above: str, values: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in values.items():
        flat |= _flat(f"{above}.{key}", value) if isinstance(value, Mapping) else {f"{above}.{key}": str(value)[:500]}
    return flat


def _log(mlflow: Any, metrics: Mapping[str, float], evaluation: CorpusEvaluation) -> None:
    mlflow.log_metrics(dict(metrics))
    with tempfile.TemporaryDirectory() as folder:
        plot = Path(folder) / "channels.png"
        plot_channels(plot, evaluation.rows, title="Evidence recall by channel")
        mlflow.log_artifact(str(plot))
        page = Path(folder) / "retrieval.html"
        notes = [f"{', '.join(f'{count} {name}' for name, count in evaluation.standing.items())} questions."]
        if evaluation.answers.judge:
            notes.append(f"Columns called judged come from the model {evaluation.answers.judge}, not from a person.")
        title = "Retrieval on the corpus's own questions"
        page.write_text(results_html(title, evaluation.rows, answers=evaluation.answers, notes=notes), encoding="utf-8")
        mlflow.log_artifact(str(page))
    mlflow.log_dict(corpus_report(evaluation), "retrieval.json")
