"""Learn the classifier of instructions to models from texts by several authors: python -m benchmarks.train_injections

Reads benchmarks/injection_texts/, one file an author (`a` to `o` had not seen the detector, `own` is by who made it,
`ordinary`, in three parts, holds passages of this repository and made-up prose), and the halves of injections.jsonl and
benign_imperatives.jsonl that have been read (not `new-c`). Writes src/llmflow/screening/weights.txt, the same bytes
for the same texts. Of an injected text only the window that reads most like an instruction teaches anything: the rest is its
cover.

`--measure` writes nothing: it leaves out one author at a time and says what the others' texts teach about theirs. The two scores,
above which a text is flagged or doubted, are chosen on those left-out texts, never on others.
"""

import argparse
import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.injections import ROOT, Labelled, load_harmless, load_labelled, load_planted
from llmflow.screening.classifier import FEW, WEIGHTS, Classifier, Window, packed, windows
from llmflow.screening.letters import PLACES
from llmflow.screening.patterns import inspect

TEXTS = ROOT / "benchmarks" / "injection_texts"
TARGET = ROOT / "src" / "llmflow" / "screening" / WEIGHTS
UNREAD = "new-c"
JUDGES = ("f", "g", "h", "j", "k", "l", "m", "n", "o")
"""Their texts had not been read when patterns and lexicon were written; `own` imitates formats of h. They choose `flag`."""
FLAGGED = 0.10
"""Share of a judge's look-alikes above the first score."""
ORDINARY, DOUBTED = 0.005, 0.06
"""Shares of ordinary passages above the first score at most, and above the second."""
STRENGTH, WORTH = 10.0, 2.0
"""Inverse regularisation, and what an injected text weighs beside a harmless window."""
LETTERS = 0.5
"""What letters weigh beside traits when both are learned: alone they mostly say what a text is about."""
LEAST_TEXTS, LEAST_WEIGHT, SCALE, ROUNDS = 2, 6, 100.0, 3


@dataclass(frozen=True)
class Example:
    row: Labelled
    windows: tuple[Window, ...]


def load_training(folder: Path = TEXTS) -> list[Labelled]:
    """Return all labelled texts that may teach, in a fixed order; those of earlier sets have the author `first` or `new`."""
    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in load_labelled(path)]
    for item in load_planted():
        if item.half != UNREAD:
            rows.append(Labelled(True, item.language, item.technique, item.text, _author(item.half)))
    for row in load_harmless():
        if row["half"] != UNREAD:
            rows.append(Labelled(False, row["language"], "look-alike", row["text"], _author(row["half"])))
    return rows


