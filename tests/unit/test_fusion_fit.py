"""The learned fusion: features by hand, weights that find what tells relevant passages, folds that never mix."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llmflow.errors import DatasetError
from llmflow.evaluation.fusion_fit import FusionExample, FusionFitSettings, fit_weights, split_folds
from llmflow.retrieval.fusion import FEATURES, FusionSettings, LearnedWeights, blend, combine, features, fuse

ZERO = dict.fromkeys(FEATURES, 0.0)
SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-50, 50, allow_nan=False), max_size=8)
WEIGHTS = st.fixed_dictionaries({name: st.floats(-5, 5) for name in FEATURES})


def learned(**weights: float) -> FusionSettings:
    return FusionSettings(method="learned", learned=LearnedWeights(**{**ZERO, **weights}))


def test_features_by_hand():
    channels = {"text": {"a": 9.0, "b": 5.0, "c": 1.0}, "dense": {"b": 0.8}}
    rows = features(channels, {"d": 0.5, "b": 1.0}, 0.5)
    assert dict(zip(FEATURES, rows["b"], strict=True)) == pytest.approx(
        {"text": 0.5, "dense": 1.0, "graph": 0.5, "text_rank": 6 / 7, "dense_rank": 1.0, "graph_rank": 1.0, "both": 1.0}
    )
    assert rows["a"] == pytest.approx((1.0, 0, 0, 1.0, 0, 0, 0))
    assert rows["d"] == pytest.approx((0, 0, 0, 0, 0, 6 / 7, 0))
    assert features({}, {}, 1.0) == {}


@given(st.fixed_dictionaries({"text": SCORES, "dense": SCORES}), SCORES, st.floats(0, 1), WEIGHTS)
def test_scores_lie_between_0_and_1_and_cover_what_was_found(channels, graph, strength, weights):
    settings = learned(**weights)
    scores = combine(channels, fuse(channels, settings), graph, strength, settings)
    assert scores.keys() == channels["text"].keys() | channels["dense"].keys() | graph.keys()
    assert all(0 <= value <= 1 for value in scores.values())


def test_a_single_weight_ranks_as_its_channel():
    channels = {"text": {"a": 9.0, "b": 5.0, "c": 1.0}, "dense": {"c": 0.8, "a": 0.1}}
    assert combine(channels, {}, {}, 0.0, learned(text=2.0)) == pytest.approx({"a": 1.0, "b": 0.5, "c": 0.0})
    by_dense = combine(channels, {}, {}, 0.0, learned(dense=1.0))
    assert max(by_dense, key=lambda key: by_dense[key]) == "c"


def test_other_methods_blend_as_before():
    hybrid, graph = {"a": 0.4, "b": 0.2}, {"b": 1.0}
    assert combine({}, hybrid, graph, 0.5, FusionSettings(graph=2.0)) == blend(hybrid, graph, 1.0)
    assert combine({}, hybrid, {}, 0.0, FusionSettings()) == hybrid


def test_the_graph_starts_from_minmax_whatever_was_learned():
    channels = {"text": {"a": 9.0, "b": 5.0, "c": 1.0}, "dense": {"b": 0.8}}
    assert fuse(channels, learned(text=-3.0)) == fuse(channels, FusionSettings())


def test_learned_without_weights_names_the_command():
    with pytest.raises(ValidationError, match="llmflow retrieval fit-fusion"):
        FusionSettings(method="learned")


def example(number: int, telling: int, noise: random.Random) -> FusionExample:
    """Ten passages of which two are relevant, and only one feature knows which."""
    rows = {}
    for place in range(10):
        row = [noise.random() for _ in FEATURES]
        row[telling] = (place < 2) * 0.6 + 0.4 * noise.random()
        rows[f"{number}/{place}"] = tuple(row)
    return FusionExample(f"q{number}", rows, frozenset({f"{number}/0", f"{number}/1", "never found"}))


@pytest.mark.parametrize("telling", range(len(FEATURES)))
def test_the_feature_that_tells_gets_the_weight(telling: int):
    noise = random.Random(telling)
    weights = fit_weights([example(number, telling, noise) for number in range(30)], FusionFitSettings())
    values = weights.model_dump()
    assert max(values, key=lambda name: values[name]) == FEATURES[telling]
    others = [abs(value) for name, value in values.items() if name != FEATURES[telling]]
    assert values[FEATURES[telling]] > 2 * max(others)


def test_a_fit_is_the_same_twice_and_ignores_questions_that_teach_nothing():
    examples = [example(number, 1, random.Random(number)) for number in range(12)]
    silent = [FusionExample("found nothing", examples[0].rows, frozenset()), FusionExample("nothing", {}, frozenset({"x"}))]
    assert fit_weights(examples, FusionFitSettings()) == fit_weights([*examples, *silent], FusionFitSettings())


def test_no_question_that_teaches_is_refused():
    with pytest.raises(DatasetError, match="judged set that fits"):
        fit_weights([FusionExample("q", {"a": (0.0,) * len(FEATURES)}, frozenset())], FusionFitSettings())


@given(st.sets(st.text(min_size=1), min_size=5, max_size=40), st.integers(0, 9))
def test_folds_hold_every_question_once(ids, seed):
    folds = split_folds(sorted(ids), FusionFitSettings(seed=seed))
    assert sorted(name for fold in folds for name in fold) == sorted(ids)
    assert max(map(len, folds)) - min(map(len, folds)) <= 1
    assert folds == split_folds(sorted(ids, reverse=True), FusionFitSettings(seed=seed))


def test_fewer_questions_than_folds_are_refused():
    with pytest.raises(DatasetError, match="4 questions cannot make 5 folds"):
        split_folds(["a", "b", "c", "d"], FusionFitSettings())
