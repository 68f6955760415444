"""A corpus that is ingested in part: which files are taken, and which questions may then be asked."""

from dataclasses import dataclass

import pytest

from llmflow.errors import DatasetError
from llmflow.evaluation.judged_sets import Evidence, JudgedQuestion
from llmflow.ingestion.prepare import PreparationSettings
from llmflow.ingestion.sources import SourceSettings, find_files
from llmflow.serving.evaluation.evaluate import chosen_questions
from llmflow.serving.progress import log_progress

FILES = ("it/vpn.txt", "it/old/vpn.txt", "hr/leave.txt", "top.txt", ".hidden/it/x.txt")


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("include", "found"),
    [
        (("**",), {"it/vpn.txt", "it/old/vpn.txt", "hr/leave.txt", "top.txt"}),
        (("it/**",), {"it/vpn.txt", "it/old/vpn.txt"}),
        (("hr/*", "top.*"), {"hr/leave.txt", "top.txt"}),
        (("**/vpn.txt",), {"it/vpn.txt", "it/old/vpn.txt"}),
        (("nothing/**",), set()),
    ],
)
def test_include_takes_what_matches_under_the_names_of_the_whole(include, found, folder):
    files = find_files(SourceSettings(paths=(str(folder),), include=include), PreparationSettings())
    assert {file.source for file in files} == found


def test_a_file_named_by_itself_is_always_taken(folder):
    settings = SourceSettings(paths=(str(folder / "top.txt"),), include=("it/**",))
    assert [file.source for file in find_files(settings, PreparationSettings())] == ["top.txt"]


@dataclass
class Served:
    source: str
    version: str


@dataclass
class State:
    served: tuple[Served, ...]

    def documents(self) -> list[Served]:
        return list(self.served)


def question(name: str, *sources: str, forbidden: tuple[str, ...] = ()) -> JudgedQuestion:
    return JudgedQuestion(name, name, "en", evidence=tuple(Evidence(source, "quote") for source in sources), forbidden=forbidden)


QUESTIONS = (
    question("known", "a"),
    question("half known", "a", "b"),
    question("failed", "c"),
    question("forbidden known", forbidden=("a",)),
    question("forbidden unknown", forbidden=("b",)),
    question("unanswerable"),
)
STATE = State((Served("a", "v1"), Served("c", "")))


def test_only_covered_questions_are_asked_and_unanswerable_ones_stay():
    chosen = chosen_questions(QUESTIONS, STATE, covered_only=True)
    assert [item.id for item in chosen] == ["known", "forbidden known", "unanswerable"]
    assert chosen_questions(QUESTIONS, STATE, covered_only=False) == list(QUESTIONS)


def test_a_corpus_without_any_evidence_is_an_error():
    with pytest.raises(DatasetError, match="Ingest"):
        chosen_questions(QUESTIONS, State(()), covered_only=True)


def test_progress_in_one_call_counts_from_the_start(caplog, monkeypatch):
    seconds = iter([0.0, 2.0, 6.0])
    monkeypatch.setattr("llmflow.serving.progress.monotonic", lambda: next(seconds))
    with caplog.at_level("INFO", "llmflow"), log_progress() as progress:
        progress("prepare", 46, 46)
        progress("index", 46, 46)
    assert [record.args for record in caplog.records] == [("prepare", 46, 46, 23.0, 0.0), ("index", 46, 46, 11.5, 0.0)]
