"""Run the review page: `llmflow judged review FILE`."""

from pathlib import Path
from typing import NoReturn

from apps import streamlit_server

SCRIPT = Path(__file__).with_name("page.py")


def command(file: Path, by: str, port: int) -> list[str]:
    """Return the command of the page: one file, this machine only."""
    return streamlit_server.command(SCRIPT, "127.0.0.1", port, [str(file.resolve()), "--by", by])


def run(file: Path, by: str, port: int) -> NoReturn:
    """Become the page's server."""
    streamlit_server.become(command(file, by, port))
