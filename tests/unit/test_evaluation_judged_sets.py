"""Judged sets: what is read, what is refused and in which words, and the BEIR round trip."""

import gzip
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.errors import DatasetError
from llmflow.evaluation.judged_sets import (
    Evidence,
    JudgedQuestion,
    JudgedSet,
    Passage,
    export_beir,
    load_beir,
    load_judged_set,
    load_korquad,
    load_sample_questions,
)
from llmflow.types import Principal

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "retrieval"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the public judged sets are not on this machine")

SAMPLE = {
    "id": "q1",
    "text": "연차는 며칠인가요?",
    "language": "ko",
    "kind": "single",
    "tenant": "acme",
    "groups": ["hr"],
    "answer": "15일",
    "evidence": [{"source": "hr/leave.md", "quote": "연차는 15일이다"}],
    "forbidden": [],
}


def write_beir(
    folder: Path, qrels: str, corpus: str = '{"_id": "a", "title": "T", "text": "x"}\n{"_id": "b", "text": "y"}\n'
) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    queries = [{"_id": "1", "text": "what?", "metadata": {"answers": ["x", "ex"]}}, {"_id": "2", "text": "무엇?"}]
    (folder / "queries.jsonl").write_text("\n".join(json.dumps(query) for query in queries), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    return folder


def write_samples(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["query-id\tcorpus-id\tscore\n", ""])
def test_beir_reads_judged_questions_with_or_without_header(tmp_path: Path, header: str):
    judged_set = load_judged_set(write_beir(tmp_path / "mini", f"{header}1\ta\t2\n1\tb\t0\n"))

    assert judged_set.name == "mini"
    assert judged_set.passages == (Passage("a", "T", "x"), Passage("b", "", "y"))
    question = JudgedQuestion("1", "what?", "en", relevant={"a": 2, "b": 0}, answer="x", aliases=("ex",))
    assert judged_set.questions == (question,), "question 2 is not judged and belongs to another split"
    assert judged_set.qrels() == {"1": {"a": 2, "b": 0}}


def test_beir_reads_gzipped_files_and_tells_the_language_by_script(tmp_path: Path):
    folder = write_beir(tmp_path / "mini", "2\ta\t1\n")
    for name in ("corpus.jsonl", "queries.jsonl"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()

    judged_set = load_judged_set(folder)

    assert [(question.id, question.language) for question in judged_set.questions] == [("2", "ko")]


def test_beir_takes_the_only_qrels_file_and_asks_when_there_are_several(tmp_path: Path):
    folder = write_beir(tmp_path / "mini", "1\ta\t1\n")
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    assert len(load_beir(folder).questions) == 1

    (folder / "qrels" / "train.tsv").write_text("2\ta\t1\n")
    with pytest.raises(DatasetError, match="Splits found: dev, train"):
        load_beir(folder)
    assert [question.id for question in load_beir(folder, split="train").questions] == ["2"]


@pytest.mark.parametrize(
    ("qrels", "message"),
    [
        ("1\ta\t1\n1 b 1\n", r"test\.tsv:2: three columns"),
        ("query-id\tcorpus-id\tscore\n1\ta\thigh\n", r"test\.tsv:2: three columns"),
        ("9\ta\t1\n", r"test\.tsv:1: query '9' is not in queries"),
        ("1\tz\t1\n", r"test\.tsv:1: document 'z' is not in corpus"),
        ("1\ta\t1\n1\ta\t2\n", r"test\.tsv:2: .* twice and differently"),
        ("query-id\tcorpus-id\tscore\n", "no question is judged"),
    ],
)
def test_malformed_qrels_are_named_by_file_and_line(tmp_path: Path, qrels: str, message: str):
    with pytest.raises(DatasetError, match=message):
        load_beir(write_beir(tmp_path / "mini", qrels))


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ('{"_id": "a", "text": "x"}\n{"_id": "b", \n', r"corpus\.jsonl:2: not valid JSON"),
        ('{"_id": "a", "text": "x"}\n\n["b"]\n', r"corpus\.jsonl:3: a JSON object is expected, not list"),
        ('{"_id": "a", "text": "x"}\n{"text": "y"}\n', r"corpus\.jsonl:2: field '_id' must be text, not null"),
        ('{"_id": "a", "text": ["x"]}\n', r"corpus\.jsonl:1: field 'text' must be text"),
        ('{"_id": "a", "text": "x"}\n{"_id": "a", "text": "y"}\n', r"corpus\.jsonl: id 'a' stands twice"),
    ],
)
def test_malformed_corpus_lines_are_named_by_file_and_line(tmp_path: Path, corpus: str, message: str):
    with pytest.raises(DatasetError, match=message):
        load_beir(write_beir(tmp_path / "mini", "1\ta\t1\n", corpus))


