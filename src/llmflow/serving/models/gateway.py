"""The gateway: which adapter the chat answers with, changed while it answers.

    load on every replica -> one probe each -> flip the pointer -> drain what went before -> unload it

The champion and the one before it stay loaded, so that a rollback is a flip. Requests read the pointer once and keep the
immutable name that it gave them: whatever happens here, they end where they began.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import LlmflowError, ModelUnavailable
from llmflow.finetuning.adapter_files import check_adapter
from llmflow.ports import ModelServer, Pointer, PointerStore, ServedAdapter
from llmflow.wording import said

log = logging.getLogger(__name__)

ADAPTER_NAME = re.compile(r"^.+-v\d+-[0-9a-f]{8}$")


class GatewaySettings(Settings):
    alias: str = "chat"
    drain_s: float = Field(default=120.0, ge=0)
    """How long an adapter that is no longer wanted may go on answering; after that it stays loaded until the next promotion."""
    poll_s: float = Field(default=0.25, gt=0)


@dataclass(frozen=True, slots=True)
class Retired:
    """What became of adapters that nothing points to any more."""

    unloaded: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Still answering when the time was up, or on a replica that could not be reached; with the next promotion they go."""


class Gateway:
    """Moves the pointer over `servers`, which are all replicas of one base model."""

    def __init__(self, servers: Sequence[ModelServer], pointers: PointerStore, alias: str, settings: GatewaySettings):
        self.servers = tuple(servers)
        self.alias = alias
        self.settings = settings
        self._pointers = pointers

    def pointer(self) -> Pointer | None:
        return self._pointers.read(self.alias)

    def load(self, adapter: ServedAdapter) -> None:
        """Serve `adapter` on every replica and have each answer a probe, or undo it on those that did and raise.

        Raises ModelUnavailable; the pointer has not moved, and no replica is left with an adapter that it did not have.
        """
        if not self.servers:
            raise ModelUnavailable(said("model.no_server"))
        check_adapter(Path(adapter.path), adapter.digest)
        begun: list[ModelServer] = []
        try:
            for server in self.servers:
                if adapter.name not in server.models():
                    begun.append(server)
                    server.load(adapter)
                server.probe(adapter.name)
        except LlmflowError as exc:
            for server in begun:
                _quietly(server.unload, adapter.name)
            count = f"{len(self.servers)} replicas" if len(self.servers) > 1 else "the replica"
            raise ModelUnavailable(said("model.not_loaded", name=adapter.name, count=count, reason=exc)) from exc

    def flip(self, pointer: Pointer) -> None:
        """Have every request that begins from now on ask what `pointer` names."""
        self._pointers.write(self.alias, pointer)
        log.info("%s -> %s", self.alias, pointer.model)

    def retire(self) -> Retired:
        """Unload every adapter but champion and previous from every replica, each once nothing runs on it. Never raises."""
        pointer = self.pointer()
        if pointer is None:
            return Retired()
        wanted = {adapter.name for adapter in (pointer.champion, pointer.previous) if adapter}
        unloaded: list[str] = []
        kept: list[str] = []
        until = time.monotonic() + self.settings.drain_s
        for server in self.servers:
            try:
                for name in server.models():
                    if name in wanted or not ADAPTER_NAME.match(name):
                        continue
                    if self._drained(server, name, until):
                        server.unload(name)
                        unloaded.append(name)
                    else:
                        kept.append(name)
                        log.warning("%s still answers with %s: it stays loaded", server.address, name)
            except LlmflowError as exc:
                kept.append(server.address)
                log.warning("Nothing was unloaded: %s", exc)
        return Retired(tuple(dict.fromkeys(unloaded)), tuple(dict.fromkeys(kept)))

    def restore(self, server: ModelServer) -> None:
        """Load what the pointer names on a replica that has just started, previous first, and probe the one that answers."""
        pointer = self.pointer()
        if pointer is None:
            return
        for adapter in (pointer.previous, pointer.champion):
            if adapter is not None:
                check_adapter(Path(adapter.path), adapter.digest)
                server.load(adapter)
        server.probe(pointer.model)

    def close(self) -> None:
        """Close the connections to the replicas; safe twice."""
        for server in self.servers:
            server.close()

    def _drained(self, server: ModelServer, name: str, until: float) -> bool:
        while name in server.running():
            if time.monotonic() >= until:
                return False
            time.sleep(self.settings.poll_s)
        return True


def _quietly(act: Callable[[str], None], name: str) -> None:
    try:
        act(name)
    except LlmflowError as exc:
        log.warning("Not undone: %s", exc)
