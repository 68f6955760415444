"""Korean follow-up questions made to stand alone by rule: demonstratives, ellipsis (`재무팀은요?`), questions without a subject.

A word is split where its nouns end: `법인카드의` is the stem `법인카드` and the tail `의`. Neighbouring words form a noun phrase
until one carries a particle other than `의`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.retrieval.tokens import AnalyserSettings, Morpheme, morphemes

NOMINAL = frozenset({"NNG", "NNP", "NNB", "NR", "SL", "SN", "SH", "XR", "XPN", "XSN", "SO", "W_SERIAL"})
THINGS = ("그거", "그것", "그걸", "그건", "그게", "이거", "이것", "이걸", "이건", "이게", "저거", "저것", "저건")
PLACES = ("거기", "여기", "그곳", "이곳", "그쪽", "이쪽")
TIMES = ("그때", "그동안")
POINTING = re.compile(rf"^({'|'.join(THINGS + PLACES + TIMES)})(?![가-힣]*(?:저것|이것|말고))")
DETERMINERS = frozenset("그 이 저 해당 위 앞의 방금 상기 그런 이런".split())
CONNECTIVES = frozenset("그럼 그러면 그리고 그런데 근데 그래서 그렇다면 또 또한 아니면 그러니까 반대로".split())
FULL_FORM = {"그걸": "을", "그건": "은", "그게": "이", "이걸": "을", "이건": "은", "이게": "이", "저건": "은"}
LIGHT = frozenset("되 어떻 어떠 알리 주 말하 그렇 같 있 가능 하 부탁 궁금 마찬가지 경우 쪽 때".split())
"""What an elliptic question may end in: `개인 클라우드도 되나요?`, `협업 쪽은 어떤가요?`."""
GENERIC = frozenset(
    "신청 신청서 접수 승인 심사 등록 처리 지급 제출 발급 재발급 예약 취소 변경 연장 환불 환수 정산 신고 문의 상담 "
    "운영 관리 담당 담당자 책임자 부서 팀 시스템 화면 창구 사이트 메뉴 양식 서류 증빙 첨부 기한 마감 기간 시간 시각 "
    "날짜 일정 시작 종료 한도 금액 비용 요금 가격 수수료 액수 비율 횟수 인원 개수 번호 내선 연락처 전화 메일 채널 "
    "주소 위치 장소 자리 층 방법 절차 순서 단계 조건 자격 대상 기준 예외 제한 이유 사유 목적 결과 효과 위험 문제 차이 "
    "종류 예시 제목 이름 내용 의미 뜻 경우 때 것 일 말 다음 전 후 동안 이후 이전 최대 최소 하루 달 주 년 월 시 분 초 "
    "명 개 번 회 점검 예정 안 수 당 명당 사람 누구 무엇 얼마 어디 언제 며칠 적용 시행 조치 확인 연기 전환 담당팀 소관 "
    "소관부서 필요 가능 규정 제도 유효 보관 허용 추가 벌칙 위반".split()
)
"""Nouns that name a property, a part or a step of something, and say nothing without it."""
RANKS = frozenset(
    "사원 대리 과장 차장 부장 팀장 본부장 임원 대표 책임 선임 수석 인턴 계약직 정규직 파견직 수습 신입 경력 직원 구성원".split()
)
KIN = frozenset("본인 자녀 배우자 부모 부모님 조부모 외조부모 형제 자매".split())
UNIT_ENDINGS = re.compile(r"(팀|본부|파트|센터|데스크|지점|공장|등급|단계|프로필|구역|동|상|비|차|급|년|월|분기)$")
ORGANISATION = re.compile(r"[가-힣A-Za-z]*[가-힣A-Za-z](?:팀|본부|파트|센터|데스크|위원회)(?![가-힣]*팀)")
LATIN_NAME = re.compile(r"[A-Z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*")
CODE = re.compile(r"([A-Za-z]+)[- ]?(\d+)")
ASKS_ORGANISATION = re.compile(r"누구|누가|어느 (?:부서|팀|본부)|어떤 (?:부서|팀)|무슨 (?:부서|팀)|담당|부서|팀")
ASKS_SYSTEM = re.compile(r"(?:어느|어떤|무슨) (?:시스템|화면|도구|프로그램|사이트|앱|메뉴)|어디")
SYSTEM_NOUNS = frozenset("시스템 화면 도구 프로그램 사이트 앱 장비 창구 제품".split())
ORGANISATION_NOUNS = frozenset("팀 부서 본부 파트 센터 조직 위원회".split())


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question by characters: `text[start:end]`, its nouns, what follows them, and whether they are a verb's."""

    text: str
    stem: str
    tail: str
    start: int
    verbal: bool
    tags: tuple[str, ...]

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Neighbouring words that form one noun phrase."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        *before, last = self.words
        return " ".join([*(word.text for word in before), last.stem])

    @property
    def head(self) -> str:
        return self.words[-1].stem


