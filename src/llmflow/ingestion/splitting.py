"""Pieces of text packed into passages by LlamaIndex's splitters, offline."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from llmflow.ingestion.pieces import Span, weigh_tokens
from llmflow.ports import Embedder

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding


def pack_sentences(text: str, pieces: Sequence[Span], target_tokens: int, overlap_tokens: int) -> list[Span]:
    """Return spans of whole pieces, each at most `target_tokens`, in order; neighbours share at most `overlap_tokens`.

    `pieces` are trimmed, in order, hold every non-blank character and each fit the target.
    """
    from llama_index.core.node_parser import SentenceSplitter

    parts = _contiguous(text, pieces)
    splitter = SentenceSplitter(
        chunk_size=100 * target_tokens,
        chunk_overlap=100 * min(overlap_tokens, target_tokens),
        tokenizer=_count_as_sequence,
        chunking_tokenizer_fn=lambda _: parts,
        # Never met in a document: the pieces alone decide where to cut.
        paragraph_separator="\0\0\0",
        secondary_chunking_regex=None,
    )
    return _locate(text, splitter.split_text(text))


def pack_by_meaning(text: str, pieces: Sequence[Span], percentile: int, embedder: Embedder) -> list[Span]:
    """Return spans of whole pieces, in order, cut where the meaning of neighbouring sentences is farthest apart.

    `percentile` of the distances stays together. Spans may be of any length: pack the long ones again.
    """
    from llama_index.core.node_parser import SemanticSplitterNodeParser
    from llama_index.core.schema import Document

    parts = _contiguous(text, pieces)
    parser = SemanticSplitterNodeParser.from_defaults(
        embed_model=_bridge(embedder), breakpoint_percentile_threshold=percentile, sentence_splitter=lambda _: parts
    )
    nodes = parser.build_semantic_nodes_from_documents([Document(text=text)])
    return _locate(text, [node.get_content().strip() for node in nodes])


def _count_as_sequence(text: str) -> range:
    """LlamaIndex only takes the length of what its tokenizer returns; hundredths, so that short sentences do not round up."""
    return range(weigh_tokens(text))


def _contiguous(text: str, pieces: Sequence[Span]) -> list[str]:
    """Return the pieces with the blanks behind them, so that they concatenate to `text`."""
    starts = [0, *(start for start, _ in pieces[1:]), len(text)]
    return [text[start:end] for start, end in pairwise(starts)]


def _locate(text: str, passages: Sequence[str]) -> list[Span]:
    spans: list[Span] = []
    cursor = 0
    for passage in passages:
        start = text.index(passage, cursor)
        spans.append((start, start + len(passage)))
        cursor = start + 1
    return spans


def _bridge(embedder: Embedder) -> "BaseEmbedding":
    from llama_index.core.base.embeddings.base import BaseEmbedding

    embed: Callable[[Sequence[str]], Any] = embedder.embed_passages

    class EmbedderBridge(BaseEmbedding):
        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return embed(texts).tolist()

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

    return EmbedderBridge(model_name=embedder.name, embed_batch_size=64)
