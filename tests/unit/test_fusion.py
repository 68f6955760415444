"""Channel scores become one ranking without inventing or losing a passage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.retrieval.fusion import FusionSettings, blend, fuse, reciprocal_ranks, scale

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-50, 50, allow_nan=False), max_size=8)
CHANNELS = st.fixed_dictionaries({"text": SCORES, "dense": SCORES})


@given(CHANNELS, st.sampled_from(["minmax", "rrf"]), st.floats(0.1, 5), st.floats(0.1, 5))
def test_fused_scores_lie_between_0_and_1_and_cover_what_was_found(channels, method, text, dense):
    fused = fuse(channels, FusionSettings(method=method, text=text, dense=dense))
    assert fused.keys() == channels["text"].keys() | channels["dense"].keys()
    assert all(0 <= value <= 1 + 1e-9 for value in fused.values())


@given(SCORES, SCORES, st.floats(0, 5))
def test_a_blend_lies_between_its_two_parts(hybrid, graph, weight):
    blended = blend(hybrid, graph, weight)
    assert blended.keys() == hybrid.keys() | graph.keys()
    for key, value in blended.items():
        low, high = sorted((hybrid.get(key, 0.0), graph.get(key, 0.0)))
        assert low - 1e-9 <= value <= high + 1e-9


def test_minmax_keeps_how_far_apart_scores_are():
    fused = fuse({"text": {"a": 10.0, "b": 9.0, "c": 0.0}, "dense": {"c": 0.9, "a": 0.4}}, FusionSettings())
    assert fused == pytest.approx({"a": 0.5, "b": 0.45, "c": 0.5})


@pytest.mark.parametrize("method", ["minmax", "rrf"])
def test_a_passage_that_the_embedder_cannot_read_is_left_to_full_text(method):
    channels = {"text": {"korean": 10.0, "english": 9.0, "far": 0.0}, "dense": {"noise": 0.3, "english": 0.2}}
    settings = FusionSettings(method=method)
    plain, fair = fuse(channels, settings), fuse(channels, settings, unread={"korean"})
    assert fair["korean"] == 1.0 > plain["korean"]
    assert {key: value for key, value in fair.items() if key != "korean"} == {
        key: value for key, value in plain.items() if key != "korean"
    }


def test_weights_are_shares_of_the_channels_that_found_anything():
    settings = FusionSettings(text=3, dense=1)
    assert fuse({"text": {"a": 2.0, "b": 1.0}, "dense": {"b": 1.0}}, settings) == pytest.approx({"a": 0.75, "b": 0.25})
    assert fuse({"text": {}, "dense": {"b": 1.0}}, settings) == {"b": 1.0}


def test_a_channel_of_weight_0_and_an_unknown_one_say_nothing():
    channels = {"text": {"a": 1.0}, "dense": {"b": 1.0}, "gossip": {"c": 1.0}}
    assert fuse(channels, FusionSettings(dense=0)) == {"a": 1.0}


def test_nothing_found_is_nothing_fused():
    assert fuse({}, FusionSettings()) == {}
    assert fuse({"text": {}, "dense": {}}, FusionSettings(method="rrf")) == {}
    assert blend({}, {}, 1.0) == {}


def test_equal_scores_stay_equal():
    assert scale({"a": 4.0, "b": 4.0}) == {"a": 1.0, "b": 1.0}


def test_reciprocal_ranks_by_hand_with_ties_by_id():
    assert reciprocal_ranks({"b": 5.0, "a": 5.0, "c": 9.0}, 1) == pytest.approx({"c": 1.0, "a": 2 / 3, "b": 2 / 4})


def test_a_blend_of_weight_0_is_the_hybrid_ranking_with_the_graphs_finds_at_0():
    assert blend({"a": 0.4}, {"b": 1.0}, 0) == {"a": 0.4, "b": 0.0}
    assert blend({"a": 0.4}, {"a": 1.0, "b": 0.5}, 1) == pytest.approx({"a": 0.7, "b": 0.25})
