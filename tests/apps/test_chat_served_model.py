"""The chat over a served model that comes, goes, dies in the middle and has a small context. A small server over HTTP."""

from collections.abc import Iterator

import pytest
from vllm_double import VllmDouble

from llmflow.adapters.state_pointers import StatePointers
from llmflow.errors import ModelInterrupted
from llmflow.ingestion.access import Grant
from llmflow.ingestion.run import run_ingestion
from llmflow.ingestion.sources import SourceSettings
from llmflow.ports import Pointer
from llmflow.serving.catalog import Workspace, open_catalog
from llmflow.serving.operating.health import Part, look_at, workspace_checks
from llmflow.types import Answer, AskOptions, Principal, Space

STAFF = Principal("acme", frozenset(), "staff")
QUESTION = "반반차는 몇 시간 단위로 쓸 수 있나요?"
FILES = {
    "leave.md": "# 휴가 규정\n\n## 반반차\n\n반반차는 2시간 단위로 쓸 수 있으며 하루에 두 번까지 신청할 수 있다.\n",
    "more.md": "# 휴가 신청\n\n반반차는 인사 포털에서 2시간 단위로 신청한다. " + "신청한 뒤에는 부서장이 승인한다. " * 30 + "\n",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("served")
    (root / "corpus").mkdir()
    for name, text in FILES.items():
        (root / "corpus" / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(root / "home"))
        found = open_catalog("test")
        sources = SourceSettings(paths=(str(root / "corpus"),), access=Grant(tenant="acme"))
        settings = found.ingestion.model_copy(update={"sources": sources})
        assert run_ingestion(settings, found.stores, found.notifier, lambda *_: None).indexed == len(FILES)
        yield found
        found.close()


@pytest.fixture
def double(workspace) -> Iterator[VllmDouble]:
    found = VllmDouble()
    StatePointers(workspace.stores.state).write("chat", Pointer("chat", (found.address,)))
    yield found
    found.close()


def ask(workspace: Workspace) -> Answer:
    *_, answer = workspace.traced_answerer.stream(QUESTION, STAFF)
    assert isinstance(answer, Answer)
    return answer


def chat_model(workspace: Workspace) -> Part:
    """What the health page says of the model that answers; a model that is away makes the whole degraded, not failed."""
    health = look_at(workspace_checks(workspace, min_free_gb=0))
    assert health.status != "failed"
    return next(part for part in health.parts if part.name == "chat model")


def test_before_anything_is_served_answers_are_quoted_without_a_word_about_models(workspace):
    answer = ask(workspace)
    assert (answer.model, answer.notice) == ("extractive", "") and "2시간 단위" in answer.text
    assert chat_model(workspace) == Part("chat model", "ok", "none: answers are quotations")


def test_the_served_model_answers(workspace, double):
    answer = ask(workspace)
    assert answer.model == "chat" and answer.text.startswith("chat:") and double.asked == ["chat"]


def test_a_model_that_is_away_is_told_and_documents_are_quoted(workspace, double):
    assert chat_model(workspace) == Part("chat model", "ok", "chat answers")
    double.close()
    away = chat_model(workspace)
    assert away.status == "failed" and "meanwhile answers are quotations" in away.remedy
    answer = ask(workspace)
    assert answer.model == "extractive" and answer.found and answer.citations and "2시간 단위" in answer.text
    assert "언어 모델에 연결할 수 없어" in answer.notice


def test_half_an_answer_is_told_and_the_next_question_works(workspace, double):
    double.cut_after = 3
    with pytest.raises(ModelInterrupted, match="incomplete"):
        ask(workspace)
    double.cut_after = -1
    assert ask(workspace).model == "chat"


def test_a_prompt_that_is_too_long_is_tried_with_fewer_passages(workspace, double):
    whole = ask(workspace)
    assert len(double.asked) == 1
    double.context = 700
    answer = ask(workspace)
    assert answer.model == "chat" and len(double.asked) == 3 and answer.text == whole.text
    double.context = 10
    answer = ask(workspace)
    assert answer.model == "extractive" and answer.notice


def test_wishes_reach_the_served_model_below_the_rules(workspace, double):
    double.words = (" 2시간", " [1]", " 단위")
    options = AskOptions(
        Space.SHARED, "표로 정리해 주세요.", (("예시 하나?", "| 하나 | [1]"), ("예시 둘?", "| 둘 | [1]")), "표@1"
    )
    *pieces, answer = workspace.converser.stream(QUESTION, STAFF, history=(), options=options)
    assert isinstance(answer, Answer) and answer.space == Space.SHARED
    assert (answer.found, answer.examples, answer.text) == (True, 2, "chat: 2시간 [1] 단위")
    assert str(pieces[0]).startswith("chat: 2시간 [1]")  # nothing before the first source
    system, *turns = double.heard[-1]
    parts = (FILES["leave.md"].split("\n")[-2], "표로 정리해 주세요.", "예시 하나?", "예시 둘?", "위의 규칙은 그대로 지킨다.")
    places = [system["content"].index(part) for part in parts]
    assert system["role"] == "system" and places == sorted(places)
    assert turns == [{"role": "user", "content": QUESTION}]


def test_a_served_model_that_names_no_source_says_nothing_to_who_wished_for_that(workspace, double):
    assert ask(workspace).text == "chat: w0 w1 w2 w3 w4"
    wished = AskOptions(Space.ALL, "출처 번호 없이 아는 대로 답하라.")
    *pieces, answer = workspace.converser.stream(QUESTION, STAFF, history=(), options=wished)
    assert isinstance(answer, Answer) and (pieces, answer.found) == ([], False) and "w0" not in answer.text


def test_the_interface_carries_the_notice(workspace, double):
    from llmflow.serving.web.api_models import AnswerOut

    double.close()
    assert "언어 모델" in AnswerOut.of(ask(workspace)).notice
