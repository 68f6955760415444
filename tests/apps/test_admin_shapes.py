"""What the dashboard reads is what the API says that it answers: every shape against the models of /openapi.json."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter

from apps.admin import shapes
from apps.admin import shapes_running as running
from llmflow.serving.people.auth import Guard
from llmflow.serving.routers import admin, auth, documents, operations, people

ROUTES: list[tuple[str, str, Any]] = [
    ("get", "/api/auth/me", shapes.Me),
    ("get", "/api/users", shapes.Listed[shapes.Account]),
    ("post", "/api/users", shapes.NewAccount),
    ("patch", "/api/users/{user_id}", shapes.Account),
    ("delete", "/api/users/{user_id}", shapes.Removed),
    ("post", "/api/users/{user_id}/password-reset", shapes.NewPassword),
    ("get", "/api/groups", shapes.Listed[shapes.Group]),
    ("get", "/api/documents", shapes.Listed[shapes.Document]),
    ("post", "/api/documents", shapes.Accepted),
    ("post", "/api/documents/{document_id}/reindex", shapes.Accepted),
    ("delete", "/api/documents/{document_id}", shapes.Deleted),
    ("get", "/api/jobs", shapes.Listed[shapes.Job]),
    ("get", "/api/corpus", shapes.Corpus),
    ("get", "/api/health", running.Health),
    ("get", "/api/models", running.Models),
    ("post", "/api/models/promote", running.Changed),
    ("post", "/api/models/rollback", running.Changed),
    ("get", "/api/retrieval", running.Retrieval),
    ("post", "/api/retrieval/promote", running.Changed),
    ("post", "/api/retrieval/rollback", running.Changed),
    ("get", "/api/admin/usage", running.UsageReport),
    ("get", "/api/admin/quality", running.Quality),
    ("get", "/api/admin/conversations", shapes.Listed[shapes.Session]),
    ("get", "/api/admin/conversations/{session_id}", shapes.Listed[shapes.Message]),
    ("post", "/api/admin/conversations/export", shapes.Snapshot),
    ("get", "/api/admin/feedback", shapes.Listed[shapes.Feedback]),
    ("get", "/api/admin/audit", shapes.Listed[shapes.Entry]),
    ("get", "/api/admin/audit/verify", shapes.Verification),
    ("get", "/api/admin/pii", shapes.Listed[shapes.PiiCount]),
]


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    """The description of the real routers; nothing stands behind them, since none is asked."""
    nothing: Any = SimpleNamespace(settings=None)
    guard = Guard(nothing, "hanbit")
    access: Any = SimpleNamespace(settings=None, guard=guard)
    app = FastAPI()
    for router in (
        admin.make_router(nothing, guard),
        documents.make_router(nothing, guard),
        operations.make_router(nothing, nothing, guard),
        people.make_people_router(nothing, guard),
        auth.make_auth_router(access),
    ):
        app.include_router(router)
    return app.openapi()


@pytest.mark.parametrize(("method", "path", "shape"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
def test_every_field_that_the_dashboard_reads_is_answered_by_the_api(
    openapi: dict[str, Any], method: str, path: str, shape: type[BaseModel]
):
    responses = openapi["paths"][path][method]["responses"]
    said = next(
        responses[status]["content"]["application/json"]["schema"] for status in ("200", "201", "202") if status in responses
    )
    read = TypeAdapter(shape).json_schema()
    assert faults(read, read, said, openapi, shape.__name__) == []


def faults(read: Any, own: dict[str, Any], said: Any, openapi: dict[str, Any], where: str) -> list[str]:
    """Return where what is read is no part of what is said; an object or value that the API leaves open says everything."""
    read, said = resolved(read, own), resolved(said, openapi)
    if is_open(said) or is_open(read):
        return []
    if variants := said.get("anyOf"):
        nullable = any(option.get("type") == "null" for option in variants)
        if nullable and "anyOf" not in read and "default" not in read:
            return [f"{where}: may be null, but the dashboard does not expect it"]
        others = [option for option in variants if option.get("type") != "null"]
        own_others = [option for option in read.get("anyOf", [read]) if option.get("type") != "null"]
        return [] if len(others) != 1 else faults(own_others[0], own, others[0], openapi, where)
    if "anyOf" in read:
        return min((faults(option, own, said, openapi, where) for option in read["anyOf"]), key=len)
    if read.get("type") != said.get("type") and {read.get("type"), said.get("type")} != {"integer", "number"}:
        return [f"{where}: {said.get('type')} is answered, {read.get('type')} is read"]
    found: list[str] = []
    if "items" in read and "items" in said:
        found += faults(read["items"], own, said["items"], openapi, f"{where}[]")
    for name, field in read.get("properties", {}).items():
        if name in said.get("properties", {}):
            found += faults(field, own, said["properties"][name], openapi, f"{where}.{name}")
        elif said.get("additionalProperties") in (None, False):
            found.append(f"{where}.{name}: is read, but not answered")
    return found


def resolved(schema: Any, root: dict[str, Any]) -> Any:
    while "$ref" in schema:
        found = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def is_open(schema: Any) -> bool:
    """Return whether a schema says nothing of what is inside: `Any`, or an object of any fields."""
    return not {"type", "anyOf", "$ref"} & set(schema) or (schema.get("type") == "object" and "properties" not in schema)


def test_a_field_that_is_not_answered_and_a_value_of_another_kind_are_found(openapi: dict[str, Any]):
    class Group(shapes.Shape):
        name: int
        colour: str

    read = shapes.Listed[Group].model_json_schema()
    said = openapi["paths"]["/api/groups"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert faults(read, read, said, openapi, "groups") == [
        "groups.items[].name: string is answered, integer is read",
        "groups.items[].colour: is read, but not answered",
    ]
