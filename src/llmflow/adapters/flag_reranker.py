"""Relevance of passages by a cross-encoder through FlagEmbedding, from a local folder such as bge-reranker-v2-m3."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from llmflow.adapters.flag_models import FlagModelSettings, load_reranker
from llmflow.config import fingerprint_of


class FlagRerankerSettings(FlagModelSettings):
    max_tokens: int = Field(default=512, ge=16, le=8192)
    """Question and passage together; what goes beyond is cut off the passage."""
    batch: int = Field(default=16, ge=1)


class FlagReranker:
    """Reranker over FlagEmbedding's class of that name: raw scores, about -10 to 10. Loads on first use."""

    def __init__(self, settings: FlagRerankerSettings):
        self.settings = settings
        self.name = f"{Path(settings.model).name}_{fingerprint_of(settings.model_dump(include={'max_tokens', 'half'}))}"

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        if not passages:
            return []
        loaded = load_reranker(self.settings)
        with loaded.lock:
            scores = loaded.model.compute_score(
                [(question, passage) for passage in passages],
                batch_size=self.settings.batch,
                max_length=self.settings.max_tokens,
                normalize=False,
            )
        return [float(score) for score in scores]
