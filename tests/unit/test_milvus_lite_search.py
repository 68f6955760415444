"""Our search inside the Milvus Lite server against Milvus Lite's own, over the same collection."""

import random
from collections.abc import Iterator

import pytest
from milvus_lite.db import MilvusLite
from milvus_lite.engine import collection as engine
from milvus_lite.schema.types import CollectionSchema, DataType, FieldSchema

from llmflow.adapters.milvus import readers
from llmflow.adapters.milvus_lite_search import ExactSearch, install

DIMENSION = 16
OWN = engine.execute_search_with_index
GROUPS = ("hr", "it", "sales", "*")


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put our search in place; the list tells who answered."""
    told: list[str] = []

    def own(**asked):
        told.append("theirs")
        return OWN(**asked)

    monkeypatch.setattr(engine, "execute_search_with_index", ExactSearch(own))
    return told


@pytest.fixture
def collection(tmp_path) -> Iterator[engine.Collection]:
    database = MilvusLite(str(tmp_path / "db"))
    schema = CollectionSchema(
        fields=[
            FieldSchema(name="id", dtype=DataType.VARCHAR, is_primary=True, max_length=64),
            FieldSchema(name="tenant", dtype=DataType.VARCHAR, max_length=64),
            FieldSchema(name="readers", dtype=DataType.VARCHAR, max_length=256),
            FieldSchema(name="vector", dtype=DataType.FLOAT_VECTOR, dim=DIMENSION),
        ]
    )
    made = database.create_collection("c", schema)
    made.create_index("vector", {"index_type": "FLAT", "metric_type": "COSINE", "params": {}})
    made.load()
    yield made
    database.close()


def rows(rng: random.Random, ids: range) -> list[dict]:
    return [
        {
            "id": f"c{number:04}",
            "tenant": rng.choice(("acme", "rival")),
            "readers": readers((rng.choice(GROUPS),)),
            "vector": [rng.gauss(0, 1) for _ in range(DIMENSION)],
        }
        for number in ids
    ]


def ask(collection: engine.Collection, queries: list[list[float]], expr: str | None, top: int = 20):
    return collection.search(queries, top, "COSINE", expr=expr, output_fields=["id"], anns_field="vector")


def same_as_theirs(collection: engine.Collection, monkeypatch: pytest.MonkeyPatch, queries, expr, top=20) -> None:
    ours = ask(collection, queries, expr, top)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "execute_search_with_index", OWN)
        theirs = ask(collection, queries, expr, top)
    assert [[hit["id"] for hit in hits] for hits in ours] == [[hit["id"] for hit in hits] for hits in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert [hit["distance"] for hit in mine] == pytest.approx([hit["distance"] for hit in other], abs=1e-5)
        assert [hit["entity"] for hit in mine] == [hit["entity"] for hit in other]


def test_same_results_as_milvus_lite(collection, searched, monkeypatch):
    rng = random.Random(3)
    queries = [[rng.gauss(0, 1) for _ in range(DIMENSION)] for _ in range(3)]
    filters = [None, 'tenant == "acme"', f'tenant == "rival" and (readers like "%|{b"hr".hex()}|%")', 'tenant == "nobody"']
    for step in range(4):  # upserts over several segments, deletions of flushed and of unflushed rows
        collection.upsert(rows(rng, range(step * 60, step * 60 + 100)))
        collection.flush()
        collection.delete([f"c{number:04}" for number in range(step * 10, step * 10 + 7)])
        for expr in filters:
            for asked in (queries, queries[:1]):
                same_as_theirs(collection, monkeypatch, asked, expr)
        collection.flush()
        same_as_theirs(collection, monkeypatch, queries, filters[1], top=500)
    assert searched == []


def test_a_change_is_seen_by_the_next_search(collection, searched, monkeypatch):
    rng = random.Random(4)
    collection.upsert(rows(rng, range(50)))
    collection.flush()
    query = [[rng.gauss(0, 1) for _ in range(DIMENSION)]]
    nearest = ask(collection, query, None)[0][0]["id"]
    collection.delete([nearest])
    assert nearest not in [hit["id"] for hit in ask(collection, query, None)[0]]
    collection.upsert([{"id": nearest, "tenant": "acme", "readers": "|", "vector": query[0]}])
    collection.flush()
    assert ask(collection, query, None)[0][0]["id"] == nearest
    assert searched == []


def test_rows_that_are_not_flushed_are_left_to_milvus_lite(collection, searched, monkeypatch):
    rng = random.Random(5)
    collection.upsert(rows(rng, range(30)))
    query = [[rng.gauss(0, 1) for _ in range(DIMENSION)]]
    assert len(ask(collection, query, None, top=30)[0]) == 30
    assert searched == ["theirs"]


def test_other_fields_are_left_to_milvus_lite(collection, searched):
    rng = random.Random(6)
    collection.upsert(rows(rng, range(30)))
    collection.flush()
    query = [[rng.gauss(0, 1) for _ in range(DIMENSION)]]
    hit = collection.search(query, 1, "COSINE", output_fields=["tenant"], anns_field="vector")[0][0]
    assert set(hit["entity"]) == {"tenant"}
    assert searched == ["theirs"]


def test_vectors_that_are_not_of_length_one(collection, searched, monkeypatch):
    long = [{"id": "long", "tenant": "t", "readers": "|", "vector": [3.0] * DIMENSION}]
    none = [{"id": "none", "tenant": "t", "readers": "|", "vector": [0.0] * DIMENSION}]
    collection.upsert(long + none)
    collection.flush()
    same_as_theirs(collection, monkeypatch, [[1.0] * DIMENSION], None)
    same_as_theirs(collection, monkeypatch, [[0.0] * DIMENSION], None)


def test_installed_once(monkeypatch):
    monkeypatch.setattr(engine, "execute_search_with_index", OWN)
    install()
    ours = engine.execute_search_with_index
    assert isinstance(ours, ExactSearch)
    install()
    assert engine.execute_search_with_index is ours
