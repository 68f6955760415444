"""What a training run came to, as plain values and as a plot."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmflow.finetuning.snapshot import Snapshot
from llmflow.finetuning.types import TrainedAdapter


def training_report(trained: TrainedAdapter, snapshot: Snapshot, exports: Mapping[str, Path]) -> dict[str, Any]:
    """Return the run as plain values, fit for JSON."""
    row = asdict(trained) | {"directory": str(trained.directory), "metrics": dict(trained.metrics)}
    return row | {
        "data": str(snapshot.directory),
        "counts": dict(snapshot.counts),
        "steps": dict(snapshot.meta.get("steps", {})),
        "exports": {name: str(path) for name, path in exports.items()},
    }


def plot_history(path: Path, rows: Sequence[Mapping[str, float]], smoke: bool) -> None:
    """Draw training and validation loss over steps, and the learning rate below. No rows: empty axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    loss, rate = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    for key, label, mark in (("loss", "training", "-"), ("eval_loss", "validation", "o-")):
        found = [(row["step"], row[key]) for row in rows if key in row]
        loss.plot([step for step, _ in found], [value for _, value in found], mark, label=label, markersize=4)
    loss.set(ylabel="loss", title="smoke model: figures mean nothing" if smoke else "")
    loss.legend(frameon=False)
    rates = [(row["step"], row["learning_rate"]) for row in rows if "learning_rate" in row]
    rate.plot([step for step, _ in rates], [value for _, value in rates], color="gray")
    rate.set(xlabel="step", ylabel="learning rate")
    figure.savefig(path, dpi=110)
