"""One file to one prepared document: parse, chunk, mask, analyse, find entities. Runs in worker processes."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from llmflow.config import Settings, fingerprint_of
from llmflow.errors import DocumentError, DocumentRefused
from llmflow.ingestion.chunking import ChunkerSettings, chunk_document
from llmflow.ingestion.extraction import ExtractionSettings
from llmflow.ingestion.language import detect_language
from llmflow.ingestion.masking import Masker, MaskingSettings
from llmflow.ingestion.parsing import ParserSettings, load_readers, parse_file
from llmflow.ingestion.withholding import Draft, WithholdingSettings, refusal, withhold
from llmflow.ports import PreparedChunk, PreparedDocument, Screening, SourceFile
from llmflow.retrieval.entities import EntitySettings, entity_key, find_mentions
from llmflow.retrieval.tokens import AnalyserSettings, Morpheme, morphemes, tokens_of
from llmflow.screening.judging import judge_of
from llmflow.types import TRUSTED, Chunk, ElementKind, Mention, ParsedDocument, Relation
from llmflow.wording import said

PIPELINE_VERSION = 6
"""Raised when the code of a step changes its results; part of every fingerprint."""
MAX_RELATIONS = 200
MAX_TOPICS = 5


class PreparationSettings(Settings):
    """Everything that decides what the chunks of a document are."""

    parser: ParserSettings = ParserSettings()
    chunker: ChunkerSettings = ChunkerSettings()
    masking: MaskingSettings = MaskingSettings()
    analyser: AnalyserSettings = AnalyserSettings()
    entities: EntitySettings = EntitySettings()
    extraction: ExtractionSettings = ExtractionSettings()
    screening: WithholdingSettings = WithholdingSettings()

    def fingerprint(self) -> str:
        """Return 12 hex digits that change with every chunk; what is off and what only costs time is left out.

        So is whose word is taken: it is in the version of these files alone.
        """
        off = {"screening"} if self.extraction.enabled else {"screening", "extraction"}
        judge = judge_of(self.screening.judge) if self.screening.enabled else ""
        return fingerprint_of([PIPELINE_VERSION, judge, self.model_dump(mode="json", exclude=off)])


@dataclass(frozen=True, slots=True)
class PreparationTask:
    """What a worker gets; picklable."""

    file: SourceFile
    settings: PreparationSettings


def prepare_file(task: PreparationTask) -> PreparedDocument:
    """Parse and prepare one file. Raises DocumentError with the reason for a person."""
    start = perf_counter()
    parsed = parse_file(Path(task.file.path), task.settings.parser, name=Path(task.file.source).name)
    return prepare_document(parsed, task.file, task.settings, parse_seconds=perf_counter() - start)


def prepare_document(
    parsed: ParsedDocument, file: SourceFile, settings: PreparationSettings, parse_seconds: float = 0.0
) -> PreparedDocument:
    """Return the chunks of a parsed document, masked before anything else looks at them, without what speaks to a model.

    Deterministic: chunk ids follow from document, version and position. Raises DocumentError when there is no text, and
    DocumentRefused with a `Screening` when too little of it is left.
    """
    laps = [perf_counter()]
    drafts = chunk_document(parsed, settings.chunker)
    laps.append(perf_counter())
    if not drafts:
        raise DocumentError(said("document.no_text", source=file.source))
    masker = load_masker(settings.masking)
    titles, pii = _mask_once(masker, [parsed.title, *dict.fromkeys(h for draft in drafts for h in draft.heading_path)])
    title = titles[parsed.title]
    bodies = masker.mask_many([draft.text for draft in drafts])
    tables = masker.mask_many([draft.html or "" for draft in drafts])
    for body in bodies:
        pii.update(body.counts)
    laps.append(perf_counter())
    masked = [
        Draft(draft, body.text, table.text, tuple(titles[heading] for heading in draft.heading_path))
        for draft, body, table in zip(drafts, bodies, tables, strict=True)
    ]
    held = withhold(masked, title, file, settings.screening)
    if not held.drafts:
        raise DocumentRefused(refusal(file), Screening(held.counts, held.left_out))
    title = held.title
    laps.append(perf_counter())
    found = morphemes([item.text for item in held.drafts], settings.analyser)
    chunks = [_prepared_chunk(item, title, each, file, settings) for item, each in zip(held.drafts, found, strict=True)]
    laps.append(perf_counter())
    steps = zip(("chunk", "mask", "screen", "analyse"), pairwise(laps), strict=True)
    return PreparedDocument(
        document_id=file.document_id,
        version=file.version,
        fingerprint=file.fingerprint,
        title=title,
        format=parsed.format,
        chunks=tuple(chunks),
        pages=parsed.pages,
        pii=dict(sorted(pii.items())),
        relations=_relations(title, chunks),
        topics=_topics(title, chunks),
        warnings=parsed.warnings,
        screening=held.counts,
        left_out=held.left_out,
        released=file.released and settings.screening.judge_for(replace(file, released=False)) != TRUSTED,
        seconds={"parse": parse_seconds, **{step: end - begin for step, (begin, end) in steps}},
    )


def load_masker(settings: MaskingSettings) -> Masker:
    """Return the process's masker for these settings."""
    return _masker(settings.model_dump_json())


