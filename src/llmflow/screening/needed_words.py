"""Words without which a pattern cannot match, read from the pattern itself.

>>> needed_words(r"\\b(?:ignore|forget) (?:all )?rules?")
(frozenset({'ignore', 'forget'}), frozenset({'rule'}))
"""

import re._constants as sre  # pyright: ignore[reportMissingImports]
import re._parser as parser  # pyright: ignore[reportMissingImports]
from collections.abc import Iterator, Sequence
from typing import Any

_LEAST = 2
"""Shorter words stand in every text."""


def needed_words(pattern: str) -> tuple[frozenset[str], ...]:
    """Return sets of words: a text that `pattern` matches somewhere holds at least one of each. Case is not looked at.

    Nothing where no word is certain, so that the caller has to try.
    """
    return tuple(_sets(list(parser.parse(pattern))))


def _sets(items: Sequence[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """Yield what each stretch of a sequence needs; letters that follow one another are one word."""
    run = ""
    for operation, argument in [*items, (None, None)]:
        if operation is sre.LITERAL:
            run += chr(argument)
            continue
        if len(run) >= _LEAST:
            yield frozenset({run})
        run = ""
        if operation is sre.BRANCH:
            words = [_one_of(list(branch)) for branch in argument[1]]
            if all(words):
                yield frozenset().union(*words)
        elif operation is sre.SUBPATTERN:
            yield from _sets(list(argument[3]))
        elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT) and argument[0] > 0:
            yield from _sets(list(argument[2]))


def _one_of(items: Sequence[tuple[Any, Any]]) -> frozenset[str]:
    """Return the most telling of the sets that a branch needs; an empty one where it needs none."""
    return max(_sets(items), key=lambda words: (min(map(len, words)), -len(words)), default=frozenset())


def needs_korean(pattern: str) -> bool:
    """Return whether every text that `pattern` matches holds a syllable of Hangul; False where that is not certain.

    >>> needs_korean("(?:ai|봇) ?은"), needs_korean("ai|봇")
    (True, False)
    """
    return _korean(list(parser.parse(pattern)))


def _korean(items: Sequence[tuple[Any, Any]]) -> bool:
    for operation, argument in items:
        if (
            (operation is sre.LITERAL and "가" <= chr(argument) <= "힣")
            or (operation is sre.IN and all(_hangul(*part) for part in argument))
            or (operation is sre.BRANCH and all(_korean(list(branch)) for branch in argument[1]))
            or (operation is sre.SUBPATTERN and _korean(list(argument[3])))
            or (operation in (sre.MAX_REPEAT, sre.MIN_REPEAT) and argument[0] > 0 and _korean(list(argument[2])))
        ):
            return True
    return False


def _hangul(operation: Any, argument: Any) -> bool:
    if operation is sre.LITERAL:
        return "가" <= chr(argument) <= "힣"
    return operation is sre.RANGE and chr(argument[0]) >= "가" and chr(argument[1]) <= "힣"
