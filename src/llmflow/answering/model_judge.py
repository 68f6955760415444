"""Asking the chat model whether a kept answer is exactly the answer to another question. Off unless the settings say so."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from llmflow.answering.untrusted import neutral, passage_block
from llmflow.errors import ModelUnavailable
from llmflow.ports import CachedAnswer, ChatModel, ChatRequest, FollowingChatModel, current_model
from llmflow.types import ChatTurn, Hit

log = logging.getLogger(__name__)

PASSAGES = 3
"""Cited passages that the model is shown."""
CHARACTERS = 1500
"""Of a passage, and of the answer: the prompt stays bounded whatever was indexed."""

PLACE = re.compile(r"\{(?:evidence|kept|answer|question)\}")
"""Filled in at once: a question may hold the name of another place."""


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    same: bool


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """The model that is served now, with the prompt ({evidence}, {kept}, {answer}, {question}) that it is asked by."""

    model: ChatModel | FollowingChatModel | None
    prompt: str

    def same(self, entry: CachedAnswer, question: str, hits: Sequence[Hit]) -> bool:
        """Return whether the model says so. A model that is away or answers in another form has not said so."""
        model = current_model(self.model)
        if model is None:
            return False
        cited = {citation.chunk_id for citation in entry.answer.citations}
        shown = [hit for hit in hits if hit.chunk.id in cited][:PASSAGES]
        parts = {
            "{evidence}": "\n\n".join(passage_block(number, hit)[:CHARACTERS] for number, hit in enumerate(shown, 1)),
            "{kept}": neutral(entry.question),
            "{answer}": neutral(entry.answer.text)[:CHARACTERS],
            "{question}": neutral(question),
        }
        asked = PLACE.sub(lambda place: parts[place.group()], self.prompt)
        request = ChatRequest("", (ChatTurn("user", asked),), 32, 0.0, _Reply.model_json_schema())
        try:
            return _Reply.model_validate_json("".join(model.stream(request))).same
        except ModelUnavailable as exc:
            log.warning("Answered without the cache: %s", exc)
        except ValidationError:
            log.warning("Answered without the cache: the model's verdict has another form than asked")
        return False
