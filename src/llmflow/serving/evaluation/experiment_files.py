"""Where reports and verdicts of experiments are written for people: the workspace's reports folder."""

from dataclasses import dataclass
from pathlib import Path

from llmflow.evaluation.experiment_page import experiment_html
from llmflow.evaluation.gate import verdict_to_json
from llmflow.serving.evaluation.retrieval_gate import Outcome
from llmflow.workspace import home_path


@dataclass(frozen=True, slots=True)
class GateFiles:
    verdict: Path
    page: Path


def write_gate_files(outcome: Outcome) -> GateFiles:
    """Write the verdict as JSON and as a page, under the candidate's id. The state database keeps the one that counts."""
    assert outcome.candidate is not None
    folder = Path(home_path("reports")) / "gate"
    folder.mkdir(parents=True, exist_ok=True)
    files = GateFiles(folder / f"{outcome.candidate.id}.json", folder / f"{outcome.candidate.id}.html")
    files.verdict.write_text(verdict_to_json(outcome.candidate.verdict), encoding="utf-8")
    title = f"Gate: {outcome.candidate.label}"
    files.page.write_text(experiment_html(title, outcome.report), encoding="utf-8")
    return files
