"""Nothing that will be asked in an evaluation is trained on.

An example is contaminated when it shares 13 words in a row with an evaluation text (Brown et al. 2020, appendix C), or holds a
shorter evaluation text whole. Texts below five words say too little to be recognised inside others and count only where a turn
equals them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmflow.errors import DatasetError
from llmflow.finetuning.near_duplicates import normalised

WORDS = 13
SHORTEST = 5
_WORD = re.compile(r"\w+")
TEXT_FIELDS = ("text", "question", "query", "instruction")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Evaluation texts, indexed."""

    grams: frozenset[tuple[str, ...]]
    lengths: tuple[int, ...]
    whole: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "HeldOut":
        grams: set[tuple[str, ...]] = set()
        whole: set[tuple[str, ...]] = set()
        for text in texts:
            words = words_of(text)
            if len(words) < SHORTEST:
                if words:
                    whole.add(words)
                continue
            size = min(WORDS, len(words))
            grams.update(words[start : start + size] for start in range(len(words) - size + 1))
        return cls(frozenset(grams), tuple(sorted({len(gram) for gram in grams})), frozenset(whole))

    def overlap(self, text: str) -> str:
        """Return the shared words, empty for none."""
        words = words_of(text)
        if words in self.whole:
            return " ".join(words)
        for size in self.lengths:
            for start in range(len(words) - size + 1):
                if words[start : start + size] in self.grams:
                    return " ".join(words[start : start + size])
        return ""


def words_of(text: str) -> tuple[str, ...]:
    """Return the words without marks, in compared form."""
    return tuple(_WORD.findall(normalised(text)))


def read_evaluation_texts(paths: Sequence[Path]) -> list[str]:
    """Return the questions of evaluation files: JSON Lines with a text, question or query; KorQuAD; BEIR folders; snapshots.

    Of a snapshot's folder: the questions of its test split. Raises DatasetError where a file has no question.
    """
    texts = []
    for path in paths:
        found = list(_texts(path))
        if not found:
            raise DatasetError(
                f"{path}: no question found to keep out of training. Name JSON Lines with 'text', KorQuAD or BEIR."
            )
        texts += found
    return texts


def _texts(path: Path) -> Iterator[str]:
    if path.is_dir():
        inside = next((path / name for name in ("test.jsonl", "queries.jsonl") if (path / name).exists()), None)
        if inside is not None:
            yield from _texts(inside)
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            yield from _korquad(json.loads(text))
            return
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (OSError, ValueError) as exc:
        raise DatasetError(f"{path}: cannot be read as questions ({exc}).") from exc
    for row in rows:
        if isinstance(row.get("messages"), list):
            yield from (turn["content"] for turn in row["messages"] if turn.get("role") == "user")
        yield from (row[field] for field in TEXT_FIELDS if isinstance(row.get(field), str))


def _korquad(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "question" and isinstance(inner, str):
                yield inner
            else:
                yield from _korquad(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _korquad(inner)
