"""What both Milvus adapters share: one client for a server's URI or a local folder, safe filters, our errors."""

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmflow.adapters.milvus_server import LocalMilvus
from llmflow.errors import StoreUnavailable
from llmflow.types import Principal

BATCH = 1000


class MilvusConnection:
    """A lazily opened client. `uri` is `http(s)://...` for a server, anything else a folder for Milvus Lite."""

    def __init__(self, uri: str, token: str = "", timeout_s: float = 30.0):
        self.uri = uri
        self._token = token
        self._timeout = timeout_s
        self._local = None if uri.startswith(("http://", "https://", "tcp://")) else LocalMilvus(Path(uri).resolve())
        self._client: Any = None
        self._lock = threading.RLock()

    @property
    def local_folder(self) -> Path | None:
        return Path(self.uri).resolve() if self._local else None

    def client(self) -> Any:
        with self._lock:
            if self._client is None:
                from pymilvus import MilvusClient
                from pymilvus.exceptions import MilvusException

                address = self._local.address() if self._local else self.uri
                try:
                    self._client = MilvusClient(address, token=self._token, timeout=self._timeout)
                except MilvusException as exc:
                    raise StoreUnavailable(f"Milvus at {self.uri} cannot be reached: {exc.message}") from exc
            return self._client

    @contextlib.contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Turn Milvus' exceptions into ours."""
        from pymilvus.exceptions import MilvusException

        try:
            yield
        except MilvusException as exc:
            raise StoreUnavailable(f"Milvus at {self.uri} failed while {doing}: {exc.message}") from exc

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                with contextlib.suppress(Exception):
                    self._client.close()
                self._client = None
            if self._local:
                self._local.release()


def literal(value: str) -> str:
    """Return `value` as a string literal of Milvus' filter language, escaped."""
    return json.dumps(value, ensure_ascii=False)


def literals(values: list[str] | tuple[str, ...]) -> str:
    return "[" + ", ".join(literal(value) for value in values) + "]"


def readers(groups: tuple[str, ...]) -> str:
    """Return groups as one string, each name in hexadecimal between bars.

    A LIKE over it takes a tenth of the time of `array_contains_any` on Milvus Lite, and hexadecimal needs no escaping.
    """
    return "|" + "".join(f"{group.encode().hex()}|" for group in sorted(set(groups)))


def readable_filter(principal: Principal) -> str:
    """Return the filter that every search carries."""
    any_group = " or ".join(f'readers like "%|{group.encode().hex()}|%"' for group in principal.readable_groups)
    return f"tenant == {literal(principal.tenant)} and ({any_group})"


def add_permission_fields(schema: Any) -> None:
    """Add the primary key and the fields that `readable_filter` reads."""
    from pymilvus import DataType

    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=128)
    schema.add_field("tenant", DataType.VARCHAR, max_length=256)
    schema.add_field("readers", DataType.VARCHAR, max_length=8192)


def all_ids(client: Any, collection: str) -> set[str]:
    """Return every primary key of a collection."""
    iterator = client.query_iterator(collection, batch_size=5000, filter='id != ""', output_fields=["id"])
    found: set[str] = set()
    while batch := iterator.next():
        found.update(row["id"] for row in batch)
    iterator.close()
    return found
