"""Personal names in form fields: `성명: 홍길동`, `| 담당자 | 김철수 |`, `Applicant: John Smith`.

Names in running prose are left alone: without a language model they cannot be told from nouns.
"""

import re
from collections.abc import Iterator

from llmflow.ingestion.masking_words import (
    COMMON_SURNAMES,
    DOUBLE_SURNAMES,
    GIVEN_SYLLABLES,
    LATIN_NOUNS,
    NOUNS,
    SURNAMES,
    UNIT_ENDINGS,
    UNIT_ENDINGS_OF_NAMES_TOO,
    UNIT_STEMS,
    UNIT_SUFFIXES,
)

Span = tuple[int, int]

# Labels that only a person's name answers, and labels that products and files have too.
_STRONG_KO = (
    r"(?:성\s{0,3}명|성\s{0,3}함|(?:신청|수령|신고|위임|수임|대리|임차|임대|매도|매수|보증|청구|진정|제보|출원|동의|발신|수신|의뢰|접수|문의|"
    r"방문|추천|보호|담당|책임|관리|승인|검토|기안|결재|작성|보고|가입|계약|피보험|대표|출장|구매|주문|보호|응시|지원|참석|참가|진행|교육|"
    r"인솔|발표|요청|확인|입회)[자인]|예금주|대표이사|세대주|상담원|상담사|비상연락인|(?:환자|고객|직원|사원|회원|학생|강사|저자|배우자|"
    r"신청인|담당자|대표자|예금주|보호자|수령인|수신자|작성자|사용자|근로자|임직원|가족|본인|자녀)\s?(?:명|이름|성명|성함))"
)
_STRONG_EN = (
    r"(?:(?:full|first|last|employee|customer|applicant|patient|contact|cardholder|account\s?holder|client|member|student|guest|"
    r"passenger|user'?s?\s?real)[ _-]?names?|applicant|contact\s?person|account\s?holder|cardholder|signed\s?by|prepared\s?by|"
    r"approved\s?by|reviewed\s?by|submitted\s?by|representative|recipient|payee|beneficiary)"
)
_WEAK = r"(?:이\s{0,3}름|name)"
_NOTE = r"(?:\s?\([^()\n]{1,12}\))?"
_SEPARATOR = r"[\"']?[ \t]{0,4}(?:[:：=|\t])[ \t:：|\"']{0,12}"
_HANGUL_NAME = r"[가-힣]{2,4}|[가-힣](?: {1,3}[가-힣]){1,3}"
_LATIN_WORD = r"[A-Z](?:[A-Za-zÀ-ɏ'’\-]*[A-Za-zÀ-ɏ])"
_LATIN_NAME = rf"{_LATIN_WORD}(?:,? [A-Z]\.?)?(?:,? {_LATIN_WORD}){{0,2}}"
_TITLE = (
    r"(?:님|씨|군|양|귀하|사원|주임|대리|과장|차장|부장|팀장|실장|본부장|이사|상무|전무|부사장|사장|대표|교수|박사|선생님?|간호사|변호사|"
    r"주무관|사무관|책임|선임|수석|매니저|프로|의원|입니다|이며|이고)"
)
# The title may follow glued ("홍길동님"), but only where the name before it is whole.
_VALUE = rf"(?P<name>(?:{_HANGUL_NAME})(?=\s?{_TITLE}(?![가-힣])|(?![가-힣A-Za-z0-9]))|(?:{_LATIN_NAME})(?![A-Za-zÀ-ɏ0-9@]))"

_FIELD_START = r"(?:(?<=[\n|,;·•*\-(\[/\"'{>\t])|(?<=  )|(?<=[0-9][.)])|(?<![\s\S]))[ \t]{0,8}[\"']?"
_STRONG = re.compile(rf"(?<![가-힣A-Za-z])(?P<label>{_STRONG_KO}|(?i:{_STRONG_EN})){_NOTE}{_SEPARATOR}{_VALUE}")
# Forms read from a PDF lose their rules and colons.
_BARE = re.compile(
    rf"(?<![가-힣A-Za-z])(?:성\s{{0,3}}명|성함|예금주|대표이사) {{1,8}}"
    rf"(?P<name>[가-힣]{{3}})(?=\s?{_TITLE}(?![가-힣])|(?![가-힣]))"
)
_LOOSE = re.compile(rf"{_FIELD_START}(?P<label>(?i:{_WEAK})){_NOTE}{_SEPARATOR}{_VALUE}")
_CELL_LABEL = re.compile(rf"(?:(?P<strong>{_STRONG_KO}|(?i:{_STRONG_EN}))|(?i:{_WEAK})){_NOTE}[:：]?$")
_CELL_VALUE = re.compile(rf"{_VALUE}(?:\s?{_TITLE})?$")
_MORE = re.compile(rf"\s?{_TITLE}?\s?[,、·/]\s?{_VALUE}")

