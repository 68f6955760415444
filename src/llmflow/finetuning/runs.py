"""The folder of a training run: what it is a run of, its whole checkpoints, its history, the commit it ran on."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmflow.errors import SettingsError

IDENTITY_FILE = "run.json"
HISTORY_FILE = "history.jsonl"
STATE_FILE = "trainer_state.json"


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What makes two runs the same: a killed one goes on only where all of it is equal."""

    recipe: str
    snapshot: str
    base: str


def claim(run_dir: Path, identity: RunIdentity) -> None:
    """Make the folder of a run, or find it to be of the same run. Raises SettingsError where it holds another."""
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / IDENTITY_FILE
    row = {"recipe": identity.recipe, "snapshot": identity.snapshot, "base": identity.base}
    if path.exists() and (held := json.loads(path.read_text(encoding="utf-8"))) != row:
        different = ", ".join(key for key in row if held.get(key) != row[key])
        raise SettingsError(
            f"{run_dir} holds a run with another {different}. A run goes on only with what it began with: name a new folder, or "
            "remove this one."
        )
    path.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint, None without one; a half-written one (its state file comes last) is removed."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        try:
            json.loads((path / STATE_FILE).read_text(encoding="utf-8"))
            whole.append(path)
        except (OSError, ValueError):
            shutil.rmtree(path, ignore_errors=True)
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def write_history(run_dir: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write every logged row, oldest first; after a resume that is what the checkpoint knew."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (run_dir / HISTORY_FILE).write_text(text, encoding="utf-8")


def read_history(run_dir: Path) -> list[dict[str, float]]:
    """Return the logged rows; empty where nothing was logged. A row has `step` and `loss` or `eval_loss` and more."""
    path = run_dir / HISTORY_FILE
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def digest_of(directory: Path) -> str:
    """Return SHA-256 over the names and bytes of weights and adapter configuration, 64 hex digits."""
    digest = hashlib.sha256()
    for path in sorted([*directory.glob("*.safetensors"), *directory.glob("adapter_config.json")]):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def git_commit(folder: Path) -> str:
    """Return the commit of the folder's repository, with `+dirty` where tracked files differ; empty without one."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+dirty" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
