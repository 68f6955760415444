"""What single sentences tell, by patterns: a definition, a field (`운영 부서는 데이터플랫폼팀이다`), a figure with its unit.

>>> definition_of("RTO란 장애 뒤 복구까지 걸려도 되는 시간을 말한다.", set())
('RTO', '장애 뒤 복구까지 걸려도 되는 시간을 말한다')
>>> field_of("운영 부서는 데이터플랫폼팀이다.")
('운영 부서', '데이터플랫폼팀')
>>> figure_of("Badges are valid for 12 hours at most.")
('Badges are valid for how many hours at most?', '12 hours')
"""

import re
from collections.abc import Collection, Sequence

from llmflow.retrieval.entities import entity_key
from llmflow.retrieval.tokens import HANGUL, AnalyserSettings, Morpheme, load_kiwi, morphemes

PLAIN = AnalyserSettings(bigrams=False)

_QUOTED = "\"'“”‘’「」『』`"
_TERM = rf"[{_QUOTED}]?(?P<term>[^.,:;!?\n{_QUOTED}]{{2,40}}?)[{_QUOTED}]?(?:\s*\([^)\n]{{1,40}}\))?"
_KOREAN_NAMED = re.compile(rf"^{_TERM}(?:이란|란|라\s?함은)\s+(?P<body>.{{8,}}?)[.。]?$", re.DOTALL)
_KOREAN_MEANS = re.compile(
    rf"^{_TERM}(?:은|는)\s+(?P<body>.{{8,}}?[을를]\s*(?:말|뜻|의미|가리키|지칭)(?:한다|합니다|하며|킨다|킵니다))[.。]?$",
    re.DOTALL,
)
_KOREAN_IS = re.compile(rf"^{_TERM}(?:은|는)\s+(?P<body>.{{10,}}?(?:이다|입니다))[.。]?$", re.DOTALL)
_ENGLISH_MEANS = re.compile(
    rf"^(?:An?\s|The\s)?{_TERM}\s+(?:means|refers to|stands for|is defined as)\s+(?P<body>.{{8,}}?)\.?$", re.DOTALL
)
_ENGLISH_IS = re.compile(rf"^(?:An?\s|The\s)?{_TERM}\s+(?:is|are)\s+(?P<body>(?:an?|the)\s.{{10,}}?)\.?$", re.DOTALL)
_GLOSSARY = re.compile(r"^(?:[-*•]\s*)?(?P<term>[^:\n]{2,40}):\s+(?P<body>[^\n]{6,200})$")
_PRONOUN = re.compile(
    r"^(?:이|그|저|이러한|그러한|이런|그런|현재|이제|또한|다른|이것|그것|저것|이들|여기|다음|위|아래|이번|해당|모든|각|"
    r"it|this|that|these|those|they|there|he|she|we|you|i|here|which|what|one|each|all|some|both|the following)(?:\s|$)",
    re.IGNORECASE,
)
_NO_NOUN = re.compile(r"(?:하|되|있|없|않|때|것|수|중|경우|동안|후|뒤|전)$")
"""Ends of what is no noun phrase or names nothing: `사용하(는)`, `할 때(는)`."""
_MAY_BE_FIELD = re.compile(r"^(?:\S+\s){0,2}\S*[은는]\s(?:\S+\s){0,4}\S*(?:입니다|[^니한된는있없않간온든진친킨]다)[.。]?$")
"""Spares the morphemes of sentences that end in a verb: most do."""
_LOOSE = re.compile(r"(?:예정|때문|위한 것|것|뿐|마찬가지|정도)(?:이다|입니다)$")
"""Ends of a body that gives a reason or a plan and no meaning."""
_MAX_TERM_WORDS = 5
_NOUNISH = frozenset({"NNG", "NNP", "NNB", "NR", "XPN", "XSN", "SL", "SN", "SH", "JKG", "W_SERIAL"})
_UNITS = "일|주|주일|개월|년|시간|분|초|퍼센트|%|원|명|회|번|건|개|점|층|호|단계|자리|글자|메가바이트|기가바이트|킬로그램|미터"
_KOREAN_NUMBER = re.compile(
    rf"(?P<number>\d[\d,.]*\d|\d)\s?(?P<unit>{_UNITS})(?=[^가-힣]|까지|이내|이하|이상|부터|마다|안에|전|이|을|를|의|씩|로|에|$)"
)
_ENGLISH_NUMBER = re.compile(
    r"(?P<number>\d[\d,.]*\d|\d)(?:\s?(?P<percent>%|percent)|[\s-](?P<unit>[a-z]{2,}s|[a-z]+\s[a-z]{2,}s)\b)"
)
_AND = frozenset({"고", "며", "으며", "지만"})
"""Endings after which the sentence goes on with a second thought of its own, so that the first can be asked for alone."""