def words_of(text: str, analyser: AnalyserSettings) -> list[Word]:
    found = morphemes([text], analyser)[0] or []
    return [_word(match, found) for match in re.finditer(r"\S+", text)]


def phrases_of(words: Sequence[Word]) -> list[Phrase]:
    """Return the noun phrases in order; words of asking and the nouns of verbs belong to none."""
    phrases: list[Phrase] = []
    open_words: list[Word] = []
    for word in words:
        if not word.stem or word.verbal or POINTING.match(word.text) or word.text in DETERMINERS:
            if open_words:
                phrases.append(Phrase(tuple(open_words)))
            open_words = []
            continue
        open_words.append(word)
        if word.tail and word.tail != "의":
            phrases.append(Phrase(tuple(open_words)))
            open_words = []
    if open_words:
        phrases.append(Phrase(tuple(open_words)))
    return phrases


def rewrite(question: str, previous: str, answer: str, frame: str, analyser: AnalyserSettings) -> str:
    """Return the question as it would be asked first; the very same text where it needs nothing of what was said before.

    `previous` is the question before as it stands alone, `answer` what was said to it, `frame` the last one that was no ellipsis.
    """
    plain = question.strip()
    words = words_of(plain, analyser)
    while len(words) > 1 and words[0].text.rstrip(",") in CONNECTIVES:
        plain = plain[words[1].start :]
        words = words_of(plain, analyser)
    pointed = _without_pointing(plain, words, previous, answer, analyser)
    if pointed is not None:
        return pointed
    asked = _elliptic(words)
    if asked is not None:
        return _completed(plain, asked, previous, frame, analyser)
    if _lacks_subject(words):
        topic = _topic(previous, plain, analyser)
        return f"{topic} {plain}" if topic else question
    return question


def may_depend(question: str, analyser: AnalyserSettings) -> bool:
    """Return whether anything suggests that the question is a follow-up; a model is asked only then."""
    words = words_of(question.strip(), analyser)
    pointing = any(POINTING.match(word.text) or word.text in DETERMINERS for word in words)
    return pointing or len(words) <= 4 or (bool(words) and words[0].text.rstrip(",") in CONNECTIVES) or _lacks_subject(words)


def _word(match: re.Match[str], found: Sequence[Morpheme]) -> Word:
    start, end = match.span()
    own = [token for token in found if start <= token.start < end and token.length]
    stop, verbal, tags = start, False, []
    for token in own:
        if token.tag not in NOMINAL or token.start > stop:
            verbal = token.tag in {"XSV", "XSA"}
            break
        stop, tags = token.start + token.length, [*tags, token.tag]
    text = match.group()
    tail = re.sub(r"[?.,!~]+$", "", text[stop - start :])
    return Word(text, text[: stop - start].strip("'\"‘’“”"), tail, start, verbal, tuple(tags))


