"""A small real house for tests of operating it: the stores of conf/test, real accounts' rights, every ops route in one app."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from llmflow.errors import SignInRequired
from llmflow.ingestion.indexing import carry_out_removals
from llmflow.serving.catalog import Workspace
from llmflow.serving.operating.assembly import Operating, build_operating
from llmflow.serving.operating.metrics import MetricsMiddleware
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.http_errors import install_error_handlers
from llmflow.types import Account, Role

HOME = "hanbit"
WHO = "X-Who"
ADMIN, ENGINEER, HR, IT, NURI = "admin", "engineer", "hr", "it", "nuri-admin"


@dataclass
class House:
    """`as_(name)` is a client that is signed in as that account."""

    workspace: Workspace
    operating: Operating
    app: FastAPI
    accounts: dict[str, Account]

    def as_(self, name: str) -> TestClient:
        return TestClient(self.app, headers={WHO: name}, raise_server_exceptions=False)

    @property
    def nobody(self) -> TestClient:
        return TestClient(self.app, raise_server_exceptions=False)


def open_house(workspace: Workspace) -> House:
    store = workspace.application.accounts
    accounts: dict[str, Account] = {}
    for name, tenant, role, groups in (
        (ADMIN, HOME, Role.ADMINISTRATOR, ()),
        (ENGINEER, HOME, Role.ENGINEER, ()),
        (HR, HOME, Role.USER, ("hr",)),
        (IT, HOME, Role.USER, ("it",)),
        (NURI, "nuri", Role.ADMINISTRATOR, ()),
    ):
        for group in groups:
            store.add_group(tenant, group)
        accounts[name] = Account(f"a-{name}", tenant, name, name, role, groups)
        store.create(accounts[name])

    def identify(connection: HTTPConnection) -> Account:
        account = accounts.get(connection.headers.get(WHO, ""))
        if account is None:
            raise SignInRequired("Nobody is signed in.")
        return account

    operating = build_operating(workspace)
    app = FastAPI()
    install_error_handlers(app)
    guard = Guard(identify, HOME)
    for router in operating.routers(guard):
        app.include_router(router)
    app.add_middleware(MetricsMiddleware, metrics=operating.metrics)
    return House(workspace, operating, app, accounts)


def upload(client: TestClient, name: str, content: bytes | Path, **data):
    """Send a file as a browser does."""
    body = content.read_bytes() if isinstance(content, Path) else content
    return client.post("/api/documents", files={"file": (name, body)}, data=data)


def empty(house: House) -> None:
    """Delete every document and do what is due."""
    state = house.workspace.stores.state
    state.delete([document.id for document in state.documents()])
    house.operating.work.do_due()
    carry_out_removals(house.workspace.stores)
