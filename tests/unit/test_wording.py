"""What llmflow says: every code in both languages with the same values, kept with what failed, told in the reader's language."""

import ast
import pickle
import re
from pathlib import Path
from string import Formatter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

import llmflow
from llmflow.errors import DocumentError, ModelUnavailable
from llmflow.ingestion.parsing.guards import check_size
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.ingestion.workers import _attempt
from llmflow.serving.corpus.uploads import refused
from llmflow.serving.web import field_faults
from llmflow.serving.web.http_errors import describe
from llmflow.wording import LANGUAGES, SENTENCES, Said, in_language, kept, restored, said, wanted_language

ROOT = Path(llmflow.__file__).parent


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def used() -> dict[str, set[str]]:
    """Return the codes that the sources say, with the values that they give."""
    found: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said" and node.args:
                [code] = node.args
                assert isinstance(code, ast.Constant) and isinstance(code.value, str), f"{path}: a code is written out"
                names = {word.arg for word in node.keywords if word.arg}
                assert found.setdefault(code.value, names) == names, code.value
    return found


def test_every_code_has_both_languages_and_the_same_sentences():
    for code, (english, korean) in SENTENCES.items():
        assert re.search(r"[가-힣]", korean) and not re.search(r"[가-힣]", english), code
        assert fields(korean) <= fields(english), code
        assert len(re.split(r"(?<=[.?!]) ", korean)) == len(re.split(r"(?<=[.?!]) (?=[A-Z{])", english)), code


def test_every_code_is_said_somewhere_with_the_values_it_needs():
    calls = used()
    assert set(calls) == set(SENTENCES)
    for code, names in calls.items():
        assert names == fields(SENTENCES[code][0]), code


def test_every_reason_of_a_document_has_a_code():
    for path in (ROOT / "ingestion").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "DocumentError":
                assert not isinstance(node.args[0], ast.Constant | ast.JoinedStr), f"{path}:{node.lineno} says it in one language"