def fingerprint(rows: Iterable[Labelled]) -> str:
    """Return what tells one set of texts from another."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps([row.injected, row.author, row.text], ensure_ascii=False).encode())
    return digest.hexdigest()[:16]


def learn(examples: Sequence[Example]) -> Classifier:
    """Return weights learned from the examples, with both scores at 0.5."""
    from scipy.sparse import hstack, vstack
    from sklearn.linear_model import LogisticRegression

    counted = Counter(trait for example in examples for trait in {t for w in example.windows for t in w.traits})
    columns = {trait: number for number, trait in enumerate(sorted(t for t, n in counted.items() if n >= LEAST_TEXTS))}
    injected = [example for example in examples if example.row.injected]

    def rows_of(found: Sequence[Window]):
        return hstack([_matrix([w.traits for w in found], columns), _letter_matrix([w.letters for w in found])]).tocsr()

    harmless = [w for example in examples if not example.row.injected for w in _with_stretches(example)]
    bags = [rows_of(_with_stretches(example)) for example in injected]
    chosen = [rows_of([_whole(example.windows)]) for example in injected]
    labels = [0] * len(harmless) + [1] * len(injected)
    read = rows_of(harmless)
    model = LogisticRegression(C=STRENGTH, class_weight={0: 1.0, 1: WORTH}, solver="liblinear", max_iter=300, random_state=0)
    for _ in range(ROUNDS):
        model.fit(vstack([read, *chosen]), labels)
        chosen = [bag[int(np.argmax(model.decision_function(bag)))] for bag in bags]
    learned, bias = np.asarray(model.coef_)[0], float(np.asarray(model.intercept_)[0])
    weights = {trait: round(SCALE * float(learned[number])) for trait, number in columns.items()}
    kept = {trait: weight for trait, weight in weights.items() if abs(weight) >= LEAST_WEIGHT}
    spelled = LETTERS * learned[len(columns) :]
    letter_scale = round(float(127 / np.abs(spelled).max()), 4)
    letters = array("b", np.clip(np.round(letter_scale * spelled), -127, 127).astype(np.int8).tobytes())
    return Classifier(kept, letters, round(bias, 4), SCALE, letter_scale, 0.5, 0.5, "", "")


def left_out(examples: Sequence[Example], authors: Sequence[str] = ()) -> dict[str, list[tuple[Example, float]]]:
    """Return, for each author, the scores of their texts after learning from all others; ordinary passages in five parts."""
    found: dict[str, list[tuple[Example, float]]] = {}
    for author in authors or sorted({e.row.author for e in examples} - {"ordinary"}):
        held = [example for example in examples if example.row.author == author]
        classifier = learn([example for example in examples if example.row.author != author])
        found[author] = [(example, best(classifier, example)) for example in held]
    ordinary = [example for example in examples if example.row.author == "ordinary"]
    for part in range(3):
        held = ordinary[part::3]
        others = [example for number, example in enumerate(ordinary) if number % 3 != part]
        classifier = learn([example for example in examples if example.row.author != "ordinary"] + others)
        found.setdefault("ordinary", []).extend((example, best(classifier, example)) for example in held)
    return found


def best(classifier: Classifier, example: Example) -> float:
    return max((found.score for found in classifier.judge(example.windows)), default=0.0)


def chosen_scores(found: dict[str, list[tuple[Example, float]]]) -> tuple[float, float]:
    """Return the scores above which texts are flagged and doubted: of the judges the middle one, so that none decides alone.

    Look-alikes are written to be mistaken; ordinary passages are what a corpus is made of, and what being doubted costs.
    """
    harmless = [[score for example, score in found[author] if not example.row.injected] for author in JUDGES]
    ordinary = [score for _, score in found["ordinary"]]
    flag = max(float(np.median([np.quantile(scores, 1 - FLAGGED) for scores in harmless])), np.quantile(ordinary, 1 - ORDINARY))
    doubt = float(np.quantile(ordinary, 1 - DOUBTED))
    return round(float(flag), 3), round(min(doubt, float(flag)), 3)


def prepared(rows: Sequence[Labelled]) -> list[Example]:
    return [Example(row, tuple(windows(row.text, signs_of(row.text)))) for row in rows]


def signs_of(text: str) -> list[tuple[int, int, str]]:
    return [(f.start, f.end, f.kind) for f in inspect(text).findings if not f.told]


def write(classifier: Classifier, path: Path = TARGET) -> None:
    names = ("bias", "scale", "letter_scale", "flag", "doubt", "version", "data")
    head = json.dumps({name: getattr(classifier, name) for name in names})
    lines = [head, packed(classifier.letters), *(f"{weight}\t{trait}" for trait, weight in sorted(classifier.weights.items()))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _author(half: str) -> str:
    return "new" if half.startswith("new") else "first"


def _with_stretches(example: Example) -> list[Window]:
    """Return the windows, and once each what stands around them."""
    around = {id(window.around): window.around for window in example.windows if window.around is not None}
    return [*example.windows, *around.values()]


def _whole(found: Sequence[Window]) -> Window:
    """Return all windows of a text as one."""
    traits = frozenset().union(*(w.traits for w in found))
    return Window(0, 0, traits, frozenset().union(*(w.letters for w in found)))


def _letter_matrix(sets: Sequence[frozenset[int]]):
    from scipy.sparse import csr_matrix

    ends = np.cumsum([0, *map(len, sets)])
    indices = np.fromiter((place for found in sets for place in sorted(found)), np.int64, ends[-1])
    values = np.repeat([LETTERS / np.sqrt(len(found) + FEW) for found in sets], [len(found) for found in sets])
    return csr_matrix((values, indices, ends), shape=(len(sets), PLACES))


def _matrix(sets: Sequence[frozenset[str]], columns: dict[str, int]):
    from scipy.sparse import csr_matrix

    indices: list[int] = []
    ends, values = [0], []
    for found in sets:
        known = sorted(columns[trait] for trait in found if trait in columns)
        indices += known
        values += [1 / np.sqrt(len(found) + FEW)] * len(known)
        ends.append(len(indices))
    return csr_matrix((values, indices, ends), shape=(len(sets), len(columns)))


def _table(found: dict[str, list[tuple[Example, float]]], flag: float, doubt: float) -> str:
    lines = [f"flagged above {flag}, doubted above {doubt}; texts of an author after learning from all others", ""]
    for author, scored in found.items():
        parts = []
        for injected, name in ((True, "injected"), (False, "harmless")):
            scores = [score for example, score in scored if example.row.injected == injected]
            if scores:
                over = [sum(score >= least for score in scores) for least in (flag, doubt)]
                parts.append(f"{name} {over[0]}/{len(scores)} flagged, {over[1]} doubted")
        lines.append(f"{author:<10}" + "; ".join(parts))
    lines += ["", "harmless texts of the judges flagged, injected ones flagged, ordinary passages flagged"]
    judged = [pair for author in JUDGES for pair in found.get(author, ())]
    harmless = [score for example, score in judged if not example.row.injected]
    for share in (0.01, 0.02, 0.03, 0.05, 0.10, 0.15, 0.20):
        least = np.quantile(harmless, 1 - share)
        caught = np.mean([score > least for example, score in judged if example.row.injected])
        wrong = np.mean([score > least for _, score in found["ordinary"]])
        lines.append(f"{share:>6.0%} {caught:>8.1%} {wrong:>8.2%}  (score {least:.3f})")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--measure", action="store_true", help="leave out each author in turn, write nothing")
    arguments = parser.parse_args()
    rows = load_training()
    examples = prepared(rows)
    found = left_out(examples, () if arguments.measure else JUDGES)
    flag, doubt = chosen_scores(found)
    print(_table(found, flag, doubt))
    if arguments.measure:
        return
    learned, data = learn(examples), fingerprint(rows)
    version = f"{len(rows)}-{data[:6]}"
    write(replace(learned, flag=flag, doubt=doubt, version=version, data=data))
    print(f"\n{TARGET.relative_to(ROOT)}: {len(learned.weights)} weights from {len(rows)} texts, data {data}")


if __name__ == "__main__":
    main()
