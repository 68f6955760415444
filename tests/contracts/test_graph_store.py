"""The contract of `GraphStore`: one suite, inherited by every adapter, with a model in plain Python as the judge."""

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from graph_model import GraphModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from narrowing import DOCUMENTS, SEEN
from serving_process import wait_until

from llmflow.adapters.neo4j_graph import Neo4jGraphStore
from llmflow.adapters.sql_graph import SqlGraphStore
from llmflow.adapters.sql_graph_memory import GraphMemorySettings
from llmflow.adapters.sql_graph_snapshot import GraphSnapshot, read_snapshot
from llmflow.adapters.sql_graph_tables import metadata, open_engine
from llmflow.errors import SettingsError, StoreCorrupt, StoreUnavailable
from llmflow.ports import ChunkEdges, EntityNode, GraphChunk, GraphDocument, GraphEdge, GraphStatistics, GraphStore
from llmflow.types import EVERYONE, Mention, Principal, Relation

Fresh = Callable[[], GraphStore]

STAFF = Principal("acme")
SALES = Principal("acme", frozenset({"sales"}))
STRANGER = Principal("rival", frozenset({"sales"}))
READERS = (STAFF, SALES, Principal("acme", frozenset({"law", "sales"})), STRANGER, Principal("nobody"))
NOTHING = GraphStatistics(0, 0, 0, 0, 0, 0)

WEIRD = (
    "it's",
    'say "hi"',
    "100%",
    "a_b",
    "back\\slash",
    "😀",
    "\uff21",  # sorts before the emoji by code point, after it by UTF-16
    "한국어 키",
    "é",
    "e\u0301",
    "x" * 1000,
    "가" * 1000,
    "'; DROP TABLE graph_chunk; --",
    "'}) MATCH (n) DETACH DELETE n //",
    "$uids {key} `tick` :param ? %s %(x)s",
    "line\nbreak\ttab",
    " ",
    "",
)


def document(name: str, *chunks: GraphChunk, tenant: str = "acme", groups: Sequence[str] = (EVERYONE,), **rest) -> GraphDocument:
    return GraphDocument(name, tenant, tuple(groups), rest.pop("title", f"Title of {name}"), chunks, **rest)


def chunk(name: str, *mentions: Mention) -> GraphChunk:
    return GraphChunk(name, mentions)


def title(key: str, name: str | None = None) -> Mention:
    return Mention(key, name or key.upper(), "title")


def mention(key: str, position: int = 0, confidence: float = 1.0, name: str | None = None) -> Mention:
    return Mention(key, name or key.upper(), "mention", position, confidence)


# random operations: few keys, few chunks, so that they meet

KEYS = ("k1", "k2", "k3", "ключ", "가나", "%", "😀", "\uff21")
mentions = st.builds(
    Mention,
    key=st.sampled_from(KEYS),
    name=st.sampled_from(("A", "a", "Ab", "한", "😀", "\uff21")),
    role=st.sampled_from(("title", "mention", "mention", "heading")),
    position=st.integers(0, 5),
    confidence=st.sampled_from((1.0, 0.5, 0.1, 0.30000000000000004, 0, -0.0)),
)


@st.composite
def documents(draw: st.DrawFn) -> GraphDocument:
    tenant = draw(st.sampled_from(("acme", "rival")))
    name = f"{tenant}/{draw(st.integers(0, 2))}"
    numbers = draw(st.lists(st.integers(0, 3), unique=True, max_size=3))
    chunks = tuple(GraphChunk(f"{name}#{number}", tuple(draw(st.lists(mentions, max_size=5)))) for number in numbers)
    keys = sorted({found.key for part in chunks for found in part.mentions})
    weights = st.sampled_from((0.1, 0.2, 0.7, 1e16, 1.0, -1.0))
    links = st.builds(Relation, st.sampled_from(keys), st.sampled_from(keys), st.sampled_from(("near", "of")), weights)
    return GraphDocument(
        document_id=name,
        tenant=tenant,
        groups=tuple(draw(st.lists(st.sampled_from((EVERYONE, "sales", "law")), max_size=2))),
        title=draw(st.sampled_from(("one", "two"))),
        chunks=chunks,
        relations=tuple(draw(st.lists(links, max_size=4))) if keys else (),
        topics=tuple(draw(st.lists(st.sampled_from(("red", "빨강")), max_size=2))),
    )


chunk_names = st.builds("{}/{}#{}".format, st.sampled_from(("acme", "rival")), st.integers(0, 2), st.integers(0, 4))
operations = st.lists(
    st.lists(documents(), max_size=3).map(lambda batch: ("upsert", batch))
    | st.lists(chunk_names, max_size=5).map(lambda names: ("delete_chunks", names)),
    max_size=6,
)
RANDOM = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
}


def answers(store: GraphStore | GraphModel, chunk_ids: Sequence[str]) -> list[object]:
    """Everything that a store can be asked, except its digest."""
    found: list[object] = [store.statistics(), store.chunk_ids()]
    for reader in READERS:
        for reads in (store, store.reads()):
            found += [
                reads.find_entities(KEYS, reader),
                reads.edges_of_entities(KEYS, reader, 2),
                reads.edges_of_entities(KEYS, reader, 100),
                reads.edges_of_entities(KEYS, reader, 1, role="title"),
                reads.edges_of_entities(KEYS, reader, 3, role="mention"),
                reads.edges_of_chunks(chunk_ids, reader),
            ]
        found += [
            store.relations_of(KEYS, reader, 1),
            store.relations_of(KEYS, reader, 100),
            store.title_reach(3),
            store.title_reach(100),
        ]
    return found


