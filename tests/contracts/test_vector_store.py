"""The contract of `VectorStore`, inherited by Milvus Lite and, where MILVUS_TEST_URI names one, by a Milvus server."""

import logging
import os
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from narrowing import DOCUMENTS, SEEN

from llmflow.adapters.milvus import MilvusConnection
from llmflow.adapters.milvus_vectors import MilvusVectorStore
from llmflow.errors import StoreCorrupt, StoreUnavailable
from llmflow.ports import VectorRow, VectorStore
from llmflow.types import EVERYONE, Principal

Fresh = Callable[[], VectorStore]

DIMENSION = 8
STAFF = Principal("acme")
SALES = Principal("acme", frozenset({"sales"}))
STRANGER = Principal("rival", frozenset({"sales"}))
WEIRD = ("it's", 'say "hi"', "100%", "a_b", "a%b", "back\\slash", "end\\", "인사팀", "😀", "|", "가" * 64, '" or tenant != "')


def at(degrees: float) -> np.ndarray:
    """Return a unit vector at an angle to the first axis: its cosine with `at(0)` is the angle's."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[0], vector[1] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return vector


def row(chunk_id: str, degrees: float, *groups: str, tenant: str = "acme") -> VectorRow:
    return VectorRow(chunk_id, tenant, groups or (EVERYONE,), at(degrees))


def found(store: VectorStore, principal: Principal = STAFF, limit: int = 10, space: str = "one") -> list[str]:
    return [hit.id for hit in store.search(np.stack([at(0)]), space, principal, limit)[0]]


class VectorStoreContract:
    """What every VectorStore must do. Subclasses give `fresh`: a function that makes an empty store."""

    @pytest.fixture
    def fresh(self) -> Fresh:
        raise NotImplementedError

    @pytest.fixture
    def store(self, fresh: Fresh) -> Iterator[VectorStore]:
        store = fresh()
        store.create_space("one", DIMENSION)
        yield store
        for space in store.spaces():
            store.drop_space(space)
        store.close()
        store.close()

    def test_empty_space_answers(self, store: VectorStore):
        assert store.search(np.stack([at(0), at(1)]), "one", STAFF, 5) == [[], []]
        assert store.search(np.zeros((0, DIMENSION), dtype=np.float32), "one", STAFF, 5) == []
        assert store.chunk_ids("one") == set()
        store.upsert([], "one")
        store.delete([])
        store.delete(["unknown"])
        store.optimise()

    def test_unknown_space_finds_nothing(self, store: VectorStore):
        assert store.search(np.stack([at(0)]), "gone", STAFF, 5) == [[]]
        assert store.chunk_ids("gone") == set()
        store.drop_space("gone")

    def test_scores_are_cosines_best_first(self, store: VectorStore):
        store.upsert([row("far", 80), row("near", 10), row("mid", 45), row("against", 180)], "one")
        hits = store.search(np.stack([at(0)]), "one", STAFF, 10)[0]
        assert [hit.id for hit in hits] == ["near", "mid", "far", "against"]
        assert [hit.score for hit in hits] == pytest.approx([np.cos(np.radians(a)) for a in (10, 45, 80, 180)], abs=1e-5)

    def test_one_list_a_query_in_order(self, store: VectorStore):
        store.upsert([row(f"c{n:03}", n / 2) for n in range(250)], "one")
        lists = store.search(np.stack([at(n / 2) for n in range(250)]), "one", STAFF, 1)
        assert [hits[0].id for hits in lists] == [f"c{n:03}" for n in range(250)]

    def test_equal_scores_are_ordered_by_id(self, store: VectorStore):
        store.upsert([row(name, 20) for name in ("d", "b", "a", "c")], "one")
        assert found(store) == ["a", "b", "c", "d"]
        assert found(store, limit=2) == ["a", "b"]
        assert found(store, limit=0) == found(store, limit=-1) == []

    def test_upsert_replaces_and_the_last_of_equal_ids_wins(self, store: VectorStore):
        store.upsert([row("a", 80), row("b", 80), row("b", 5)], "one")
        store.upsert([row("a", 1)], "one")
        assert found(store) == ["a", "b"]
        assert store.search(np.stack([at(0)]), "one", STAFF, 5)[0][1].score == pytest.approx(np.cos(np.radians(5)), abs=1e-5)
        store.upsert([row("a", 1, "law")], "one")
        assert found(store) == ["b"]
        assert store.chunk_ids("one") == {"a", "b"}

    def test_deleted_chunks_are_gone_from_every_space(self, store: VectorStore):
        store.create_space("two", DIMENSION)
        for space in ("one", "two"):
            store.upsert([row("a", 1), row("b", 2)], space)
        store.delete(["a", "unknown"])
        assert found(store, space="one") == found(store, space="two") == ["b"]
        assert store.chunk_ids("one") == store.chunk_ids("two") == {"b"}
        store.upsert([row("a", 1)], "one")
        assert found(store) == ["a", "b"]

    def test_spaces_stand_side_by_side(self, store: VectorStore):
        store.create_space("two", 2)
        store.upsert([VectorRow("x", "acme", (EVERYONE,), np.array([1, 0], dtype=np.float32))], "two")
        store.upsert([row("a", 1)], "one")
        assert store.spaces() == ["one", "two"]
        assert found(store) == ["a"]
        assert [h.id for h in store.search(np.array([[1, 0]], dtype=np.float32), "two", STAFF, 5)[0]] == ["x"]
        store.drop_space("one")
        assert store.spaces() == ["two"]
        assert found(store) == []
        store.create_space("one", DIMENSION)
        assert store.chunk_ids("one") == set()

    def test_making_a_space_twice_keeps_it(self, store: VectorStore):
        store.upsert([row("a", 1)], "one")
        store.create_space("one", DIMENSION)
        assert found(store) == ["a"]

    def test_making_a_space_of_another_dimension_is_refused(self, store: VectorStore):
        with pytest.raises(StoreCorrupt, match=r"8 dimensions.*makes 9"):
            store.create_space("one", DIMENSION + 1)

    def test_optimise_changes_no_result(self, store: VectorStore):
        store.upsert([row(f"c{n}", n) for n in range(50)], "one")
        store.delete(["c3"])
        before = found(store, limit=30)
        store.optimise()
        assert found(store, limit=30) == before == [f"c{n}" for n in range(31) if n != 3]

    def test_principal_sees_own_tenant_and_groups_only(self, store: VectorStore):
        store.upsert(
            [
                row("all", 1),
                row("sales", 2, "sales"),
                row("law", 3, "law"),
                row("both", 4, "law", "sales"),
                row("rival", 5, "sales", tenant="rival"),
                VectorRow("nobody", "acme", (), at(0)),
            ],
            "one",
        )
        assert found(store, STAFF) == ["all"]
        assert found(store, SALES) == ["all", "sales", "both"]
        assert found(store, STRANGER) == ["rival"]
        assert found(store, Principal("other")) == []

    def test_a_narrowed_question_finds_its_part_and_nothing_else(self, store: VectorStore):
        rows = [row(name, n, group, tenant=tenant) for n, (name, tenant, group) in enumerate(DOCUMENTS)]
        store.upsert(rows, "one")
        for principal, space, names in SEEN:
            assert found(store, principal.narrowed(space)) == names, (principal, space)

    def test_chosen_chunks_are_looked_for_alone_and_permission_holds(self, store: VectorStore):
        rows = [row("a", 40), row("b", 0), row("secret", 1, "law"), row("it's", 20), row("rival", 2, tenant="rival")]
        store.upsert(rows, "one")
        chosen = ["it's", "a", "secret", "rival", "unknown", "a", '"] or id != ["', ""]
        whole = {hit.id: hit.score for hit in store.search(at(0)[None], "one", STAFF, 10)[0]}
        hits = store.search(np.stack([at(0), at(90)]), "one", STAFF, 10, chosen)
        assert [[hit.id for hit in ranking] for ranking in hits] == [["it's", "a"], ["a", "it's"]]
        assert [hit.score for hit in hits[0]] == pytest.approx([whole["it's"], whole["a"]])
        assert store.search(at(0)[None], "one", SALES, 10, ["secret"]) == store.search(at(0)[None], "one", STAFF, 10, []) == [[]]
        assert store.search(at(0)[None], "unknown", STAFF, 10, ["a"]) == [[]]

    def test_thousands_may_be_chosen(self, store: VectorStore):
        store.upsert([row(f"c{n}", n / 100) for n in range(0, 2400, 100)], "one")
        chosen = [f"c{n}" for n in range(2400) if n not in (0, 700)]
        best = [name for name in found(store, limit=30) if name not in ("c0", "c700")]
        assert [hit.id for hit in store.search(at(0)[None], "one", STAFF, 10, chosen)[0]] == best[:10]

    def test_unreadable_chunks_take_no_place_of_readable_ones(self, store: VectorStore):
        store.upsert([row(f"secret{n:03}", n / 100, "law") for n in range(300)] + [row("open", 89)], "one")
        assert found(store, STAFF, limit=1) == ["open"]
        store.optimise()
        assert found(store, STAFF, limit=1) == ["open"]

    def test_strange_names_separate_as_plain_ones_do(self, store: VectorStore):
        store.upsert([row(f"g{n}", n, name) for n, name in enumerate(WEIRD)], "one")
        store.upsert([row(f"t{n}", n, tenant=name) for n, name in enumerate(WEIRD)], "one")
        for n, name in enumerate(WEIRD):
            assert found(store, Principal("acme", frozenset({name}))) == [f"g{n}"], name
            assert found(store, Principal(name)) == [f"t{n}"], name

    def test_part_of_a_group_name_opens_nothing(self, store: VectorStore):
        store.upsert([row("a", 1, "sales-emea")], "one")
        for part in ("sales", "emea", "sales%", "sales-eme_", "SALES-EMEA", "%", "", "|"):
            assert found(store, Principal("acme", frozenset({part}))) == [], part

    def test_many_groups(self, store: VectorStore):
        names = [f"{n:02}" + "가" * 62 for n in range(40)]
        store.upsert([row("a", 1, *names)], "one")
        assert found(store, Principal("acme", frozenset(names[-1:]))) == ["a"]

    def test_more_rows_than_one_batch(self, store: VectorStore):
        names = {f"c{n:04}" for n in range(2300)}
        store.upsert([row(name, 30) for name in names], "one")
        assert store.chunk_ids("one") == names
        store.delete(sorted(names)[:2200])
        assert store.chunk_ids("one") == set(sorted(names)[2200:])

    def test_survives_closing(self, store: VectorStore):
        store.upsert([row("a", 1)], "one")
        store.close()
        assert found(store) == ["a"]

    def test_spaces_keep_their_names(self, store: VectorStore):
        names = ["bge-m3_0a1b", "bge_m3_0a1b", "bge.m3_0a1b", "Zoë", "Z00002d", "한국어", "a b"]
        for number, name in enumerate(names):
            store.create_space(name, DIMENSION)
            store.upsert([row(f"c{number}", 1)], name)
        assert store.spaces() == sorted([*names, "one"])
        assert [found(store, space=name) for name in names] == [[f"c{number}"] for number in range(len(names))]


@pytest.mark.services
class TestMilvusLite(VectorStoreContract):
    @pytest.fixture(autouse=True)
    def server(self, milvus_lite: MilvusConnection):
        """Keep the server between tests: the session's connection holds it."""
        milvus_lite.client()

    @pytest.fixture
    def fresh(self, milvus_lite: MilvusConnection, collection: str) -> Fresh:
        return lambda: MilvusVectorStore(MilvusConnection(milvus_lite.uri), collection)

    def test_idle_connection_sends_no_pings(self, milvus_lite: MilvusConnection):
        """With pymilvus' own 10 s, Milvus Lite hung up after 100 s without a call (GOAWAY, too_many_pings)."""
        assert milvus_lite.client()._handler._grpc_options == {"grpc.keepalive_time_ms": 2**31 - 1}

    def test_failure_is_one_sentence_and_no_log(self, store: VectorStore, caplog, capfd):
        logging.getLogger("pymilvus").addHandler(caplog.handler)
        try:
            with pytest.raises(StoreUnavailable, match=r"failed while writing vectors: .*\.log\."):
                store.upsert([VectorRow("a", "acme", ("*",), np.zeros(3, dtype=np.float32))], "one")
        finally:
            logging.getLogger("pymilvus").removeHandler(caplog.handler)
        assert not caplog.records
        assert "Traceback" not in capfd.readouterr().err


@pytest.mark.services
class TestMilvusServer(VectorStoreContract):
    @pytest.fixture
    def fresh(self, collection: str) -> Fresh:
        uri = os.environ.get("MILVUS_TEST_URI")
        if not uri:
            pytest.skip("no Milvus server: set MILVUS_TEST_URI (and MILVUS_TEST_TOKEN) to one that tests may write to")
        return lambda: MilvusVectorStore(MilvusConnection(uri, os.environ.get("MILVUS_TEST_TOKEN", "")), collection)


def test_unreachable_server_is_our_error():
    store = MilvusVectorStore(MilvusConnection("http://127.0.0.1:9", timeout_s=0.5))
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.spaces()
    store.close()
