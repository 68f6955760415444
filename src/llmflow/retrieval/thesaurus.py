"""Equivalents of words in the other language: a Korean question finds an English document without a model that reads both.

A short list of office words comes with the package; a house adds its own under `retrieval.thesaurus.more`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from llmflow.config import Settings
from llmflow.retrieval.tokens import HANGUL, latin_token


class ThesaurusSettings(Settings):
    enabled: bool = True
    more: tuple[tuple[str, ...], ...] = ()
    """Further meanings, each a list of single words in both languages, such as `[원장, ledger]`."""


def equivalents(tokens: Sequence[str], settings: ThesaurusSettings) -> dict[str, tuple[str, ...]]:
    """Return the analysed words of the other language for each of a question's tokens that has any, in the order of the list.

    A token with several meanings gets the words of all of them.
    """
    if not settings.enabled:
        return {}
    known = _index(settings.more)
    return {token: known[token] for token in dict.fromkeys(tokens) if token in known}


@lru_cache(maxsize=8)
def _index(more: tuple[tuple[str, ...], ...]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for meaning in (*_bundled(), *more):
        words = [word if HANGUL.search(word) else latin_token(word) for word in meaning]
        for word in words:
            others = (other for other in words if bool(HANGUL.search(other)) != bool(HANGUL.search(word)))
            found.setdefault(word, {}).update(dict.fromkeys(others))
    return {word: tuple(others) for word, others in found.items() if others}


@lru_cache(maxsize=1)
def _bundled() -> tuple[tuple[str, ...], ...]:
    text = files("llmflow.retrieval").joinpath("thesaurus_ko_en.txt").read_text(encoding="utf-8")
    return tuple(tuple(line.split()) for line in text.splitlines() if line and not line.startswith("#"))
