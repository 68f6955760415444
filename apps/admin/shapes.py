"""The API's answers as the dashboard reads them. A test holds them to the API's own models."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """Frozen; fields that a newer API adds are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Item = TypeVar("Item", bound=Shape)


class Listed(Shape, Generic[Item]):
    """One window of a list, and how long the list is."""

    items: list[Item]
    total: int


# ---- people


class Account(Shape):
    id: str
    tenant: str
    name: str
    display_name: str
    role: str
    groups: list[str]
    issuer: str
    disabled: bool
    must_change_password: bool
    created_at: str
    seen_at: str


class NewAccount(Account):
    one_time_password: str


class NewPassword(Shape):
    one_time_password: str


class Removed(Shape):
    """How much of what went with an account."""

    removed: dict[str, int]


class Me(Shape):
    """Who asks, and what they may do."""

    id: str
    tenant: str
    name: str
    display_name: str
    role: str
    must_change_password: bool
    permissions: list[str]
    mode: str
    home_tenant: str
    notice: str
    """What the mode has to say to everyone; usually empty."""


class Group(Shape):
    name: str
    members: int


# ---- documents and jobs


class Document(Shape):
    id: str
    source: str
    name: str
    title: str
    format: str
    status: str
    reason: str
    """Why it failed and what to do."""
    groups: list[str]
    space: str
    size: int
    pages: int | None
    chunks: int
    pii: dict[str, int]
    screening: dict[str, int] = {}
    """Passages that speak to a model: `withheld`, `cut`, `doubted`."""
    released_at: str = ""
    """When an administrator took the content as it stands; empty where it is judged."""
    content_hash: str = ""
    """Names what is looked at; empty for other people's own documents."""
    updated_at: str


class Speaking(Shape):
    """A passage in which something speaks to a model, or may."""

    ordinal: int
    heading: str
    page: int | None
    found: str
    reasons: list[str]
    excerpt: str


class Job(Shape):
    id: str
    kind: str
    document_id: str
    source: str
    status: str
    progress: float
    note: str
    attempts: int
    created_at: str
    updated_at: str


class Accepted(Shape):
    """What an upload or a re-indexing became."""

    document: Document
    job: Job


class Deleted(Shape):
    deleted: str
    job: Job | None
    """Set where another ingestion runs: the document is gone from answers, and leaves the stores when that has ended."""


class Corpus(Shape):
    """Counts of the tenant's documents, and how fresh the index is."""

    documents: int
    by_status: dict[str, int]
    by_format: dict[str, int]
    by_space: dict[str, int]
    chunks: int
    bytes: int
    pii: dict[str, int]
    screening: dict[str, int] = {}
    waiting: int
    newest_at: str
    freshness_s: float
    """How long the oldest change has waited to be served; 0 while nothing waits."""
    embedder: str
    vector_space: str


# ---- conversations


class Session(Shape):
    id: str
    account_id: str
    title: str
    created_at: str
    updated_at: str
    messages: int


class Citation(Shape):
    number: int
    document_id: str
    title: str
    source: str
    page: int | None


class Message(Shape):
    id: str
    ordinal: int
    role: str
    content: str
    status: str
    created_at: str
    citations: list[Citation]
    details: dict[str, Any]
    rating: str
    reason: str
    correction: str


class Feedback(Shape):
    message_id: str
    session_id: str
    at: str
    rating: str
    reason: str
    correction: str
    question: str
    answer: str
    model: str
    settings_id: str
    confidence: float


class Snapshot(Shape):
    """Conversations as rows that `llmflow finetune` reads; `snapshot` is their hash, kept in the audit."""

    items: list[dict[str, Any]]
    total: int
    snapshot: str


# ---- audit


class Entry(Shape):
    number: int
    at: str
    actor: str
    action: str
    target: str
    details: dict[str, Any]


class Verification(Shape):
    """`broken` is the number of the first entry that is not as it was written; 0 where the chain holds."""

    ok: bool
    entries: int
    broken: int
    fault: str


class PiiCount(Shape):
    day: str
    kind: str
    count: int
