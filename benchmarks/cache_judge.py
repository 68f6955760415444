"""Fit the judge of the answer cache and say how it does on authors it has not seen: python -m benchmarks.cache_judge [--write]

The sample questions and all pairs but those of `--leave` are searched in the workspace (`llmflow ingest data/sample/corpus`
first). Every figure is of pairs whose author and whose question were both left out of the fit: halves of the pairs (`first`,
`new-a`, ...) are authors, questions fall into five folds. `--write` fits on everything and writes question_judge.json.
"""

import argparse
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cache import interval, read
from llmflow.answering.cache import Asked, CacheSettings, evidence_holds, source_rows, worth_keeping
from llmflow.answering.question_judge import FOR, NEVER, Passages, QuestionJudge, Worded, refusal, signs
from llmflow.ports import CachedAnswer
from llmflow.types import Answer, Principal

WEIGHTS = Path(__file__).parent.parent / "src/llmflow/answering/question_judge.json"
FOLDS = 5
POLITE = ("politeness", "ending", "greeting")
POLITE_WEIGHT = 0.3
"""Pairs that a rule made teach little."""
OTHER_WEIGHT = 0.5
"""Of pairs of an asked question with a kept one that it was not written from."""
RIDGE = 0.3
"""Inverse strength of the penalty, on signs of unit variance."""
WRONG = 0.005
"""Most wrong of all pairs that a threshold may serve on authors and questions that were left out."""


@dataclass(frozen=True, slots=True)
class Row:
    """A question that was asked against one kept question."""

    pair: int
    author: str
    language: str
    fold: int
    weight: float
    same: bool
    reachable: bool
    """Every gate but the judge's is open."""
    found: dict[str, float]


def rows_of(workspace: Any, pairs: Sequence[dict[str, Any]]) -> list[Row]:
    """Return every pair of an asked question with a kept one of its scope whose evidence holds, and with its own."""
    settings: CacheSettings = workspace.answering.cache
    answerer = workspace.converser.answerer
    analyser = answerer.retriever.analyser
    kept: dict[str, tuple[dict[str, Any], Worded, CachedAnswer]] = {}
    for row in read("questions.jsonl"):
        if row["evidence"]:
            asked, answer = _ask(answerer, row)
            if worth_keeping(answer, settings):
                entry = CachedAnswer(
                    row["id"], "", row["tenant"], asked.question, "", answer, source_rows(asked, answer, settings)
                )
                kept[row["id"]] = (row, Worded.of(asked.question, analyser), entry)
    rows: list[Row] = []
    for number, pair in enumerate(pairs):
        asked, answer = _ask(answerer, pair)
        worded, passages = Worded.of(asked.question, analyser), Passages(asked.hits)
        for name, (row, other, entry) in kept.items():
            own = name == pair["question"]
            scopes = [(one["tenant"], sorted(one["groups"]), one["language"]) for one in (row, pair)]
            reachable = evidence_holds(entry, asked.hits, settings) and not refusal(other, worded)
            same = pair["kind"] == "paraphrase" and (own or entry.answer.text == kept_text(kept, pair["question"]))
            if scopes[0] != scopes[1] or not (reachable or own) or (same and not own):
                continue
            weight = (POLITE_WEIGHT if pair["how"] in POLITE else 1.0) * (1.0 if own else OTHER_WEIGHT)
            fold = zlib.crc32(pair["question"].encode()) % FOLDS
            found = signs(other, worded, entry.answer.citations, passages)
            rows.append(Row(number, pair["half"], asked.language, fold, weight, same, reachable, found))
    return rows


def kept_text(kept: dict[str, tuple[dict[str, Any], Worded, CachedAnswer]], name: str) -> str | None:
    return kept[name][2].answer.text if name in kept else None


def _ask(answerer: Any, row: dict[str, Any]) -> tuple[Asked, Answer]:
    principal = Principal(row["tenant"], frozenset(row["groups"]), "benchmark")
    found = answerer.find(row["text"], principal, row["language"])
    *_, answer = answerer.respond(found)
    return Asked(found.question, principal, found.hits, found.spoken, ""), answer


