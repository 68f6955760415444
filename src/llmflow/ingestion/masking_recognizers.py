"""Korean identifiers that Presidio's recognisers miss, found by pattern and by the words before them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llmflow.ingestion.masking_names import find_column_names, find_names

KINDS = ("EMAIL", "RRN", "FOREIGNER", "CARD", "DRIVER", "BUSINESS", "PASSPORT", "PHONE", "ACCOUNT", "IBAN", "IP", "NAME")
"""Most specific first: where two overlap, the earlier names the placeholder."""


@dataclass(frozen=True, slots=True)
class Finding:
    start: int
    end: int
    kind: str


_BEFORE, _AFTER = 60, 16

CONTEXT = {
    kind: re.compile(words, re.IGNORECASE)
    for kind, words in {
        "RRN": r"주민|등록번호|생년월일|\bRRN\b|resident\s+(?:registration|no|number)",
        "FOREIGNER": r"외국인|거소|등록번호|\bFRN\b|foreigner|alien\s+registration",
        "PHONE": r"전화|연락처|휴대|핸드폰|모바일|팩스|\bH\.?P\b|\btel\b|phone|mobile|\bfax\b|\bcell\b",
        "CARD": r"카드|\bcards?\b|visa|master\s?card|amex",
        "BUSINESS": r"사업자|법인등록|\bBRN\b|business\s+(?:registration|number|no)|tax\s+(?:registration|id)",
        "PASSPORT": r"여권|passport",
        "DRIVER": r"면허|driver'?s?\s+licen[cs]e",
        "ACCOUNT": r"계좌|예금주|입금|송금|이체|통장|급여이체|은행|뱅크|농협|수협|신협|새마을금고|우체국|저축|증권|"
        r"\bIBK\b|\bKEB\b|\bKDB\b|\bNH\b|\bKB\b|\bSC제일|account\s*(?:no|num|#|:)|\bA/C\b|\bbank\b",
    }.items()
}

_NOT_INSIDE = r"(?<![0-9A-Za-z])(?<![0-9]-)"
REGIONS = tuple("서울 부산 대구 인천 광주 대전 울산 경기 강원 충북 충남 전북 전남 경북 경남 제주".split())
"""What the number of a driver's licence may begin with."""
_REGION = f"(?:{'|'.join(REGIONS)})"
_PHONE_GAP = r"(?:[-.)]?\s{0,2}|\s-\s|-\n)"
_MOBILE = rf"(?:\(?\+?82\)?[-. ]?(?:\(0\))?0?1[016-9]|\(?01[016-9]){_PHONE_GAP}[0-9]{{3,4}}{_PHONE_GAP}[0-9]{{4}}"
_AREA = r"(?:\(?\+?82\)?[-. ]?(?:\(0\))?0?|\(?0)(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[2-8]?)"
_LANDLINE = rf"{_AREA}(?:[-.)]\s{{0,2}}|\s|\s-\s)[0-9]{{3,4}}(?:[-.]\n?|\s|\s-\s)[0-9]{{4}}"

_Test = Callable[[str, str], bool]


def _always(_matched: str, _near: str) -> bool:
    return True


def _with_context(kind: str) -> _Test:
    context = CONTEXT[kind]
    return lambda _matched, near: context.search(near) is not None


def _card(matched: str, near: str) -> bool:
    return luhn(matched) or CONTEXT["CARD"].search(near) is not None


def _account(matched: str, near: str) -> bool:
    return 10 <= sum(map(str.isdigit, matched)) <= 16 and CONTEXT["ACCOUNT"].search(near) is not None


def _iban(matched: str, _near: str) -> bool:
    code = "".join(matched.split()).upper()
    return int("".join(str(int(character, 36)) for character in code[4:] + code[:4])) % 97 == 1


def _ip(matched: str, _near: str) -> bool:
    return all(int(part) < 256 for part in matched.split("."))


