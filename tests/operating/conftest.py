"""One house a module: opened over the real embedded stores, in a folder of its own."""

from collections.abc import Iterator

import pytest
from house import House, open_house

from llmflow.serving.catalog import open_catalog


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(tmp_path_factory.mktemp("house")))
        patch.setenv("LLMFLOW_METRICS_TOKEN", "scrape-me")
        workspace = open_catalog("test")
        opened = open_house(workspace)
        yield opened
        opened.operating.stop()
        workspace.close()
