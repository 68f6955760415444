"""The answer cache: hits on paraphrases, wrong answers on near misses: python -m benchmarks.cache [--pairs FILE] [--half H]

The sample questions are asked once each over the workspace's corpus (`llmflow ingest data/sample/corpus` first), into a cache
that is empty; then every paraphrase and every near miss of data/sample/paraphrases.jsonl by whoever its row names. Wrong is an
answer to another question, and any answer that was given again to a near miss. Rows of the file without a half are "first".
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parent.parent / "data" / "sample"


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines() if line.strip()]


def measure(workspace: Any, pairs: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Return hit rate, wrong-served share and times; `rows` says what became of every pair."""
    from llmflow.adapters.sql_answer_cache import SqlAnswerCache
    from llmflow.answering.cache import Asked, SemanticCache
    from llmflow.answering.memory import Memory
    from llmflow.types import Answer, Principal

    class _Finished(SemanticCache):
        """Takes in nothing more: every pair meets the same answers."""

        def keep(self, asked: Asked, answer: Answer) -> None:
            pass

    store = SqlAnswerCache(f"sqlite:///{folder / 'cache.db'}")
    served = workspace.converser
    assert served.cache is not None, "The catalog keeps no answers: set application_state.cache.backend to sql."
    converser = replace(served, memory=Memory(), cache=replace(served.cache, store=store))

    def ask(row: dict[str, Any]) -> tuple[Any, float]:
        principal = Principal(row["tenant"], frozenset(row["groups"]), "benchmark")
        begun = time.process_time()
        *_, answer = converser.stream(row["text"], principal, language=row["language"])
        return answer, 1000 * (time.process_time() - begun)

    asked = {row["id"]: row for row in read("questions.jsonl") if row["evidence"]}
    # Warm: the first questions load morphemes and encoder.
    for row in list(asked.values())[:2] + [row for row in asked.values() if row["language"] == "en"][:2]:
        converser.answerer.answer(row["text"], Principal(row["tenant"], frozenset(row["groups"])))
    first = {key: ask(row)[0] for key, row in asked.items()}
    kept = store.size()
    converser = replace(converser, cache=_Finished(store, served.cache.settings, served.cache.analyser, served.cache.embedder))
    rows, misses, hits = [], [], []
    for pair in pairs:
        answer, ms = ask(pair)
        own = first[pair["question"]]
        paraphrase = pair["kind"] == "paraphrase"
        wrong = answer.cached and not (paraphrase and answer.text == own.text)
        (hits if answer.cached else misses).append(ms)
        rows.append({**pair, "cached": answer.cached, "wrong": wrong})
    store.close()
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in ("paraphrase", "near_miss")}
    given = sum(row["cached"] for row in rows)
    return {
        "asked_first": len(asked),
        "kept": kept,
        "paraphrases": len(groups["paraphrase"]),
        "hit_rate": _share(groups["paraphrase"], "cached"),
        "near_misses": len(groups["near_miss"]),
        "near_misses_served": _share(groups["near_miss"], "cached"),
        "wrong_of_all": sum(row["wrong"] for row in rows) / max(1, len(rows)),
        "wrong_of_given": sum(row["wrong"] for row in rows) / max(1, given),
        "hit_rate_by_how": {
            how: _share([row for row in groups["paraphrase"] if row["how"] == how], "cached")
            for how in sorted({row["how"] for row in groups["paraphrase"]})
        },
        "hit_rate_by_language": {
            code: _share([row for row in groups["paraphrase"] if row["language"] == code], "cached") for code in ("ko", "en")
        },
        "by_half": {
            half: _counts([row for row in rows if row["half"] == half]) for half in sorted({row["half"] for row in rows})
        },
        "by_language": {code: _counts([row for row in rows if row["language"] == code]) for code in ("ko", "en")},
        "cpu_ms": {"given again": _median(hits), "made": _median(misses)},
        "rows": rows,
    }


def _counts(rows: list[dict[str, Any]]) -> dict[str, str]:
    hits = [row["cached"] for row in rows if row["kind"] == "paraphrase"]
    wrong = [row["wrong"] for row in rows]
    return {
        "hits": f"{sum(hits)}/{len(hits)} {interval(sum(hits), len(hits))}",
        "wrong": f"{sum(wrong)}/{len(wrong)} {interval(sum(wrong), len(wrong))}",
        "given": str(sum(row["cached"] for row in rows)),
    }


def interval(count: int, total: int) -> str:
    """Return the 95 % interval of a share, by Clopper and Pearson."""
    from scipy.stats import binomtest

    if not total:
        return ""
    found = binomtest(count, total).proportion_ci(0.95)
    return f"({100 * found.low:.1f} to {100 * found.high:.1f} %)"


def _share(rows: list[dict[str, Any]], key: str) -> float:
    return sum(bool(row[key]) for row in rows) / max(1, len(rows))


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 1) if values else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="base")
    parser.add_argument("--pairs", default="", help="other pairs in the form of data/sample/paraphrases.jsonl")
    parser.add_argument("--half", action="append", default=[], help="only this half of the pairs: first, new-a, author-q ...")
    parser.add_argument(
        "--misses",
        action="store_true",
        help="print what was wrong and the paraphrases that were not given again; otherwise counts only",
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    from llmflow.serving.catalog import open_catalog

    lines = Path(options.pairs).read_text(encoding="utf-8").splitlines() if options.pairs else []
    half = Path(options.pairs).stem if options.pairs else "first"
    pairs = [{"half": half, **row} for row in [json.loads(line) for line in lines if line.strip()] or read("paraphrases.jsonl")]
    pairs = [row for row in pairs if not options.half or row["half"] in options.half]
    workspace = open_catalog(options.env)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(workspace, pairs, Path(folder))
    finally:
        workspace.close()
    rows = found.pop("rows")
    if options.json:
        json.dump({**found, "rows": rows}, sys.stdout, ensure_ascii=False, indent=1)
        return
    for row in rows:
        if options.misses and (row["wrong"] or (row["kind"] == "paraphrase" and not row["cached"])):
            print(f"{'WRONG' if row['wrong'] else 'missed'} {row['question']} {row['how']}: {row['text']}")
    print(json.dumps(found, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
