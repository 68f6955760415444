"""Follow-up questions made to stand alone, and stand-alone questions left as they are."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.answering.followups import FollowUpSettings, by_rule, guard, stand_alone
from llmflow.errors import ModelUnavailable
from llmflow.ports import ChatRequest
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import ChatTurn

ANALYSER = AnalyserSettings()
QUESTIONS = [
    json.loads(line)["text"]
    for line in (Path(__file__).parents[2] / "data/sample/questions.jsonl").read_text(encoding="utf-8").splitlines()
]


def said(*texts: str) -> list[ChatTurn]:
    return [ChatTurn("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("history", "question", "expected"),
    [
        (["인사팀 내선은?", "4110"], "재무팀은요?", "재무팀 내선은?"),
        (["팀장 법인카드의 월 한도가 얼마인가요?", "300만"], "그럼 본부장은요?", "본부장 법인카드의 월 한도가 얼마인가요?"),
        (["P1 장애는 몇 시간 안에 복구하나요?", "2"], "P2는요?", "P2 장애는 몇 시간 안에 복구하나요?"),
        (
            ["휴가는 어느 시스템에서 신청하나요?", "휴가는 HR-ONE에서 신청한다."],
            "그 시스템은 누가 운영해요?",
            "HR-ONE 시스템은 누가 운영해요?",
        ),
        (["구내식당은 어디에 있나요?", "지하 1층"], "거기 점심은 몇 시에 열어요?", "구내식당 점심은 몇 시에 열어요?"),
        (["육아휴직은 최대 몇 개월인가요?", "18"], "언제까지 신청해야 하나요?", "육아휴직 언제까지 신청해야 하나요?"),
        (["본인이 결혼하면 휴가를 며칠 주나요?", "5"], "배우자가 출산하면요?", "배우자가 출산하면 휴가를 며칠 주나요?"),
        (["What is the first response time for SEV1?", "10"], "What about SEV2?", "What is the first response time for SEV2?"),
        (["How many people work in the Busan office?", "62"], "And in Munich?", "How many people work in the Munich office?"),
        (["How often are privileged accounts reviewed?", "m"], "And the shared ones?", "How often are shared accounts reviewed?"),
        (["How often is a restore test carried out?", "q"], "What happens if it fails?", "What happens if restore test fails?"),
        (
            ["How many days of remote work are allowed a week?", "2"],
            "What about part-time staff?",
            "How many days of remote work are allowed a week for part-time staff?",
        ),
    ],
)
def test_a_follow_up_is_completed(history: list[str], question: str, expected: str):
    found = stand_alone(question, said(*history), FollowUpSettings(), ANALYSER)
    assert (found.text, found.way) == (expected, "rule")


def test_follow_ups_among_the_turns_are_resolved_on_the_way():
    history = said("인사팀 내선은?", "4110", "재무팀은요?", "4210")
    assert by_rule("거기 자리는 어디예요?", history, ANALYSER).startswith("재무팀 자리는")


def test_without_turns_nothing_is_a_follow_up():
    assert not stand_alone("그건 언제까지야?", (), FollowUpSettings(), ANALYSER).changed
    assert not stand_alone("그건 언제까지야?", said("휴가는?", "3일"), FollowUpSettings(enabled=False), ANALYSER).changed


@given(question=st.sampled_from(QUESTIONS), before=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3))
@settings(max_examples=120, deadline=None)
def test_a_question_that_stands_alone_is_left_alone(question: str, before: list[str]):
    history = said(*(text for earlier in before for text in (earlier, "답변입니다.")))
    found = stand_alone(question, history, FollowUpSettings(), ANALYSER)
    assert (found.text, found.changed) == (question, False)


@given(question=st.text(max_size=60), before=st.text(max_size=60), answer=st.text(max_size=60))
@settings(max_examples=120, deadline=None)
def test_any_text_is_rewritten_without_an_error(question: str, before: str, answer: str):
    assert isinstance(by_rule(question, said(before, answer), ANALYSER), str)


@pytest.mark.parametrize(
    "text",
    [
        "It is possible to work from home?",
        "Is it possible to carry days over?",
        "How long does it take to recover VaultBox?",
        "Is there a canteen in Busan?",
    ],
)
def test_an_empty_subject_points_to_nothing(text: str):
    assert by_rule(text, said("What is the limit of the corporate card?", "300"), ANALYSER) == text


class Saying:
    name = "fixed"

    def __init__(self, reply: str | Exception):
        self.reply, self.asked = reply, list[ChatRequest]()

    def stream(self, request: ChatRequest) -> Iterator[str]:
        self.asked.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        yield self.reply


def by_model(reply: str | Exception, question: str = "재무팀은요?") -> tuple[str, str, int]:
    model = Saying(reply)
    prompt = "{conversation}\n{question}"
    found = stand_alone(question, said("인사팀 내선은?", "내선 4110"), FollowUpSettings(), ANALYSER, model, prompt)
    return found.text, found.way, len(model.asked)


def test_a_model_rewrites_what_may_be_a_follow_up():
    assert by_model('{"depends": true, "question": "재무팀의 내선은?"}') == ("재무팀의 내선은?", "model", 1)
    assert by_model('{"depends": false, "question": "재무팀은요?"}') == ("재무팀은요?", "as asked", 1)
    alone = "해외에서 VPN을 쓰려면 며칠 전에 등록해야 해요?"
    assert by_model('{"depends": true, "question": "?"}', alone) == (alone, "as asked", 0)


@pytest.mark.parametrize(
    "reply",
    [
        '{"depends": true, "question": "구매팀 내선은?"}',
        '{"depends": true, "question": "재무팀 내선 4999는?"}',
        '{"depends": true, "question": "What is the extension of the finance team?"}',
        '{"depends": true, "question": ""}',
        '{"depends": true, "question": "재무팀\\n내선은?"}',
        "재무팀 내선은?",
        '{"depends": true, "question": "재무팀 내선은?", "answer": "4210"}',
        ModelUnavailable("away"),
    ],
)
def test_a_rewrite_that_cannot_be_trusted_is_dropped(reply: str | Exception):
    assert by_model(reply)[:2] == ("재무팀 내선은?", "rule")


def test_the_guard_says_why():
    history = said("What is the response time for SEV1?", "10 minutes")
    assert guard("What is the response time for SEV2?", "And SEV2?", history, ANALYSER) == ""
    assert "SEV3".lower() in guard("What is the response time for SEV3?", "And SEV2?", history, ANALYSER)
    assert "lost" in guard("What is the response time?", "And SEV2?", history, ANALYSER)
