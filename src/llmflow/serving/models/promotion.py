"""Adapters from a training run to the chat: registered, judged, promoted on every replica, rolled back.

The registry's aliases are the record. The pointer follows them; `sync` makes it follow after a crash between the two.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from llmflow.adapters.state_pointers import StatePointers
from llmflow.errors import ModelUnavailable, PromotionRefused, SettingsError
from llmflow.evaluation.gate import Verdict, verdict_from_json, verdict_to_json
from llmflow.finetuning.adapter_files import adapter_digest, base_fingerprint, place_adapter, read_facts
from llmflow.finetuning.tiny_base import is_smoke_model
from llmflow.ports import ModelRegistry, ModelServer, ModelVersion, Pointer, PromotionEvent, ServedAdapter, StateStore
from llmflow.serving.locks import promotion_lock
from llmflow.serving.models.gateway import Gateway, Retired
from llmflow.serving.models.settings import ServingSettings
from llmflow.wording import said

SUBJECT = "adapter"


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion or a rollback changed."""

    champion: str
    """The name that answers from now on."""
    before: str
    retired: Retired


@dataclass(frozen=True, slots=True)
class AdapterSource:
    """A trained adapter as it is registered."""

    folder: Path
    base_model: str
    smoke: bool = False
    snapshot: str = ""
    metrics: tuple[tuple[str, float], ...] = ()


