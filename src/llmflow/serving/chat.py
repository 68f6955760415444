"""The chat service over one workspace."""

from collections.abc import Iterator, Mapping, Sequence

from llmflow import __version__
from llmflow.errors import LlmflowError
from llmflow.serving.catalog import Workspace
from llmflow.types import Answer, ChatTurn, Hit, Principal


class WorkspaceChat:
    """ChatService (serving/service.py) that asks the workspace's one answerer."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace

    def stream(
        self, question: str, principal: Principal, history: Sequence[ChatTurn] = (), language: str | None = None
    ) -> Iterator[str | Answer]:
        return self._workspace.answerer.stream(question, principal, history, language)

    def search(self, question: str, principal: Principal, limit: int = 10) -> list[Hit]:
        return self._workspace.retriever.search(question, principal, limit)

    def passage(self, chunk_id: str, principal: Principal) -> Hit | None:
        found = self._workspace.stores.state.resolve([chunk_id], principal).get(chunk_id)
        return Hit(*found, score=0.0) if found else None

    def health(self) -> Mapping[str, object]:
        return health(self._workspace)


def health(workspace: Workspace) -> dict[str, object]:
    """Return whether questions can be answered, with one line a part; never raises."""
    checks = {
        "state": lambda: len(workspace.stores.state.documents()),
        "full text": lambda: (workspace.stores.text.search(["health"], Principal("health"), 1) and "ok") or "ok",
        "vectors": lambda: workspace.stores.vectors.spaces(),
        "graph": lambda: workspace.stores.graph.statistics().chunks,
        "model": lambda: workspace.answerer.model.name if workspace.answerer.model else "extractive",
    }
    parts: dict[str, object] = {}
    healthy = True
    for name, check in checks.items():
        try:
            parts[name] = check()
        except LlmflowError as exc:
            parts[name], healthy = f"failed: {exc}", False
    return {"status": "ok" if healthy else "degraded", "version": __version__, "env": workspace.env, **parts}
