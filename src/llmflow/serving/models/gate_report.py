"""A verdict on an adapter for people and for MLflow: means of every model, what they answered, the decision with its reasons."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from typing import Any

from llmflow.evaluation.adapter_gate import AdapterEvidence, ModelMeasures
from llmflow.evaluation.gate import Verdict, verdict_to_json
from llmflow.evaluation.gate_page import verdict_html
from llmflow.serving.models.gate import GateCase
from llmflow.serving.tracking import tracked_run

SHOWN = 12


def adapter_report(case: GateCase, evidence: AdapterEvidence, verdict: Verdict) -> tuple[dict[str, Any], str]:
    """Return the report as plain values, and the page."""
    rows = model_rows(evidence)
    report = {"verdict": json.loads(verdict_to_json(verdict)), "measures": rows, "examples": len(case.held_out)}
    report["documents"] = {name: asdict(found.scores) for name, found in evidence.documents.items()}
    return report, _page(case, evidence, verdict, rows)


def model_rows(evidence: AdapterEvidence) -> dict[str, dict[str, float]]:
    """Return the means of base, champion and candidate by measure; the champion is left out where it is the base."""
    models = {"base": evidence.base, "champion": evidence.champion, "candidate": evidence.candidate}
    return {name: _means(model) for name, model in models.items() if name != "champion" or model is not evidence.base}


def log_gate(evidence: AdapterEvidence, verdict: Verdict, page: str, experiment: str) -> None:
    """Log means, checks and the page to the active MLflow run, else to a new one of the experiment."""
    with tracked_run(experiment, verdict.candidate.partition("@")[0]) as mlflow:
        _log(mlflow, evidence, verdict, page)


def _log(mlflow: Any, evidence: AdapterEvidence, verdict: Verdict, page: str) -> None:
    for name, row in model_rows(evidence).items():
        mlflow.log_metrics({f"{name}.{measure}".replace(" ", "_"): value for measure, value in row.items()})
    mlflow.log_metric("promote", float(verdict.promoted))
    mlflow.set_tags({"candidate": verdict.candidate, "champion": verdict.champion or "", "decision": verdict.decision})
    mlflow.log_text(verdict_to_json(verdict), "verdict.json")
    mlflow.log_text(page, "verdict.html")


def _means(model: ModelMeasures) -> dict[str, float]:
    rows = {"loss": _mean(model.losses), "loss after another question": _mean(model.crossed)}
    rows |= {name.replace("_", " "): value for name, value in model.scores.means().items()}
    return rows | {"frozen choices": _mean(model.suite.right), "frozen texts loss": _mean(model.suite.loss)}


def _page(case: GateCase, evidence: AdapterEvidence, verdict: Verdict, rows: Mapping[str, Mapping[str, float]]) -> str:
    notes = []
    if case.candidate.smoke:
        notes.append(
            "<p><strong>Smoke model.</strong> The base was built for tests: no figure here says anything about a real one.</p>"
        )
    names = list(next(iter(rows.values())))
    head = "".join(f'<th class="number">{escape(name)}</th>' for name in rows)
    lines = [
        f"<tr><td>{escape(name)}</td>{''.join(f'<td class=number>{row[name]:.3f}</td>' for row in rows.values())}</tr>"
        for name in names
    ]
    table = f'<h2>Measures</h2><table class="gate"><tr><th>mean of</th>{head}</tr>{"".join(lines)}</table>'
    answers = [
        f"<tr><td>{escape(example.question)}</td><td>{escape(example.answer.content)}</td><td>{escape(before)}</td><td>{escape(after)}</td></tr>"
        for example, before, after in zip(case.held_out[:SHOWN], evidence.champion.texts, evidence.candidate.texts, strict=False)
    ]
    shown = "<h2>Answers</h2><table class=gate><tr><th>question</th><th>expected</th><th>champion</th><th>candidate</th></tr>"
    added = f"{''.join(notes)}{table}{shown}{''.join(answers)}</table>"
    return verdict_html(verdict).replace("</body>", f"{added}\n</body>")


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values) if values else 0.0
