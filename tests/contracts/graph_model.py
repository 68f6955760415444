"""What a graph store means, in the plainest Python: dictionaries, no index, every answer counted anew."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from llmflow.ports import ChunkEdges, EntityNode, GraphDocument, GraphEdge, GraphStatistics
from llmflow.types import Mention, Principal, Relation


@dataclass
class GraphModel:
    documents: dict[str, GraphDocument] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    mentions: dict[str, dict[tuple[str, str], Mention]] = field(default_factory=dict)

    def upsert(self, documents: Sequence[GraphDocument]) -> None:
        for document in documents:
            self.documents[document.document_id] = document
            for chunk in document.chunks:
                self.owners[chunk.chunk_id] = document.document_id
                held: dict[tuple[str, str], Mention] = {}
                for new in chunk.mentions:
                    old = held.get((new.key, new.role), new)
                    position, confidence = min(old.position, new.position), max(old.confidence, new.confidence)
                    held[new.key, new.role] = Mention(new.key, min(old.name, new.name), new.role, position, confidence)
                self.mentions[chunk.chunk_id] = held
        self._forget_what_has_no_source()

    def reads(self) -> "GraphModel":
        return self

    def delete_chunks(self, chunk_ids: Sequence[str]) -> None:
        for chunk_id in chunk_ids:
            self.owners.pop(chunk_id, None)
            self.mentions.pop(chunk_id, None)
        self._forget_what_has_no_source()

    def _forget_what_has_no_source(self) -> None:
        self.documents = {name: document for name, document in self.documents.items() if name in self.owners.values()}
        entities = self._entities()
        for name, document in self.documents.items():
            kept = tuple(
                link
                for link in document.relations
                if (document.tenant, link.source) in entities and (document.tenant, link.target) in entities
            )
            self.documents[name] = GraphDocument(
                name, document.tenant, document.groups, document.title, (), kept, document.topics
            )

    def _entities(self) -> set[tuple[str, str]]:
        return {(self.documents[self.owners[chunk]].tenant, key) for chunk, held in self.mentions.items() for key, _ in held}

    def _edges(self, principal: Principal) -> list[tuple[GraphEdge, str]]:
        """Readable edges with the spelling that each carries."""
        edges = []
        for chunk, held in self.mentions.items():
            owner = self.documents[self.owners[chunk]]
            if principal.may_read(owner.tenant, owner.groups):
                edges += [
                    (GraphEdge(chunk, found.key, found.role, found.position, found.confidence), found.name)
                    for found in held.values()
                ]
        return edges

    def find_entities(self, keys: Sequence[str], principal: Principal) -> list[EntityNode]:
        nodes = []
        for key in sorted(set(keys)):
            own = [(edge, name) for edge, name in self._edges(principal) if edge.key == key]
            if own:
                names = Counter(name for _, name in own)
                name = min(names, key=lambda name: (-names[name], name))
                titles = sum(edge.role == "title" for edge, _ in own)
                nodes.append(EntityNode(key, name, len({edge.chunk_id for edge, _ in own}), titles))
        return nodes

    def edges_of_entities(
        self, keys: Sequence[str], principal: Principal, limit: int, role: str | None = None
    ) -> list[GraphEdge]:
        found = []
        for key in sorted(set(keys)):
            own = [edge for edge, _ in self._edges(principal) if edge.key == key and role in (None, edge.role)]
            own.sort(key=lambda edge: (0 if edge.role == "title" else 1, -edge.confidence, edge.chunk_id, edge.role))
            found += own[: max(0, limit)]
        return found

    def leads_of_chunks(self, chunk_ids: Sequence[str], principal: Principal, named: Collection[str]) -> dict[str, ChunkEdges]:
        return ChunkEdges.grouped(self.edges_of_chunks(chunk_ids, principal))

    def edges_of_chunks(self, chunk_ids: Sequence[str], principal: Principal) -> list[GraphEdge]:
        own = [edge for edge, _ in self._edges(principal) if edge.chunk_id in chunk_ids]
        return sorted(own, key=lambda edge: (edge.chunk_id, edge.position, edge.key, edge.role))

    def edges_by_key(self, tenant: str) -> Counter[str]:
        """Return how many edges each entity of a tenant has, whoever may read them."""
        own = (held for chunk, held in self.mentions.items() if self.documents[self.owners[chunk]].tenant == tenant)
        return Counter(key for held in own for key, _ in held)

    def relations_of(self, keys: Sequence[str], principal: Principal, limit: int) -> list[Relation]:
        found = []
        for key in sorted(set(keys)):
            weights: dict[tuple[str, str], list[float]] = {}
            for document in self.documents.values():
                if principal.may_read(document.tenant, document.groups):
                    for link in document.relations:
                        if link.source == key:
                            weights.setdefault((link.target, link.relation_type), []).append(link.weight)
            own = [Relation(key, target, kind, math.fsum(values)) for (target, kind), values in weights.items()]
            own.sort(key=lambda link: (-link.weight, link.target, link.relation_type))
            found += own[: max(0, limit)]
        return found

    def title_reach(self, sample: int) -> dict[str, float]:
        titled: dict[tuple[str, str], set[str]] = {}
        for name, held in self.mentions.items():
            for key, role in held:
                if role == "title":
                    owner = self.documents[self.owners[name]]
                    titled.setdefault((owner.tenant, key), set()).add(owner.document_id)
        reach = {}
        for tenant in {document.tenant for document in self.documents.values()}:
            own = sorted(name for name, owner in self.owners.items() if self.documents[owner].tenant == tenant)[:sample]
            leads = [
                any(
                    role != "title" and titled.get((tenant, key), set()) - {self.owners[name]}
                    for key, role in self.mentions[name]
                )
                for name in own
            ]
            reach[tenant] = sum(leads) / len(leads)
        return reach

    def chunk_ids(self) -> set[str]:
        return set(self.owners)

    def statistics(self) -> GraphStatistics:
        return GraphStatistics(
            documents=len(self.documents),
            chunks=len(self.owners),
            entities=len(self._entities()),
            topics=len({(document.tenant, topic) for document in self.documents.values() for topic in document.topics}),
            mentions=sum(len(held) for held in self.mentions.values()),
            relations=sum(
                len({(link.source, link.target, link.relation_type) for link in document.relations})
                for document in self.documents.values()
            ),
        )
