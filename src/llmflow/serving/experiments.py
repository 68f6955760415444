"""Evaluations in MLflow: parameters, metrics, tables and a plot. Inside a Kedro run they join its MLflow run."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmflow.answering.answerer import AnsweringSettings
from llmflow.evaluation.report import plot_channels, results_html
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.serving.catalog import EvaluationSettings
from llmflow.serving.evaluate import CorpusEvaluation

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
    import mlflow

    metrics = {f"{name}.{_metric(key)}": float(value) for name, row in evaluation.rows.items() for key, value in row.items()}
    overall = asdict(evaluation.answers.overall)
    metrics |= {f"answers.{key}": float(value) for key, value in overall.items() if isinstance(value, SCALAR)}
    metrics["leaks"] = float(evaluation.leaks)
    metrics |= {f"questions.{name}": float(count) for name, count in evaluation.standing.items()}
    if mlflow.active_run() is None:
        from llmflow.workspace import home_path

        mlflow.set_tracking_uri(f"sqlite:///{home_path('mlflow.db')}")
        if mlflow.get_experiment_by_name(settings.experiment) is None:  # else artifacts land in the folder of the caller
            mlflow.create_experiment(settings.experiment, artifact_location=Path(home_path("mlflow")).as_uri())
        mlflow.set_experiment(settings.experiment)
        with mlflow.start_run(run_name="corpus questions"):
            _log(mlflow, metrics, evaluation, {"retrieval": retrieval, "answering": answering})
    else:
        _log(mlflow, metrics, evaluation, {})


def _log(mlflow: Any, metrics: Mapping[str, float], evaluation: CorpusEvaluation, settings: Mapping[str, Any]) -> None:
    for name, model in settings.items():
        mlflow.log_params({f"{name}.{key}": str(value)[:500] for key, value in model.model_dump().items()})
    mlflow.log_metrics(dict(metrics))
    with tempfile.TemporaryDirectory() as folder:
        plot = Path(folder) / "channels.png"
        plot_channels(plot, evaluation.rows, title="Evidence recall by channel")
        mlflow.log_artifact(str(plot))
        page = Path(folder) / "retrieval.html"
        page.write_text(results_html("Retrieval on the corpus's own questions", evaluation.rows, answers=evaluation.answers))
        mlflow.log_artifact(str(page))
    mlflow.log_dict(corpus_report(evaluation), "retrieval.json")


def _metric(name: str) -> str:
    return name.replace("@", "_at_").replace(" ", "_")
