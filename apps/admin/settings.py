"""Settings of the dashboard: conf/<env>/admin.yml."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, field_validator

from llmflow.config import Settings
from llmflow.errors import SettingsError


class AdminSettings(Settings):
    """Where the API is, where the page listens, and how often it asks."""

    api: str = "http://127.0.0.1:7860"
    """Where the dashboard's own process reaches the API."""
    public: str = ""
    """Where a browser reaches the API, for links to its sign-in page; empty: as `api`."""
    host: str = "127.0.0.1"
    port: int = Field(7861, ge=1, le=65535)
    language: Literal["ko", "en"] = "ko"
    timeout_s: float = Field(30.0, gt=0, le=600)
    refresh_s: int = Field(15, ge=2, le=3600)

    @field_validator("api", "public")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} is no address. Write http://host:port or https://host, without a path.")
        return value.rstrip("/")

    @property
    def browser_address(self) -> str:
        return self.public or self.api


def load_settings(env: str, conf: Path) -> AdminSettings:
    """Return conf/base/admin.yml with the keys of conf/<env>/admin.yml in their place; defaults where neither exists.

    Raises `SettingsError` for a key or value that is wrong.
    """
    values: dict[str, object] = {}
    path = conf
    try:
        for path in (conf / "base" / "admin.yml", conf / env / "admin.yml"):
            if path.is_file():
                values |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return AdminSettings.model_validate(values)
    except (yaml.YAMLError, ValidationError, TypeError, ValueError) as exc:
        raise SettingsError(f"The dashboard's settings in {path} are wrong: {exc}") from exc
