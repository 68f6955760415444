"""Servers that tests share. A test that needs one is marked `services` and skips, with the reason, where it cannot be had."""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from server_processes import postgresql_programs, run_postgresql, run_redis, unavailable

if TYPE_CHECKING:
    from model_servers import ModelServerAddress

# How long one example takes says nothing on a machine that does other work beside it.
hypothesis.settings.register_profile(
    "unhurried", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parents[1]
NEO4J_RUN = ROOT.parent / "shared" / "servers" / "neo4j" / "run"
NEO4J_START_SECONDS = 120


@dataclass(frozen=True)
class Neo4jServer:
    uri: str
    user: str = "neo4j"
    password: str = "testpassword"


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A real Neo4j that tests may empty: NEO4J_TEST_URI (with NEO4J_TEST_USER, NEO4J_TEST_PASSWORD), or one started here."""
    if uri := os.environ.get("NEO4J_TEST_URI"):
        user, password = os.environ.get("NEO4J_TEST_USER", "neo4j"), os.environ.get("NEO4J_TEST_PASSWORD", "testpassword")
        yield Neo4jServer(uri, user, password)
        return
    if not NEO4J_RUN.exists():
        pytest.skip("no Neo4j: set NEO4J_TEST_URI to a server that tests may empty")
    if shutil.which("java") is None:
        pytest.skip("no Java 17 to start Neo4j with: install openjdk-17-jre-headless, or set NEO4J_TEST_URI")
    server = Neo4jServer(f"bolt://127.0.0.1:{(port := free_port())}")
    process = subprocess.Popen(
        [str(NEO4J_RUN), str(tmp_path_factory.mktemp("neo4j")), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"NEO4J_PASSWORD": server.password},
    )
    assert process.stdout is not None
    too_late = threading.Timer(NEO4J_START_SECONDS, process.kill)
    too_late.start()
    said = []
    for line in process.stdout:
        said.append(line)
        if "neo4j ready" in line:
            break
    too_late.cancel()
    if process.poll() is not None or not said or "neo4j ready" not in said[-1]:
        pytest.fail("Neo4j did not start:\n" + "".join(said[-20:]))
    drain = threading.Thread(target=process.stdout.read, daemon=True)  # a full pipe would stop the server
    drain.start()
    yield server
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    drain.join()
    process.stdout.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a real PostgreSQL that tests may write to: LLMFLOW_TEST_POSTGRES_URL, or one started here."""
    if importlib.util.find_spec("psycopg") is None:
        unavailable("there is no PostgreSQL driver: pip install 'llmflow[postgres]'")
    if url := os.environ.get("LLMFLOW_TEST_POSTGRES_URL"):
        yield url
        return
    if (programs := postgresql_programs()) is None:
        unavailable("there is no PostgreSQL: install Debian's postgresql, or set LLMFLOW_TEST_POSTGRES_URL")
    with run_postgresql(programs, free_port()) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of an empty schema of its own in a real PostgreSQL; it is dropped after the test."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    schema = f"t{uuid.uuid4().hex[:12]}"
    engine = create_engine(postgres_server, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{postgres_server}{'&' if '?' in postgres_server else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Address of a real Redis that tests may empty: LLMFLOW_TEST_REDIS_URL, or one started here."""
    if importlib.util.find_spec("redis") is None:
        unavailable("there is no Redis client: pip install 'llmflow[redis]'")
    if url := os.environ.get("LLMFLOW_TEST_REDIS_URL"):
        yield url
        return
    if (program := shutil.which("redis-server")) is None:
        unavailable("there is no Redis: install Debian's redis-server, or set LLMFLOW_TEST_REDIS_URL")
    with run_redis(program, free_port()) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Address of an empty database in a real Redis."""
    import redis

    with contextlib.closing(redis.Redis.from_url(redis_server)) as client:
        client.flushdb()
    return redis_server


@pytest.fixture(scope="session")
def tiny_m3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as BGE-M3, with a tiny encoder of 64 dimensions that knows nothing (tiny_models.py)."""
    pytest.importorskip("FlagEmbedding", reason="FlagEmbedding is not installed: pip install 'llmflow[train]'")
    from tiny_models import build_m3

    return build_m3(tmp_path_factory.mktemp("models") / "tiny-m3")


@pytest.fixture(scope="session")
def tiny_reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as bge-reranker-v2-m3, with a tiny cross-encoder that knows nothing."""
    pytest.importorskip("FlagEmbedding", reason="FlagEmbedding is not installed: pip install 'llmflow[train]'")
    from tiny_models import build_reranker

    return build_reranker(tmp_path_factory.mktemp("models") / "tiny-reranker")


@pytest.fixture
def model_server(tiny_m3: Path, tiny_reranker: Path) -> Iterator["ModelServerAddress"]:
    """The tiny models behind the wire forms of TEI, OpenAI, Jina and vLLM, with faults on request (model_servers.py)."""
    from model_servers import serve_models
    from tiny_models import flag_embedder, flag_reranker

    embedder, reranker = flag_embedder(tiny_m3), flag_reranker(tiny_reranker)
    with serve_models(lambda texts: embedder.embed_passages(texts).tolist(), reranker.score) as server:
        yield server