class ModelPromotions:
    """The acts on models of one workspace. One at a time: `lock` holds off a second."""

    def __init__(
        self,
        registry: ModelRegistry,
        gateway: Gateway,
        settings: ServingSettings,
        lock: Callable[[], AbstractContextManager[None]],
    ):
        self.registry = registry
        self.gateway = gateway
        self.settings = settings
        self._lock = lock

    def register(self, source: AdapterSource) -> ModelVersion:
        """Copy the adapter to where it stays under its immutable name and make it the candidate.

        Raises SettingsError for what vLLM cannot serve, before anything is written.
        """
        facts = read_facts(source.folder)
        if facts.unservable:
            raise SettingsError(
                f"{source.folder} cannot be served as an adapter: {'; '.join(facts.unservable)}. "
                "Merge it into its base at export, or train LoRA without these."
            )
        if facts.rank > self.settings.max_lora_rank:
            raise SettingsError(
                f"{source.folder} has rank {facts.rank}; the servers take {self.settings.max_lora_rank}. "
                "Raise max_lora_rank in serving.servers, or train with a smaller rank."
            )
        digest = adapter_digest(source.folder)

        def place(name: str) -> str:
            target = self.settings.adapters_folder / name
            place_adapter(source.folder, target, digest)
            return str(target)

        base = source.base_model or facts.base_model
        known = {
            "base_model": base,
            "base_fingerprint": base_fingerprint(base),
            "rank": str(facts.rank),
            "smoke": "true" if source.smoke else "false",
            "snapshot": source.snapshot,
        }
        with self._lock():
            return self.registry.register(str(source.folder), digest, place, known, dict(source.metrics))

    def keep_verdict(self, version: ModelVersion, verdict: Verdict) -> None:
        """Keep the gate's verdict with the version that it names. Raises PromotionRefused when it names another."""
        if verdict.candidate != verdict_id(version.adapter):
            raise PromotionRefused(said("promotion.verdict_on", found=verdict.candidate, wanted=verdict_id(version.adapter)))
        self.registry.keep_verdict(version, verdict_to_json(verdict), verdict.decision)

    def champion_id(self) -> str:
        """Return what a verdict must have been held against: the champion, or the base without an adapter."""
        champion = self.registry.aliased("champion")
        return verdict_id(champion.adapter) if champion else self.settings.model

    def check(self, version: ModelVersion) -> Verdict:
        """Return the verdict that allows `version` to be promoted. Raises PromotionRefused that says what is in the way."""
        name = version.adapter.name
        text = self.registry.verdict(version)
        if not text:
            raise PromotionRefused(said("promotion.no_verdict", name=name))
        verdict = verdict_from_json(text, f"verdict of {name}")
        if verdict.candidate != verdict_id(version.adapter):
            raise PromotionRefused(said("promotion.verdict_other", name=name, found=verdict.candidate))
        if not verdict.promoted:
            raise PromotionRefused(said("promotion.rejected", name=name, reasons=" ".join(verdict.reasons)))
        if verdict.champion != self.champion_id():
            raise PromotionRefused(said("promotion.stale", name=name, champion=verdict.champion, served=self.champion_id()))
        return verdict

    def promote(self, name: str, who: str, why: str) -> Promoted:
        """Serve the version `name` (name, number or alias) on every replica, then point to it.

        Raises PromotionRefused without a verdict that allows it, ModelUnavailable when a replica does not take it. Either way the
        champion stays.
        """
        with self._lock():
            version = self.registry.version(name)
            old = self.registry.aliased("champion")
            if old is not None and old.adapter == version.adapter:
                raise PromotionRefused(said("promotion.champion", name=version.adapter.name))
            self.check(version)
            self._check_base(version)
            self.gateway.load(version.adapter)
            self.registry.set_aliases({"previous": old, "champion": version})
            before = old.adapter.name if old else self.settings.model
            self.registry.record(_event("promote", version.adapter.name, before, who, why, version.adapter.digest))
            self._point(version, old)
            return Promoted(version.adapter.name, before, self.gateway.retire())

    def roll_back(self, who: str, why: str) -> Promoted:
        """Point back to what was served before: the previous adapter, or the base model where there was none.

        Both stay loaded, so nothing is loaded where the servers ran on; a second rollback goes forward again.
        """
        with self._lock():
            champion, previous = self.registry.aliased("champion"), self.registry.aliased("previous")
            if champion is None and previous is None:
                raise PromotionRefused(said("promotion.nothing_before"))
            if previous is not None:
                self.gateway.load(previous.adapter)
            self.registry.set_aliases({"champion": previous, "previous": champion})
            now = previous.adapter.name if previous else self.settings.model
            before = champion.adapter.name if champion else self.settings.model
            self.registry.record(_event("rollback", now, before, who, why, previous.adapter.digest if previous else ""))
            self._point(previous, champion)
            return Promoted(now, before, Retired())

    def sync(self) -> Pointer:
        """Load what the registry calls champion and previous on every replica, and point to the champion.

        For servers that were started anew, and after a crash between record and pointer. Raises ModelUnavailable.
        """
        with self._lock():
            champion, previous = self.registry.aliased("champion"), self.registry.aliased("previous")
            for version in (previous, champion):
                if version is not None:
                    self._check_base(version)
                    self.gateway.load(version.adapter)
            if champion is None:
                for server in self.gateway.servers:
                    server.probe(self.settings.model)
            return self._point(champion, previous)

    def _point(self, champion: ModelVersion | None, previous: ModelVersion | None) -> Pointer:
        fingerprint, smoke = self._base()
        pointer = Pointer(
            base=self.settings.model,
            replicas=tuple(server.address for server in self.gateway.servers),
            champion=champion.adapter if champion else None,
            previous=previous.adapter if previous else None,
            base_fingerprint=fingerprint,
            smoke=smoke,
        )
        self.gateway.flip(pointer)
        return pointer

    def _base(self) -> tuple[str, bool]:
        """Return fingerprint and smoke label of the served base: from its folder, or as serve-llm wrote them down."""
        folder, pointer = self.settings.base_folder, self.gateway.pointer()
        if folder is not None:
            return base_fingerprint(folder), is_smoke_model(folder)
        return (pointer.base_fingerprint, pointer.smoke) if pointer else ("", False)

    def _check_base(self, version: ModelVersion) -> None:
        served, _ = self._base()
        if served and version.base_fingerprint and served != version.base_fingerprint:
            raise ModelUnavailable(said("model.other_base", name=version.adapter.name, base=version.base_model))


class Servers(Protocol):
    default: str

    def connect(self, address: str) -> ModelServer: ...


def build_model_promotions(
    registry: ModelRegistry, servers: Servers, state: StateStore, settings: ServingSettings
) -> ModelPromotions:
    """Return the acts on models over opened parts; addresses are checked, nothing is connected."""
    pointers = StatePointers(state)
    pointer = pointers.read(settings.model)
    known = pointer.replicas if pointer else ()  # serve-llm --model: only the pointer knows its address
    addresses = settings.addresses or known or tuple(filter(None, [servers.default]))
    gateway = Gateway([servers.connect(address) for address in addresses], pointers, settings.model, settings.gateway)
    return ModelPromotions(registry, gateway, settings, promotion_lock)


def verdict_id(adapter: ServedAdapter) -> str:
    """Return how a verdict names an adapter: with its whole digest, so that it holds for these weights alone."""
    return f"{adapter.name}@sha256:{adapter.digest}"


def _event(action: str, champion: str, before: str, who: str, why: str, digest: str) -> PromotionEvent:
    return PromotionEvent(action, champion, before, who, why, datetime.now(UTC).isoformat(timespec="seconds"), digest)
