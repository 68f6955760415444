"""Dense vectors: one collection a space, cosine; HNSW in Milvus, exhaustive and exact in Milvus Lite."""

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from llmflow.adapters.milvus import (
    BATCH,
    MilvusConnection,
    add_permission_fields,
    all_ids,
    delete_ids,
    flush,
    readers,
    search_filter,
    upsert_rows,
)
from llmflow.batches import batched
from llmflow.errors import StoreCorrupt
from llmflow.ports import VectorRow
from llmflow.types import Principal, ScoredId

if TYPE_CHECKING:
    import numpy as np

TIE_MARGIN = 16
QUERY_BATCH = 100
ESCAPE = "Z"
"""Stands in collections' names, which are letters, digits and `_` only, before the six hex digits of any other character."""


class MilvusVectorStore:
    """VectorStore over `MilvusConnection`. Space `s` is the collection `<prefix>_s`."""

    def __init__(self, connection: MilvusConnection, prefix: str = "llmflow", ef: int = 128):
        self._connection = connection
        self._prefix = prefix
        self._ef = ef

    def create_space(self, space: str, dimension: int) -> None:
        name = self._collection(space)

        def create(client: Any) -> None:
            from pymilvus import DataType

            if client.has_collection(name):
                fields = client.describe_collection(name)["fields"]
                stored = next(int(f["params"]["dim"]) for f in fields if f["name"] == "vector")
                if stored != dimension:
                    raise StoreCorrupt(
                        f"Collection {name} holds vectors of {stored} dimensions, the embedder makes {dimension}. "
                        "Two embedders share a name: rename one in conf/ and ingest again."
                    )
                return
            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            add_permission_fields(schema)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
            index = client.prepare_index_params()
            # Milvus Lite's HNSW filters as it walks: who may read little near the question found nothing (tests/contracts)
            kind, params = ("FLAT", {}) if self._connection.local_folder else ("HNSW", {"M": 16, "efConstruction": 200})
            index.add_index("vector", index_type=kind, metric_type="COSINE", params=params)
            client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")

        self._connection.run("creating a collection", create)

    def spaces(self) -> list[str]:
        start = self._prefix + "_"
        names = self._connection.run("listing collections", lambda client: client.list_collections())
        own = (name.removeprefix(start) for name in names if name.startswith(start) and name != start + "text")
        return sorted(re.sub(f"{ESCAPE}([0-9a-f]{{6}})", lambda found: chr(int(found[1], 16)), name) for name in own)

    def drop_space(self, space: str) -> None:
        self._connection.run("dropping a collection", lambda client: client.drop_collection(self._collection(space)))

    def upsert(self, rows: Sequence[VectorRow], space: str) -> None:
        name = self._collection(space)
        for batch in batched({row.chunk_id: row for row in rows}.values(), BATCH):
            entities = [
                {"id": row.chunk_id, "tenant": row.tenant, "readers": readers(row.groups), "vector": row.vector.tolist()}
                for row in batch
            ]
            self._connection.run("writing vectors", partial(upsert_rows, name, entities))

    def optimise(self) -> None:
        for space in self.spaces():
            self._connection.run("flushing vectors", partial(flush, self._collection(space)))

    def delete(self, chunk_ids: Sequence[str]) -> None:
        if not chunk_ids:
            return
        for space in self.spaces():
            for batch in batched(chunk_ids, BATCH):
                self._connection.run("deleting vectors", partial(delete_ids, self._collection(space), batch))

    def search(
        self, vectors: "np.ndarray", space: str, principal: Principal, limit: int, among: Sequence[str] | None = None
    ) -> list[list[ScoredId]]:
        if limit <= 0 or not len(vectors) or (among is not None and not among):
            return [[] for _ in range(len(vectors))]
        name, ranked, filtered = self._collection(space), [], search_filter(principal, among)
        for start in range(0, len(vectors), QUERY_BATCH):
            data = vectors[start : start + QUERY_BATCH].tolist()
            found = self._connection.run("searching vectors", partial(self._search, name, data, filtered, limit))
            ranked += [[] for _ in data] if found is None else [_ranking(hits)[:limit] for hits in found]
        return ranked

    def _search(self, name: str, data: list[list[float]], filtered: str, limit: int, client: Any) -> Any:
        """Return Milvus' hits of each query, None when there is no such collection."""
        search = partial(
            client.search,
            name,
            data=data,
            anns_field="vector",
            limit=limit + TIE_MARGIN,
            filter=filtered,
            search_params={"metric_type": "COSINE", "params": {"ef": max(self._ef, limit + TIE_MARGIN)}},
            output_fields=["id"],  # an empty list means every field, vectors included
            consistency_level="Strong",
        )
        return self._connection.on_loaded(client, name, search)

    def chunk_ids(self, space: str) -> set[str]:
        name = self._collection(space)
        return self._connection.run(
            "reading ids", lambda client: all_ids(name, client) if self._connection.load(client, name) else set()
        )

    def close(self) -> None:
        self._connection.close()

    def _collection(self, space: str) -> str:
        """Return the collection of a space; every name has its own, and `spaces` reads it back."""
        return f"{self._prefix}_{re.sub(f'[^0-9A-Za-z_]|{ESCAPE}', lambda found: f'{ESCAPE}{ord(found[0]):06x}', space)}"


def _ranking(hits: Any) -> list[ScoredId]:
    scored = [ScoredId(key, float(score)) for key, score in zip(hits.ids, hits.distances, strict=True)]
    return sorted(scored, key=lambda hit: (-hit.score, hit.id))
