"""Every page of the dashboard, driven headless against an API over frozen values: figures, actions, permissions, failures."""

import sys
from collections.abc import Iterator

import pytest
from admin_api import KEY, PASSWORD, Told, served
from streamlit.testing.v1 import AppTest

from apps.admin import texts
from apps.admin.main import SCRIPT
from apps.admin.settings import AdminSettings
from llmflow.types import Role


@pytest.fixture(scope="module")
def api() -> Iterator[tuple[str, Told]]:
    told = Told()
    with served(told) as address:
        yield address, told


@pytest.fixture
def told(api: tuple[str, Told]) -> Told:
    told = api[1]
    told.__init__()
    return told


@pytest.fixture
def page(api: tuple[str, Told], told: Told, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    settings = AdminSettings(api=api[0], language="en")
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--settings", settings.model_dump_json()])
    return AppTest.from_file(str(SCRIPT), default_timeout=60)


def sign_in(page: AppTest) -> AppTest:
    page.run()
    page.text_input(key="sign name").set_value("admin")
    page.text_input(key="sign password").set_value(PASSWORD)
    page.button(key="sign in").click().run()
    assert not page.exception
    return page


def test_overview(page: AppTest, told: Told):
    sign_in(page)
    print(page)
    assert page.title[0].value == "Overview"
