"""A small real chat over a few passages in memory: it searches by shared words, quotes what it finds, and keeps it in SQLite."""

import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection

from llmflow.adapters.sql_conversations import SqlConversationStore
from llmflow.adapters.sql_events import SqlEventLog
from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.adapters.sql_templates import SqlTemplateStore
from llmflow.errors import SignInRequired
from llmflow.ingestion.masking import MaskedText
from llmflow.serving.conversations.conversing import Conversations, ConversingSettings
from llmflow.serving.people.auth import SESSION_COOKIE, Guard
from llmflow.types import (
    Account,
    Answer,
    AskOptions,
    ChatTurn,
    Chunk,
    Citation,
    Document,
    DocumentStatus,
    ElementKind,
    Hit,
    Principal,
    Role,
)


def make_hit(
    number: int, title: str, text: str, *, groups: tuple[str, ...] = ("*",), page: int | None = 3, html: str | None = None,
    heading: tuple[str, ...] = ("Chapter", "Section"), tenant: str = "acme", source: str | None = None, format: str = "docx",
) -> Hit:  # fmt: skip
    document = Document(f"d{number}", tenant, groups, source or f"docs/{number}.pdf", title, format, DocumentStatus.READY)
    kind = ElementKind.TABLE if html else ElementKind.TEXT
    return Hit(Chunk(f"c{number}", document.id, 0, text, kind, "en", heading, page, html), document, 1.0)


class SmallService:
    """Finds passages that share a word of three or more letters with the question, and quotes their first sentence."""

    def __init__(self, hits: Sequence[Hit], gate: threading.Event | None = None) -> None:
        self.hits = list(hits)
        self.gate = gate
        """While unset, an answer waits after its first piece."""
        self.waiting = threading.Event()
        """Set once an answer waits."""
        self.asked: list[tuple[str, Principal, tuple[ChatTurn, ...]]] = []
        self.wishes: list[AskOptions] = []

    def stream(
        self, question: str, principal: Principal, history: Sequence[ChatTurn] = (), language: str | None = None
    ) -> Iterator[str | Answer]:
        self.asked.append((question, principal, tuple(history)))
        found = self.search(question, principal, 3)
        if not found:
            yield Answer("No document speaks of that.", found=False)
            return
        quotes = [hit.chunk.text.split("\n")[0] for hit in found]
        text = "\n\n".join(f"{quote} [{number}]" for number, quote in enumerate(quotes, 1))
        for position in range(0, len(text), 12):
            yield text[position : position + 12]
            self.waiting.set()
            if self.gate is not None and not self.gate.wait(120):
                raise TimeoutError("The test never opened the gate.")
        citations = tuple(
            Citation(number, hit.chunk.id, hit.document.id, hit.document.title, hit.document.source, hit.chunk.page,
                     " > ".join(hit.chunk.heading_path), quote)
            for number, (hit, quote) in enumerate(zip(found, quotes, strict=True), 1)
        )  # fmt: skip
        yield Answer(text, True, citations, tuple(found), confidence=0.8)

    def search(self, question: str, principal: Principal, limit: int = 10, documents: Sequence[str] = ()) -> list[Hit]:
        words = {word for word in re.findall(r"\w+", question.lower()) if len(word) > 2}
        readable = (hit for hit in self.hits if principal.may_read(hit.document.tenant, hit.document.groups))
        return [hit for hit in readable if any(word in hit.chunk.text.lower() for word in words)][:limit]

    def passage(self, chunk_id: str, principal: Principal) -> Hit | None:
        readable = (hit for hit in self.hits if principal.may_read(hit.document.tenant, hit.document.groups))
        return next((hit for hit in readable if hit.chunk.id == chunk_id), None)

    def neighbours(self, chunk_id: str, principal: Principal) -> tuple[str, str]:
        return ("What stands before.", "What stands after.") if self.passage(chunk_id, principal) else ("", "")

    def original(self, document_id: str) -> bytes | None:
        return None


ACCOUNTS = (
    Account("hr", "acme", "hanna", "Hanna Roth", Role.USER, ("hr",)),
    Account("sales", "acme", "sam", "Sam Lee", Role.USER, ("sales",)),
    Account("late", "acme", "lea", "Lea Kim", Role.USER, ()),
    Account("keeper", "acme", "kim", "Kim Berg", Role.USER, ()),
    Account("admin", "acme", "admin", "Ada Min", Role.ADMINISTRATOR, ()),
)


def identify(connection: HTTPConnection) -> Account:
    """Return the account whose id is the cookie: tests sign in by setting it."""
    found = next((one for one in ACCOUNTS if one.id == connection.cookies.get(SESSION_COOKIE)), None)
    if found is None:
        raise SignInRequired("Nobody is signed in.")
    return found


GUARD = Guard(identify, "acme")


def small_conversations(service: SmallService, folder: Path, **settings: object) -> Conversations:
    """Return conversations over a database of their own that ask `service`."""
    database = StateDatabase(f"sqlite:///{folder / 'state.db'}")

    def answers(
        question: str, principal: Principal, session_id: str, history: Sequence[ChatTurn], language: str | None,
        options: AskOptions,
    ) -> Iterator[str | Answer]:  # fmt: skip
        service.wishes.append(options)
        return service.stream(question, principal.narrowed(options.space), history, language)

    store = SqlConversationStore(database)  # type: ignore[arg-type]
    mask = lambda text: MaskedText(text, {})  # noqa: E731
    wanted: Any = ConversingSettings(**settings)  # type: ignore[arg-type]
    return Conversations(store, SqlEventLog(database), answers, mask, wanted, templates=SqlTemplateStore(database))  # type: ignore[arg-type]
