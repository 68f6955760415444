"""The first hits are chosen as a set that completes itself, and nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from llmflow.retrieval.coverage import CoverageSettings, choose_set

WORDS = {"a": {"x", "y"}, "b": {"x", "y"}, "c": {"z"}, "d": {"x"}}
WEIGHTS = {"x": 1.0, "y": 1.0, "z": 1.0}
SCORES = {"a": 1.0, "b": 0.9, "d": 0.8, "c": 0.2}
OWN = {key: key for key in SCORES}


def chosen(ranked=tuple("abdc"), scores=SCORES, documents=OWN, words=WORDS, weights=WEIGHTS, links=None, **settings):
    return choose_set(
        list(ranked), scores, documents, lambda key: words.get(key, ()), weights, links or {}, CoverageSettings(**settings)
    )


@st.composite
def rankings(draw):
    ranked = draw(st.permutations("abcdefgh"))[: draw(st.integers(0, 8))]
    values = sorted(draw(st.lists(st.floats(0, 1), min_size=len(ranked), max_size=len(ranked))), reverse=True)
    words = {key: draw(st.sets(st.sampled_from("uvwxyz"))) for key in ranked}
    links = {
        key: draw(st.dictionaries(st.sampled_from(ranked), st.floats(0, 1), max_size=3)) for key in ranked if draw(st.booleans())
    }
    return ranked, dict(zip(ranked, values, strict=True)), words, links


@given(rankings(), st.integers(0, 10), st.integers(1, 10), st.sampled_from(["one", "own"]))
def test_the_choice_is_a_permutation_that_keeps_the_first_hit(ranking, top, pool, ownership):
    ranked, scores, words, links = ranking
    documents = {key: "one" if ownership == "one" else key for key in ranked}
    first = chosen(ranked, scores, documents, words, dict.fromkeys("uvwxyz", 1.0), links, top=top, pool=pool)
    again = chosen(ranked, scores, documents, words, dict.fromkeys("uvwxyz", 1.0), links, top=top, pool=pool)
    assert sorted(first) == sorted(ranked)
    assert first[:1] == ranked[:1]
    assert first == again


def test_without_links_and_neighbours_the_order_stays():
    assert chosen() == ["a", "b", "d", "c"]


def test_a_linked_passage_that_adds_words_comes_before_one_that_repeats_them():
    assert chosen(links={"c": {"a": 1.0}})[:2] == ["a", "c"]


def test_a_link_from_a_passage_that_was_not_chosen_counts_nothing():
    assert chosen(links={"c": {"elsewhere": 1.0}}) == ["a", "b", "d", "c"]


def test_neighbours_from_a_document_already_chosen_pay():
    documents = {"a": "one", "b": "one", "d": "two", "c": "three"}
    assert chosen(documents=documents, repeated=0.2)[:3] == ["a", "d", "b"]
    assert chosen(documents=documents, repeated=0.0) == ["a", "b", "d", "c"]


def test_ties_keep_their_order():
    assert chosen(scores=dict.fromkeys("abcd", 0.5)) == ["a", "b", "d", "c"]


def test_what_lies_below_the_chosen_places_keeps_its_order():
    assert chosen(links={"c": {"a": 1.0}}, top=2) == ["a", "c", "b", "d"]
    assert chosen(links={"c": {"a": 1.0}}, pool=3) == ["a", "b", "d", "c"]


def test_it_can_be_turned_off_and_nothing_stays_nothing():
    assert chosen(links={"c": {"a": 1.0}}, top=0) == ["a", "b", "d", "c"]
    assert chosen((), {}) == []
    assert chosen(weights={}) == ["a", "b", "d", "c"]
