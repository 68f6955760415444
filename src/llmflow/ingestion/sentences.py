"""Sentence spans of Korean and English text, by rules.

>>> text = "배포를 멈춥니다. Dr. Kim agrees. 끝."
>>> [text[start:end] for start, end in split_sentences(text)]
['배포를 멈춥니다.', 'Dr. Kim agrees.', '끝.']
"""

import re

# A candidate end: a terminator with the quotes and brackets that close on it, or a line break.
_CANDIDATE = re.compile(r"[.!?…。！？]+[\"'”’」』）)\]》〉»*]*|\n\s*")

_ABBREVIATION_LIST = (
    "dr mr mrs ms prof sr jr st vs etc e.g i.e eg ie cf al fig figs eq no nos vol pp ed eds approx dept est inc ltd co corp "
    "u.s u.k u.n e.u a.m p.m ph.d m.d b.s jan feb mar apr jun jul aug sep sept oct nov dec gen col lt rev hon mt ave rd"
)
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
# A new sentence may follow these ("in the U.S. Then ..."), so a capital after them is not enough to go on.
_MAY_END = frozenset({"etc", "u.s", "u.k", "u.n", "e.u", "a.m", "p.m", "inc", "ltd", "co", "corp", "ph.d", "al"})
_STARTER_LIST = "the a an this that these those it he she they we you i in on at for if when but and however then there"
_STARTERS = frozenset(_STARTER_LIST.split())

_WORD_BEFORE = re.compile(r"[A-Za-z](?:[A-Za-z.]*[A-Za-z])?$")
_NEXT_WORD = re.compile(r"\s*([A-Za-z]+)")
_LIST_MARKER = re.compile(r"(?:[-*•·▪◦○●□■▶▷※◇◆☞✓+]\s|[(\[]?(?:[0-9]{1,3}|[A-Za-z]|[가-하])[.)\]]\s|[①-⑳㉠-㉭]|#{1,6}\s|\|)")
_NUMBERING = re.compile(r"(?:^|[\n.!?]\s*)[(\[]?(?:[0-9]{1,3}(?:\.[0-9]{1,3})*|[A-Za-z가-하]|[IVX]{1,4})$")
_KOREAN_END = frozenset("다요까죠오라자음임함됨것네군")

_WRAP_COLUMNS = 60
"""A line at least this wide (a Hangul syllable counts two) that ends without a stop was wrapped, not finished."""

BETWEEN_CELLS = " · "
"""Between the cells of a row, or the lines of a record, that are said on one line."""


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence: in order, not overlapping, trimmed, every non-blank character in exactly one.

    A blank line always ends a sentence; a line break does unless the line looks wrapped. Decimals, dates (`2024. 3. 1.`),
    list numbers, initials and common English abbreviations do not. Text without letters still forms spans; blank text none.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    line_start = 0
    for match in _CANDIDATE.finditer(text):
        position = match.start()
        if text[position] == "\n":
            ends = _line_ends(text, line_start, match)
            line_start = match.end()
        else:
            ends = _stop_ends(text, start, match)
        if ends:
            _append_trimmed(text, start, match.end(), spans)
            start = match.end()
    _append_trimmed(text, start, len(text), spans)
    return spans


def _append_trimmed(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        left = start + len(piece) - len(piece.lstrip())
        spans.append((left, left + len(stripped)))


def _line_ends(text: str, line_start: int, match: re.Match[str]) -> bool:
    """Whether the line break of `match` ends a sentence."""
    if match.group().count("\n") > 1:
        return True
    line = text[line_start : match.start()].rstrip()
    following = text[match.end() : match.end() + 8]
    if not line or not following:
        return True
    if _LIST_MARKER.match(following):
        return True
    last, first = line[-1], following[0]
    # Kept together so that a number or an address that was wrapped stays in one sentence.
    if last in "-@" or (last.isdigit() and first.isdigit()) or first == "@":
        return False
    if last in ",(·/" or "a" <= first <= "z":
        return False
    if last in ":|" or last in ".!?…。！？" or "|" in line:
        return True
    columns = len(line) + sum(1 for character in line if character >= "ᄀ")
    return columns < _WRAP_COLUMNS


def _stop_ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the terminator of `match` ends the sentence that began at `start`."""
    position, end = match.span()
    stop = text[position]
    if end >= len(text):
        return True
    following = text[end]
    before = text[position - 1] if position else "\n"
    if stop in "。！？":
        return True
    if not following.isspace():
        # "했습니다.그러나": Korean typists forget the space; "v1.2", "a.b" and URLs must stay whole.
        glued = "가" <= following <= "힣" and (before in _KOREAN_END or (stop in "!?" and "가" <= before <= "힣"))
        return glued and end - position <= 2
    if stop in "!?":
        return True
    if end - position > 1 and match.group() in {"..", "..."}:
        following_word = _NEXT_WORD.match(text, end)
        return not (following_word and following_word.group(1)[0].islower())
    if stop == "…":
        return False
    return _full_stop_ends(text, start, position, end, before)


def _full_stop_ends(text: str, start: int, position: int, end: int, before: str) -> bool:
    rest = text[end : end + 32].lstrip(" \t")
    if _NUMBERING.search(text[max(start, position - 12) : position]) and (position - start) <= 12:
        return False
    if before.isdigit() and rest[:1].isdigit():
        return False
    if "a" <= rest[:1] <= "z" and before.isascii():
        return False
    word = _WORD_BEFORE.search(text, max(start, position - 12), position)
    if word is None:
        return True
    name = word.group().lower()
    if len(name) == 1 and word.group().isupper() and name != "i":
        return False
    if name not in _ABBREVIATIONS:
        return True
    if name not in _MAY_END:
        # "No." ends "The answer is no." too: only a following number or name makes it an abbreviation.
        return name == "no" and not rest[:1].isdigit()
    following_word = _NEXT_WORD.match(text, end)
    return bool(following_word and following_word.group(1).lower() in _STARTERS) or not rest[:1].isascii()
