"""The API over real SQLite stores, with people whom a header names and answers that a test can hold back."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI

from llmflow.adapters.sql_accounts import SqlAccountStore
from llmflow.adapters.sql_audit import SqlAuditLog
from llmflow.adapters.sql_conversations import SqlConversationStore
from llmflow.adapters.sql_events import SqlEventLog
from llmflow.adapters.sql_jobs import SqlJobStore
from llmflow.adapters.sql_memory import SqlChatMemory
from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.adapters.sql_templates import SqlTemplateStore
from llmflow.errors import SignInRequired
from llmflow.ingestion.masking import Masker, MaskingSettings
from llmflow.ports import ApplicationStores
from llmflow.serving.application import Services, answer_threads, make_application
from llmflow.serving.conversations.conversing import Conversations, ConversingSettings
from llmflow.serving.people.auth import Guard
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
)  # fmt: skip

KIM = Account("kim", "acme", "kim", "Kim", groups=("hr",))
LEE = Account("lee", "acme", "lee", "Lee")
ENGINEER = Account("eng", "acme", "eng", "Engineer", Role.ENGINEER)
ADMIN = Account("adm", "acme", "adm", "Admin", Role.ADMINISTRATOR)
PARK = Account("park", "other", "park", "Park", Role.ADMINISTRATOR, ("hr",))
FRESH = Account("fresh", "acme", "fresh", "Fresh", Role.ADMINISTRATOR, must_change_password=True)
PEOPLE = {account.id: account for account in (KIM, LEE, ENGINEER, ADMIN, PARK, FRESH)}

SENTENCES = ("Everyone has fifteen days of leave.", "Unused leave is paid out in March.")
DOCUMENT = Document("d1", "acme", ("hr",), "docs/leave.pdf", "Leave rules", "pdf", DocumentStatus.READY)
HIT = Hit(Chunk("c1", "d1", 0, " ".join(SENTENCES), ElementKind.TEXT, "en", ("Leave",), 2), DOCUMENT, 0.9)


@dataclass
class Answering:
    """Answers that quote two sentences in pieces; `gate` holds each back before its second piece while it is unset."""

    gate: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)
    """Set once an answer waits at the gate."""
    error: Exception | None = None
    """Raised after the first piece."""
    asked: list[tuple[str, Principal, str, tuple[ChatTurn, ...], str | None]] = field(default_factory=list)
    options: list[AskOptions] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    closed: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    def stream(
        self, question: str, principal: Principal, session_id: str, history: Sequence[ChatTurn], language: str | None,
        options: AskOptions,
    ) -> Iterator[str | Answer]:  # fmt: skip
        self.asked.append((question, principal, session_id, tuple(history), language))
        self.options.append(options)
        principal = principal.narrowed(options.space)
        try:
            if "leave" not in question.lower() or not principal.may_read(DOCUMENT.tenant, DOCUMENT.groups):
                yield "Nothing was found."
                yield Answer("Nothing was found.", False, space=options.space)
                return
            yield f"{SENTENCES[0]} [1]"
            if self.error is not None:
                raise self.error
            self.waiting.set()
            assert self.gate.wait(120), "the test never opened the gate"
            yield f" {SENTENCES[1]} [1]"
            text = f"{SENTENCES[0]} [1] {SENTENCES[1]} [1]"
            cited = (Citation(1, "c1", "d1", "Leave rules", "docs/leave.pdf", 2, "Leave", SENTENCES[0]),)
            yield Answer(
                text, True, cited, (HIT,), "tiny", 0.8, "s1", prompt_tokens=30, completion_tokens=12, space=options.space
            )
        finally:
            self.closed += 1

    # ChatService, for search and passages
    def search(self, question: str, principal: Principal, limit: int = 10, documents: Sequence[str] = ()) -> list[Hit]:
        return [HIT] if principal.may_read(DOCUMENT.tenant, DOCUMENT.groups) and "leave" in question.lower() else []

    def passage(self, chunk_id: str, principal: Principal) -> Hit | None:
        return HIT if chunk_id == "c1" and principal.may_read(DOCUMENT.tenant, DOCUMENT.groups) else None


@dataclass
class Site:
    app: FastAPI
    stores: ApplicationStores
    answering: Answering
    conversations: Conversations
    services: Services


def open_stores(folder: Path) -> ApplicationStores:
    database = StateDatabase(f"sqlite:///{folder / 'state.db'}")
    return ApplicationStores(
        accounts=SqlAccountStore(database),
        conversations=SqlConversationStore(database),
        memory=SqlChatMemory(database, 100, 3600),
        templates=SqlTemplateStore(database),
        jobs=SqlJobStore(database),
        events=SqlEventLog(database),
        audit=SqlAuditLog(database, folder / "audit.key"),
    )


def make_conversations(stores: ApplicationStores, answering: Answering, **settings) -> Conversations:
    masker = Masker(MaskingSettings())
    wanted = ConversingSettings.model_validate({"progress_s": 0.01, "wait_s": 20, **settings})
    forget = answering.forgotten.append
    templates = stores.templates
    return Conversations(stores.conversations, stores.events, answering.stream, masker.mask, wanted, forget, templates=templates)


def make_site(folder: Path, **settings) -> Site:
    stores, answering = open_stores(folder), Answering()
    for account in PEOPLE.values():
        stores.accounts.create(account)
    conversations = make_conversations(stores, answering, **settings)
    guard = Guard(identify_by_header, "acme")
    services = Services(guard, conversations, answering, stores.templates, answer_threads(conversations.settings))  # type: ignore[arg-type]
    return Site(make_application(services), stores, answering, conversations, services)


def identify_by_header(connection) -> Account:
    who = connection.headers.get("who")
    if who not in PEOPLE:
        raise SignInRequired("Nobody is signed in.")
    return PEOPLE[who]


def events_of(text: str) -> list[tuple[str, dict]]:
    """Return the server-sent events of a whole stream; comments are left out."""
    blocks = [block.split("\n") for block in text.strip().split("\n\n") if not block.startswith(":")]
    return [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in blocks]


def told(response) -> dict:
    """Return the body of a failure without the id of its trace, which no two requests share."""
    return {key: value for key, value in response.json().items() if key != "trace_id"}
