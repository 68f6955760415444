"""Scores of generated texts, by hand."""

import pytest

from llmflow.evaluation.text_scores import answer_tokens, chrf, exact_match, format_valid, rouge_l, score_texts, token_f1


def test_tokens_are_syllables_and_words():
    assert answer_tokens("연차는 15일, VPN!") == ["연", "차", "는", "15", "일", "vpn"]


def test_exact_match_looks_past_spaces_punctuation_and_case():
    assert exact_match("십오일 입니다.", "십오일입니다") == 1.0
    assert exact_match("VPN  Guide", "vpn guide") == 1.0
    assert exact_match("십사일입니다", "십오일입니다") == 0.0


def test_token_f1_by_hand():
    # 4 of 5 syllables are shared, and the reference has 8: 2 * 4 / (5 + 8)
    assert token_f1("연차 십오일", "연차는 십사일입니다") == pytest.approx(2 * 4 / (5 + 9))
    assert (token_f1("", ""), token_f1("", "가"), token_f1("가", "")) == (1.0, 0.0, 0.0)


def test_rouge_l_follows_order():
    assert rouge_l("a b c", "a b c") == 1.0
    assert rouge_l("c b a", "a b c") == pytest.approx(1 / 3)
    assert rouge_l("가 나 다", "가 라 다") == pytest.approx(2 / 3)
    assert (rouge_l("", ""), rouge_l("a", "")) == (1.0, 0.0)


def test_rouge_l_agrees_with_all_subsequences():
    from itertools import combinations

    def longest(one, other):
        lengths = range(len(one), 0, -1)
        return next((n for n in lengths if set(combinations(one, n)) & set(combinations(other, n))), 0)

    for one, other in (("abcbdab", "bdcaba"), ("aaa", "aa"), ("abc", "xyz")):
        expected = 2 * longest(one, other) / (len(one) + len(other))
        assert rouge_l(" ".join(one), " ".join(other)) == pytest.approx(expected)


def test_chrf_prefers_the_right_stem_with_another_ending():
    assert chrf("보안팀입니다", "보안팀입니다") == pytest.approx(1.0)
    assert chrf("보안팀이에요", "보안팀입니다") > chrf("총무부서라고", "보안팀입니다")


@pytest.mark.parametrize(
    ("prediction", "reference", "ended", "valid"),
    [
        ("보안팀입니다.", "보안팀", True, 1.0),
        ("보안팀입니다.", "보안팀", False, 0.0),
        ("  ", "보안팀", True, 0.0),
        ("네<|im_end|>", "네", True, 0.0),
        ("하하하하 하하하하 하하하하 하하하하 하하하하 하하하하", "네", True, 0.0),
        ('{"team": "a"}', '{"team": "b"}', True, 1.0),
        ('{"group": "a"}', '{"team": "b"}', True, 0.0),
        ("team a", '{"team": "b"}', True, 0.0),
        ("[1]", "[1, 2]", True, 1.0),
    ],
)
def test_format(prediction, reference, ended, valid):
    assert format_valid(prediction, reference, ended) == valid


def test_every_pair_has_every_score_in_order():
    scores = score_texts(["가", "나"], ["가", "다"], [True, True])
    assert scores.exact_match == (1.0, 0.0) and scores.means()["exact_match"] == 0.5
    assert score_texts([], [], []).means() == {}
