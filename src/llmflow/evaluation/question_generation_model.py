"""Questions that a language model writes over single passages: schema in, quote checked, same tests as the templates'."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from pydantic import BaseModel, ConfigDict, ValidationError

from llmflow.config import fingerprint_of
from llmflow.errors import SettingsError
from llmflow.evaluation.judged_questions import Evidence, Origin
from llmflow.evaluation.question_generation import (
    VERSION,
    Candidate,
    Generation,
    GenerationSettings,
    Served,
    judged_question,
    rank,
    spread,
)
from llmflow.evaluation.question_generation_checks import check_questions, question_key
from llmflow.ingestion.language import detect_language
from llmflow.ports import ChatModel, ChatRequest
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import EVERYONE, ChatTurn, Chunk, Document, ElementKind

MIN_CHARS = 80
MAX_CHARS = 3000
SKIPPED = (ElementKind.CODE, ElementKind.TITLE)
SHARE_OF_REPLIES = 0.5
"""Passages asked are at most the limit over this: a model that keeps failing does not go through the whole corpus."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    question: str
    answer: str
    quote: str


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    questions: list[_Asked]


_TEXT = {"type": "string", "minLength": 1}
SCHEMA = {
    "type": "object",
    "properties": {
        "questions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"question": _TEXT, "answer": _TEXT, "quote": _TEXT},
                "required": ["question", "answer", "quote"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["questions"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class _Passage:
    document: Document
    title: str
    chunk: Chunk


def generate_with_model(
    served: Served,
    model: ChatModel,
    prompts: Mapping[str, str],
    settings: GenerationSettings,
    analyser: AnalyserSettings,
    mask: Callable[[str], str],
    date: str,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Generation:
    """Return at most `limit` questions that `model` wrote over passages spread over the documents.

    A question counts only when its quote stands in the passage, its wording needs no masking, and the checks of
    `check_questions` let it pass. `prompts` holds the system text with {count} by language. What the model replies is not
    deterministic across servers; which passages it is shown follows from the seed. Raises ModelUnavailable when it is down.
    """
    for language in ("ko", "en"):
        if "{count}" not in prompts.get(language, ""):
            raise SettingsError(f"The question prompt for '{language}' needs the placeholder {{count}}. See conf/base/prompts/.")
    dropped: Counter[str] = Counter()
    candidates: dict[str, Candidate] = {}
    versions = sorted((document.id, prepared.version) for document, prepared in served())
    wanted = settings.limit * 2
    most = int(settings.limit / SHARE_OF_REPLIES) + 1
    asked = 0
    for passage in islice(_passages(served, settings), most):
        asked += 1
        for candidate in _ask(passage, model, prompts, settings, mask, dropped):
            key = question_key(candidate.text)
            if key in candidates:
                dropped["asked twice"] += 1
            else:
                candidates[key] = candidate
        progress("ask", min(len(candidates), wanted), wanted)
        if len(candidates) >= wanted:
            break
    kept, failed = check_questions(list(candidates.values()), served, analyser)
    dropped.update(failed)
    chosen = list(islice(spread(kept, settings), settings.limit))
    fingerprint = fingerprint_of([VERSION, model.name, prompts, settings.model_dump(), versions])
    origin = Origin("model", "passage", model.name, date, fingerprint)
    return Generation(
        tuple(judged_question(item, origin) for item in chosen),
        {"passages asked": asked},
        dict(sorted(dropped.items())),
        {"passage": len(chosen)} if chosen else {},
    )


def _passages(served: Served, settings: GenerationSettings) -> Iterator[_Passage]:
    """Yield passages so that any beginning is spread over documents: one of each, then a second of each."""
    rows: dict[int, list[tuple[str, str, str]]] = {}
    for document, prepared in served():
        ids = [item.chunk.id for item in prepared.chunks if _tells(item.chunk)]
        for turn, chunk_id in enumerate(sorted(ids, key=lambda key: rank(settings.seed, key))[: settings.facts_per_document]):
            rows.setdefault(turn, []).append((rank(settings.seed, document.id, str(turn)), document.id, chunk_id))
    order = [chunk_id for turn in sorted(rows) for _, _, chunk_id in sorted(rows[turn])]
    order = order[: int(settings.limit / SHARE_OF_REPLIES) + 1]
    wanted = set(order)
    found = {
        item.chunk.id: _Passage(document, prepared.title, item.chunk)
        for document, prepared in served()
        for item in prepared.chunks
        if item.chunk.id in wanted
    }
    yield from (found[chunk_id] for chunk_id in order if chunk_id in found)


def _tells(chunk: Chunk) -> bool:
    return chunk.kind not in SKIPPED and len(chunk.text) >= MIN_CHARS and chunk.language in ("ko", "en")


def _ask(
    passage: _Passage,
    model: ChatModel,
    prompts: Mapping[str, str],
    settings: GenerationSettings,
    mask: Callable[[str], str],
    dropped: Counter[str],
) -> Iterable[Candidate]:
    chunk = passage.chunk
    place = " > ".join(part for part in dict.fromkeys((passage.title, *chunk.heading_path)) if part)
    request = ChatRequest(
        system=prompts[chunk.language].replace("{count}", str(settings.questions_per_passage)),
        turns=(ChatTurn("user", f"{place}\n\n{chunk.text[:MAX_CHARS]}"),),
        max_tokens=settings.max_tokens,
        json_schema=SCHEMA,
    )
    try:
        reply = _Reply.model_validate_json("".join(model.stream(request)))
    except ValidationError:
        dropped["reply of another form"] += 1
        return
    for item in reply.questions[: settings.questions_per_passage]:
        text, answer = " ".join(item.question.split()), " ".join(item.answer.split())
        quote = find_quote(item.quote, chunk.text)
        spoken = detect_language(text)
        if quote is None:
            dropped["quote not in the passage"] += 1
        elif not text or mask(text) != text or mask(answer) != answer:
            dropped["personal data"] += 1
        else:
            document = passage.document
            yield Candidate(
                "passage", text, spoken if spoken in ("ko", "en") else chunk.language, document.tenant,
                tuple(sorted(set(document.groups) - {EVERYONE})), (Evidence(document.source, quote),), answer,
                documents=(document.id,),
            )  # fmt: skip


def find_quote(quote: str, text: str) -> str | None:
    """Return the words of `text` that `quote` repeats, as they stand there, or None; only white space may differ.

    >>> find_quote("연차는 5일", "휴가: 연차는\\n5일이다")
    '연차는\\n5일'
    """
    words = quote.split()
    match = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    return match.group() if match else None
