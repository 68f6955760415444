"""How our Streamlit pages are served: nothing is reported to anybody, one process that ends with its command."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.enableXsrfProtection": "true",
    "server.enableCORS": "true",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "viewer",
    "runner.magicEnabled": "false",  # else a docstring under a constant is written onto the page
}


def command(script: Path, host: str, port: int, arguments: Sequence[str], options: Mapping[str, str] | None = None) -> list[str]:
    """Return the command that serves `script` with its own `arguments`; `options` are Streamlit's, beside those of all pages."""
    every = {"server.address": host, "server.port": str(port)} | OPTIONS | dict(options or {})
    given = [f"--{name}={value}" for name, value in every.items()]
    return [sys.executable, "-m", "streamlit", "run", str(script), *given, "--", *arguments]


def environment() -> dict[str, str]:
    """Return the environment of a page's process: it can import the apps, and its libraries report to nobody."""
    paths = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    return os.environ | {"PYTHONPATH": paths, "DO_NOT_TRACK": "1"}


def become(started: Sequence[str]) -> NoReturn:
    """Become the page's server: whoever stops the command stops the page."""
    sys.stdout.flush()
    os.execve(started[0], list(started), environment())
