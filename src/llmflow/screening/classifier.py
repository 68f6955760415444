"""How much a text reads like one that speaks to a model: a linear classifier over traits and letters, learned from texts by
several authors.

The weights are a text file beside this module, made by `python -m benchmarks.train_injections`: settings, those of letters in
base64, then one trait a line. They are whole numbers, so that a text scores the same on every machine. A sentence is judged alone
and with the one behind it, and what stands around it in its paragraph counts as much.
"""

import base64
import itertools
import json
import math
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from llmflow.ingestion.sentences import split_sentences
from llmflow.screening.letters import letters
from llmflow.screening.traits import spoken_of, traits
from llmflow.screening.views import View, base64_views, views

WEIGHTS = "weights.txt"
LONGEST = 400
"""Characters: a sentence without a stop, as a row of a table, is judged in pieces."""
_PARAGRAPH = re.compile(r"\n\s*\n")
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
    around: "Window | None" = None
    """The sentences of its paragraph, about `LONGEST` characters together: what stands around it counts as much as itself."""


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

    def judge(self, found: Iterable[Window]) -> list[Judged]:
        """Return the windows with their scores, in order."""
        around: dict[int, float] = {}
        judged = []
        for window in found:
            log_odds, wider = self._log_odds(window), window.around
            if wider is not None:
                if id(wider) not in around:
                    around[id(wider)] = self._log_odds(wider)
                log_odds = (log_odds + around[id(wider)]) / 2
            judged.append(Judged(window, 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds)))), ()))
        return judged

    def _log_odds(self, window: Window) -> float:
        found = window.traits
        total = sum(map(self.weights.get, found, itertools.repeat(0)))
        spelled = sum(map(self.letters.__getitem__, window.letters))
        log_odds = total / self.scale / math.sqrt(len(found) + FEW)
        return log_odds + spelled / self.letter_scale / math.sqrt(len(window.letters) + FEW) + self.bias

    def explained(self, judged: Judged) -> Judged:
        """Return it with the signs that weighed most."""
        heaviest = sorted(judged.window.traits, key=lambda trait: (-self.weights.get(trait, 0), trait))
        told = (spoken_of(trait) for trait in heaviest if self.weights.get(trait, 0) > 0)
        signs = tuple(itertools.islice(dict.fromkeys(sign for sign in told if sign), TOLD_TO_PEOPLE))
        return Judged(judged.window, judged.score, signs)


@cache
def load_classifier() -> Classifier:
    """Return the bundled classifier."""
    head, spelled, *lines = files("llmflow.screening").joinpath(WEIGHTS).read_text(encoding="utf-8").splitlines()
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
    yield from _windows(plain, _sentences_as_written(plain, text), signs)
    for view in (*disguised, *base64_views(text)):
        if not view.squeezed:
            yield from _windows(view, split_sentences(view.text), signs)


def _windows(view: View, sentences: Sequence[tuple[int, int]], signs: Sequence[tuple[int, int, str]]) -> Iterator[Window]:
    parts: list[Window] = []
    stretches: list[list[Window]] = []
    last = 0
    for start, end in _pieces(view.text, sentences):
        if view.disguise and not view.undone(start, end):
            continue
        here = view.span(start, end)
        here = min(here), max(here)  # what is written backwards ends before it starts
        found = traits(view.text[start:end])
        found.update(f"pat:{kind}" for begun, over, kind in signs if begun < here[1] and over > here[0])
        if view.disguise:
            found.add("disguised")
        parts.append(Window(*here, frozenset(found), letters(view.text[start:end]), view.disguise))
        if not stretches or here[1] - stretches[-1][0].start > LONGEST or _PARAGRAPH.search(view.text, last, start):
            stretches.append([])
        stretches[-1].append(parts[-1])
        last = end
    pairs = [pair for pair in itertools.pairwise(parts) if not view.disguise or pair[0].end <= pair[1].start]
    narrow = [*parts, *map(_together, pairs)]
    if view.disguise:
        yield from narrow
        return
    wide = {part.start: whole for stretch in stretches for whole in (_together(stretch),) for part in stretch}
    yield from (replace(window, around=wide[window.start]) for window in narrow)


def _together(parts: Sequence[Window]) -> Window:
    found = frozenset().union(*(part.traits for part in parts))
    spelled = frozenset().union(*(part.letters for part in parts))
    return Window(min(part.start for part in parts), max(part.end for part in parts), found, spelled, parts[0].disguise)


def _sentences_as_written(view: View, text: str) -> list[tuple[int, int]]:
    """Return the sentences of a text as spans of its plain reading, whose lower case no longer shows where one begins."""
    written = split_sentences(text[: view.ends[-1]]) if view.text else []
    return [(bisect_left(view.starts, start), bisect_left(view.starts, end)) for start, end in written]


def _pieces(text: str, sentences: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in sentences:
        while end - start > LONGEST:
            cut = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
            cut = cut if cut > 0 else start + LONGEST
            yield start, cut
            start = cut
        if text[start:end].strip():
            yield start, end
