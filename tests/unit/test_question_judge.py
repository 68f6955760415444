"""The judge of questions worded anew: what becomes of words, what may never differ, what a chat model is asked."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from openai_server import openai_server

from llmflow.adapters.openai_chat import OpenAIChat, OpenAIChatSettings
from llmflow.adapters.sql_answer_cache import SqlAnswerCache
from llmflow.answering.cache import Asked, CacheSettings, KeptForm, SemanticCache
from llmflow.answering.model_judge import ModelJudge
from llmflow.answering.question_forms import form_of
from llmflow.answering.question_judge import FOR, NEVER, Passages, QuestionJudge, Worded, load_judge, refusal, signs
from llmflow.answering.question_words import fates, loaned, skeleton, words_of
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import Answer, Chunk, Citation, Document, DocumentStatus, ElementKind, Hit, Principal
from llmflow.workspace import project_path

ANALYSER = AnalyserSettings()
PROMPT = (project_path() / "conf/base/prompts/same_question.txt").read_text(encoding="utf-8")
KEPT = "VPN 비밀번호를 계속 틀리면 계정이 얼마나 잠기나요?"
ANEW = "VPN 패스워드를 자꾸 틀렸을 때 계정이 얼마 동안 막히나요?"
DOCUMENT = Document("d", "acme", ("*",), "vpn.md", "VPN 안내", "md", DocumentStatus.READY, "v1")
TEXT = "VPN 비밀번호를 5회 틀리면 계정이 30분 동안 잠긴다. 노트북을 잃어버리면 헬프데스크에 신고한다."
HIT = Hit(Chunk("c", "d", 0, TEXT, ElementKind.TEXT, "ko"), DOCUMENT, 1.0)
ANSWER = Answer(
    f"{TEXT[:31]} [1]", True, (Citation(1, "c", "d", "VPN 안내", "vpn.md", None, "", TEXT[:31]),), (), "model", 0.9, "s"
)
ME = Principal("acme", frozenset({"it"}), "me")


def worded(text: str) -> Worded:
    return Worded.of(text, ANALYSER)


def told(one: str, other: str) -> dict[str, set[str]]:
    found = fates(words_of(one, ANALYSER), words_of(other, ANALYSER))
    return {name: {word.form for word in getattr(found, name)} for name in ("same", "reworded", "open")}


def test_words_are_the_same_reworded_or_open():
    assert told(KEPT, ANEW) == {"same": {"vpn", "틀리", "계정"}, "reworded": {"비밀", "계속", "잠기"}, "open": set()}
    assert told("육아휴직 신청", "육아 휴직 신청서")["open"] == set()
    assert told("러닝허브 교육", "LearningHub 교육")["open"] == set()
    assert told("What recovery point objective applies?", "What RPO applies?")["open"] == set()
    assert "보험" in told("출장 보험은 얼마인가요?", "출장 일정은 언제인가요?")["open"]


def test_loan_words_by_their_consonants():
    assert skeleton("월가드") == "lkt" and loaned("월가드", "wallguard") and loaned("랜섬웨어", "ransomware")
    assert not loaned("로비", "slack") and not loaned("관리", "privilege") and not loaned("서버", "서버")


@pytest.mark.parametrize(
    ("kept", "asked", "why"),
    [
        ("반반차는 하루 몇 번 가능한가요?", "반차는 하루 몇 번 가능한가요?", "a doubled word"),
        ("서버실 CCTV 영상은 며칠 보관하나요?", "로비 CCTV 영상은 며칠 보관하나요?", "서버실 is not 로비"),
        ("P2 장애는 3시간 안에 해결하나요?", "P2 장애는 5시간 안에 해결하나요?", "numbers"),
        ("경조금은 언제까지 신청하나요?", "경조금은 언제부터 신청하나요?", "limit"),
        ("카드 월 한도가 얼마인가요?", "카드 1회 한도가 얼마인가요?", "rate"),
        ("카드 한도가 얼마인가요?", "카드 1회 한도가 얼마인가요?", "times"),
        ("육아휴직은 얼마나 쓸 수 있나요?", "작년에 육아휴직은 얼마나 쓸 수 있었나요?", "time"),
        ("조부모상에는 며칠 쉴 수 있나요?", "조부모상에는 얼마를 받을 수 있나요?", "money"),
        ("출장 보고서를 내나요?", "출장 보고서를 안 내나요?", "negation"),
        ("Who approves a trip?", "Is a trip approved?", "what is asked for"),
        ("Who signs before the audit?", "Who signs after the audit?", "direction"),
    ],
)
def test_what_never_is_one(kept: str, asked: str, why: str):
    assert refusal(worded(kept), worded(asked)) == why
    assert refusal(worded(asked), worded(kept))
    assert refusal(worded(kept), worded(kept)) == ""


def test_an_unexplained_word_in_the_place_of_another_is_never_one():
    judge = load_judge()
    anew, other = (
        signs(worded(KEPT), worded(text), ANSWER.citations, Passages((HIT,))) for text in (ANEW, KEPT.replace("계정", "금고"))
    )
    assert judge.probability(anew) >= judge.threshold and not any(anew[name] for name in NEVER)
    assert other["swapped"] == 1 and judge.probability(other) == 0.0


def test_no_difference_speaks_for_and_every_weight_is_of_a_sign():
    judge, found = load_judge(), signs(worded(KEPT), worded(KEPT), ANSWER.citations, Passages((HIT,)))
    assert set(judge.weights) == set(found) - set(NEVER)
    assert all(weight >= 0 if name in FOR else weight <= 0 for name, weight in judge.weights.items())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlAnswerCache]:
    opened = SqlAnswerCache(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


def asked(question: str, *hits: Hit) -> Asked:
    return Asked(question, ME, hits or (HIT,), "ko", "making")


def test_the_surest_kept_question_is_given(store: SqlAnswerCache):
    cache = SemanticCache(store, CacheSettings(), ANALYSER)
    cache.keep(asked("노트북을 잃어버리면 어디에 신고하나요?"), replace(ANSWER, text="헬프데스크 [1]"))
    cache.keep(asked(KEPT), ANSWER)
    given = cache.find(asked(ANEW))
    assert given is not None and given.text == ANSWER.text and given.cached
    moved = replace(HIT, document=replace(DOCUMENT, version="v2"))
    assert cache.find(asked(ANEW, moved)) is None
    assert cache.find(replace(asked(ANEW), making="another model")) is None
    strict = SemanticCache(store, CacheSettings(judged=False), ANALYSER)
    assert strict.find(asked(ANEW)) is None and strict.find(asked(KEPT)) is not None


def test_an_answer_kept_by_an_earlier_version_is_only_given_to_the_same_form(store: SqlAnswerCache):
    form = form_of(KEPT, ANALYSER)
    assert KeptForm.load(form.dump()) == KeptForm(form) and KeptForm.load(KeptForm(form, ("c",)).dump()).cited == ("c",)


def test_the_chat_model_decides_where_it_is_asked(store: SqlAnswerCache):
    replies = [json.dumps({"same": True}), json.dumps({"same": False}), "Yes, of course.", 503]
    settings = CacheSettings(ask_model=True)
    unsure = QuestionJudge(0.0, {}, 0.9)  # .5: the judge alone would not give it
    with openai_server(lambda body: replies.pop(0)) as (url, bodies):
        model = OpenAIChat(OpenAIChatSettings(base_url=url, model="judge", retries=0), "key")
        cache = SemanticCache(store, settings, ANALYSER, judge=unsure, second=ModelJudge(model, PROMPT))
        cache.keep(asked(KEPT), ANSWER)
        assert [cache.find(asked(f"{ANEW} {{answer}}")) is not None for _ in range(4)] == [True, False, False, False]
        assert cache.find(asked(KEPT)) is not None and len(bodies) == 4  # the same words ask nobody
    shown = bodies[0]["messages"][-1]["content"]
    assert all(part in shown for part in (KEPT, ANEW, ANSWER.text, TEXT)) and "{answer}" in shown
    assert bodies[0]["response_format"]["json_schema"]["schema"]["properties"]["same"]["type"] == "boolean"
    assert SemanticCache(store, settings, ANALYSER, judge=unsure).find(asked(ANEW)) is None
