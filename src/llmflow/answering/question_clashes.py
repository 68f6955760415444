"""What two wordings may not differ in, however alike they are: numbers, negation, directions, rates, what is asked for."""

import re

from llmflow.answering.question_forms import QuestionForm, compatible

ONE = re.compile(r"1(달|번|박|회|일|명|인|개|주|년|해|날|건|차례|월|초|분|시간)")
"""`한 달` for `월`, `한 번에`: a one that counts nothing."""
ASKED_UNTIL = re.compile(r"(?:언제|며칠|몇\s*[가-힣]+|어디)까지")
ASKED_SINCE = re.compile(r"(?:언제|며칠|몇\s*[가-힣]+|어디)부터")
RATE = re.compile(
    r"(초|분|시간|하루|일|주|월|달|년|연|건|명|박|회|번|개)\s?(?:당|마다)|"
    r"(?:매|한|(?<!\d)1)\s?(초|분|시간|일|주|월|달|년|해|건|명|박|번|회)|"
    r"(?<![가-힣\d])(하루|연간|월간|주간|일일|하룻밤|월|연|일)(?=\s|에)|"
    r"\b(?:per|a|each|every) (second|minute|hour|day|week|month|year|night|person)\b"
)
DEADLINE = re.compile(r"언제까지|기한|마감|\bdeadline|\bby when\b")
ONCE = re.compile(r"(?<!\d)1\s?[회번](?!차)")
SAME_RATE: dict[str, str] = {
    "하루": "일",
    "달": "월",
    "연": "년",
    "해": "년",
    "연간": "년",
    "월간": "월",
    "주간": "주",
    "일일": "일",
    "번": "회",
    "하룻밤": "박",
}
MONEY = re.compile(
    r"얼마(?:인가요|예요|이에요|죠|야|인지|입니까|나 (?:받|나오|드))|얼마[를을]?\s*(?:받|내|주|지급|지원|보상)|"
    r"금액|비용[이은]? 얼마|액수|요금"
)
DAYS = re.compile(r"며칠|몇\s*(?:일|주|달|개월|년|시간|분)|기간")

TIMES = (
    ("last", re.compile(r"작년|지난해|전년|\blast year\b")),
    ("next", re.compile(r"내년|다음 해|\bnext year\b")),
    (
        "before",
        re.compile(
            r"예전|과거|종전|기존|재작년|(?:바뀌|변경되|개정되)기 전|(?:개정|변경|점검) 전까지는|(?:개정|변경) 전|이전에는|"
            r"\b(?:previously|formerly|used to|in the past)\b",
            re.IGNORECASE,
        ),
    ),
)
"""Times that are not now: who names none asks about today."""


def clash_of(text: str, form: QuestionForm, other_text: str, other: QuestionForm) -> str:
    """Return in what two questions clash; empty where in nothing. The order of the two does not matter."""
    texts, forms = (text, other_text), (form, other)
    clashes = {
        "what is asked for": not asked_alike(form.asked, other.asked),
        "numbers": _numbers(form) != _numbers(other),
        "negation": form.exact.count("not") % 2 != other.exact.count("not") % 2,
        "direction": _directions_clash(form, other),
        "limit": _crossed(ASKED_SINCE, ASKED_UNTIL, *texts),
        "rate": _apart(*map(_rates, texts)) or _apart(*map(_ones, forms)) or _apart(*map(rates_of, texts, forms)),
        "times": len({bool(ONCE.search(one)) for one in texts}) > 1 and not all(map(rates_of, texts, forms)),
        "time": len({tuple(name for name, pattern in TIMES if pattern.search(one)) for one in texts}) > 1,
        "money": _crossed(MONEY, DAYS, *texts),
        "giver": "who" in form.asked and ("받" in form.words) != ("받" in other.words),
    }
    return next((name for name, found in clashes.items() if found), "")


def asked_alike(one: str, other: str) -> bool:
    """Return whether two things asked for may have one answer: more freely than `compatible`, since a judge looks on.

    What names no kind (`what`, `tell`) may be any but a yes or no; `when` may be a number of days.
    """
    if compatible(one, other):
        return True
    kinds = [{kind.split(":")[0] for kind in asked.split("+")} for asked in (one, other)]
    if kinds[0] & kinds[1]:
        return ":" not in one + other
    if any("whether" in some for some in kinds):
        return False
    timed = [
        asked == "amount:time" or asked == "amount" or kind == {"when"} for asked, kind in zip((one, other), kinds, strict=True)
    ]
    return any(some <= {"what", "tell"} for some in kinds) or (all(timed) and {"when"} in kinds)


def rates_of(text: str, form: QuestionForm) -> set[str]:
    """Return what is counted by: the day of `하루 한도`, the time of `1회 한도`."""
    return _rates(text) | _ones(form)


def limits_of(text: str, form: QuestionForm) -> set[str]:
    """Return whether a question asks within, since or until when."""
    return {name for name in ("within", "since") if name in form.exact} | ({"until"} if DEADLINE.search(text) else set())


def counted(form: QuestionForm) -> list[str]:
    """Return what two questions should have alike: numbers, negations, directions, without a one that counts nothing."""
    return [item for item in form.exact if not ONE.fullmatch(item) and item not in ("within", "since")]


def _numbers(form: QuestionForm) -> list[str]:
    return sorted(item for item in form.exact if item[0].isdigit() and not ONE.fullmatch(item))


def _ones(form: QuestionForm) -> set[str]:
    units = [str(one.group(1)) for one in map(ONE.fullmatch, form.exact) if one]
    return {SAME_RATE.get(unit, unit) for unit in units}


def _rates(text: str) -> set[str]:
    found = [str(match.group(match.lastindex or 0)) for match in RATE.finditer(text)]
    return {SAME_RATE.get(unit, unit) for unit in found}


def _directions_clash(form: QuestionForm, other: QuestionForm) -> bool:
    sides = [{item for item in one.exact if " " in item} for one in (form, other)]
    if min(map(len, sides)) > 1 and sides[0] != sides[1]:
        return True
    ways = [{item.split()[0] for item in some} for some in sides]
    crossed = any("before" in one and "after" in two for one, two in (ways, ways[::-1]))
    return crossed or ("without" in ways[0]) != ("without" in ways[1])


def _crossed(one: re.Pattern[str], other: re.Pattern[str], text: str, second: str) -> bool:
    return any(one.search(a) and other.search(b) for a, b in ((text, second), (second, text)))


def _apart(one: set[str], other: set[str]) -> bool:
    return bool(one and other) and not one & other
