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
from itertools import pairwise

from llmflow.ingestion.language import detect_language
from llmflow.retrieval.tokens import HANGUL, AnalyserSettings, Morpheme, composed, joined, latin_token, morphemes

CONTENT = frozenset({"NNG", "NNP", "NNB", "NR", "NP", "XR", "XPN", "XSN", "VV", "VA", "MAG", "MM", "SL", "SN", "SH", "W_SERIAL"})
NOUNS = frozenset({"NNG", "NNP", "NNB", "XR", "XPN", "XSN", "NR"})
POLITE = frozenset(
    "하 되 이 알 알리 가르치 말하 말씀 묻 물어보 여쭙 궁금 궁금하 때 부탁 드리 주 싶 좀 혹시 그 저 제 나 내 저희 우리 "
    "때문 관련 대하 대해 정확히 정확 정도 혹 그냥 도대체 대체 설명 질문 있 가능 해당 회사 사내 "
    "좋 감사 안녕 계시 얼마 얼마나 언제 어디 누구 무엇 뭐 무슨 어떤 어느 어떻 어떻게 왜 며칠 몇 및 따르 의하 "
    "위하 경우 요 일단 먼저 쯤 좀더 동안 까지 안 이내 내외 걸리 필요 나오 받 여부 인가 최대 최장 현재 지금 "
    "기준 규정 제도 사항 수준 총 기간 날짜 번호 ".split()
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
    ("when", r"언제|몇 시(?!간)|(?:무슨|어느|어떤) (?:요일|날|시각|시점)|몇 월|(?<![가-힣])(?:날짜|일시|시각)"),
    ("how", r"어떻게(?!\s*(?:되|돼|됩|된|될))|어떡하|방법|절차"),
    ("amount", r"얼마|며칠|몇|금액|액수"),
    ("what", r"무엇|무슨|뭐|뭔|뭘|어떤|어느"),
)
AUXILIARY = "is|are|was|were|do|does|did|must|should|can|could|may|might|will|would|has|have"
ASKED_ENGLISH = (
    ("why", r"why\b|(?:what|which) reason\b"),
    ("who", r"who(?:m|se)?\b|(?:which|what) (?:team|unit|department|person|people|role|manager)\b"),
    ("where", r"where\b|(?:which|what) (?:city|place|room|floor|office|building|location|system|tool)\b"),
    ("how often", r"how (?:often|frequently)\b|(?:which|what) frequency\b"),
    ("when", rf"when(?=\W*$|\s+(?:{AUXILIARY})\b)|(?:what|which) (?:times?|days?|dates?|months?|years?)\b"),
    ("amount", r"how (?:many|much|long|soon|fast|quickly|late|old|large|big|high|far)\b|(?:what|which) amount\b"),
    ("how", r"how\b"),
    ("what", r"what\b|which\b"),
)
ASKING_PLACE = re.compile(
    r"(?:^|[,:;(]\s*|\band\s+|\b(?:in|at|on|for|to|within|after|before|about|from|of|by|me|us|know|explain|wonder|say|ask)\s+)(?=wh|how)"
)
WHETHER = r"\W*(?:is|are|was|were|do|does|did|can|could|may|might|must|should|will|would|has|have|am|if|whether)\b"
POLITE_ENGLISH = (
    r"^\W*(?:(?:hi|hello|hey|please|thanks|could you|can you|would you|kindly|tell me|let me know|i would like to know)\b\W*)+"
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
    "how what which who whom whose when where why many much long often soon fast quickly frequently frequency late is "
    "are was were be been do does did can could may might shall should will would must has have had a an the of for "
    "in on at by with to and or it its there that this these those i we you my our your me us one any some please "
    "tell know let want need like find explain give say inform ask hi hello hey thanks thank get take happens happen "
    "happened as so than if about regarding concerning exactly just actually current currently maximum max up out day "
    "days date amount year years time times reason kindly wonder wondering required require requires able possible "
    "supposed needs needed them they their also done".split()
)
ENGLISH_NEGATIONS = frozenset("not no never without nobody none neither nor cannot except unless".split())
BINDING = frozenset(
    "from to before after over under above below than without except between until into outside inside against".split()
)
LATIN_WORD = re.compile(r"[가-힣]+|[A-Za-z0-9]+(?:[-.'’&/#][A-Za-z0-9]+)*")
NUMERALS = {
    "한": "1",
    "두": "2",
    "세": "3",
    "네": "4",
    "다섯": "5",
    "여섯": "6",
    "일곱": "7",
    "여덟": "8",
    "아홉": "9",
    "열": "10",
}
WITHIN = re.compile(r"(?:며칠|얼마|몇\s*[가-힣]+?)\s*(?:안에|안으로|이내|내에)")
SINCE = re.compile(r"(?:언제|며칠|몇\s*[가-힣]+|어디)부터")
ENGLISH_NUMERALS = {
    word: str(number) for number, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)
} | {"fifteen": "15", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "twice": "2"}
PHRASES = (("a quarter of an hour", "15 minutes"), ("half an hour", "30 minutes"), ("a fortnight", "2 weeks"), ("a dozen", "12"))
DAYS = {"이틀": "2일", "사흘": "3일", "나흘": "4일", "닷새": "5일", "열흘": "10일", "보름": "15일"}
REMEMBER = re.compile(r"\s있잖아(?:요)?[,.]?\s?")
"""No negation, though it holds the word for one."""
ASKING_LEAVE = re.compile(
    r"(?:을|를)?\s*(?:여쭤|여쭈어|물어)\s*봐도\s*(?:될까요|되나요|되겠습니까|괜찮을까요)|\s(?:알|확인하|여쭤보|여쭙)고\s*싶(?:습니다|어요|은데요?)"
)
WHETHER_KOREAN = re.compile(
    r"[가-힣]+(?:는|은|인|던|을|할|될|한|된|난|운|른|린|긴)지(?:를|도)?\s*(?:알려|말해|가르쳐|궁금|알고|여쭙|문의)|여부"
)
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
        words, exact, asked, *_ = json.loads(text)
        return cls(tuple(words), tuple(exact), asked)


