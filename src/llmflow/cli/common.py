"""What every command shares: the options, the opened workspace, errors in one line, JSON or text."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any

import typer

Env = Annotated[str, typer.Option("--env", "-e", help="Environment under conf/.", envvar="LLMFLOW_ENV")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
Tenant = Annotated[str, typer.Option(help="Tenant that asks.")]
Groups = Annotated[list[str] | None, typer.Option("--group", "-g", help="Department of the person that asks; repeatable.")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]


@contextmanager
def opened_workspace(env: str) -> Iterator[Any]:
    """Yield the opened workspace; our errors become one line and exit status 2."""
    with told_errors("--json" in sys.argv):
        from llmflow.serving.catalog import open_catalog
        from llmflow.serving.operating.logs import configure_logging

        workspace = open_catalog(env)
        configure_logging(workspace.logs if workspace.logs.format != "auto" else workspace.logs.for_people())
        try:
            yield workspace
        finally:
            workspace.close()


@contextmanager
def told_errors(as_json: bool) -> Iterator[None]:
    from llmflow.errors import LlmflowError

    try:
        yield
    except LlmflowError as exc:
        message = json.dumps({"error": str(exc), "kind": type(exc).__name__}, ensure_ascii=False) if as_json else f"Error: {exc}"
        typer.echo(message, err=not as_json)
        raise typer.Exit(2) from exc


def principal(tenant: str, groups: list[str] | None) -> Any:
    from llmflow.types import Principal

    return Principal(tenant, frozenset(groups or ()), "command line")


def show(value: Any, as_json: bool, show_text: Any) -> None:
    if as_json:
        typer.echo(json.dumps(_plain(value), ensure_ascii=False, indent=1, default=str))
    else:
        show_text()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
