"""Prometheus, Grafana, Fluent Bit and Kubernetes: they parse, name what exists, and keep secrets and root out."""

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from llmflow.cli import app
from llmflow.ports import AnswerEvent
from llmflow.serving.operating.metrics import Metrics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
CREDENTIALS = (DEPLOY.parent / "conf" / "production" / "credentials.yml").read_text(encoding="utf-8")
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((DEPLOY / "grafana" / "llmflow.json").read_text(encoding="utf-8"))
OBJECTS = [
    thing
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for thing in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
DEPLOYMENTS = {thing["metadata"]["name"]: thing for thing in OBJECTS if thing["kind"] == "Deployment"}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY$|STATE_URL|REDIS_URL")
EXPRESSIONS = [rule["expr"] for rule in RULES] + [t["expr"] for panel in DASHBOARD["panels"] for t in panel["targets"]]


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Return every sample that the application can give, with its labels."""
    from prometheus_client.parser import text_string_to_metric_families

    metrics = Metrics()
    event = AnswerEvent("2026-11-25T00:00:00+00:00", "t", "a", (), "s", "m", "x", "s1", "ko", "done", True, False, 1, 2,
                        pii={"phone": 1})  # fmt: skip
    metrics.observe(event)
    metrics.failed("x")
    metrics.answered("/x", "GET", 200, 0.1)
    source = (DEPLOY.parent / "src" / "llmflow" / "serving" / "operating" / "operations.py").read_text(encoding="utf-8")
    for name, labels in re.findall(r'metrics\.watch\("(\w+)", "[^"]+", \(([^)]*)\)', source):
        keys = tuple(re.findall(r'"(\w+)"', labels))
        metrics.watch(name, "A gauge.", keys, lambda keys=keys: {tuple("v" for _ in keys): 1.0})
    families = text_string_to_metric_families(metrics.text().decode())
    found: dict[str, set[str]] = {"up": {"job", "instance"}}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_alerts_and_panels_ask_for_what_is_exported(expression, exported):
    asked = re.findall(r"\b(up|llmflow_\w+)(?:\{([^}]*)\})?", expression)
    assert asked
    for name, chosen in asked:
        assert name in exported, name
        assert set(re.findall(r"(\w+)\s*[=!]", chosen)) <= exported[name]
    for labels in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in labels.split(",")} <= set().union(*(exported[name] for name, _ in asked))
    assert expression.count("(") == expression.count(")")


def test_counters_are_asked_for_rates_and_gauges_for_values():
    for expression in EXPRESSIONS:
        for name in re.findall(r"\b(llmflow_\w+(?:_total|_bucket))\b", expression):
            assert re.search(rf"(rate|increase)\({name}", expression), expression


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule):
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert all(rule["annotations"][key].endswith(".") for key in ("summary", "action"))
    for command in re.findall(r"llmflow (doctor|worker|chat)", rule["annotations"]["action"]):
        assert command in get_command(app).commands  # type: ignore[attr-defined]


def test_prometheus_scrapes_the_route_with_a_token_from_a_file():
    settings = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = settings["scrape_configs"]
    assert job["metrics_path"] == "/metrics" and job["static_configs"][0]["targets"] == ["llmflow:7860"]
    assert set(job["authorization"]) == {"type", "credentials_file"}
    assert all((DEPLOY / "prometheus" / name).is_file() for name in settings["rule_files"])


def test_the_dashboard_is_one_that_grafana_loads():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids) and DASHBOARD["schemaVersion"] >= 36 and DASHBOARD["uid"] == "llmflow"
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken and panel["title"]
        taken |= cells


def test_logs_are_parsed_by_the_keys_that_they_have(capsys):
    import logging

    from llmflow.serving.operating.logs import make_formatter

    record = logging.LogRecord("llmflow.x", logging.WARNING, "f", 1, "It happened.", (), None)
    line = json.loads(make_formatter("json", lambda text: text).format(record))
    (parser,) = yaml.safe_load((DEPLOY / "fluent-bit" / "parsers.yaml").read_text(encoding="utf-8"))["parsers"]
    assert parser["format"] == "json" and line[parser["time_key"]].endswith("Z") and line["event"] == "It happened."
    pipeline = yaml.safe_load((DEPLOY / "fluent-bit" / "fluent-bit.yaml").read_text(encoding="utf-8"))
    assert pipeline["service"]["parsers_file"] == "parsers.yaml"
    used = [part["parser"] for part in pipeline["pipeline"]["filters"] if part["name"] == "parser"]
    assert used == [parser["name"]]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_run_without_root_and_write_only_where_they_must(name):
    pod = DEPLOYMENTS[name]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 10001
    assert "--uid 10001" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    secured = container["securityContext"]
    assert secured == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["resources"]["limits"]["memory"] and not pod["automountServiceAccountToken"]
    tag = container["image"].rpartition(":")[2]
    assert re.search(r"\d", tag) and tag != "latest"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_commands_selectors_ports_volumes_and_probes_fit_together(name):
    deployment = DEPLOYMENTS[name]
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    command = get_command(app).commands[container["command"][1]]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in container["command"][2:] if word.startswith("--")} <= options
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    claims = {thing["metadata"]["name"] for thing in OBJECTS if thing["kind"] == "PersistentVolumeClaim"}
    wanted = {v["persistentVolumeClaim"]["claimName"] for v in volumes.values() if "persistentVolumeClaim" in v}
    assert wanted <= claims and "livenessProbe" in container
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    for service in OBJECTS:
        if service["kind"] == "Service" and service["spec"]["selector"] == pod["metadata"]["labels"]:
            assert service["spec"]["ports"][0]["targetPort"] in ports and "readinessProbe" in container
    if "--alive-file" in container["command"]:
        watched = container["command"][container["command"].index("--alive-file") + 1]
        assert f"'{watched}'" in container["livenessProbe"]["exec"]["command"][2]


def test_every_variable_of_production_is_given_and_secrets_only_by_reference():
    by_name = {(thing["kind"], thing["metadata"]["name"]): thing for thing in OBJECTS}
    config, secret = by_name["ConfigMap", "llmflow"]["data"], by_name["Secret", "llmflow"]["stringData"]
    asked = set(re.findall(r"oc\.env:(\w+)", CREDENTIALS))
    assert asked <= set(config) | set(secret) and not set(config) & set(secret)
    assert not [key for key in config if SECRET.search(key)] and not any(secret.values())
    for name in ("llmflow-chat", "llmflow-worker"):
        (container,) = DEPLOYMENTS[name]["spec"]["template"]["spec"]["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": "llmflow"}}, {"secretRef": {"name": "llmflow"}}]
    (admin,) = DEPLOYMENTS["llmflow-admin"]["spec"]["template"]["spec"]["containers"]
    assert "envFrom" not in admin and not [entry for entry in admin["env"] if SECRET.search(entry["name"])]