def form_of(question: str, analyser: AnalyserSettings) -> QuestionForm:
    """Return the form of a masked question. A question without content words has no words, and is the same as none."""
    text = composed(question)
    if detect_language(text) != "ko":
        return _english(text)
    plain = REMEMBER.sub(" ", text)
    return _korean(plain, list(joined(morphemes([plain], analyser)[0] or [])))


def same_question(one: QuestionForm, other: QuestionForm) -> bool:
    """Return whether both ask the same: equal words, numbers, negations and directions, and compatible things asked for."""
    return bool(one.words) and one.words == other.words and one.exact == other.exact and compatible(one.asked, other.asked)


def compatible(one: str, other: str) -> bool:
    """Return whether two askings may be answered alike.

    An amount of unknown unit is any amount; `tell me about` asks for a thing, an amount, a time or a place; whether something is
    so is asked by nothing else.
    """
    if one == other:
        return True
    if "amount" in (one, other) and {one.split(":")[0], other.split(":")[0]} == {"amount"}:
        return True
    left, right = one.split(":")[0], other.split(":")[0]
    return ("tell" in (left, right) and {left, right} <= {"tell", "what", "amount", "when", "where"}) or {left, right} == {
        "what",
        "amount",
    }


def _korean(text: str, found: list[Morpheme]) -> QuestionForm:
    words: set[str] = set()
    nouns: list[str] = []
    exact = [name for name, pattern in (("since", SINCE), ("within", WITHIN)) if pattern.search(text)]
    asked = _asked_korean(text, found)
    for number, token in enumerate(found):
        before = found[number - 1] if number else None
        following = found[number + 1] if number + 1 < len(found) else None
        if _negates(token):
            exact.append("not")
        elif token.form in DAYS and token.tag[0] == "N":
            exact.append(DAYS[token.form])
        elif token.tag in ("SN", "NR", "MM") and (value := _number(token)):
            exact.append(value + _unit(following))
        elif token.tag not in CONTENT or token.form in POLITE:
            if "who" in asked and token.form in ("받", "주") and token.tag in ("VV", "VX"):
                words.add(token.form)  # who gives an approval is not who gets it
        elif token.tag == "NNB" and not (token.form in UNITS and before is not None and before.form != "몇"):
            continue
        elif HANGUL.search(token.form):
            meaning = meaning_of(token.form)
            if token.tag in NOUNS or meaning != token.form:  # 쓰다 and 사용하다 are one
                nouns.append(meaning)
            else:
                words.add(meaning)
        elif before is None or before.tag != "SN" or token.tag != "SL":
            words.add(meaning_of(latin_token(token.form)))
    letters = "".join(sorted("".join(nouns)))  # compounds are written and parted as everybody pleases
    return QuestionForm(
        tuple(sorted(words | ({letters} if letters else set()))), tuple(sorted([*exact, *_directions(found)])), asked
    )


