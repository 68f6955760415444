"""The whole application as `llmflow chat` serves it, without its page: a real workspace, two documents, people of every kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from auth_site import LEAST_HASHING
from fastapi import FastAPI

from llmflow.accounts.settings import AuthSettings
from llmflow.accounts.tokens import new_id, new_token, token_hash
from llmflow.ingestion.access import Grant
from llmflow.ingestion.run import run_ingestion
from llmflow.ingestion.sources import SourceSettings
from llmflow.ports.accounts import SignIn
from llmflow.serving.application import Services, make_application, open_services
from llmflow.serving.catalog import Workspace, open_catalog
from llmflow.serving.conversations.conversing import ConversingSettings
from llmflow.serving.people.access import Access, build_access
from llmflow.serving.people.access_routes import access_routers
from llmflow.serving.people.auth import KEY_PREFIX, SESSION_COOKIE
from llmflow.types import Account, Role

FILES = {
    "hr/leave.md": "# Leave\n\n## Days\n\nEveryone has fifteen days of leave a year. Unused leave is paid out in March.\n",
    "shared/vpn.md": "# VPN guide\n\n## Sessions\n\nA SafeGate session ends after twelve hours.\n",
}
RULES = """default: {tenant: home, groups: ["*"]}
rules:
  - {path: "hr/**", tenant: home, groups: [hr]}
"""
HOME, OTHER = "home", "other"
ADMINISTRATOR = {"role": Role.ADMINISTRATOR}
PEOPLE: dict[str, dict[str, Any]] = {
    "user": {"groups": ("hr",)},
    "colleague": {"groups": ("hr",)},
    "engineer": {"role": Role.ENGINEER},
    "administrator": ADMINISTRATOR,
    "administrator elsewhere": ADMINISTRATOR | {"tenant": OTHER},
    "user elsewhere": {"tenant": OTHER, "groups": ("hr",)},
    "disabled": ADMINISTRATOR | {"disabled": True},
    "must change password": ADMINISTRATOR | {"must_change_password": True},
}


@dataclass
class FullSite:
    app: FastAPI
    workspace: Workspace
    access: Access
    services: Services
    people: dict[str, Account] = field(default_factory=dict)

    def headers(self, kind: str) -> Mapping[str, str]:
        """Return what a person of this kind sends, with a session or key of its own: `key` is the user's, `expired` ran out."""
        if kind == "nobody":
            return {}
        key = kind in ("key", "expired key")
        account = self.people["user" if kind in ("key", "expired", "expired key") else kind]
        now = datetime.now(UTC)
        until = now + timedelta(hours=-1 if kind.startswith("expired") else 1)
        token = new_token(KEY_PREFIX if key else "")
        made = SignIn(new_id(), account.id, "key" if key else "browser", "test", _iso(now), _iso(until))
        self.workspace.application.accounts.add_sign_in(made, token_hash(token))
        if key:
            return {"Authorization": f"Bearer {token}"}
        return {"Cookie": f"{SESSION_COOKIE}={token}", "Sec-Fetch-Site": "same-origin"}

    def close(self) -> None:
        self.services.close()
        self.workspace.close()


def make_full_site(folder: Path) -> FullSite:
    """Return the site; LLMFLOW_HOME must name a folder of the test's own."""
    for name, text in FILES.items():
        (folder / "corpus" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "corpus" / name).write_text(text, encoding="utf-8")
    (folder / "corpus" / "access.yml").write_text(RULES)
    workspace = open_catalog("test")
    sources = SourceSettings(paths=(str(folder / "corpus"),), access=Grant(tenant=HOME))
    settings = workspace.ingestion.model_copy(update={"sources": sources})
    report = run_ingestion(settings, workspace.stores, workspace.notifier, lambda *_: None)
    assert report.failed == 0 and report.indexed == len(FILES)
    first = [{"name": "first"}]
    auth = AuthSettings.model_validate(
        {"home_tenant": HOME, "tenants": (OTHER,), "hashing": LEAST_HASHING, "first_accounts": first}
    )
    stores = workspace.application
    access = build_access(stores.accounts, stores.audit, auth)
    services = open_services(workspace, access.guard, ConversingSettings(at_once=4))
    app = make_application(services, routers=access_routers(access))
    site = FullSite(app, workspace, access, services)
    for kind, values in PEOPLE.items():
        name = kind.replace(" ", "-")
        known = {"tenant": HOME} | values
        fresh = known.pop("must_change_password", False)
        account = Account(new_id(), known.pop("tenant"), name, kind.title(), **known)
        stores.accounts.create(account, must_change=fresh)
        found = stores.accounts.account(account.id)
        assert found is not None and found.must_change_password == fresh
        site.people[kind] = found
    return site


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
