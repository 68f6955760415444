"""What a model could do before it was tuned: a small frozen suite, the same for every candidate.

Two kinds of items, one JSON a line: `choice` (a prompt with a right and some wrong continuations; the likeliest a character wins)
and `text` (plain prose whose loss must not rise). The file's digest stands in every verdict: scores of different suites are never
compared.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmflow.errors import DatasetError
from llmflow.evaluation.json_rows import Row, parse_json


@dataclass(frozen=True, slots=True)
class ChoiceItem:
    id: str
    language: str
    prompt: str
    choices: tuple[str, ...]
    answer: int
    """Position of the right choice."""


@dataclass(frozen=True, slots=True)
class TextItem:
    id: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class FrozenSuite:
    choices: tuple[ChoiceItem, ...]
    texts: tuple[TextItem, ...]
    digest: str
    """12 hex digits of the file."""


@dataclass(frozen=True, slots=True)
class SuiteScores:
    """One value an item, in the suite's order."""

    right: tuple[float, ...]
    """1.0 where the right choice was the likeliest."""
    loss: tuple[float, ...]
    """Nats a token of each text."""


Losses = Callable[[Sequence[tuple[str, str]]], Sequence[tuple[float, int]]]
"""(before, text) to (summed nats of text, its tokens)."""


def load_suite(path: Path) -> FrozenSuite:
    """Return the suite. Raises DatasetError that names file and line."""
    choices: list[ChoiceItem] = []
    texts: list[TextItem] = []
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise DatasetError(f"The frozen suite {path} cannot be read: {exc.strerror}.") from exc
    for number, line in enumerate(data.decode("utf-8").splitlines(), start=1):
        row = Row.of(f"{path.name}:{number}", parse_json(f"{path.name}:{number}", line))
        if row.text("kind") == "text":
            texts.append(TextItem(row.text("id"), row.text("language"), row.text("text")))
            continue
        options, answer = row.fields.get("choices"), row.fields.get("answer")
        if not isinstance(options, list) or not isinstance(answer, int) or not 0 <= answer < len(options):
            raise DatasetError(f"{row.where}: a choice needs a list `choices` and the position `answer` of the right one.")
        choices.append(ChoiceItem(row.text("id"), row.text("language"), row.text("prompt"), tuple(map(str, options)), answer))
    if not choices and not texts:
        raise DatasetError(f"{path.name} holds no item.")
    return FrozenSuite(tuple(choices), tuple(texts), hashlib.sha256(data).hexdigest()[:12])


def score_suite(suite: FrozenSuite, losses: Losses) -> SuiteScores:
    """Return what a model makes of the suite; a tie between choices is a wrong answer."""
    right = []
    for item in suite.choices:
        sums = losses([(item.prompt, choice) for choice in item.choices])
        each = [total / max(len(choice), 1) for (total, _), choice in zip(sums, item.choices, strict=True)]
        best = min(each)
        right.append(float(each[item.answer] == best and each.count(best) == 1))
    found = losses([("", item.text) for item in suite.texts]) if suite.texts else []
    return SuiteScores(tuple(right), tuple(total / max(tokens, 1) for total, tokens in found))
