"""The deployment's configuration: it parses, its references resolve, and the application gets what production asks for."""

import re
from pathlib import Path

import pytest
import yaml

from llmflow.serving.people.auth import Guard
from llmflow.serving.routers import operations

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
CREDENTIALS = (ROOT / "conf" / "production" / "credentials.yml").read_text(encoding="utf-8")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY$|AUTH")


def test_the_application_gets_every_variable_of_production():
    asked = set(re.findall(r"oc\.env:(\w+)", CREDENTIALS))
    assert len(asked) >= 8
    assert asked - set(SERVICES["llmflow"]["environment"]) == set()


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_the_environment(name):
    for key, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(key):
            assert re.search(r"\$\{\w+:[?-]", value), f"{name}.{key} is written down"


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "image" in service])
def test_images_are_named_by_tag(name):
    tag = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", SERVICES[name]["image"]).rpartition(":")[2]
    assert re.search(r"\d", tag) and tag != "latest"


@pytest.mark.parametrize("name", SERVICES)
def test_references_resolve(name):
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    for needed, how in service.get("depends_on", {}).items():
        assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[needed]
    for volume in service.get("volumes", []):
        source = re.sub(r"\$\{[^}]*\}", "/path", volume).split(":")[0]
        assert source.startswith(("/", ".")) or source in COMPOSE["volumes"], volume


def test_addresses_name_services():
    resolved = {
        key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        for key, value in SERVICES["llmflow"]["environment"].items()
        if key.endswith(("_URL", "_URI"))
    }
    # empty: a file in the workspace, models in this process
    empty = {"LLMFLOW_MLFLOW_URI", "LLMFLOW_TRACES_URI", "LLMFLOW_EMBEDDER_URL", "LLMFLOW_RERANKER_URL"}
    assert {key for key, value in resolved.items() if not value} == empty
    hosts = {re.search(r"(?:@|//)([a-z][\w-]*):\d+", value).group(1) for value in resolved.values() if value}  # type: ignore[union-attr]
    assert hosts == {"postgres", "milvus", "neo4j", "vllm", "redis"}


def test_the_model_server_takes_adapters_that_the_application_registers_and_asks_for_its_key():
    vllm = SERVICES["vllm"]
    assert {"--enable-lora", "--middleware=llmflow_guard.KeyGuard"} <= set(vllm["command"])
    assert "VLLM_API_KEY" in vllm["environment"] and vllm["environment"]["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"
    own = {volume.split(":")[0]: volume.split(":")[1] for volume in SERVICES["llmflow"]["volumes"]}
    assert own["home"] == SERVICES["llmflow"]["environment"]["LLMFLOW_HOME"]
    assert f"home:{own['home']}:ro" in vllm["volumes"]
    guard = next(volume.split(":")[0] for volume in vllm["volumes"] if volume.endswith("/guard:ro"))
    assert (ROOT / "deploy" / guard / "llmflow_guard.py").is_file()


def test_the_health_check_asks_a_route_that_exists():
    paths = {
        getattr(route, "path", "") for route in operations.make_router(_Nothing(), _Nothing(), Guard(_Nothing(), "home")).routes
    }  # type: ignore[arg-type]
    asked = re.search(r"127\.0\.0\.1:7860(/[\w/]+)", " ".join(SERVICES["llmflow"]["healthcheck"]["test"]))
    assert asked and asked.group(1) in paths


class _Nothing:
    """A service that is never asked."""


def test_only_the_pages_are_published_and_only_on_the_loopback():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(ports) == ["llmflow", "admin"]
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def test_the_worker_has_what_the_chat_has_and_the_dashboard_no_secret():
    assert SERVICES["worker"]["environment"] == SERVICES["llmflow"]["environment"]
    assert SERVICES["worker"]["volumes"] == SERVICES["llmflow"]["volumes"]
    assert not [key for key in SERVICES["admin"]["environment"] if SECRET.search(key)]
    published = SERVICES["admin"]["ports"][0].rpartition(":")[2]
    assert published in SERVICES["admin"]["command"] and published in " ".join(SERVICES["admin"]["healthcheck"]["test"])


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if service.get("command", [""])[0] == "llmflow"])
def test_commands_of_services_exist(name):
    from typer.main import get_command

    from llmflow.cli import app

    known = get_command(app).commands  # type: ignore[attr-defined]
    command = SERVICES[name]["command"][1]
    if command == "admin" and command not in known:
        pytest.skip("the dashboard's command is not there yet")
    options = {option for parameter in known[command].params for option in parameter.opts}
    assert {word for word in SERVICES[name]["command"][2:] if word.startswith("--")} <= options


def test_the_image_copies_what_exists_runs_without_root_and_ignores_the_rest():
    lines = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    seen = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied
    for name in copied:
        assert (ROOT / name).exists() and f"!{name}" in seen
    users = [number for number, line in enumerate(lines) if line.startswith("USER ")]
    assert users and lines[users[-1]] != "USER root"
    assert not any(line.startswith("RUN ") for line in lines[users[-1] :])
