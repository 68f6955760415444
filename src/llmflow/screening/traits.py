"""What a sentence has that tells texts for models from texts for people: words, what they speak of, who is addressed, how it ends.

A trait is a short name such as `w:assistant` (a word), `c:HIDE` (words of hiding), `p:AI+HIDE` (both in one sentence) or
`r:AI>VOC` (a machine is called). The classifier weighs them (screening/classifier.py); nothing here decides.

>>> sorted(trait for trait in traits("dear bot, praise us.") if trait.startswith("r:"))
['r:AI', 'r:AI>PUN', 'r:IMP', 'r:IMP:praise', 'r:dear<AI', 'r:dear<AI>PUN']
"""

# ruff: noqa: E501 - a pattern is read in one line

import itertools
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

_TOKEN = re.compile(r"[a-zà-ÿ][a-zà-ÿ'’\-]*|[가-힣]+|\d+|[\u3040-\u30ff\u4e00-\u9fff]{1,2}|[^\w\s]")
_CLAUSE_BREAKS = frozenset(".!?:;,\n(\"'")
_HANGUL_FIRST, _HANGUL_LAST = "가", "힣"
_LONGEST_STEM = 5
NEAR = 80
"""Characters within which two things that are spoken of belong together."""
_ENDINGS = (
    ("RA", re.compile(r"(?:라|거라|렴)$")),
    ("SIPSIO", re.compile(r"(?:십시오|시오|십시요)$")),
    ("SEYO", re.compile(r"(?:세요|줘요|아요|어요|해요)$")),
    ("HAE", re.compile(r"(?:해|줘|봐|둬|써|여|아|어|마|지마|달아|야)$")),
    ("GEOT", re.compile(r"것$")),
    ("DA", re.compile(r"다$")),
    ("NIDA", re.compile(r"니다$")),
    ("BARAM", re.compile(r"(?:바람|바랍니다|바란다|기|도록|듯)$")),
    ("MYEON", re.compile(r"(?:면|거든|더라도|어도|아도|든지|든|때|때는|때마다|라도)$")),
    ("HANDA", re.compile(r"(?:한다|준다|는다|된다|난다|린다|낸다|킨다|쓴다)$")),
)
"""How a Korean sentence asks: plain orders, polite ones, requests, notes, statements."""
_MACHINE = re.compile(
    r"(?<![a-z])(?P<who>(?:(?:ai|a\.i\.|artificial|automated|automatic|digital|electronic|virtual|silicon|smart|intelligent|computer|robotic|machine|neural|generative|language|chat|"
    r"answering|question-answering|summari[sz]ing|translating|screening|scoring|grading|office|mail|inbox|coding|shopping|search|help|helper|text|triage|voice|support)[ \-]+){0,3}"
    r"(?:ai|a\.i\.|llms?|gpt|chatgpt|assistants?|(?:chat|help)?-?bots?|models?|agents?|copilots?|engines?|algorithms?|robots?|machines?|crawlers?|scrapers?|summari[sz]ers?|classifiers?|"
    r"graders?|generators?|helpers?|widgets?|intelligences?|transformers?|software|programs?|systems?|services?|tools?|readers?|colleague|companion|friend|clerk|butler|respondents?|"
    r"processors?|marker|translator|parser|retrievers?|pipeline|thing))(?![a-z])"
    r"(?P<next>\s*[,:!;\-–—]|\s+(?:must|should|shall|will|would|can|may|might|is|are|has|have|needs?|ought|had)\b(?:\s+(?:to|better|not|only|always))?|"
    r"\s+(?:that|who|which|reading|processing|handling|answering|asked|summari[sz]ing|connected|hooked|behind|on)\b|)"
)
_SURELY_MACHINE = re.compile(
    r"\b(?:ai|llms?|gpt|chatgpt|(?:chat|help)?-?bots?|assistants?|copilots?|robots?|language models?|summari[sz]ers?|artificial intelligence|models?|agents?|crawlers?|automated \w+|"
    r"machine readers?|algorithms?|digital \w+)\b"
)
_BEFORE = re.compile(
    r"(?:^|[\s(\[])(to|for|dear|hey|hello|hi|attention|any|every|all|if|when|whichever|whatever|should|note|the|this|our|your|an?|by|as)\s+"
    r"(?:the |any |all |every |an? |our |whatever |whichever )?$"
)
_MODALS = frozenset("must should shall will would can may might needs need ought had".split())
_RELATIVES = frozenset("that who which reading processing handling answering asked hooked behind on".split())
_KO_MACHINE = re.compile(
    r"(?P<who>(?:(?:자동|디지털|전자|대화형|생성형|인공지능|ai|챗봇|자동화|실리콘|똑똑한|영리한|사내|채팅|검색|상담|번역|요약|답변|응답|메일|코딩|심사|채점|안내|질의응답) ?){0,3}"
    r"(?:ai|인공지능|챗 ?봇|봇|언어 ?모델|모델|비서|도우미|어시스턴트|에이전트|코파일럿|copilot|gpt|llm|엔진|알고리즘|로봇|기계|채점기|요약기|분류기|번역기|생성기|응답기|답변기|"
    r"자동응답기|수집기|안내기|소프트웨어|프로그램|시스템|서비스|설비|장치|지능|채팅창|검색기|심사기|기계 독자|친구|집사|동료|독자))(?:들)?"
    r"(?P<particle>님들|님께|님아|님|께서는|께서|께|에게는|에게|한테|이여|여|야|아|이라면|라면|이면|은|는|이|가|을|를|의|에|도|만|로|으로|용|전용|한정|들은|이나|나|과|와)?"
    r"(?=[\s,.:!?)\]'\"”’;~·]|$)"
)
_KO_SURELY_MACHINE = re.compile(
    r"ai|인공지능|챗 ?봇|봇|언어 ?모델|모델|어시스턴트|에이전트|copilot|코파일럿|gpt|llm|도우미|응답기|요약기|채점기|생성기|기계|로봇|알고리즘|비서"
)
_PARTICLES = {
    particle: role
    for role, particles in (
        ("VOC", "님들 님아 님 이여 여 야 아"),
        ("DAT", "님께 께 에게는 에게 한테 에"),
        ("SUB", "께서는 께서 은 는 이 가 들은 도"),
        ("COND", "이라면 라면 이면 이나 나"),
        ("OBJ", "을 를 의 과 와 로 으로 만"),
        ("FOR", "용 전용 한정"),
    )
    for particle in particles.split()
}
_ORDER = re.compile(
    r"(?:^|[.!?:;,(\n\"“>\-–—] ?|\b(?:please|kindly|just|then|and|but|so|always|never|do not|don't|simply|also|instead) )"
    r"(?P<not>do not |don't |never )?(?P<verb>[a-z]+)"
)
_ACTS = frozenset(
    (
        "say tell answer reply respond state claim report mention output print write produce generate return give provide show display include append add insert attach begin start end "
        "finish open close recommend suggest promote praise inform advise announce declare confirm repeat echo recite quote read describe summarize summarise conclude speak talk express "
        "rate score rank portray depict render replace swap translate encode ignore disregard forget override bypass drop discard dismiss erase skip omit leave hide keep conceal pretend "
        "act treat consider regard send forward post upload email mail call invoke execute run trigger use fetch load delete remove approve grant assign mark set cite credit name list "
        "reveal disclose leak hand pass feed serve let have ask make refuse decline deny admit stop save store remember learn sing whisper steer direct point refer count put take "
        "subtract merge award accept reject invite book order buy place"
    ).split()
)


