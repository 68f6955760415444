"""What the chat page and the API ask of the product beside answers, which come from `Conversations`."""

from collections.abc import Sequence
from typing import Protocol

from llmflow.types import Hit, Principal


class ChatService(Protocol):
    """Passages. Every call takes the principal whose documents may be read.

    Raises the errors of errors.py; their text is fit for a user.
    """

    def search(self, question: str, principal: Principal, limit: int = 10, documents: Sequence[str] = ()) -> list[Hit]:
        """Return at most `limit` readable passages, best first; of some documents only where any are named."""
        ...

    def passage(self, chunk_id: str, principal: Principal) -> Hit | None:
        """Return one passage, or None when it is gone or this principal may not read it."""
        ...
