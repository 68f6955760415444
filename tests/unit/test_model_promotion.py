"""From a training run's folder to what answers: no way around the verdict, and every step can be taken back."""

from dataclasses import replace
from pathlib import Path

import pytest
from adapters_on_disk import write_adapter
from vllm_double import VllmDouble

from llmflow.adapters.mlflow_registry import MlflowRegistry
from llmflow.adapters.sql_state import SqlStateStore
from llmflow.adapters.state_pointers import StatePointers
from llmflow.adapters.vllm_server import VllmServer
from llmflow.errors import ModelUnavailable, PromotionRefused, SettingsError
from llmflow.evaluation.gate import check_none, decide
from llmflow.serving.locks import promotion_lock
from llmflow.serving.models.adapter_sources import adapter_source
from llmflow.serving.models.comparison import compare_models
from llmflow.serving.models.gateway import Gateway, GatewaySettings
from llmflow.serving.models.promotion import AdapterSource, ModelPromotions, verdict_id
from llmflow.serving.models.settings import ServingSettings


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


class World:
    """One workspace over two small servers."""

    def __init__(self, folder: Path, database: Path, model: str):
        self.folder = folder
        self.doubles = [VllmDouble(model), VllmDouble(model)]
        self.state = SqlStateStore(f"sqlite:///{folder}/state.db")
        self.registry = MlflowRegistry(f"sqlite:///{database}/mlflow.db", model, str(database / "artifacts"))
        addresses = tuple(double.address for double in self.doubles)
        self.settings = ServingSettings(model=model, replicas=addresses, adapters=str(folder / "adapters"))
        servers = [VllmServer(address) for address in addresses]
        self.gateway = Gateway(servers, StatePointers(self.state), model, GatewaySettings(poll_s=0.02, drain_s=1))
        self.models = ModelPromotions(self.registry, self.gateway, self.settings, promotion_lock)

    def trained(self, seed: int) -> AdapterSource:
        folder = self.folder / f"run{seed}"
        return AdapterSource(folder if folder.exists() else write_adapter(folder, seed=seed), "/models/base", True)

    def judged(self, seed: int, faults: int = 0):
        version = self.models.register(self.trained(seed))
        checks = [check_none("faults", faults, "faults")]
        verdict = decide("adapter", verdict_id(version.adapter), self.models.champion_id(), checks, "2026-01-01T00:00:00+00:00")
        self.models.keep_verdict(version, verdict)
        return version

    def served(self) -> str:
        pointer = self.gateway.pointer()
        return pointer.model if pointer else ""

    def close(self) -> None:
        self.gateway.close()
        self.state.close()
        for double in self.doubles:
            double.close()


@pytest.fixture
def world(tmp_path, database, request, monkeypatch):
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path / "home"))
    found = World(tmp_path, database, "m" + str(abs(hash(request.node.name)) % 10**9))
    yield found
    found.close()


def test_first_promotion_second_promotion_rollback(world):
    world.models.sync()
    assert world.served() == world.settings.model
    first = world.judged(1)
    done = world.models.promote("candidate", "min", "first")
    assert (done.champion, done.before) == (first.adapter.name, world.settings.model)
    second = world.judged(2)
    world.models.promote(second.adapter.name, "min", "second")
    third = world.judged(3)
    done = world.models.promote("candidate", "min", "third")
    assert world.served() == third.adapter.name and done.retired.unloaded == (first.adapter.name,)
    assert all(set(double.adapters) == {second.adapter.name, third.adapter.name} for double in world.doubles)

    acts = [len(double.acts) for double in world.doubles]
    assert world.models.roll_back("min", "regretted").champion == second.adapter.name
    assert world.served() == second.adapter.name
    assert [len(double.acts) for double in world.doubles] == acts, "a rollback loads and unloads nothing"
    assert world.models.roll_back("min", "after all").champion == third.adapter.name
    assert [event.action for event in world.registry.history()] == ["rollback", "rollback", "promote", "promote", "promote"]
    assert world.registry.history()[0].why == "after all"


def test_the_first_promotion_is_rolled_back_to_the_base(world):
    first = world.judged(1)
    world.models.promote("candidate", "min", "")
    assert world.models.roll_back("min", "").champion == world.settings.model
    assert world.served() == world.settings.model and world.registry.aliased("champion") is None
    assert world.models.roll_back("min", "").champion == first.adapter.name


