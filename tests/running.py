"""Programs of the product as a person starts them: in a process of their own, with a workspace of their own."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT_SECONDS = 540

PRODUCTION_VARIABLES = {
    "LLMFLOW_STATE_URL": "postgresql+psycopg://llmflow:secret@127.0.0.1:9/llmflow",
    "LLMFLOW_AUDIT_KEY": "0123456789abcdef0123456789abcdef",
    "LLMFLOW_REDIS_URL": "redis://127.0.0.1:9/0",
    "LLMFLOW_MILVUS_URI": "http://127.0.0.1:9",
    "LLMFLOW_NEO4J_URI": "bolt://127.0.0.1:9",
    "LLMFLOW_NEO4J_PASSWORD": "secret",
    "LLMFLOW_CHAT_URL": "http://127.0.0.1:9/v1",
    "LLMFLOW_CHAT_MODEL": "any",
}
"""What conf/production needs; nothing listens at these addresses."""


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a child whose data lie in `home` and that uses one thread for its model."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("LLMFLOW_", "KEDRO_", "MLFLOW_"))}
    quiet = {"KEDRO_DISABLE_TELEMETRY": "1", "KEDRO_LOGGING_CONFIG": str(ROOT / "conf/base/logging.yml"), "DO_NOT_TRACK": "1"}
    return own | quiet | {"OMP_NUM_THREADS": "1", "LLMFLOW_HOME": str(home)} | dict(extra or {})


def run_llmflow(home: Path, *arguments: str, extra: Mapping[str, str] | None = None, cwd: Path = ROOT):
    """Run `llmflow`; the caller looks at returncode, stdout and stderr."""
    return _run([sys.executable, "-m", "llmflow.cli", *arguments], home, extra, cwd)


def run_kedro(home: Path, *arguments: str, extra: Mapping[str, str] | None = None):
    """Run `kedro run` in the project."""
    return _run([sys.executable, "-m", "kedro", "run", *arguments], home, extra, ROOT)


def _run(command: list[str], home: Path, extra: Mapping[str, str] | None, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=environment(home, extra), capture_output=True, encoding="utf-8", timeout=LIMIT_SECONDS, check=False
    )


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def copy_project(folder: Path) -> Path:
    """Return a project folder with a copy of conf/, for tests that add an environment (LLMFLOW_PROJECT points to it)."""
    shutil.copytree(ROOT / "conf", folder / "conf")
    return folder
