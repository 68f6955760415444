"""Where MLflow runs go: inside a Kedro run they join its run, elsewhere they start one in the workspace's database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmflow.adapters.mlflow_opening import open_mlflow
from llmflow.workspace import home_path


@contextmanager
def tracked_run(experiment: str, name: str) -> Iterator[Any]:
    """Yield mlflow with an active run: the one there is, else a new one of `experiment` that ends with the block."""
    import mlflow

    if mlflow.active_run() is not None:
        yield mlflow
        return
    use_experiment(experiment)
    with mlflow.start_run(run_name=name):
        yield mlflow


def use_experiment(experiment: str) -> None:
    """Make `experiment` the current one: on MLFLOW_TRACKING_URI where that is set, else in the workspace."""
    import mlflow

    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home_path('mlflow.db')}"
    open_mlflow(uri)
    mlflow.set_tracking_uri(uri)
    if mlflow.get_experiment_by_name(experiment) is None:  # else artifacts land in the folder of the caller
        folder = None if os.environ.get("MLFLOW_TRACKING_URI") else Path(home_path("mlflow")).as_uri()
        mlflow.create_experiment(experiment, artifact_location=folder)
    mlflow.set_experiment(experiment)


def metric_name(name: str) -> str:
    """Return a name that MLflow allows."""
    return name.replace("@", "_at_").replace(" ", "_")
