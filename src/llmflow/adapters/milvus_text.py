"""Full text in Milvus: the analysed field with its BM25 function. Runs on Milvus Lite too, but slowly there."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

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
from llmflow.ports import TextRow
from llmflow.types import Principal, ScoredId

T = TypeVar("T")

TIE_MARGIN = 16
QUERY_BATCH = 100
MAX_BYTES = 65_535


class MilvusTextIndex:
    """TextIndex over one collection. Tokens are letters and digits only, which every analyser splits alike."""

    def __init__(self, connection: MilvusConnection, collection: str = "llmflow_text"):
        self._connection = connection
        self._collection = collection

    def upsert(self, rows: Sequence[TextRow]) -> None:
        for batch in batched({row.chunk_id: row for row in rows}.values(), BATCH):
            entities = [
                {"id": row.chunk_id, "tenant": row.tenant, "readers": readers(row.groups), "tokens": _fit(row.tokens)}
                for row in batch
            ]
            self._run("writing full text", partial(upsert_rows, self._collection, entities))

    def optimise(self) -> None:
        self._run("flushing full text", partial(flush, self._collection))

    def delete(self, chunk_ids: Sequence[str]) -> None:
        for batch in batched(chunk_ids, BATCH):
            self._run("deleting full text", partial(delete_ids, self._collection, batch))

    def search(
        self, queries: Sequence[str], principal: Principal, limit: int, among: Sequence[str] | None = None
    ) -> list[list[ScoredId]]:
        asked = [number for number, query in enumerate(queries) if query.strip()]
        ranked: list[list[ScoredId]] = [[] for _ in queries]
        if limit <= 0 or (among is not None and not among):
            return ranked
        filtered = search_filter(principal, among)
        for numbers in batched(asked, QUERY_BATCH):
            search = partial(self._search, [queries[number] for number in numbers], filtered, limit)
            for number, hits in zip(numbers, self._run("searching full text", search), strict=True):
                scored = [ScoredId(hit["id"], abs(float(hit["distance"]))) for hit in hits]
                found = [hit for hit in scored if hit.score > 0]
                ranked[number] = sorted(found, key=lambda hit: (-hit.score, hit.id))[:limit]
        return ranked

    def chunk_ids(self) -> set[str]:
        return self._run("reading ids", partial(all_ids, self._collection))

    def close(self) -> None:
        self._connection.close()

    def _search(self, queries: list[str], filtered: str, limit: int, client: Any) -> list[Any]:
        return client.search(
            self._collection,
            data=queries,
            anns_field="sparse",
            limit=limit + TIE_MARGIN,
            filter=filtered,
            search_params={"metric_type": "BM25"},
            output_fields=[],
            consistency_level="Strong",
        )

    def _run(self, doing: str, action: Callable[[Any], T]) -> T:
        """Run `action` on the collection, made and loaded where that is still to do."""

        def ready(client: Any) -> T:
            if not self._connection.load(client, self._collection):
                self._create(client)
                self._connection.load(client, self._collection)
            return action(client)

        return self._connection.run(doing, ready)

    def _create(self, client: Any) -> None:
        from pymilvus import DataType, Function, FunctionType

        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        add_permission_fields(schema)
        analyser = {"tokenizer": "standard" if self._connection.local_folder else "whitespace"}
        schema.add_field("tokens", DataType.VARCHAR, max_length=MAX_BYTES, enable_analyzer=True, analyzer_params=analyser)
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, ["tokens"], ["sparse"]))
        index = client.prepare_index_params()
        index.add_index(
            "sparse",
            index_type="SPARSE_INVERTED_INDEX",
            metric_type="BM25",
            params={"bm25_k1": 1.2, "bm25_b": 0.75},
        )
        client.create_collection(self._collection, schema=schema, index_params=index, consistency_level="Strong")


def _fit(tokens: str) -> str:
    """Cut tokens to the field's bytes at a space; a chunk of about 400 tokens never comes near."""
    encoded = tokens.encode()
    return tokens if len(encoded) <= MAX_BYTES else encoded[:MAX_BYTES].decode(errors="ignore").rsplit(" ", 1)[0]
