"""Follow-up questions made to stand alone: by the chat model where one is configured, by rule otherwise.

Only the text that is searched changes. A question that stands alone comes back as the very same text: a rewrite that adds the
topic before it to a new topic does more harm than a follow-up that finds nothing.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmflow.answering import followups_english, followups_korean
from llmflow.config import Settings
from llmflow.errors import ModelUnavailable
from llmflow.ingestion.language import detect_language
from llmflow.ports import ChatModel, ChatRequest
from llmflow.retrieval.tokens import HANGUL, AnalyserSettings, composed, morphemes
from llmflow.types import ChatTurn

log = logging.getLogger(__name__)

MARKS = re.compile(r"\s*\[\d{1,2}\]")
NAMES = re.compile(r"[A-Za-z][\w\-.#]*\d[\w\-.]*|\d[\d,.]*|(?<![.?!] )(?<!^)\b[A-Z][\w\-]+|[A-Z]{2,}[\w\-]*")
"""Codes, numbers, and capitalised words inside a sentence: what a rewrite must not invent."""


class FollowUpSettings(Settings):
    enabled: bool = True
    model: bool = True
    """Ask the chat model where one is served; False: rules only."""
    turns: int = Field(default=8, ge=2)
    """Most turns that a follow-up may reach back to."""
    max_tokens: int = Field(default=120, ge=16)
    """Of a model's rewrite."""


@dataclass(frozen=True, slots=True)
class StandAlone:
    """A question as it is searched, and how it came to that: `as asked`, `rule` or `model`."""

    text: str
    way: str

    @property
    def changed(self) -> bool:
        return self.way != "as asked"


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depends: bool
    question: str = Field(max_length=600)


def stand_alone(
    question: str,
    turns: Sequence[ChatTurn],
    settings: FollowUpSettings,
    analyser: AnalyserSettings,
    model: ChatModel | None = None,
    prompt: str = "",
) -> StandAlone:
    """Return the question as it would be asked without the turns before it (oldest first); the very same text where it can be.

    The model is asked only where something suggests a follow-up. Its rewrite is dropped for the rules' when the model is away,
    answers in another form, changes the language, or names what neither question nor turns name.
    """
    turns = turns[-settings.turns :]
    if not settings.enabled or not any(turn.role == "user" for turn in turns):
        return StandAlone(question, "as asked")
    if model is not None and settings.model and prompt and _may_depend(question, analyser):
        written = _by_model(question, turns, settings, analyser, model, prompt)
        if written is not None:
            return written
    text = by_rule(question, turns, analyser)
    return StandAlone(text, "rule") if text != question else StandAlone(question, "as asked")


def by_rule(question: str, turns: Sequence[ChatTurn], analyser: AnalyserSettings) -> str:
    """Return the question made to stand alone by rule; earlier follow-ups among the turns are resolved on the way."""
    previous = frame = answer = ""
    for turn in turns:
        if turn.role != "user":
            answer = MARKS.sub("", turn.content)
            continue
        text = _resolve(turn.content, previous, answer, frame, analyser) if previous else turn.content
        frame = turn.content if text == turn.content or not frame else frame
        previous, answer = text, ""
    return _resolve(question, previous, answer, frame, analyser) if previous else question


def guard(rewritten: str, question: str, turns: Sequence[ChatTurn], analyser: AnalyserSettings) -> str:
    """Return why a model's rewrite may not be used; empty when it may.

    It may name nothing that neither question nor turns name: numbers, codes, names, Korean nouns. It must keep the question's own
    numbers and names, its language, and a reasonable length.
    """
    if not rewritten.strip() or len(rewritten) > 3 * len(question) + 200 or "\n" in rewritten.strip():
        return "its form"
    if detect_language(rewritten) != detect_language(question):
        return "another language"
    known = " ".join([question, *(turn.content for turn in turns)])
    if invented := _named(rewritten, analyser) - _named(known, analyser) - _squeezed_in(rewritten, known, analyser):
        return f"it names {', '.join(sorted(invented))}"
    if lost := {name.lower() for name in NAMES.findall(question)} - {name.lower() for name in NAMES.findall(rewritten)}:
        return f"it lost {', '.join(sorted(lost))}"
    return ""


def _resolve(question: str, previous: str, answer: str, frame: str, analyser: AnalyserSettings) -> str:
    if HANGUL.search(question):
        return followups_korean.rewrite(question, previous, answer, frame, analyser)
    return followups_english.rewrite(question, previous, answer, frame)


def _may_depend(question: str, analyser: AnalyserSettings) -> bool:
    if HANGUL.search(question):
        return followups_korean.may_depend(question, analyser)
    return followups_english.may_depend(question)


def _by_model(
    question: str,
    turns: Sequence[ChatTurn],
    settings: FollowUpSettings,
    analyser: AnalyserSettings,
    model: ChatModel,
    prompt: str,
) -> StandAlone | None:
    said = "\n".join(f"{turn.role}: {' '.join(turn.content.split())[:600]}" for turn in turns)
    asked = prompt.replace("{conversation}", said).replace("{question}", question)
    request = ChatRequest("", (ChatTurn("user", asked),), settings.max_tokens, 0.0, _Reply.model_json_schema())
    try:
        reply = _Reply.model_validate_json("".join(model.stream(request)))
    except ModelUnavailable as exc:
        log.warning("Follow-up by rule: %s", exc)
        return None
    except ValidationError:
        log.warning("Follow-up by rule: the model's rewrite has another form than asked")
        return None
    text = composed(reply.question).strip()
    if not reply.depends or text == question.strip():
        return StandAlone(question, "as asked")
    if problem := guard(text, question, turns, analyser):
        log.warning("Follow-up by rule: the model's rewrite was dropped, %s", problem)
        return None
    return StandAlone(text, "model")


def _named(text: str, analyser: AnalyserSettings) -> set[str]:
    """Return the names, numbers and Korean nouns of a text, folded."""
    names = {name.lower().strip(".,") for name in NAMES.findall(text)}
    for token in morphemes([text], analyser)[0] or []:
        if token.tag in {"NNG", "NNP"} and len(token.form) > 1 and token.form not in followups_korean.GENERIC:
            names.add(token.form)
    return names


def _squeezed_in(rewritten: str, known: str, analyser: AnalyserSettings) -> set[str]:
    """Return the names of the rewrite that stand in what is known as letters, wherever words were parted there."""
    squeezed = "".join(known.lower().split())
    return {name for name in _named(rewritten, analyser) if name in squeezed}
