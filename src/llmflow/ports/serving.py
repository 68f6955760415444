"""Ports of served models: what runs behind the chat, which adapter it answers with, and the record of how that came about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServedAdapter:
    """A LoRA adapter under the one name that it ever gets."""

    name: str
    """`{model}-v{number}-{first 8 hex digits of the digest}`; never used again for other weights."""
    path: str
    """Folder with adapter_config.json and adapter_model.safetensors, as every model server sees it."""
    digest: str
    """Identity of the folder's content; checked before each loading."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What an alias means now: the model name to ask, and whom."""

    base: str
    """Name of the base model, asked while no adapter is promoted."""
    replicas: tuple[str, ...]
    """Addresses without /v1. Each holds `champion` and `previous`."""
    champion: ServedAdapter | None = None
    previous: ServedAdapter | None = None
    base_fingerprint: str = ""
    """Of the base that the replicas serve; empty where nobody here has seen its folder."""
    smoke: bool = False
    """The base is the tiny model that knows nothing; answers are labelled with it."""

    @property
    def model(self) -> str:
        """The name to ask the replicas for."""
        return self.champion.name if self.champion else self.base


class PointerStore(Protocol):
    def read(self, alias: str) -> Pointer | None:
        """Return the newest pointer; None until a model was served."""
        ...

    def write(self, alias: str, pointer: Pointer) -> None:
        """Replace the pointer in one step: a reader sees the old one or the new one."""
        ...


class ModelServer(Protocol):
    """One replica of a model server, administered. Every failure raises `ModelUnavailable` that names the replica."""

    address: str

    def healthy(self) -> bool:
        """Return whether it answers; never raises."""
        ...

    def models(self) -> list[str]:
        """Return the names that it serves, base models first."""
        ...

    def load(self, adapter: ServedAdapter) -> None:
        """Serve the adapter under its name; nothing happens when it is served already."""
        ...

    def unload(self, name: str) -> None:
        """Serve the adapter no longer; nothing happens when it is not served. Requests that run on it are not ended."""
        ...

    def probe(self, name: str) -> str:
        """Have `name` answer one short prompt, so that weights are in place before anyone waits for them; return the answer."""
        ...

    def running(self) -> frozenset[str]:
        """Return the names of the adapters that requests run on or wait for."""
        ...

    def close(self) -> None:
        """Close connections; safe twice."""
        ...


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered adapter."""

    adapter: ServedAdapter
    number: int
    base_model: str
    base_fingerprint: str
    """Of the base's configuration and tokenizer; empty where the base was not at hand."""
    rank: int
    smoke: bool
    created_at: str
    aliases: tuple[str, ...] = ()
    """`candidate`, `champion`, `previous`."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    verdict: str = ""
    """Decision of the newest verdict: PROMOTE, REJECT, or empty before the gate has run."""
    run_id: str = ""
    """Of the run that holds its files and verdicts."""
    snapshot: str = ""
    """Hash of the data that it was trained on."""


@dataclass(frozen=True, slots=True)
class PromotionEvent:
    """One change of what is served, never changed afterwards."""

    action: str
    """`promote` or `rollback`."""
    champion: str
    """Name that is served from then on; the base model's name after a rollback to it."""
    before: str
    who: str
    why: str
    at: str
    """ISO 8601, UTC."""
    digest: str = ""


class ModelRegistry(Protocol):
    """The record of adapters, their verdicts and aliases. Raises `StoreUnavailable`; unknown names raise `SettingsError`."""

    def register(
        self, folder: str, digest: str, place: Callable[[str], str], facts: Mapping[str, str], metrics: Mapping[str, float]
    ) -> ModelVersion:
        """Enter the adapter in `folder`, let `place(name)` put its files where they stay and return that path.

        It becomes the `candidate`. A digest that is registered already is not entered again.
        """
        ...

    def versions(self) -> list[ModelVersion]:
        """Return every version, newest first."""
        ...

    def version(self, name: str) -> ModelVersion:
        """Return the version of that adapter name, number or alias. Raises `NotFound` naming those that there are."""
        ...

    def aliased(self, alias: str) -> ModelVersion | None: ...

    def set_aliases(self, aliases: Mapping[str, ModelVersion | None]) -> None:
        """Point each alias to its version, or at nothing."""
        ...

    def keep_verdict(self, version: ModelVersion, text: str, decision: str) -> None:
        """Keep a written verdict with the version; the newest counts."""
        ...

    def verdict(self, version: ModelVersion) -> str:
        """Return the newest written verdict; empty where there is none."""
        ...

    def record(self, event: PromotionEvent) -> None:
        """Append to the history."""
        ...

    def history(self, limit: int = 50) -> Sequence[PromotionEvent]:
        """Return the newest events, newest first."""
        ...
