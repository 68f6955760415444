"""The language of a passage, by its script.

>>> detect_language("Kubernetes 배포 절차"), detect_language("the quarterly report"), detect_language("12.5 %")
('ko', 'en', 'other')
"""

import re

_HANGUL = re.compile(r"[가-힣ㄱ-ㆎᄀ-ᇿ]+")
_LATIN = re.compile(r"[A-Za-z]+")
_ACCENTED = re.compile(r"[À-ÖØ-öø-ɏ]")
_OTHER = re.compile(r"[^\W\d_A-Za-zÀ-ÖØ-öø-ɏ가-힣ㄱ-ㆎᄀ-ᇿ]+")

_ENGLISH_LIST = "the of and to in is that for it with as was on are by be this from at or an have not which a"
_FOREIGN_LIST = (
    "der die das und ist nicht ein eine mit für auf den dem le la les des et est une dans pour que qui sur du au el los las "
    "y en por con una del se il di che per non della è o os um uma não para com da do em"
)
_ENGLISH = frozenset(_ENGLISH_LIST.split())
_FOREIGN = frozenset(_FOREIGN_LIST.split())

_KOREAN_SHARE = 0.15
"""Korean office text is full of Latin product names; below this share of its letters Hangul is itself a quotation."""


def detect_language(text: str) -> str:
    """Return `ko`, `en` or `other`.

    `ko` when at least 15 % of the letters are Hangul; `en` when most letters are Latin, unless accents and function words
    speak for another Latin-script language; `other` for the rest and for text without letters.
    """
    hangul = sum(map(len, _HANGUL.findall(text)))
    words = _LATIN.findall(text)
    latin = sum(map(len, words))
    accented = len(_ACCENTED.findall(text))
    letters = hangul + latin + accented + sum(map(len, _OTHER.findall(text)))
    if not letters:
        return "other"
    if hangul >= _KOREAN_SHARE * letters:
        return "ko"
    if latin + accented < 0.5 * letters:
        return "other"
    lowered = [word.lower() for word in text.split()] if accented else [word.lower() for word in words]
    english = sum(word in _ENGLISH for word in lowered)
    foreign = sum(word in _FOREIGN for word in lowered)
    if accented > 0.02 * (latin + accented) and english == 0 and len(words) > 2:
        return "other"
    return "other" if foreign > english and foreign >= 2 else "en"
