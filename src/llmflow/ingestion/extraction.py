"""Entities and relations by a language model: what is asked, what of the answer is believed, what is remembered.

Only masked text is sent. A name counts where it stands in the passage, a relation where the sentence that it quotes does.
What is remembered are places in the text and types out of a given list, so no cache holds what a deleted document said.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmflow.config import Settings, fingerprint_of
from llmflow.errors import ModelUnavailable
from llmflow.ports import ChatModel, ChatRequest
from llmflow.ports.extraction import ExtractedEntity, ExtractedRelation, Extraction, KeyValueCache
from llmflow.retrieval.entities import MASKED
from llmflow.types import ChatTurn

EXTRACTION_VERSION = 1
"""Raised when the reading of answers changes; part of what remembered answers are found by."""
MAX_NAME = 120


class ExtractionSettings(Settings):
    """Off by default. What is on is part of the fingerprint: a change prepares every document anew."""

    enabled: bool = False
    model: str = ""
    """Name of the model that the catalog entry `extractor` serves; named here too, because the graph depends on it."""
    revision: str = ""
    """Raise it when the prompt or the weights behind the name change."""
    keep_free: bool = True
    """Keep the entities found without a language model beside the new ones; titles and headings stay in any case."""
    min_confidence: float = Field(default=0.5, ge=0, le=1)
    max_tokens: int = Field(default=1024, ge=64)
    relation_types: tuple[str, ...] = (
        "part_of", "located_in", "member_of", "manages", "responsible_for", "owns", "uses", "requires", "created_by",
        "contact_of", "before", "same_as", "related_to",
    )  # fmt: skip
    """The only types that are accepted; general ones, made for no corpus."""


class _Entity(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: str
    confidence: float = Field(ge=0, le=1)


class _Relation(BaseModel):
    model_config = ConfigDict(extra="ignore")
    source: str
    target: str
    type: str
    evidence: str
    confidence: float = Field(ge=0, le=1)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    entities: list[_Entity]
    relations: list[_Relation]


def answer_schema(relation_types: tuple[str, ...]) -> dict[str, Any]:
    """Return the JSON Schema of an answer."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    name = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
    entity = {"name": name, "confidence": share}
    relation = {
        "source": name,
        "target": name,
        "type": {"type": "string", "enum": list(relation_types)},
        "evidence": {"type": "string", "minLength": 1, "maxLength": 400},
        "confidence": share,
    }
    return _closed({"entities": _list(_closed(entity), 40), "relations": _list(_closed(relation), 40)})


def _closed(properties: Mapping[str, object]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False}


def _list(items: Mapping[str, object], most: int) -> dict[str, Any]:
    return {"type": "array", "items": dict(items), "maxItems": most}


class LanguageModelExtractor:
    """EntityExtractor over a chat model, with a memory. `prompt` holds {relation_types}."""

    def __init__(self, model: ChatModel, prompt: str, cache: KeyValueCache, parallel: int = 4):
        self.model = model.name
        self.parallel = parallel
        self._model, self._prompt, self._cache = model, prompt, cache

    def extract(self, text: str, context: str, relation_types: tuple[str, ...], max_tokens: int) -> Extraction:
        system = self._prompt.replace("{relation_types}", ", ".join(relation_types))
        key = fingerprint_of([EXTRACTION_VERSION, self.model, system, max_tokens, context, text], digits=64)
        kept = self._cache.get(key)
        if kept is not None and (remembered := _decoded(kept)) is not None:
            return remembered
        request = ChatRequest(
            system=system,
            turns=(ChatTurn("user", f"Context: {context}\n\nPassage:\n{text}" if context else f"Passage:\n{text}"),),
            max_tokens=max_tokens,
            json_schema=answer_schema(relation_types),
        )
        found = read_answer("".join(self._model.stream(request)), text, relation_types, self.model)
        self._cache.put(key, _encoded(found))
        return found


def read_answer(answer: str, text: str, relation_types: tuple[str, ...], model: str) -> Extraction:
    """Return what of the answer the passage bears out, in the answer's order.

    A name that does not stand in the passage, or in a placeholder for personal data only, is left out, and with it its
    relations; so is a relation whose evidence does not stand there or whose type is not allowed. Raises ModelUnavailable for
    what is no such JSON.
    """
    try:
        given = _Answer.model_validate_json(answer)
    except ValidationError as exc:
        wrong = exc.errors()[0]
        where = ".".join(map(str, wrong["loc"])) or "the answer"
        raise ModelUnavailable(
            f"The model {model} said nothing that can be read as entities: {where}: {wrong['msg']}. "
            "Raise ingestion.preparation.extraction.max_tokens, or choose a model that follows JSON schemas."
        ) from exc
    entities: dict[tuple[int, int], ExtractedEntity] = {}
    for entity in given.entities:
        span = find_span(entity.name, text)
        if span and span not in entities:
            entities[span] = ExtractedEntity(*span, entity.confidence)
    places = {span: number for number, span in enumerate(entities)}
    relations: dict[tuple[int, int, str], ExtractedRelation] = {}
    for relation in given.relations:
        ends = [places.get(find_span(name, text) or (-1, -1)) for name in (relation.source, relation.target)]
        evidence = find_span(relation.evidence, text, word=False)
        source, target = ends
        if source is None or target is None or source == target or evidence is None or relation.type not in relation_types:
            continue
        key = (source, target, relation.type)
        relations.setdefault(key, ExtractedRelation(*key, relation.confidence, *evidence))
    return Extraction(tuple(entities.values()), tuple(relations.values()))


def find_span(name: str, text: str, word: bool = True) -> tuple[int, int] | None:
    """Return where `name` first stands in `text`, whatever the spaces and the case; None where it does not.

    With `word` it is no part of a longer Latin word, is not too long and touches no placeholder such as [EMAIL].
    """
    words = name.split()
    if not words or (word and len(name) > MAX_NAME):
        return None
    pattern = r"\s+".join(re.escape(part) for part in words)
    if word:
        pattern = rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])" if name.isascii() else pattern
    placeholders = [match.span() for match in MASKED.finditer(text)] if word else []
    for match in re.finditer(pattern, text, re.IGNORECASE):
        if not any(start < match.end() and match.start() < end for start, end in placeholders):
            return match.span()
    return None


def _encoded(found: Extraction) -> str:
    return json.dumps([[astuple(entity) for entity in found.entities], [astuple(relation) for relation in found.relations]])


def _decoded(kept: str) -> Extraction | None:
    """Return a remembered extraction; None for what cannot be read, which is then asked again."""
    try:
        entities, relations = json.loads(kept)
        return Extraction(tuple(ExtractedEntity(*row) for row in entities), tuple(ExtractedRelation(*row) for row in relations))
    except (ValueError, TypeError):
        return None
