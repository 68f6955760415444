"""Text to the tokens that BM25 counts: one analysed field for Korean and English.

Korean: Kiwi's content morphemes (no particles, endings, symbols) and character bigrams; see docs/LOG.md
for the measurements. English: lower case, accents folded, stop words dropped, Snowball stems.
Tokens hold letters and digits only, so any whitespace or `\\w+` analyser reads them back unchanged.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from pydantic import Field

from llmflow.config import Settings

HANGUL = re.compile(r"[가-힣]")
WORD = re.compile(r"[^\W_]+")
LATIN = re.compile(r"[^\W_가-힣]+")
"""The words of a text without its Hangul."""
OTHER_SCRIPT = re.compile(r"[^\x00-\x7f가-힣]+")
LETTERS_OF_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\u3200-\u321e\u3260-\u327e\ua960-\ua97f\ud7b0-\ud7ff\uffa0-\uffdf]")
KIWI_LOCK = threading.Lock()
CONTENT_TAGS = frozenset({"NNG", "NNP", "NNB", "NR", "NP", "XR", "VV", "VA", "MAG", "SL", "SN", "SH", "W_SERIAL"})
LATIN_TAGS = frozenset({"SL", "SN", "SH", "W_SERIAL"})
WEAK_TAGS = frozenset({"NNB", "NP"})
KEPT_CHARACTERS = 1000
"""Texts up to this long, asked for alone, keep their morphemes: questions and sentences."""
LATIN_REPEATS = 2
"""A Korean noun of three or four syllables has about three tokens."""
STOP_WORDS = frozenset(
    "a an and are as at be been by but did do does for from had has have he her his how if in into is it its of on or s she so t "
    "such than that the their them then there these they this to was we were what when where which who whom whose why will with "
    "would you your".split()
)
KOREAN_STOP_WORDS = frozenset(
    "하 되 있 없 이 그 저 것 수 등 때 무엇 어떤 어느 누구 언제 어디 얼마 얼마나 며칠 몇 알 알리 알려주 주 어떻 같".split()
)
ASKING_TAGS = frozenset({"NP", "VCP", "EF", "JX"})
ASKING_WORDS = frozenset("무엇 무슨 어떤 어느 어떻 누구 언제 어디 얼마 얼마나 며칠 몇 왜 뭐 뭣".split())


class AnalyserSettings(Settings):
    """How text becomes tokens. Part of the fingerprint: a change re-indexes every document."""

    bigrams: bool = True
    stem_english: bool = True
    user_dictionary: tuple[str, ...] = ()
    """Proper nouns that Kiwi must keep whole, such as product and team names."""
    workers: int = Field(default=1, ge=1, le=16)


def load_kiwi(user_dictionary: tuple[str, ...] = (), workers: int = 1) -> Any:
    """Return the process's one Kiwi; it takes seconds and half a gigabyte, so it is made once, whoever asks first."""
    with KIWI_LOCK:
        return _new_kiwi(user_dictionary, workers)


@lru_cache(maxsize=2)
def _new_kiwi(user_dictionary: tuple[str, ...], workers: int) -> Any:
    from kiwipiepy import Kiwi

    kiwi: Any = Kiwi(num_workers=workers)
    for word in user_dictionary:
        kiwi.add_user_word(word, "NNP")
    return kiwi


@lru_cache(maxsize=1)
def _stemmer():
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=100_000)
def latin_token(word: str, stem: bool = True) -> str:
    folded = fold(word)
    return _stemmer().stemWord(folded) if stem and folded.isascii() and not folded.isdigit() else folded


def composed(text: str) -> str:
    """Return `text` in NFC, as documents are: macOS hands out Korean as single letters, which no syllable of the index equals."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Return `text` in lower case with Latin accents removed; Hangul and other scripts stay whole."""
    if text.isascii():
        return text.lower()
    lowered = text.lower()
    if LETTERS_OF_HANGUL.search(lowered):  # they join with what stands beside them
        return _unaccented(lowered)
    return OTHER_SCRIPT.sub(lambda match: _kept_unaccented(match.group()), lowered)