def _without_pointing(plain: str, words: Sequence[Word], previous: str, answer: str, analyser: AnalyserSettings) -> str | None:
    """Replace the first word that points back by what it points to; None where nothing points."""
    for number, word in enumerate(words):
        if any(earlier.stem and earlier.stem not in GENERIC for earlier in words[:number]):
            return None  # it points to what the question itself named
        pointing = POINTING.match(word.text)
        if pointing:
            thing = pointing.group()
            rest = word.text[len(thing) :]
            target = _referent("" if thing in PLACES else None, previous, answer, analyser)
            target = target if thing in PLACES else _topic(previous, plain, analyser) or target
            if thing in TIMES:
                return f"{plain[: word.start]}{target} {plain[word.end :].strip()}".strip()
            particle = FULL_FORM.get(thing, "") + rest
            return f"{plain[: word.start]}{target}{_fitting(target, particle)}{plain[word.end :]}"
        following = words[number + 1] if number + 1 < len(words) else None
        if word.text in DETERMINERS and following is not None and following.stem and not following.verbal:
            target = _named(following.stem, previous, answer, plain, analyser)
            return f"{plain[: word.start]}{target}{plain[following.start + len(following.stem) :]}"
    return None


def _named(noun: str, previous: str, answer: str, plain: str, analyser: AnalyserSettings) -> str:
    """Return what `그 noun` means: the previous question's phrase with that noun, what the answer names, else its topic."""
    if noun in SYSTEM_NOUNS or noun in ORGANISATION_NOUNS:
        found = _referent(noun, previous, answer, analyser)
        if found:
            return found if found.endswith(noun) or noun in ORGANISATION_NOUNS else f"{found} {noun}"
    for phrase in phrases_of(words_of(previous, analyser)):
        if noun in phrase.text:
            return phrase.text if phrase.text.endswith(noun) else f"{phrase.text} {noun}"
    return f"{_topic(previous, plain, analyser)} {noun}".strip()


def _referent(noun: str | None, previous: str, answer: str, analyser: AnalyserSettings) -> str:
    """Return the team or system that the answer names and the previous question asked for, else the question's topic."""
    if noun is None:
        return _topic(previous, "", analyser)
    wants_system = noun in SYSTEM_NOUNS if noun else bool(ASKS_SYSTEM.search(previous))
    wants_team = noun in ORGANISATION_NOUNS if noun else bool(ASKS_ORGANISATION.search(previous))
    asked = [name for name in ORGANISATION.findall(previous) if name not in ORGANISATION_NOUNS and len(name) > 1]
    if wants_team and noun and asked:
        return asked[-1]
    for line in answer.split("\n"):
        if wants_team and (teams := [name for name in ORGANISATION.findall(line) if name not in previous]):
            return teams[-1]
        if wants_system and (names := [name for name in _names(line, analyser) if name not in previous]):
            return names[0]
    return _topic(previous, "", analyser)


def _names(text: str, analyser: AnalyserSettings) -> list[str]:
    """Return names in order: Latin ones, and words that Kiwi takes for proper or unknown nouns used as a place or a means."""
    found = []
    for word in words_of(text, analyser):
        latin = LATIN_NAME.match(word.stem)
        means = not word.verbal and len(word.stem) > 2 and re.match(r"(?:에서|으로|로)(?:만|도)?$", word.tail)
        if (latin and len(latin.group()) > 1) or means:
            found.append(word.stem)
    return found


