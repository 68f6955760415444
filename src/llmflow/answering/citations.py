"""Citations: sentences to numbered sources, and the numbers that a model wrote back to sources."""

import re
from collections.abc import Sequence

from llmflow.types import Citation, Hit

MARK = re.compile(r"\[(\d{1,2})\]")


def citation(number: int, hit: Hit, quote: str) -> Citation:
    return Citation(
        number=number,
        chunk_id=hit.chunk.id,
        document_id=hit.document.id,
        title=hit.document.title,
        source=hit.document.source,
        page=hit.chunk.page,
        heading=" > ".join(hit.chunk.heading_path),
        quote=quote,
    )


def cited_by_model(text: str, sources: Sequence[tuple[Hit, str]]) -> tuple[Citation, ...]:
    """Return the sources whose numbers stand in `text`, by number; numbers that do not exist are ignored."""
    numbers = sorted({int(match) for match in MARK.findall(text) if 1 <= int(match) <= len(sources)})
    return tuple(citation(number, *sources[number - 1]) for number in numbers)


def drop_unknown_marks(text: str, count: int) -> str:
    """Remove [n] that point to no source, so that nothing looks cited that is not."""
    return MARK.sub(lambda match: match.group() if 1 <= int(match.group(1)) <= count else "", text)