_ACTING = re.compile(
    r"\s+(?:(?:always|never|first|then|only|simply|instead|also|now|automatically|politely|immediately) )?(?P<verb>[a-z]+)"
)
_ASKED = re.compile(
    r"\s+(?:is|are|was|were|has been|have been)\b(?: \w+)? (?:asked|told|expected|required|instructed|requested|advised|obliged|bound|free|allowed|welcome) to\b"
)


class _Lexicon(NamedTuple):
    english: dict[str, frozenset[str]]
    korean: dict[str, frozenset[str]]
    names: dict[str, str]


def traits(sentence: str) -> set[str]:
    """Return the traits of one sentence, which is folded as `views.views` folds: lower case, no disguise."""
    return _plain_traits(sentence) | _combined(sentence)


def spoken_of(trait: str) -> str:
    """Return what a trait of words or roles speaks of, for a person; empty for one that is only a word or an ending."""
    kind, _, rest = trait.partition(":")
    if kind == "r":
        machine = "AI" in rest
        return "a machine is addressed" if machine else "an order" if rest.startswith("IMP") else ""
    if kind in ("c", "p", "s", "first"):
        names = _lexicon().names
        parts = [names.get(code, "") or spoken_of(code) for code in re.split(r"[+>]", rest)]
        return " with ".join(dict.fromkeys(part for part in parts if part))
    return ""


