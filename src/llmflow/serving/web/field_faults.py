"""What is wrong with the fields of a request, in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmflow.wording import in_language, said

SHOWN = 5
"""Faults that are told of one request."""
_FAULTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda more: said("field.missing"),
    "extra_forbidden": lambda more: said("field.unknown"),
    "string_type": lambda more: said("field.text"),
    "string_too_long": lambda more: said("field.text_long", most=more["max_length"]),
    "string_too_short": lambda more: said("field.text_short", least=more["min_length"]),
    "int_type": lambda more: said("field.integer"),
    "bool_type": lambda more: said("field.boolean"),
    "literal_error": lambda more: said("field.choice", expected=more["expected"]),
    "enum": lambda more: said("field.choice", expected=more["expected"]),
    "greater_than_equal": lambda more: said("field.least", least=more["ge"]),
    "less_than_equal": lambda more: said("field.most", most=more["le"]),
    "list_type": lambda more: said("field.list"),
    "too_long": lambda more: said("field.list_long", most=more["max_length"], count=more["actual_length"]),
    "too_short": lambda more: said("field.list_short", least=more["min_length"], count=more["actual_length"]),
    "model_attributes_type": lambda more: said("field.object"),
    "json_invalid": lambda more: said("field.json"),
}
"""By pydantic's type of error; the others are told in pydantic's English."""


def told(faults: Sequence[Mapping[str, Any]], language: str) -> str:
    """Return the first faults with their places, in a language."""
    return "; ".join(f"{place(fault)}: {_words(fault, language)}" for fault in faults[:SHOWN])


def place(fault: Mapping[str, Any]) -> str:
    """Return where in the body a fault is."""
    return ".".join(str(part) for part in fault["loc"] if part != "body") or "body"


def _words(fault: Mapping[str, Any], language: str) -> str:
    more = fault.get("ctx") or {}
    raised = more.get("error")
    if isinstance(raised, ValueError):  # of a validator of ours
        return in_language(str(raised), language) if language != "en" else fault["msg"]
    try:
        known = _FAULTS[fault["type"]](more)
    except KeyError:  # another error, or one that says other things than before
        return fault["msg"]
    return in_language(known, language) if language != "en" else fault["msg"]
