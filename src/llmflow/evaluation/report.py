"""Results for people: a text table, a plot and a page. Rows are channels or conditions, columns are measures."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import fields
from html import escape
from pathlib import Path

from llmflow.errors import DatasetError
from llmflow.evaluation.answers import AnswerScores, AnswerSummary
from llmflow.evaluation.significance import Comparison

Rows = Mapping[str, Mapping[str, float | int | None]]
"""Channel to column to value. Floats are shares, shown in percent; ints are counts; columns named `... ms` are milliseconds."""

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, "Noto Sans KR", "Malgun Gothic", sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid #8884; text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
td.best { font-weight: 700; }
td div { height: 4px; margin-top: 2px; background: #3b7dd8; border-radius: 2px; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
"""


def metrics_table(rows: Rows, measures: Sequence[str] | None = None, heading: str = "channel") -> str:
    """Return a Markdown table that also reads well in a terminal: aligned columns, Korean counted as two cells wide.

    Rows and columns keep their order; `measures` chooses columns. A missing value is shown as a dash.
    """
    columns = _columns(rows, measures)
    cells = [[heading, *columns]]
    cells += [[name, *(_shown(column, row.get(column)) for column in columns)] for name, row in rows.items()]
    widths = [max(3, *(_width(line[position]) for line in cells)) for position in range(len(columns) + 1)]
    lines = ["| " + " | ".join(_padded(text, widths[i], i > 0) for i, text in enumerate(line)) + " |" for line in cells]
    rule = "|" + "|".join("-" * (width + 1) + (":" if i else "-") for i, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def answers_table(summary: AnswerSummary) -> str:
    """Return the scores of all questions, of each kind and of each language as a table like `metrics_table`'s.

    Columns of a judge model are shown where one judged, under its name.
    """
    return metrics_table(_answer_rows(summary), heading=f"judge {summary.judge}" if summary.judge else "questions of")


def plot_channels(path: Path | str, rows: Rows, measures: Sequence[str] | None = None, title: str = "") -> None:
    """Write a picture (format by suffix: png, svg, pdf): bars of each measure, and recall over k where two R@k or more are there.

    Only shares are drawn; counts and milliseconds are left out.
    """
    from matplotlib.figure import Figure  # without pyplot: no global state, no display, safe in threads

    columns = [column for column in _columns(rows, measures) if _is_share(rows, column)]
    if not columns:
        raise DatasetError("Nothing to plot: no column holds shares. Pass measures such as R@5 or nDCG@10.")
    cutoffs = sorted(int(match[1]) for column in columns if (match := re.fullmatch(r"R@(\d+)", column)))
    panels = 2 if len(cutoffs) > 1 else 1
    figure = Figure(figsize=(7 * panels, 4), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    width = 0.8 / len(rows)
    for position, (name, row) in enumerate(rows.items()):
        offsets = [index + (position - (len(rows) - 1) / 2) * width for index in range(len(columns))]
        axes[0].bar(offsets, [100 * (row.get(column) or 0.0) for column in columns], width, label=name)
        if panels == 2:
            drawn = [(k, row[f"R@{k}"]) for k in cutoffs if row.get(f"R@{k}") is not None]
            axes[1].plot([k for k, _ in drawn], [100 * (value or 0.0) for _, value in drawn], marker="o", label=name)
    axes[0].set_xticks(range(len(columns)), columns)
    axes[0].set(ylabel="%", ylim=(0, 100), title=title)
    axes[0].legend()
    if panels == 2:
        axes[1].set(xlabel="k", ylabel="R@k, %", ylim=(0, 100), xticks=cutoffs)
    figure.savefig(path, dpi=120, metadata={"Date": None} if str(path).endswith(".svg") else None)


def results_html(
    title: str,
    rows: Rows,
    measures: Sequence[str] | None = None,
    comparisons: Mapping[str, Comparison] | None = None,
    answers: AnswerSummary | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return one self-contained page: no script, no picture and no address outside it. Everything given is escaped.

    `comparisons` are shown by their names, with difference, interval and p-value; `notes` are paragraphs under the title.
    """
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(note)}</p>" for note in notes)]
    parts.append(_html_table("Measures", "channel", rows, _columns(rows, measures)))
    if comparisons:
        parts.append(_comparisons_table(comparisons))
    if answers is not None:
        answer_rows = _answer_rows(answers)
        parts.append(_html_table("Answers", "questions of", answer_rows, _columns(answer_rows, None), mark_best=False))
        if answers.leaked:
            items = "".join(f"<li>{escape(question)}: {escape(source)}</li>" for question, source in answers.leaked)
            parts.append(f"<p><strong>Leaks</strong></p><ul>{items}</ul>")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _columns(rows: Rows, measures: Sequence[str] | None) -> list[str]:
    if not rows:
        raise DatasetError("No result to report. Evaluate at least one channel.")
    return list(measures) if measures is not None else list(dict.fromkeys(column for row in rows.values() for column in row))


def _is_share(rows: Rows, column: str) -> bool:
    values = [row[column] for row in rows.values() if row.get(column) is not None]
    return bool(values) and not column.endswith(" ms") and all(isinstance(value, float) for value in values)


def _shown(column: str, value: float | int | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if column.endswith(" ms") else f"{100 * value:.1f}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _answer_rows(summary: AnswerSummary) -> Rows:
    slices = {"all": summary.overall}
    slices |= {f"kind {name or 'unnamed'}": scores for name, scores in summary.by_kind.items()}
    slices |= {f"language {name}": scores for name, scores in summary.by_language.items()}
    names = [entry.name for entry in fields(AnswerScores) if summary.judge or not entry.name.startswith("judged")]
    return {name: {field.replace("_", " "): getattr(scores, field) for field in names} for name, scores in slices.items()}


def _html_table(caption: str, heading: str, rows: Rows, columns: Sequence[str], mark_best: bool = True) -> str:
    best = {
        column: max((row[column] or 0.0 for row in rows.values() if row.get(column) is not None), default=None)
        for column in columns
    }
    lines = [_html_header(caption, [heading, *columns])]
    for name, row in rows.items():
        cells = [f"<td>{escape(name)}</td>"]
        for column in columns:
            value, share = row.get(column), _is_share(rows, column)
            css = ' class="best"' if mark_best and share and value is not None and value == best[column] else ""
            bar = f'<div style="width:{100 * max(0.0, min(1.0, value)):.1f}%"></div>' if share and value is not None else ""
            cells.append(f"<td{css}>{_shown(column, value)}{bar}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</table>"])


def _comparisons_table(comparisons: Mapping[str, Comparison]) -> str:
    lines = [
        _html_header(
            "Differences", ["comparison", "measure", "questions", "baseline", "candidate", "difference", "interval", "p"]
        )
    ]
    for name, found in comparisons.items():
        gain = found.difference
        cells = [name, found.measure, str(found.questions), f"{100 * found.baseline:.1f}", f"{100 * found.candidate:.1f}"]
        cells += [f"{100 * gain.mean:+.1f}", f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f}", f"{found.p_value:.4f}"]
        lines.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return "\n".join([*lines, "</table>"])


def _html_header(caption: str, columns: Sequence[str]) -> str:
    cells = "".join(f"<th>{escape(column)}</th>" for column in columns)
    return f"<table><caption>{escape(caption)}</caption>\n<tr>{cells}</tr>"
