"""The report of an experiment matrix as one self-contained page. Everything given is escaped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from llmflow.evaluation import charts, gate_page
from llmflow.evaluation.experiment_analysis import Choice, Delta, SetAnalysis, deltas_of
from llmflow.evaluation.experiments import CHAMPION, CORPUS, DEPTHS, ConditionResult, ExperimentSettings, SetResult
from llmflow.evaluation.gate import Verdict
from llmflow.evaluation.mistakes import Mistake
from llmflow.evaluation.promotion import differing_keys
from llmflow.evaluation.significance import Interval

SHOWN_DELTAS = 30
SHOWN_MISTAKES = 30
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, "Noto Sans KR", "NanumGothic", "Malgun Gothic", sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.4rem; border-bottom: 1px solid #8886; } h3 { margin-top: 1.6rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0 1rem; min-width: 100%; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #8884; text-align: right; font-variant-numeric: tabular-nums;
  vertical-align: top; white-space: nowrap; }
th { font-weight: 600; border-bottom-width: 2px; }
th:first-child, td:first-child, .words { text-align: left; }
.words { white-space: normal; min-width: 9rem; overflow-wrap: anywhere; }
tr.champion td { font-weight: 600; } tr.champion small { font-weight: 400; }
td small, p small { opacity: .75; }
td.bad { color: #d0392b; font-weight: 700; }
code { font-size: .92em; }
pre { overflow-x: auto; background: #8881; padding: .8rem; }
"""


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """Everything that the page shows; what was not done is None or empty."""

    settings: ExperimentSettings
    results: tuple[SetResult, ...]
    analyses: tuple[SetAnalysis, ...]
    choice: Choice | None
    verdict: Verdict | None
    mistakes: Mapping[str, tuple[Mistake, ...]]
    """Condition to its wrong but confident answers, of those that answered."""
    made_at: str


def experiment_html(title: str, report: ExperimentReport) -> str:
    """Return the page: what was chosen and why, then every set with tables and charts, then mistakes and settings."""
    parts = [f"<h1>{escape(title)}</h1>", f"<p><small>{escape(report.made_at)}</small></p>", _chosen(report)]
    colours = charts.colour_of(list(dict.fromkeys(name for result in report.results for name in result.conditions)))
    for result, analysis in zip(report.results, report.analyses, strict=True):
        parts.append(_set_section(result, analysis, report, colours))
    parts += [_mistakes(name, mistakes) for name, mistakes in report.mistakes.items()]
    parts.append(_settings_section(report))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    style = f"<style>{_STYLE}{gate_page.STYLE}{charts.STYLE}</style>"
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}{style}</head>\n<body>\n{body}\n</body></html>\n'


def changed_words(result: SetResult, name: str) -> str:
    """Return in words what a condition changes against the champion."""
    mine, served = result.conditions[name].condition, result.champion.condition
    keys = differing_keys(served.retrieval.model_dump(mode="json"), mine.retrieval.model_dump(mode="json"))
    keys |= differing_keys(served.preparation.model_dump(mode="json"), mine.preparation.model_dump(mode="json"))
    return "; ".join(f"{key}: {_plain(old)} → {_plain(new)}" for key, (old, new) in keys.items())


def _chosen(report: ExperimentReport) -> str:
    parts = ["<h2>Chosen settings</h2>"]
    if report.choice is not None:
        name = "What is served stays" if report.choice.stays else f"Candidate: {report.choice.condition}"
        parts.append(f"<p><strong>{escape(name)}.</strong> {escape(report.choice.reason)}</p>")
        corpus = next((result for result in report.results if result.name == CORPUS), None)
        if corpus and not report.choice.stays:
            parts.append(f"<p>It changes {escape(changed_words(corpus, report.choice.condition))}.</p>")
    parts.append(
        gate_page.verdict_section(report.verdict) if report.verdict else "<p>No candidate was held against the gate.</p>"
    )
    return "\n".join(parts)


