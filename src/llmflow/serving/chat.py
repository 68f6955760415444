"""The chat service over one workspace."""

import gc
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence

from llmflow import __version__
from llmflow.errors import LlmflowError
from llmflow.ports import Embedder, RemoteModel, Reranker, current_model
from llmflow.serving.catalog import Workspace
from llmflow.types import Answer, ChatTurn, Hit, Principal

log = logging.getLogger(__name__)

WARM_UP = ("준비되었나요?", "Is everything ready?")
"""A question a language: Korean loads the morphemes, English the embedder."""


class WorkspaceChat:
    """ChatService (serving/service.py) that asks the workspace's one answerer."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace
        self._warming = threading.Lock()
        """Held by the warm-up: a question that comes meanwhile waits for it instead of loading every model a second time."""

    def stream(
        self, question: str, principal: Principal, history: Sequence[ChatTurn] = (), language: str | None = None
    ) -> Iterator[str | Answer]:
        with self._warming:
            answerer = self._workspace.traced_answerer
        return answerer.stream(question, principal, history, language)

    def search(self, question: str, principal: Principal, limit: int = 10) -> list[Hit]:
        with self._warming:
            retriever = self._workspace.retriever
        with self._workspace.searching:
            return retriever.search(question, principal, limit)

    def passage(self, chunk_id: str, principal: Principal) -> Hit | None:
        found = self._workspace.stores.state.resolve([chunk_id], principal).get(chunk_id)
        return Hit(*found, score=0.0) if found else None

    def neighbours(self, chunk_id: str, principal: Principal) -> tuple[str, str]:
        """Return the text before and after a passage in its document; empty at its ends, and where it may not be read."""
        before, after = self._workspace.stores.state.neighbours(chunk_id, principal)
        return before.text if before else "", after.text if after else ""

    def original(self, document_id: str) -> bytes | None:
        """Return the original file of a document; whoever asks has checked that it may be read."""
        return self._workspace.stores.raw.get(document_id)

    def health(self) -> Mapping[str, object]:
        return health(self._workspace)

    def warm(self) -> None:
        """Load what the first question would wait for: masker, morphemes, embedder, stores. Never raises, asks no chat model."""
        nobody = Principal("warm-up", user="warm-up")
        try:
            with self._warming:
                answerer = self._workspace.answerer
                for question in WARM_UP:
                    answerer.retriever.search(answerer.mask(question), nobody)
            calm_collector()
        except LlmflowError as exc:
            log.warning("Not ready: %s", exc)  # whoever asks is told the same
        except Exception:
            log.exception("The warm-up failed")

    def close(self) -> None:
        """Close the stores; safe twice."""
        self._workspace.close()


def calm_collector() -> None:
    """Keep Python's collector off what a process holds for good, and let it run for every 20,000 objects instead of 700.

    A search makes thousands of small tuples: the collector walked all models and libraries several times a question for them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def health(workspace: Workspace) -> dict[str, object]:
    """Return whether questions can be answered, with one line a part; never raises."""
    checks = {
        "state": lambda: len(workspace.stores.state.documents()),
        "full text": lambda: (workspace.stores.text.search(["health"], Principal("health"), 1) and "ok") or "ok",
        "vectors": lambda: workspace.stores.vectors.spaces(),
        "graph": lambda: workspace.stores.graph.statistics().chunks,
        "retrieval": lambda: _served(workspace),
        "model": lambda: _model_name(workspace),
    }
    parts: dict[str, object] = {}
    healthy = True
    for name, check in checks.items():
        try:
            parts[name] = check()
        except LlmflowError as exc:
            parts[name], healthy = f"failed: {exc}", False
    for name, model in (("embedder", workspace.stores.embedder), ("reranker", workspace.stores.reranker)):
        parts[name] = _reachable(model)  # a chat goes on without them
    return {"status": "ok" if healthy else "degraded", "version": __version__, "env": workspace.env, **parts}


def _reachable(model: Embedder | Reranker | None) -> str:
    """Return the name of a model, and why it cannot be asked where its server does not answer; nothing is loaded for it."""
    if model is None:
        return "none"
    if not isinstance(model, RemoteModel):
        return model.name
    try:
        model.check()
    except LlmflowError as exc:
        return f"failed: {exc}"
    return f"{model.name} (answers)"


def _served(workspace: Workspace) -> str:
    served = workspace.promotions.served()
    return f"{served.id} ({served.origin}: {served.label})" if served.origin == "promoted" else f"{served.id} (conf)"


def _model_name(workspace: Workspace) -> str:
    """Return what answers now; a chat model that is away is no fault of the chat, which quotes meanwhile."""
    model = current_model(workspace.answerer.model)
    if model is None:
        return "extractive"
    if isinstance(model, RemoteModel):
        try:
            model.check()
        except LlmflowError as exc:
            return f"{model.name} (away, answers are quotations: {exc})"
    return model.name
