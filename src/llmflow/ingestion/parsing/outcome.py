"""What one format's reader hands back before the common clean-up."""

from dataclasses import dataclass

from llmflow.types import Element


@dataclass(frozen=True, slots=True)
class Reading:
    """Elements in reading order as a reader found them; texts are not cleaned yet and the list may be empty."""

    elements: list[Element]
    title: str = ""
    pages: int | None = None
    warnings: tuple[str, ...] = ()
