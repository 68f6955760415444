"""The port of a language model that finds entities and relations in a passage."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ExtractedEntity:
    """A name that stands in the passage: `text[start:end]`."""

    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True)
class ExtractedRelation:
    """A link between two entities of the same passage, and the span of text that says so."""

    source: int
    """Place in `Extraction.entities`."""
    target: int
    relation_type: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was found in one passage, as places in its text; never the text."""

    entities: tuple[ExtractedEntity, ...] = ()
    relations: tuple[ExtractedRelation, ...] = ()


class EntityExtractor(Protocol):
    """Asks a language model. Safe to share between threads."""

    model: str
    """Name of the model that is asked."""
    parallel: int
    """Passages that may be asked for at once."""

    def extract(self, text: str, context: str, relation_types: tuple[str, ...], max_tokens: int) -> Extraction:
        """Return what stands in `text`; `context` (title, headings) only helps to understand it.

        The same arguments are asked once and remembered. Raises ModelUnavailable when the model cannot be asked or says
        nothing that can be read.
        """
        ...


class KeyValueCache(Protocol):
    """Remembers short texts by key, over runs. Losing it costs time only."""

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, value: str) -> None: ...
