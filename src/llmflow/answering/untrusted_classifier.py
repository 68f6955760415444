"""How much a text reads like one that speaks to a model: a linear classifier over traits and letters, learned from texts by
several authors.

The weights are a text file beside this module, made by `python -m benchmarks.train_injections`: settings, those of letters in
base64, then one trait a line. They are whole numbers, so that a text scores the same on every machine. A sentence is judged alone
and with the one behind it.
"""

import base64
import itertools
import json
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from llmflow.answering.untrusted_letters import letters
from llmflow.answering.untrusted_traits import spoken_of, traits
from llmflow.answering.untrusted_views import View, base64_views, views
from llmflow.ingestion.sentences import split_sentences

WEIGHTS = "untrusted_weights.txt"
LONGEST = 400
"""Characters: a sentence without a stop, as a row of a table, is judged in pieces."""
FEW = 40
"""Traits, or runs of letters, that are little to go on: a window with no more is not judged as surely as a longer one."""
TOLD_TO_PEOPLE = 3
"""Signs that a reason names."""


@dataclass(frozen=True, slots=True)
class Window:
    """One or two sentences of a text, at text[start:end], and what they have."""

    start: int
    end: int
    traits: frozenset[str]
    letters: frozenset[int]
    disguise: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A window and how much it reads like one that speaks to a model: 0 to 1, no probability in the wild."""

    window: Window
    score: float
    signs: tuple[str, ...]
    """What it speaks of that weighed most, for people."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """Weights by trait. `flag` and `doubt` are scores chosen on the texts of the authors that it learned from."""

    weights: Mapping[str, int]
    letters: Sequence[int]
    """Weights of letters by place, -127 to 127."""
    bias: float
    scale: float
    """A weight of one, in whole numbers."""
    letter_scale: float
    flag: float
    doubt: float
    version: str
    data: str
    """Fingerprint of the texts that it learned from."""

    def judge(self, window: Window) -> Judged:
        weights, found = self.weights, window.traits
        total = sum(weights.get(trait, 0) for trait in found)
        spelled = sum(map(self.letters.__getitem__, window.letters))
        score = total / self.scale / math.sqrt(len(found) + FEW)
        score += spelled / self.letter_scale / math.sqrt(len(window.letters) + FEW) + self.bias
        return Judged(window, 1 / (1 + math.exp(-max(-30.0, min(30.0, score)))), ())

    def explained(self, judged: Judged) -> Judged:
        """Return it with the signs that weighed most."""
        heaviest = sorted(judged.window.traits, key=lambda trait: (-self.weights.get(trait, 0), trait))
        told = (spoken_of(trait) for trait in heaviest if self.weights.get(trait, 0) > 0)
        signs = tuple(itertools.islice(dict.fromkeys(sign for sign in told if sign), TOLD_TO_PEOPLE))
        return Judged(judged.window, judged.score, signs)


@cache
def load_classifier() -> Classifier:
    """Return the bundled classifier."""
    head, spelled, *lines = files("llmflow.answering").joinpath(WEIGHTS).read_text(encoding="utf-8").splitlines()
    weights = {trait: int(weight) for weight, _, trait in (line.partition("\t") for line in lines)}
    return Classifier(weights, unpacked(spelled), **json.loads(head))


def packed(weights: Sequence[int]) -> str:
    """Return the weights of letters as one line; `unpacked` reads it."""
    return base64.b64encode(array("b", weights).tobytes()).decode("ascii")


def unpacked(line: str) -> array:
    return array("b", base64.b64decode(line, validate=True))


def windows(text: str, signs: Sequence[tuple[int, int, str]] = ()) -> Iterator[Window]:
    """Yield the windows of a text as it stands, then of what it hides. `signs` are spans and kinds of what patterns found."""
    plain, *disguised = views(text)
    yield from _windows(plain, signs)
    for view in (*disguised, *base64_views(text)):
        if not view.squeezed:
            yield from _windows(view, signs)


def _windows(view: View, signs: Sequence[tuple[int, int, str]]) -> Iterator[Window]:
    parts = []
    for start, end in _sentences(view.text):
        if view.disguise and not view.undone(start, end):
            continue
        here = view.span(start, end)
        here = min(here), max(here)  # what is written backwards ends before it starts
        found = traits(view.text[start:end])
        found.update(f"pat:{kind}" for first, last, kind in signs if first < here[1] and last > here[0])
        if view.disguise:
            found.add("disguised")
        parts.append(Window(*here, frozenset(found), letters(view.text[start:end]), view.disguise))
    yield from parts
    for one, other in itertools.pairwise(parts):
        if not view.disguise or one.end <= other.start:
            both = one.traits | other.traits, one.letters | other.letters
            yield Window(min(one.start, other.start), max(one.end, other.end), *both, view.disguise)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    for start, end in split_sentences(text):
        while end - start > LONGEST:
            cut = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
            cut = cut if cut > 0 else start + LONGEST
            yield start, cut
            start = cut
        if text[start:end].strip():
            yield start, end
