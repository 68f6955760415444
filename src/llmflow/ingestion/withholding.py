"""What in a document speaks to a model is left out before anything is made of its passages, and kept for administrators.

So it reaches no index: neither its words' rarity nor its vectors nor its names can put honest passages in another order.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from llmflow.config import Settings
from llmflow.ingestion.access import matches
from llmflow.ingestion.chunking import ChunkDraft
from llmflow.ports import LeftOut, SourceFile
from llmflow.screening.judging import KEPT_SHARE, Judged, judge_of, judge_passage, letters_of, without
from llmflow.screening.passages import ScreeningSettings
from llmflow.screening.signs import REASONS
from llmflow.types import OWN_SPACE, TRUSTED, Document, Judgement
from llmflow.wording import said

SERVED_SHARE = 0.5
"""A document of which less is left is not served at all until somebody has looked at it."""
SHOWN = 100
"""Parts of one document that are kept for administrators; more are only counted."""
SHOWN_LETTERS = 600


class TrustedSource(Settings):
    """Documents that may quote what speaks to a model, such as a guide to attacks. Never what people upload for themselves."""

    tenant: str
    source: str
    """Pattern of names, as in access.yml."""

    def names(self, file: SourceFile) -> bool:
        return self.tenant == file.tenant and matches(self.source, file.source)


class WithholdingSettings(Settings):
    """Whether passages are judged when they are made, by whom, and whose word is taken."""

    enabled: bool = True
    judge: ScreeningSettings = ScreeningSettings()
    """Where it differs from `answering.screening`, passages are judged again at every question."""
    trusted: tuple[TrustedSource, ...] = ()

    def judge_for(self, file: SourceFile) -> str:
        """Return the fingerprint of who judges a file: `TRUSTED` where it is taken as it is, empty where nobody does."""
        if not is_own(file.groups) and (file.released or any(item.names(file) for item in self.trusted)):
            return TRUSTED
        return judge_of(self.judge) if self.enabled else ""


def is_own(groups: Iterable[str]) -> bool:
    """Return whether what carries these groups lies in somebody's own space: anybody may have put it there."""
    return any(group.startswith(OWN_SPACE) for group in groups)


REFUSALS = ("document.speaks_to_models", "document.own_speaks_to_models")


def refusal(file: SourceFile) -> str:
    """Return why nothing of a file is served; what can be done about it differs for an own upload."""
    if is_own(file.groups):
        return said("document.own_speaks_to_models", source=PurePosixPath(file.source).name)
    return said("document.speaks_to_models", source=file.source)


def speaks_to_models(reason: str) -> bool:
    """Return whether a document failed because it speaks to a model."""
    return getattr(reason, "code", "") in REFUSALS


def screening_counts(documents: Iterable[Document]) -> dict[str, int]:
    """Return how many passages of the documents are `withheld`, `cut` and `doubted`, and how many documents were `refused`.

    By name, without zeros.
    """
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(document.screening)
        counts["refused"] += speaks_to_models(document.reason)
    return {kind: count for kind, count in sorted(counts.items()) if count}


@dataclass(frozen=True, slots=True)
class Draft:
    """A passage before it is analysed: masked, without what speaks to a model."""

    draft: ChunkDraft
    text: str
    html: str
    headings: tuple[str, ...]
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """What is left of a document's passages, and what is not."""

    drafts: tuple[Draft, ...]
    counts: Mapping[str, int]
    """Passages `withheld` whole, `cut`, and `doubted`; without zeros."""
    left_out: tuple[LeftOut, ...]
    title: str
    """Of the document; its file's name where its own speaks to a model."""


def withhold(drafts: Sequence[Draft], title: str, file: SourceFile, settings: WithholdingSettings) -> Withheld:
    """Return the passages with blanks in place of what surely speaks to a model, and without those of which too little is left.

    A title or heading that does so is left out, and what stands under it stays, marked. What only may do so stays: it is told,
    and it is left out of answers (`llmflow.answering.untrusted`). Where less than `KEPT_SHARE` of a document is left, all that
    is left is marked, to be a last resort; where less than `SERVED_SHARE` is, there are no passages: it was written around what
    it says to a model.
    """
    judge = settings.judge_for(file)
    if judge in ("", TRUSTED):
        judgement = Judgement(TRUSTED) if judge else None
        return Withheld(tuple(replace(draft, judgement=judgement) for draft in drafts), {}, (), title)
    kept: list[Draft] = []
    counts: Counter[str] = Counter()
    left_out: list[LeftOut] = []
    name, titled = PurePosixPath(file.source).name, False
    for draft in drafts:
        judged = judge_passage(draft.text, name, (title, *draft.headings), settings.judge)
        titled = titled or title in judged.labels
        what = "withheld" if judged.withheld else "cut" if judged.flagged else "doubted" if judged.doubted else ""
        if what:
            counts[what] += 1
            left_out.append(_left_out(draft, what, judged))
        if judged.withheld:
            continue
        text = without(draft.text, judged.left_out)
        judgement = Judgement(judge, judged.flagged, judged.doubtful, judged.doubted)
        headings = tuple(heading for heading in draft.headings if heading not in judged.labels)
        html = draft.html if text == draft.text else ""
        kept.append(replace(draft, text=text, html=html, headings=headings, judgement=judgement))
    left, all_of_it = _letters(kept), _letters(drafts)
    if left < SERVED_SHARE * all_of_it:
        kept = []
    elif left < KEPT_SHARE * all_of_it:
        kept = [replace(draft, judgement=_around(draft.judgement)) for draft in kept]
    worst = sorted(left_out, key=lambda part: (("withheld", "cut", "doubted").index(part.what), part.ordinal))[:SHOWN]
    shown = tuple(sorted(worst, key=lambda part: part.ordinal))
    return Withheld(tuple(kept), dict(sorted(counts.items())), shown, PurePosixPath(name).stem if titled else title)


def _letters(drafts: Sequence[Draft]) -> int:
    return sum(letters_of(draft.text) for draft in drafts)


def _around(judgement: Judgement | None) -> Judgement | None:
    """Return the judgement of a passage whose document speaks to a model at length elsewhere."""
    if judgement is None or judgement.flagged:
        return judgement
    return replace(judgement, flagged=(REASONS["around"],), doubtful=())


def _left_out(draft: Draft, what: str, judged: Judged) -> LeftOut:
    spans = {"withheld": ((0, len(draft.text)),), "cut": judged.left_out, "doubted": judged.doubted}[what]
    parts = (*(judged.labels if what == "cut" else ()), *(draft.text[start:end].strip() for start, end in spans))
    text = " … ".join(dict.fromkeys(parts))
    shown = text if len(text) <= SHOWN_LETTERS else text[: SHOWN_LETTERS - 1] + "…"
    reasons = judged.flagged or judged.doubtful
    return LeftOut(draft.draft.ordinal, what, shown, reasons, draft.draft.page, draft.headings)
