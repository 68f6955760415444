"""Does a question ask for a summary of a document, in Korean or English, and of how many sentences? By rule, without a model.

A request is taken apart completely: words that ask for a summary, that point at a document, of manner and length, of politeness.
Any word that is left is what it asks about: a subject of its own, which a summary answers only where a document is called so.

>>> summary_request("이 문서를 세 줄로 요약해 줘")
SummaryRequest(subject='', points=True, sentences=3)
>>> summary_request("Summarise the leave rules").subject
'leave rules'
>>> summary_request("Who wrote the summary?") is None
True
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.retrieval.tokens import HANGUL, composed

BRIEF = 3
"""Sentences where somebody asks for few."""


@dataclass(frozen=True, slots=True)
class SummaryRequest:
    """What is to be summarised, and in how many sentences."""

    subject: str = ""
    """What it names besides a document as such; empty for "this document" and for nothing at all."""
    points: bool = False
    """It says which document by pointing at one: this one, the one attached."""
    sentences: int | None = None
    """As many as it asks for."""

    def means(self, titles: Sequence[str]) -> bool:
        """Return whether documents of these titles are what it asks a summary of: without a subject always, else by name."""
        return not self.subject or any(_named(self.subject, title) for title in titles)


def summary_request(question: str) -> SummaryRequest | None:
    """Return what summary is asked for; None where something else is asked, or more than that."""
    text = _plain(question)
    if not text or len(text) > 200:
        return None
    return _korean(text) if HANGUL.search(text) else _english(text)


def _plain(question: str) -> str:
    text = re.sub(r"[\"“”‘「」『』《》<>()\[\]]", "", composed(question).casefold().replace("’", "'"))
    return " ".join(re.sub(r"[.!?~…,:;。？！·]+", " ", text).split())


def _named(subject: str, title: str) -> bool:
    """Return whether a document is called so: the words of either are those of the other, or most of them."""
    own, other = (re.sub(r"[\W_]+", "", composed(text).casefold()) for text in (subject, title))
    return len(own) >= 2 and bool(other) and (own in other or other in own) and 2 * len(own) >= len(other)


# Korean, without spaces: 이 문서를 / 요약 해 줘, 이문서 요약해줘 and 이 문서 요약 해줘 are one.

_COUNTS = {"한": 1, "두": 2, "세": 3, "석": 3, "네": 4, "넉": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10}


def _any(words: str) -> str:
    """Return a pattern of one of these words, longer ones first: within a part nothing is tried twice."""
    return "|".join(sorted(words.split(), key=len, reverse=True))


_THIS = (
    r"(?:이|요|본|해당|위의?|여기|지금|방금|아까|첨부(?:한|된|해드린)?|올린|올려(?:준|드린|주신)|업로드(?:한|된)?|고른|선택(?:한|된)?|"
    r"내가|제가|우리|(?:두|세|네|모든|각|여러)(?=문서|파일|자료))"
)
_FILES = rf"(?:{_any('문서 파일 자료 텍스트 문건 첨부파일 첨부물 document file pdf')})(?:들)?"
_PAPERS = "규정 지침 매뉴얼 설명서 안내서 안내문 보고서 회의록 계약서 제안서 기획서 논문 기사 공지 공지사항 메일"
_KINDS_KO = _any(f"이거 이것 이걸 이건 내용 전체 전부 모두 전문 본문 원문 글 {_PAPERS}")
_PARTICLES = "을 를 의 은 는 이 가 에 에서 에대해 에대해서 에대한 에관해 에관해서 도 만(?!들) 좀 으로 로 다 중에 중에서 대로"
_PARTICLE = rf"(?:{_any(_PARTICLES)})?"
_NOUN = rf"(?:{_FILES}|{_KINDS_KO}){_PARTICLE}"
_MANNER = (
    r"(?:간단(?:히|하게|한)|간략(?:히|하게|한)|짧(?:게|은)|짤막하게|자세(?:히|하게|한)|상세(?:히|하게|한)|(?:알기|이해하기|보기)?쉽게|"
    r"핵심(?:적으로|위주로|만)?|(?:가장)?중요한(?:것|내용|부분|점)(?:들)?(?:위주로|만)?|요점만?|한눈에|빠르게|빨리|잘|한번만?|좀|대충|"
    r"(?:쭉|다)?(?:읽고|읽어보고|읽어서|보고(?!서)|살펴보고|훑어보고|검토하고|분석해서|분석하고)|(?:볼|알|이해할)수있(?:게|도록)|"
    r"전체적으로|전반적으로|다시|바로|그냥|먼저|우선|한국어로|한글로|우리말로|영어로|불릿으로|글머리(?:표|기호)?로|목록으로|항목별로|조목조목)"
)
_COUNT = (
    rf"(?P<count>\d{{1,2}}|{'|'.join(_COUNTS)})(?:줄|문장|가지|개|항목|포인트)(?:정도|이내|안팎|내외)?"
    r"(?:으로|로|의|에|만|를|을|모두)?"
)
_FILLER = r"(?:안녕하세요|안녕|저기|혹시|자|그럼|그러면|일단|이제|please|pls)"
_PART = rf"(?>{_MANNER}|{_COUNT.replace('?P<count>', '?:')}|{_NOUN}|{_FILLER}|{_THIS})"
"""One way only to read what stands at a place, so that a long question takes no longer than its length."""
_GIVE = (
    r"(?:해서|하여|해|하고)?(?:내|뽑아|알려|말해|보여|설명해|정리해|만들어|써|적어|작성해|추려|간추려|부탁)?"
    r"(?:봐|보아|볼)?(?:줘|주라|주세요|주십시오|주시|줄|주|달라|다오|드려)?"
    r"(?:겠어|겠습니까|겠니|실래|래|실수있(?:나|을까|어|습니까)|수있(?:나|을까|어|니|겠니|습니까|을지)?|시겠(?:어|습니까)|"
    r"면(?:좋겠어|좋겠습니다|돼|됩니다|안될까|고맙겠습니다|감사하겠습니다))?"
    r"(?:해|드려|드립니다|드릴게|합니다|바랍니다|바라|하세요|하십시오|하시오|하라|하자|할래|할수있(?:나|을까|어)|원해|원합니다|"
    r"필요해|필요합니다|가능할까|가능해|가능한가|가능합니까|실분|실수있는분)?(?:요|여|용|죠)?(?:고마워요?|감사합니다|부탁해요?|부탁드려요|부탁드립니다)?"
)
_SUM_UP = (
    r"(?:중요한(?:것|내용|부분|점)(?:들)?만?(?:을|를)?(?=뽑아|추려|알려|말해|정리|설명)|(?:요약|서머리|summary|summari[sz]e)(?:본|문|정리|설명)?|개요|핵심(?:내용|사항|요점)?|요점|주요내용|요지|골자|줄거리|tldr)"
    r"(?:을|를|은|이|만|좀)?"
)
_ASKS_WHAT = (
    r"(?:(?:무슨|어떤|뭔)(?:내용|문서|파일|자료|글)|(?:뭐가?|뭘|무엇[을이]?|무얼)(?:에대한|에관한|이라고|라고)?"
    r"(?:내용|문서|파일|자료|글|말하|담고|다루|쓰여|적혀|들어)?)(?:이|인|있|하|되어|돼|어)?(?:는)?(?:있)?(?:는|은|이)?"
    r"(?:지|가|건|거|것)?(?:야|에|예|니|나|까|입니까|습니까|인가|인지|이에|이야|지|어|어요)?(?:알려|말해)?(?:줘|주세요)?요?"
)
_KOREAN = re.compile(rf"(?P<before>{_PART}*)(?P<sum>{_SUM_UP}|간추려|추려|정리)(?P<between>{_PART}*){_GIVE}")
_MAIN_KO = r"(?:핵심(?:내용|사항)?|주요(?:내용|사항)|중요한(?:내용|점|것)|요점|요지|골자|개요|내용)(?:이|은|는)?"
_KOREAN_WHAT = re.compile(
    rf"(?P<before>{_THIS}?(?:{_FILES}|{_KINDS_KO})(?:은|는|이|가|에|에는|엔|에서)?){_ASKS_WHAT}"
    rf"|(?P<whose>{_THIS}?(?:{_FILES}|{_KINDS_KO})(?:의|에서)?){_MAIN_KO}(?:뭐|뭔|무엇)(?:야|예요|에요|이에요|인가요|인지|입니까|죠|지|니|가요)?"
    r"(?:알려|말해)?(?:줘|주세요)?요?"
)
_WITH_SUBJECT = re.compile(
    rf"(?P<subject>.{{2,60}}?)(?P<tail>{_PARTICLE}{_PART}*(?:요약(?:본|정리)?(?:을|를|좀)?|간추려){_PART}*{_GIVE})"
)
_CALLED = re.compile(
    rf"(?:{_SUM_UP}|정리)(?:{_FILES}|{_any(_PAPERS)})(?:을|를|은|는|이|가|도|좀)?(?:(?:보여|알려|말해|설명해)?(?:줘|주|줄|달라).*|(?:뭐|뭔|무엇).*)?"
)
"""A document that is called so and is to be shown, 요약 보고서: nothing is to be made of another."""
_POINTED = re.compile(rf"(?:{_THIS}){{1,3}}{_FILES}")


def _korean(text: str) -> SummaryRequest | None:
    squeezed = "".join(text.split())
    if found := _KOREAN_WHAT.fullmatch(squeezed):
        return SummaryRequest("", _POINTED.search(found["before"] or found["whose"]) is not None)
    if found := _KOREAN.fullmatch(squeezed):
        if _CALLED.fullmatch(squeezed, found.start("sum")):
            return None
        around = found["before"] + found["between"]
        bare = found["sum"] in ("정리", "추려") or found["sum"].startswith(
            ("핵심", "중요한", "요점", "요지", "개요", "골자", "주요내용")
        )
        if bare and not re.search(_NOUN, around):  # 정리해 줘 alone asks for order, of whatever was said
            return None
        return SummaryRequest("", _POINTED.search(around) is not None, _sentences(squeezed))
    if found := _WITH_SUBJECT.fullmatch(squeezed):
        return SummaryRequest(found["subject"], False, _sentences(found["tail"]))
    return None


def _sentences(squeezed: str) -> int | None:
    found = re.search(_COUNT.replace("개|", "개(?=[^를을모]*로)|"), squeezed)
    if found:
        return max(1, _COUNTS.get(found["count"]) or int(found["count"]))
    return BRIEF if re.search(r"간단|간략|짧|짤막", squeezed) else None


# English, word by word.

_NUMBERS = {
    word: number for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
}
_SUM_UP_EN = re.compile(
    r"summ?[ae]r(?:i[sz](?:e|ed|ing|ation)|y|ies)|tldr|overview|gist|recap|synopsis|outline|description|highlights?|takeaways?"
)
_ASKING = frozenset(
    "everything about ideas messages findings "
    "please pls kindly can could would will you i we need want d like would'd let's lets give make write provide show get "
    "create produce tell draft prepare do have me us a an the of for from in into with to as my our out up and thanks thank "
    "hi hello hey read review look at through now just so here's i'd i'm it them quick quickly short shortly brief briefly "
    "concise concisely simple simply plain detailed detail clear clearly nice good few some bullet bullets bulleted list "
    "form format sentence sentences line lines point points paragraph item items words key main important most essential "
    "only all both whole entire full complete again english korean".split()
)
_POINTING = frozenset("this that these those attached uploaded chosen selected above it".split())
_DOCUMENTS = frozenset("document documents doc docs file files pdf pdfs attachment attachments".split())
_KINDS = frozenset(
    "text paper report article page pages content contents memo manual guideline guidelines policy minutes".split()
)
_THE_DOCUMENT = (
    r"(?:(?:this|that|these|those|the|my|our|attached|uploaded|chosen|selected|whole|entire) )*"
    rf"(?:{'|'.join(sorted(_DOCUMENTS | _KINDS))}|this|it)"
)
_MAIN = r"(?:(?:key|main|most|important) )*(?:points?|ideas?|messages?|contents?|takeaways?|summary|gist)"
_WHAT = re.compile(
    r"(?:(?:please|can|could|you|tell|me) )*(?:"
    rf"what(?:'s| is| are|s)? {_THE_DOCUMENT}(?: is| are)?(?: all| mainly)? about"
    rf"|what (?:does|do) {_THE_DOCUMENT} (?:say|cover|contain|describe|deal with|talk about)"
    rf"|what(?:'s| is) in {_THE_DOCUMENT}|what(?: is| are) {_THE_DOCUMENT}'s {_MAIN}"
    rf"|(?:(?:briefly|quickly) )*(?:explain|describe) (?:to me )?(?:what )?(?:this|the|that|these|our|my) "
    rf"(?:{'|'.join(sorted(_DOCUMENTS | _KINDS))})(?: says| contains| is about)?"
    rf"(?: briefly| shortly| in (?:a few|\w+) (?:sentences?|lines?|words))?"
    rf"|what(?:'s| is| are) the {_MAIN} (?:of|in|from) {_THE_DOCUMENT})"
)
_POINTS = re.compile(r"(?:key|main|important|essential) (?:points|ideas|messages|findings|takeaways)|sum (?:\w+ ){0,3}up|sum up")
_OTHER = frozenset(
    "how who when where why which what not never no don't doesn't isn't without whether if than is are was were does did has "
    "had".split()
)
"""Words of other questions, and of what is not wanted."""
_NOUN_EN = (
    r"summ?[ae]r(?:y|ies)|overview|gist|recap|synopsis|outline|description|highlights?|takeaways?|points|ideas|messages|findings"
)
_PLACES = (_DOCUMENTS | _KINDS | set("list form format line lines item items".split())) - {"content", "contents", "text"}
_MAKING = frozenset("write make create produce prepare draft".split())
_NEW = frozenset("a an another one short brief concise quick simple".split())
_KNOWN = frozenset("the our my".split())
_POLITE = frozenset("please pls kindly".split())
_MAKES_ONE = re.compile(r"summ?[ae]ri[sz](?:e|ing)")
_READING = re.compile(rf"(?:read|review|look (?:at|through))(?: me)? (?:the|this|that|our|my) (?:{_NOUN_EN})\b(?! of)")


def _english(text: str) -> SummaryRequest | None:
    text = re.sub(r"tl\s*dr", "tldr", text)
    words = re.findall(r"[a-z0-9]+(?:'[a-z]+)?", text)
    points = bool(_DOCUMENTS.intersection(words)) and bool(_POINTING.intersection(words))
    if _WHAT.fullmatch(text):
        return SummaryRequest("", points)
    asks = [word for word in words if _SUM_UP_EN.fullmatch(word)]
    if (not asks and not _POINTS.search(text)) or _READING.search(text) or _means_a_part(words):
        return None
    known = _ASKING | _POINTING | _DOCUMENTS | _KINDS | _NUMBERS.keys() | {"sum"}
    left = [word for word in words if word not in known and word not in asks and not word.isdigit()]
    if left and not _leads(words, left):
        return None
    return SummaryRequest(_subject(words, left), points, _sentences_en(words))


def _means_a_part(words: Sequence[str]) -> bool:
    """Return whether what is called a summary is to be shown, as the overview page or a description, not one to be made."""
    if any(_MAKES_ONE.fullmatch(word) for word in words):
        return False
    there = words[:1] == ["do"] and "have" in words[:3]
    for place, word in enumerate(words):
        before, after = words[max(0, place - 3) : place], words[place + 1 : place + 2]
        new = _NEW.intersection(before) and not _KNOWN.intersection(before) and not there
        if new or before[-1:] in (["you"], ["to"]) or not re.fullmatch(_NOUN_EN, word):
            continue
        if word == "description" and after not in (["of"], ["for"]):
            return True
        if _PLACES.intersection(after) and not _POLITE.issuperset(before) and not _MAKING.intersection(words):
            return True
    return False


def _leads(words: Sequence[str], left: Sequence[str]) -> bool:
    """Return whether a request with a subject begins as one: summarise ..., give me a summary of ..."""
    first = words.index(left[0])
    return any(_SUM_UP_EN.fullmatch(word) for word in words[:first]) and not _OTHER.intersection(words)


def _subject(words: Sequence[str], left: Sequence[str]) -> str:
    """Return the words from the first to the last that are left: "terms of use", not "terms use"."""
    if not left:
        return ""
    first, last = words.index(left[0]), len(words) - 1 - list(reversed(words)).index(left[-1])
    return " ".join(words[first : last + 1])


def _sentences_en(words: Sequence[str]) -> int | None:
    units = {"sentence", "sentences", "line", "lines", "point", "points", "bullet", "bullets", "item", "items"}
    for number, word in enumerate(words[:-1]):
        value = int(word) if word.isdigit() and len(word) < 3 else _NUMBERS.get(word)
        if value and units.intersection(words[number + 1 : number + 4]):
            return value
    return (
        BRIEF
        if {"few", "brief", "briefly", "short", "shortly", "quick", "quickly", "concise", "concisely"} & set(words)
        else None
    )