def check_leads(store: GraphStore, model: GraphModel, chunk_ids: Sequence[str]) -> None:
    """Nothing is left out but edges to what no other edge of the tenant leads to, and those are weighed."""
    for reader in READERS:
        counts = model.edges_by_key(reader.tenant)
        whole = ChunkEdges.grouped(store.edges_of_chunks(chunk_ids, reader))
        for reads in (store, store.reads()):
            for named in ((), KEYS[:1], [*counts]):
                found = reads.leads_of_chunks(chunk_ids, reader, named)
                assert found.keys() == whole.keys()
                for name, (kept, titles, mentions) in found.items():
                    left = [edge for edge in whole[name].edges if edge not in kept]
                    assert kept == tuple(edge for edge in whole[name].edges if edge in kept)
                    assert all(counts[edge.key] == 1 and edge.key not in named for edge in left)
                    assert titles == sum(edge.role == "title" for edge in left)
                    assert mentions == pytest.approx(sum(edge.confidence for edge in left if edge.role != "title"))


def follow_model(stores: Sequence[GraphStore], steps: list[tuple[str, list]]) -> None:
    """Apply the steps, each twice, to the stores and to the model, and compare all answers after each."""
    model = GraphModel()
    for name, argument in steps:
        for _ in range(2):  # a retry changes nothing
            getattr(model, name)(argument)
            for store in stores:
                getattr(store, name)(argument)
        chunk_ids = [*sorted(model.chunk_ids()), "unknown"]
        expected = answers(model, chunk_ids)
        for store in stores:
            assert answers(store, chunk_ids) == expected
            check_leads(store, model, chunk_ids)
        assert len({store.digest() for store in stores}) == 1


