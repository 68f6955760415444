"""What is in a tenant's corpus, as counts: for the API, the dashboard and the metrics."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from llmflow.ingestion.indexing import ACTIVE_SPACE
from llmflow.ingestion.withholding import screening_counts
from llmflow.ports import Stores
from llmflow.types import OWN_SPACE, Document, DocumentStatus


@dataclass(frozen=True, slots=True)
class CorpusOverview:
    documents: int
    by_status: dict[str, int]
    by_format: dict[str, int]
    by_space: dict[str, int]
    """`own spaces` together, and each group with the documents that it may read."""
    chunks: int
    bytes: int
    pii: dict[str, int]
    screening: dict[str, int]
    """Passages that speak to a model, as in Document, and documents `refused` for it."""
    waiting: int
    """Documents that are pending or processing."""
    oldest_waiting_s: float
    """How long the oldest of them has waited; 0 for none."""
    newest_at: str
    """When a document was last served anew; empty for none."""
    freshness_s: float
    """Age of the index: 0 while nothing waits, else as long as the oldest change has not been served."""
    embedder: str = ""
    vector_space: str = ""
    """The embedder whose vectors are searched; another than `embedder` while one replaces the other."""
    failures: list[dict[str, str]] = field(default_factory=list)
    """The newest failed documents: id, source, reason, updated_at."""


def corpus_overview(stores: Stores, tenant: str, now: datetime | None = None) -> CorpusOverview:
    """Return the counts of a tenant's documents."""
    documents = [document for document in stores.state.documents() if document.tenant == tenant]
    waiting = [d for d in documents if d.status in (DocumentStatus.PENDING, DocumentStatus.PROCESSING)]
    failed = sorted((d for d in documents if d.status is DocumentStatus.FAILED), key=lambda d: d.updated_at, reverse=True)
    pii: Counter[str] = Counter()
    spaces: Counter[str] = Counter()
    for document in documents:
        pii.update(document.pii)
        spaces.update({"own spaces" if group.startswith(OWN_SPACE) else group for group in document.groups})
    oldest = seconds_since(min((d.updated_at for d in waiting), default=""), now)
    return CorpusOverview(
        documents=len(documents),
        by_status=dict(sorted(Counter(str(d.status) for d in documents).items())),
        by_format=dict(sorted(Counter(d.format or "unknown" for d in documents).items())),
        by_space=dict(sorted(spaces.items())),
        chunks=sum(d.chunks for d in documents),
        bytes=sum(d.size for d in documents),
        pii=dict(sorted(pii.items())),
        screening=screening_counts(documents),
        waiting=len(waiting),
        oldest_waiting_s=oldest,
        newest_at=max((d.updated_at for d in documents if d.status is DocumentStatus.READY), default=""),
        freshness_s=oldest,
        embedder=stores.embedder.name,
        vector_space=stores.state.setting(ACTIVE_SPACE) or "",
        failures=[{"id": d.id, "source": d.source, "reason": d.reason, "updated_at": d.updated_at} for d in failed[:20]],
    )


def documents_by_status(documents: Sequence[Document]) -> dict[str, int]:
    counts = Counter(str(document.status) for document in documents)
    return {str(status): counts.get(str(status), 0) for status in DocumentStatus}


def seconds_since(at: str, now: datetime | None = None) -> float:
    """Return the seconds since a time (ISO 8601 with its zone); 0 for an empty one."""
    if not at:
        return 0.0
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(((now or datetime.now(UTC)) - moment).total_seconds(), 0.0)
