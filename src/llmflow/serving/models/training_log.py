"""Training in MLflow: one run a training run, gone on with after a kill, in an experiment of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmflow.adapters.mlflow_opening import open_mlflow
from llmflow.finetuning.distributed import is_main
from llmflow.finetuning.report import plot_history
from llmflow.finetuning.runs import git_commit, read_history
from llmflow.finetuning.settings import FinetuningSettings
from llmflow.finetuning.snapshot import Snapshot
from llmflow.finetuning.trainer import Listener
from llmflow.finetuning.types import TrainedAdapter
from llmflow.workspace import home_path

RUN_FILE = "mlflow_run.txt"


@contextmanager
def logged_training(
    settings: FinetuningSettings, snapshot: Snapshot, base: str, smoke: bool, run_dir: Path
) -> Iterator[Listener]:
    """Yield what training tells its values to; parameters, data card and tags are logged before, the state of the run after.

    The run's id is kept in the run's folder, so a killed training goes on in the same MLflow run. Of several processes the main
    one logs.
    """
    if not is_main():
        yield lambda step, values: None
        return
    client = open_mlflow(f"sqlite:///{home_path('mlflow.db')}")
    experiment = client.get_experiment_by_name(settings.experiment)
    location = Path(home_path("mlflow")).as_uri()
    number = experiment.experiment_id if experiment else client.create_experiment(settings.experiment, artifact_location=location)
    run = _open_run(client, number, run_dir, smoke)
    _log_beginning(client, run, settings, snapshot, base, smoke)

    def listen(step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            client.log_metric(run, _metric(name), value, step=step)

    try:
        yield listen
    except BaseException as exc:
        client.set_terminated(run, "FAILED" if isinstance(exc, Exception) else "KILLED")
        raise
    client.set_terminated(run, "FINISHED")


def log_result(trained: TrainedAdapter, run_dir: Path) -> str:
    """Log the last measures, the record of the adapter and the plot of its training, and return the MLflow run's id."""
    client = open_mlflow(f"sqlite:///{home_path('mlflow.db')}")
    run = (run_dir / RUN_FILE).read_text(encoding="utf-8").strip()
    for name, value in trained.metrics.items():
        client.log_metric(run, f"final.{_metric(name)}", value)
    for key in ("digest", "servable"):
        client.set_tag(run, key, str(getattr(trained, key)))
    plot = run_dir / "history.png"
    plot_history(plot, read_history(run_dir), trained.smoke)
    for path in (plot, run_dir / "trained.json", run_dir / "choices.json"):
        client.log_artifact(run, str(path))
    return run


def _open_run(client: Any, experiment: str, run_dir: Path, smoke: bool) -> str:
    run_dir.mkdir(parents=True, exist_ok=True)
    file = run_dir / RUN_FILE
    if file.exists():
        run = file.read_text(encoding="utf-8").strip()
        client.update_run(run, status="RUNNING")
        return run
    name = f"{'smoke ' if smoke else ''}{run_dir.name}"
    run = client.create_run(experiment, run_name=name).info.run_id
    file.write_text(run + "\n", encoding="utf-8")
    return run


def _log_beginning(client: Any, run: str, settings: FinetuningSettings, snapshot: Snapshot, base: str, smoke: bool) -> None:
    for key, value in _flat(settings.recipe.model_dump(mode="json"), "recipe").items():
        client.log_param(run, key, str(value)[:500])
    client.log_param(run, "learning_rate_used", settings.recipe.learning_rate_used)
    client.log_param(run, "base", base)
    client.set_tag(run, "snapshot", snapshot.hash)
    client.set_tag(run, "git_commit", git_commit(Path(__file__).parent))
    client.set_tag(run, "smoke_model", str(smoke).lower())
    for name, count in {**snapshot.counts, **snapshot.meta.get("steps", {})}.items():
        client.log_metric(run, f"data.{_metric(name)}", count)
    for name in ("card.md", "card.json", "lengths.png", "flow.png"):
        if (snapshot.directory / name).exists():
            client.log_artifact(run, str(snapshot.directory / name), "data")


def _flat(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}.{key}") if isinstance(value, dict) else {f"{prefix}.{key}": value}
    return flat


def _metric(name: str) -> str:
    return name.replace("@", "_at_").replace(" ", "_")
