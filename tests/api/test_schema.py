"""The whole description of the API, tried by schemathesis: what it promises is what comes, and nothing breaks the server."""

import traceback

import pytest
import schemathesis
from fastapi.testclient import TestClient
from full_site import make_full_site
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 8
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(folder / "home"))
        found = make_full_site(folder)
        yield found
        found.close()


@pytest.fixture(scope="module")
def described(site):
    return schemathesis.openapi.from_asgi("/openapi.json", site.app)


@pytest.fixture(scope="module")
def headers(site):
    found = dict(site.headers("administrator"))
    assert TestClient(site.app).get("/api/models", headers=found).status_code == 200  # loads MLflow and makes its tables
    return found


def test_every_operation_answers_as_it_is_described(described, headers):
    tried, failures = 0, []
    for result in described.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answers_as_described(case):
            response = case.call(headers=headers)
            case.validate_response(response, checks=CHECKS)

        try:
            answers_as_described()
        except (Exception, BaseExceptionGroup) as exc:
            failures.append(f"{operation.label}: {''.join(traceback.format_exception(exc))[-3000:]}")
        tried += 1
    assert not failures, "\n\n".join(failures)
    assert tried > 60


def test_the_description_says_how_to_sign_in_and_what_can_fail(described):
    paths = described.raw_schema["paths"]
    assert len(paths) > 50
    schemes = described.raw_schema["components"]["securitySchemes"]
    assert schemes["key"]["scheme"] == "bearer" and schemes["session"]["in"] == "cookie"
    for path, operations in paths.items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation.get("summary") and operation.get("tags"), where
            if path not in ("/healthz", "/metrics") and not path.startswith("/api/auth/"):
                assert operation.get("security"), where
                assert "401" in operation["responses"], where