# What stands in a person's record besides the name: dishes and statues have a `name:` too.
_PERSONAL = re.compile(
    r"@|phone|mobile|\btel\b|e-?mail|birth|\bdob\b|employee|department|position|job\s?title|address|gender|"
    r"연락처|전화|휴대|메일|생년|성별|부서|직급|직책|직위|주소|사번|주민|소속",
    re.IGNORECASE,
)
_RECORD_REACH = 120

# Every text in which a name can be found holds this: a label, and a separator a little behind it.
LABEL_HINT = re.compile(
    r"(?:성\s{0,3}[명함]|예금주|대표이사) {1,8}[가-힣]{3}|"
    r"(?:성\s{0,3}[명함]|이\s{0,3}름|[자인사원주명]|이사|(?i:names?|applicant|person|holder|signed\s?by|prepared\s?by|approved\s?by|"
    r"reviewed\s?by|submitted\s?by|representative|recipient|payee|beneficiary))"
    r"(?:\s?\([^()\n]{1,12}\))?[\"']?[ \t]{0,4}[:：=|\t<]"
)


def find_names(view: str) -> Iterator[Span]:
    """Yield spans of names in labelled fields and under labelled table columns; spans may repeat."""
    for pattern, strong in ((_STRONG, True), (_LOOSE, False), (_BARE, False)):
        for match in pattern.finditer(view):
            start, end = match.span("name")
            if not is_name(view[start:end], strong):
                continue
            if pattern is _LOOSE and view[start].isascii() and not _is_form(view, match):
                continue
            yield start, end
            more = _MORE.match(view, end)
            while more and is_name(more["name"], strong=False):
                yield more.span("name")
                more = _MORE.match(view, more.end("name"))


def _is_form(view: str, match: re.Match[str]) -> bool:
    """Whether a Latin answer to a bare `name` stands in a person's form or record."""
    if (
        match["label"].istitle()
        and view[match.end("label")] == ":"
        and view[match.start("label") - 1 : match.start("label")] in "\n"
    ):
        return True
    around = view[max(match.start() - _RECORD_REACH, 0) : match.start()] + view[match.end() : match.end() + _RECORD_REACH]
    return _PERSONAL.search(around) is not None


def find_column_names(cell: str, header: str) -> Span | None:
    """Return the span of the name inside `cell`, if `header` asks for one."""
    label = _CELL_LABEL.match(header)
    value = _CELL_VALUE.match(cell) if label else None
    if label and value and is_name(value["name"], strong=label["strong"] is not None):
        return value.span("name")
    return None


def is_name(value: str, strong: bool) -> bool:
    """Return whether the answer to a name field is a person; `strong` when nothing but people has such a field."""
    if value[0].isascii():
        return _is_latin_name(value, strong)
    name = "".join(value.split())
    if name in NOUNS or name.endswith(UNIT_SUFFIXES) or name[-1] in UNIT_ENDINGS:
        return False
    if name[:2] in UNIT_STEMS and name[-1] in UNIT_ENDINGS_OF_NAMES_TOO:
        return False
    if name.startswith(DOUBLE_SURNAMES) and len(name) > 2:
        return True
    if name[0] not in (SURNAMES if strong else COMMON_SURNAMES):
        return False
    given = name[1:]
    if len(given) == 2 and strong:
        return given[-1] in GIVEN_SYLLABLES
    return (strong or len(given) == 2) and all(syllable in GIVEN_SYLLABLES for syllable in given)


def _is_latin_name(value: str, strong: bool) -> bool:
    words = [word.strip(".,'").lower() for word in value.split()]
    if any(word in LATIN_NOUNS for word in words):
        return False
    if not strong and value.isupper():
        return False
    return len(words) >= 2
