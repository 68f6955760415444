"""Reads conf/<env>/chat.yml, for the chat that serves it and for the command line that needs its accounts."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from llmflow.accounts.settings import AuthSettings
from llmflow.errors import SettingsError
from llmflow.workspace import project_path


def read_chat_settings(env: str, conf: Path) -> dict[str, Any]:
    """Return the keys of `conf/base/chat.yml`, each replaced as a whole by that of `conf/<env>/chat.yml` where it stands there.

    Raises `SettingsError` when base has no such file, or when a file cannot be read.
    """
    base, own = conf / "base" / "chat.yml", conf / env / "chat.yml"
    if not base.is_file():
        raise SettingsError(f"{base} is missing. Run from the project's root, or name its conf folder with --conf.")
    values: dict[str, Any] = {}
    for path in (base, own):
        try:
            values |= (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}
        except (yaml.YAMLError, TypeError, ValueError) as exc:
            raise SettingsError(f"{path} cannot be read: {exc}") from exc
    return values


def load_auth_settings(env: str, conf: Path | None = None) -> AuthSettings:
    """Return the key `auth`. Raises `SettingsError` that names what is wrong."""
    folder = conf or project_path() / "conf"
    try:
        return AuthSettings.model_validate(read_chat_settings(env, folder).get("auth") or {})
    except ValidationError as exc:
        raise SettingsError(f"`auth` in {folder / 'base' / 'chat.yml'} or {folder / env / 'chat.yml'} is wrong: {exc}") from exc
