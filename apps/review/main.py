"""Run the review page: `llmflow judged review FILE`."""

import os
import sys
from pathlib import Path
from typing import NoReturn

SCRIPT = Path(__file__).with_name("page.py")


def command(file: Path, by: str, port: int) -> list[str]:
    """Return the command of the page: one file, this machine only, nothing reported to anybody."""
    options = {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "viewer",
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *given, "--", str(file.resolve()), "--by", by]


def run(file: Path, by: str, port: int) -> NoReturn:
    """Become the page's server: whoever stops the command stops the page."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    started = command(file, by, port)
    sys.stdout.flush()
    os.execve(started[0], started, os.environ | {"PYTHONPATH": paths, "DO_NOT_TRACK": "1"})
