"""MLflow's stores opened one at a time: opening a new one runs Alembic, whose `op` and `context` belong to the whole process."""

import os
from typing import Any

from llmflow.adapters.sql_migrations import ALEMBIC


def open_mlflow(uri: str) -> Any:
    """Return the MlflowClient of a tracking store, which is its registry too; a new store gets its tables, which takes seconds.

    MLflow keeps what it opened by address: whatever asks the same address afterwards migrates nothing any more.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    if uri.startswith(("http://", "https://")):
        return MlflowClient(uri, uri)  # its server has made its tables
    with ALEMBIC:
        client = MlflowClient(uri, uri)
        client.search_experiments(max_results=1)
        return client