def _set_section(result: SetResult, analysis: SetAnalysis, report: ExperimentReport, colours: Mapping[str, str]) -> str:
    names = list(result.conditions)
    measure = analysis.measure
    level = f"{100 * report.settings.gate.significance.level:.0f}% interval"
    parts = [f"<h2>{escape(result.name)}</h2>"]
    count = f"{len(result.questions)} questions with gold over {result.passages} passages"
    unseen = sum(question.standing == "generated" for question in result.questions)
    count += f", {unseen} of them generated and reviewed by nobody" if unseen else ""
    parts.append(f"<p>{count}; shares in percent, small the {level}.</p>")
    parts.append(_ablation(result, analysis))
    others = {name: row.comparison for name, row in analysis.rows.items() if row.comparison}
    if others:
        intervals = {name: _points(found.difference) for name, found in others.items() if found}
        parts.append(f"<h3>{escape(measure)} against the champion, points</h3>")
        parts.append(charts.interval_chart(intervals, colours, f"Differences in {measure} with intervals"))
    recall = {name: [(float(k), 100 * found.means[f"R@{k}"]) for k in DEPTHS] for name, found in result.conditions.items()}
    parts.append("<h3>Recall at k</h3>")
    parts.append(charts.line_chart(recall, colours, "k", "recall, %", f"Recall at k on {result.name}"))
    parts.append(charts.legend(names, colours))
    points = [
        charts.Point(name, found.latency.p50, 100 * found.means[measure])
        for name, found in result.conditions.items()
        if found.latency
    ]
    if points:
        parts.append("<h3>Latency and quality</h3>")
        parts.append(charts.pareto_chart(points, colours, "p50 of one question, ms", f"{measure}, %", "Latency and quality"))
        parts.append(charts.legend(names, colours))
        best = ", ".join(point.name for point in charts.frontier(points))
        parts.append(f"<p>On the frontier (nothing is both faster and better): {escape(best)}.</p>")
    if analysis.slices:
        parts.append(f"<h3>{escape(measure)} by slice</h3>{_slices(analysis, names)}")
    shown = _shown_condition(result, analysis, report.choice)
    if shown:
        parts.append(_deltas(shown, deltas_of(result, shown, measure), measure))
    return "\n".join(parts)


def _ablation(result: SetResult, analysis: SetAnalysis) -> str:
    measures = list(result.champion.per_question)
    expects = any(row.expected is not None for row in analysis.rows.values())
    head = ["condition", *measures, "change", "p, Holm", "p50 ms", "p95 ms", "leaks"]
    lines = [_header([*head, *(["expected"] if expects else [])])]
    for name, found in result.conditions.items():
        row = analysis.rows[name]
        gain = row.comparison.difference if row.comparison else None
        words = found.condition.note if name == CHAMPION else changed_words(result, name) or "nothing"
        cells = [f'<td class="words">{escape(name)}<br><small>{escape(words)}</small></td>']
        for measure in measures:
            interval = f"<br><small>{_range(row.interval)}</small>" if measure == analysis.measure else ""
            cells.append(f"<td>{100 * found.means[measure]:.1f}{interval}</td>")
        cells.append(f"<td>{_gain(gain)}</td><td>{_p_value(row.p_holm)}</td>")
        cells += [f"<td>{value}</td>" for value in _latency(found)]
        cells.append(f"<td{'' if not found.leaks else ' class=bad'}>{found.leaks}</td>")
        if expects:
            css = " class=bad" if row.as_expected is False else ""
            cells.append(f"<td{css}>{'-' if row.expected is None else f'{100 * row.expected:.1f}'}</td>")
        css = ' class="champion"' if name == CHAMPION else ""
        lines.append(f"<tr{css}>{''.join(cells)}</tr>")
    return _table(lines)


def _slices(analysis: SetAnalysis, names: Sequence[str]) -> str:
    lines = [_header(["slice", "questions", *names])]
    for slice_name, means in analysis.slices.items():
        cells = [f"<td>{escape(slice_name)}</td><td>{analysis.slice_questions[slice_name]}</td>"]
        cells += [f"<td>{_with_interval(means[name])}</td>" for name in names]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return _table(lines)


