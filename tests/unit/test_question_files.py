"""Files of questions: what a save keeps, what a review changes, what a new generation leaves alone; BEIR out and in."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judged_corpus import served

from llmflow.errors import DatasetError
from llmflow.evaluation.beir_corpus import corpus_as_set, set_as_questions
from llmflow.evaluation.judged_sets import (
    Evidence,
    JudgedQuestion,
    JudgedSet,
    Origin,
    Passage,
    Review,
    export_beir,
    load_beir,
    load_sample_questions,
)
from llmflow.evaluation.question_files import (
    change_question,
    merge_reviews,
    reviewed,
    save_questions,
    standings,
    undecided,
)
from llmflow.types import Principal

ACME = Principal("acme")
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
ORIGINS = st.builds(Origin, TEXT, TEXT, TEXT, TEXT, TEXT)
REVIEWS = st.builds(Review, st.sampled_from(["accepted", "rejected"]), TEXT, TEXT, st.booleans(), TEXT)


@st.composite
def own_questions(draw: st.DrawFn) -> tuple[JudgedQuestion, ...]:
    questions = []
    for name in draw(st.lists(st.text("abcdef0123", min_size=1, max_size=8), min_size=1, max_size=4, unique=True)):
        kind = draw(st.sampled_from(["single", "multi", "table", "permission", "unanswerable"]))
        evidence = (
            () if kind == "unanswerable" else tuple(draw(st.lists(st.builds(Evidence, TEXT, TEXT), min_size=1, max_size=2)))
        )
        answer = draw(st.none() | TEXT)
        questions.append(
            JudgedQuestion(
                name, draw(TEXT), draw(st.sampled_from(["ko", "en"])), kind,
                Principal(draw(TEXT), draw(st.frozensets(TEXT, max_size=2))),
                evidence=evidence,
                forbidden=tuple(draw(st.lists(TEXT, min_size=kind == "permission", max_size=2))),
                answer=answer,
                answerable=bool(evidence),
                aliases=tuple(draw(st.lists(TEXT, max_size=2))) if answer else (),
                origin=draw(st.none() | ORIGINS),
                review=draw(st.none() | REVIEWS),
            )
        )  # fmt: skip
    return tuple(questions)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(own_questions())
def test_saving_and_reading_give_the_same_questions(tmp_path: Path, questions: tuple[JudgedQuestion, ...]):
    path = tmp_path / "questions.jsonl"
    save_questions(path, questions)
    assert load_sample_questions(path, with_rejected=True) == questions
    assert load_sample_questions(path) == tuple(q for q in questions if q.standing != "rejected")
    assert sum(standings(questions).values()) == len(questions)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(own_questions())
def test_beir_and_back_give_the_same_questions(tmp_path_factory: pytest.TempPathFactory, questions: tuple[JudgedQuestion, ...]):
    folder = tmp_path_factory.mktemp("beir") / "set"
    passages = (Passage("p", "제목", "글"),)
    export_beir(JudgedSet("set", passages, questions), folder)
    found, documents = set_as_questions(load_beir(folder), Principal("nobody"))
    assert tuple(found) == questions and documents == {}


def question(name: str, *evidence: tuple[str, str], groups: tuple[str, ...] = (), **changes: object) -> JudgedQuestion:
    made = JudgedQuestion(
        name, f"{name}?", "ko", "single", Principal("acme", frozenset(groups)),
        evidence=tuple(Evidence(*item) for item in evidence), answerable=bool(evidence),
        origin=Origin("templates", "table", "", "2026-11-25", "f"),
    )  # fmt: skip
    return replace(made, **changes)


def test_an_export_holds_what_the_principal_may_read_and_grades_passages_by_quote():
    system = question("a", ("systems.md", "| 구름창고 | 자료관리팀 | 수요일 |"))
    both = question("b", ("systems.md", "| 구름창고 | 자료관리팀 | 수요일 |"), ("contacts.csv", "내선: 4410"))
    secret = question("c", ("pay.md", "| 선임연구원 | 월 520만 원 |"), groups=("finance",))
    trap = question("d", kind="unanswerable")
    old = question("e", ("systems.md", "이제는 없는 문장"))
    foreign = question("f", ("systems.md", "| 구름창고 | 자료관리팀 | 수요일 |"), principal=Principal("rival"))
    asked = [system, both, secret, trap, old, foreign]

    export = corpus_as_set("mine", asked, served(), Principal("acme"))
    assert [q.id for q in export.judged_set.questions] == ["a", "b", "d"]
    assert export.left_out == {"evidence not among the passages": 3}
    texts = {passage.id: passage.text for passage in export.judged_set.passages}
    assert not any("520만" in text or "연차" in text for text in texts.values()), "other departments' passages stay here"
    assert not any("010-" in text for text in texts.values())
    right = export.judged_set.qrels()
    assert set(right) == {"a", "b"} and len(right["b"]) == 2
    assert all("구름창고" in texts[key] for key in right["a"])

    everything = corpus_as_set("all", asked, served(), None)
    assert [q.id for q in everything.judged_set.questions] == ["a", "b", "c", "d"]
    other = corpus_as_set("hr", [trap, system], served(), Principal("acme", frozenset({"hr"})))
    assert other.left_out == {"asked by somebody else": 1} and len(other.judged_set.passages) > len(texts)
    with pytest.raises(DatasetError, match="no passage to export"):
        corpus_as_set("none", asked, served(), Principal("stranger"))


def test_a_foreign_set_becomes_documents_and_questions_with_quotes():
    passages = (Passage("1/a", "Title", "First sentence. Second."), Passage("b", "", "둘째 글이다."), Passage("c", "T", ""))
    questions = (
        JudgedQuestion("q1", "one?", "en", relevant={"1/a": 1, "b": 0}),
        JudgedQuestion("q2", "two?", "en", relevant={"1/a": 1, "b": 2}),
        JudgedQuestion("q3", "three?", "en", relevant={"c": 1}),
    )
    found, documents = set_as_questions(JudgedSet("s", passages, questions), Principal("acme", frozenset({"hr"})))
    assert [(q.id, q.kind, q.principal.tenant) for q in found] == [("q1", "single", "acme"), ("q2", "multi", "acme")]
    source = found[0].evidence[0].source
    assert found[0].evidence == (Evidence(source, "First sentence."),)
    assert documents[source] == "# Title\n\nFirst sentence. Second.\n" and documents["b.md"] == "# b\n\n둘째 글이다.\n"
    assert len(documents) == 3 and all("/" not in name for name in documents)


def test_a_review_keeps_who_when_and_whether_the_wording_changed():
    asked = question("a", ("x.md", "q"), answer="5")
    same = reviewed(asked, "accepted", "Kim", "2026-11-25T10:00:00+00:00", " a? ", "5")
    assert (same.text, same.review.edited, same.standing) == ("a?", False, "reviewed")
    edited = reviewed(asked, "accepted", "Kim", "2026-11-25T10:00:00+00:00", "b?", "", "clearer")
    assert (edited.text, edited.answer, edited.review.edited, edited.review.note) == ("b?", None, True, "clearer")
    again = reviewed(edited, "accepted", "Lee", "2026-11-26T10:00:00+00:00")
    assert again.review.edited and again.text == "b?", "once edited stays edited"
    assert undecided(again).standing == "generated"
    assert replace(asked, origin=None).standing == "written"


def test_a_new_generation_keeps_what_people_decided():
    written = replace(question("own", ("x.md", "q")), origin=None)
    accepted = reviewed(question("a", ("x.md", "q")), "accepted", "Kim", "t", "better?")
    rejected = reviewed(question("b", ("x.md", "q")), "rejected", "Kim", "t")
    unseen = question("c", ("x.md", "q"))
    fresh = [question("a", ("x.md", "q")), question("b", ("x.md", "q")), question("d", ("x.md", "q"))]
    merged = merge_reviews([written, accepted, rejected, unseen], fresh)
    assert [q.id for q in merged] == ["own", "a", "b", "d"]
    assert merged[1].text == "better?" and merged[2].standing == "rejected"


def test_a_save_that_fails_leaves_the_file_as_it_was(tmp_path: Path):
    path = tmp_path / "q.jsonl"
    save_questions(path, [question("a", ("x.md", "q"))])
    before = path.read_bytes()
    broken = question("b", ("x.md", "q"), text="\ud800")
    with pytest.raises(UnicodeEncodeError):
        save_questions(path, [broken])
    assert path.read_bytes() == before and [item.name for item in tmp_path.iterdir()] == ["q.jsonl"]
    with pytest.raises(DatasetError, match="is gone"):
        change_question(path, "zzz", undecided)


def accept(path: Path, names: list[str]) -> None:
    for name in names:
        change_question(path, name, lambda found: reviewed(found, "accepted", "Kim", "t"))


def test_two_reviewers_at_once_lose_nothing(tmp_path: Path):
    path = tmp_path / "q.jsonl"
    names = [f"q{n}" for n in range(20)]
    save_questions(path, [question(name, ("x.md", "q")) for name in names])
    context = multiprocessing.get_context("fork")
    people = [context.Process(target=accept, args=(path, part)) for part in (names[:10], names[10:])]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [person.exitcode for person in people] == [0, 0]
    assert standings(load_sample_questions(path))["reviewed"] == 20


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('"origin": "me"', "origin: a JSON object is expected"),
        ('"origin": {"model": "x"}', "origin: field 'generator'"),
        ('"review": {"decision": "maybe"}', "unknown decision 'maybe'. Choose one of: accepted, rejected"),
    ],
)
def test_a_malformed_origin_or_review_is_named(tmp_path: Path, extra: str, message: str):
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"id": "a", "text": "?", "language": "ko", "kind": "unanswerable", "tenant": "acme", "groups": [], ' + extra + "}\n"
    )
    with pytest.raises(DatasetError, match=message.replace(".", r"\.")):
        load_sample_questions(path)
