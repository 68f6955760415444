"""The chat model that is promoted now: each request asks the pointer, and stays on what it named to the end of the answer."""

import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

from pydantic import Field

from llmflow.adapters.openai_chat import OpenAIChat, OpenAIChatSettings, UnknownModel
from llmflow.adapters.state_pointers import PointerState, StatePointers
from llmflow.config import Settings
from llmflow.errors import ModelInterrupted, ModelUnavailable
from llmflow.finetuning.adapter_files import check_adapter
from llmflow.ports import ChatModel, ChatRequest, ModelServer, Pointer
from llmflow.wording import said

log = logging.getLogger(__name__)


class ServedChatSettings(Settings):
    alias: str = "chat"
    timeout_s: float = Field(default=60.0, gt=0)
    connect_s: float = Field(default=2.0, gt=0)


class ServedChat:
    """Hands out the model of the moment. With several replicas, questions go to them in turn and past one that is down."""

    def __init__(
        self,
        settings: ServedChatSettings,
        state: PointerState,
        connect: Callable[[str], ModelServer],
        api_key: str = "",
        fallback: ChatModel | None = None,
    ):
        self.settings = settings
        self._state = state
        self._pointers = StatePointers(state)
        self._connect = connect
        self._key = api_key
        self._fallback = fallback
        self._clients: dict[tuple[str, str], OpenAIChat] = {}
        self._turn = itertools.count()
        self._lock = Lock()

    @property
    def name(self) -> str:
        model = self.current()
        return model.name if model else "extractive"

    def current(self) -> ChatModel | None:
        """Return the model for one request; None while nothing was ever served and no fallback is configured."""
        pointer = self._pointers.read(self.settings.alias)
        if pointer is None or not pointer.replicas:
            return self._fallback
        return _Bound(self, pointer)

    def stream(self, request: ChatRequest) -> Iterator[str]:
        model = self.current()
        if model is None:
            raise ModelUnavailable(said("model.none_served"))
        return model.stream(request)

    def ask(self, pointer: Pointer, request: ChatRequest) -> Iterator[str]:
        """Yield pieces from the first replica that answers. One that lost the adapter in a restart is given it again."""
        failures = []
        start = next(self._turn)
        for offset in range(len(pointer.replicas)):
            address = pointer.replicas[(start + offset) % len(pointer.replicas)]
            try:
                return (yield from self._ask_one(address, pointer, request))
            except ModelInterrupted:
                raise
            except ModelUnavailable as exc:
                log.warning("%s", exc)
                failures.append(exc)
        raise failures[-1]

    def check(self, pointer: Pointer) -> None:
        """Raise ModelUnavailable unless one replica answers."""
        for address in pointer.replicas:
            server = self._connect(address)
            try:
                if server.healthy():
                    return
            finally:
                server.close()
        raise ModelUnavailable(said("model.none_answers", addresses=", ".join(pointer.replicas)))

    def count_tokens(self, pointer: Pointer, text: str) -> int | None:
        """Return the count of the first replica; all serve one base, whose tokenizer it is."""
        return self._client(pointer.replicas[0], pointer.model).count_tokens(text)

    def close(self) -> None:
        """Close connections and the state database; safe twice."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
        self._state.close()

    def _ask_one(self, address: str, pointer: Pointer, request: ChatRequest) -> Iterator[str]:
        try:
            return (yield from self._client(address, pointer.model).stream(request))
        except UnknownModel:
            if pointer.champion is None:
                raise
            log.warning("%s lost %s, loading it again", address, pointer.model)
            check_adapter(Path(pointer.champion.path), pointer.champion.digest)
            server = self._connect(address)
            try:
                server.load(pointer.champion)
            finally:
                server.close()
            return (yield from self._client(address, pointer.model).stream(request))

    def _client(self, address: str, model: str) -> OpenAIChat:
        with self._lock:
            found = self._clients.get((address, model))
            if found is None:
                values = self.settings.model_dump(exclude={"alias"})
                settings = OpenAIChatSettings(base_url=f"{address}/v1", model=model, retries=0, **values)
                found = self._clients[address, model] = OpenAIChat(settings, self._key)
            return found


class _Bound:
    """One request's model: a flip after it was handed out does not move it."""

    def __init__(self, chat: ServedChat, pointer: Pointer):
        self.name = f"{pointer.model} (smoke model)" if pointer.smoke else pointer.model
        self._chat = chat
        self._pointer = pointer

    def stream(self, request: ChatRequest) -> Iterator[str]:
        return self._chat.ask(self._pointer, request)

    def count_tokens(self, text: str) -> int | None:
        return self._chat.count_tokens(self._pointer, text)

    def check(self) -> None:
        self._chat.check(self._pointer)
