"""A chat model in this process: the base with one adapter, as the gate asks it the questions over the corpus."""

from collections.abc import Iterator

from llmflow.errors import PromptTooLong
from llmflow.finetuning.local_model import LocalModel
from llmflow.finetuning.types import Message
from llmflow.ports import ChatRequest
from llmflow.wording import said


class LocalChat:
    """ChatModel over a LocalModel: greedy, one piece an answer."""

    def __init__(self, model: LocalModel, adapter: str | None, name: str):
        self.name = name
        self._model = model
        self._adapter = adapter

    def stream(self, request: ChatRequest) -> Iterator[str]:
        roles = {"user": "user", "assistant": "assistant"}
        turns = [Message(roles[turn.role], turn.content) for turn in request.turns]  # type: ignore[arg-type]
        prompt = [Message("system", request.system), *turns]
        with self._model.use(self._adapter) as model:
            if not model.fits(prompt, request.max_tokens):
                raise PromptTooLong(said("model.prompt_too_long", tokens=request.max_tokens, model=self.name))
            (answer,) = model.answers([prompt], request.max_tokens)
        yield answer.text
