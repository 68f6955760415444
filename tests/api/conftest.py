"""One application for the tests of its routes."""

import pytest
from api_parts import make_site
from fastapi.testclient import TestClient


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    found = make_site(tmp_path_factory.mktemp("api"))
    yield found
    found.stores.close()


@pytest.fixture(scope="module")
def running(site):
    with TestClient(site.app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(site, running):
    site.answering.asked.clear()
    site.answering.error = None
    site.answering.gate.set()
    site.answering.waiting.clear()
    return running
