"""Reports: aligned tables, pictures that open, a page that needs nothing else."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.errors import DatasetError
from llmflow.evaluation.answers import AnswerScores, AnswerSummary
from llmflow.evaluation.report import answers_table, metrics_table, plot_channels, results_html
from llmflow.evaluation.significance import Comparison, Interval

ROWS = {
    "text": {"R@1": 0.929, "R@5": 0.9932, "p50 ms": 3.25, "questions": 5774},
    "그래프": {"R@1": 0.5, "R@5": None, "p50 ms": 12.0, "questions": 100},
}


def summary() -> AnswerSummary:
    scores = AnswerScores(4, 0.5, None, 0.0, 1.0, 0.25, 0.75, 0.8, 1)
    return AnswerSummary(scores, {"single": scores, "": scores}, {"ko": scores}, (("q<1>", "pay.xlsx"),))


def test_the_table_is_markdown_and_aligned_for_korean():
    assert metrics_table(ROWS) == (
        "| channel |  R@1 |  R@5 | p50 ms | questions |\n"
        "|---------|-----:|-----:|-------:|----------:|\n"
        "| text    | 92.9 | 99.3 |    3.2 |      5774 |\n"
        "| 그래프  | 50.0 |    - |   12.0 |       100 |\n"
    )


def test_columns_can_be_chosen_and_missing_ones_are_dashes():
    assert metrics_table({"a": {"R@1": 0.0, "x": 1}}, ["R@9", "R@1"]).splitlines()[2] == "| a       |   - | 0.0 |"
    with pytest.raises(DatasetError, match="No result to report"):
        metrics_table({})


def test_answers_are_tabled_by_slice():
    lines = answers_table(summary()).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["all", "kind single", "kind unnamed", "language ko"]
    assert [cell.strip() for cell in lines[2].split("|")[2:-1]] == [
        "4",
        "50.0",
        "-",
        "0.0",
        "100.0",
        "25.0",
        "75.0",
        "80.0",
        "1",
        "-",
    ]


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_channels_are_plotted(tmp_path: Path, suffix: str, start: bytes):
    path = tmp_path / f"channels.{suffix}"
    plot_channels(path, {"text": {"R@1": 0.9, "R@5": 1.0}, "graph": {"R@1": 0.5, "R@5": None, "p50 ms": 3.0}}, title="KorQuAD")
    assert path.read_bytes().startswith(start)


def test_bars_and_curves_show_the_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    plot_channels(tmp_path / "x.png", {"a": {"R@1": 0.4, "R@5": 0.6, "n": 7}, "b": {"R@5": 0.8, "R@1": 0.5}})
    bars, curves = drawn[0].axes
    assert sorted(round(bar.get_height()) for bar in bars.patches) == [40, 50, 60, 80]
    assert [list(line.get_ydata()) for line in curves.lines] == [[40.0, 60.0], [50.0, 80.0]]
    assert [list(line.get_xdata()) for line in curves.lines] == [[1, 5], [1, 5]]

    plot_channels(tmp_path / "x.png", {"a": {"R@5": 0.4}})
    assert len(drawn[1].axes) == 1, "one cutoff makes no curve"

    plot_channels(tmp_path / "x.png", {"a": {"R@1": 0.4, "R@5": None}, "b": {"R@1": 0.1, "R@5": 0.2}})
    assert [list(line.get_ydata()) for line in drawn[2].axes[1].lines] == [[40.0], [10.0, 20.0]], "a missing value is no zero"


def test_nothing_to_plot_is_refused(tmp_path: Path):
    with pytest.raises(DatasetError, match="Nothing to plot"):
        plot_channels(tmp_path / "x.png", {"a": {"p50 ms": 1.0, "questions": 3}})


class Balance(HTMLParser):
    """Checks that tags close in order and collects what the page shows and loads."""

    def __init__(self, page: str):
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [name for name, _ in attrs if name in ("src", "href", "srcset")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_stands_alone_and_says_everything():
    gain = Comparison("R@5", 100, 0.48, 0.713, Interval(0.233, 0.17, 0.3), 0.0001)
    page = Balance(
        results_html("MuSiQue", ROWS, comparisons={"graph over text": gain}, answers=summary(), notes=["Tuned on train100."])
    )
    assert page.open == []
    assert page.addresses == []
    assert not page.tags & {"script", "img", "link", "iframe"}
    for word in ("MuSiQue", "Tuned on train100.", "92.9", "그래프", "+23.3", "+17.0 to +30.0", "0.0001", "q<1>: pay.xlsx"):
        assert word in page.words, word


def test_the_best_share_is_marked_once_a_column():
    page = results_html("x", {"a": {"R@1": 0.2, "p50 ms": 5.0}, "b": {"R@1": 0.4, "p50 ms": 9.0}})
    assert re.findall(r'<td class="best">([\d.]+)', page) == ["40.0"]


@given(st.text(), st.text(), st.text())
def test_nothing_given_becomes_markup(title: str, channel: str, note: str):
    page = results_html(f"<b>{title}", {f"<i>{channel}": {"<u>": 0.5}}, notes=[f"<script>{note}"])
    assert not re.search(r"<(b|i|u|script)>", page)