def _elliptic(words: Sequence[Word]) -> Phrase | None:
    """Return the phrase that an elliptic question consists of: it ends in a topic particle, or in a verb without content."""
    while words and not words[-1].stem and _light(words[-1]):
        words = words[:-1]
    if words and (words[-1].stem in LIGHT or words[-1].verbal) and _light(words[-1]) and len(words) > 1:
        words = words[:-1]
    if not words or any(re.match(r"언제|어디|누[가구]|얼마|며칠|몇|무엇|뭐|왜|어느|어떤", word.text) for word in words):
        return None
    last = words[-1]
    bare = all(word.tail in ("", "의", "에서") and not word.verbal and word.stem for word in words[:-1])
    telling = [word for word in words if word.stem not in GENERIC and word.stem not in LIGHT]
    if last.stem in GENERIC and len(telling) > 1:
        return None  # `거래처 계약 보증금 비율은?` says all by itself
    if re.fullmatch(r"(?:은|는|도|만)?(?:요|여)?", last.tail) and last.stem and not last.verbal and bare and len(words) <= 4:
        kept = [word for word in words if word.stem]
        if kept and kept[-1].stem in {"쪽", "경우", "때"} and len(kept) > 1:
            kept = kept[:-1]
        return (
            Phrase(tuple(kept))
            if len(kept) == len([w for w in words if w.stem not in {"쪽", "경우", "때"}])
            else Phrase(tuple(words))
        )
    if re.search(r"(?:면|때는|경우는|라면)요?$", last.text.rstrip("?!. ")) and len(words) <= 4:
        return Phrase(tuple(words))
    return None


def _light(word: Word) -> bool:
    return bool(re.match(r"(?:되|돼|어떤|어때|어떻|알려|알고|말해|그래|같|있|가능|부탁|궁금|마찬|줘|주|해당)", word.text))


def _completed(plain: str, asked: Phrase, previous: str, frame: str, analyser: AnalyserSettings) -> str:
    """Put the phrase of an elliptic question where its counterpart stands in the previous question, else beside its topic."""
    last = asked.words[-1]
    whole = plain[asked.words[0].start : last.end].rstrip("?!. ")
    if not last.stem or last.verbal or re.search(r"면요?$|때는요?$", whole):
        clause = _clause(words_of(frame, analyser))
        if clause is not None and re.search(r"면요?$", whole):
            return f"{frame[: clause[0].start]}{re.sub('요$', '', whole)}{frame[clause[1].end :]}"
        topic = _topic(previous, plain, analyser)
        return f"{topic} {plain}" if topic else plain
    said = plain[asked.words[0].start : last.start + len(last.stem)]
    counterpart = _counterpart(asked, words_of(frame, analyser))
    if counterpart is not None:
        first, final = counterpart
        return f"{frame[: first.start]}{said}{_retailed(said, final, frame)}"
    if last.stem in GENERIC or any(last.stem.endswith(noun) for noun in GENERIC if len(noun) > 1):
        topic = _topic(previous, plain, analyser)
        return f"{topic} {plain}" if topic else plain
    return f"{said} {frame}"


def _clause(words: Sequence[Word]) -> tuple[Word, Word] | None:
    """Return the first and last word of a condition (`본인이 결혼하면`): its verb with the subject before it."""
    for number, word in enumerate(words):
        if re.search(r"면$", word.text) and (word.verbal or not word.stem):
            first = number
            while first > 0 and words[first - 1].tail in ("이", "가", "을", "를"):
                first -= 1
            return words[first], word
    return None


def _retailed(said: str, final: Word, previous: str) -> str:
    tail = previous[final.start + len(final.stem) :]
    particle = re.match(r"[가-힣]+", tail)
    return _fitting(said, particle.group()) + tail[particle.end() :] if particle and final.tail else tail


def _counterpart(asked: Phrase, before: Sequence[Word]) -> tuple[Word, Word] | None:
    """Return the first and last word of what the phrase stands instead of: the words most alike in kind, the first of equals."""
    best, score = None, 0
    for word in before:
        if not word.stem or POINTING.match(word.text):
            continue
        alike = max((_alike(word, own) for own in asked.words), default=0)
        if alike > score and word.stem not in GENERIC:
            best, score = word, alike
    if best is None:
        return None
    number = before.index(best)
    first = number
    if _latin(best) and all(_latin(word) for word in asked.words):
        while number + 1 < len(before) and _latin(before[number + 1]) and not before[number].tail:
            number += 1
        return before[first], before[number]
    if len(asked.words) > 1:
        while first > 0 and before[first - 1].stem and not before[first - 1].verbal and number - first < len(asked.words) - 1:
            if before[first - 1].tail and before[first - 1].tail not in ("의", "이", "가"):
                break
            first -= 1
    return before[first], best