_PATTERNS: tuple[tuple[str, re.Pattern[str], _Test], ...] = tuple(
    (kind, re.compile(pattern), test)
    for kind, pattern, test in (
        # Six digits, a hyphen and seven, the first of them a sex digit: masked even where date or checksum is wrong.
        ("RRN", r"(?<![0-9])[0-9]{6}\s?-\s?[1-4](?:[0-9]{6}(?![0-9])|[*●xX]{6})", _always),
        ("FOREIGNER", r"(?<![0-9])[0-9]{6}\s?-\s?[5-8](?:[0-9]{6}(?![0-9])|[*●xX]{6})", _always),
        ("RRN", _NOT_INSIDE + r"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]) [1-4][0-9]{6}(?![0-9])", _always),
        ("RRN", r"(?<![0-9])[0-9]{6} ?[1-4][0-9]{6}(?![0-9])", _with_context("RRN")),
        ("FOREIGNER", r"(?<![0-9])[0-9]{6} ?[5-8][0-9]{6}(?![0-9])", _with_context("FOREIGNER")),
        ("FOREIGNER", r"(?<![0-9])[0-9]{6} ?[5-8][0-9]{6}(?![0-9])", _with_context("RRN")),
        ("PHONE", rf"(?<![0-9A-Za-z])(?<![0-9][-.]){_MOBILE}(?![0-9]|-[0-9])", _always),
        ("PHONE", rf"(?<![0-9A-Za-z])(?<![0-9][-.]){_LANDLINE}(?![0-9]|-[0-9])", _always),
        ("PHONE", rf"(?<![0-9])(?<![0-9][-.])(?:{_MOBILE}|{_LANDLINE})(?![0-9]|-[0-9])", _with_context("PHONE")),
        ("PHONE", r"(?<![0-9])0[2-7][0-9]{7,9}(?![0-9])", _with_context("PHONE")),
        ("CARD", _NOT_INSIDE + r"[0-9]{4}([- ])[0-9]{4}\1(?:[0-9]{4}|\*{4})\1(?:[0-9]{4}|\*{4})(?![0-9]|-[0-9])", _card),
        ("CARD", _NOT_INSIDE + r"3[47][0-9]{2}([- ])[0-9]{6}\1[0-9]{5}(?![0-9]|-[0-9])", _card),
        ("CARD", _NOT_INSIDE + r"[0-9]{15,16}(?![0-9])", _with_context("CARD")),
        ("BUSINESS", _NOT_INSIDE + r"[0-9]{3}\s?-\s?[0-9]{2}\s?-\s?[0-9]{5}(?![0-9]|-[0-9])", _with_context("BUSINESS")),
        ("BUSINESS", _NOT_INSIDE + r"[0-9]{10}(?![0-9])", _with_context("BUSINESS")),
        (
            "PASSPORT",
            r"(?<![A-Za-z0-9])(?:[MSRODmsrod][0-9]{3}[A-Za-z][0-9]{4}|[A-Za-z]{1,2}[0-9]{7,8})(?![A-Za-z0-9])",
            _with_context("PASSPORT"),
        ),
        ("DRIVER", _NOT_INSIDE + r"(?:1[1-9]|2[0-68])-[0-9]{2}-[0-9]{6}-[0-9]{2}(?![0-9]|-[0-9])", _always),
        ("DRIVER", _NOT_INSIDE + rf"{_REGION}\s?[0-9]{{2}}-[0-9]{{6}}-[0-9]{{2}}(?![0-9]|-[0-9])", _always),
        ("DRIVER", _NOT_INSIDE + r"[0-9]{2}[- ]?[0-9]{2}[- ]?[0-9]{6}[- ]?[0-9]{2}(?![0-9])", _with_context("DRIVER")),
        ("ACCOUNT", _NOT_INSIDE + r"[0-9]{2,7}(?:\s?-\s?[0-9]{1,8}){1,4}(?![0-9])", _account),
        ("ACCOUNT", _NOT_INSIDE + r"[0-9]{10,16}(?![0-9])", _account),
        ("ACCOUNT", _NOT_INSIDE + r"[0-9]{3,6}(?: [0-9]{2,7}){2,3}(?![0-9])", _account),
        ("IBAN", r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])", _iban),
        ("IP", r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z]|\.[0-9])", _ip),
    )
)

_DATE_TIME = re.compile(r"(?:19|20)[0-9]{2}\s?[-.]\s?[01]?[0-9]\s?[-.]\s?[0-3]?[0-9](?![0-9])")


def find_korean(view: str, kinds: frozenset[str]) -> Iterator[Finding]:
    """Yield what the patterns, the name fields and the table columns show; findings may overlap."""
    columns = table_cells(view) if "|" in view or "\t" in view else []
    for kind, pattern, test in _PATTERNS:
        if kind not in kinds:
            continue
        for match in pattern.finditer(view):
            start, end = match.span()
            matched = match.group()
            if kind == "ACCOUNT" and _DATE_TIME.match(matched):
                continue
            if test(matched, near(view, start, end, columns)):
                yield Finding(start, end, kind)
    if "NAME" in kinds:
        for start, end in find_names(view):
            yield Finding(start, end, "NAME")
        for start, end, header in columns:
            span = find_column_names(view[start:end], header)
            if span:
                yield Finding(start + span[0], start + span[1], "NAME")


def near(view: str, start: int, end: int, columns: list[tuple[int, int, str]]) -> str:
    """Return the words that say what stands at [start:end]: the line before it, a little behind it, its column's header."""
    left = max(view.rfind("\n\n", 0, start) + 1, start - _BEFORE, 0)
    words = [view[left:start], view[end : end + _AFTER].partition("\n")[0]]
    words.extend(header for left, right, header in columns if left <= start < right)
    return " ".join(words)


def luhn(number: str) -> bool:
    """Return whether the digits of a card number end in their check digit (ISO/IEC 7812); False if some are hidden."""
    digits = [int(character) for character in number if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(digits) > 12 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def table_cells(view: str) -> list[tuple[int, int, str]]:
    """Return (start, end, header) of the cells under the first line of each table; cells are trimmed."""
    cells: list[tuple[int, int, str]] = []
    headers: list[str] = []
    position = 0
    for line in view.splitlines(keepends=True):
        separator = "|" if "|" in line else "\t" if "\t" in line else ""
        if not separator:
            headers = []
        else:
            row = _cells(line, position, separator)
            if headers:
                cells.extend((*cell, header) for cell, header in zip(row, headers, strict=False))
            else:
                headers = [view[start:end] for start, end in row]
        position += len(line)
    return cells


def _cells(line: str, position: int, separator: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for piece in line.split(separator):
        stripped = piece.strip()
        left = position + len(piece) - len(piece.lstrip())
        spans.append((left, left + len(stripped)))
        position += len(piece) + 1
    return spans
