"""A language model as judge of answers: faithful to what is cited, and right where the right answer is known.

A judge is a second opinion beside `faithfulness`, never the only one: its name stands in every report, it should not be the
model that wrote the answers, and what it says in no readable form counts as not judged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmflow.config import Settings
from llmflow.errors import SettingsError
from llmflow.evaluation.answers import AnsweredQuestion, Judgement
from llmflow.ports import ChatModel, ChatRequest
from llmflow.types import ChatTurn


class JudgeSettings(Settings):
    max_questions: int = Field(default=100, ge=1)
    """Given answers that are judged, spread evenly over the questions; the rest is left out."""
    max_tokens: int = Field(default=300, ge=16)
    max_passage_chars: int = Field(default=4000, ge=100)


class _Verdict(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    reason: str
    faithful: bool
    correct: bool


SCHEMA = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "maxLength": 300},
        "faithful": {"type": "boolean"},
        "correct": {"type": "boolean"},
    },
    "required": ["reason", "faithful", "correct"],
    "additionalProperties": False,
}


def judge_answers(
    answered: Sequence[AnsweredQuestion],
    model: ChatModel,
    prompts: Mapping[str, str],
    settings: JudgeSettings | None = None,
) -> list[AnsweredQuestion]:
    """Return the same questions in order, given answers with the judgement of `model`.

    Refusals are not judged: whether they are right is known. `prompts` holds the system text by language (`ko`, `en`).
    Raises ModelUnavailable when the model cannot be reached.
    """
    settings = settings or JudgeSettings()
    missing = [language for language in ("ko", "en") if not prompts.get(language, "").strip()]
    if missing:
        raise SettingsError(f"The judge has no prompt for '{missing[0]}'. See conf/base/prompts/.")
    given = [number for number, item in enumerate(answered) if item.answer.found]
    step = max(1.0, len(given) / settings.max_questions)
    chosen = {given[int(place * step)] for place in range(min(len(given), settings.max_questions))}
    return [
        replace(item, judgement=judge_answer(item, model, prompts, settings)) if number in chosen else item
        for number, item in enumerate(answered)
    ]


def judge_answer(
    item: AnsweredQuestion, model: ChatModel, prompts: Mapping[str, str], settings: JudgeSettings
) -> Judgement | None:
    """Return what the model says of one answer, or None where its reply is not of the schema."""
    request = ChatRequest(
        system=prompts["ko" if item.question.language == "ko" else "en"],
        turns=(ChatTurn("user", _case(item, settings)),),
        max_tokens=settings.max_tokens,
        json_schema=SCHEMA,
    )
    try:
        verdict = _Verdict.model_validate_json("".join(model.stream(request)))
    except ValidationError:
        return None
    return Judgement(model.name, verdict.faithful, verdict.correct if item.question.answer else None, verdict.reason[:300])


def _case(item: AnsweredQuestion, settings: JudgeSettings) -> str:
    """Return the case as JSON, so that nothing inside a passage looks like a part of the prompt."""
    texts = {hit.chunk.id: hit.chunk.text for hit in item.answer.hits}
    cited = {
        str(citation.number): texts.get(citation.chunk_id, citation.quote)[: settings.max_passage_chars]
        for citation in item.answer.citations
    }
    case = {
        "question": item.question.text,
        "answer": item.answer.text,
        "passages": cited,
        "expected": [text for text in (item.question.answer, *item.question.aliases) if text],
    }
    return json.dumps(case, ensure_ascii=False, indent=1)
