"""Run the review page: `llmflow judged review FILE`."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("page.py")


def command(file: Path, env: str, by: str, port: int) -> list[str]:
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
    return [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *given, "--", str(file.resolve()), "--env", env, "--by", by]


def run(file: Path, env: str, by: str, port: int) -> int:
    """Serve the page until it is stopped; return the exit status. A second Ctrl+C is not needed."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    process = subprocess.Popen(command(file, env, by, port), env=os.environ | {"PYTHONPATH": paths, "DO_NOT_TRACK": "1"})
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 0
