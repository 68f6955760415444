"""One behaviour of every model registry: names are never used twice, aliases are the record, history is only added to."""

from pathlib import Path

import pytest
from adapters_on_disk import write_adapter

from llmflow.errors import NotFound, SettingsError
from llmflow.finetuning.adapter_files import adapter_digest
from llmflow.ports import ModelRegistry, PromotionEvent

FACTS = {"base_model": "/models/base", "base_fingerprint": "abc", "rank": "8", "smoke": "true", "snapshot": "f00"}


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    """MLflow needs seconds to make its tables, so they are made once; every test has a registered model of its own."""
    return tmp_path_factory.mktemp("mlflow")


class ModelRegistryContract:
    def register(self, registry: ModelRegistry, folder: Path, seed: int):
        source = folder / f"source{seed}"
        if not source.exists():
            write_adapter(source, seed=seed)
        return registry.register(str(source), adapter_digest(source), lambda name: str(folder / name), FACTS, {"eval_loss": 0.5})

    def test_a_version_keeps_what_is_known_of_it(self, registry, tmp_path):
        version = self.register(registry, tmp_path, 1)
        assert version.adapter.name == f"{registry.model}-v{version.number}-{version.adapter.digest[:8]}"
        assert version.adapter.path == str(tmp_path / version.adapter.name)
        assert (version.base_model, version.rank, version.smoke, version.snapshot) == ("/models/base", 8, True, "f00")
        assert version.metrics == {"eval_loss": 0.5} and version.aliases == ("candidate",) and version.verdict == ""

    def test_the_same_weights_are_entered_once(self, registry, tmp_path):
        first, second = self.register(registry, tmp_path, 1), self.register(registry, tmp_path, 2)
        assert second.number == first.number + 1
        again = self.register(registry, tmp_path, 1)
        assert again.adapter == first.adapter and again.aliases == ("candidate",)
        assert [version.number for version in registry.versions()] == [second.number, first.number]
        assert registry.versions()[0].aliases == ()

    def test_an_adapter_that_cannot_be_placed_is_no_version(self, registry, tmp_path):
        source = write_adapter(tmp_path / "source1", seed=1)

        def fail(name):
            raise SettingsError("the disk is full")

        with pytest.raises(SettingsError, match="disk is full"):
            registry.register(str(source), adapter_digest(source), fail, FACTS, {})
        assert registry.versions() == [] and registry.aliased("candidate") is None
        assert self.register(registry, tmp_path, 1).number > 1  # the name of the failed one is never used again

    def test_versions_are_found_by_name_number_and_alias(self, registry, tmp_path):
        version = self.register(registry, tmp_path, 1)
        for name in (version.adapter.name, str(version.number), "candidate"):
            assert registry.version(name).adapter == version.adapter
        with pytest.raises(NotFound, match=version.adapter.name):
            registry.version("champion")

    def test_aliases_move_and_go(self, registry, tmp_path):
        first, second = self.register(registry, tmp_path, 1), self.register(registry, tmp_path, 2)
        registry.set_aliases({"champion": first, "previous": None})
        registry.set_aliases({"champion": second, "previous": first})
        assert registry.aliased("champion").number == second.number and registry.aliased("previous").number == first.number
        registry.set_aliases({"champion": None, "previous": None})
        assert registry.aliased("champion") is None
        with pytest.raises(SettingsError, match="candidate, champion, previous"):
            registry.set_aliases({"best": first})

    def test_the_newest_verdict_counts(self, registry, tmp_path):
        version = self.register(registry, tmp_path, 1)
        assert registry.verdict(version) == ""
        registry.keep_verdict(version, '{"a": "가"}', "REJECT")
        registry.keep_verdict(version, '{"a": "나"}' + " " * 20_000, "PROMOTE")
        assert registry.verdict(version).startswith('{"a": "나"}') and registry.version("candidate").verdict == "PROMOTE"

    def test_history_is_newest_first(self, registry):
        events = [PromotionEvent("promote", f"chat-v{n}", "chat", "민수", "더 낫다", f"2026-01-0{n}", "d") for n in (1, 2, 3)]
        for event in events:
            registry.record(event)
        assert list(registry.history(2)) == [events[2], events[1]]


class TestMlflowRegistry(ModelRegistryContract):
    @pytest.fixture
    def registry(self, database, request):
        from llmflow.adapters.mlflow_registry import MlflowRegistry

        model = "m" + str(abs(hash(request.node.name)) % 10**9)
        return MlflowRegistry(f"sqlite:///{database}/mlflow.db", model, str(database / "artifacts"))

    def test_files_lie_with_the_registry(self, registry, database, tmp_path):
        version = self.register(registry, tmp_path, 1)
        kept = list((database / "artifacts").glob(f"models/{version.run_id}/artifacts/adapter/adapter_model.safetensors"))
        assert len(kept) == 1

    def test_two_processes_see_the_same(self, registry, database, tmp_path):
        from llmflow.adapters.mlflow_registry import MlflowRegistry

        version = self.register(registry, tmp_path, 1)
        other = MlflowRegistry(f"sqlite:///{database}/mlflow.db", registry.model, str(database / "artifacts"))
        assert other.version("candidate") == version
