"""One connection to Redis, with our errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llmflow.errors import StoreUnavailable


class RedisConnection:
    """Connects on first use; safe to share by threads. `prefix` stands before every key."""

    def __init__(self, url: str, prefix: str = "llmflow:", timeout_s: float = 1.0):
        self._url = url
        self.prefix = prefix
        self._timeout_s = timeout_s
        self._client: Any = None

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Give the client; what Redis raises inside becomes StoreUnavailable."""
        import redis

        try:
            if self._client is None:
                self._client = redis.Redis.from_url(
                    self._url, decode_responses=True, socket_timeout=self._timeout_s, socket_connect_timeout=self._timeout_s
                )
            yield self._client
        except (redis.RedisError, ValueError) as exc:
            raise StoreUnavailable(
                f"Redis does not answer ({type(exc).__name__}). Check that it runs and that LLMFLOW_REDIS_URL names it, such as "
                "redis://redis:6379/0; until then what people said is read from the state database."
            ) from exc

    def close(self) -> None:
        """Close connections; safe twice."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
