"""Numbers with their units, compared across spellings and languages.

>>> sorted(quantities("최대 5일, 250만 원, 70 percent"))
[(5.0, 'day'), (70.0, 'percent'), (2500000.0, 'won')]
"""

import re
import unicodedata

_UNITS = {
    "day": "일 일간 날 day days",
    "week": "주 주간 주일 week weeks",
    "month": "개월 달 month months",
    "year": "년 년간 연도 year years",
    "hour": "시간 hour hours hr hrs h",
    "minute": "분 분간 minute minutes min mins",
    "second": "초 초간 second seconds sec s",
    "o'clock": "시",
    "percent": "% 퍼센트 프로 percent pct",
    "won": "원 원정 krw won",
    "dollar": "달러 불 usd dollar dollars",
    "person": "명 인 people persons person employees",
    "time": "회 번 차례 times",
    "item": "개 건 items",
    "point": "점 points",
    "GB": "gb",
    "MB": "mb",
    "km": "km",
}
UNITS = {word: unit for unit, words in _UNITS.items() for word in words.split()}
MULTIPLES = {
    "천": 1e3,
    "만": 1e4,
    "백만": 1e6,
    "천만": 1e7,
    "억": 1e8,
    "조": 1e12,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
}
_SUFFIXES = "|".join(
    sorted(map(re.escape, (word for word in UNITS if "가" <= word[0] <= "힣" or word == "%")), key=len, reverse=True)
)
_MULTIPLE = "|".join(sorted(MULTIPLES, key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?P<number>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)(?:\s?(?P<multiple>{_MULTIPLE})(?![a-z]))?"
    rf"(?:\s?(?P<unit>{_SUFFIXES})|[\s-]?(?P<word>[A-Za-z]+))?",
    re.IGNORECASE,
)


def quantities(text: str) -> set[tuple[float, str]]:
    """Return every number of the text with its unit in one spelling; an unknown unit or none is an empty text."""
    found = set()
    for match in _NUMBER.finditer(unicodedata.normalize("NFKC", text)):
        value = float(match["number"].replace(",", ""))
        value *= MULTIPLES[match["multiple"].lower()] if match["multiple"] else 1
        unit = match["unit"] or (match["word"] or "").lower()
        found.add((value, UNITS.get(unit, "")))
    return found


def missing_quantities(claim: str, source: str) -> set[tuple[float, str]]:
    """Return the quantities of `claim` that `source` lacks; a unit that one of the two leaves out is no difference."""
    known = quantities(source)
    values = {value for value, unit in known if not unit}
    return {
        (value, unit)
        for value, unit in quantities(claim)
        if (value, unit) not in known and value not in values and (unit or value not in {number for number, _ in known})
    }
