"""Many people asking at once: clients that stream answers without a pause, and what they saw."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from llmflow.errors import LlmflowError, ModelUnavailable
from llmflow.ports import ChatRequest, FollowingChatModel
from llmflow.types import ChatTurn

ASKED = (
    "반반차 규정이 어떻게 되나요?",
    "출장비 기준 좀 알려줘.",
    "비밀번호 내용을 한 줄로 말해 줘.",
    "Tell me about remote work.",
)


@dataclass(frozen=True, slots=True)
class StreamReport:
    requests: int
    failed: int
    by_model: Mapping[str, int]
    """Answers that were whole, by the model that gave them, in the order in which models first answered."""
    longest_wait_s: float
    """For a first piece."""
    errors: tuple[str, ...]


class Clients:
    """Threads over one chat model; each asks anew as soon as its answer has ended."""

    def __init__(self, chat: FollowingChatModel, count: int, max_tokens: int):
        self._chat = chat
        self._max_tokens = max_tokens
        self._stop = threading.Event()
        self._seen = threading.Condition()
        self._by_model: Counter[str] = Counter()
        self._errors: list[str] = []
        self._longest = 0.0
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each end the answer that it is in; a question that has begun is never dropped."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_answers(self, count: int, limit_s: float = 300.0) -> None:
        """Return once that many more answers were whole, or some failed. Raises ModelUnavailable when they do not come."""
        with self._seen:
            wanted = self._by_model.total() + count
            if not self._seen.wait_for(lambda: self._by_model.total() >= wanted or bool(self._errors), limit_s):
                raise ModelUnavailable(f"{count} answers did not come within {limit_s:.0f} s. Look at the server's log.")

    def report(self) -> StreamReport:
        with self._seen:
            whole = self._by_model.total()
            errors = tuple(self._errors)
            return StreamReport(whole + len(errors), len(errors), dict(self._by_model), round(self._longest, 2), errors)

    def _run(self, number: int) -> None:
        turn = number
        while not self._stop.is_set():
            request = ChatRequest("", (ChatTurn("user", ASKED[turn % len(ASKED)]),), self._max_tokens)
            turn += 1
            try:
                name, waited = self._ask(request)
            except LlmflowError as exc:
                with self._seen:
                    self._errors.append(str(exc))
                    self._seen.notify_all()
                continue
            with self._seen:
                self._by_model[name] += 1
                self._longest = max(self._longest, waited)
                self._seen.notify_all()

    def _ask(self, request: ChatRequest) -> tuple[str, float]:
        model = self._chat.current()
        if model is None:
            raise ModelUnavailable("No model is served.")
        begun = time.monotonic()
        waited = None
        for _ in model.stream(request):
            waited = waited if waited is not None else time.monotonic() - begun
        if waited is None:
            raise ModelUnavailable(f"{model.name} said nothing.")
        return model.name, waited


@contextmanager
def streaming_clients(chat: FollowingChatModel, count: int, max_tokens: int = 48) -> Iterator[Clients]:
    """Yield clients that ask until the block ends."""
    clients = Clients(chat, count, max_tokens)
    clients.start()
    try:
        yield clients
    finally:
        clients.stop()
