"""An application with nothing but sign-in, people and the gate, over the real account store on SQLite and a clock of its own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from llmflow.accounts.settings import AuthSettings
from llmflow.datasets.application import ApplicationStateDataset
from llmflow.ports import ApplicationStores
from llmflow.serving.people.access import Access, build_access
from llmflow.serving.people.access_routes import access_routers
from llmflow.serving.people.gate import add_gate
from llmflow.serving.people.sign_in import SignIns
from llmflow.serving.web.http_errors import install_error_handlers

LEAST_HASHING: dict[str, Any] = {"memory_kib": 19456, "passes": 2, "lanes": 1}
"""The cheapest that the settings allow: tests hash often."""
PASSWORD = "four words nobody joins"
OWN = {"sec-fetch-site": "same-origin"}
"""What a browser says when its own page writes."""


@dataclass
class Clock:
    """Both clocks that sign-in reads, moved by hand."""

    moved: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def monotonic(self) -> float:
        return self.moved.total_seconds()

    def advance(self, **amount: float) -> None:
        self.moved += timedelta(**amount)


@dataclass
class AuthSite:
    access: Access
    stores: ApplicationStores
    clock: Clock
    app: FastAPI

    def client(self, base_url: str = "http://testserver") -> TestClient:
        """Return a browser of its own, with its own cookies; it does not follow redirects."""
        return TestClient(self.app, base_url=base_url, follow_redirects=False, raise_server_exceptions=False)

    def add(self, name: str, tenant: str = "home", password: str = PASSWORD, **account: Any) -> Any:
        """Create an account whose password is not for one time."""
        made, _ = self.access.people.create(tenant, "test", name, new_groups=True, **account)
        self.stores.accounts.set_password(made.id, self.access.sign_ins.passwords.hash(password), must_change=False)
        return self.stores.accounts.account(made.id)

    def signed_in(self, name: str, tenant: str = "home", password: str = PASSWORD) -> TestClient:
        client = self.client()
        answer = client.post("/api/auth/sign-in", json={"name": name, "password": password, "tenant": tenant}, headers=OWN)
        assert answer.status_code == 200, answer.text
        client.headers.update(OWN)
        return client

    def audited(self, tenant: str = "home", action: str = "") -> list[Any]:
        """Return audit entries, oldest first."""
        return list(reversed(self.stores.audit.entries(tenant, action)[0]))


def make_site(folder: Path, provider: Any = None, erase: Any = (), **settings: Any) -> AuthSite:
    """Return a site whose home tenant is `home`; keyword arguments are the keys of `auth`."""
    known = {"home_tenant": "home", "tenants": ("other",), "hashing": LEAST_HASHING, "first_accounts": [{"name": "first"}]}
    auth, clock = AuthSettings.model_validate(known | settings), Clock()
    stores = ApplicationStateDataset().open(f"sqlite:///{folder / 'state.db'}", str(folder / "audit.key"))
    sign_ins = SignIns(stores.accounts, stores.audit, auth, clock.now, clock.monotonic)
    access = build_access(stores.accounts, stores.audit, auth, provider, erase, sign_ins)
    app = FastAPI()
    install_error_handlers(app)
    for router in access_routers(access):
        app.include_router(router)

    @app.get("/page")
    def page() -> str:
        return "a page"

    add_gate(app, access.guard)
    return AuthSite(access, stores, clock, app)
