"""The API's answers as the dashboard reads them: what is named here is what it shows. A test holds them to the API's own models."""

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
    groups: list[str] = []
    issuer: str = ""
    disabled: bool = False
    must_change_password: bool = False
    created_at: str = ""
    seen_at: str = ""


class Me(Account):
    permissions: list[str]
    mode: str
    home_tenant: str


class OneTimePassword(Shape):
    account: Account
    password: str


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
    updated_at: str


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
    waiting: int
    newest_at: str
    freshness_s: float
    """How long the oldest change has waited to be served; 0 while nothing waits."""
    embedder: str
    vector_space: str


# ---- what runs


class Part(Shape):
    name: str
    status: str
    """`ok`, `degraded` or `failed`."""
    detail: str
    remedy: str


class Health(Shape):
    status: str
    parts: list[Part]


class Check(Shape):
    """One thing that the gate looked at."""

    name: str
    passed: bool
    value: float | None = None
    limit: float | None = None
    reason: str


class RetrievalVerdict(Shape):
    """What the gate said of retrieval settings; `reasons` of a rejection only."""

    id: str
    label: str
    decision: str
    champion: str | None
    made_at: str
    reasons: list[str]


class RetrievalChange(Shape):
    """One line of the history of what was served."""

    action: str
    id: str
    before: str
    at: str
    by: str
    reason: str


class ServedSettings(Shape):
    id: str
    label: str
    origin: str
    since: str = ""
    by: str = ""
    reason: str = ""


class NamedSettings(Shape):
    id: str
    label: str


class Retrieval(Shape):
    served: ServedSettings
    settings: dict[str, Any]
    previous: NamedSettings | None
    configured: str
    not_served_from_conf: dict[str, Any]
    verdicts: list[RetrievalVerdict]
    history: list[RetrievalChange]
    problem: str


class ModelVerdict(Shape):
    decision: str
    made_at: str
    champion: str | None
    reasons: list[str]
    checks: list[Check]


class Version(Shape):
    """A registered adapter."""

    name: str
    number: int
    aliases: list[str]
    base_model: str
    smoke: bool
    created_at: str
    metrics: dict[str, float]
    verdict: ModelVerdict | None


class ServedModel(Shape):
    model: str
    base: str
    replicas: int
    previous: str
    smoke: bool


class ModelChange(Shape):
    action: str
    champion: str
    before: str
    who: str
    why: str
    at: str


class Models(Shape):
    """Adapters and history newest first; `served` is None until a model was served."""

    served: ServedModel | None
    versions: list[Version]
    history: list[ModelChange]


class Changed(Shape):
    """What a promotion or a roll-back changed."""

    served: str
    before: str


# ---- use and quality


class Usage(Shape):
    """Answers of one day, group or model, or of all."""

    key: str
    questions: int
    people: int
    errors: int
    refused: int
    cached: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    prompt_tokens: int
    completion_tokens: int

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class UsageReport(Shape):
    totals: Usage
    items: list[Usage]


class Slice(Shape):
    """Answers and judgements of one language, day or setting."""

    key: str
    answers: int
    found: int
    up: int
    down: int
    confidence: float | None = None


class Measure(Shape):
    """One figure of an evaluation."""

    set: str
    slice: str
    measure: str
    value: float
    questions: int


class Report(Shape):
    """An evaluation that was run."""

    id: str
    at: str
    settings_id: str
    label: str
    measures: list[Measure]


class Quality(Shape):
    by_day: list[Slice]
    by_language: list[Slice]
    by_settings: list[Slice]
    reports: list[Report]


# ---- conversations


class Session(Shape):
    id: str
    account_id: str
    account: str = ""
    title: str
    created_at: str
    updated_at: str
    messages: int


class Message(Shape):
    id: str
    ordinal: int
    role: str
    content: str
    status: str
    created_at: str
    citations: list[dict[str, Any]] = []
    details: dict[str, Any] = {}
    rating: str = ""
    reason: str = ""
    correction: str = ""


class Conversation(Shape):
    session: Session
    messages: list[Message]


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
    confidence: float | None = None


class Snapshot(Shape):
    """Conversations as rows that `llmflow finetune` reads."""

    items: list[dict[str, Any]]
    total: int


# ---- audit


class Entry(Shape):
    number: int
    at: str
    actor: str
    actor_name: str = ""
    action: str
    target: str
    details: dict[str, Any] = {}


class Verification(Shape):
    ok: bool
    entries: int
    broken_at: int | None = None
    reason: str = ""


class PiiCount(Shape):
    day: str
    kind: str
    count: int


class Pii(Shape):
    items: list[PiiCount]