def fit(rows: Sequence[Row]) -> QuestionJudge:
    """Return the weights of most likelihood under a ridge, each on its side of zero."""
    from scipy.optimize import minimize

    rows = [row for row in rows if not any(row.found[name] for name in NEVER)]
    names = sorted(set(rows[0].found) - set(NEVER))
    values = np.array([[row.found[name] for name in names] for row in rows])
    middle, spread = values.mean(axis=0), values.std(axis=0)
    spread[spread == 0] = 1.0
    scaled = (values - middle) / spread
    target = np.array([1.0 if row.same else -1.0 for row in rows])
    weight = np.array([row.weight for row in rows])

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        margin = target * (scaled @ beta[:-1] + beta[-1])
        slope = -weight * target / (1 + np.exp(np.clip(margin, -500, 500)))
        penalty = 0.5 / RIDGE * float(beta[:-1] @ beta[:-1])
        gradient = np.append(scaled.T @ slope + beta[:-1] / RIDGE, slope.sum())
        return float(weight @ np.logaddexp(0, -margin)) + penalty, gradient

    bounds = [(0, None) if name in FOR else (None, 0) for name in names] + [(None, None)]
    beta = minimize(loss, np.zeros(len(names) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    raw = beta[:-1] / spread
    intercept = round(float(beta[-1] - raw @ middle), 4)
    return QuestionJudge(intercept, {name: round(float(value), 4) for name, value in zip(names, raw, strict=True)}, 1.0)


def left_out(rows: Sequence[Row], authors: bool = True) -> dict[int, tuple[float, bool, Row]]:
    """Return for each pair the surest kept question by a judge that saw neither its author (if so) nor its question."""
    best: dict[int, tuple[float, bool, Row]] = {}
    for author in sorted({row.author for row in rows}):
        for fold in range(FOLDS):
            test = [row for row in rows if row.author == author and row.fold == fold and row.reachable]
            if not test:
                continue
            judge = fit([row for row in rows if row.fold != fold and (row.author != author or not authors)])
            for row in test:
                probability = judge.probability(row.found)
                if row.pair not in best or probability > best[row.pair][0]:
                    best[row.pair] = (probability, row.same, row)
    return best


def counts(
    pairs: Sequence[dict[str, Any]], best: dict[int, tuple[float, bool, Row]], least: float, chosen: Sequence[int]
) -> Counter[str]:
    found: Counter[str] = Counter()
    for number in chosen:
        found[pairs[number]["kind"]] += 1
        if number in best and best[number][0] >= least:
            found["hits"] += pairs[number]["kind"] == "paraphrase"
            found["wrong"] += not best[number][1]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="base")
    parser.add_argument("--pairs", action="append", default=[], help="more pairs, in the form of data/sample/paraphrases.jsonl")
    parser.add_argument("--leave", action="append", default=["new-b", "author-q"], help="halves that are not read")
    parser.add_argument("--same-authors", action="store_true", help="leave out questions only")
    parser.add_argument("--show", type=float, help="print what is wrong, and what is missed, at this threshold")
    parser.add_argument("--write", action="store_true", help="fit on all and write the weights")
    parser.add_argument("--threshold", type=float, help="write this threshold instead of the one found")
    options = parser.parse_args()
    from llmflow.serving.catalog import open_catalog

    pairs = [{"half": "first", **row} for row in read("paraphrases.jsonl")]
    for path in map(Path, options.pairs):
        lines = path.read_text(encoding="utf-8").splitlines()
        pairs += [{"half": path.stem, **json.loads(line)} for line in lines if line.strip()]
    pairs = [pair for pair in pairs if pair["half"] not in options.leave]
    workspace = open_catalog(options.env)
    try:
        rows = rows_of(workspace, pairs)
    finally:
        workspace.close()
    best = left_out(rows, not options.same_authors)
    authors = sorted({pair["half"] for pair in pairs})
    steps = [0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
    without = "question" if options.same_authors else "author and question"
    print(f"{len(pairs)} pairs, {len(rows)} with a kept question; left out: {without}")
    for author in [*authors, "all"]:
        for language in ("ko", "en", "both"):
            chosen = [
                n for n, pair in enumerate(pairs) if author in (pair["half"], "all") and language in (pair["language"], "both")
            ]
            for least in steps if author == "all" and language == "both" else steps[2::2]:
                found = counts(pairs, best, least, chosen)
                hits, near = found["paraphrase"], found["near_miss"]
                wrong = f"wrong {found['wrong']}/{hits + near} {interval(found['wrong'], hits + near)}"
                print(f"{author:8} {language:4} {least:.2f} hits {found['hits']}/{hits} {wrong}")
    everything = range(len(pairs))
    fine = [step / 100 for step in range(30, 100)]
    served = [counts(pairs, best, least, everything)["wrong"] / len(pairs) for least in fine]
    threshold = next((least for number, least in enumerate(fine) if max(served[number:]) <= WRONG), 1.0)
    print(f"least threshold with at most {WRONG:.1%} wrong: {threshold}")
    if options.show is not None:
        for number, pair in enumerate(pairs):
            probability, same, row = best.get(number, (0.0, False, None))
            if probability >= options.show and not same:
                print("WRONG", round(probability, 2), pair["half"], pair["question"], pair["how"], pair["text"], _told(row))
            elif probability < options.show and pair["kind"] == "paraphrase":
                print("missed", round(probability, 2), pair["half"], pair["question"], pair["how"], pair["text"], _told(row))
    if options.write:
        judge = fit(rows)
        threshold = options.threshold or threshold
        found = counts(pairs, best, threshold, everything)
        fitted = {
            "command": "python -m benchmarks.cache_judge --write",
            "authors": authors,
            "pairs": len(pairs),
            "left_out": dict(found),
        }
        written = {"intercept": judge.intercept, "weights": judge.weights, "threshold": threshold, "fitted": fitted}
        WEIGHTS.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _told(row: Row | None) -> dict[str, float]:
    return {name: round(value, 2) for name, value in row.found.items() if value} if row is not None else {}


if __name__ == "__main__":
    main()
