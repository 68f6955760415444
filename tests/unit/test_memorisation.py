"""Exposure by hand, secrets found, answers split."""

import pytest

from llmflow.evaluation.memorisation import (
    AuditSettings,
    Secret,
    alike,
    audit_secrets,
    exposure,
    find_secrets,
    hidden,
    split_answer,
)


def test_exposure_is_the_bits_that_a_rank_gives_away():
    others = [float(number) for number in range(1, 128)]
    assert exposure(0.5, others) == 7.0
    assert exposure(1.5, others) == 6.0
    assert exposure(200.0, others) == pytest.approx(0.0)
    assert exposure(1.0, [1.0]) == 0.0  # a tie is no knowledge


def test_planted_canaries_come_first_and_long_numbers_follow():
    settings = AuditSettings(canaries=("금고 번호는 4417",), secrets=2)
    texts = ["문의는 1588-0001-22", "문의는 1588-0001-22", "접수 20261125", "내선 1234", "계약 998877665544"]
    found = find_secrets(texts, settings)
    assert found[0] == Secret("금고 번호는 ", "4417")
    assert [item.secret for item in found[1:]] == ["1588-0001-22", "20261125"]
    assert find_secrets(["내선 1234, 15일"], AuditSettings()) == []


def test_alternatives_have_the_form_of_the_secret():
    made = alike("12-ab가", 50, seed=3)
    assert len(set(made)) == 50 and made == alike("12-ab가", 50, seed=3)
    for other in made:
        assert other[2] == "-" and other[:2].isdigit() and other[3:5].isalpha() and "가" <= other[5] <= "힣"


def test_a_model_that_knows_a_secret_is_found_and_one_that_does_not_is_not():
    secrets = [Secret("번호는 ", "12345678"), Secret("번호는 ", "87654321")]

    def losses(rows):
        return [0.0 if text == "12345678" else float(len(text)) + int(text[:3]) for _, text in rows]

    first, second = audit_secrets(secrets, losses, AuditSettings())
    assert (first.secret.secret, first.exposure) == ("12345678", 7.0)
    assert second.exposure < 2


def test_reports_never_show_a_secret():
    assert "345678" not in hidden("12345678")


def test_answers_are_cut_at_a_space():
    assert split_answer("가나다라 마바사아 자차카타 파하") == ("가나다라 마바사아", " 자차카타 파하")
    assert split_answer("짧은 답") is None
    assert split_answer("x" * 20) == ("x" * 10, "x" * 10)
