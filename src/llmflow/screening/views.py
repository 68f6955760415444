"""The ways a text can be read: as it stands, and with disguises taken off. Every reading knows where its characters come from."""

import base64
import binascii
import codecs
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
"""Characters that a reader does not see: zero width, soft hyphens, bidirectional controls, fillers, tags, variation selectors."""
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
TAGS = re.compile("[\U000e0020-\U000e007e]")

_CONFUSABLES = str.maketrans(
    "аеорсухіјѕһԁԛԝґкмтвнзьяАВЕКМНОРСТУХІЈЅαεοικρτυνχγΑΒΕΗΙΚΜΝΟΡΤΥΧΖıɑɡɩʀᴀᴄᴅᴇɢɪᴊᴋʟᴍɴᴏᴘꜱᴛᴜᴠᴡʏᴢ",
    "aeopcyxijshdqwrkmtbh3brABEKMHOPCTYXIJSaeoikptuvxyABEHIKMNOPTYXZiagiracdegijklmnopstuvwyz",
)
_ODD = re.compile("[^\x00-\x7f가-힣ㄱ-ㅣ\u3000-\u303f·–—‘’“”…•→]")
"""What a text must hold before any of it is read otherwise than it stands."""
_COMBINING = re.compile("[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]+")
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]+")
DIGITS = "digits for letters"
_LEET = str.maketrans("01345789@$!|+", "oieastbgasiit")
_LEET_WORD = re.compile(r"(?<![\w@$!|+])(?=[\w@$!|+]*[A-Za-z])(?=[\w@$!|+]*[01345789@$!|])[A-Za-z01345789@$!|+]{4,24}(?![\w@$])")
_SPACED_LATIN = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z0-9][ .\-_*·|/~]{1,3}){6,}[A-Za-z0-9](?![A-Za-z0-9])")
_SPACED_HANGUL = re.compile(r"(?<![가-힣])(?:[가-힣][ .\-_*·|/~]{1,3}){5,}[가-힣](?![가-힣])")
_GAP = re.compile(r"[^\w]+")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_\-])(?:[A-Za-z0-9+/_\-]{4}[\r\n ]?){5,}[A-Za-z0-9+/_\-]{0,3}={0,2}(?![A-Za-z0-9+/])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,]?){14,}(?![0-9A-Za-z])")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}|[\w.~\-+]){0,200}(?:%[0-9A-Fa-f]{2}[\w.~\-+]{0,12}){4,}")
_ESCAPES = re.compile(r"(?:\\u[0-9A-Fa-f]{4}[ ]?){3,}|(?:&#x?[0-9A-Fa-f]{2,6};[ ]?){3,}")
_BINARY = re.compile(r"(?<![01])(?:[01]{8}[ ]?){8,}(?![01])")
_ROT13_WORDS = re.compile(r"\b(?:vtaber|qvfertneq|sbetrg|vafgehpgvba|cebzcg|flfgrz|cerivbhf|erirny|bireevqr)", re.IGNORECASE)
_REVERSED_WORDS = re.compile(r"(?:erongi|dragersid|tegrof|snoitcurtsni|tpmorp|suoiverp|시지|시무|트프롬프)", re.IGNORECASE)
_COMPATIBLE_JAMO = re.compile("[ㄱ-ㅎㅏ-ㅣ]{2,}(?:[ ]?[ㄱ-ㅎㅏ-ㅣ]+)*")
_ESCAPE_HINT, _PERCENT_HINT = re.compile(r"\\u[0-9a-f]{4}|&#"), re.compile(r"%[0-9a-f]{2}")
_APART_HINT = re.compile(r"[ .\-_*·|/~][a-z가-힣][ .\-_*·|/~]{1,3}[a-z가-힣][ .\-_*·|/~]{1,3}[a-z가-힣][ .\-_*·|/~]")
_LEET_HINT = re.compile(r"[a-z][013457@$!|][a-z]|(?<![\w@])[013457@$][a-z]{2}|[a-z][013457@$]{2}")
_BINARY_HINT, _HEX_HINT = re.compile(r"[01]{8}"), re.compile(r"(?:(?:0x|\\x)?[0-9a-f]{2}[ :,]?){8}")
_JAMO_HINT = re.compile("[ㄱ-ㅎㅏ-ㅣ]{2}")
_SHORT, _LONGEST = 6, 20_000


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text. `starts[i]` and `ends[i]` are where character i stands in the text itself."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    disguise: str = ""
    """What had to be taken off, in words; empty for the plain reading."""
    squeezed: bool = False
    """Blanks between words are gone."""

    partial: bool = False
    """Only a part of the text was disguised; `undone` tells which."""

    def undone(self, start: int, end: int) -> bool:
        """Return whether any of the characters [start:end] had to be uncovered."""
        return not self.partial or any(self.ends[index] - self.starts[index] > 1 for index in range(start, end))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where characters [start:end] of this reading stand in the text itself."""
        if not self.text or start >= end:
            return 0, 0
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=64)  # patterns and classifier read the same text, one after the other
def views(text: str) -> tuple[View, ...]:
    """Return the plain reading of a text first, then one for each disguise that it wears."""
    text = text[:_LONGEST]
    plain = _folded(text)
    found = [plain, *_decoded(plain)]
    if TAGS.search(text):
        found.append(_of_tags(text))
    return tuple(found)


def _folded(text: str) -> View:
    """Return the text without what nobody sees, look-alike letters replaced, in lower case."""
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def add(piece: str, start: int, end: int) -> None:
        for character in piece:
            characters.append(character)
            starts.append(start)
            ends.append(end)

    if not _ODD.search(text):
        return View(text.lower(), range(len(text)), range(1, len(text) + 1))
    position = 0
    while position < len(text):
        jamo = _JAMO.match(text, position)
        if jamo:
            add(unicodedata.normalize("NFC", jamo.group()), position, jamo.end())
            position = jamo.end()
            continue
        character = text[position]
        if "가" <= character <= "힣" or character < "\u0080":
            add(character.lower(), position, position + 1)
        elif not INVISIBLE.match(character) and not _COMBINING.match(character):
            folded = _COMBINING.sub("", unicodedata.normalize("NFKD", character)) or character
            folded = unicodedata.normalize("NFC", folded).translate(_CONFUSABLES)
            add(folded.lower(), position, position + 1)
        position += 1
    return View("".join(characters), tuple(starts), tuple(ends))


def _decoded(plain: View) -> Iterator[View]:
    text = plain.text
    for hint, pattern, disguise, read in (
        (_ESCAPE_HINT, _ESCAPES, "escaped characters", _unescape),
        (_PERCENT_HINT, _PERCENT, "percent encoding", urllib.parse.unquote),
        (_APART_HINT, _SPACED_LATIN, "letters set apart", _squeeze),
        (_APART_HINT, _SPACED_HANGUL, "letters set apart", _squeeze),
        (_LEET_HINT, _LEET_WORD, DIGITS, _unleet),
        (_BINARY_HINT, _BINARY, "binary digits", _from_binary),
        (_HEX_HINT, _HEX, "hexadecimal", _from_hex),
        (_JAMO_HINT, _COMPATIBLE_JAMO, "letters taken apart", compose_jamo),
    ):
        if not hint.search(text):
            continue
        view = _replaced(plain, text, pattern, disguise, read)
        if view is not None:
            yield view
    if _ROT13_WORDS.search(text):
        yield View(codecs.encode(text, "rot13"), plain.starts, plain.ends, "ROT13")
    if _REVERSED_WORDS.search(text):
        yield View(text[::-1], plain.starts[::-1], plain.ends[::-1], "written backwards")


def base64_views(text: str) -> list[View]:
    """Return what base64 in `text` says, where it says words. It is read in the text as it is: case matters."""
    found = []
    for match in _BASE64.finditer(text[:_LONGEST]):
        said = _from_base64(match.group())
        if said:
            folded = _folded(said)
            here = (match.start(),) * len(folded.text), (match.end(),) * len(folded.text)
            found.append(View(folded.text, *here, "base64"))
    return found


def _replaced(plain: View, text: str, pattern: re.Pattern[str], disguise: str, read: Callable[[str], str]) -> View | None:
    """Return the reading in which every match that `read` makes something else of is replaced by it; None where none is."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for match in pattern.finditer(text):
        said = read(match.group())
        if not said or said == match.group():
            continue
        pieces += [text[position : match.start()], said]
        starts += [*plain.starts[position : match.start()], *[plain.starts[match.start()]] * len(said)]
        ends += [*plain.ends[position : match.start()], *[plain.ends[match.end() - 1]] * len(said)]
        position = match.end()
    if not pieces:
        return None
    pieces.append(text[position:])
    squeezed = read is _squeeze
    return View("".join(pieces), (*starts, *plain.starts[position:]), (*ends, *plain.ends[position:]), disguise, squeezed, True)


