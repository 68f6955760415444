"""JSON over HTTP to a model server: time-outs, retries and batches, the same for every adapter that speaks to one."""

import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import ModelUnavailable
from llmflow.wording import said

Result = TypeVar("Result")
BUSY = frozenset({408, 425, 429})
"""Answers, besides 5xx, after which the same request may succeed."""
SHOWN = 200
EMPTY = "."
"""Sent for a text without a word: servers refuse empty ones."""


class ModelServerSettings(Settings):
    """`url` as a rule comes from credentials, so that one configuration fits every place."""

    url: str = Field(min_length=1)
    """Address to which the adapter adds its path: `http://tei:8080`, `http://vllm:8001/v1`."""
    connect_timeout_s: float = Field(default=3.0, gt=0)
    timeout_s: float = Field(default=60.0, gt=0)
    """For one batch while documents are ingested."""
    query_timeout_s: float = Field(default=10.0, gt=0)
    """For one question: somebody waits for it."""
    retries: int = Field(default=2, ge=0, le=10)
    """Further attempts after a broken connection, 408, 425, 429 or 5xx; a request that ran into its time-out is not repeated."""
    rest_s: float = Field(default=5.0, ge=0)
    """After a question ran into its time-out the next ones are refused at once for so long, instead of waiting in turn."""
    batch: int = Field(default=32, ge=1)
    """Texts in one request; TEI refuses more than its own --max-client-batch-size, 32 by default."""
    batch_chars: int = Field(default=100_000, ge=1)
    """Characters in one request; a longer text goes alone."""
    parallel: int = Field(default=2, ge=1, le=32)
    """Requests on the way at once while documents are ingested."""


class ModelServer:
    """One server. Connects on first use; safe to share between threads."""

    def __init__(self, settings: ModelServerSettings, what: str, api_key: str = "", clock: Callable[[], float] = time.monotonic):
        self.settings = settings
        self._what, self._clock = what, clock
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._lock = threading.Lock()
        self._client: Any = None
        self._rests_until = 0.0

    def post(self, path: str, body: Mapping[str, object], query: bool = False) -> Any:
        """Return the decoded answer. Raises ModelUnavailable with the address, what happened and what to do."""
        import httpx

        if query and self._clock() < self._rests_until:
            raise self._unavailable(path, said("model_server.rests", seconds=f"{self.settings.rest_s:g}"))
        try:
            answer = self._attempt(path, body, self.settings.query_timeout_s if query else self.settings.timeout_s)
        except httpx.TimeoutException as exc:
            if query:
                self._rests_until = self._clock() + self.settings.rest_s
            raise self._unavailable(path, said("model_server.slow")) from exc
        except httpx.HTTPStatusError as exc:
            text = " ".join(exc.response.text.split())[:SHOWN] or "no text"
            raise self._unavailable(path, said("model_server.status", status=exc.response.status_code, text=text)) from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._unavailable(path, f"{type(exc).__name__}: {exc}") from exc
        try:
            return answer.json()
        except ValueError as exc:
            raise self._unavailable(path, said("model_server.no_json")) from exc

    def post_batches(
        self, texts: Sequence[str], ask: Callable[[Sequence[str]], Sequence[Result]], query: bool = False
    ) -> list[Result]:
        """Return the results of `ask` for all texts, in order, asked in batches, several at once unless for a question."""
        batches = split_batches(texts, self.settings.batch, self.settings.batch_chars)
        if query or len(batches) < 2 or self.settings.parallel < 2:
            return [result for batch in batches for result in ask(batch)]
        with ThreadPoolExecutor(self.settings.parallel, thread_name_prefix="model-server") as pool:
            return [result for results in pool.map(ask, batches) for result in results]

    def unusable(self, path: str, why: str) -> ModelUnavailable:
        """Return the error for an answer that is not of the agreed form."""
        return self._unavailable(path, f"the answer cannot be used: {why}")

    def _attempt(self, path: str, body: Mapping[str, object], timeout_s: float) -> Any:
        import httpx
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

        timeout = httpx.Timeout(timeout_s, connect=self.settings.connect_timeout_s)
        retrying = Retrying(
            stop=stop_after_attempt(1 + self.settings.retries),
            wait=wait_exponential_jitter(multiplier=0.1, max=2.0, jitter=0.1),
            retry=retry_if_exception(_passes),
            reraise=True,
        )
        for attempt in retrying:
            with attempt:
                answer = self._open().post(self.settings.url.rstrip("/") + path, json=body, timeout=timeout)
                answer.raise_for_status()
                return answer
        raise AssertionError("tenacity returns or raises")

    def _open(self) -> Any:
        import httpx

        with self._lock:
            if self._client is None:
                self._client = httpx.Client(headers=self._headers)
                weakref.finalize(self, self._client.close)
            return self._client

    def _unavailable(self, path: str, why: str) -> ModelUnavailable:
        address = self.settings.url.rstrip("/") + path
        return ModelUnavailable(said("model_server.away", what=self._what, address=address, reason=why))


def _passes(exc: BaseException) -> bool:
    """Return whether the same request may succeed a moment later."""
    import httpx

    if isinstance(exc, httpx.HTTPStatusError):
        return exc.response.status_code in BUSY or exc.response.status_code >= 500
    slow = isinstance(exc, (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout))
    return isinstance(exc, httpx.TransportError) and not slow


def split_batches(texts: Sequence[str], count: int, chars: int) -> list[list[str]]:
    """Return the texts in order, at most `count` and, but for a single longer one, `chars` characters together.

    >>> split_batches(["aa", "b", "cccccc", "d"], 2, 4)
    [['aa', 'b'], ['cccccc'], ['d']]
    """
    batches: list[list[str]] = []
    size = 0
    for text in texts:
        if not batches or len(batches[-1]) == count or size + len(text) > chars:
            batches.append([])
            size = 0
        batches[-1].append(text)
        size += len(text)
    return batches


def merged_options(settings: Mapping[str, Any], credentials: Mapping[str, str] | None) -> tuple[dict[str, Any], str]:
    """Return (settings with the address and model that credentials name, api key)."""
    secret = dict(credentials or {})
    found = {key: secret[key] for key in ("url", "model") if secret.get(key)}
    return {**settings, **found}, secret.get("api_key", "")
