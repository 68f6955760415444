"""The chat service over one workspace."""

import gc
import logging
import threading
from collections.abc import Sequence

from llmflow.answering.conversing import Converser
from llmflow.errors import LlmflowError
from llmflow.serving.catalog import Workspace
from llmflow.types import Hit, Principal

log = logging.getLogger(__name__)

WARM_UP = ("준비되었나요?", "Is everything ready?")
"""A question a language: Korean loads the morphemes, English the embedder."""


class WorkspaceChat:
    """ChatService (serving/service.py), and what answers, of one workspace."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace
        self._warming = threading.Lock()
        """Held by the warm-up: a question that comes meanwhile waits for it instead of loading every model a second time."""

    @property
    def converser(self) -> Converser:
        """The workspace's one converser; ask for it once a question."""
        with self._warming:
            return self._workspace.converser

    def search(self, question: str, principal: Principal, limit: int = 10, documents: Sequence[str] = ()) -> list[Hit]:
        with self._warming:
            retriever = self._workspace.retriever
        with self._workspace.searching:
            return retriever.search(question, principal, limit, documents)

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

    def warm(self) -> None:
        """Load what the first questions would wait for: masker, morphemes, embedder, stores, and what writes their traces.

        Never raises, asks no chat model.
        """
        nobody = Principal("warm-up", user="warm-up")
        try:
            with self._warming:
                answerer = self._workspace.answerer
                for question in WARM_UP:
                    answerer.retriever.search(answerer.mask(question), nobody)
                self._workspace.tracer.begin()
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
