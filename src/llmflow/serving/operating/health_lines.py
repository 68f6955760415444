"""What `llmflow health` says of a workspace: one line a part, and whether questions can be answered."""

from llmflow import __version__
from llmflow.errors import LlmflowError
from llmflow.ports import Embedder, RemoteModel, Reranker, current_model
from llmflow.serving.catalog import Workspace
from llmflow.types import Principal


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
