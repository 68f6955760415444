"""The graph of chosen passages says what a graph that holds nothing else would say."""

from graph_model import GraphModel
from hypothesis import given, settings
from hypothesis import strategies as st
from test_graph_store import KEYS, READERS, documents

from llmflow.retrieval.graph_within import GraphWithin


@given(st.lists(documents(), max_size=5), st.sets(st.sampled_from([f"{t}/{n}" for t in ("acme", "rival") for n in range(3)])))
@settings(max_examples=80, deadline=None, database=None)
def test_chosen_documents_are_a_graph_of_their_own(written, chosen):
    whole, part = GraphModel(), GraphModel()
    whole.upsert(written)
    part.upsert([document for document in written if document.document_id in chosen])
    among = sorted(part.chunk_ids())
    for reader in READERS:
        within = GraphWithin(whole, among)
        found, expected = (graph.find_entities(KEYS, reader) for graph in (within, part))
        assert [(node.key, *node[2:]) for node in found] == [(node.key, *node[2:]) for node in expected]
        for role in (None, "title", "mention"):
            for limit in (0, 2, 9):
                asked = (KEYS[::-1], reader, limit, role)
                assert within.edges_of_entities(*asked) == part.edges_of_entities(*asked)
        everything = sorted(whole.chunk_ids())
        assert within.edges_of_chunks(everything, reader) == part.edges_of_chunks(everything, reader)
