"""Every environment of conf/ as the product opens it: all catalog entries, all parameters, and what is refused."""

import copy
import warnings
from pathlib import Path

import pytest
from running import PRODUCTION_VARIABLES, ROOT, copy_project, run_kedro

from llmflow.errors import SettingsError
from llmflow.pipeline_registry import register_pipelines
from llmflow.serving.catalog import STORE_ENTRIES, Workspace, open_catalog

ENVIRONMENTS = sorted(path.name for path in (ROOT / "conf").iterdir() if path.is_dir() and path.name != "local")
KEYS = ("ingestion", "retrieval", "answering", "evaluation", "experiments", "serving", "finetuning", "promotion")
SERVED_KEYS = ("uploads", "jobs", "operations", "logs")
"""Parameters that no pipeline takes: what the chat and its workers do."""


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLMFLOW_PROJECT", str(ROOT))
    for key, value in PRODUCTION_VARIABLES.items():
        monkeypatch.setenv(key, value)
    return tmp_path / "home"


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_entry_resolves_without_connecting(env, home):
    catalog = open_catalog(env).catalog
    entries = {name: catalog.get(name) for name in list(catalog)}
    assert {*STORE_ENTRIES.values(), "chat_model", "notifier", "prompt_ko", "prompt_en"} <= set(entries)
    assert all(entry is not None for entry in entries.values())
    assert not home.exists()


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_free_input_of_a_pipeline_is_configured(env, home):
    workspace = open_catalog(env)
    free = {name for pipeline in register_pipelines().values() for name in pipeline.inputs()} - {"parameters"}
    parameters = {name.removeprefix("params:") for name in free if name.startswith("params:")}
    outputs = {name for pipeline in register_pipelines().values() for name in pipeline.outputs()}
    assert parameters == set(KEYS)
    assert {name for name in free if not name.startswith("params:")} | outputs <= set(workspace.catalog)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_parameter_has_a_model_that_accepts_it(env, home):
    workspace = open_catalog(env)
    assert set(workspace.parameters) == {*KEYS, *SERVED_KEYS}
    for key in (*KEYS, *SERVED_KEYS):
        given = workspace.parameters[key]
        kept = type(getattr(workspace, key)).model_validate(given).model_dump(mode="json")
        assert all(_holds(kept[name], value) for name, value in given.items())


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_environments_change_parameters_key_by_key(env, home):
    assert open_catalog(env).evaluation.questions == open_catalog("base").evaluation.questions


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_sources_are_found_from_any_folder(env, home, monkeypatch):
    monkeypatch.delenv("LLMFLOW_PROJECT")
    monkeypatch.chdir(ROOT / "notebooks")
    assert [Path(path) for path in open_catalog(env).ingestion.sources.paths] == [ROOT / "data" / "sample" / "corpus"]


def _holds(kept, given) -> bool:
    if isinstance(given, dict):
        return all(_holds(kept[key], value) for key, value in given.items())
    return list(kept) == list(given) if isinstance(given, list) else kept == given


def _levels(parameters: dict, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the path of every mapping in the parameters, outermost first."""
    found = [above] if above else []
    for key, value in parameters.items():
        if isinstance(value, dict):
            found += _levels(value, (*above, key))
    return found


def test_a_typing_error_is_refused_at_every_level(home):
    parameters = open_catalog("base").parameters
    levels = _levels(parameters)
    assert len(levels) > 8
    for path in levels:
        wrong = copy.deepcopy(parameters)
        inner = wrong
        for key in path:
            inner = inner[key]
        inner["chunkr"] = 1
        with pytest.raises(SettingsError, match=rf"{'[.]'.join(path)}[.].*chunkr"):
            getattr(Workspace("base", None, wrong), path[0])


def test_an_unknown_environment_names_the_known_ones(home):
    with pytest.raises(SettingsError, match="base, production, test"):
        open_catalog("staging")


@pytest.mark.parametrize("variable", ["LLMFLOW_STATE_URL", "LLMFLOW_NEO4J_PASSWORD"])
def test_production_names_the_missing_variable(variable, home, monkeypatch):
    monkeypatch.delenv(variable)
    with pytest.raises(SettingsError, match=variable):
        open_catalog("production")


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("text_index", "backend: lucene"),
        ("graph_store", "backend: networkx"),
        ("embedder", "backend: word2vec"),
        ("reranker", "backend: cohere"),
        ("extractor", "backend: spacy"),
        ("chat_model", "backend: gpt"),
        ("job_queue", "backend: celery"),
    ],
)
def test_an_unknown_backend_names_the_known_ones(entry, line, home, tmp_path, monkeypatch):
    project = copy_project(tmp_path / "project")
    kind = open_catalog("base").catalog.get(entry).__class__
    (project / "conf" / "odd").mkdir()
    (project / "conf" / "odd" / "catalog.yml").write_text(f"{entry}:\n  type: {kind.__module__}.{kind.__name__}\n  {line}\n")
    monkeypatch.setenv("LLMFLOW_PROJECT", str(project))
    with pytest.raises(SettingsError, match=f"'{line.split()[1]}'.*Choose one of"):
        open_catalog("odd").load(entry)


@pytest.mark.parametrize("line", ["backend: sentence\n  threadz: 1", "backend: sentence\n  threads: many"])
def test_a_wrong_key_of_an_entry_is_named(line, home, tmp_path, monkeypatch):
    project = copy_project(tmp_path / "project")
    (project / "conf" / "odd").mkdir()
    entry = f"embedder:\n  type: llmflow.datasets.models.EmbedderDataset\n  {line}\n"
    (project / "conf" / "odd" / "catalog.yml").write_text(entry)
    monkeypatch.setenv("LLMFLOW_PROJECT", str(project))
    with pytest.raises(SettingsError, match=r"(?s)embedder.*thread"):
        open_catalog("odd").load("embedder")


def test_opening_warns_of_nothing(home):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_catalog("base")


@pytest.mark.slow
def test_kedro_refuses_an_unknown_key_before_the_run(tmp_path):
    home = tmp_path / "home"
    done = run_kedro(home, "--env", "test", "--params", "retrieval.candidatez=5")
    assert done.returncode != 0
    assert "candidatez" in done.stderr
    assert not (home / "state.db").exists()
