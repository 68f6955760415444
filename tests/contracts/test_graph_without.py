"""The graph without some passages says what a graph that never held them would say."""

from graph_model import GraphModel
from hypothesis import given, settings
from hypothesis import strategies as st
from test_graph_store import KEYS, READERS, documents

from llmflow.ports import GraphChunk, GraphDocument
from llmflow.retrieval.graph_without import GraphWithout
from llmflow.types import EVERYONE, Mention, Principal


@given(st.lists(documents(), max_size=5), st.data())
@settings(max_examples=80, deadline=None, database=None)
def test_passages_left_out_are_as_if_they_had_never_been_there(written, data):
    whole, part = GraphModel(), GraphModel()
    whole.upsert(written)
    part.upsert(written)
    everything = sorted(whole.chunk_ids())
    left_out = data.draw(st.sets(st.sampled_from(everything))) if everything else set()
    part.delete_chunks(sorted(left_out))
    for reader in READERS:
        without = GraphWithout(whole, left_out)
        found, expected = (graph.find_entities(KEYS, reader) for graph in (without, part))
        assert [(node.key, *node[2:]) for node in found] == [(node.key, *node[2:]) for node in expected]
        for role in (None, "title", "mention"):
            for limit in (0, 1, 9):
                asked = (KEYS[::-1], reader, limit, role)
                assert without.edges_of_entities(*asked) == part.edges_of_entities(*asked)
        assert without.edges_of_chunks(everything, reader) == part.edges_of_chunks(everything, reader)
        assert without.leads_of_chunks(everything, reader, KEYS) == part.leads_of_chunks(everything, reader, KEYS)


def test_a_place_that_becomes_free_is_taken_by_the_next():
    graph = GraphModel()
    chunks = tuple(GraphChunk(name, (Mention("k", "k", "mention", 0, 1.0),)) for name in "abc")
    graph.upsert([GraphDocument("d", "acme", (EVERYONE,), "T", chunks)])
    without = GraphWithout(graph, {"a"})
    assert [edge.chunk_id for edge in without.edges_of_entities(["k"], Principal("acme"), 2)] == ["b", "c"]
    assert [node.mentions for node in without.find_entities(["k"], Principal("acme"))] == [2]
    assert GraphWithout(graph, set("abc")).find_entities(["k"], Principal("acme")) == []