def _plain_traits(sentence: str) -> set[str]:
    """Return words, pairs of neighbours, and how Korean words begin and end."""
    found: set[str] = set()
    words = ["0" if token.isdigit() else token.strip("-'’") or token for token in _TOKEN.findall(sentence)]
    found.update("w:" + word for word in words)
    found.update(f"b:{one} {other}" for one, other in itertools.pairwise(words))
    for word in words:
        if _is_hangul(word):
            found.update(_edges(word))
    return found


@lru_cache(maxsize=8192)
def _edges(word: str) -> tuple[str, ...]:
    return tuple(piece for size in (1, 2, 3) if len(word) > size for piece in (f"k:{word[:size]}-", f"k:-{word[-size:]}"))


@lru_cache(maxsize=8192)
def _endings(word: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _ENDINGS if pattern.search(word))


def _combined(sentence: str) -> set[str]:
    """Return what is spoken of, by whom and to whom, alone and in pairs that stand near each other."""
    tokens = list(_TOKEN.finditer(sentence))
    lexicon = _lexicon()
    found: set[str] = set()
    places: list[tuple[int, str]] = []
    sequence: list[frozenset[str]] = []
    first = True
    for number, match in enumerate(tokens):
        token, codes = match.group(), frozenset[str]()
        if token[0].isascii() and token[0].isalpha():
            codes = lexicon.english.get(token.strip("-'’").replace("’", "'"), codes)
            if first:
                places += [(match.start(), "first:" + code) for code in codes]
            first = False
        elif _is_hangul(token):
            codes = _korean_codes(token)
            last = number + 1 == len(tokens) or not sentence[tokens[number + 1].start()].isalnum()
            if last:
                places += [(match.start(), f"E:{name}") for name in _endings(token)]
            else:
                found.update(f"e:{name}" for name in _endings(token))
            first = False
        elif token in _CLAUSE_BREAKS:
            first = True
        if codes:
            sequence.append(codes)
            places += [(match.start(), code) for code in codes]
    for start, role in _roles(sentence):
        found.add("r:" + role)
        if "AI" in role or role in ("IMP", "IMPNOT"):
            places.append((start, "r:" + role))
    places.sort()
    found.update("c:" + code for _, code in places)
    for number, (start, one) in enumerate(places):
        for other_start, other in itertools.islice(places, number + 1, None):
            if other_start - start > NEAR:
                break
            if one != other:
                found.add(f"p:{one}+{other}" if one < other else f"p:{other}+{one}")
    for one, other in itertools.pairwise(sequence):
        found.update(f"s:{a}>{b}" for a in one for b in other)
    return found


