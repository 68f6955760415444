"""A Milvus Lite of one test session: tests take their own collections in it, so the server starts once."""

import uuid
from collections.abc import Iterator

import pytest

from llmflow.adapters.milvus import MilvusConnection


@pytest.fixture(scope="session")
def milvus_lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusConnection]:
    connection = MilvusConnection(str(tmp_path_factory.mktemp("milvus") / "milvus"))
    yield connection
    connection.close()


@pytest.fixture
def collection() -> str:
    """A name that no other test uses, with letters and digits only."""
    return f"t{uuid.uuid4().hex[:12]}"