def definition_of(sentence: str, titles: Collection[str], glossary: bool = False) -> tuple[str, str] | None:
    """Return (term, body) of a sentence that defines a term, or None.

    A plain `X is a Y` counts only where X is one of `titles` (entity keys of title and headings), since most such sentences
    tell something else. `glossary` also reads `term: body` lines.
    """
    sentence = sentence.strip()
    patterns = [(_KOREAN_NAMED, False), (_KOREAN_MEANS, False), (_ENGLISH_MEANS, False), (_KOREAN_IS, True), (_ENGLISH_IS, True)]
    for pattern, titled in [*patterns, (_GLOSSARY, False)] if glossary else patterns:
        match = pattern.match(sentence)
        if not match or not _is_term(match["term"]) or _LOOSE.search(match["body"]):
            continue
        known = entity_key(match["term"]) in titles
        if known or (not titled and _is_noun_phrase(match["term"])):
            return match["term"].strip(), " ".join(match["body"].split())
    return None


def field_of(sentence: str) -> tuple[str, str] | None:
    """Return (name, value) of `이름은 값이다` where both are nouns, or None; the section is what it is a field of."""
    sentence = sentence.strip()
    if len(sentence) > 70 or not _MAY_BE_FIELD.search(sentence):
        return None
    tokens = morphemes([sentence], PLAIN)[0] or []
    topics = [n for n, token in enumerate(tokens) if token.tag == "JX" and token.form in ("은", "는")]
    copulas = [n for n, token in enumerate(tokens) if token.tag == "VCP"]
    if len(topics) != 1 or len(copulas) != 1 or not 0 < topics[0] < copulas[0] - 1:
        return None
    name, value, rest = tokens[: topics[0]], tokens[topics[0] + 1 : copulas[0]], tokens[copulas[0] + 1 :]
    if not all(token.tag in _NOUNISH for token in [*name, *value]) or any(token.tag not in ("EF", "SF") for token in rest):
        return None
    said, meant = sentence[: tokens[topics[0]].start], sentence[value[0].start : value[-1].start + value[-1].length]
    telling = HANGUL.search(said) and len(entity_key(said)) >= 2 and len(said.split()) <= 3 and said not in ("자체", "문제")
    plain = len(meant) <= 40 and value[-1].tag != "NNB" and value[-1].form not in ("적", "전용")
    return (said, meant) if telling and plain and _is_term(said) else None


def figure_of(sentence: str) -> tuple[str, str] | None:
    """Return (question, figure) of a sentence that states one figure of its subject, or None.

    The figure becomes the question word where it stands, and the sentence ends there: `병가는 한 해 30일까지 쓸 수 있고, ...`
    asks `병가는 한 해 며칠까지 쓸 수 있나요?`.
    """
    sentence = " ".join(sentence.split())
    if _PRONOUN.match(sentence) or not 12 <= len(sentence) <= 160:
        return None
    return _korean_figure(sentence) if HANGUL.search(sentence) else _english_figure(sentence)