class GraphStoreContract:
    @pytest.fixture
    def fresh(self) -> Fresh:
        """Return a function that returns an empty store; stores that it returned before may be emptied."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, fresh: Fresh) -> GraphStore:
        return fresh()

    # permission

    def test_documents_of_another_tenant_are_invisible(self, store: GraphStore) -> None:
        store.upsert(
            [
                document("a", chunk("a1", title("k"), mention("l")), relations=(Relation("k", "l", "near", 1.0),)),
                document("b", chunk("b1", mention("k", name="Theirs")), tenant="rival", groups=("sales", EVERYONE)),
            ]
        )
        assert store.find_entities(["k"], STRANGER) == [EntityNode("k", "Theirs", 1, 0)]
        assert store.find_entities(["k"], STAFF) == [EntityNode("k", "K", 1, 1)]
        assert [edge.chunk_id for edge in store.edges_of_entities(["k"], STRANGER, 9)] == ["b1"]
        assert [edge.chunk_id for edge in store.edges_of_chunks(["a1", "b1"], STAFF)] == ["a1", "a1"]
        assert store.relations_of(["k"], STRANGER, 9) == []
        assert store.statistics() == GraphStatistics(2, 2, 3, 0, 3, 1)

    def test_documents_are_read_by_their_groups(self, store: GraphStore) -> None:
        links = (Relation("k", "k", "self", 2.0),)
        store.upsert(
            [
                document("all", chunk("c-all", mention("k"))),
                document("sold", chunk("c-sold", mention("k"), title("k")), groups=("sales", "law"), relations=links),
                document("law", chunk("c-law", mention("k")), groups=("law",)),
                document("none", chunk("c-none", mention("k"), mention("hidden")), groups=()),
            ]
        )
        everything = ["c-all", "c-sold", "c-law", "c-none"]
        assert [edge.chunk_id for edge in store.edges_of_chunks(everything, STAFF)] == ["c-all"]
        assert [edge.chunk_id for edge in store.edges_of_chunks(everything, SALES)] == ["c-all", "c-sold", "c-sold"]
        assert [(edge.chunk_id, edge.role) for edge in store.edges_of_entities(["k"], SALES, 9)] == [
            ("c-sold", "title"),
            ("c-all", "mention"),
            ("c-sold", "mention"),
        ]
        assert store.find_entities(["k", "hidden"], SALES) == [EntityNode("k", "K", 2, 1)]
        assert store.find_entities(["k"], STAFF) == [EntityNode("k", "K", 1, 0)]
        assert store.relations_of(["k"], SALES, 9) == list(links)
        assert store.relations_of(["k"], STAFF, 9) == []

    def test_a_narrowed_question_finds_its_part_and_nothing_else(self, store: GraphStore) -> None:
        links = (Relation("k", "k", "self", 1.0),)
        store.upsert(
            [
                document(name, chunk(name, mention("k")), tenant=tenant, groups=(group,), relations=links)
                for name, tenant, group in DOCUMENTS
            ]
        )
        every = [name for name, _, _ in DOCUMENTS]
        for principal, space, names in SEEN:
            narrow = principal.narrowed(space)
            assert sorted(edge.chunk_id for edge in store.edges_of_chunks(every, narrow)) == names, (principal, space)
            assert sorted(edge.chunk_id for edge in store.edges_of_entities(["k"], narrow, 9)) == names
            assert [node.mentions for node in store.find_entities(["k"], narrow)] == ([len(names)] if names else [])
            assert [link.weight for link in store.relations_of(["k"], narrow, 9)] == ([float(len(names))] if names else [])

    def test_new_groups_hold_for_the_chunks_of_the_old_version_too(self, store: GraphStore) -> None:
        store.upsert([document("d", chunk("v1", mention("k")))])
        store.upsert([document("d", chunk("v2", mention("k")), groups=("sales",))])
        assert store.edges_of_chunks(["v1", "v2"], STAFF) == store.find_entities(["k"], STAFF) == []
        assert store.edges_of_entities(["k"], STAFF, 9) == []
        assert [edge.chunk_id for edge in store.edges_of_entities(["k"], SALES, 9)] == ["v1", "v2"]
        assert store.find_entities(["k"], SALES) == [EntityNode("k", "K", 2, 0)]

    def test_groups_change_without_chunks(self, store: GraphStore) -> None:
        store.upsert([document("d", chunk("c", mention("k")))])
        store.upsert([document("d", groups=("sales",))])
        assert store.chunk_ids() == {"c"}
        assert store.edges_of_chunks(["c"], STAFF) == []
        assert len(store.edges_of_chunks(["c"], SALES)) == 1

    def test_a_name_is_taken_from_readable_mentions_the_most_used_first(self, store: GraphStore) -> None:
        store.upsert(
            [
                document("secret", *(chunk(f"s{n}", mention("k", name="AA Secret")) for n in range(5)), groups=("law",)),
                document(
                    "open", chunk("o1", mention("k", name="B")), chunk("o2", mention("k", name="C")), chunk("o3", title("k", "C"))
                ),
            ]
        )
        assert store.find_entities(["k"], STAFF) == [EntityNode("k", "C", 3, 1)]
        store.delete_chunks(["o3"])
        assert store.find_entities(["k"], STAFF) == [EntityNode("k", "B", 2, 0)]

    def test_a_document_stays_with_its_tenant(self, store: GraphStore) -> None:
        store.upsert([document("d", chunk("c", mention("k")))])
        before = store.digest()
        with pytest.raises(StoreCorrupt, match="'d'"):
            store.upsert([document("e", chunk("e1", mention("k"))), document("d", chunk("c2", mention("k")), tenant="rival")])
        assert store.digest() == before

    # order, ties, limits, duplicates, nothing

    def test_edges_of_entities_are_ordered_and_limited_per_key(self, store: GraphStore) -> None:
        names = ["c-\uff21", "c-😀", "c-a", "c-Z", "c-가"]
        store.upsert([document("d", *(chunk(name, mention("k", 3, 0.5), mention("b", 7)) for name in names))])
        store.upsert(
            [document("e", chunk("weak", mention("k", 0, 0.1)), chunk("strong", mention("k", 0, 0.9)), chunk("t", title("k")))]
        )
        order = ["t", "strong", *sorted(names), "weak"]
        for limit in range(1, 9):
            edges = store.edges_of_entities(["k", "b", "k"], STAFF, limit)
            assert [edge.key for edge in edges] == ["b"] * min(limit, 5) + ["k"] * limit
            assert [edge.chunk_id for edge in edges if edge.key == "k"] == order[:limit]
            assert [edge.chunk_id for edge in edges if edge.key == "b"] == sorted(names)[:limit]
        assert store.edges_of_entities(["k"], STAFF, 9, role="title") == [GraphEdge("t", "k", "title", 0, 1.0)]
        assert [edge.chunk_id for edge in store.edges_of_entities(["k"], STAFF, 2, role="mention")] == order[1:3]
        assert store.edges_of_entities(["k"], STAFF, 0) == store.edges_of_entities(["k"], STAFF, -1) == []

    def test_edges_of_chunks_are_ordered(self, store: GraphStore) -> None:
        store.upsert(
            [
                document(
                    "d", chunk("c2", mention("z", 1)), chunk("c1", mention("b", 4), mention("a", 4), mention("z", 2), title("y"))
                )
            ]
        )
        edges = store.edges_of_chunks(["c2", "c1", "c2", "unknown"], STAFF)
        assert [(edge.chunk_id, edge.key) for edge in edges] == [("c1", "y"), ("c1", "z"), ("c1", "a"), ("c1", "b"), ("c2", "z")]

    def test_relations_are_summed_over_readable_documents(self, store: GraphStore) -> None:
        both = chunk("c", mention("a"), mention("b"), mention("c"), mention("d"))
        store.upsert(
            [
                document(
                    f"d{number}",
                    GraphChunk(f"c{number}", both.mentions),
                    relations=(
                        Relation("a", "b", "near", weight),
                        Relation("a", "c", "near", 0.3),
                        Relation("a", "c", "near", 0.3),
                    ),
                    groups=("sales",) if number == 9 else (EVERYONE,),
                )
                for number, weight in enumerate((0.1, 0.2, 0.3, 1e16, -1e16, 0.7, 0.1, 0.1, 0.1, 50.0))
            ]
        )
        near = Relation("a", "c", "near", 0.3 * 18), Relation("a", "b", "near", 1.6)
        found = store.relations_of(["a", "b"], STAFF, 9)
        assert [(link.source, link.target) for link in found] == [("a", "c"), ("a", "b")]
        assert [link.weight for link in found] == pytest.approx([link.weight for link in near])
        assert store.relations_of(["a"], STAFF, 1) == found[:1]
        assert [link.target for link in store.relations_of(["a"], SALES, 1)] == ["b"]
        assert store.relations_of(["a"], STAFF, 0) == []

    def test_equal_relations_are_ordered_by_target_and_type(self, store: GraphStore) -> None:
        links = tuple(Relation("a", target, kind, 1.0) for target in ("c", "b") for kind in ("y", "x"))
        store.upsert([document("d", chunk("c", mention("a"), mention("b"), mention("c")), relations=links)])
        found = [(link.target, link.relation_type) for link in store.relations_of(["a"], STAFF, 3)]
        assert found == [("b", "x"), ("b", "y"), ("c", "x")]

    def test_a_mention_given_twice_is_one_edge(self, store: GraphStore) -> None:
        store.upsert(
            [
                document(
                    "d",
                    chunk("c", mention("k", 9, 0.5, "B"), mention("k", 4, 0.2, "A"), mention("k", 7, 0.7, "C"), title("k", "A")),
                )
            ]
        )
        assert store.edges_of_chunks(["c"], STAFF) == [
            GraphEdge("c", "k", "title", 0, 1.0),
            GraphEdge("c", "k", "mention", 4, 0.7),
        ]
        assert store.find_entities(["k", "k"], STAFF) == [EntityNode("k", "A", 1, 1)]

    def test_the_last_of_two_equal_documents_in_a_call_counts(self, store: GraphStore) -> None:
        store.upsert(
            [document("d", chunk("c", mention("old")), title="Old"), document("d", chunk("c", mention("new")), title="New")]
        )
        both = store.digest()
        assert [edge.key for edge in store.edges_of_chunks(["c"], STAFF)] == ["new"]
        store.delete_chunks(["c"])
        store.upsert([document("d", chunk("c", mention("new")), title="New")])
        assert store.digest() == both

    def test_title_reach_counts_what_leads_to_another_document(self, store: GraphStore) -> None:
        assert store.title_reach(10) == {}
        store.upsert(
            [
                document("d", chunk("1", title("a"), mention("b")), chunk("2", mention("a")), chunk("3", mention("x"))),
                document("e", chunk("4", title("b"), mention("b"))),
                document("f", chunk("5", title("a"), mention("b")), tenant="rival"),
            ]
        )
        assert store.title_reach(10) == {"acme": 0.25, "rival": 0.0}
        assert store.title_reach(1) == {"acme": 1.0, "rival": 0.0}

    def test_nothing_asked_is_nothing_found(self, store: GraphStore) -> None:
        store.upsert([])
        store.delete_chunks([])
        store.delete_chunks(["unknown"])
        assert store.find_entities([], STAFF) == store.edges_of_entities([], STAFF, 5) == store.relations_of([], STAFF, 5) == []
        assert store.edges_of_chunks([], STAFF) == []
        assert store.chunk_ids() == set()
        assert store.statistics() == NOTHING

    def test_a_document_without_chunks_is_not_kept(self, store: GraphStore) -> None:
        empty = store.digest()
        store.upsert([document("d", topics=("t",), relations=(Relation("a", "b", "near", 1.0),))])
        assert store.statistics() == NOTHING
        assert store.digest() == empty

    def test_relations_to_entities_that_the_document_does_not_mention_are_left_out(self, store: GraphStore) -> None:
        store.upsert([document("other", chunk("o", mention("b")))])
        links = (Relation("a", "b", "near", 1.0), Relation("a", "a", "near", 1.0))
        store.upsert([document("d", chunk("c", mention("a")), relations=links)])
        assert store.relations_of(["a"], STAFF, 9) == [links[1]]

    @pytest.mark.parametrize("number", [float("nan"), float("inf")])
    def test_numbers_that_are_not_finite_are_refused(self, store: GraphStore, number: float) -> None:
        with pytest.raises(ValueError, match="finite"):
            store.upsert([document("d", chunk("c", mention("k", 0, number)))])
        with pytest.raises(ValueError, match="finite"):
            store.upsert([document("d", chunk("c", mention("k")), relations=(Relation("k", "k", "near", number),))])
        assert store.statistics() == NOTHING

    def test_more_keys_than_a_statement_takes(self, store: GraphStore) -> None:
        names = [f"k{number:04}" for number in range(1203)]
        store.upsert([document("d", *(chunk(f"c{name}", mention(name)) for name in names))])
        assert [node.key for node in store.find_entities(names, STAFF)] == names
        assert [edge.key for edge in store.edges_of_entities(names, STAFF, 1)] == names
        assert [edge.key for edge in store.edges_of_chunks([f"c{name}" for name in names], STAFF)] == names
        store.delete_chunks([f"c{name}" for name in names])
        assert store.statistics() == NOTHING

    # versions, retries, deletion

    def test_a_retry_changes_nothing(self, store: GraphStore) -> None:
        batch = [
            document("d", chunk("c", title("k"), mention("k", 3)), topics=("t",), relations=(Relation("k", "k", "near", 1.0),))
        ]
        store.upsert(batch)
        before = store.digest(), store.statistics(), store.find_entities(["k"], STAFF)
        store.upsert(batch)
        assert (store.digest(), store.statistics(), store.find_entities(["k"], STAFF)) == before
        store.delete_chunks(["c"])
        store.delete_chunks(["c", "c"])
        assert store.statistics() == NOTHING

    def test_two_versions_stand_side_by_side_until_the_old_chunks_go(self, store: GraphStore) -> None:
        first = document(
            "d",
            chunk("same", mention("a")),
            chunk("v1", mention("b")),
            topics=("old",),
            relations=(Relation("a", "b", "near", 1),),
        )
        second = document(
            "d",
            chunk("same", mention("a")),
            chunk("v2", mention("c")),
            topics=("new",),
            relations=(Relation("a", "c", "near", 1),),
        )
        store.upsert([second])
        final = store.digest()
        store.delete_chunks(["same", "v2"])
        store.upsert([first])
        store.upsert([second])
        assert store.chunk_ids() == {"same", "v1", "v2"}
        assert store.relations_of(["a"], STAFF, 9) == [Relation("a", "c", "near", 1)]
        assert store.statistics() == GraphStatistics(1, 3, 3, 1, 3, 1)
        store.delete_chunks(["v1"])
        assert store.digest() == final

    def test_a_replaced_chunk_forgets_what_it_mentioned(self, store: GraphStore) -> None:
        store.upsert([document("d", chunk("c", mention("old"), mention("both", name="Was")))])
        store.upsert([document("d", chunk("c", mention("both", name="Is")))])
        assert store.find_entities(["old", "both"], STAFF) == [EntityNode("both", "Is", 1, 0)]
        assert store.statistics() == GraphStatistics(1, 1, 1, 0, 1, 0)

    def test_entities_go_with_their_last_mention_and_relations_with_either_end(self, store: GraphStore) -> None:
        links = (Relation("a", "b", "near", 1.0), Relation("b", "a", "near", 1.0), Relation("a", "a", "near", 1.0))
        store.upsert([document("d", chunk("c1", mention("a")), chunk("c2", mention("b"), title("b")), relations=links)])
        store.upsert([document("e", chunk("c3", mention("a")))])
        store.delete_chunks(["c2"])
        assert store.find_entities(["a", "b"], STAFF) == [EntityNode("a", "A", 2, 0)]
        assert store.relations_of(["a", "b"], STAFF, 9) == [links[2]]
        store.upsert([document("f", chunk("c4", mention("b")))])
        assert store.relations_of(["a", "b"], STAFF, 9) == [links[2]]

    def test_relations_and_topics_go_with_the_last_chunk_of_their_document(self, store: GraphStore) -> None:
        links = (Relation("a", "b", "near", 1.0),)
        store.upsert([document("d", chunk("c1", mention("a"), mention("b")), chunk("c2"), relations=links, topics=("t", "u"))])
        store.upsert([document("e", chunk("c3", mention("a"), mention("b")), topics=("t",))])
        assert store.statistics().topics == 2
        store.delete_chunks(["c1"])
        assert store.relations_of(["a"], STAFF, 9) == list(links)
        store.delete_chunks(["c2"])
        assert store.relations_of(["a"], STAFF, 9) == []
        assert store.statistics() == GraphStatistics(1, 1, 2, 1, 2, 0)
        store.delete_chunks(["c3"])
        assert store.statistics() == NOTHING

    def test_a_chunk_may_move_to_another_document(self, store: GraphStore) -> None:
        store.upsert([document("d", chunk("c", mention("k")), topics=("t",))])
        store.upsert([document("e", chunk("c", mention("k")), groups=("sales",))])
        assert store.statistics() == GraphStatistics(1, 1, 1, 0, 1, 0)
        assert store.find_entities(["k"], STAFF) == []
        assert store.find_entities(["k"], SALES) == [EntityNode("k", "K", 1, 0)]

    # keys of any kind, and the digest

    def test_keys_are_data(self, store: GraphStore) -> None:
        weird = [
            document(f"d{key}", chunk(f"c{key[:99]}{len(key)}", mention(key, name=key)), title=key, topics=(key,))
            for key in WEIRD
        ]
        store.upsert(weird)
        assert store.statistics() == GraphStatistics(*[len(WEIRD)] * 4, mentions=len(WEIRD), relations=0)
        for key in WEIRD:
            assert store.find_entities([key], STAFF) == [EntityNode(key, key, 1, 0)]
            assert [edge.key for edge in store.edges_of_entities([key], STAFF, 9)] == [key]
        assert [node.key for node in store.find_entities(WEIRD, STAFF)] == sorted(WEIRD)
        assert store.find_entities(["%", "_", "a%", "ab", "*"], STAFF) == []
        store.delete_chunks(sorted(store.chunk_ids()))
        assert store.statistics() == NOTHING

    def test_tenants_and_groups_are_data(self, store: GraphStore) -> None:
        for name in ("' OR 1=1 --", "%", "'] OR true //", "한\\국"):
            store.upsert([document(f"d{name}", chunk(f"c{name}", mention("k")), tenant=name, groups=(name,))])
            assert len(store.find_entities(["k"], Principal(name, frozenset({name})))) == 1
            assert store.find_entities(["k"], Principal(name)) == []
        assert store.find_entities(["k"], Principal("' OR 1=1", frozenset({"%"}))) == []

    def test_the_digest_knows_no_insertion_order(self, fresh: Fresh) -> None:
        batch = [
            document(
                f"d{number}",
                *(chunk(f"c{number}.{part}", mention(f"k{number % 3}", part, name=f"K{part}"), title("t")) for part in range(3)),
                groups=("b", "a", "b"),
                topics=("x", f"y{number}"),
                relations=(Relation("t", f"k{number % 3}", "near", 0.1), Relation("t", f"k{number % 3}", "near", 0.2)),
            )
            for number in range(6)
        ]
        digests = set()
        for seed in range(3):
            store, order = fresh(), random.Random(seed)
            for part in order.sample(batch, len(batch)):
                store.upsert([GraphDocument(part.document_id, part.tenant, part.groups[::-1], part.title, part.chunks[:1])])
                store.upsert([part])
            digests.add(store.digest())
        assert len(digests) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"title": "Other"},
            {"topics": ("t",)},
            {"groups": ("sales",)},
            {"tenant": "rival"},
            {"relations": (Relation("k", "k", "near", 1.0),)},
            {"relations": (Relation("k", "k", "near", 1.5),)},
            {"chunks": (chunk("c", mention("k", 1)),)},
            {"chunks": (chunk("c", mention("k", 0, 0.5)),)},
            {"chunks": (chunk("c", mention("k", name="Other")),)},
            {"chunks": (chunk("c", title("k")),)},
            {"chunks": (chunk("c", mention("k")), chunk("c2"))},
        ],
        ids=str,
    )
    def test_the_digest_sees_every_change(self, fresh: Fresh, change: dict) -> None:
        plain = {"groups": (EVERYONE,), "tenant": "acme", "title": "T", "chunks": (chunk("c", mention("k")),)}
        store = fresh()
        store.upsert([GraphDocument(document_id="d", **plain)])
        before = store.digest()
        store = fresh()
        store.upsert([GraphDocument(document_id="d", **(plain | change))])
        assert store.digest() != before

    def test_closing_twice_and_using_again(self, store: GraphStore) -> None:
        store.upsert([document("d", chunk("c", mention("k")))])
        store.close()
        store.close()
        assert store.chunk_ids() == {"c"}

    def test_threads_write_and_read_one_store(self, store: GraphStore) -> None:
        faults: list[BaseException] = []

        def work(worker: int) -> None:
            try:
                for step in range(5):
                    store.upsert([document(f"d{worker}.{step}", chunk(f"c{worker}.{step}", mention("k"), mention(f"k{worker}")))])
                    assert len(store.edges_of_entities([f"k{worker}"], STAFF, 99)) == step + 1
                store.delete_chunks([f"c{worker}.{step}" for step in range(4)])
            except BaseException as exc:
                faults.append(exc)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        assert store.find_entities(["k"], STAFF) == [EntityNode("k", "K", 4, 0)]
        assert store.statistics() == GraphStatistics(4, 4, 5, 0, 8, 0)


class SqliteGraphContract(GraphStoreContract):
    """The suite over files, each store in one of its own; subclasses name the class of the stores."""

    kind: type[SqlGraphStore] = SqlGraphStore

    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Iterator[Fresh]:
        stores: list[GraphStore] = []

        def make() -> GraphStore:
            stores.append(self.kind(f"sqlite:///{tmp_path / str(len(stores))}/graph.db"))
            return stores[-1]

        yield make
        for store in stores:
            store.close()


class TestSqliteGraph(SqliteGraphContract):
    @given(steps=operations)
    @settings(max_examples=60, **RANDOM)
    def test_any_operations_leave_what_the_model_says(self, fresh: Fresh, steps: list) -> None:
        follow_model([fresh()], steps)

    def test_nothing_is_left_in_any_table(self, tmp_path: Path) -> None:
        path = tmp_path / "graph.db"
        store = SqlGraphStore(f"sqlite:///{path}")
        links = (Relation("k", "l", "near", 1.0),)
        store.upsert([document("d", chunk("c", title("k"), mention("l")), groups=("a", "b"), relations=links, topics=("t",))])
        store.upsert([document("d", chunk("c2", title("k", "Other")), groups=("c",))])
        store.delete_chunks(["c", "c2"])
        store.close()
        with sqlite3.connect(path) as connection:
            counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in metadata.tables}  # noqa: S608
        assert counts == dict.fromkeys(metadata.tables, 0)

    def test_a_graph_from_before_chunks_carried_their_edges_is_completed(self, tmp_path: Path) -> None:
        path = tmp_path / "graph.db"
        store = SqlGraphStore(f"sqlite:///{path}")
        store.upsert([document("d", chunk("c", title("k"), mention("l", position=9), mention("m", position=3)), chunk("bare"))])
        edges = store.edges_of_chunks(["c", "bare"], Principal("acme"))
        assert [edge.key for edge in edges] == ["k", "m", "l"]
        store.close()
        with sqlite3.connect(path) as connection:
            connection.execute("ALTER TABLE graph_chunk DROP COLUMN edges")
        again = SqlGraphStore(f"sqlite:///{path}")
        assert again.edges_of_chunks(["c", "bare"], Principal("acme")) == edges
        again.close()

    def test_a_failed_call_leaves_nothing(self, tmp_path: Path) -> None:
        store = SqlGraphStore(f"sqlite:///{tmp_path}/graph.db")
        store.upsert([document("d", chunk("c", mention("k")))])
        before = store.digest()
        with pytest.raises(UnicodeEncodeError):
            store.upsert([document("e", chunk("e1", mention("k")), chunk("lone surrogate \ud800", mention("k")))])
        assert store.digest() == before
        store.close()

    def test_readers_go_on_beside_an_open_write(self, tmp_path: Path) -> None:
        path = tmp_path / "graph.db"
        store = SqlGraphStore(f"sqlite:///{path}")
        store.upsert([document("d", chunk("c", mention("k")))])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM graph_chunk")
        assert len(store.edges_of_chunks(["c"], STAFF)) == 1
        other.execute("COMMIT")
        assert store.edges_of_chunks(["c"], STAFF) == []
        other.close()
        store.close()

    def test_writers_go_on_beside_an_open_read(self, tmp_path: Path) -> None:
        path = tmp_path / "graph.db"
        store = SqlGraphStore(f"sqlite:///{path}")
        store.upsert([document("d", chunk("c", mention("k")))])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN")
        count = "SELECT count(*) FROM graph_mention"
        assert other.execute(count).fetchone() == (1,)
        store.upsert([document("e", chunk("c2", mention("k")))])
        assert other.execute(count).fetchone() == (1,)
        other.execute("COMMIT")
        assert other.execute(count).fetchone() == (2,)
        other.close()
        store.close()

    def test_readers_never_see_half_a_call(self, tmp_path: Path) -> None:
        store = SqlGraphStore(f"sqlite:///{tmp_path}/graph.db")
        names = [f"c{number}" for number in range(30)]

        def version(number: int) -> list[GraphDocument]:
            return [document(f"d{name}", chunk(name, mention("k", number))) for name in names]

        store.upsert(version(0))
        done = threading.Event()

        def write() -> None:
            for number in range(1, 30):
                store.upsert(version(number))
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        seen = set()
        while not done.is_set():
            edges = store.edges_of_chunks(names, STAFF)
            assert len(edges) == len(names)
            assert len({edge.position for edge in edges}) == 1
            seen.add(edges[0].position)
            assert store.find_entities(["k"], STAFF) == [EntityNode("k", "K", len(names), 0)]
        writer.join()
        assert seen <= set(range(30))
        store.close()

    def test_a_killed_writer_leaves_whole_calls(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/graph.db"
        script = (
            "import sys\n"
            "from llmflow.adapters.sql_graph import SqlGraphStore\n"
            "from llmflow.ports import GraphChunk, GraphDocument\n"
            "from llmflow.types import Mention\n"
            "store = SqlGraphStore(sys.argv[1])\n"
            "for call in range(10_000):\n"
            "    store.upsert([GraphDocument(f'{call}/{d}', 'acme', ('*',), '', tuple(GraphChunk(f'{call}/{d}/{c}',"
            " (Mention('k', 'K', 'mention'),)) for c in range(5))) for d in range(20)])\n"
            "    print(call, flush=True)\n"
        )
        writer = subprocess.Popen([sys.executable, "-c", script, url], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(5):
            assert writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        acknowledged = 5 + len(writer.stdout.readlines())
        writer.stdout.close()
        writer.wait()
        store = SqlGraphStore(url)
        counts = store.statistics()
        assert counts.documents >= acknowledged * 20
        assert (counts.documents % 20, counts.chunks, counts.mentions) == (0, counts.documents * 5, counts.documents * 5)
        assert store.find_entities(["k"], STAFF) == [EntityNode("k", "K", counts.chunks, 0)]
        store.upsert([document("after", chunk("after", mention("k")))])
        assert store.statistics().documents == counts.documents + 1
        store.close()

    def test_an_address_that_cannot_be_opened(self, tmp_path: Path) -> None:
        (tmp_path / "text.db").write_text("this is not a database, " * 100)
        for path in (tmp_path, tmp_path / "text.db", tmp_path / "text.db" / "below.db"):
            store = SqlGraphStore(f"sqlite:///{path}")
            with pytest.raises(StoreUnavailable, match="then try again"):
                store.chunk_ids()
        for url in ("nonsense", "sqlite://", "oracl://host/db"):
            with pytest.raises(SettingsError, match="sqlite:////"):
                SqlGraphStore(url).chunk_ids()

    def test_the_password_is_not_shown(self) -> None:
        store = SqlGraphStore("postgresql+psycopg://me:sesame@127.0.0.1:1/db")
        assert "sesame" not in repr(store)
        assert "me:***@" in repr(store)


class HeldGraph(SqlGraphStore):
    """Answers every read from memory, taken anew after every write."""

    looks = 0

    def _held(self) -> GraphSnapshot:
        self._connected()
        assert self._memory is not None
        self.looks += 1
        while True:  # another thread may write, or look, between the two
            self._memory.load()
            if (held := self._memory.current()) is not None:
                return held


class TestHeldGraph(SqliteGraphContract):
    kind = HeldGraph

    @given(steps=operations)
    @settings(max_examples=60, **RANDOM)
    def test_any_operations_leave_what_the_model_says(self, fresh: Fresh, steps: list) -> None:
        store = fresh()
        follow_model([store], steps)
        assert isinstance(store, HeldGraph) and store.looks >= bool(steps)

    def test_what_another_connection_wrote_is_read_at_once(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/graph.db"
        reading, writing = SqlGraphStore(url), SqlGraphStore(url)
        for number in range(3):
            writing.upsert([document("d", *(chunk(f"c{n}", mention("k")) for n in range(number + 1)))])
            reading._connected()
            assert reading._memory is not None
            assert number == 0 or reading.reads() is reading  # what it holds is of before
            assert reading.find_entities(["k"], STAFF) == [EntityNode("k", "K", number + 1, 0)]
            reading._memory.load()
            wait_until(lambda: reading._held() is not None, "a snapshot")  # another thread may be looking
            assert reading.find_entities(["k"], STAFF) == [EntityNode("k", "K", number + 1, 0)]
            assert isinstance(reading.reads(), GraphSnapshot)
        reading.close()
        writing.close()
        assert reading._held() is None

    def test_a_commit_while_the_tables_are_read_is_not_missed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        url = f"sqlite:///{tmp_path}/graph.db"
        reading, writing = SqlGraphStore(url), SqlGraphStore(url)
        writing.upsert([document("d", chunk("c", mention("k")))])
        reading._connected()
        memory = reading._memory
        assert memory is not None

        def read_and_write(connection: sqlite3.Connection) -> GraphSnapshot:
            found = read_snapshot(connection)
            writing.delete_chunks(["c"])
            return found

        monkeypatch.setattr("llmflow.adapters.sql_graph_memory.read_snapshot", read_and_write)
        memory.load()
        assert memory.current() is None and reading.find_entities(["k"], STAFF) == []
        reading.close()
        writing.close()

    def test_it_is_taken_by_itself_and_again_when_writers_have_paused(self, tmp_path: Path) -> None:
        store = SqlGraphStore(f"sqlite:///{tmp_path}/graph.db", GraphMemorySettings(settled_s=0.0))
        for name in ("c", "d"):
            store.upsert([document(name, chunk(name, mention("k")))])
            wait_until(lambda: store._held() is not None, "a snapshot")
        assert store.find_entities(["k"], STAFF) == [EntityNode("k", "K", 2, 0)]
        store.close()

    def test_a_state_that_cannot_be_read_is_tried_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = SqlGraphStore(f"sqlite:///{tmp_path}/graph.db", GraphMemorySettings(settled_s=0.0))
        store.upsert([document("d", chunk("c", mention("k")))])
        tried: list[int] = []

        def broken(_: sqlite3.Connection) -> GraphSnapshot:
            tried.append(len(tried))
            raise sqlite3.DatabaseError("database disk image is malformed")

        monkeypatch.setattr("llmflow.adapters.sql_graph_memory.read_snapshot", broken)
        for wanted in (1, 2):
            for _ in range(5):
                assert store.find_entities(["k"], STAFF) == [EntityNode("k", "K", wanted, 0)]
                wait_until(lambda: not (store._memory and store._memory._loader and store._memory._loader.is_alive()), "the try")
            assert len(tried) == len([one for one in caplog.records if "until it changes" in one.message]) == wanted
            store.upsert([document("e", chunk("e", mention("k")))])
        store.close()

    def test_a_graph_that_is_too_large_is_read_from_its_tables(self, tmp_path: Path) -> None:
        for most in (0, 1):
            store = SqlGraphStore(f"sqlite:///{tmp_path}/graph.db", GraphMemorySettings(max_chunks=most))
            store.upsert([document("d", chunk("c", mention("k")), chunk("c2", mention("k")))])
            assert store._memory is not None
            store._memory.load()
            assert store._held() is None and store.find_entities(["k"], STAFF) == [EntityNode("k", "K", 2, 0)]
            store.close()


@pytest.mark.services
class TestPostgresGraph(GraphStoreContract):
    @pytest.fixture
    def fresh(self, postgres_url: str) -> Iterator[Fresh]:
        store = SqlGraphStore(postgres_url)

        def make() -> GraphStore:
            store.close()
            engine = open_engine(postgres_url)
            metadata.drop_all(engine)
            engine.dispose()
            return store

        yield make
        store.close()

    @given(steps=operations)
    @settings(max_examples=15, **RANDOM)
    def test_any_operations_leave_what_the_model_says(
        self, fresh: Fresh, tmp_path_factory: pytest.TempPathFactory, steps: list
    ) -> None:
        beside = SqlGraphStore(f"sqlite:///{tmp_path_factory.mktemp('beside')}/graph.db")
        follow_model([fresh(), beside], steps)
        beside.close()


@pytest.mark.services
@pytest.mark.xdist_group("neo4j")
class TestNeo4jGraph(GraphStoreContract):
    @pytest.fixture(scope="class")
    @classmethod
    def shared_store(cls, neo4j_server) -> Iterator[Neo4jGraphStore]:
        store = Neo4jGraphStore(neo4j_server.uri, neo4j_server.user, neo4j_server.password)
        yield store
        store.close()

    @pytest.fixture(scope="class")
    @classmethod
    def wipe(cls, neo4j_server) -> Iterator[Callable[[], None]]:
        from neo4j import GraphDatabase

        with GraphDatabase.driver(neo4j_server.uri, auth=(neo4j_server.user, neo4j_server.password)) as driver:
            yield lambda: driver.execute_query("MATCH (n) DETACH DELETE n") and None

    @pytest.fixture
    def fresh(self, shared_store: Neo4jGraphStore, wipe: Callable[[], None]) -> Fresh:
        def make() -> GraphStore:
            wipe()
            return shared_store

        return make

    @given(steps=operations)
    @settings(max_examples=15, **RANDOM)
    def test_any_operations_leave_what_the_model_says(
        self, fresh: Fresh, tmp_path_factory: pytest.TempPathFactory, steps: list
    ) -> None:
        beside = SqlGraphStore(f"sqlite:///{tmp_path_factory.mktemp('beside')}/graph.db")
        follow_model([fresh(), beside], steps)
        beside.close()

    def test_keys_of_any_kind_hash_alike_in_sql(self, store: GraphStore, tmp_path: Path) -> None:
        beside = SqlGraphStore(f"sqlite:///{tmp_path}/graph.db")
        for each in (store, beside):
            each.upsert(
                [
                    document(f"d{key}", chunk(f"c{key}", mention(key, 3, 0.1 + 0.2, key)), title=key, topics=(key,))
                    for key in WEIRD
                ]
            )
        assert store.digest() == beside.digest()
        beside.close()

    def test_constraints_are_made_once(self, store: GraphStore, neo4j_server) -> None:
        from neo4j import GraphDatabase

        store.upsert([document("d", chunk("c", mention("k")))])
        again = Neo4jGraphStore(neo4j_server.uri, neo4j_server.user, neo4j_server.password)
        assert again.chunk_ids() == {"c"}
        again.close()
        with GraphDatabase.driver(neo4j_server.uri, auth=(neo4j_server.user, neo4j_server.password)) as driver:
            names = [row["name"] for row in driver.execute_query("SHOW CONSTRAINTS YIELD name").records]
        assert sorted(names) == [f"llmflow_{name}" for name in ("chunk", "document", "entity", "topic", "writer")]

    def test_a_wrong_password_is_refused_and_never_shown(self, neo4j_server, caplog: pytest.LogCaptureFixture) -> None:
        store = Neo4jGraphStore(neo4j_server.uri, neo4j_server.user, "open-sesame", timeout_s=2)
        with caplog.at_level("DEBUG"), pytest.raises(StoreUnavailable, match="does not accept the account") as caught:
            store.chunk_ids()
        assert "open-sesame" not in str(caught.value) + repr(store) + caplog.text
        store.close()

    def test_an_unknown_database_is_refused(self, neo4j_server) -> None:
        store = Neo4jGraphStore(neo4j_server.uri, neo4j_server.user, neo4j_server.password, database="nowhere", timeout_s=2)
        with pytest.raises(StoreUnavailable, match="'nowhere'"):
            store.chunk_ids()
        store.close()


def test_neo4j_that_does_not_answer() -> None:
    store = Neo4jGraphStore("bolt://127.0.0.1:1", "neo4j", "open-sesame", timeout_s=0.1)
    with pytest.raises(StoreUnavailable, match="Check that the server runs"):
        store.chunk_ids()


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:7687", "127.0.0.1:7687", "", "bolt://", "bolt://neo4j:open-sesame@127.0.0.1:7687"]
)
def test_neo4j_addresses_that_are_none(uri: str) -> None:
    store = Neo4jGraphStore(uri, "neo4j", "open-sesame")
    with pytest.raises(SettingsError, match="Neo4j") as caught:
        store.chunk_ids()
    assert "sesame" not in str(caught.value) + repr(store)
