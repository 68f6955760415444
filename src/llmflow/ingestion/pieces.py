"""Token estimates, and text cut into pieces that fit a limit.

>>> count_tokens("the quick brown fox"), count_tokens("배포 절차를 확인합니다")
(5, 8)
"""

import re
from bisect import bisect_right

from llmflow.ingestion.sentences import split_sentences

Span = tuple[int, int]

# Measured against cl100k and published XLM-R and Qwen counts: they range from 0.55 to 1.1 tokens a Hangul syllable and
# agree on about 0.28 a Latin character of prose. The estimate leans high so that a chunk never overruns an encoder.
_WEIGHT_LATIN = 28
_WEIGHT_OTHER = 75

# Blanks at which masking loses nothing: no number, address or `label: value` pair stands across them.
_SAFE_BLANK = re.compile(r"(?<=[^\s0-9:：@\-.,(/|~])\s+(?!\S{0,2}[0-9])(?=[^\s@])")
_LOOSE_BLANK = re.compile(r"(?<=[^\s0-9])\s+|\s+(?=[^\s0-9])")
_SEAM = re.compile(r"(?<=[^\sA-Za-z0-9@._+\-])(?=\S)|(?<=\S)(?=[^\sA-Za-z0-9@._+\-])")


def count_tokens(text: str) -> int:
    """Return about how many tokens a multilingual encoder makes of `text`, rounded up. Deterministic, offline, fast."""
    return -(-weigh_tokens(text) // 100)


def weigh_tokens(text: str) -> int:
    """Return the same in hundredths of a token: the weights of two texts add up to the weight of both joined."""
    other = (len(text.encode("utf-8", "surrogatepass")) - len(text)) // 2 if not text.isascii() else 0
    latin = len(text) - other - text.count(" ") - text.count("\n")
    return latin * _WEIGHT_LATIN + other * _WEIGHT_OTHER


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
    # No character counts more than 1.5 tokens (a four-byte one), so the first bound always fits.
    low = start + max(int(limit / 1.6) - 1, 1)
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