def _korean_figure(sentence: str) -> tuple[str, str] | None:
    match = _KOREAN_NUMBER.search(sentence)
    if not match or match.start() > 60 or re.search(r"\d|[(:]|아래|예시|예를", sentence[: match.start()]):
        return None
    tokens = morphemes([sentence], PLAIN)[0] or []
    before = [token for token in tokens if token.start < match.start()]
    after = [token for token in tokens if token.start >= match.end()]
    grounded = any((token.tag == "JX" and token.form in ("은", "는")) or token.tag == "JKS" for token in before)
    if not grounded or any(token.tag in ("EC", "EF", "SF", "SC") for token in before) or before[0].tag in ("MM", "NP", "SN"):
        return None
    asked = {"%": "몇 퍼센트", "퍼센트": "몇 퍼센트", "원": "얼마", "일": "며칠"}.get(match["unit"], f"몇 {match['unit']}")
    ending = _clause_end(after)
    if ending is None or re.search(r"\d", sentence[match.end() : after[ending].start]):
        return None
    verb = _verb(sentence, after[: ending + 1])
    if verb is None:
        return None
    start, ended = verb
    figure = sentence[match.start() : match.end()]
    return f"{sentence[: match.start()]}{asked}{sentence[match.end() : start]}{ended}?", figure


def _clause_end(tokens: Sequence[Morpheme]) -> int | None:
    """Return the place of the ending that closes the first whole thought; None where it depends on what follows."""
    for place, token in enumerate(tokens):
        goes_on = token.tag == "ETM" or (token.tag == "EC" and tokens[place + 1 : place + 2] and tokens[place + 1].tag == "VX")
        if token.tag == "EF" or (token.tag == "EC" and token.form in _AND and not goes_on):
            return place
        if token.tag in ("EC", "ETN") and not goes_on:
            return None
    return None


def _verb(sentence: str, clause: Sequence[Morpheme]) -> tuple[int, str] | None:
    """Return where the clause's last word begins and that word ended as a question; None for a clause without a verb."""
    last = clause[-1].start
    start = sentence.rfind(" ", 0, last + 1) + 1
    word = [token for token in clause[:-1] if token.start >= start]
    word = word or [token for token in clause[:-1] if token.start >= last - 1]
    if not word or not any(token.tag[:2] in ("VV", "VA", "VX", "VC", "XS") for token in word):
        return None
    ending = "가요" if word[-1].tag == "VCP" else "나요"
    stem = [(token.form, token.tag) for token in word]
    joined = load_kiwi().join([*stem, ("ᆫ가요" if ending == "가요" else "나요", "EF")])
    return min(word[0].start, start) if word[0].start < start else word[0].start, joined


def _english_figure(sentence: str) -> tuple[str, str] | None:
    match = _ENGLISH_NUMBER.search(sentence)
    if not match or len(re.findall(r"\d[\d,.]*", sentence)) != 1 or len(sentence[: match.start()].split()) < 2:
        return None
    asked = "what percentage" if match["percent"] else f"how many {match['unit']}"
    rest = sentence[match.end() :].rstrip(". ")
    if (
        re.search(r"[(:,]", sentence[: match.start()])
        or len(rest.split()) > 10
        or re.search(r"[;:,]", rest)
        or not sentence[0].isupper()
    ):
        return None
    return f"{sentence[: match.start()]}{asked}{rest}?", match.group()


def _is_noun_phrase(term: str) -> bool:
    tokens = morphemes([term], PLAIN)[0]
    return tokens is None or all(token.tag in _NOUNISH for token in tokens)


def _is_term(term: str) -> bool:
    term = term.strip()
    return (
        len(entity_key(term)) >= 2
        and len(term.split()) <= _MAX_TERM_WORDS
        and not _PRONOUN.match(term)
        and not _NO_NOUN.search(term)
        and bool(re.search(r"[^\W\d_]{2}", term))
    )
