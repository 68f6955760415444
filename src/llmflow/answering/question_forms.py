"""What a question asks, in a form in which two wordings of it are equal and two questions are not.

Content words in their base form, with a short list of office synonyms; numbers with their units, codes, negations and directions
apart, since they must agree exactly; and what is asked for (who, when, where, how much, how, why). Words of politeness and of
asking are left out, nothing else is: one word more, such as another department, is another question.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from llmflow.retrieval.tokens import HANGUL, AnalyserSettings, Morpheme, composed, joined, latin_token, morphemes

CONTENT = frozenset({"NNG", "NNP", "NNB", "NR", "NP", "XR", "XPN", "XSN", "VV", "VA", "MAG", "MM", "SL", "SN", "SH", "W_SERIAL"})
POLITE = frozenset(
    "하 되 이 알 알리 가르치 말하 말씀 묻 물어보 여쭙 궁금 부탁 드리 보 주 싶 좀 혹시 그 저 제 나 내 저희 우리 것 거 "
    "수 지 줄 바 때문 관련 대하 대해 정확히 정확 정도 혹 그냥 도대체 대체 설명 질문 있 가능 해당 회사 사내 본 씨 분 "
    "님 좋 감사 안녕 계시 얼마 얼마나 언제 어디 누구 무엇 뭐 무슨 어떤 어느 어떻 어떻게 왜 며칠 몇 및 등 따르 의하 "
    "위하 경우 중 요 번 일단 먼저 일 쯤 좀더 동안 까지 안 이내 내외 걸리 필요 나오 받 여부 인가 최대 최장 현재 지금 "
    "기준 규정 제도 사항 수준 총 매".split()
)
NEGATIONS = frozenset("안 못 않 아니 없 말 못하 불가 금지 외 제외 빼 미 비 무".split())
ROLES = {
    "에서": "from",
    "부터": "from",
    "까지": "to",
    "에게": "whom",
    "한테": "whom",
    "께": "whom",
    "보다": "than",
    "에게서": "whence",
}
ASKED_KOREAN = (
    ("why", r"왜|무슨 (?:이유|까닭)|이유(?:가|는|를)?"),
    ("who", r"누구|누가|(?:어느|어떤|무슨) (?:부서|팀|사람|본부|파트|직급|담당)|담당자(?:가|는)?"),
    ("where", r"어디|(?:어느|어떤|무슨) (?:곳|장소|층|시스템|화면|메뉴|창구|사이트|도구|건물)|몇 층|장소|위치"),
    ("when", r"언제|몇 시(?!간)|(?:무슨|어느|어떤) (?:요일|날|시각|시점)|몇 월|날짜|일시|시각|요일"),
    ("how", r"어떻게(?!\s*(?:되|돼|됩|된|될))|어떡하|방법|절차"),
    ("amount", r"얼마|며칠|몇|금액|액수"),
    ("what", r"무엇|무슨|뭐|뭔|뭘|어떤|어느"),
)
ASKED_ENGLISH = (
    ("why", r"\bwhy\b|\breason\b"),
    ("who", r"\bwho(?:m|se)?\b|\bwhich (?:team|unit|department|person|role|manager)\b|\bwhat (?:team|unit|department)\b"),
    ("where", r"\bwhere\b|\b(?:which|what) (?:city|place|room|floor|office|building|location|system|tool)\b"),
    ("how often", r"\bhow (?:often|frequently)\b|\bfrequency\b"),
    ("when", r"\bwhen\b|\b(?:what|which) (?:time|day|days|date|dates|month|year|years)\b|\bat what times?\b"),
    ("amount", r"\bhow (?:many|much|long|soon|fast|quickly|late|old|large|big|high|far)\b|\bwhat amount\b|\bwithin what\b"),
    ("how", r"\bhow\b"),
    ("what", r"\bwhat\b|\bwhich\b"),
)
UNITS = {
    unit: kind
    for kind, units in {
        "time": "일 시간 분 초 개월 주 년 달 주일 영업일",
        "money": "원 달러 유로 엔",
        "people": "명 사람 인",
        "times": "번 회 차례",
        "percent": "퍼센트 프로",
        "pieces": "개 대",
        "letters": "자 글자",
    }.items()
    for unit in units.split()
}
ENGLISH_ASKED_WORDS = frozenset(
    "how what which who whom whose when where why many much long often soon fast quick quickli frequent frequenc late "
    "is are was were be been do doe did can could may might shall should will would must have has had a an the of for "
    "in on at by with to and or it its there that this these those i we you my our your me us one any some pleas tell "
    "know let want need like find explain give say inform question ask hi hello thank could'v get take happen as so "
    "than if about regard concern relat allow possibl able exactli just actual current maximum max up day date amount "
    "reason time year kindli curious wonder wish understand clarifi requir suppos".split()
)
ENGLISH_NEGATIONS = frozenset("not no never without nobody none neither nor cannot except unless".split())
BINDING = frozenset(
    "from to before after over under above below than without except between until into outside inside against".split()
)
LATIN_WORD = re.compile(r"[A-Za-z0-9]+(?:[-.'’&/#][A-Za-z0-9]+)*")
COUNTED = re.compile(r"몇\s*([가-힣]+?)(?=$|[\s?.,]|[이가은는을를에의도로까마쯤안정동])")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """What is asked. Two questions ask the same when `same_question` says so."""

    words: tuple[str, ...]
    """Content words in base form, sorted, each once."""
    exact: tuple[str, ...]
    """Numbers, negations, directions: sorted, with repeats."""
    asked: str
    """`who`, `when`, `where`, `how`, `how often`, `why`, `amount` with its unit, `what`; empty where nothing says it."""

    def dump(self) -> str:
        return json.dumps([self.words, self.exact, self.asked], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "QuestionForm":
        words, exact, asked = json.loads(text)
        return cls(tuple(words), tuple(exact), asked)


def form_of(question: str, analyser: AnalyserSettings) -> QuestionForm:
    """Return the form of a masked question. A question without content words has no words, and is the same as none."""
    text = composed(question)
    found = morphemes([text], analyser)[0]
    if found is None or not HANGUL.search(text):
        return _english(text)
    return _korean(text, list(joined(found)))


def same_question(one: QuestionForm, other: QuestionForm) -> bool:
    """Return whether both ask the same: equal words, numbers, negations and directions, and compatible things asked for."""
    return bool(one.words) and one.words == other.words and one.exact == other.exact and _compatible(one.asked, other.asked)


def _compatible(one: str, other: str) -> bool:
    """Return whether two askings may be answered alike: an amount of unknown unit is any amount, `tell me` asks for a thing."""
    if one == other:
        return True
    kinds = {one.split(":")[0], other.split(":")[0]}
    if kinds == {"amount"}:
        return "amount" in (one, other)
    return kinds <= {"", "what", "amount"}


def _korean(text: str, found: list[Morpheme]) -> QuestionForm:
    asked = next((name for name, pattern in ASKED_KOREAN if re.search(pattern, text)), "")
    if asked == "amount" and (unit := COUNTED.search(text)):
        asked = f"amount:{UNITS.get(unit.group(1), unit.group(1))}"
    elif asked == "amount" and "며칠" in text:
        asked = "amount:time"
    words: set[str] = set()
    exact: list[str] = []
    giving = asked == "who"
    for number, token in enumerate(found):
        following = found[number + 1] if number + 1 < len(found) else None
        form = latin_token(token.form) if not HANGUL.search(token.form) else token.form
        if _negates(token, following):
            exact.append("not")
            continue
        if token.tag in ("SN", "NR") or NUMBER.fullmatch(token.form):
            unit = following.form if following is not None and following.tag in ("NNB", "NNG", "NR", "SL") else ""
            exact.append(f"{form.replace(',', '')}{unit}")
            continue
        if token.tag not in CONTENT:
            continue
        if giving and token.form in ("받", "주") and token.tag in ("VV", "VX"):
            words.add(token.form)  # who gives an approval is not who gets it
        if form in POLITE or (token.tag == "NNB" and number and found[number - 1].tag in ("SN", "NR", "MM")):
            continue
        words.add(_meaning(form))
    exact += _directions(found)
    return QuestionForm(tuple(sorted(words)), tuple(sorted(exact)), asked)


def _negates(token: Morpheme, following: Morpheme | None) -> bool:
    if token.tag in ("MAG", "VX", "VCN", "VA", "XPN") and token.form in NEGATIONS:
        return not (token.form == "말" and token.tag == "MAG")
    return token.tag in ("NNG", "NNB", "VV") and token.form in ("불가", "금지", "제외", "빼") and following is not None


def _directions(found: list[Morpheme]) -> Iterator[str]:
    """Yield who stands on which side where a question names two: `인천에서 부산까지` is not `부산에서 인천까지`."""
    sides = [
        f"{ROLES[particle.form]} {_meaning(noun.form)}"
        for noun, particle in zip(found, found[1:], strict=False)
        if particle.tag in ("JKB", "JX") and particle.form in ROLES and noun.tag in ("NNG", "NNP", "SL", "XSN")
    ]
    yield from (side for side in sides if len(sides) > 1 or side.startswith(("than", "whom", "whence")))


def _english(text: str) -> QuestionForm:
    lowered = text.lower()
    asked = next((name for name, pattern in ASKED_ENGLISH if re.search(pattern, lowered)), "")
    if asked == "amount" and (unit := re.search(r"how many (?:working |business |calendar )?([a-z]+)", lowered)):
        asked = f"amount:{_english_unit(unit.group(1))}"
    words: set[str] = set()
    exact: list[str] = []
    tokens = LATIN_WORD.findall(re.sub(r"(\w)n['’]t\b", r"\1 not", lowered.replace("cannot", "can not")))
    for number, token in enumerate(tokens):
        stem = latin_token(token)
        if token in ENGLISH_NEGATIONS:
            exact.append("not" if token in ("not", "no", "never", "nobody", "none", "cannot") else token)
            continue
        if NUMBER.fullmatch(token):
            exact.append(token.replace(",", ""))
            continue
        if token in BINDING:
            following = next(
                (latin_token(word) for word in tokens[number + 1 :] if latin_token(word) not in ENGLISH_ASKED_WORDS), ""
            )
            if token != "to" or "from" in tokens:
                exact.append(f"{token} {_meaning(following)}")
            continue
        if stem in ENGLISH_ASKED_WORDS or token in ENGLISH_ASKED_WORDS:
            continue
        words.add(_meaning(stem))
    return QuestionForm(tuple(sorted(words)), tuple(sorted(exact)), asked)


def _english_unit(word: str) -> str:
    stem = latin_token(word)
    if stem in {"day", "week", "month", "year", "hour", "minut", "second"}:
        return "time"
    return "people" if stem in {"peopl", "person", "employe", "staff"} else stem


def _meaning(word: str) -> str:
    return _synonyms().get(word, word)


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, str]:
    text = files("llmflow.answering").joinpath("synonyms.txt").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            words = [word if HANGUL.search(word) else latin_token(word) for word in line.split()]
            found.update(dict.fromkeys(words, words[0]))
    return found
