"""One Milvus Lite for all processes of a machine: a small server on the loopback that lives as long as somebody uses it.

Milvus Lite lets one process hold its folder. The first client starts this module as a process of its own; every client holds a
shared lock on `<folder>.clients`; the server leaves when it can take that lock alone, that is, when the last client
has closed or died. The kernel drops the locks of a killed process, so nothing is left behind by kill -9.
"""

import fcntl
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from llmflow.errors import StoreUnavailable

START_SECONDS = 60.0
MAX_STARTS = 3
"""Servers that died while starting, before it is given up."""
POLL_SECONDS = 0.05
LINGER_SECONDS = 3.0
"""How long a server without clients waits for the next command of the same person."""


class LocalMilvus:
    """A client's hold on the shared server of `folder`; `address()` starts it where needed."""

    def __init__(self, folder: Path, linger_s: float = LINGER_SECONDS):
        self._folder = folder
        self._linger = linger_s
        self._hold: IO[str] | None = None

    def address(self) -> str:
        """Return `http://127.0.0.1:PORT` of a server that answers; hold it until `release`."""
        if self._hold is None:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._hold = open(f"{self._folder}.clients", "a")  # noqa: SIM115 - held open for the life of the client
            fcntl.flock(self._hold, fcntl.LOCK_SH)
        deadline, starts = time.monotonic() + START_SECONDS, 0
        while time.monotonic() < deadline and starts <= MAX_STARTS:
            if _is_locked(f"{self._folder}.server"):
                if port := _read_port(self._folder):
                    return f"http://127.0.0.1:{port}"
            else:
                starts += 1
                _start(self._folder, self._linger)
            time.sleep(POLL_SECONDS)
        self.release()
        raise StoreUnavailable(
            f"Milvus Lite did not start for {self._folder}; another program may hold the folder, or the disk may be full. "
            f"See {self._folder}.log."
        )

    def serves(self, address: str) -> bool:
        """Return whether the running server is the one at `address`."""
        return _is_locked(f"{self._folder}.server") and address.endswith(f":{_read_port(self._folder)}")

    def release(self) -> None:
        if self._hold is not None:
            self._hold.close()
            self._hold = None


def _start(folder: Path, linger_s: float) -> None:
    """Start a server and return as soon as it, or one that was quicker, holds the folder."""
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}
    with open(f"{folder}.log", "ab") as log:
        subprocess.run(
            [sys.executable, "-m", "llmflow.adapters.milvus_server", str(folder), str(linger_s)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment, check=False,
        )  # fmt: skip


def _is_locked(path: str) -> bool:
    with open(path, "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _read_port(folder: Path) -> int | None:
    """Return the port of a server that answers; the file of a killed one may still lie there."""
    try:
        port = int(Path(f"{folder}.port").read_text().split()[1])
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except (OSError, ValueError, IndexError):
        return None
    return port


def main(folder: Path, linger_s: float) -> None:
    """Serve `folder` in the background until its last client has gone; return at once, also where it is served already."""
    with open(f"{folder}.server", "a") as lock:
        for _ in range(100):  # a probing client may hold the lock for an instant
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.01)
        else:
            return
        Path(f"{folder}.port").unlink(missing_ok=True)
        if os.fork() == 0:  # keeps the lock, and is nobody's child: no client has to bury it
            _serve(folder, linger_s)


def _serve(folder: Path, linger_s: float) -> None:
    from milvus_lite.adapter.grpc.server import start_server_in_thread

    from llmflow.adapters import milvus_lite_search

    milvus_lite_search.install()
    server, database, port = start_server_in_thread(str(folder), host="127.0.0.1", port=0)
    port_file, partial = Path(f"{folder}.port"), Path(f"{folder}.port.new")
    partial.write_text(f"{os.getpid()} {port}")
    partial.rename(port_file)
    with open(f"{folder}.clients", "a") as clients:
        _wait_for_last_client(clients, linger_s)
        port_file.unlink(missing_ok=True)
        server.stop(grace=2)
        database.close()


def _wait_for_last_client(clients: IO[str], linger_s: float) -> None:
    """Return, holding the clients' lock alone, once no client came for the whole linger time."""
    idle_since: float | None = None
    while True:
        try:
            fcntl.flock(clients, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            idle_since = None
        else:
            now = time.monotonic()
            idle_since = idle_since if idle_since is not None else now
            if now - idle_since >= linger_s:
                return
            fcntl.flock(clients, fcntl.LOCK_UN)
        time.sleep(0.2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
