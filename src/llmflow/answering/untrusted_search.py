"""Passages without what speaks to a model, as if it had not been found: where some is left out, search again without it.

Leaving a passage out of the answer is not enough. As the best hit it has set the scale on which all others were put in order,
and an honest document may come out too low to answer (docs/LOG.md).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from llmflow.answering.untrusted import screen
from llmflow.screening.passages import ScreeningSettings
from llmflow.types import Hit

Search = Callable[[int, Collection[str]], Sequence[Hit]]
"""Searches the same question again: at most so many hits, without these chunks in any channel."""
AGAIN = 3
"""Most searches more: behind planted passages others may stand that were not among the hits before."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """What may be answered from."""

    hits: tuple[Hit, ...]
    """Best first."""
    reasons: Mapping[str, tuple[str, ...]]
    """Why chunks are suspicious, by id, in all the searches."""
    doubtful: Mapping[str, tuple[str, ...]]
    """Why something in chunks found may speak to a model, by id: they are not among the hits, or not with that, or as a last
    resort."""
    whole: frozenset[str]
    """Ids of chunks that are left out whole: nothing of them may be used."""
    without: frozenset[str] = frozenset()
    """Ids of the chunks that the hits were searched without."""
    found: tuple[Hit, ...] = ()
    """What the search found that is not suspicious, as it was found, best first."""
    only_quoted: bool = False
    """No language model may read it."""

    @property
    def more_left(self) -> bool:
        """Return whether a last resort would hold anything that is not among the hits."""
        return bool(self.doubtful) or self.without != self.whole


def attempts(hits: Sequence[Hit], search: Search, limit: int, settings: ScreeningSettings, strict: bool) -> Iterator[Sifted]:
    """Yield what may be answered from, the best first; ask for the next where one does not answer.

    After the clean hits, what stands behind all others; at last, where screening is strict, what may only be quoted.
    """
    sifted = sift(hits, search, limit, settings, strict)
    yield sifted
    if sifted.more_left and (sifted.reasons or not strict):  # strict screening puts nothing doubtful behind the others
        sifted = last_resort(sifted, hits, search, limit, settings, strict)
        yield sifted
    if strict and sifted.doubtful:
        yield replace(last_resort(sifted, hits, search, limit, settings, strict=False), only_quoted=True)


def sift(hits: Sequence[Hit], search: Search, limit: int, settings: ScreeningSettings, strict: bool = False) -> Sifted:
    """Return at most `limit` clean hits. Where nothing is flagged nothing is searched again.

    Left out of the search is every passage found of a document in which something was flagged, not only what is left out whole:
    the document is a last resort, so nothing of it may put the others in order. Its honest passages, and what is left of a long
    one around a flagged sentence, are not lost: `last_resort` searches with them. What is only doubtful stays in the
    search, as it does where nothing is flagged.
    """
    found = hits
    screened = screen(found, settings, strict)
    reasons, whole = dict(screened.reasons), _whole(screened.reasons, screened.rest)
    touched: set[str] = set()
    without: set[str] = set()
    for number in range(AGAIN + 1):
        touched |= {hit.document.id for hit in found if hit.chunk.id in screened.reasons}
        new = {hit.chunk.id for hit in found if hit.document.id in touched} - without
        if not new or number == AGAIN:
            break
        without |= new
        found = search(limit + 2 * len(without), frozenset(without))
        screened = screen(found, settings, strict)
        reasons |= screened.reasons
        whole |= _whole(screened.reasons, screened.rest)
    clean = tuple(hit for hit in screened.clean if hit.document.id not in touched)[:limit]
    honest = tuple(hit for hit in found if hit.document.id not in touched)[:limit]
    return Sifted(clean, reasons, screened.doubtful, whole, frozenset(without), honest)


def last_resort(
    sifted: Sifted, hits: Sequence[Hit], search: Search, limit: int, settings: ScreeningSettings, strict: bool = False
) -> Sifted:
    """Return at most `limit` hits with what `sift` put behind all others, where these do not answer.

    `hits` are those of the first search. It is repeated only where something was left out whole.
    """
    found = search(limit + 2 * len(sifted.whole), sifted.whole) if sifted.whole else hits
    screened = screen(found, settings, strict)
    whole = sifted.whole | _whole(screened.reasons, screened.rest)
    reasons = {**sifted.reasons, **screened.reasons}
    doubtful = {**sifted.doubtful, **screened.doubtful}
    unflagged = tuple(hit for hit in found if hit.chunk.id not in reasons)[:limit]
    return Sifted(screened.rest[:limit], reasons, doubtful, whole, sifted.whole, unflagged)


def _whole(reasons: Mapping[str, object], rest: Sequence[Hit]) -> frozenset[str]:
    return frozenset(reasons) - {hit.chunk.id for hit in rest}
