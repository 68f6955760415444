"""What llmflow depends on, each part with its state, what was seen and what to do about it. Nothing here raises."""

import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmflow.errors import LlmflowError
from llmflow.ports import RemoteModel, current_model
from llmflow.types import Principal
from llmflow.workspace import home_path

log = logging.getLogger(__name__)

LIMIT_S = 20.0
"""A part that has not answered after so long counts as failed; a server that is away may otherwise hold the page for minutes."""
OK, DEGRADED, FAILED = "ok", "degraded", "failed"
OPTIONAL = frozenset({"embedder", "reranker", "chat model", "job queue", "chat memory"})
"""Parts that answering goes on without: their failure makes the whole degraded, not failed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One dependency. `remedy` is one sentence, empty where nothing is wrong."""

    name: str
    status: str
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """How a part is looked at: `look` returns what it saw, or a Part; what it raises is a failure with `remedy`."""

    name: str
    look: Callable[[], "str | Part"]
    remedy: str


@dataclass(frozen=True, slots=True)
class Health:
    status: str
    """`ok`, `degraded` (questions are answered, with less) or `failed`."""
    parts: tuple[Part, ...]


def look_at(checks: Sequence[Check], limit_s: float = LIMIT_S) -> Health:
    """Return every part in the order of the checks, all looked at at once."""
    pool = ThreadPoolExecutor(max_workers=max(len(checks), 1), thread_name_prefix="health")
    try:
        running = [(check, pool.submit(_looked, check)) for check in checks]
        parts = []
        for check, future in running:
            try:
                parts.append(future.result(timeout=limit_s))
            except TimeoutError:
                parts.append(Part(check.name, FAILED, f"It has not answered for {limit_s:.0f} s.", check.remedy))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Health(overall(parts), tuple(parts))


def overall(parts: Sequence[Part]) -> str:
    if any(part.status == FAILED and part.name not in OPTIONAL for part in parts):
        return FAILED
    return DEGRADED if any(part.status != OK for part in parts) else OK


def workspace_checks(workspace: Any, min_free_gb: float) -> list[Check]:
    """Return the checks of a workspace's stores, models, queue and disk; nothing is loaded for them."""
    stores = workspace.stores
    nobody = Principal("health")
    return [
        Check(
            "state database",
            lambda: _count(len(stores.state.documents()), "document"),
            "Start the database that conf/ names as state_store, or free the disk that its file lies on.",
        ),
        Check(
            "full text",
            lambda: f"answers ({len(stores.text.search(['health'], nobody, 1)[0])} hits for nobody)",
            "Start Milvus, or run `llmflow doctor --repair` where the folder of the full text is damaged.",
        ),
        Check(
            "vectors",
            lambda: f"spaces: {', '.join(stores.vectors.spaces()) or 'none yet'}",
            "Start Milvus; with Milvus Lite, end the process that holds its folder, or run `llmflow doctor --repair`.",
        ),
        Check(
            "graph",
            lambda: _count(stores.graph.statistics().chunks, "passage"),
            "Start Neo4j and check its address and password in the environment.",
        ),
        Check(
            "raw files",
            lambda: _count(len(stores.raw.document_ids()), "original"),
            "Check that the folder or bucket of raw_store exists and may be written.",
        ),
        Check(
            "retrieval settings",
            lambda: _served(workspace.promotions.served()),
            "Roll back with `llmflow retrieval rollback`, or correct `retrieval` in conf/.",
        ),
        Check("embedder", lambda: _model(stores.embedder), "Start the embedding server; meanwhile full text and graph answer."),
        Check("reranker", lambda: _model(stores.reranker), "Start the reranking server; meanwhile hits keep their order."),
        Check(
            "chat model",
            lambda: _chat_model(workspace),
            "Start the model server (`llmflow serve-llm`) or check its address; meanwhile answers are quotations.",
        ),
        Check(
            "disk", lambda: _disk(min_free_gb), "Free space on the disk of the workspace, or move LLMFLOW_HOME to a larger one."
        ),
    ]


def queue_check(queue: Any) -> Check:
    return Check(
        "job queue",
        lambda: f"{queue.depth()} waiting",
        "Start Redis, or free the disk of the queue's file; uploads are kept and read when it is back.",
    )


def memory_check(recall: Callable[[], object]) -> Check:
    """Return the check of what keeps the turns that a model may remember."""

    def look() -> str:
        recall()
        return "answers"

    return Check("chat memory", look, "Start Redis (or the state database); meanwhile the kept conversation is read.")


def jobs_check(due: Callable[[], int], most: int = 100) -> Check:
    """Return the check of jobs that nobody takes."""

    def look() -> str | Part:
        waiting = due()
        if waiting <= most:
            return f"{waiting} due"
        remedy = "Start `llmflow worker`, or set jobs.in_chat to true."
        return Part("jobs", DEGRADED, f"{waiting}{'+' if waiting >= 100 else ''} jobs are due.", remedy)

    return Check("jobs", look, "Start the state database: jobs are kept there.")


def audit_check(head: Callable[[], tuple[int, str]]) -> Check:
    """Return the check of the audit chain: its newest number and mac, for comparing with what was written down elsewhere."""

    def look() -> str:
        number, mac = head()
        return f"{number} entries, head {mac[:16] or 'none'}"

    return Check("audit", look, "Run `llmflow audit verify`, and look for who changed the table.")


def _looked(check: Check) -> Part:
    try:
        seen = check.look()
    except LlmflowError as exc:
        return Part(check.name, FAILED, str(exc), check.remedy)
    except Exception as exc:  # whatever a driver raises when its server is gone; the text may hold addresses, no secrets
        log.warning("%s cannot be looked at", check.name, exc_info=exc)
        return Part(check.name, FAILED, f"It failed unexpectedly ({type(exc).__name__}).", check.remedy)
    return seen if isinstance(seen, Part) else Part(check.name, OK, seen)


def _model(model: Any) -> str:
    if model is None:
        return "none"
    name = model.name
    if isinstance(model, RemoteModel):
        model.check()
        return f"{name} answers"
    return f"{name}, in this process"


def _served(served: Any) -> str:
    return f"{served.id} ({served.origin}: {served.label})" if served.origin == "promoted" else f"{served.id} (conf)"


def _chat_model(workspace: Any) -> str | Part:
    model = current_model(workspace.answerer.model)
    if model is None:
        return "none: answers are quotations"
    name = model.name
    if isinstance(model, RemoteModel):
        model.check()
    return f"{name} answers"


def _disk(min_free_gb: float) -> str | Part:
    place = Path(home_path())
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1024**3
    if free < min_free_gb:
        remedy = "Free space on the disk of the workspace, or move LLMFLOW_HOME to a larger one."
        return Part("disk", DEGRADED, f"{free:.1f} GiB free, at least {min_free_gb:g} are wanted.", remedy)
    return f"{free:.1f} GiB free"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
