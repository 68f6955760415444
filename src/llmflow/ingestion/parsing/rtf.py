r"""RTF's characters made safe for pandoc, which reads only Western code pages and one replacement character after `\u`.

>>> normalise_rtf(rb"{\rtf1\ansi\ansicpg949 \'c7\'d1\uc2\u44544\'b1\'db.}")
b"{\\rtf1\\ansi\\ansicpg949 \\u-10916\\'3f\\uc1 \\u-20992\\'3f.}"
"""

import re

_TOKEN = re.compile(
    rb"\\uc(?P<count>\d+) ?|\\u(?P<code>-?\d+) ?|(?P<bytes>(?:\\'[0-9a-fA-F]{2}|[\x80-\xff])+)"
    rb"|\\[a-zA-Z]+-?\d* ?|\\.|.",
    re.S,
)
_CODE_PAGE = re.compile(rb"\\ansicpg(\d+)")
_CHARSETS = {b"129": "cp949", b"128": "cp932", b"134": "gbk", b"136": "big5", b"204": "cp1251", b"161": "cp1253"}
_CHARSET = re.compile(rb"\\fcharset(\d+)")


def normalise_rtf(data: bytes) -> bytes:
    """Return the document with every non-ASCII character as one `\\uN` and one replacement, whatever its code page was."""
    encodings = _encodings(data)
    parts: list[bytes] = []
    fallback = 1  # characters after a \\u that stand for readers without Unicode
    skip = 0
    for token in _TOKEN.finditer(data):
        if token["count"] is not None:
            fallback, skip = int(token["count"]), 0
            parts.append(b"\\uc1 ")
        elif token["code"] is not None:
            parts.append(_escape(chr(int(token["code"]) & 0xFFFF)))
            skip = fallback
        elif token["bytes"] is not None:
            raw = _unescape(token["bytes"])
            skip, raw = max(0, skip - len(raw)), raw[skip:]
            parts.append(_escape(_decode(raw, encodings)))
        elif skip and token[0] not in (b"{", b"}") and len(token[0]) == 1:
            skip -= 1
        else:
            skip = 0
            parts.append(token[0])
    return b"".join(parts)


def _encodings(data: bytes) -> list[str]:
    """Code pages to try, strictest first: those of the fonts, then that of the document."""
    head = data[:65_536]
    named = [_CHARSETS[number] for number in dict.fromkeys(_CHARSET.findall(head)) if number in _CHARSETS]
    page = _CODE_PAGE.search(head)
    return [*named, f"cp{int(page[1])}" if page else "cp1252", "cp1252"]


def _unescape(source: bytes) -> bytes:
    return re.sub(rb"\\'([0-9a-fA-F]{2})", lambda match: bytes([int(match[1], 16)]), source)


def _decode(raw: bytes, encodings: list[str]) -> str:
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


def _escape(text: str) -> bytes:
    units = text.encode("utf-16-le", "surrogatepass")
    numbers = (int.from_bytes(units[start : start + 2], "little", signed=True) for start in range(0, len(units), 2))
    return b"".join(b"\\u%d\\'3f" % number for number in numbers)
