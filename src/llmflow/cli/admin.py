"""`llmflow admin`: the administrator's dashboard, a page of its own over the API of `llmflow chat`."""

import json
from typing import Annotated

import typer

from llmflow.cli.common import Env, Json, told_errors


def admin(
    env: Env = "base",
    api: Annotated[str | None, typer.Option(help="Address of the API, such as http://127.0.0.1:7860.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; this machine only by default.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    as_json: Json = False,
) -> None:
    """Open the dashboard: use, documents, quality, models, people, audit, health. Runs until stopped."""
    with told_errors(as_json):
        import importlib

        from pydantic import ValidationError

        from llmflow.errors import MissingDependency, SettingsError

        try:
            page = importlib.import_module("apps.admin.main")
            importlib.import_module("streamlit.version")
        except ModuleNotFoundError as exc:
            raise MissingDependency(f"The dashboard needs {exc.name}. Install it: pip install 'llmflow[apps]'") from exc
        try:
            settings = page.configured(env, host, port, api)
        except ValidationError as exc:
            raise SettingsError(f"An option is wrong: {exc.errors()[0]['msg']}") from exc
        address = f"http://{settings.host}:{settings.port}"
        shown = {"address": address, "api": settings.api}
        typer.echo(json.dumps(shown) if as_json else f"Dashboard: {address} over {settings.api} (Ctrl+C ends it)")
        page.run(settings)
