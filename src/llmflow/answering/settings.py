"""Settings of answering, as `answering` in parameters.yml holds them."""

from pydantic import Field

from llmflow.answering.budget import MemorySettings
from llmflow.answering.cache import CacheSettings
from llmflow.answering.document_summary import SummarySettings
from llmflow.answering.evidence import EvidenceSettings
from llmflow.answering.followups import FollowUpSettings
from llmflow.config import Settings
from llmflow.screening.passages import ScreeningSettings


class AnsweringSettings(Settings):
    retrieve: int = Field(default=20, ge=1, le=100)
    """Passages retrieved for one question."""
    searches_at_once: int = Field(default=2, ge=1)
    """Questions that one process searches at once. More take the interpreter's lock from each other at every statement: eight
    made answers wait ten times as long (docs/LOG.md). How many answers a model writes at once is another matter."""
    evidence: EvidenceSettings = EvidenceSettings()
    screening: ScreeningSettings = ScreeningSettings()
    summary: SummarySettings = SummarySettings()
    prompt_passages: int = Field(default=6, ge=1)
    """Passages shown to a chat model."""
    max_tokens: int = Field(default=600, ge=16)
    temperature: float = Field(default=0.0, ge=0, le=2)
    memory: MemorySettings = MemorySettings()
    followups: FollowUpSettings = FollowUpSettings()
    cache: CacheSettings = CacheSettings()
