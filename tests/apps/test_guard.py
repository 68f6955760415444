"""The guard that every route stands behind: who passes, who does not, and what they are told."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from llmflow.accounts.permissions import Permission
from llmflow.errors import SignInRequired
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.http_errors import install_error_handlers
from llmflow.types import Account, Role

PEOPLE = {
    "user": Account("1", "home", "user", "User"),
    "engineer": Account("2", "home", "engineer", "Engineer", Role.ENGINEER),
    "administrator": Account("3", "home", "administrator", "Administrator", Role.ADMINISTRATOR),
    "elsewhere": Account("4", "other", "elsewhere", "Elsewhere", Role.ADMINISTRATOR),
    "fresh": Account("5", "home", "fresh", "Fresh", Role.ADMINISTRATOR, must_change_password=True),
    "disabled": Account("6", "home", "disabled", "Disabled", Role.ADMINISTRATOR, disabled=True),
}


@pytest.fixture(scope="module")
def client():
    def identify(connection):
        if connection.headers.get("who") not in PEOPLE:
            raise SignInRequired("Nobody is signed in.")
        return PEOPLE[connection.headers["who"]]

    guard, app = Guard(identify, "home"), FastAPI()
    install_error_handlers(app)

    for permission in Permission:

        @app.get(f"/{permission}")
        def route(account: Annotated[Account, Depends(guard.require(permission))]) -> str:
            return account.id

    @app.get("/own")
    def own(account: Annotated[Account, Depends(guard.signed_in)]) -> str:
        return account.id

    return TestClient(app)


@pytest.mark.parametrize(
    ("who", "permission", "status"),
    [
        ("user", "chat", 200),
        ("user", "people.manage", 403),
        ("user", "usage.read", 403),
        ("engineer", "usage.read", 200),
        ("engineer", "corpus.manage", 403),
        ("engineer", "models.promote", 403),
        ("administrator", "models.promote", 200),
        ("elsewhere", "people.manage", 200),
        ("elsewhere", "models.promote", 403),
        ("fresh", "chat", 403),
        ("disabled", "chat", 403),
        ("nobody", "chat", 401),
        ("", "chat", 401),
    ],
)
def test_a_route_answers_whom_its_permission_is_granted(client, who, permission, status):
    response = client.get(f"/{permission}", headers={"who": who})
    assert response.status_code == status
    if status != 200:
        assert set(response.json()) == {"error", "allowed", "next"}


def test_who_must_replace_a_password_is_told_so_and_still_known(client):
    assert "/sign-in" in client.get("/chat", headers={"who": "fresh"}).json()["error"]
    assert client.get("/own", headers={"who": "fresh"}).json() == "5"


def test_every_route_says_in_its_description_how_to_sign_in(client):
    schema = client.get("/openapi.json").json()
    assert all(path["get"]["security"] == [{"session": []}, {"key": []}] for path in schema["paths"].values())
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
