"""A verdict as a page that a person reads: self-contained, everything given is escaped."""

from html import escape

from llmflow.evaluation.gate import Check, Verdict

STYLE = """
.verdict { border-left: 6px solid; padding: .6rem 1rem; margin: 1rem 0; }
.scroll { overflow-x: auto; }
.verdict strong { font-size: 1.25rem; }
.PROMOTE { border-color: #1a7f4b; background: #1a7f4b14; }
.REJECT { border-color: #b3261e; background: #b3261e14; }
.gate td, .gate th { text-align: left; vertical-align: top; white-space: normal; }
.gate td:last-child { min-width: 18rem; }
.gate .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.gate tr.failed td:nth-child(2) { color: #d0392b; font-weight: 700; }
"""
_PAGE = """
:root { color-scheme: light; font: 15px/1.5 system-ui, "Noto Sans KR", "Malgun Gothic", sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid #8884; }
"""


def verdict_html(verdict: Verdict) -> str:
    """Return the verdict as one whole page without scripts or outside addresses."""
    title = f"{verdict.decision}: {verdict.subject} {verdict.candidate}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    style = f"<style>{_PAGE}{STYLE}</style>"
    body = f"<h1>Gate: {escape(verdict.subject)}</h1>\n{verdict_section(verdict)}"
    return f'<!doctype html>\n<html lang="en"><head>{head}{style}</head>\n<body>\n{body}\n</body></html>\n'


def verdict_section(verdict: Verdict) -> str:
    """Return the verdict as a part of another page, which must carry STYLE."""
    champion = escape(verdict.champion) if verdict.champion else "no champion yet"
    names = f"candidate <code>{escape(verdict.candidate)}</code> against <code>{champion}</code>"
    failed = len(verdict.failed)
    count = f"{failed} of {len(verdict.checks)} checks failed" if failed else f"all {len(verdict.checks)} checks passed"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons) if failed else ""
    head = f"<strong>{verdict.decision}</strong> {names}: {count}. <small>{escape(verdict.made_at)}</small>"
    rows = "\n".join(_row(check) for check in verdict.checks)
    return (
        f'<div class="verdict {verdict.decision}"><p>{head}</p>{f"<ul>{reasons}</ul>" if reasons else ""}</div>\n'
        '<div class="scroll"><table class="gate"><tr><th>check</th><th>result</th>'
        '<th class="number">value</th><th class="number">limit</th>'
        f"<th>what was seen</th></tr>\n{rows}</table></div>"
    )


def _row(check: Check) -> str:
    state = "passed" if check.passed else "failed"
    numbers = "".join(f'<td class="number">{_number(value)}</td>' for value in (check.value, check.limit))
    return f'<tr class="{state}"><td>{escape(check.name)}</td><td>{state}</td>{numbers}<td>{escape(check.reason)}</td></tr>'


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
