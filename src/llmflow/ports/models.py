"""Ports of models: embedder, reranker, chat model. Adapters raise `ModelUnavailable`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from llmflow.types import ChatTurn

if TYPE_CHECKING:
    import numpy as np


class Embedder(Protocol):
    """Text to vectors. `name` changes whenever the vectors would."""

    name: str
    dimension: int
    languages: frozenset[str]
    """Languages that it reads (`ko`, `en`, `other`); the others are left to the other channels."""

    def embed_passages(self, texts: Sequence[str]) -> "np.ndarray":
        """Return float32 (len(texts), dimension), rows L2-normalised, in order."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> "np.ndarray":
        """As `embed_passages`, with the model's query prompt where it has one."""
        ...


class Reranker(Protocol):
    """Question and passages to relevance. `name` changes whenever the scores would."""

    name: str

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return one finite relevance score a passage, larger is better, in order; nothing for no passages.

        The score of a passage does not depend on the others. A score has no scale: compare scores of one question only.
        """
        ...


@runtime_checkable
class RemoteModel(Protocol):
    """A model behind an address."""

    def check(self) -> None:
        """Ask it something small. Raises ModelUnavailable with the reason when it does not answer as agreed."""
        ...


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A rendered prompt: system text first, then the turns, oldest first."""

    system: str
    turns: tuple[ChatTurn, ...]
    max_tokens: int = 512
    temperature: float = 0.0
    json_schema: Mapping[str, object] | None = None
    """JSON Schema that the answer must follow; None for free text. A server may ignore it, so the reader checks."""


class ChatModel(Protocol):
    name: str

    def stream(self, request: ChatRequest) -> Iterator[str]:
        """Yield pieces of the answer as they come; their concatenation is the answer.

        A generator may return (prompt tokens, completion tokens) as its server counted them; see `TokenUsage`.
        """
        ...


@dataclass(slots=True)
class TokenUsage:
    """Tokens of one answer, noted when its pieces end; 0 where nobody counted."""

    prompt: int = 0
    completion: int = 0

    def noting(self, pieces: Iterator[str]) -> Iterator[str]:
        """Yield the pieces, and note what their generator returns."""
        counted = yield from pieces
        if isinstance(counted, tuple):
            self.prompt, self.completion = counted


@runtime_checkable
class FollowingChatModel(Protocol):
    """A chat model whose choice changes while it runs."""

    def current(self) -> ChatModel | None:
        """Return the model for one request, which stays on it to the end; None where nothing is served."""
        ...

    def close(self) -> None:
        """Let go of what it reads its choice from; safe twice."""
        ...


def current_model(model: "ChatModel | FollowingChatModel | None") -> ChatModel | None:
    """Return what `model` means for the request that is about to begin."""
    return model.current() if isinstance(model, FollowingChatModel) else model


@runtime_checkable
class CountingModel(Protocol):
    """A chat model that counts tokens as its own tokenizer does."""

    def count_tokens(self, text: str) -> int | None:
        """Return the number of tokens, without those that mark beginning and end; None where it cannot be told now."""
        ...


def token_counter(model: ChatModel) -> Callable[[str], int] | None:
    """Return the model's own count of tokens; None where it has none to give."""
    if not isinstance(model, CountingModel) or model.count_tokens("a") is None:
        return None

    def count(text: str) -> int:
        counted = model.count_tokens(text)
        return len(text.encode()) if counted is None else counted

    return count