def warm_up(settings: PreparationSettings) -> None:
    """Load what files need: readers, masker, morphemes. Seconds in a fresh process, nothing afterwards."""
    load_readers()
    load_masker(settings.masking).mask("준비되었나요?")
    morphemes(["준비되었나요?"], settings.analyser)


@lru_cache(maxsize=4)
def _masker(settings: str) -> Masker:
    return Masker(MaskingSettings.model_validate_json(settings))


def _mask_once(masker: Masker, texts: list[str]) -> tuple[dict[str, str], Counter[str]]:
    masked = masker.mask_many(texts)
    counts: Counter[str] = Counter()
    for item in masked:
        counts.update(item.counts)
    return {text: item.text for text, item in zip(texts, masked, strict=True)}, counts


def _prepared_chunk(
    item: Draft, title: str, found: list[Morpheme] | None, file: SourceFile, settings: PreparationSettings
) -> PreparedChunk:
    draft, text, headings = item.draft, item.text, item.headings
    name = hashlib.sha256(f"{file.document_id}\0{file.version}\0{draft.ordinal}".encode()).hexdigest()[:20]
    chunk = Chunk(
        id=name,
        document_id=file.document_id,
        ordinal=draft.ordinal,
        text=text,
        kind=draft.kind,
        language=detect_language(text),
        heading_path=headings,
        page=draft.page,
        html=item.html or None,
        box=draft.box,
        judgement=item.judgement,
    )
    above = context_of(title, headings, text)
    tokens = tokens_of(text, found, settings.analyser)
    if above:
        tokens = f"{_analysed(above, settings.analyser.model_dump_json())} {tokens}"
    records = draft.kind is ElementKind.RECORD
    mentions = find_mentions(text, found, _distinct_titles(title, headings), settings.entities, records)
    return PreparedChunk(chunk, tokens, mentions)


def context_of(title: str, headings: tuple[str, ...], text: str) -> str:
    """Return the title and headings that the passage's text does not begin with already, for search only."""
    start = text[: sum(map(len, headings)) + len(title) + 50]
    return " ".join(part for part in dict.fromkeys((title, *headings)) if part and part not in start)


@lru_cache(maxsize=256)
def _analysed(text: str, analyser: str) -> str:
    settings = AnalyserSettings.model_validate_json(analyser)
    return tokens_of(text, morphemes([text], settings)[0], settings)


def _distinct_titles(title: str, headings: tuple[str, ...]) -> list[str]:
    return [part for part in dict.fromkeys((title, *headings)) if part]


def _relations(title: str, chunks: list[PreparedChunk]) -> tuple[Relation, ...]:
    """Return `describes` links from each section's own name to what its text mentions, strongest first."""
    weights: dict[tuple[str, str], float] = {}
    known = {mention.key for item in chunks for mention in item.mentions}
    for item in chunks:
        heading = item.chunk.heading_path[-1] if item.chunk.heading_path else title
        owner = entity_key(heading)
        if owner not in known:
            continue
        for mention in item.mentions:
            if mention.role == "mention" and mention.key != owner:
                weights[owner, mention.key] = weights.get((owner, mention.key), 0.0) + mention.confidence
    ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_RELATIONS]
    return tuple(Relation(a, b, "describes", round(weight, 3)) for (a, b), weight in ranked)


def _topics(title: str, chunks: list[PreparedChunk]) -> tuple[str, ...]:
    """Return the names that most chunks mention: what the document is about."""
    counts: Counter[str] = Counter()
    names: dict[str, Mention] = {}
    for item in chunks:
        for mention in item.mentions:
            counts[mention.key] += 3 if mention.role == "title" else 1
            names.setdefault(mention.key, mention)
    ranked = sorted(counts, key=lambda key: (-counts[key], key))[:MAX_TOPICS]
    return tuple(names[key].name for key in ranked)


def with_version(file: SourceFile, settings: PreparationSettings) -> SourceFile:
    """Return `file` with the version and fingerprint that `settings` give it."""
    fingerprint = settings.fingerprint()
    made_of = [file.content_hash, sorted(file.groups), fingerprint]
    if (judge := settings.screening.judge_for(file)) == TRUSTED:
        made_of.append(judge)
    version = fingerprint_of(made_of)
    return replace(file, version=version, fingerprint=fingerprint)
