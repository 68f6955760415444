"""Run the dashboard: `llmflow admin`."""

from pathlib import Path
from typing import NoReturn

from apps import streamlit_server
from apps.admin.settings import AdminSettings, load_settings
from llmflow.workspace import project_path

SCRIPT = Path(__file__).with_name("app.py")
OPTIONS = {
    "client.showErrorDetails": "none",
    "server.maxUploadSize": "200",
    "theme.light.primaryColor": "#005F96",  # of each theme: a colour of both would be a third theme, always light
    "theme.light.textColor": "#0e0e0d",
    "theme.dark.primaryColor": "#56B4E9",
}


def configured(env: str, host: str | None, port: int | None, api: str | None) -> AdminSettings:
    """Return the settings of `env`; what is given stands in their place. Raises `SettingsError`."""
    settings = load_settings(env, project_path() / "conf")
    given = {key: value for key, value in (("host", host), ("port", port), ("api", api)) if value is not None}
    return AdminSettings.model_validate(settings.model_dump() | given)


def command(settings: AdminSettings) -> list[str]:
    """Return the command of the page. What it needs to know travels as arguments; no secret is among them."""
    arguments = ["--settings", settings.model_dump_json()]
    return streamlit_server.command(SCRIPT, settings.host, settings.port, arguments, OPTIONS)


def run(settings: AdminSettings) -> NoReturn:
    """Become the page's server."""
    streamlit_server.become(command(settings))
