"""PostgreSQL and Redis for tests: the programs of Debian's packages, in folders of their own, on free ports of the loopback."""

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

REQUIRED = "LLMFLOW_REQUIRE_SERVICES"
"""Set by `make test-services`: a server that cannot be had fails the tests that need it instead of skipping them."""
START_SECONDS = 60


def unavailable(reason: str) -> NoReturn:
    """Skip the test, or fail it where servers are required."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set, but {reason}", pytrace=False)
    pytest.skip(reason)


def postgresql_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs, where Debian puts them or on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


@contextlib.contextmanager
def run_postgresql(programs: Path, port: int) -> Iterator[str]:
    """Yield the address of an empty database that sorts text by Korean rules, as a production server may."""
    with server_folder("postgres") as (folder, user):
        password = secrets.token_hex(16)
        given = folder / "password"
        given.write_text(password)
        if user:
            shutil.chown(given, user, user)
        data, log = folder / "data", folder / "log"
        made = subprocess.run(
            as_user(user, [str(programs / "initdb"), "-D", str(data), "-U", "llmflow", "-A", "scram-sha-256", "-E", "UTF8", "-N",
                           "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=ko", f"--pwfile={given}"]),
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            pytest.fail(f"initdb failed:\n{made.stdout}{made.stderr}", pytrace=False)
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "synchronous_commit=off"]
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
        command += [part for setting in settings for part in ("-c", setting)]
        url = f"postgresql+psycopg://llmflow:{password}@127.0.0.1:{port}/postgres"
        with running(as_user(user, command), folder, log, lambda: _postgresql_answers(url)):
            yield url


@contextlib.contextmanager
def run_redis(program: str, port: int) -> Iterator[str]:
    """Yield the address of an empty Redis that keeps nothing on disk and asks for a password."""
    password = secrets.token_hex(16)
    with server_folder("") as (folder, _):
        settings = folder / "redis.conf"
        lines = ("bind 127.0.0.1", f"port {port}", f"dir {folder}", 'save ""', "appendonly no", f"requirepass {password}")
        settings.write_text("\n".join(lines) + "\n")
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        with running(as_user("", [program, str(settings)]), folder, folder / "log", lambda: _redis_answers(url)):
            yield url


@contextlib.contextmanager
def server_folder(user: str) -> Iterator[tuple[Path, str]]:
    """Yield a folder, and the user that the server in it runs as: `user` where this process is root, else nobody else ("")."""
    if not user or os.geteuid() != 0:
        user = ""
    with tempfile.TemporaryDirectory(prefix="llmflow-server-") as name:
        if user:
            shutil.chown(name, user, user)
        yield Path(name), user


def as_user(user: str, command: Sequence[str]) -> list[str]:
    """Return the command as another user runs it, since PostgreSQL refuses to run as root; it ends with its parent."""
    if shutil.which("setpriv") is None:
        return list(command)
    who = ["--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--init-groups"] if user else []
    return ["setpriv", *who, "--pdeathsig", "TERM", "--", *command]


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, log: Path, answers) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it has answered when the block begins."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}", pytrace=False)
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _postgresql_answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(url: str) -> bool:
    import redis

    try:
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            return bool(client.ping())
    except redis.exceptions.RedisError:
        return False
