"""Choices that several pages offer in the same way."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from apps.admin import texts
from apps.admin.session import say
from apps.admin.texts import Word


def choose(label: Word, words: Mapping[Any, Word], default: Any, key: str) -> Any:
    """Return which of `words` is chosen; one always is."""
    return st.segmented_control(
        say(label), list(words), default=default, required=True, format_func=lambda code: say(words[code]), key=key
    )


def choose_days(default: int, key: str, offered: Sequence[int] = tuple(texts.PERIODS)) -> int:
    """Return a period in days that ends today."""
    return choose(texts.PERIOD, {days: texts.PERIODS[days] for days in offered}, default, key)
