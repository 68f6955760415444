"""Catalog entries of operating the house: the queue of jobs, and who may read the metrics."""

from typing import Any

from llmflow.datasets.adapter import AdapterDataset
from llmflow.errors import SettingsError


class JobQueueDataset(AdapterDataset):
    """`backend: sqlite` with `path`, or `backend: redis` with `credentials: {url}`."""

    def open(self, backend: str = "sqlite", path: str = "", credentials: dict[str, str] | None = None) -> Any:
        from llmflow.adapters.huey_queue import HueyQueue

        if backend == "sqlite":
            return HueyQueue(path=path)
        if backend == "redis":
            return HueyQueue(url=(credentials or {})["url"])
        raise SettingsError(f"Unknown queue backend '{backend}'. Choose one of: sqlite, redis.")


class SecretDataset(AdapterDataset):
    """One secret: `credentials: {token}`. Empty where none is set."""

    def open(self, credentials: dict[str, str] | None = None) -> str:
        return (credentials or {}).get("token") or ""
