"""A card that says what a snapshot holds: counts, what was taken out and why, lengths, languages; as JSON, Markdown and plots."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmflow.finetuning.snapshot import SPLITS, Snapshot
from llmflow.finetuning.types import Example
from llmflow.ingestion.language import detect_language

CARD_FILE = "card.json"
PLOTS = ("lengths.png", "flow.png")


def write_card(snapshot: Snapshot) -> Path:
    """Write `card.json`, `card.md`, `lengths.png` and `flow.png` into the snapshot's folder and return the Markdown's path."""
    examples = {split: snapshot.examples(split) for split in SPLITS}
    card = describe(snapshot, examples)
    (snapshot.directory / CARD_FILE).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _plot_lengths(snapshot.directory / PLOTS[0], examples)
    _plot_flow(snapshot.directory / PLOTS[1], card["flow"])
    path = snapshot.directory / "card.md"
    path.write_text(as_markdown(card), encoding="utf-8")
    return path


def describe(snapshot: Snapshot, examples: Mapping[str, Sequence[Example]]) -> dict[str, Any]:
    """Return the card as plain values. Lengths are characters; percentiles are of examples that exist."""
    every = [example for split in SPLITS for example in examples[split]]
    answers = sorted(len(example.answer.content) for example in every)
    whole = sorted(sum(map(len, example.texts())) for example in every)
    meta = snapshot.meta
    flow = {"rows": sum(source["examples"] + source["rejected"] for source in meta.get("sources", {}).values())}
    flow |= {"read well" if name == "read" else name: count for name, count in meta.get("steps", {}).items()}
    return {
        "hash": snapshot.hash,
        "task": snapshot.task.value,
        "counts": dict(snapshot.counts),
        "flow": flow,
        "sources": meta.get("sources", {}),
        "masked": meta.get("masked", {}),
        "replayed": meta.get("replayed", 0),
        "set_aside": meta.get("set_aside", 0),
        "kept_out": meta.get("kept_out", []),
        "placeholders": meta.get("placeholders", 0),
        "languages": dict(
            Counter(detect_language(example.answer.content or example.question) for example in every).most_common()
        ),
        "turns": dict(sorted(Counter(len(example.messages) for example in every).items())),
        "with_tools": sum(bool(example.tools) for example in every),
        "users": len({example.user for example in every if example.user}),
        "desirable": sum(example.desirable is True for example in every),
        "answer_characters": _percentiles(answers),
        "characters": _percentiles(whole),
        "warnings": _warnings(snapshot),
    }


def as_markdown(card: Mapping[str, Any]) -> str:
    """Return the card for people."""
    counts, sources = card["counts"], card["sources"]
    lines = [
        f"# Data card {card['task']}-{card['hash'][:12]}",
        "",
        f"{counts['train']} examples to train on, {counts['validation']} to validate, {counts['test']} to test.",
        *(f"\n**{warning}**" for warning in card["warnings"]),
        "",
        "| source | file | examples | rows rejected | SHA-256 |",
        "|---|---|---|---|---|",
        *(f"| {name} | {s['file']} | {s['examples']} | {s['rejected']} | {s['sha256'][:12]} |" for name, s in sources.items()),
        "",
        "| after | examples |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in card["flow"].items()),
        "",
        f"Personal data replaced: {_listed(card['masked'])}. Languages of the answers: {_listed(card['languages'])}.",
        f"Mixed in from an earlier snapshot: {card['replayed']}. Set aside by the cut in time: {card['set_aside']}. "
        f"Users: {card['users'] or 'not known'}. With tools: {card['with_tools']}.",
        f"Kept out of training: {', '.join(card['kept_out']) or 'no evaluation set was named'}.",
        "",
        "| characters | 5 % | 50 % | 95 % | longest |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {' | '.join(str(card[key][part]) for part in ('p5', 'p50', 'p95', 'max'))} |"
            for name, key in (("answer", "answer_characters"), ("whole example", "characters"))
        ),
        "",
        "![lengths](lengths.png) ![what was taken out](flow.png)",
        "",
        "Why single rows were taken out: `rejected.jsonl`.",
    ]
    return "\n".join(lines) + "\n"


def _warnings(snapshot: Snapshot) -> list[str]:
    warnings = [f"The {split} split is empty." for split in ("validation", "test") if not snapshot.counts.get(split)]
    if count := snapshot.meta.get("placeholders"):
        warnings.append(f"{count} examples hold placeholders such as {{{{name}}}}; fill them with `fill` in dataset_info.json.")
    return warnings


def _percentiles(values: Sequence[int]) -> dict[str, int]:
    def at(share: float) -> int:
        return values[min(len(values) - 1, int(len(values) * share))]

    return {"p5": at(0.05), "p50": at(0.5), "p95": at(0.95), "max": values[-1]}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _plot_lengths(path: Path, examples: Mapping[str, Sequence[Example]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    lengths = {split: [sum(map(len, example.texts())) for example in rows] for split, rows in examples.items() if rows}
    axes.hist(list(lengths.values()), bins=40, stacked=True, label=list(lengths), log=True)
    axes.set(xlabel="characters of an example", ylabel="examples")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


def _plot_flow(path: Path, flow: Mapping[str, int]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.6), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(flow)[::-1], list(flow.values())[::-1], color="#4c78a8")
    axes.bar_label(bars, padding=3)
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