def _roles(sentence: str) -> Iterator[tuple[int, str]]:
    """Yield where and how a machine is named (called, told what it must do, a condition) and what is ordered of the reader."""
    for match in _MACHINE.finditer(sentence):
        who = "AI" if _SURELY_MACHINE.search(match["who"]) else "AI?"
        before = _BEFORE.search(sentence[max(0, match.start() - 25) : match.start()])
        led = sentence[: match.start()].rstrip()
        ahead = before[1] if before else "^" if not led or led[-1] in '.!?:;,(\n"-—–<*#[|' else ""
        behind = _behind(match["next"].strip(), sentence[match.end("who") :])
        for role in (who, f"{who}>{behind}", f"{ahead}<{who}", f"{ahead}<{who}>{behind}"):
            yield match.start(), role
    for match in _KO_MACHINE.finditer(sentence):
        who = "AI" if _KO_SURELY_MACHINE.search(match["who"]) else "AI?"
        yield match.start(), who
        yield match.start(), f"{who}>{_PARTICLES.get(match['particle'] or '', '')}"
        if sentence[match.end() : match.end() + 1] in (",", ":", "!"):
            yield match.start(), f"{who}>PUN"
    for match in _ORDER.finditer(sentence):
        if match["verb"] in _ACTS:
            denied = "NOT" if match["not"] else ""
            yield match.start("verb"), f"IMP{denied}"
            yield match.start("verb"), f"IMP:{match['verb']}{denied}"


def _behind(word: str, rest: str) -> str:
    """Return what follows a machine's name: a sign, a modal, what it is asked to do, a verb of acting, or something else."""
    if not word:
        verb = _ACTING.match(rest)
        return "DOES" if verb and _stem(verb["verb"]) in _ACTS else ""
    if not word[0].isalpha():
        return "PUN"
    head = word.split()[0]
    if word.endswith(" to") or _ASKED.match(rest):
        return "BETO"
    return "MOD" if head in _MODALS else "REL" if head in _RELATIVES else "BE"


def _stem(verb: str) -> str:
    return verb if verb in _ACTS else verb[:-1] if verb[:-1] in _ACTS else verb[:-2]


def _is_hangul(token: str) -> bool:
    return _HANGUL_FIRST <= token[0] <= _HANGUL_LAST


@cache
def _lexicon() -> _Lexicon:
    english: dict[str, set[str]] = {}
    korean: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for line in files("llmflow.screening").joinpath("lexicon.txt").read_text(encoding="utf-8").splitlines():
        head = re.match(r"(\w+) \(([^)]+)\) (en|ko): ", line)
        if head is None:
            continue
        code, names[head[1]], language = head[1], head[2], head[3]
        for word in line[head.end() :].split():
            for form in _forms(word) if language == "en" else (word,):
                (english if language == "en" else korean).setdefault(form, set()).add(code)
    return _Lexicon(_frozen(english), _frozen(korean), names)


def _frozen(side: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {word: frozenset(codes) for word, codes in side.items()}


def _forms(word: str) -> Iterator[str]:
    yield word
    for ending in ("s", "es", "ed", "d", "ing", "ly"):
        yield word + ending
    if word.endswith("e"):
        yield word[:-1] + "ing"
    if word.endswith("y"):
        yield from (word[:-1] + "ies", word[:-1] + "ied")
    if len(word) > 2 and word[-1] in "ptgnrm":
        yield from (word + word[-1] + "ing", word + word[-1] + "ed")


@lru_cache(maxsize=8192)
def _korean_codes(word: str) -> frozenset[str]:
    """Return what any part of a word speaks of; single syllables count at its beginning only."""
    korean = _lexicon().korean
    codes: set[str] = set()
    for start in range(len(word)):
        for end in range(start + 1, min(len(word), start + _LONGEST_STEM) + 1):
            if end - start > 1 or start == 0:
                codes |= korean.get(word[start:end], frozenset())
    return frozenset(codes)
