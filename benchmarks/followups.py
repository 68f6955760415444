"""Follow-up questions: recall of raw, concatenated, rewritten and full questions: python -m benchmarks.followups [--split tune]

Chains of data/sample/followups.jsonl over the workspace's corpus (`llmflow ingest data/sample/corpus` first). Each turn is asked
as the chat would ask it, with the answers that the workspace gave to the turns before.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CHAINS = Path(__file__).parent.parent / "data" / "sample" / "followups.jsonl"
QUESTIONS = CHAINS.with_name("questions.jsonl")
WAYS = ("raw", "concatenated", "rewritten", "oracle")
TOP = 5


def read_chains(split: str = "") -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in CHAINS.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [row for row in rows if not split or row["split"] == split]


def measure(workspace: Any, chains: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return recall at 5 by way and kind, the share of stand-alone questions changed, and each turn as it was asked."""
    turns = [turn for chain in chains for turn in _asked(workspace, chain)]
    follow = [turn for turn in turns if turn["kind"] not in ("alone", "switch")]
    after = [turn for turn in turns if turn["kind"] == "switch"]
    kinds = {kind: [turn for turn in follow if turn["kind"] == kind] for kind in sorted({turn["kind"] for turn in follow})}
    languages = {code: [turn for turn in follow if turn["language"] == code] for code in ("ko", "en")}
    unrelated = _unrelated(workspace)
    return {
        "follow_ups": len(follow),
        "recall": {
            name: {way: _mean(group, way) for way in WAYS} for name, group in {"all": follow, **kinds, **languages}.items()
        },
        "recognised": sum(turn["changed"] for turn in follow) / max(1, len(follow)),
        "switches": len(after),
        "switches_changed": sum(turn["changed"] for turn in after) / max(1, len(after)),
        "switch_recall": {way: _mean(after, way) for way in WAYS},
        "stand_alone": len(unrelated),
        "stand_alone_changed": sum(row["changed"] for row in unrelated) / max(1, len(unrelated)),
        "turns": turns,
        "changed_stand_alone": [row for row in unrelated if row["changed"]],
    }


def _asked(workspace: Any, chain: dict[str, Any]) -> list[dict[str, Any]]:
    from llmflow.answering.followups import FollowUpSettings, stand_alone
    from llmflow.types import ChatTurn, Principal

    answerer = workspace.answerer
    principal = Principal(chain["tenant"], frozenset(chain["groups"]), "benchmark")
    said: list[ChatTurn] = []
    rows = []
    for turn in chain["turns"]:
        text = turn["text"]
        rewritten = stand_alone(text, said, FollowUpSettings(model=False), answerer.retriever.analyser)
        before = [earlier.content for earlier in said if earlier.role == "user"][-1:]
        questions = {"raw": text, "concatenated": " ".join([*before, text]), "rewritten": rewritten.text, "oracle": turn["alone"]}
        found = dict(zip(questions, answerer.retriever.search_many(list(questions.values()), principal, TOP), strict=True))
        recalls = {way: _recall(result.hits, turn["evidence"]) for way, result in found.items()}
        answer = answerer.answer(rewritten.text, principal)
        said += [ChatTurn("user", text), ChatTurn("assistant", answer.text)] if answer.found else []
        row = {"id": chain["id"], "language": chain["language"], "kind": turn["kind"], "changed": rewritten.changed, **questions}
        rows.append({**row, **{f"r_{way}": value for way, value in recalls.items()}})
    return rows


def _unrelated(workspace: Any) -> list[dict[str, Any]]:
    """Ask every sample question after the one before it in the file, which is another subject."""
    from llmflow.answering.followups import FollowUpSettings, stand_alone
    from llmflow.types import ChatTurn

    questions = [json.loads(line)["text"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines() if line.strip()]
    analyser = workspace.answerer.retriever.analyser
    rows = []
    for previous, text in zip(questions[::-1], questions, strict=True):
        if previous == text:
            continue
        history = [ChatTurn("user", previous), ChatTurn("assistant", ".")]
        found = stand_alone(text, history, FollowUpSettings(model=False), analyser)
        rows.append({"text": text, "rewritten": found.text, "changed": found.changed})
    return rows


def _recall(hits: Sequence[Any], evidence: Sequence[dict[str, str]]) -> float:
    def stands(piece: dict[str, str]) -> bool:
        quote = "".join(piece["quote"].split())
        return any(hit.document.source == piece["source"] and quote in "".join(hit.chunk.text.split()) for hit in hits)

    return sum(stands(piece) for piece in evidence) / len(evidence)


def _mean(turns: Sequence[dict[str, Any]], way: str) -> float:
    return sum(turn[f"r_{way}"] for turn in turns) / max(1, len(turns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="base")
    parser.add_argument("--split", choices=("tune", "confirm"), default="")
    parser.add_argument("--turns", action="store_true", help="print every turn as it was asked")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    from llmflow.serving.catalog import open_catalog

    workspace = open_catalog(options.env)
    try:
        found = measure(workspace, read_chains(options.split))
    finally:
        workspace.close()
    if options.json:
        json.dump(found, sys.stdout, ensure_ascii=False, indent=1)
        return
    for row in found["turns"] if options.turns else ():
        marks = " ".join(f"{way} {row[f'r_{way}']:.0f}" for way in WAYS)
        print(f"{row['id']} {row['kind']:9} {marks} | {row['raw']} -> {row['rewritten'] if row['changed'] else '='}")
    for row in found["changed_stand_alone"]:
        print(f"changed: {row['text']} -> {row['rewritten']}")
    print(f"\nR@{TOP}, {found['follow_ups']} follow-ups   " + "".join(f"{way:>14}" for way in WAYS))
    for name, values in found["recall"].items():
        print(f"{name:24}" + "".join(f"{100 * values[way]:14.1f}" for way in WAYS))
    print(f"follow-ups recognised            {100 * found['recognised']:.1f} %")
    print(f"topic switches changed           {100 * found['switches_changed']:.1f} % of {found['switches']}")
    print(f"stand-alone questions changed    {100 * found['stand_alone_changed']:.1f} % of {found['stand_alone']}")


if __name__ == "__main__":
    main()
