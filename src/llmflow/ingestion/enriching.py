"""Prepared documents with what a language model found in them, many passages at once."""

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from llmflow.errors import ModelUnavailable, SettingsError
from llmflow.ingestion.extraction import ExtractionSettings
from llmflow.ingestion.prepare import MAX_RELATIONS, PreparationSettings, context_of
from llmflow.ports import PreparedChunk, PreparedDocument, Stores
from llmflow.ports.extraction import EntityExtractor, Extraction
from llmflow.retrieval.entities import entity_key
from llmflow.types import Mention, Relation

log = logging.getLogger(__name__)

GIVE_UP_AFTER = 3
"""Failures in a row after which the model is not asked again in this run: waiting for each passage would take hours."""
PASSAGES_AT_ONCE = 8
"""Passages gathered before they are asked for, times those asked at once: short documents fill the model's batches too."""


def open_enricher(stores: Stores, settings: PreparationSettings) -> "Enricher | None":
    """Return the enricher of a run, None where extraction is off.

    Raises SettingsError when the catalog has no extractor, or one of another model than the settings name.
    """
    wanted = settings.extraction
    if not wanted.enabled:
        return None
    if stores.extractor is None:
        raise SettingsError(
            "ingestion.preparation.extraction.enabled is true, but the catalog entry `extractor` has no model. "
            "Give it `backend: openai` with an address, or set `enabled` to false (docs/guides/models.md)."
        )
    if stores.extractor.model != wanted.model:
        raise SettingsError(
            f"ingestion.preparation.extraction.model says '{wanted.model}', the catalog entry `extractor` asks "
            f"'{stores.extractor.model}'. Name the same model in both: the graph depends on it."
        )
    return Enricher(stores.extractor, wanted, settings.entities.max_mentions)


@dataclass
class Enricher:
    """Asks for the passages of documents and adds what comes. A failure leaves a passage its free entities."""

    extractor: EntityExtractor
    settings: ExtractionSettings
    max_mentions: int
    counts: Counter[str] = field(default_factory=Counter)
    """Passages `asked` and `failed`."""
    _failures: int = 0
    _given_up: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def worth(self) -> int:
        """How many passages to gather before asking."""
        return PASSAGES_AT_ONCE * self.extractor.parallel

    def enrich(self, documents: Sequence[PreparedDocument]) -> list[PreparedDocument]:
        """Return the documents, in order, each with its entities and relations; never raises for a model that is away."""
        pairs = [(document, item) for document in documents for item in document.chunks]
        with ThreadPoolExecutor(self.extractor.parallel, thread_name_prefix="extraction") as pool:
            found = iter(list(pool.map(self._ask, pairs)))
        return [
            with_extractions(document, [next(found) for _ in document.chunks], self.settings, self.max_mentions)
            for document in documents
        ]

    def _ask(self, pair: tuple[PreparedDocument, PreparedChunk]) -> Extraction | None:
        document, item = pair
        chunk = item.chunk
        if self._given_up:
            self._count("failed")
            return None
        try:
            context = context_of(document.title, chunk.heading_path, chunk.text)
            found = self.extractor.extract(chunk.text, context, self.settings.relation_types, self.settings.max_tokens)
        except ModelUnavailable as exc:
            given_up = self._count("failed") == GIVE_UP_AFTER
            self._given_up = self._given_up or given_up
            log.warning("A passage keeps its free entities%s: %s", ", and so do all others of this run" if given_up else "", exc)
            return None
        self._count("asked")
        return found

    def _count(self, kind: str) -> int:
        """Count a passage; return how many failed in a row."""
        with self._lock:
            self.counts[kind] += 1
            self._failures = self._failures + 1 if kind == "failed" else 0
            return self._failures


def with_extractions(
    document: PreparedDocument, found: Sequence[Extraction | None], settings: ExtractionSettings, max_mentions: int
) -> PreparedDocument:
    """Return the document with mentions and relations of the extractions, one a chunk; None leaves a chunk as it is."""
    chunks = tuple(
        replace(item, mentions=_mentions(item, extraction, settings, max_mentions)) if extraction else item
        for item, extraction in zip(document.chunks, found, strict=True)
    )
    known = {mention.key for item in chunks for mention in item.mentions}
    weights: dict[tuple[str, str, str], float] = {}
    for item, extraction in zip(chunks, found, strict=True):
        keys = _keys(item.chunk.text, extraction) if extraction else []
        for relation in extraction.relations if extraction else ():
            link = (keys[relation.source], keys[relation.target], relation.relation_type)
            if relation.confidence >= settings.min_confidence and link[0] != link[1] and {link[0], link[1]} <= known:
                weights[link] = weights.get(link, 0.0) + relation.confidence
    made = [Relation(*link, round(weight, 3)) for link, weight in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))]
    free = [relation for relation in document.relations if {relation.source, relation.target} <= known]
    missing = sum(extraction is None for extraction in found)
    told = f"{missing} of {len(found)} passages have the entities found without a language model only: it could not be asked."
    warnings = (*document.warnings, told) if missing else document.warnings
    return replace(document, chunks=chunks, relations=tuple([*made, *free][:MAX_RELATIONS]), warnings=warnings)


def _mentions(
    item: PreparedChunk, extraction: Extraction, settings: ExtractionSettings, max_mentions: int
) -> tuple[Mention, ...]:
    """Return titles first, then mentions in reading order; where there are too many, the free ones give way."""
    text = item.chunk.text
    titles = [mention for mention in item.mentions if mention.role == "title"]
    free = {mention.key: mention for mention in item.mentions if mention.role == "mention"}
    made: dict[str, Mention] = {}
    for entity, key in zip(extraction.entities, _keys(text, extraction), strict=True):
        if entity.confidence >= settings.min_confidence and len(key) > 1 and not key.isdigit():
            name = " ".join(text[entity.start : entity.end].split())
            position = min(entity.start, free[key].position) if key in free else entity.start
            made.setdefault(key, Mention(key, name, "mention", position, entity.confidence))
    rest = [mention for key, mention in free.items() if key not in made] if settings.keep_free else []
    kept = [*made.values(), *rest][: max(0, max_mentions - len(titles))]
    return (*titles, *sorted(kept, key=lambda mention: (mention.position, mention.key)))


def _keys(text: str, extraction: Extraction) -> list[str]:
    return [entity_key(text[entity.start : entity.end]) for entity in extraction.entities]
