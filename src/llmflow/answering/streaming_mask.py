"""Personal data masked while an answer streams: nothing is shown that could still become part of something to be masked.

>>> stream = StreamingMask(Masker(MaskingSettings()))
>>> [stream.push("전화는 010-12"), stream.push("34-5678 입니다. 담당은 인사팀"), stream.finish()]
['전화는 ', '', '[PHONE] 입니다. 담당은 인사팀']
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from llmflow.ingestion.masking import Masker, MaskingSettings, folded, visible
from llmflow.ingestion.masking_names import LABEL_HINT
from llmflow.ingestion.masking_recognizers import REGIONS

__all__ = ["Masker", "MaskingSettings", "StreamingMask", "settled"]

_REACH = 24
"""Characters behind a number that may say what it is (`near` in ingestion/masking_recognizers.py reads 16) or lengthen it."""
_NAME_REACH = 48
_LATIN_NAME_REACH = 200
"""A Latin name behind a bare `name:` is one where a phone number or the like stands up to 120 characters behind it."""
_LEAST_DIGITS = 7
_IBAN_REACH = 48

_BLANK = re.compile(r"\s")
_GAP = r"[^\w,:;'\"<>{}=|]{0,4}[A-Za-z]?"
_NUMBER = re.compile(rf"\d(?:{_GAP}\d)*")
_MAY_GO_ON = re.compile(_GAP)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[ A-Z0-9]*")
_SEPARATORS = re.compile(r"[\s:=|\"'<(\[]*")
_TAG = re.compile(r"<(?:$|/?(?:$|(?:t[rdh]?|table|thead|tbody|p|div|br?|span|strong|em|i|li?|ul)\b))", re.IGNORECASE)
_LEAD = re.compile(rf"(?:{'|'.join(REGIONS)}|(?<!\S)[+(])\s{{0,3}}$")
"""What may stand before a number and belong to it, such as the region of a driver's licence."""
_OPENING = re.compile(r"\s*[가-힣]*")
_MAYBE_REGION = re.compile(rf"(?:{'|'.join(f'{name[0]}(?:{name[1:]})?' for name in REGIONS)})$")
_HANGUL_ADDRESS = re.compile(r"[가-힣]\s*[@\uff20]")


def names_hangul_address(text: str) -> bool:
    """Return whether a text holds what may be an address with Hangul before its @."""
    return _HANGUL_ADDRESS.search(visible(text)) is not None


class StreamingMask:
    """Takes an answer in pieces and gives it back masked, in pieces that are final.

    However a text is cut, what was given back adds up to `mask(text)`, invisible characters left out. Held back are the last
    word, and up to `_REACH` characters behind a number of seven digits, `_NAME_REACH` behind a name's label, the line of a table;
    a single word without a blank is held back whatever its length.
    """

    def __init__(self, mask: Callable[[str], str], opens_early: bool = False) -> None:
        """A `mask` that is no `Masker` says nothing of what it looks for: everything is held back until `finish`.

        `opens_early` shows a first word of Hangul as it grows. The one thing that it can be the beginning of is an address with
        Hangul before its @, of which then only the @ and what follows would be masked: it is for texts whose writer knows none.
        """
        self._mask = mask
        self._opening = opens_early
        self._raw = ""
        self._given = 0  # characters of _raw that are shown

    @property
    def held(self) -> int:
        """How many characters are held back now."""
        return len(self._raw) - self._given

    def push(self, piece: str) -> str:
        """Return what may be shown now; empty while it could still change."""
        self._raw += visible(piece)
        if not isinstance(self._mask, Masker):
            return ""
        self._opening = self._opening and _OPENING.fullmatch(self._raw) is not None
        if self._opening:
            region = _MAYBE_REGION.search(self._raw)
            start, self._given = self._given, region.start() if region else len(self._raw)
            return self._raw[start : self._given]
        if not _BLANK.search(piece):  # a word that only grows is looked at when it ends
            return ""
        cut = settled(self._raw, self._given)
        if cut <= self._given:
            return ""
        new = self._raw[self._given : cut]
        if not _HINT.search(new) and not LABEL_HINT.search(self._raw, max(self._given - _LATIN_NAME_REACH, 0), cut):
            self._given = cut
            return new
        return self._masked_to(self._mask, cut)

    def finish(self) -> str:
        """Return the rest, masked."""
        if isinstance(self._mask, Masker):
            return self._masked_to(self._mask, len(self._raw))
        self._given = len(self._raw)
        return self._mask(self._raw)

    def counts(self) -> Mapping[str, int]:
        """Return how many pieces of personal data the whole text held, by kind."""
        return self._mask.mask(self._raw).counts if isinstance(self._mask, Masker) else MappingProxyType({})

    def _masked_to(self, masker: Masker, cut: int) -> str:
        """Return the masked text between what is shown and `cut`, which moves before anything that stands across it."""
        text, start, shown = self._raw, self._given, 0
        while masker.may_hold(text) and (findings := masker.find(text)):
            across = next((f for f in findings if f.start < cut < f.end), None)
            if across is not None and shown:
                return ""  # laid bare by a replaced neighbour and not complete yet: its place in the raw text is not known
            if across is not None:
                cut = max(self._given, _word_start(text, across.start))
            shown = shown or cut
            for finding in reversed(findings):
                text = f"{text[: finding.start]}[{finding.kind}]{text[finding.end :]}"
                grown = len(finding.kind) + 2 - (finding.end - finding.start)
                start, cut = (_moved(place, finding.start, finding.end, grown) for place in (start, cut))
        self._given = shown or cut
        return text[start:cut]


