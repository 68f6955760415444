"""What the chat page and the API ask of the product."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from llmflow.types import Answer, ChatTurn, Hit, Principal


class ChatService(Protocol):
    """Questions in, answers with citations out. Every call takes the principal whose documents may be read.

    Raises the errors of errors.py; their text is fit for a user.
    """

    def stream(
        self, question: str, principal: Principal, history: Sequence[ChatTurn] = (), language: str | None = None
    ) -> Iterator[str | Answer]:
        """Yield pieces of text as they come; the last item is always the complete `Answer`, whose text replaces the pieces.

        `history` is oldest first, without the question. `language` None follows the language of the question.
        """
        ...

    def search(self, question: str, principal: Principal, limit: int = 10, documents: Sequence[str] = ()) -> list[Hit]:
        """Return at most `limit` readable passages, best first; of some documents only where any are named."""
        ...

    def passage(self, chunk_id: str, principal: Principal) -> Hit | None:
        """Return one passage, or None when it is gone or this principal may not read it."""
        ...
