"""Questions by a language model over real HTTP: what it is shown, which replies count, which do not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from judged_corpus import SETTINGS, served, served_document
from openai_server import openai_server

from llmflow.adapters.openai_chat import OpenAIChat, OpenAIChatSettings
from llmflow.errors import ModelUnavailable, SettingsError
from llmflow.evaluation.question_generation import GenerationSettings
from llmflow.evaluation.question_generation_model import SCHEMA, find_quote, generate_with_model
from llmflow.ingestion.masking import Masker, MaskingSettings
from llmflow.types import ElementKind
from llmflow.workspace import project_path

PROMPTS = {name: (project_path() / f"conf/base/prompts/question_{name}.txt").read_text(encoding="utf-8") for name in ("ko", "en")}
LONG = (
    "구름창고는 자료를 오래 두는 곳이다. 자료는 다섯 해가 지나면 지우며, 지우기 한 달 전에 주인에게 편지로 알린다. "
    "주인이 답하지 않으면 한 번 더 묻는다. 문의는 010-2345-6789 로 한다."
)
HARBOUR = (
    "The harbour office opens at seven in the morning. Boats that arrive before that wait at the outer pier, where water and "
    "electricity are free for the first two hours."
)
DOCUMENTS = (
    served_document("cloud.md", "구름창고", ("it",), "보존", ElementKind.TEXT, LONG),
    served_document("harbour.md", "Harbour", ("*",), "Arrival", ElementKind.TEXT, HARBOUR),
    *served(),
)
MASKER = Masker(MaskingSettings())


def generate(reply: Callable[[dict[str, Any]], str | int], limit: int = 10, documents=DOCUMENTS):
    with openai_server(reply) as (url, bodies):
        model = OpenAIChat(OpenAIChatSettings(base_url=url, model="writer-7b", retries=0), "key")
        found = generate_with_model(
            lambda: iter(documents), model, PROMPTS, GenerationSettings(limit=limit), SETTINGS.analyser,
            lambda text: MASKER.mask(text).text, "2026-11-25",
        )  # fmt: skip
    return found, bodies


def asked(*rows: tuple[str, str, str]) -> str:
    return json.dumps({"questions": [dict(zip(("question", "answer", "quote"), row, strict=True)) for row in rows]})


def test_questions_with_a_quote_of_the_passage_count():
    def reply(body: dict[str, Any]) -> str:
        shown = body["messages"][1]["content"]
        if "구름창고는" in shown:
            return asked(
                ("보관 기한이 지난 데이터는 언제 없애나요?", "다섯 해 뒤", "자료는 다섯 해가   지나면 지우며"),
                ("지우기 전에 어떻게 알려 주나요?", "편지", "주인에게 전화로 알린다"),
            )
        if "harbour office" in shown:
            return asked(("When can a skipper first talk to the staff?", "seven in the morning", "opens at seven in the morning"))
        return asked()

    found, bodies = generate(reply)
    questions = {question.text: question for question in found.questions}
    assert set(questions) == {"보관 기한이 지난 데이터는 언제 없애나요?", "When can a skipper first talk to the staff?"}
    assert dict(found.dropped) == {"quote not in the passage": 1}
    korean = questions["보관 기한이 지난 데이터는 언제 없애나요?"]
    assert [(item.source, item.quote) for item in korean.evidence] == [("cloud.md", "자료는 다섯 해가 지나면 지우며")]
    assert (korean.principal.tenant, set(korean.principal.groups), korean.language) == ("acme", {"it"}, "ko")
    assert (korean.origin.generator, korean.origin.model, korean.standing) == ("model", "writer-7b", "generated")
    assert all(body["response_format"]["json_schema"]["schema"] == SCHEMA for body in bodies)
    by_shown = {body["messages"][1]["content"].split("\n")[0]: body["messages"][0]["content"] for body in bodies}
    assert by_shown["구름창고 > 보존"] == PROMPTS["ko"].replace("{count}", "2")
    assert by_shown["Harbour > Arrival"] == PROMPTS["en"].replace("{count}", "2")


def test_the_model_sees_masked_text_and_may_not_ask_for_personal_data():
    seen = []

    def reply(body: dict[str, Any]) -> str:
        seen.append(body["messages"][1]["content"])
        return asked(
            ("010-9876-5432 는 누구의 번호인가요?", "모름", "편지로 알린다"), ("전화는?", "010-9876-5432", "편지로 알린다")
        )

    found, _ = generate(reply, documents=DOCUMENTS[:1])
    assert "[PHONE]" in seen[0] and "010-2345-6789" not in seen[0]
    assert not found.questions and dict(found.dropped) == {"personal data": 2}


@pytest.mark.parametrize(
    "reply", ["", "Sure! Here are the questions.", '{"questions": [{"question": "?"}]}', '{"questions": "none"}']
)
def test_replies_of_another_form_are_counted_and_dropped(reply: str):
    found, bodies = generate(lambda body: reply)
    assert not found.questions and dict(found.dropped) == {"reply of another form": len(bodies)}


def test_the_same_question_is_kept_once_and_trivial_ones_are_not():
    def reply(body: dict[str, Any]) -> str:
        quote = "편지로 알린다" if "구름창고는" in body["messages"][1]["content"] else "The harbour office"
        return asked(("언제 여나요?", "일곱 시", quote), (f"'{quote}'?", "x", quote))

    found, _ = generate(reply, documents=DOCUMENTS[:2])
    assert [question.text for question in found.questions] == ["언제 여나요?"]
    assert dict(found.dropped) == {"asked twice": 1, "holds its quote": 2}


def test_no_more_passages_are_asked_than_the_limit_calls_for():
    many = tuple(
        served_document(f"{n}.md", f"Rules {n}", ("*",), "", ElementKind.TEXT, f"{HARBOUR} Pier {n}.") for n in range(12)
    )
    _, bodies = generate(lambda body: asked(), limit=2, documents=many)
    assert len(bodies) == 5


def test_a_model_that_is_down_stops_the_run():
    with pytest.raises(ModelUnavailable, match="writer-7b"):
        generate(lambda body: 503)
    with pytest.raises(SettingsError, match=r"'en' needs the placeholder \{count\}"):
        generate_with_model(
            lambda: iter(()), None, PROMPTS | {"en": "Ask."}, GenerationSettings(), SETTINGS.analyser, str, "2026-11-25"
        )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quote", "found"),
    [("가 나", "가\n 나"), ("나(다)", "나(다)"), ("", None), ("  ", None), ("다가", None), ("가나", None)],
)
def test_quotes_may_differ_in_white_space_only(quote: str, found: str | None):
    assert find_quote(quote, "가\n 나(다) 라") == found
