"""One house a session, emptied after every module: opened over the real embedded stores, in a folder of its own."""

from collections.abc import Iterator

import pytest
from house import House, empty, open_house

from llmflow.serving.catalog import open_catalog


@pytest.fixture(scope="session")
def opened_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    home = str(tmp_path_factory.mktemp("house"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", home)
        patch.setenv("LLMFLOW_METRICS_TOKEN", "scrape-me")
        workspace = open_catalog("test")
        opened = open_house(workspace)
    yield opened, home
    opened.operating.stop()
    workspace.close()


@pytest.fixture(scope="module")
def house(opened_house: tuple[House, str]) -> Iterator[House]:
    opened, home = opened_house
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", home)
        yield opened
        empty(opened)
