"""What a call to a graph store means, before any store is asked: documents flattened to rows, contents to a digest.

Both graph adapters build on it, so that duplicates, ties and hashes cannot differ between them.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmflow.ports import GraphDocument, GraphEdge
from llmflow.types import Mention, Relation

TITLE_ROLE = "title"


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk of the batch; `mentions` holds one row a (key, role), in that order."""

    chunk_id: str
    document_id: str
    mentions: tuple[Mention, ...]

    @property
    def counted(self) -> tuple[tuple[Mention, bool], ...]:
        """Mentions, and for each whether it stands for its key: True exactly once a key, so that sums count chunks."""
        seen: set[str] = set()
        return tuple((mention, not (mention.key in seen or seen.add(mention.key))) for mention in self.mentions)

    @property
    def content_hash(self) -> str:
        """32 hex digits that change with any mention."""
        content = [(found.key, found.name, found.role, found.position, found.confidence) for found in self.mentions]
        return hashlib.blake2b(repr(content).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """What replaces a document's own properties: groups and topics sorted and unique, one relation a (source, target, type)."""

    document_id: str
    tenant: str
    groups: tuple[str, ...]
    title: str
    topics: tuple[str, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class GraphBatch:
    documents: tuple[DocumentRow, ...]
    chunks: tuple[ChunkRow, ...]


def flatten(documents: Sequence[GraphDocument]) -> GraphBatch:
    """Return the rows that an upsert of `documents` writes, sorted by id; of a document or chunk given twice the last counts.

    A (chunk, key, role) given twice keeps its first position, highest confidence and smallest name. Weights of a
    (source, target, type) given twice add up. Relations with an end that the document does not mention are left out.
    Raises ValueError for numbers that are not finite.
    """
    rows: dict[str, DocumentRow] = {}
    chunks: dict[str, ChunkRow] = {}
    for document in documents:
        keys = {mention.key for chunk in document.chunks for mention in chunk.mentions}
        rows[document.document_id] = DocumentRow(
            document_id=document.document_id,
            tenant=document.tenant,
            groups=tuple(sorted(set(document.groups))),
            title=document.title,
            topics=tuple(sorted(set(document.topics))),
            relations=tuple(
                sum_relations(relation for relation in document.relations if relation.source in keys and relation.target in keys)
            ),
        )
        for chunk in document.chunks:
            chunks[chunk.chunk_id] = ChunkRow(
                chunk.chunk_id, document.document_id, _merge_mentions(chunk.chunk_id, chunk.mentions)
            )
    return GraphBatch(tuple(rows[key] for key in sorted(rows)), tuple(chunks[key] for key in sorted(chunks)))


def _merge_mentions(chunk_id: str, mentions: Iterable[Mention]) -> tuple[Mention, ...]:
    merged: dict[tuple[str, str], Mention] = {}
    for mention in mentions:
        if not math.isfinite(mention.confidence):
            raise ValueError(
                f"Chunk {chunk_id!r} mentions {mention.key!r} with confidence {mention.confidence}. Give a finite number."
            )
        pair = mention.key, mention.role
        known = merged.get(pair)
        if known is not None:
            mention = Mention(
                key=mention.key,
                name=min(known.name, mention.name),
                role=mention.role,
                position=min(known.position, mention.position),
                confidence=max(known.confidence, mention.confidence),
            )
        merged[pair] = mention
    return tuple(merged[pair] for pair in sorted(merged))


def sum_relations(relations: Iterable[Relation]) -> list[Relation]:
    """Return one relation a (source, target, type), sorted by (source, weight descending, target, type).

    Weights are added with math.fsum, so that their order does not matter.
    """
    weights: dict[tuple[str, str, str], list[float]] = {}
    for relation in relations:
        if not math.isfinite(relation.weight):
            raise ValueError(
                f"Relation {relation.source!r} -> {relation.target!r} weighs {relation.weight}. Give a finite number."
            )
        weights.setdefault((relation.source, relation.target, relation.relation_type), []).append(relation.weight)
    summed = [Relation(*ends, weight=plain_float(math.fsum(values))) for ends, values in weights.items()]
    return sorted(summed, key=lambda relation: (relation.source, -relation.weight, relation.target, relation.relation_type))


def best_relations(relations: Iterable[Relation], limit: int) -> list[Relation]:
    """Return the `limit` heaviest relations of each source, in the order of the port."""
    kept: dict[str, int] = {}
    best = []
    for relation in sum_relations(relations):
        if (rank := kept.get(relation.source, 0)) < limit:
            kept[relation.source] = rank + 1
            best.append(relation)
    return best


def entity_order(edge: GraphEdge) -> tuple[str, bool, float, str, str]:
    """Sort key of `edges_of_entities`."""
    return edge.key, edge.role != TITLE_ROLE, -edge.confidence, edge.chunk_id, edge.role


def chunk_order(edge: GraphEdge) -> tuple[str, int, str, str]:
    """Sort key of `edges_of_chunks`."""
    return edge.chunk_id, edge.position, edge.key, edge.role


def digest_of(lines: Iterable[Sequence[object]]) -> str:
    """Return 64 hex digits over a multiset of rows in any order, in constant memory.

    Each row is hashed as canonical JSON and the hashes are added modulo 2**256: no store has to sort,
    and collations cannot matter.
    """
    total = 0
    encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
    for line in lines:
        total += int.from_bytes(hashlib.sha256(encode(line).encode()).digest())
    return hashlib.sha256((total % 2**256).to_bytes(32)).hexdigest()


def uid_of(*parts: str) -> bytes:
    """Return 16 bytes that stand for a tuple of strings of any length: a unique key that no index is too narrow for."""
    text = "".join([f"{len(part)}:{part}" for part in parts])  # a list: this runs fifty times a passage
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def plain_float(number: float) -> float:
    """Return a float without the negative zero, which not every store keeps."""
    return float(number) + 0.0