def _unaccented(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


_kept_unaccented = lru_cache(maxsize=8192)(_unaccented)


@dataclass(frozen=True, slots=True)
class Morpheme:
    """One Kiwi token: form, part of speech without its irregularity mark, and its first character in the text."""

    form: str
    tag: str
    start: int
    length: int


def morphemes(texts: Sequence[str], settings: AnalyserSettings) -> list[list[Morpheme] | None]:
    """Return Kiwi's tokens of each text with Hangul in it, None for the others; Kiwi loads only where needed."""
    found: list[list[Morpheme] | None] = [None] * len(texts)
    korean = [number for number, text in enumerate(texts) if HANGUL.search(text)]
    if len(texts) == 1 and korean and len(texts[0]) <= KEPT_CHARACTERS:
        return [list(_kept_morphemes(texts[0], settings.user_dictionary, settings.workers))]
    if korean:
        kiwi = load_kiwi(settings.user_dictionary, settings.workers)
        for number, tokens in zip(korean, _tokenize(kiwi, [texts[n] for n in korean]), strict=True):
            found[number] = _morphemes_of(tokens)
    return found


def _morphemes_of(tokens: Any) -> list[Morpheme]:
    return [Morpheme(t.form, t.tag.split("-")[0], t.start, t.len) for t in tokens]


@lru_cache(maxsize=512)  # one answer reads its question three times, and its sentences were quoted before
def _kept_morphemes(text: str, user_dictionary: tuple[str, ...], workers: int) -> tuple[Morpheme, ...]:
    return tuple(_morphemes_of(_tokenize(load_kiwi(user_dictionary, workers), [text])[0]))


def _tokenize(kiwi: Any, texts: list[str]) -> list[Any]:
    return list(kiwi.tokenize(texts))


def analyse(texts: Sequence[str], settings: AnalyserSettings, question: bool = False) -> list[str]:
    """Return the tokens of each text joined by spaces, in text order.

    `question` also drops Korean question words.
    """
    return [tokens_of(text, found, settings, question) for text, found in zip(texts, morphemes(texts, settings), strict=True)]


def tokens_of(text: str, found: list[Morpheme] | None, settings: AnalyserSettings, question: bool = False) -> str:
    """Return the tokens of a text whose morphemes are known, joined by spaces."""
    if found is None:
        return " ".join(_latin_tokens(text, settings))
    tokens = list(_korean_tokens(found, settings, question))
    if settings.bigrams:
        if question:  # a Korean word counts by its morpheme and by its pairs; a name in Latin letters must not count for less
            tokens += LATIN_REPEATS * [token for token in tokens if not HANGUL.search(token)]
        tokens += bigrams(text, _telling(text, found) if question else None)
    return " ".join(tokens)


def _telling(text: str, found: Sequence[Morpheme]) -> list[bool]:
    """Return for each sign of a question whether it may be of its subject: no word of asking, final ending or topic."""
    telling = [True] * len(text)
    for token in found:
        if token.tag in ASKING_TAGS or token.form in ASKING_WORDS:
            telling[token.start : token.start + token.length] = [False] * token.length
    return telling


def _korean_tokens(found: Sequence[Morpheme], settings: AnalyserSettings, question: bool) -> Iterator[str]:
    for token in joined(found):
        if token.tag not in CONTENT_TAGS:
            continue
        if token.tag in LATIN_TAGS:
            yield from _latin_tokens(token.form, settings)
        elif not (question and (token.form in KOREAN_STOP_WORDS or token.tag in WEAK_TAGS)):
            yield from WORD.findall(token.form)


def joined(found: Sequence[Morpheme]) -> Iterator[Morpheme]:
    """Yield the tokens with touching letters and digits as one: Kiwi parts `SEV1`, which English text keeps whole."""
    held: Morpheme | None = None
    for token in found:
        if held and token.tag in LATIN_TAGS and token.start == held.start + held.length:
            held = Morpheme(held.form + token.form, held.tag, held.start, held.length + token.length)
            continue
        if held:
            yield held
        held = token if token.tag in LATIN_TAGS else None
        if held is None:
            yield token
    if held:
        yield held


def _latin_tokens(text: str, settings: AnalyserSettings) -> Iterator[str]:
    for word in WORD.findall(text):
        token = latin_token(word, settings.stem_english)
        if token and token not in STOP_WORDS and word.lower() not in STOP_WORDS:
            yield token


def bigrams(text: str, telling: Sequence[bool] | None = None) -> Iterator[str]:
    """Yield every pair of neighbouring characters with a Hangul syllable in it, across spaces and punctuation.

    Across spaces, because Korean writers space compounds as they please: `법인 카드` and `법인카드` share all but nothing else.
    With `telling`, one flag a character, a pair needs a telling one: in a short question the pairs of its words of asking would
    outnumber those of its subject, and `useMemo란 무엇인가요?` would find what is asked elsewhere.
    """
    lowered = text.lower()
    places = [at for word in WORD.finditer(lowered) for at in range(*word.span())]
    if telling is None or len(lowered) != len(text):
        telling = [True] * len(lowered)
    for first, second in pairwise(places):
        pair = lowered[first] + lowered[second]
        if (telling[first] or telling[second]) and HANGUL.search(pair):
            yield pair
