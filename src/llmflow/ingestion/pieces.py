"""Token estimates, and text cut into pieces that fit a limit.

>>> count_tokens("the quick brown fox"), count_tokens("배포 절차를 확인합니다")
(5, 8)
"""

import re
from bisect import bisect_right

from llmflow.ingestion.sentences import split_sentences

Span = tuple[int, int]

# A Hangul syllable is 0.55 (XLM-R) to 1.1 (cl100k) tokens in the tokenizers of the day, a Latin character of prose 0.2 to 0.3.
# Three UTF-8 bytes come to 0.76 here, one to 0.28: high enough that a chunk does not overrun an encoder of the first kind.
_WEIGHT_CHARACTER = 28
_WEIGHT_FURTHER_BYTE = 24

# Blanks at which masking loses nothing: no number, address or `label: value` pair stands across them.
_SAFE_BLANK = re.compile(r"(?<=[^\s0-9:：@\-.,(/|~])\s+(?!\S{0,2}[0-9])(?=[^\s@])")
_LOOSE_BLANK = re.compile(r"(?<=[^\s0-9])\s+|\s+(?=[^\s0-9])")
_SEAM = re.compile(r"(?<=[^\sA-Za-z0-9@._+\-])(?=\S)|(?<=\S)(?=[^\sA-Za-z0-9@._+\-])")


def count_tokens(text: str) -> int:
    """Return about how many tokens a multilingual encoder makes of `text`, rounded up. Deterministic, offline, fast."""
    return -(-weigh_tokens(text) // 100)


def weigh_tokens(text: str) -> int:
    """Return the same in hundredths of a token: the weights of two texts add up to the weight of both joined."""
    further = 0 if text.isascii() else len(text.encode("utf-8", "surrogatepass")) - len(text)
    return (len(text) - text.count(" ") - text.count("\n")) * _WEIGHT_CHARACTER + further * _WEIGHT_FURTHER_BYTE


def sentence_pieces(text: str, limit: int) -> list[Span]:
    """Return trimmed spans of whole sentences, in order; a sentence over `limit` tokens is cut as `bounded_spans` says.

    A sentence that ends in a colon stays with the next one where both fit: it announces it, and names what it holds.
    """
    spans: list[Span] = []
    for start, end in split_sentences(text):
        announces = bool(spans) and text[spans[-1][1] - 1] in ":："
        if announces and count_tokens(text[spans[-1][0] : end]) <= limit:
            spans[-1] = (spans[-1][0], end)
        elif end - start <= limit or count_tokens(text[start:end]) <= limit:
            spans.append((start, end))
        else:
            spans.extend(bounded_spans(text, start, end, limit))
    return spans


def bounded_spans(text: str, start: int, end: int, limit: int) -> list[Span]:
    """Return trimmed spans of at most `limit` tokens that cover text[start:end], in order.

    Cuts at blanks that are not inside or beside a number, an address or a `label: value` pair; where there is none in the
    second half of a piece at any other blank, then between characters that cannot belong to one number or address.
    """
    spans: list[Span] = []
    while True:
        while start < end and text[start].isspace():
            start += 1
        stop = _reach(text, start, end, limit)
        if stop >= end:
            break
        cut = _last_cut(text, start, stop)
        spans.append((start, start + len(text[start:cut].rstrip())))
        start = cut
    if text[start:end].strip():
        spans.append((start, start + len(text[start:end].rstrip())))
    return spans


def _reach(text: str, start: int, end: int, limit: int) -> int:
    """Return the largest stop such that text[start:stop] fits the limit; at least one character."""
    # No character counts more than a token (a four-byte one does), so the first bound always fits.
    low = start + max(limit, 1)
    if low >= end:
        return end
    high = low
    while high < end and count_tokens(text[start:high]) <= limit:
        low, high = high, start + 2 * (high - start)
    high = min(high, end)
    offsets = range(low, high + 1)
    fit = bisect_right(offsets, limit, key=lambda stop: count_tokens(text[start:stop]))
    return max(offsets[fit - 1] if fit else low, start + 1)


def _last_cut(text: str, start: int, stop: int) -> int:
    half = start + (stop - start) // 2
    for pattern in (_SAFE_BLANK, _LOOSE_BLANK, _SEAM):
        cut = 0
        # One character more, so that a blank right behind the piece can be used.
        for match in pattern.finditer(text, half, min(stop + 16, len(text))):
            if match.start() > stop:
                break
            if match.start() > start:
                cut = match.start()
        if cut:
            return cut
    return stop