def _deltas(name: str, deltas: Sequence[Delta], measure: str) -> str:
    moved = [delta for delta in deltas if delta.change]
    title = f"<h3>{escape(measure)} question by question: {escape(name)} against the champion</h3>"
    won = sum(delta.change > 0 for delta in moved)
    count = f"<p>Better: {won}; worse: {len(moved) - won}; the same: {len(deltas) - len(moved)}.</p>"
    if not moved:
        return title + count
    chart = charts.bar_chart([(delta.question.text, 100 * delta.change) for delta in moved], f"Change of {measure} by question")
    lines = [_header(["question", "kind", "before", "after", "change"], words=(0,))]
    half = SHOWN_DELTAS // 2
    listed = moved if len(moved) <= SHOWN_DELTAS else [*moved[:half], *moved[-half:]]
    for delta in listed:
        text = f'<td class="words"><code>{escape(delta.question.id)}</code> {escape(delta.question.text)}</td>'
        numbers = f"<td>{100 * delta.before:.0f}</td><td>{100 * delta.after:.0f}</td><td>{100 * delta.change:+.0f}</td>"
        lines.append(f"<tr>{text}<td>{escape(delta.question.kind)}</td>{numbers}</tr>")
    left = f"<p><small>{len(moved) - len(listed)} more lie in between.</small></p>" if len(listed) < len(moved) else ""
    return title + count + chart + _table(lines) + left


def _mistakes(name: str, mistakes: Sequence[Mistake]) -> str:
    title = f"<h2>Wrong but confident: {escape(name)}</h2>"
    if not mistakes:
        return title + "<p>No wrong answer was given with confidence.</p>"
    lines = [_header(["question", "what was said", "expected", "confidence", "why"], words=(0, 1, 2, 4))]
    for mistake in mistakes[:SHOWN_MISTAKES]:
        question = mistake.question
        expected = question.answer or ("an answer" if question.answerable else "that nothing was found")
        cells = f'<td class="words"><code>{escape(question.id)}</code> {escape(question.text)}</td>'
        cells += f'<td class="words">{escape(_cut(mistake.said, 300))}</td><td class="words">{escape(expected)}</td>'
        cells += f'<td>{mistake.confidence:.2f}</td><td class="words">{escape(mistake.why)}</td>'
        lines.append(f"<tr>{cells}</tr>")
    more = len(mistakes) - SHOWN_MISTAKES
    return (
        title + f"<p>{len(mistakes)} answers.</p>" + _table(lines) + (f"<p><small>{more} more.</small></p>" if more > 0 else "")
    )


def _settings_section(report: ExperimentReport) -> str:
    parts = ["<h2>Settings</h2>"]
    for name, found in report.results[0].conditions.items():
        values = json.dumps(found.condition.retrieval.model_dump(mode="json"), ensure_ascii=False, indent=1)
        summary = f"{escape(name)} <code>{found.condition.id}</code>"
        parts.append(f"<details><summary>{summary}</summary><pre>{escape(values)}</pre></details>")
    return "\n".join(parts)


def _shown_condition(result: SetResult, analysis: SetAnalysis, choice: Choice | None) -> str | None:
    """Return whose questions are shown: the candidate's, else those of the best condition besides the champion."""
    if choice and not choice.stays and choice.condition in result.conditions:
        return choice.condition
    others = [name for name in result.conditions if name != CHAMPION]
    return max(others, key=lambda name: analysis.rows[name].interval.mean) if others else None


def _header(columns: Sequence[str], words: Sequence[int] = ()) -> str:
    cells = (f"<th{' class=words' if place in words else ''}>{escape(name)}</th>" for place, name in enumerate(columns))
    return f"<tr>{''.join(cells)}</tr>"


def _table(lines: Sequence[str]) -> str:
    body = "\n".join(lines)
    return f'<div class="scroll"><table>\n{body}\n</table></div>'


def _points(interval: Interval) -> tuple[float, float, float]:
    return 100 * interval.mean, 100 * interval.low, 100 * interval.high


def _gain(gain: Interval | None) -> str:
    if gain is None:
        return "-"
    mean, low, high = _points(gain)
    return f"{mean:+.1f}<br><small>{low:+.1f} to {high:+.1f}</small>"


def _with_interval(interval: Interval) -> str:
    return f"{100 * interval.mean:.1f} <small>{_range(interval)}</small>"


def _range(interval: Interval) -> str:
    return f"{100 * interval.low:.0f}–{100 * interval.high:.0f}"


def _p_value(value: float | None) -> str:
    return "-" if value is None else "&lt; .001" if value < 0.001 else f"{value:.3f}".lstrip("0")


def _latency(found: ConditionResult) -> tuple[str, str]:
    return (f"{found.latency.p50:.1f}", f"{found.latency.p95:.1f}") if found.latency else ("-", "-")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