def test_whatever_a_request_is_refused_with_has_a_code():
    parts = ("accounts", "answering", *(f"serving/{part}" for part in ("conversations", "corpus", "people", "routers", "web")))
    told = {
        "AnswerPending", "Busy", "HttpProblem", "ModelUnavailable", "NameTaken", "NotFound", "OpenAIProblem", "PermissionDenied",
        "PromotionRefused", "Refused", "SignInRequired", "StoreUnavailable",
    }  # fmt: skip
    for path in (path for part in parts for path in (ROOT / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in told:
                sentences = (
                    node.args[1:4]
                    if node.func.id == "HttpProblem"
                    else node.args[1:2]
                    if "OpenAI" in node.func.id
                    else node.args[:1]
                )
                for sentence in sentences:
                    assert not isinstance(sentence, ast.Constant | ast.JoinedStr), f"{path}:{node.lineno} says it in one language"


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=2, max_length=5)
    limit: int = Field(1, ge=1, le=9)
    again: bool = False
    space: Literal["all", "own"] = "all"
    documents: list[str] = Field([], min_length=0, max_length=2)

    @field_validator("documents")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        if value == ["none"]:
            raise ValueError(said("question.missing", name="documents"))
        return value


@pytest.mark.parametrize(
    ("body", "english", "korean"),
    [
        ({}, "question: Field required", "question: 필요한 값이 빠졌습니다"),
        ({"question": "abc", "x": 1}, "x: Extra inputs are not permitted", "x: 모르는 항목입니다"),
        ({"question": "abcdef"}, "question: String should have at most 5 characters", "question: 5자까지 쓸 수 있습니다"),
        ({"question": "a"}, "question: String should have at least 2 characters", "question: 2자 이상이어야 합니다"),
        ({"question": 1}, "question: Input should be a valid string", "question: 글자여야 합니다"),
        ({"question": "abc", "limit": []}, "limit: Input should be a valid integer", "limit: 정수여야 합니다"),
        ({"question": "abc", "limit": 0}, "limit: Input should be greater than or equal to 1", "limit: 1 이상이어야 합니다"),
        ({"question": "abc", "limit": 10}, "limit: Input should be less than or equal to 9", "limit: 9 이하여야 합니다"),
        ({"question": "abc", "again": []}, "again: Input should be a valid boolean", "again: true나 false여야 합니다"),
        (
            {"question": "abc", "space": "x"},
            "space: Input should be 'all' or 'own'",
            "space: 다음 가운데 하나여야 합니다: 'all' or 'own'",
        ),
        ({"question": "abc", "documents": 1}, "documents: Input should be a valid list", "documents: 목록이어야 합니다"),
        (
            {"question": "abc", "documents": ["a", "b", "c"]},
            "documents: List should have at most 2 items after validation, not 3",
            "documents: 2개까지 보낼 수 있습니다",
        ),
        (
            {"question": "abc", "documents": ["none"]},
            "documents: Value error, documents is missing: send the question, or a template whose text is the question",
            "documents: documents이(가) 빠졌습니다: 질문이나, 글이 질문인 템플릿을 보내 주세요",
        ),
        (
            {"question": "abc", "limit": "x"},
            *["limit: Input should be a valid integer, unable to parse string as an integer"] * 2,
        ),
    ],
)
def test_faults_of_fields_are_told_in_both_languages(body: dict[str, object], english: str, korean: str):
    with pytest.raises(ValidationError) as raised:
        Asked.model_validate(body)
    assert (field_faults.told(raised.value.errors(), "en"), field_faults.told(raised.value.errors(), "ko")) == (english, korean)


def test_the_english_of_a_field_is_what_pydantic_says():
    for body in (
        {},
        {"question": "abcdef", "limit": 0, "x": 1},
        {"question": 1, "space": "x", "documents": ["a"] * 3, "again": []},
    ):
        with pytest.raises(ValidationError) as raised:
            Asked.model_validate(body)
        for fault in raised.value.errors():
            assert field_faults._FAULTS[fault["type"]](fault.get("ctx", {})) == fault["msg"]


def test_servers_that_are_away_are_told_of_in_korean():
    reason = said("model_server.slow")
    error = ModelUnavailable(said("model_server.away", what="embedder", address="http://gpu:8080/embed", reason=reason))
    status, body = describe(error, "ko")
    assert status == 503 and body["error"].startswith(
        "http://gpu:8080/embed의 embedder을(를) 쓸 수 없습니다: 제때 답하지 않았습니다."
    )
    assert describe(error, "en")[1]["error"].startswith(
        "The embedder at http://gpu:8080/embed cannot be used: no answer in time."
    )


def test_a_reason_keeps_its_code_through_errors_processes_and_the_database():
    with pytest.raises(DocumentError) as raised:
        check_size(0, ParserSettings())
    told = str(raised.value)
    again = pickle.loads(pickle.dumps(_attempt(lambda _: check_size(0, ParserSettings()), 0)))  # noqa: S301
    assert again.error == told == "The file is empty. Add its content and retry."
    for reason in (told, again.error, restored(str.__str__(told), kept(told))):
        assert isinstance(reason, Said) and in_language(reason, "ko").startswith("파일이 비어")
        assert type(in_language(reason, "en")) is str


def test_what_has_no_code_or_an_unknown_one_stays_as_it_is():
    assert kept("Something old.") is None and in_language("Something old.", "ko") == "Something old."
    for beside in (None, [], {"code": "gone.code", "values": {}}, {"code": "file.too_large", "values": {}}, {"code": 1}):
        assert restored("Something old.", beside) == "Something old."
        assert not isinstance(restored("Something old.", beside), Said)


def test_values_cannot_bring_fields_of_their_own():
    told = said("kind.binary", name="{kinds}{0}{name.__class__}.bin", kinds="PDF")
    assert "{0}" in told and "{name.__class__}" in told.korean
    assert restored(str.__str__(told), kept(told)) == told and in_language(restored(told, kept(told)), "ko") == told.korean


def test_a_reason_in_a_reason_is_told_in_the_same_language():
    inner = said("ocr.missing", install="...")
    told = said("pdf.scans_left_out", count=3, reason=inner)
    assert str.__str__(inner) in told and inner.korean in told.korean


def test_failures_over_http_have_the_same_fields_in_both_languages():
    error = refused(said("file.too_large", size=900, most=100))
    english, korean = (describe(error, language)[1] for language in LANGUAGES)
    assert english.keys() == korean.keys() == {"error", "allowed", "next"}
    assert english["next"].startswith("Split it") and korean["next"].startswith("나누어")
    assert korean["error"].startswith("파일이 900 MiB") and "100 MiB까지" in korean["error"] + korean["allowed"]
    assert describe(ValueError("inner"), "ko")[1]["error"] == "서버에서 문제가 생겼습니다."


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"), ("ko", "ko"), ("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("en-US,ko;q=0.5", "en"), ("fr, en;q=0.4, ko;q=0.9", "ko"),
        ("*", "en"), ("ko;q=0", "en"), ("ko;q=nonsense, en;q=0.1", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_one_that_the_browser_wants_most(accepted: str, language: str):
    assert wanted_language(accepted) == language


@given(st.text(max_size=300))
def test_any_header_gives_a_language(accepted: str):
    assert wanted_language(accepted) in LANGUAGES


def test_a_reason_in_brackets_ends_without_a_stop():
    damaged = said("pdf.damaged", reason=ValueError("Data format error."))
    assert "(Data format error). Open" in damaged and "(Data format error). 만든" in in_language(damaged, "ko")