def test_a_file_in_another_encoding_or_a_broken_archive_is_refused(tmp_path: Path):
    folder = write_beir(tmp_path / "mini", "1\ta\t1\n")
    (folder / "corpus.jsonl").write_bytes('{"_id": "a", "text": "한글"}'.encode("euc-kr"))
    with pytest.raises(DatasetError, match="cannot be read as UTF-8"):
        load_beir(folder)
    (folder / "corpus.jsonl").unlink()
    whole = gzip.compress(b'{"_id": "a", "text": "x"}' + b" " * 5000)
    for broken in (whole[:-12], whole[:10] + b"\xff" * 20 + whole[30:], b"no archive"):
        (folder / "corpus.jsonl.gz").write_bytes(broken)
        with pytest.raises(DatasetError, match=r"corpus\.jsonl\.gz: cannot be read"):
            load_beir(folder)


def test_korquad_shares_one_passage_between_equal_paragraphs(tmp_path: Path):
    def paragraph(text: str, question_id: str) -> dict[str, object]:
        answers = [{"text": "답", "answer_start": 0}, {"text": "해답", "answer_start": 3}, {"text": "답", "answer_start": 0}]
        return {"context": text, "qas": [{"id": question_id, "question": "물음?", "answers": answers}]}

    data = [
        {"title": "가", "paragraphs": [paragraph("답이다", "1"), paragraph("둘", "2")]},
        {"title": "나", "paragraphs": [paragraph("답이다", "3")]},
    ]
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"version": "x", "data": data}), encoding="utf-8")

    judged_set = load_korquad(path)

    assert judged_set.passages == (Passage("0", "가", "답이다"), Passage("1", "가", "둘"))
    assert judged_set.qrels() == {"1": {"0": 1}, "2": {"1": 1}, "3": {"0": 1}}
    assert (judged_set.questions[0].answer, judged_set.questions[0].aliases) == ("답", ("해답",))
    assert load_judged_set(tmp_path) == replace(judged_set, name=tmp_path.name), "a folder with one KorQuAD file is that file"


def test_korquad_names_the_broken_place(tmp_path: Path):
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": "x"}]}]}))
    with pytest.raises(DatasetError, match=re.escape("dev.json data[0] paragraphs[0]: field 'qas' must be a list")):
        load_korquad(path)


def test_a_list_of_passages_is_a_corpus_without_questions(tmp_path: Path):
    path = tmp_path / "corpus.json"
    path.write_text(json.dumps([{"title": "A", "text": "x"}, {"title": "B", "text": "y"}]))
    assert load_judged_set(path) == JudgedSet("corpus", (Passage("0", "A", "x"), Passage("1", "B", "y")), ())


def test_dropping_titles_leaves_everything_else(tmp_path: Path):
    folder = write_beir(tmp_path / "mini", "1\ta\t1\n")
    with_titles, without = load_judged_set(folder), load_judged_set(folder, drop_titles=True)
    assert [passage.title for passage in without.passages] == ["", ""]
    assert [passage.text for passage in without.passages] == [passage.text for passage in with_titles.passages]
    assert without.questions == with_titles.questions


def test_an_unknown_layout_says_what_is_read(tmp_path: Path):
    with pytest.raises(DatasetError, match="neither a BEIR set"):
        load_judged_set(tmp_path)
    with pytest.raises(DatasetError, match="no such file or folder"):
        load_judged_set(tmp_path / "missing")


