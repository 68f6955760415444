"""A cached answer as JSON, the same in every store."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from llmflow.ports import CachedAnswer, CachedSource
from llmflow.types import Answer, Citation, Space


def dump(entry: CachedAnswer) -> str:
    return json.dumps(asdict(entry), ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> CachedAnswer:
    values: dict[str, Any] = json.loads(text)
    answer = values.pop("answer")
    citations = tuple(Citation(**citation) for citation in answer.pop("citations"))
    listed: dict[str, Any] = {name: tuple(answer.pop(name, ())) for name in ("suspicious", "doubted", "documents")}
    answer.pop("hits")
    space = Space(answer.pop("space", Space.ALL))
    sources = tuple(CachedSource(**source) for source in values.pop("sources"))
    made = Answer(**answer, citations=citations, space=space, **listed)
    return CachedAnswer(**values, answer=made, sources=sources)


def text_key(text: str) -> str:
    """Return what an answer's text is found by."""
    return hashlib.sha256(text.strip().encode("utf-8", "replace")).hexdigest()