def _latin(word: Word) -> bool:
    return bool(word.tags) and set(word.tags) <= {"SL", "SN"}


def _alike(word: Word, own: Word) -> int:
    """Return how much two words are of one kind, 0 to 4."""
    if word.stem == own.stem:
        return 4
    codes = CODE.fullmatch(word.stem), CODE.fullmatch(own.stem)
    if codes[0] and codes[1] and codes[0].group(1).lower() == codes[1].group(1).lower():
        return 4
    for group in (RANKS, KIN):
        if word.stem in group and own.stem in group:
            return 3
    endings = UNIT_ENDINGS.search(word.stem), UNIT_ENDINGS.search(own.stem)
    if endings[0] and endings[1] and endings[0].group() == endings[1].group():
        return 3
    if len(own.stem) > 1 and len(word.stem) > 1 and (word.stem.endswith(own.stem) or own.stem.endswith(word.stem)):
        return 2
    names = {"NNP", "SL"}
    if word.tags and own.tags and word.tags[0] in names and word.tags[0] == own.tags[0] and word.stem not in RANKS:
        return 2
    return 0


def _lacks_subject(words: Sequence[Word]) -> bool:
    """Return whether no noun of the question says what it is about: none, or only nouns of properties and steps."""
    stems = [word.stem for word in words if word.stem and not re.match(r"(?:누구|무엇|얼마|어디|언제|며칠|뭐|몇)", word.stem)]
    return bool(words) and all(
        stem in GENERIC or stem in LIGHT or stem.isdigit() or re.sub(r"\d+|[년월일시분]", "", stem) == "" for stem in stems
    )


def _topic(previous: str, question: str, analyser: AnalyserSettings) -> str:
    """Return the phrases of the previous question that say what it is about, without those that the new question has."""
    kept: list[str] = []
    words = words_of(previous, analyser)
    pieces: list[Phrase] = [*phrases_of(words), *(Phrase((word,)) for word in words[:-1] if word.verbal)]
    owned = -1
    for phrase in sorted(pieces, key=lambda piece: piece.words[0].start):
        parts = list(phrase.words)
        if parts[0].start == owned:
            continue
        owner = next((number for number, part in enumerate(parts) if part.tail == "의"), len(parts))
        if owner == len(parts) - 1:
            owned = _next_start(phrase, pieces)
        parts = parts[: owner + 1]  # of `사업의 총 사업비` the talk is about the 사업
        parts = [part for part in parts if set(part.tags) - {"NNB", "SN", "NR"}]
        while parts and (parts[-1].stem in GENERIC or parts[-1].stem.isdigit() or re.match(r"\d", parts[-1].stem)):
            parts.pop()
        text = Phrase(tuple(parts)).text if parts else ""
        if len(text) > 1 and text not in kept and not _asking(text) and text not in question:
            kept.append(text)
    return " ".join(kept[:4])


def _next_start(phrase: Phrase, pieces: Sequence[Phrase]) -> int:
    """Return where the noun phrase after `phrase` begins, -1 without one."""
    return min((piece.words[0].start for piece in pieces if piece.words[0].start > phrase.words[-1].start), default=-1)


def _asking(text: str) -> bool:
    return bool(re.match(r"(?:누구|무엇|얼마|어디|언제|며칠|뭐|몇|우리|회사)", text))


def _fitting(noun: str, particle: str) -> str:
    """Return the particle in the form that follows the noun's last letter."""
    pairs = {"은": "는", "이": "가", "을": "를", "과": "와", "으로": "로"}
    swapped = {open_form: closed for closed, open_form in pairs.items()}
    if not noun or not ("가" <= noun[-1] <= "힣"):
        return particle
    jong = (ord(noun[-1]) - 0xAC00) % 28
    if jong and particle in swapped:
        return swapped[particle] if not (particle == "로" and jong == 8) else particle
    return pairs[particle] if not jong and particle in pairs else particle
