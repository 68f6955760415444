"""Names found in documents and in questions meet under one key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.retrieval.entities import (
    EntitySettings,
    entity_key,
    find_mentions,
    question_candidates,
    record_names,
    title_names,
)
from llmflow.retrieval.tokens import AnalyserSettings, morphemes

SETTINGS = EntitySettings()


def mentions(text: str, titles=(), records=False, settings=SETTINGS):
    found = morphemes([text], AnalyserSettings())[0]
    return find_mentions(text, found, titles, settings, records)


def keys(text: str, role: str = "mention", **more) -> set[str]:
    return {mention.key for mention in mentions(text, **more) if mention.role == role}


def asked(question: str) -> dict[str, float]:
    found = morphemes([question], AnalyserSettings())[0]
    return {candidate.key: candidate.specific for candidate in question_candidates(question, found, SETTINGS)}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("The Café (film)", "cafe film"),
        ("법인 카드", "법인카드"),
        ("정보-보호 팀", "정보보호팀"),
        ("HR-ONE", "hr one"),
        ("the", "the"),
        ("—", ""),
    ],
)
def test_keys_by_hand(name, key):
    assert entity_key(name) == key


@given(st.text(alphabet="abXYZ가나 -_.()'é", max_size=80))
def test_case_does_not_change_a_key(name):
    assert len(entity_key(name)) <= 200
    assert entity_key(name.lower()) == entity_key(name)


def test_a_title_names_itself_without_numbering_brackets_and_extension():
    assert title_names("제4조 신청과 승인") == ["신청과 승인"]
    assert title_names("카드메이트 (CardMate)") == ["카드메이트 (CardMate)", "카드메이트", "CardMate"]
    assert title_names("plan.docx") == ["plan"]
    assert title_names("x") == []


def test_the_nearest_heading_titles_most():
    found = {m.name: m.confidence for m in mentions("본문", titles=["사내 안내서", "카드메이트"]) if m.role == "title"}
    assert found == {"카드메이트": 1.0, "사내 안내서": 0.8}


def test_capitalised_runs_and_their_parts_are_names():
    found = keys("He met the Governor of New York, and later visited Boston.")
    assert {"governor of new york", "governor", "new york", "boston"} <= found
    assert "he" not in found


def test_a_sentences_first_word_is_no_name_of_its_own():
    assert "payment" not in keys("Payment is late. The payment is due.")


def test_korean_compounds_and_written_words_are_names():
    found = keys("운영 부서는 정보보호팀이다. 법인 카드를 쓴다.")
    assert {"정보보호팀", "법인카드"} <= found


def test_a_short_name_that_kiwi_does_not_know_is_kept_with_less_confidence():
    found = {mention.key: mention.confidence for mention in mentions("청람으로 보내는 원장")}
    assert 0 < found["청람"] < 1


def test_masked_text_is_no_name():
    assert not {key for key in keys("담당 [NAME] 님, 연락처 [PHONE]") if "name" in key or "phone" in key}


def test_records_are_titled_by_their_first_value_and_their_names():
    text = "번호: SYS-03\n시스템명: 카드메이트\n등급: 2등급\n\n번호: SYS-04\n시스템명: 바이웨이"
    assert [name for name, _ in record_names(text)] == ["SYS-03", "카드메이트", "SYS-04", "바이웨이"]
    assert all(text[place:].startswith(name) for name, place in record_names(text))
    assert {"카드메이트", "바이웨이", "sys 04"} <= keys(text, role="title", records=True)
    assert keys(text, role="title") == set()


def test_numbers_and_masked_values_title_no_record():
    assert keys("번호: 1234\n이름: [NAME]", role="title", records=True) == set()


def test_titles_come_first_and_only_so_many_are_kept():
    found = mentions("Alpha One, Beta Two, Gamma Three, Delta Four", titles=["Omega"], settings=EntitySettings(max_mentions=3))
    assert len(found) == 3
    assert (found[0].key, found[0].role) == ("omega", "title")
    assert [m.position for m in found] == sorted(m.position for m in found)


def test_a_key_is_mentioned_once_at_its_first_place():
    found = [m for m in mentions("In Boston it rains. Many like Boston.") if m.key == "boston"]
    assert [m.position for m in found] == [3]


def test_no_text_mentions_nothing():
    assert mentions("") == ()
    assert asked("") == {}


def test_questions_need_no_capitals_and_single_common_words_say_less():
    found = asked("who directed the lion king")
    assert found["lion king"] == 1.0
    assert 0 < found["king"] < 1
    assert "who" not in found and "the" not in found


def test_questions_and_documents_meet_across_spacing():
    assert "법인카드" in asked("법인 카드 한도는?")
    assert "법인카드" in keys("법인카드를 쓴다")


def test_longest_names_come_first():
    found = list(asked("정보 보호 팀 연락처"))
    assert [len(key) for key in found[:2]] == sorted((len(key) for key in found[:2]), reverse=True)
    assert found[0] == "정보보호팀연락처"


def test_finding_is_deterministic():
    text = "누리물산 정보화파트는 DockFlow와 누리온을 운영한다. Slack 채널은 #it."
    assert mentions(text, titles=["안내"]) == mentions(text, titles=["안내"])