_HINT = re.compile(r"[@|\t<]|\d")


def _moved(place: int, start: int, end: int, grown: int) -> int:
    return place + grown if place >= end else min(place, start)


def settled(text: str, given: int = 0) -> int:
    """Return how many characters of a text that goes on are sure to be masked, or not, as they would be with all of it.

    `given` characters are known to be so already. The place is the beginning of a word.
    """
    view = folded(text)
    end = len(view)
    cut = _word_start(view, end)
    start = max(given - _LATIN_NAME_REACH, 0)
    for match in _NUMBER.finditer(view, _word_start(view, given)):
        if _is_open(view, match, end):
            cut = min(cut, match.start())
            break
    for match in re.finditer(r"@\S*$", view[given:]):
        cut = min(cut, given + match.start())
    for match in _IBAN.finditer(view, max(given - _IBAN_REACH, 0)):
        if match.end() == end and end - match.start() < _IBAN_REACH:
            cut = min(cut, match.start())
    for match in LABEL_HINT.finditer(view, start):
        value = _SEPARATORS.match(view, match.end()).end()  # type: ignore[union-attr]
        reach = _LATIN_NAME_REACH if value < end and view[value].isascii() else _NAME_REACH
        if end - match.end() < reach:
            cut = min(cut, match.start())
            break
    tag = _TAG.search(view, given)
    if tag:
        cut = min(cut, tag.start())  # the cells of an HTML table mean something once the table is there
    cut = min(cut, _open_row(view, end))
    cut = max(cut, 0)
    return max(given, _with_lead(view, _word_start(view, cut)))


def _is_open(view: str, number: re.Match[str], end: int) -> bool:
    digits = sum(map(str.isdigit, number.group()))
    rest = end - number.end()
    if digits >= _LEAST_DIGITS:
        return rest < _REACH
    tail = _MAY_GO_ON.match(view, number.end())
    return tail is not None and tail.end() == end


def _open_row(view: str, end: int) -> int:
    """Return where the line of a table begins that is not complete; the end where there is none."""
    line = view.rfind("\n") + 1
    before = view[view.rfind("\n", 0, max(line - 1, 0)) + 1 : line]
    return line if any(sign in row for row in (before, view[line:]) for sign in "|\t") else end


def _with_lead(view: str, place: int) -> int:
    """Return where the words begin that belong to a number which may stand at `place`."""
    lead = _LEAD.search(view, max(place - 12, 0), place)
    return lead.start() if lead else place


def _word_start(view: str, place: int) -> int:
    """Return where the word around `place` begins; `place` itself behind a blank."""
    while place > 0 and place <= len(view) and not view[place - 1].isspace():
        place -= 1
    return place
