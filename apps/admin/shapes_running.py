"""The API's answers on what runs and how good it is: health, retrieval settings, models, use, quality."""

from typing import Any

from apps.admin.shapes import Shape


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


class Usage(Shape):
    """Answers of one day, group or model; the last row of a report is `total`. Times are milliseconds, 0 where nothing ended."""

    key: str
    questions: int
    people: int
    errors: int
    stopped: int
    refused: int
    cached: int
    suspicious: int
    latency_p50_ms: float
    latency_p95_ms: float
    ttft_p50_ms: float
    ttft_p95_ms: float
    prompt_tokens: int
    completion_tokens: int
    cost: float

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class UsageReport(Shape):
    items: list[Usage]
    currency: str

    @property
    def rows(self) -> list[Usage]:
        """All but the row over everything."""
        return self.items[:-1]

    @property
    def whole(self) -> Usage:
        """The row over everything."""
        return self.items[-1]


class Answers(Shape):
    """Answers of one day, language, model or settings."""

    key: str
    answers: int
    found_share: float
    mean_confidence: float
    cached_share: float


class Judgements(Shape):
    """What people thought of them."""

    key: str
    judged: int
    up: int
    down: int
    corrected: int
    up_share: float


class Report(Shape):
    """The newest report of its kind: retrieval, experiments, adapter_verdict, ingestion, finetuning."""

    name: str
    at: str
    content: Any


class Quality(Shape):
    answers: list[Answers]
    feedback: list[Judgements]
    reports: list[Report]
