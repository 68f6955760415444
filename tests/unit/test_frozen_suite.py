"""The frozen suite: what stands in it, and how it is scored."""

import pytest
from running import ROOT

from llmflow.errors import DatasetError
from llmflow.evaluation.frozen_suite import load_suite, score_suite

SUITE = ROOT / "data" / "sample" / "frozen_suite.jsonl"


def test_our_own_suite_is_balanced_and_frozen():
    suite = load_suite(SUITE)
    assert len(suite.choices) == 24 and len(suite.texts) == 16
    assert {item.language for item in (*suite.choices, *suite.texts)} == {"ko", "en"}
    assert [sum(item.answer == place for item in suite.choices) for place in range(4)] == [6, 6, 6, 6]
    assert all(len(set(item.choices)) == 4 for item in suite.choices)
    assert suite.digest == "c1c287faba06", "scores of another suite cannot be compared: give a changed suite a new name"


def test_the_likeliest_choice_a_character_wins_and_a_tie_is_wrong(tmp_path):
    path = tmp_path / "suite.jsonl"
    path.write_text(
        '{"id": "1", "kind": "choice", "language": "en", "prompt": "p", "choices": ["aaaa", "bb"], "answer": 0}\n'
        '{"id": "2", "kind": "choice", "language": "en", "prompt": "p", "choices": ["cc", "dd"], "answer": 1}\n'
        '{"id": "3", "kind": "text", "language": "en", "text": "abc"}\n'
    )
    sums = {"aaaa": 4.0, "bb": 3.0, "cc": 2.0, "dd": 2.0, "abc": 6.0}
    scores = score_suite(load_suite(path), lambda rows: [(sums[text], len(text)) for _, text in rows])
    assert scores.right == (1.0, 0.0) and scores.loss == (2.0,)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "1", "kind": "choice", "language": "en", "prompt": "p", "choices": ["a"], "answer": 1}', "suite.jsonl:1"),
        ("nonsense", "suite.jsonl:1"),
        ("", "holds no item|suite.jsonl:1"),
    ],
)
def test_a_malformed_suite_names_file_and_line(tmp_path, line, message):
    path = tmp_path / "suite.jsonl"
    path.write_text(line)
    with pytest.raises(DatasetError, match=message):
        load_suite(path)
    with pytest.raises(DatasetError, match="cannot be read"):
        load_suite(tmp_path / "none.jsonl")
