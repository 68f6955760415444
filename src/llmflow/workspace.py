"""Where things are: the project with its conf/, and the home folder that holds all data of one workspace."""

import os
from pathlib import Path

from llmflow.errors import SettingsError

PROJECT_VARIABLE = "LLMFLOW_PROJECT"
HOME_VARIABLE = "LLMFLOW_HOME"
MERGE_STRATEGY = {"parameters": "soft"}
"""How an environment changes conf/base: parameters key by key, catalog entries as a whole. Kedro and the CLI share it."""


def project_path() -> Path:
    """Return the folder with conf/base: LLMFLOW_PROJECT, else the nearest above the working folder, else that of the source."""
    named = os.environ.get(PROJECT_VARIABLE)
    candidates = [Path(named)] if named else [Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents[1:3]]
    for candidate in candidates:
        if (candidate / "conf" / "base").is_dir():
            return candidate.resolve()
    raise SettingsError(
        f"There is no conf/base above {Path.cwd()}. Run inside the project, or set {PROJECT_VARIABLE} to its folder."
    )


def home_path(relative: str = "") -> str:
    """Return the absolute path of something in the workspace: LLMFLOW_HOME, else data/local of the project."""
    named = os.environ.get(HOME_VARIABLE)
    home = Path(named).expanduser() if named else project_path() / "data" / "local"
    return str((home / relative).resolve() if relative else home.resolve())
