"""How many workers a batch gets, and what is started beside them."""

from pathlib import Path

import pytest

from llmflow.ingestion.preparing import WorkerSettings, _speaks, workers_for
from llmflow.ports import SourceFile

ENGLISH = frozenset({"en"})


def file(source: str, size: int = 2000, path: Path | None = None) -> SourceFile:
    return SourceFile(source, "t", ("*",), source, str(path or source), "hash", size, "v", "f")


@pytest.mark.parametrize(
    ("files", "workers"),
    [
        ([file("a.txt"), file("b.docx")], 0),
        ([file(f"{n}.docx", 15_000) for n in range(39)], 1),
        ([file(f"{n}.txt") for n in range(200)], 1),
        ([file(f"{n}.txt") for n in range(300)], 2),
        ([file(f"{n}.pdf", 50_000) for n in range(80)], 4),
        ([file(f"{n}.md", 20_000) for n in range(60)], 3),
    ],
)
def test_workers_pay_for_their_start(monkeypatch: pytest.MonkeyPatch, files: list[SourceFile], workers: int):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert workers_for(files, WorkerSettings()) == workers
    assert workers_for([file(f"{n}.txt") for n in range(10)], WorkerSettings(processes=3)) == 3


@pytest.mark.parametrize(
    ("name", "text", "speaks"),
    [
        ("a.txt", "Annual leave is requested three days in advance.", True),
        ("a.md", "# Leave\n\nAnnual leave is requested in advance. 휴가는 미리 신청한다.", False),
        ("a.md", "휴가는 사흘 전에 신청한다.", False),
        ("a.html", "<p>Annual leave is requested three days in advance.</p>", False),
        ("a.txt", "", False),
    ],
)
def test_a_plain_text_tells_that_the_embedder_will_be_asked(tmp_path: Path, name: str, text: str, speaks: bool):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert _speaks(file(name, path=path), ENGLISH) is speaks
    assert not _speaks(file("gone.txt", path=tmp_path / "gone.txt"), ENGLISH)