def _asked_korean(text: str, found: list[Morpheme]) -> str:
    """Return what is asked for, several things joined by `+`; `tell` without a word of asking, `whether` for a yes or no."""
    text = ASKING_LEAVE.sub(" 알려 줘", text)
    kinds = {name for name, pattern in ASKED_KOREAN if re.search(pattern, text)}
    kinds = kinds - {"what"} if len(kinds) > 1 else kinds
    if kinds == {"amount"} and re.search(r"며칠에", text):
        return "when"
    if not kinds and WHETHER_KOREAN.search(text):
        return "whether"
    if not kinds:
        predicate = re.search(r"(?:나요|까요?|니|가요|어요|아요|해요|돼요|되요|죠|냐|여부\S*(?: \S+)?)[?.!\s]*$", text)
        return (
            "whether"
            if predicate and "어떻게" not in text and not re.search(r"(?:알려|말해|가르쳐)\s*(?:줘|주|줄)", text)
            else "tell"
        )
    if kinds == {"amount"}:
        for token, following in pairwise(found):
            if token.form == "몇" and following.tag in ("NNB", "NNG"):
                return f"amount:{UNITS.get(following.form, following.form)}"
        return "amount:time" if "며칠" in text else "amount"
    return "+".join(sorted(kinds))


def _number(token: Morpheme) -> str:
    if token.tag == "MM" or (token.tag == "NR" and token.form in NUMERALS):
        return NUMERALS.get(token.form, "")
    return "" if token.form == "몇" else token.form.replace(",", "")


def _unit(following: Morpheme | None) -> str:
    return following.form if following is not None and (following.tag in ("NNB", "NR") or following.form in UNITS) else ""


def _negates(token: Morpheme) -> bool:
    if token.tag in ("MAG", "VX", "VCN", "VA", "XPN"):
        return token.form in NEGATIONS and not (token.form == "말" and token.tag == "MAG")
    return token.tag in ("NNG", "NNB", "VV") and token.form in ("불가", "금지", "제외", "빼")


def _directions(found: list[Morpheme]) -> Iterator[str]:
    """Yield who stands on which side where a question names two: `인천에서 부산까지` is not `부산에서 인천까지`."""
    sides = [
        f"{ROLES[particle.form]} {meaning_of(noun.form)}"
        for noun, particle in pairwise(found)
        if particle.tag in ("JKB", "JX") and particle.form in ROLES and noun.tag in ("NNG", "NNP", "SL", "XSN")
        if noun.form not in ("전", "후", "뒤", "안", "이내", "시")
    ]
    yield from (side for side in sides if len(sides) > 1 or side.startswith(("than", "whom", "whence")))


def _english(text: str) -> QuestionForm:
    lowered = text.lower().replace("’", "'")
    lowered = re.sub(r"\b(extension|ext|phone|room|card) no\.?(?=\W*$|\s)", r"\1 number", lowered)
    for phrase, plain in PHRASES:
        lowered = lowered.replace(phrase, plain)
    words: set[str] = set()
    exact: list[str] = []
    tokens = LATIN_WORD.findall(re.sub(r"n't\b", " not", re.sub(r"'s\b|'(?=\s)", "", lowered.replace("cannot", "can not"))))
    for number, token in enumerate(tokens):
        if token in ENGLISH_NEGATIONS:
            exact.append("not" if token in ("not", "no", "never", "nobody", "none") else token)
        elif NUMBER.fullmatch(token) or token in ENGLISH_NUMERALS:
            exact.append(ENGLISH_NUMERALS[token] if token in ENGLISH_NUMERALS else token.replace(",", ""))
        elif token in BINDING:
            following = next((word for word in tokens[number + 1 :] if word not in ENGLISH_ASKED_WORDS), "")
            if token != "to" or "from" in tokens:
                exact.append(f"{token} {meaning_of(latin_token(following))}")
        elif token not in ENGLISH_ASKED_WORDS:
            words.add(meaning_of(token if HANGUL.search(token) else latin_token(token)))
    return QuestionForm(tuple(sorted(words)), tuple(sorted(exact)), _asked_english(lowered))


def _asked_english(lowered: str) -> str:
    """As `_asked_korean`. A `who` or `where` that only continues a noun asks for nothing."""
    kinds: list[str] = []
    for match in ASKING_PLACE.finditer(lowered):
        rest = lowered[match.end() :]
        name = next((name for name, pattern in ASKED_ENGLISH if re.match(pattern, rest)), "")
        if name:
            kinds.append(name)
    if not kinds:
        return "whether" if re.match(WHETHER, re.sub(POLITE_ENGLISH, "", lowered)) else "tell"
    if set(kinds) <= {"amount"}:
        unit = re.search(r"how many (?:working |business |calendar )?([a-z]+)", lowered)
        return f"amount:{_english_unit(unit.group(1))}" if unit else "amount"
    return "+".join(sorted(set(kinds) - ({"what"} if len(set(kinds)) > 1 else set())))


def _english_unit(word: str) -> str:
    stem = latin_token(word)
    if stem in {"day", "week", "month", "year", "hour", "minut", "second"}:
        return "time"
    return "people" if stem in {"peopl", "person", "employe", "staff"} else stem


def meaning_of(word: str) -> str:
    """Return the word that stands for all of its synonyms; the word itself where it has none."""
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
