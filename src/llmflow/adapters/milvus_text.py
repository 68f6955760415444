"""Full text in Milvus: the analysed field with its BM25 function. Runs on Milvus Lite too, but slowly there."""

from collections.abc import Sequence

from llmflow.adapters.milvus import BATCH, MilvusConnection, add_permission_fields, all_ids, literals, readable_filter, readers
from llmflow.ports import TextRow
from llmflow.types import Principal, ScoredId

TIE_MARGIN = 16
QUERY_BATCH = 100
MAX_BYTES = 65_535


class MilvusTextIndex:
    """TextIndex over one collection. Tokens are letters and digits only, which every analyser splits alike."""

    def __init__(self, connection: MilvusConnection, collection: str = "llmflow_text"):
        self._connection = connection
        self._collection = collection
        self._ready = False

    def upsert(self, rows: Sequence[TextRow]) -> None:
        latest = list({row.chunk_id: row for row in rows}.values())
        if not latest:
            return
        client = self._open()
        with self._connection.errors("writing full text"):
            for start in range(0, len(latest), BATCH):
                client.upsert(
                    self._collection,
                    [
                        {"id": row.chunk_id, "tenant": row.tenant, "readers": readers(row.groups), "tokens": _fit(row.tokens)}
                        for row in latest[start : start + BATCH]
                    ],
                )

    def optimise(self) -> None:
        with self._connection.errors("flushing full text"):
            self._open().flush(self._collection)

    def delete(self, chunk_ids: Sequence[str]) -> None:
        if not chunk_ids:
            return
        client = self._open()
        with self._connection.errors("deleting full text"):
            for start in range(0, len(chunk_ids), BATCH):
                client.delete(self._collection, filter=f"id in {literals(list(chunk_ids[start : start + BATCH]))}")

    def search(self, queries: Sequence[str], principal: Principal, limit: int) -> list[list[ScoredId]]:
        asked = [number for number, query in enumerate(queries) if query.strip()]
        ranked: list[list[ScoredId]] = [[] for _ in queries]
        if limit <= 0 or not asked:
            return ranked
        client = self._open()
        with self._connection.errors("searching full text"):
            for start in range(0, len(asked), QUERY_BATCH):
                numbers = asked[start : start + QUERY_BATCH]
                results = client.search(
                    self._collection,
                    data=[queries[number] for number in numbers],
                    anns_field="sparse",
                    limit=limit + TIE_MARGIN,
                    filter=readable_filter(principal),
                    search_params={"metric_type": "BM25"},
                    output_fields=[],
                    consistency_level="Strong",
                )
                for number, hits in zip(numbers, results, strict=True):
                    scored = [ScoredId(hit["id"], abs(float(hit["distance"]))) for hit in hits]
                    found = [hit for hit in scored if hit.score > 0]
                    ranked[number] = sorted(found, key=lambda hit: (-hit.score, hit.id))[:limit]
        return ranked

    def chunk_ids(self) -> set[str]:
        with self._connection.errors("reading ids"):
            return all_ids(self._open(), self._collection)

    def close(self) -> None:
        self._ready = False
        self._connection.close()

    def _open(self):
        client = self._connection.client()
        if self._ready:
            return client
        from pymilvus import DataType, Function, FunctionType

        with self._connection.errors("opening the full text"):
            if not client.has_collection(self._collection):
                schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
                add_permission_fields(schema)
                analyser = {"tokenizer": "standard" if self._connection.local_folder else "whitespace"}
                schema.add_field(
                    "tokens", DataType.VARCHAR, max_length=MAX_BYTES, enable_analyzer=True, analyzer_params=analyser
                )
                schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
                schema.add_function(Function("bm25", FunctionType.BM25, ["tokens"], ["sparse"]))
                index = client.prepare_index_params()
                index.add_index(
                    "sparse",
                    index_type="SPARSE_INVERTED_INDEX",
                    metric_type="BM25",
                    params={"bm25_k1": 1.2, "bm25_b": 0.75},
                )
                client.create_collection(
                    self._collection, schema=schema, index_params=index, consistency_level="Strong"
                )
            client.load_collection(self._collection)
        self._ready = True
        return client


def _fit(tokens: str) -> str:
    """Cut tokens to the field's bytes at a space; a chunk of about 400 tokens never comes near."""
    encoded = tokens.encode()
    return tokens if len(encoded) <= MAX_BYTES else encoded[:MAX_BYTES].decode(errors="ignore").rsplit(" ", 1)[0]
