"""What both Milvus adapters share: one client for a server's URI or a local folder, safe filters, our errors."""

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from llmflow.adapters.milvus_server import LocalMilvus
from llmflow.errors import StoreUnavailable
from llmflow.types import Principal
from llmflow.wording import said

T = TypeVar("T")

BATCH = 1000
READERS_BYTES = 65_535
"""What Milvus allows: 169 groups whose names are as long as access.yml permits, 64 Korean letters."""
NO_PINGS = {"grpc.keepalive_time_ms": 2**31 - 1}
"""pymilvus pings every 10 s; Milvus Lite's server takes that for an attack and hangs up (GOAWAY, too_many_pings)."""
GONE = (100, 101)
"""Milvus' codes for a collection that is not there, or not loaded."""
QUIET = ("pymilvus.decorators", "pymilvus.client.connection_manager", "pymilvus.client.iterator.query_iterator")
"""Loggers that print a traceback for what `run` turns into one sentence, and a warning for every list of ids."""


class MilvusConnection:
    """A lazily opened client. `uri` is `http(s)://...` for a server, anything else a folder for Milvus Lite.

    Safe to share between threads and between adapters; one that was closed opens again on the next call.
    """

    def __init__(self, uri: str, token: str = "", timeout_s: float = 30.0):
        self.uri = uri
        self._token = token
        self._timeout = timeout_s
        self._local = None if uri.startswith(("http://", "https://", "tcp://")) else LocalMilvus(Path(uri).resolve())
        self._client: Any = None
        self._address = ""
        self._loaded: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
        """By client: what one server had loaded, the next has not."""
        self._lock = threading.RLock()

    @property
    def local_folder(self) -> Path | None:
        return Path(self.uri).resolve() if self._local else None

    def client(self) -> Any:
        with self._lock:
            if self._client is None:
                from pymilvus import MilvusClient
                from pymilvus.exceptions import MilvusException

                for name in QUIET:
                    logging.getLogger(name).setLevel(logging.CRITICAL)
                self._address = self._local.address() if self._local else self.uri
                options = NO_PINGS if self._local else {}
                try:
                    self._client = MilvusClient(
                        self._address, token=self._token, timeout=self._timeout, dedicated=True, grpc_options=options
                    )
                except MilvusException as exc:
                    raise StoreUnavailable(said("milvus.away", address=self.uri, reason=exc.message)) from exc
            return self._client

    def run(self, doing: str, action: Callable[[Any], T]) -> T:
        """Return `action(client)`, Milvus' exceptions turned into ours.

        A Milvus Lite whose server was killed is started anew and the action repeated once: upserts, deletes and searches may be.
        """
        from pymilvus.exceptions import MilvusException

        client = self.client()
        try:
            return action(client)
        except MilvusException as exc:
            if not self._lost(client):
                raise self._failure(doing, exc) from exc
        try:
            return action(self.client())
        except MilvusException as exc:
            raise self._failure(doing, exc) from exc

    def load(self, client: Any, collection: str) -> bool:
        """Make a collection searchable through `client`; return False if there is none. For use inside an action of `run`."""
        loaded = self._loaded.setdefault(client, set())
        if not client.has_collection(collection):
            loaded.discard(collection)
            return False
        if collection not in loaded:
            client.load_collection(collection)
            loaded.add(collection)
        return True

    def on_loaded(self, client: Any, collection: str, action: Callable[[], T]) -> T | None:
        """Return `action()` on a collection made searchable, None if there is none. For use inside an action of `run`.

        A collection that was loaded before is not asked for again: that would be a second call to the server each time.
        """
        from pymilvus.exceptions import MilvusException

        if collection in self._loaded.get(client, ()):
            try:
                return action()
            except MilvusException as exc:  # another process may have dropped it, and made it anew
                if exc.code not in GONE:
                    raise
                self._loaded[client].discard(collection)
        return action() if self.load(client, collection) else None

    def close(self) -> None:
        with self._lock:
            self._forget_client()
            if self._local:
                self._local.release()

    def _lost(self, client: Any) -> bool:
        """Return whether `client` belongs to a connection or a local server that is gone; then the next one is opened."""
        with self._lock:
            if client is not self._client:
                return True  # another thread noticed first
            if self._local is None or self._local.serves(self._address):
                return False
            self._forget_client()
            return True

    def _forget_client(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.close()
            self._client = None

    def _failure(self, doing: str, exc: Any) -> StoreUnavailable:
        if self._local:
            return StoreUnavailable(said("milvus.failed_here", address=self.uri, doing=doing, reason=exc.message))
        return StoreUnavailable(said("milvus.failed", address=self.uri, doing=doing, reason=exc.message))


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
    """Return what of a filter every search carries."""
    any_group = " or ".join(f'readers like "%|{group.encode().hex()}|%"' for group in principal.readable_groups)
    return f"tenant == {literal(principal.tenant)} and ({any_group})"


def search_filter(principal: Principal, among: Sequence[str] | None) -> str:
    """Return the filter of one search, over chosen chunks only where there are some."""
    readable = readable_filter(principal)
    return readable if among is None else f"id in {literals(list(among))} and {readable}"


def add_permission_fields(schema: Any) -> None:
    """Add the primary key and the fields that `readable_filter` reads."""
    from pymilvus import DataType

    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=128)
    schema.add_field("tenant", DataType.VARCHAR, max_length=256)
    schema.add_field("readers", DataType.VARCHAR, max_length=READERS_BYTES)


def upsert_rows(collection: str, rows: list[dict[str, Any]], client: Any) -> None:
    client.upsert(collection, rows)


def flush(collection: str, client: Any) -> None:
    client.flush(collection)


def delete_ids(collection: str, ids: list[str], client: Any) -> None:
    client.delete(collection, filter=f"id in {literals(ids)}")


def all_ids(collection: str, client: Any) -> set[str]:
    """Return every primary key of a loaded collection."""
    iterator = client.query_iterator(collection, batch_size=5000, filter='id != ""', output_fields=["id"])
    found: set[str] = set()
    while batch := iterator.next():
        found.update(row["id"] for row in batch)
    iterator.close()
    return found
