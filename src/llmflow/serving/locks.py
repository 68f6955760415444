"""One writer a workspace: a second ingestion waits its turn instead of racing the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmflow.errors import StoreUnavailable
from llmflow.wording import said
from llmflow.workspace import home_path

WAIT_SECONDS = 600


@contextmanager
def ingestion_lock(wait_s: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the workspace's writer lock; the kernel frees it when its holder dies."""
    with _held("ingestion", wait_s):
        yield


@contextmanager
def promotion_lock(wait_s: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the right to change which model is served: two promotions at once would undo each other."""
    with _held("promotion", wait_s):
        yield


@contextmanager
def _held(work: str, wait_s: float) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = Path(home_path(f"{work}.lock"))
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout as exc:
        raise StoreUnavailable(said("lock.held", work=work, path=path, seconds=f"{wait_s:.0f}")) from exc
    try:
        yield
    finally:
        lock.release()
