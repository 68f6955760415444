"""Relevance of passages by all three outputs of BGE-M3: dense, sparse and multi-vector (Chen et al. 2024).

A multi-vector index of a whole corpus takes hundreds of vectors a passage. Scoring the candidates that the channels found
needs no index, and gives the three outputs their say where it counts.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from llmflow.adapters.flag_models import FlagModel, FlagModelSettings, load_bge_m3
from llmflow.config import fingerprint_of

if TYPE_CHECKING:
    import numpy as np


class M3ScorerSettings(FlagModelSettings):
    """Weights are those of the paper's hybrid over all three outputs; a weight of 0 leaves an output out."""

    dense: float = Field(default=1.0, ge=0)
    sparse: float = Field(default=0.3, ge=0)
    multi_vector: float = Field(default=1.0, ge=0)
    max_tokens: int = Field(default=512, ge=16, le=8192)
    batch: int = Field(default=16, ge=1)
    remembered: int = Field(default=2000, ge=0)
    """Passages whose outputs are kept in memory, about 0.5 MB each with 1,024 dimensions and 250 tokens in half precision."""


@dataclass(frozen=True, slots=True)
class M3Outputs:
    """What BGE-M3 makes of one text."""

    dense: "np.ndarray"
    """float32 (dimension,), L2-normalised."""
    sparse: Mapping[str, float]
    """Token id to weight; a token counts once, with its largest weight."""
    vectors: "np.ndarray"
    """float16 (tokens - 1, dimension), L2-normalised rows."""


class M3Scorer:
    """Reranker over BGEM3FlagModel. Loads on first use and shares the model with an embedder over the same folder."""

    def __init__(self, settings: M3ScorerSettings):
        self.settings = settings
        shape = settings.model_dump(include={"max_tokens", "half", "dense", "sparse", "multi_vector"})
        self.name = f"{Path(settings.model).name}_{fingerprint_of(shape)}"
        self._kept: OrderedDict[str, M3Outputs] = OrderedDict()

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        if not passages:
            return []
        loaded = load_bge_m3(self.settings, heads=True)
        with loaded.lock:
            new = [text for text in dict.fromkeys(passages) if text not in self._kept]
            asked, *made = self._encode(loaded, [question, *new])
            known = {text: self._kept[text] for text in passages if text in self._kept} | dict(zip(new, made, strict=True))
            self._remember(known)
        return [m3_similarity(asked, known[text], self.settings) for text in passages]

    def _encode(self, loaded: FlagModel, texts: list[str]) -> list[M3Outputs]:
        import numpy as np

        found = loaded.model.encode(
            texts,
            batch_size=self.settings.batch,
            max_length=self.settings.max_tokens,
            return_dense=True,
            return_sparse=True,
            return_colbert_vecs=True,
        )
        triples = zip(found["dense_vecs"], found["lexical_weights"], found["colbert_vecs"], strict=True)
        return [
            M3Outputs(np.asarray(dense, np.float32), {key: float(w) for key, w in sparse.items()}, np.asarray(rows, np.float16))
            for dense, sparse, rows in triples
        ]

    def _remember(self, outputs: Mapping[str, M3Outputs]) -> None:
        for text, value in outputs.items():
            self._kept[text] = value
            self._kept.move_to_end(text)
        while len(self._kept) > self.settings.remembered:
            self._kept.popitem(last=False)


def m3_similarity(question: M3Outputs, passage: M3Outputs, settings: M3ScorerSettings) -> float:
    """Return the weighted mean of the three similarities.

    Dense: inner product. Sparse: sum over shared tokens of the product of their weights. Multi-vector: for each token of the
    question its best match in the passage, averaged (late interaction).
    """
    import numpy as np

    dense = float(question.dense @ passage.dense)
    sparse = sum(weight * passage.sparse.get(token, 0.0) for token, weight in question.sparse.items())
    late = 0.0
    if len(question.vectors) and len(passage.vectors):
        table = question.vectors.astype(np.float32) @ passage.vectors.astype(np.float32).T
        late = float(table.max(axis=1).mean())
    total = settings.dense + settings.sparse + settings.multi_vector
    return (settings.dense * dense + settings.sparse * sparse + settings.multi_vector * late) / total if total else 0.0