def test_nothing_is_promoted_around_the_gate(world):
    version = world.models.register(world.trained(1))
    with pytest.raises(PromotionRefused, match="has no verdict"):
        world.models.promote("candidate", "min", "")
    rejected = world.judged(1, faults=2)
    with pytest.raises(PromotionRefused, match=r"rejected .*2 faults; none is allowed"):
        world.models.promote("candidate", "min", "")
    assert world.served() == "" and world.registry.history() == [] and all(not double.acts for double in world.doubles)
    assert rejected.adapter == version.adapter


def test_a_verdict_holds_for_its_weights_and_its_champion_only(world):
    first = world.judged(1)
    other = world.models.register(world.trained(2))
    text = world.registry.verdict(first)
    with pytest.raises(PromotionRefused, match="The verdict is on"):
        from llmflow.evaluation.gate import verdict_from_json

        world.models.keep_verdict(other, verdict_from_json(text))
    world.registry.keep_verdict(other, text, "PROMOTE")  # written past the service
    with pytest.raises(PromotionRefused, match="Run the gate again"):
        world.models.promote(other.adapter.name, "min", "")
    third = world.judged(3)
    world.models.promote(first.adapter.name, "min", "")
    with pytest.raises(PromotionRefused, match="is served now"):
        world.models.promote(third.adapter.name, "min", "")


def test_a_verdict_that_was_edited_is_refused(world):
    from llmflow.errors import DatasetError

    version = world.judged(1, faults=1)
    text = world.registry.verdict(version).replace('"decision": "REJECT"', '"decision": "PROMOTE"')
    world.registry.keep_verdict(version, text, "PROMOTE")
    with pytest.raises(DatasetError, match="changed by hand"):
        world.models.promote("candidate", "min", "")


def test_a_replica_that_refuses_leaves_record_and_pointer_as_they_were(world):
    first = world.judged(1)
    world.models.promote("candidate", "min", "")
    world.judged(2)
    world.doubles[1].refuse_probe = True
    with pytest.raises(ModelUnavailable, match="nothing was changed"):
        world.models.promote("candidate", "min", "")
    assert world.served() == first.adapter.name and world.registry.aliased("champion").number == first.number
    assert len(world.registry.history()) == 1 and set(world.doubles[0].adapters) == {first.adapter.name}


def test_a_crash_between_record_and_pointer_is_mended(world, monkeypatch):
    first = world.judged(1)
    world.models.promote("candidate", "min", "")
    second = world.judged(2)

    class Crash(Exception):
        pass

    def crash(pointer):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(world.gateway, "flip", crash)
        with pytest.raises(Crash):
            world.models.promote("candidate", "min", "")
    assert world.served() == first.adapter.name
    world.models.sync()
    assert world.served() == second.adapter.name and world.gateway.pointer().previous == first.adapter


def test_an_adapter_of_another_base_is_not_served(world):
    version = world.judged(1)
    pointer = world.models.sync()
    world.gateway.flip(replace(pointer, base_fingerprint="the served base"))
    tags = {"base_fingerprint": "another base"}
    for key, value in tags.items():
        world.registry._client().set_model_version_tag(world.registry.model, str(version.number), f"llmflow.{key}", value)
    with pytest.raises(ModelUnavailable, match="another model"):
        world.models.promote("candidate", "min", "")


def test_what_cannot_be_served_is_not_registered(world, tmp_path):
    with pytest.raises(SettingsError, match="DoRA"):
        world.models.register(AdapterSource(write_adapter(tmp_path / "dora", use_dora=True), ""))
    with pytest.raises(SettingsError, match="rank 1024"):
        world.models.register(AdapterSource(write_adapter(tmp_path / "large", r=1024), ""))
    with pytest.raises(SettingsError, match="neither"):
        adapter_source(tmp_path)
    assert world.registry.versions() == []


def test_the_champion_is_not_promoted_twice_and_nothing_is_not_rolled_back(world):
    with pytest.raises(PromotionRefused, match="nothing to roll back"):
        world.models.roll_back("min", "")
    world.judged(1)
    world.models.promote("candidate", "min", "")
    with pytest.raises(PromotionRefused, match="champion already"):
        world.models.promote("candidate", "min", "")


def test_two_adapters_side_by_side(world):
    first = world.judged(1)
    second = world.judged(2, faults=3)
    rows = {row["what"]: (row["first"], row["second"]) for row in compare_models(world.models, "1", "2")}
    assert rows["name"] == (first.adapter.name, second.adapter.name)
    assert rows["verdict"] == ("PROMOTE", "REJECT")
    assert rows["gate faults"] == ("0 passed", "3 FAILED")
