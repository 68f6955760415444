"""One Milvus Lite shared by processes: who starts it, who keeps it, and what kill -9 of either side leaves behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from llmflow.adapters.milvus import MilvusConnection
from llmflow.adapters.milvus_server import LocalMilvus
from llmflow.adapters.milvus_text import MilvusTextIndex
from llmflow.adapters.milvus_vectors import MilvusVectorStore
from llmflow.errors import StoreUnavailable
from llmflow.ports import TextRow, VectorRow
from llmflow.types import EVERYONE, Principal

pytestmark = pytest.mark.services

STAFF = Principal("acme")
ONE = np.array([[1, 0]], dtype=np.float32)
WAIT_SECONDS = 30

CLIENT = """
import sys
from pathlib import Path
import numpy as np
from llmflow.adapters.milvus import MilvusConnection
from llmflow.adapters.milvus_vectors import MilvusVectorStore
from llmflow.ports import VectorRow
store = MilvusVectorStore(MilvusConnection(sys.argv[1]))
store.create_space("one", 2)
for line in sys.stdin:
    store.upsert([VectorRow(line.strip(), "acme", ("*",), np.array([1, 0], dtype=np.float32))], "one")
    print(sorted(store.chunk_ids("one")), flush=True)
store.close()
"""


class Client:
    """Another process with a store on the same folder; `write` adds a row and returns all ids that it then sees."""

    def __init__(self, folder: Path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def write(self, chunk_id: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(chunk_id + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate(timeout=WAIT_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=WAIT_SECONDS)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "milvus"
    yield folder
    if (server := server_of(folder)) is not None:
        os.kill(server, signal.SIGKILL)


@pytest.fixture
def store(folder: Path) -> Iterator[MilvusVectorStore]:
    store = MilvusVectorStore(MilvusConnection(str(folder)))
    store.create_space("one", 2)
    yield store
    store.close()


def server_of(folder: Path) -> int | None:
    """Return the process id of the running server."""
    try:
        process = int(Path(f"{folder}.port").read_text().split()[0])
        os.kill(process, 0)
    except (OSError, ValueError):
        return None
    return process


def kill_server(folder: Path) -> None:
    """Kill the server and return when it is gone."""
    process = server_of(folder)
    assert process is not None
    handle = os.pidfd_open(process)
    os.kill(process, signal.SIGKILL)
    wait_for_end(handle)


def wait_for_end(handle: int) -> None:
    import select

    ready, _, _ = select.select([handle], [], [], WAIT_SECONDS)
    os.close(handle)
    assert ready, "the process did not end"


def row(chunk_id: str) -> VectorRow:
    return VectorRow(chunk_id, "acme", (EVERYONE,), ONE[0])


def test_two_processes_share_a_folder(folder: Path, store: MilvusVectorStore):
    store.upsert([row("a")], "one")
    server = server_of(folder)
    other = Client(folder)
    assert other.write("b") == "['a', 'b']"
    assert store.chunk_ids("one") == {"a", "b"}
    assert server_of(folder) == server
    other.leave()
    assert store.chunk_ids("one") == {"a", "b"}


def test_clients_that_start_together_get_one_server(folder: Path):
    addresses: list[str] = []
    clients = [LocalMilvus(folder, linger_s=0) for _ in range(4)]
    threads = [threading.Thread(target=lambda client=client: addresses.append(client.address())) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert len(addresses) == 4
    assert len(set(addresses)) == 1
    for client in clients:
        client.release()


def test_server_leaves_after_its_last_client(folder: Path):
    first, second = LocalMilvus(folder, linger_s=0), LocalMilvus(folder, linger_s=0)
    first.address()
    assert second.address() == first.address()
    process = server_of(folder)
    assert process is not None
    handle = os.pidfd_open(process)
    first.release()
    assert second.serves(second.address())
    assert server_of(folder) == process
    second.release()
    second.release()
    wait_for_end(handle)
    assert not Path(f"{folder}.port").exists()


def test_killed_client_releases_the_server(folder: Path):
    keeper = LocalMilvus(folder, linger_s=0)
    keeper.address()
    client = Client(folder)
    assert client.write("a") == "['a']"
    process = server_of(folder)
    assert process is not None
    handle = os.pidfd_open(process)
    keeper.release()
    assert client.write("b") == "['a', 'b']"  # it holds the server alone now
    client.kill()
    wait_for_end(handle)


def test_rows_outlive_a_killed_server(folder: Path):
    client = Client(folder)
    client.write("a")
    assert client.write("b") == "['a', 'b']"
    kill_server(folder)
    client.kill()
    again = MilvusVectorStore(MilvusConnection(str(folder)))
    assert again.chunk_ids("one") == {"a", "b"}
    again.close()


def test_running_client_outlives_its_server(folder: Path, store: MilvusVectorStore, capfd):
    store.upsert([row("a"), row("b")], "one")
    assert len(store.search(ONE, "one", STAFF, 5)[0]) == 2
    for chunk_id, work in {
        "c": lambda: store.search(ONE, "one", STAFF, 5),
        "d": lambda: store.upsert([row("c")], "one"),
        "e": lambda: store.delete(["a"]),
        "f": lambda: store.chunk_ids("one"),
        "g": lambda: store.create_space("two", 2),
    }.items():
        kill_server(folder)
        work()
        store.upsert([row(chunk_id)], "one")
    assert store.chunk_ids("one") == {"b", "c", "d", "e", "f", "g"}
    assert [hit.id for hit in store.search(ONE, "one", STAFF, 9)[0]] == ["b", "c", "d", "e", "f", "g"]
    assert store.spaces() == ["one", "two"]
    assert "Traceback" not in capfd.readouterr().err


def test_text_index_outlives_its_server(folder: Path):
    index = MilvusTextIndex(MilvusConnection(str(folder)))
    index.upsert([TextRow("a", "acme", (EVERYONE,), "word")])
    kill_server(folder)
    assert [hit.id for hit in index.search(["word"], STAFF, 5)[0]] == ["a"]
    kill_server(folder)
    index.upsert([TextRow("b", "acme", (EVERYONE,), "word")])
    assert index.chunk_ids() == {"a", "b"}
    index.close()


def test_threads_of_one_connection_recover_together(folder: Path, store: MilvusVectorStore):
    store.upsert([row("a")], "one")
    kill_server(folder)
    found: list[list[str]] = []

    def search() -> None:
        found.append([hit.id for hit in store.search(ONE, "one", STAFF, 5)[0]])

    threads = [threading.Thread(target=search) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert found == [["a"]] * 6


def test_one_adapter_closes_the_shared_connection_and_the_other_goes_on(folder: Path):
    connection = MilvusConnection(str(folder))
    text, vectors = MilvusTextIndex(connection), MilvusVectorStore(connection)
    text.upsert([TextRow("a", "acme", (EVERYONE,), "word")])
    vectors.create_space("one", 2)
    vectors.upsert([row("a")], "one")
    assert vectors.spaces() == ["one"]
    text.close()
    assert [hit.id for hit in vectors.search(ONE, "one", STAFF, 5)[0]] == ["a"]
    vectors.close()


def test_folder_that_cannot_be_served_is_our_error(folder: Path):
    folder.write_text("a file stands in the way")
    connection = MilvusConnection(str(folder))
    with pytest.raises(StoreUnavailable, match=r"did not start .*milvus\.log"):
        connection.client()
    assert Path(f"{folder}.log").read_text()
    connection.close()


def test_nothing_is_left_of_a_server_but_its_folder_and_locks(folder: Path):
    local = LocalMilvus(folder, linger_s=0)
    local.address()
    process = server_of(folder)
    assert process is not None
    handle = os.pidfd_open(process)
    local.release()
    wait_for_end(handle)
    names = {path.name for path in folder.parent.iterdir()}
    assert names == {"milvus", "milvus.clients", "milvus.server", "milvus.log"}
