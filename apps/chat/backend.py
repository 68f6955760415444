"""What the page asks of the product: small protocols that `llmflow.serving` fulfils, so that the page can be tried without it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmflow.ports.conversations import ChatSession, Message
from llmflow.serving.conversations.ask_options import TemplateUse
from llmflow.serving.people.auth import Guard
from llmflow.types import Account, AskOptions, Hit, Principal


class SessionRun(Protocol):
    """A running answer: pieces of text, last the kept message. `close` may be called by any thread; what has come is kept."""

    question: Message

    def __iter__(self) -> Iterator[str | Message]: ...

    def close(self) -> None: ...


class Conversing(Protocol):
    """The part of `llmflow.serving.conversations.conversing.Conversations` that the page uses."""

    def create(self, account: Account, title: str = "") -> ChatSession: ...

    def session(self, account: Account, session_id: str) -> ChatSession: ...

    def delete(self, account: Account, session_id: str) -> None: ...

    def messages(self, account: Account, session_id: str) -> Sequence[Message]: ...

    def ask(
        self,
        account: Account,
        session_id: str,
        question: str,
        *,
        options: AskOptions | None = None,
        template: TemplateUse | None = None,
    ) -> SessionRun: ...

    def again(self, account: Account, session_id: str, message_id: str, content: str | None = None) -> SessionRun: ...


class Passages(Protocol):
    """Where a citation is looked up; permission is part of every call."""

    def passage(self, chunk_id: str, principal: Principal) -> Hit | None: ...

    def neighbours(self, chunk_id: str, principal: Principal) -> tuple[str, str]:
        """Return the text before and after a passage in its document; empty where there is none, or none readable."""
        ...

    def original(self, document_id: str) -> bytes | None:
        """Return the original file of a document that the caller has checked."""
        ...


@dataclass(frozen=True, slots=True)
class Backend:
    """What stands behind one page."""

    conversations: Conversing
    passages: Passages
    guard: Guard
