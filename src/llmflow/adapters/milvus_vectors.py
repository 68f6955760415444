"""Dense vectors in Milvus or Milvus Lite: one collection a space, HNSW, cosine."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmflow.adapters.milvus import BATCH, MilvusConnection, add_permission_fields, all_ids, literals, readable_filter, readers
from llmflow.errors import StoreCorrupt
from llmflow.ports import VectorRow
from llmflow.types import Principal, ScoredId

if TYPE_CHECKING:
    import numpy as np

TIE_MARGIN = 16
QUERY_BATCH = 100


class MilvusVectorStore:
    """VectorStore over `MilvusConnection`. Space `s` is the collection `<prefix>_s`."""

    def __init__(self, connection: MilvusConnection, prefix: str = "llmflow", ef: int = 128):
        self._connection = connection
        self._prefix = prefix
        self._ef = ef
        self._loaded: set[str] = set()

    def create_space(self, space: str, dimension: int) -> None:
        from pymilvus import DataType

        client, name = self._connection.client(), self._collection(space)
        with self._connection.errors("creating a collection"):
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
            index.add_index(
                "vector", index_type="HNSW", metric_type="COSINE", params={"M": 16, "efConstruction": 200}
            )
            client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")

    def spaces(self) -> list[str]:
        start = self._prefix + "_"
        with self._connection.errors("listing collections"):
            names = self._connection.client().list_collections()
        return sorted(name.removeprefix(start) for name in names if name.startswith(start) and name != start + "text")

    def drop_space(self, space: str) -> None:
        with self._connection.errors("dropping a collection"):
            self._connection.client().drop_collection(self._collection(space))
        self._loaded.discard(space)

    def upsert(self, rows: Sequence[VectorRow], space: str) -> None:
        latest = list({row.chunk_id: row for row in rows}.values())
        client, name = self._connection.client(), self._collection(space)
        with self._connection.errors("writing vectors"):
            for start in range(0, len(latest), BATCH):
                batch = [
                    {"id": row.chunk_id, "tenant": row.tenant, "readers": readers(row.groups), "vector": row.vector.tolist()}
                    for row in latest[start : start + BATCH]
                ]
                client.upsert(name, batch)

    def optimise(self) -> None:
        client = self._connection.client()
        for space in self.spaces():
            with self._connection.errors("flushing vectors"):
                client.flush(self._collection(space))

    def delete(self, chunk_ids: Sequence[str]) -> None:
        if not chunk_ids:
            return
        client = self._connection.client()
        for space in self.spaces():
            with self._connection.errors("deleting vectors"):
                for start in range(0, len(chunk_ids), BATCH):
                    batch = list(chunk_ids[start : start + BATCH])
                    client.delete(self._collection(space), filter=f"id in {literals(batch)}")

    def search(self, vectors: "np.ndarray", space: str, principal: Principal, limit: int) -> list[list[ScoredId]]:
        if limit <= 0 or not len(vectors) or not self._load(space):
            return [[] for _ in range(len(vectors))]
        client, results = self._connection.client(), []
        with self._connection.errors("searching vectors"):
            for start in range(0, len(vectors), QUERY_BATCH):
                results += client.search(
                    self._collection(space),
                    data=vectors[start : start + QUERY_BATCH].tolist(),
                    anns_field="vector",
                    limit=limit + TIE_MARGIN,
                    filter=readable_filter(principal),
                    search_params={"metric_type": "COSINE", "params": {"ef": max(self._ef, limit + TIE_MARGIN)}},
                    output_fields=[],
                    consistency_level="Strong",
                )
        ranked = []
        for hits in results:
            scored = [ScoredId(hit["id"], float(hit["distance"])) for hit in hits]
            ranked.append(sorted(scored, key=lambda hit: (-hit.score, hit.id))[:limit])
        return ranked

    def chunk_ids(self, space: str) -> set[str]:
        if not self._load(space):
            return set()
        with self._connection.errors("reading ids"):
            return all_ids(self._connection.client(), self._collection(space))

    def close(self) -> None:
        self._connection.close()

    def _collection(self, space: str) -> str:
        return f"{self._prefix}_{re.sub(r'[^0-9A-Za-z_]', '_', space)}"

    def _load(self, space: str) -> bool:
        """Make a space searchable; return False if there is no such space."""
        client, name = self._connection.client(), self._collection(space)
        with self._connection.errors("loading a collection"):
            if space in self._loaded and client.has_collection(name):
                return True
            if not client.has_collection(name):
                return False
            client.load_collection(name)
        self._loaded.add(space)
        return True
