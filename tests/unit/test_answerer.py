"""The one answerer over fixed hits: what a question becomes before it is asked, and a model's words before they are said."""

import unicodedata
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import pytest

from llmflow.answering.answerer import NOT_FOUND, Answerer, AnsweringSettings
from llmflow.ports import ChatRequest
from llmflow.retrieval.retriever import Retrieval
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import Chunk, Document, DocumentStatus, ElementKind, Hit, Principal

QUESTION = "법인카드 한도는 얼마인가요?"
HIT = Hit(
    Chunk("c", "d", 0, "법인카드 한도는 매월 300만 원이다.", ElementKind.TEXT, "ko"),
    Document("d", "acme", ("*",), "card.md", "법인카드 지침", "md", DocumentStatus.READY),
    1.0,
)


class Speaking:
    """A chat model that always says the same."""

    name = "fixed"

    def __init__(self, *pieces: str):
        self.pieces = pieces

    def stream(self, request: ChatRequest) -> Iterator[str]:
        yield from self.pieces


def answerer(model: Speaking | None = None, asked: list[str] | None = None) -> Answerer:
    def search_many(questions: Sequence[str], principal: Principal, limit: int) -> list[Retrieval]:
        (asked if asked is not None else []).extend(questions)
        return [Retrieval((HIT,))]

    retriever = SimpleNamespace(search_many=search_many, analyser=AnalyserSettings(), settings_id="s")
    prompts = {"ko": "{evidence}", "en": "{evidence}"}
    return Answerer(retriever, AnsweringSettings(), lambda text: text, prompts, model)  # type: ignore[arg-type]


def test_a_decomposed_question_is_asked_composed():
    asked: list[str] = []
    decomposed = unicodedata.normalize("NFD", QUESTION)
    assert decomposed != QUESTION
    answer = answerer(asked=asked).answer(decomposed, Principal("acme"))
    assert asked == [QUESTION] and answer.found
    assert answer.confidence == answerer().answer(QUESTION, Principal("acme")).confidence


@pytest.mark.parametrize("pieces", [(), ("", " \n"), ("[7]",)])
def test_a_model_that_says_nothing_leaves_no_empty_answer(pieces: tuple[str, ...]):
    answer = answerer(Speaking(*pieces)).answer(QUESTION, Principal("acme"))
    assert (answer.text, answer.found, answer.citations) == (NOT_FOUND["ko"], False, ())


def test_a_model_is_cited_by_its_marks():
    answer = answerer(Speaking("매월 300만 원입니다 ", "[1][9].")).answer(QUESTION, Principal("acme"))
    assert (answer.text, answer.found, answer.model) == ("매월 300만 원입니다 [1].", True, "fixed")
    assert [(item.number, item.quote) for item in answer.citations] == [(1, HIT.chunk.text)]
