"""What llmflow says: every code in both languages with the same values, kept with what failed, told in the reader's language."""

import ast
import pickle
import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmflow
from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.guards import check_size
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.ingestion.workers import _attempt
from llmflow.serving.corpus.uploads import refused
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
