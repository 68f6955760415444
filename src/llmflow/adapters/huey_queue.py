"""The job queue on huey: SQLite in a file, or Redis. Messages are JSON and name a job, nothing else.

Huey pickles by default, so that whoever may write to the queue could run code in the worker. Here a message that is not of the
one form is refused, and results are not kept.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huey import RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer as HueyConsumer
from huey.registry import Message
from huey.serializer import Serializer

from llmflow.errors import StoreUnavailable
from llmflow.wording import said

NAME = "llmflow"
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class JobSerializer(Serializer):
    """Messages as `{"id": ..., "task": ..., "job": ...}`. Raises ValueError for everything else."""

    def _serialize(self, data: Any) -> bytes:
        if not isinstance(data, Message):
            raise ValueError("Only messages that name a job are written to the queue.")
        return json.dumps({"id": data.id, "task": data.name, "job": data.args[0] if data.args else ""}).encode()

    def _deserialize(self, data: bytes) -> Message:
        value = json.loads(data)
        named = isinstance(value, dict) and set(value) == {"id", "task", "job"}
        if not named or not all(isinstance(part, str) for part in value.values()):
            raise ValueError("A message of the queue does not name a job. Who else writes to it?")
        if value["job"] and not JOB_ID.fullmatch(value["job"]):
            raise ValueError("A message of the queue holds no job's id. Who else writes to it?")
        return Message(value["id"], value["task"], args=(value["job"],) if value["job"] else ())


class _QuietConsumer(HueyConsumer):
    """A consumer beside other work of the process: signals stay with whoever runs that."""

    def _set_signal_handlers(self) -> None:
        pass


class _Running:
    def __init__(self, consumer: _QuietConsumer):
        self._consumer = consumer

    def stop(self, wait_s: float) -> bool:
        self._consumer.shutdown_timeout = wait_s
        self._consumer.stop(graceful=True)
        return not any(thread.is_alive() for _, thread in self._consumer.worker_threads)


class HueyQueue:
    """JobQueue; opens on first use. `path` of a SQLite file, or `url` of a Redis server."""

    def __init__(self, path: str | Path = "", url: str = ""):
        self._path, self._url = Path(path), url
        self._lock = threading.Lock()
        self._opened: Any = None
        self._look: Callable[[str], None] = _nobody
        self._sweep: Callable[[], None] = _nobody

    def hurry(self, job_id: str) -> None:
        with self._errors():
            self._huey().look(job_id)

    def waiting(self, limit: int = 1000) -> list[str]:
        with self._errors():
            return [task.args[0] for task in self._huey().pending(limit) if task.args]

    def depth(self) -> int:
        with self._errors():
            return self._huey().pending_count()

    def consume(self, look: Callable[[str], None], sweep: Callable[[], None], workers: int, poll_s: float) -> _Running:
        with self._errors():
            huey = self._huey()
            huey.pending_count()  # a server that is away is told at once, not in the log of a thread
            self._look, self._sweep = look, sweep
            options = {"initial_delay": min(0.1, poll_s), "max_delay": poll_s, "check_worker_health": False}
            consumer = _QuietConsumer(huey, workers=workers, **options)
            consumer.start()
        return _Running(consumer)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.storage.close()

    def _huey(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> Any:
        options: dict[str, Any] = {"results": False, "serializer": JobSerializer()}
        if self._url:
            huey: Any = RedisHuey(NAME, url=self._url, **options)
        else:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            huey = SqliteHuey(NAME, filename=str(self._path), timeout=30, **options)

        def look(job_id: str) -> None:
            self._look(job_id)

        def sweep() -> None:
            self._sweep()

        huey.look = huey.task(name="look")(look)
        huey.periodic_task(crontab(), name="sweep")(sweep)
        return huey

    @contextmanager
    def _errors(self) -> Iterator[None]:
        import sqlite3

        away: tuple[type[Exception], ...] = (sqlite3.Error, OSError)
        if self._url:
            from redis.exceptions import RedisError

            away = (*away, RedisError)
        try:
            yield
        except away as exc:
            where = said("queue.redis") if self._url else said("queue.file", path=self._path)
            raise StoreUnavailable(said("queue.failed", where=where, reason=exc)) from exc


def _nobody(*_: object) -> None:
    """Stand in until somebody consumes."""