def test_sample_questions_carry_their_principal_and_evidence(tmp_path: Path):
    nothing = SAMPLE | {"id": "q2", "kind": "unanswerable", "answer": None, "evidence": []}
    secret = SAMPLE | {"id": "q3", "kind": "permission", "evidence": [], "forbidden": ["hr/pay.xlsx"], "aliases": ["열다섯 날"]}
    path = write_samples(tmp_path / "questions.jsonl", SAMPLE, nothing, secret)

    first, second, third = load_sample_questions(path)

    principal = Principal("acme", frozenset({"hr"}))
    evidence = (Evidence("hr/leave.md", "연차는 15일이다"),)
    assert first == JudgedQuestion("q1", "연차는 며칠인가요?", "ko", "single", principal, evidence=evidence, answer="15일")
    assert (second.answer, second.answerable) == (None, False)
    assert (third.forbidden, third.answerable, third.aliases) == (("hr/pay.xlsx",), False, ("열다섯 날",))
    assert load_judged_set(path) == JudgedSet("questions", (), (first, second, third))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "hard"}, "unknown kind 'hard'. Choose one of: single"),
        ({"forbiden": []}, "unknown field 'forbiden'. Allowed: id"),
        ({"kind": "unanswerable"}, "has evidence"),
        ({"evidence": []}, "needs evidence"),
        ({"kind": "permission"}, "Fill 'forbidden'"),
        ({"text": ""}, "field 'text' is empty"),
        ({"groups": "hr"}, "field 'groups' must be a list of texts"),
        ({"evidence": [{"source": "a.md"}]}, "evidence[0]: field 'quote' must be text"),
        ({"id": "q0"}, "id 'q0' stands twice"),
    ],
)
def test_malformed_sample_questions_are_refused(tmp_path: Path, change: dict[str, object], message: str):
    path = write_samples(tmp_path / "questions.jsonl", SAMPLE | {"id": "q0"}, SAMPLE | change)
    with pytest.raises(DatasetError, match=re.escape(message)) as caught:
        load_sample_questions(path)
    assert str(path) in str(caught.value)
    assert f"{path}:2" in str(caught.value) or "twice" in message


LINE = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n"), min_size=1, max_size=12)
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


@st.composite
def judged_sets(draw: st.DrawFn) -> JudgedSet:
    passage_ids = draw(st.lists(LINE, min_size=1, max_size=4, unique=True))
    passages = tuple(Passage(passage_id, draw(TEXT), draw(TEXT)) for passage_id in passage_ids)
    questions = []
    for question_id in draw(st.lists(LINE, min_size=1, max_size=3, unique=True)):
        answers = draw(st.lists(TEXT, max_size=2))
        questions.append(
            JudgedQuestion(
                question_id,
                draw(TEXT.filter(bool)),
                draw(st.sampled_from(["ko", "en", "other"])),
                draw(st.sampled_from(["", "multi"])),
                Principal(draw(TEXT.filter(bool)), draw(st.frozensets(TEXT, max_size=2))),
                draw(st.dictionaries(st.sampled_from(passage_ids), st.integers(-1, 3), min_size=1)),
                tuple(draw(st.lists(st.builds(Evidence, TEXT.filter(bool), TEXT.filter(bool)), max_size=2))),
                tuple(draw(st.lists(TEXT, max_size=2))),
                answers[0] if answers else None,
                draw(st.booleans()),
                tuple(answers[1:]),
            )
        )
    return JudgedSet("beir", passages, tuple(questions))


@settings(max_examples=60, deadline=None)
@given(judged_sets())
def test_beir_round_trip_keeps_everything(judged_set: JudgedSet):
    with tempfile.TemporaryDirectory() as folder:
        export_beir(judged_set, Path(folder) / "beir")
        assert load_beir(Path(folder) / "beir") == judged_set


@pytest.mark.parametrize(
    ("judged_set", "message"),
    [
        (JudgedSet("s", (Passage("a\tb", "", "x"),), ()), "cannot stand in qrels"),
        (JudgedSet("s", (), (JudgedQuestion("q", "?", "en", relevant={"a": 1}),)), "which the set lacks"),
    ],
)
def test_export_refuses_what_could_not_be_read_back(tmp_path: Path, judged_set: JudgedSet, message: str):
    with pytest.raises(DatasetError, match=message):
        export_beir(judged_set, tmp_path / "out")
    assert not (tmp_path / "out").exists(), "nothing half written"


@needs_shared
@pytest.mark.parametrize(
    ("name", "passages", "questions", "judgements"),
    [
        ("hotpotqa_train100", 994, 100, 200),
        ("musique_train100", 1890, 100, 237),
        ("scifact_test", 5183, 300, 339),
        ("korquad_v1_dev", 961, 5774, 5774),
        ("2wiki_corpus", 6119, 0, 0),
    ],
)
def test_public_sets_are_read_whole(name: str, passages: int, questions: int, judgements: int):
    judged_set = load_judged_set(SHARED / name)
    found = len(judged_set.passages), len(judged_set.questions), sum(len(grades) for grades in judged_set.qrels().values())
    assert found == (passages, questions, judgements)