def _squeeze(text: str) -> str:
    # Words that are set apart keep a wider gap between them; where all gaps are alike nothing tells them.
    return _GAP.sub("", text)


def _unleet(word: str) -> str:
    return word.translate(_LEET)


def _unescape(text: str) -> str:
    text = html.unescape(text)
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: chr(int(m.group(1), 16)), text).lower()


def _from_base64(text: str) -> str:
    packed = re.sub(r"\s", "", text).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return _words(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))
    except (binascii.Error, ValueError):
        return ""


def _from_hex(text: str) -> str:
    digits = re.sub(r"0x|\\x|[^0-9a-f]", "", text.lower())
    return _words(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _from_binary(text: str) -> str:
    digits = text.replace(" ", "")
    return _words(bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits) - 7, 8)))


def _words(data: bytes) -> str:
    """Return the text that `data` holds, if it reads like words; else nothing."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    letters = sum(character.isalpha() or character.isspace() or character in ".,!?:;'\"-()/" for character in text)
    return text.lower() if len(text) >= _SHORT and letters / len(text) > 0.85 and " " in text.strip() else ""


def _of_tags(text: str) -> View:
    places = [index for index, character in enumerate(text) if TAGS.match(character)]
    said = "".join(chr(ord(text[index]) - 0xE0000) for index in places).lower()
    return View(said, tuple(places), tuple(place + 1 for place in places), "invisible tag characters")


_LEADS, _VOWELS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_SYLLABLE = re.compile(f"([{_LEADS}])([{_VOWELS}])(?:([{_TAILS}])(?![{_VOWELS}]))?")


def compose_jamo(text: str) -> str:
    """Return `ㅁㅜㅅㅣ` as `무시`; a consonant before a vowel begins the next syllable."""

    def syllable(match: re.Match[str]) -> str:
        tail = _TAILS.index(match.group(3)) + 1 if match.group(3) else 0
        return chr(0xAC00 + (_LEADS.index(match.group(1)) * 21 + _VOWELS.index(match.group(2))) * 28 + tail)

    return _SYLLABLE.sub(syllable, text)
