"""Bytes to clean Unicode, and plain text to elements.

>>> decode("한글".encode("cp949")).text
'한글'
"""

import re
import unicodedata
from dataclasses import dataclass

from llmflow.ingestion.parsing.outcome import Reading
from llmflow.types import Element, ElementKind

SAMPLE = 65_536
_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_LINE_ENDS = re.compile("\r\n?|\x0c|\x85|\u2028|\u2029")
_SPACES = re.compile("[\xa0\u2000-\u200a\u202f\u205f]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
BULLET = re.compile(r"^\s*(?:[-*+•▪◦‣·●○■□◆◇▶※]|\(?\d{1,3}[.)]|\(?[a-z가-하][.)])\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text with the encoding it was read by; `repaired` counts bytes that could not be read."""

    text: str
    encoding: str
    repaired: int = 0


def clean(text: str) -> str:
    """Return `text` in NFC with Unix line ends, without control characters, lone surrogates and invisible marks."""
    text = _LINE_ENDS.sub("\n", text)
    text = _PAIR.sub(lambda match: match[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    text = _SPACES.sub(" ", _UNWANTED.sub("", text))
    return unicodedata.normalize("NFC", text)


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """Return the text of `data`; never raises.

    Order: byte order mark, UTF-16/32 by their zero bytes, UTF-8, cp949 where that gives common Hangul, Shift-JIS where it
    gives kana, the `declared` encoding, then the best guess of charset-normalizer.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_as(data, encoding)
    wide = _guess_wide(data[:SAMPLE])
    if wide:
        return _decode_as(data, wide)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    return _decode_as(data, _mostly_utf8(data) or _guess_legacy(data, declared))


def looks_binary(data: bytes) -> bool:
    """Return whether a file's first bytes are no text in any encoding that `decode` knows."""
    sample = data[:SAMPLE]
    if any(sample.startswith(mark) for mark, _ in _BOMS) or _guess_wide(sample):
        return False
    controls = sum(byte < 32 and byte not in b"\t\n\x0b\x0c\r\x1b" for byte in sample)
    return controls > max(2, len(sample) * 0.02)


def read_text(text: str) -> Reading:
    """Return paragraphs (split at blank lines) as TEXT and runs of bulleted lines as LIST_ITEMs."""
    elements: list[Element] = []
    for block in re.split(r"\n[ \t]*\n", text):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        if len(lines) > 1 and BULLET.match(lines[0]) and sum(bool(BULLET.match(line)) for line in lines) >= len(lines) / 2:
            elements.extend(Element(ElementKind.LIST_ITEM, item) for item in _items(lines))
        elif lines:
            elements.append(Element(ElementKind.TEXT, "\n".join(lines)))
    return Reading(elements)


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if BULLET.match(line) or not items:
            items.append(line.strip())
        else:
            items[-1] += "\n" + line.strip()
    return items


def _decode_as(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    repaired = text.count("\ufffd")
    return Decoded(text, encoding, repaired)


def _guess_wide(sample: bytes) -> str | None:
    """UTF-16 and UTF-32 without a mark show zero bytes at regular places and read as ordinary text."""
    if len(sample) < 4 or b"\x00" not in sample:
        return None
    candidates = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
    scores = {name: _plausible(sample, name) for name in candidates}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0.97 else None


def _plausible(sample: bytes, encoding: str) -> float:
    width = 4 if "32" in encoding else 2
    try:
        text = sample[: len(sample) // width * width].decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    good = sum(character in "\n\r\t\ufeff" or "\x20" <= character < "\x7f" or _is_letter(character) for character in text)
    return good / len(text)


def _is_letter(character: str) -> bool:
    code = ord(character)
    return (
        0xA0 <= code < 0x250
        or 0x2010 <= code < 0x2030
        or 0x3000 <= code < 0x3400
        or 0x4E00 <= code < 0xA000
        or 0xAC00 <= code < 0xD7A4
    )


def _mostly_utf8(data: bytes) -> str | None:
    """A UTF-8 file with a few broken bytes is still UTF-8: one in a hundred non-ASCII characters may be wrong."""
    text = data[: 16 * SAMPLE].decode("utf-8", "replace")
    broken = text.count("\ufffd")
    wide = sum(character > "\x7f" for character in text) - broken
    return "utf-8" if wide > 100 * broken else None


def _guess_legacy(data: bytes, declared: str | None) -> str:
    sample = _high_lines(data)
    if _share(sample, "cp949", _is_common_hangul) > 0.6:
        return "cp949"
    if _share(sample, "cp932", lambda character: "\u3040" <= character <= "\u30ff") > 0.25:
        return "cp932"
    if declared and _share(sample, declared, lambda _: True) > 0:
        return declared
    from charset_normalizer import from_bytes

    best = from_bytes(data[:SAMPLE], steps=5, chunk_size=512).best()
    if best is not None and len(sample) > 64 and _share(sample, best.encoding, lambda _: True) > 0:
        return best.encoding
    return "cp1252"


def _high_lines(data: bytes) -> bytes:
    """The first lines that hold non-ASCII bytes: a legacy file may start with kilobytes of ASCII."""
    lines = [line for line in data[: 32 * SAMPLE].split(b"\n") if not line.isascii()]
    return b"\n".join(lines)[:SAMPLE].rpartition(b"\n")[0] if len(lines) > 1 else b"".join(lines)


def _share(sample: bytes, encoding: str, wanted) -> float:
    try:
        text = sample.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return 0.0
    wide = [character for character in text if character > "\x7f"]
    return sum(wanted(character) for character in wide) / len(wide) if wide else 0.0


def _is_common_hangul(character: str) -> bool:
    """Among the 2,350 syllables of KS X 1001; Western accents misread as cp949 fall outside them."""
    if not "\uac00" <= character <= "\ud7a3":
        return False
    try:
        return len(character.encode("euc_kr")) == 2
    except UnicodeEncodeError:
        return False
