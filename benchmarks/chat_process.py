"""One real `llmflow chat` over the sample corpus, with accounts that are signed in without a password to be hashed."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from llmflow.accounts.tokens import new_id, new_token, token_hash
from llmflow.errors import LlmflowError
from llmflow.ports.accounts import SignIn
from llmflow.serving.catalog import open_catalog
from llmflow.serving.people.auth import KEY_PREFIX, SESSION_COOKIE
from llmflow.types import Account
from llmflow.workspace import project_path

GROUPS = (("hr",), ("it",), ("finance",), ("security",), ())
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class ChatProcess:
    address: str
    process: psutil.Process

    def used(self) -> dict[str, float]:
        """Return processor seconds and resident MB of the server."""
        times = self.process.cpu_times()
        return {"cpu_s": times.user + times.system, "rss_mb": self.process.memory_info().rss / 1e6}


def ingest(home: Path, env: str = "base") -> None:
    """Ingest the sample corpus into the workspace at `home`; what is there already is not read again."""
    done = subprocess.run(
        [sys.executable, "-m", "llmflow.cli", "ingest", str(project_path() / "data/sample/corpus"), "--env", env, "--json"],
        env=_environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise LlmflowError(f"llmflow ingest failed: {done.stdout[-1000:]} {done.stderr[-2000:]}")


def signed_in(count: int, env: str = "base", groups: Sequence[Sequence[str]] = GROUPS) -> list[Mapping[str, str]]:
    """Create accounts of the sample's departments in this process's workspace and return the headers of each.

    They get the given groups in turn.

    Every other one is a browser with a session cookie, the rest are programs with keys.
    """
    workspace = open_catalog(env)
    try:
        accounts, headers = workspace.application.accounts, []
        now = datetime.now(UTC)
        created, until = now.isoformat(timespec="seconds"), (now + timedelta(hours=8)).isoformat(timespec="seconds")
        for number in range(count):
            account = Account(
                new_id(), "hanbit", f"load-{new_id()[:12]}", f"Load {number}", groups=tuple(groups[number % len(groups)])
            )
            accounts.create(account)
            browser = number % 2 == 0
            token = new_token() if browser else new_token(KEY_PREFIX)
            kind = "browser" if browser else "key"
            accounts.add_sign_in(SignIn(new_id(), account.id, kind, "load", created, until), token_hash(token))
            cookie = {"Cookie": f"{SESSION_COOKIE}={token}", **SAME_ORIGIN}
            headers.append(cookie if browser else {"Authorization": f"Bearer {token}"})
        return headers
    finally:
        workspace.close()


@contextmanager
def running_chat(home: Path, env: str = "base", extra: Sequence[str] = ()) -> Iterator[ChatProcess]:
    """Yield a chat in a process of its own; it is ended in order whatever happens. Its log is home/chat.log."""
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "apps.chat.main", "--env", env, "--port", "0", *extra]
    told = home / "chat.log"  # a file: nobody would read a pipe, and the server would wait for somebody to
    with told.open("wb") as log:
        process = subprocess.Popen(command, cwd=project_path(), env=_environment(home), stdout=log, stderr=subprocess.STDOUT)
    try:
        while (address := re.search(r"http://[\w.:]+", told.read_text(errors="replace"))) is None:
            if process.poll() is not None:
                raise LlmflowError(f"The chat ended: {told.read_text(errors='replace')[-3000:]}")
            time.sleep(0.2)
        yield ChatProcess(address.group(), psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def sample_questions() -> list[str]:
    """Return the judged questions of the sample corpus."""
    path = project_path() / "data/sample/questions.jsonl"
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {"LLMFLOW_HOME": str(home)}
