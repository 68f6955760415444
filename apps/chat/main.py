"""Run the chat: `llmflow chat`, or `python -m apps.chat.main --env base`."""

import contextlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path

import uvicorn
import yaml
from fastapi import FastAPI
from pydantic import ValidationError

from apps.chat.app import create_app
from apps.chat.settings import ChatAppSettings
from llmflow.errors import SettingsError
from llmflow.workspace import project_path


def main(
    env: str = "base", host: str | None = None, port: int | None = None, conf: Path | None = None, as_json: bool = False
) -> None:
    """Serve until interrupted; prints the address once the page can be opened. `host` and `port` override the settings.

    `conf` None is the project's. Raises `SettingsError` when the settings are wrong or name nobody who may ask.
    """
    from llmflow.serving.catalog import open_service

    folder = conf or project_path() / "conf"
    settings = load_settings(env, folder)
    if not settings.profiles:
        raise SettingsError(
            f"Nobody may ask: {folder / env / 'chat.yml'} names no profiles. Add at least one, as conf/base/chat.yml does."
        )
    wanted = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = ChatAppSettings.model_validate(settings.model_dump() | wanted)
    service = open_service(env)
    try:
        app = create_app(service, settings)
        # Models take seconds to load: they do so while the person reads the page, not after the first question.
        threading.Thread(target=service.warm, name="warm-up", daemon=True).start()
        serve(app, settings, as_json)
    finally:
        service.close()


def load_settings(env: str, conf: Path) -> ChatAppSettings:
    """Return the settings of `conf/base/chat.yml`, each key replaced by that of `conf/<env>/chat.yml` where it stands there.

    Raises `SettingsError` when base has no such file, or when a key or value is wrong.
    """
    base, own = conf / "base" / "chat.yml", conf / env / "chat.yml"
    if not base.is_file():
        raise SettingsError(f"{base} is missing. Run from the project's root, or name its conf folder with --conf.")
    try:
        values: dict[str, object] = {}
        for path in (base, own):
            if path.is_file():
                values |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return ChatAppSettings.model_validate(values)
    except (yaml.YAMLError, ValidationError, TypeError, ValueError) as exc:
        raise SettingsError(f"The chat's settings in {base} or {own} are wrong: {exc}") from exc


def serve(app: FastAPI, settings: ChatAppSettings, as_json: bool = False) -> None:
    """Run `app` in this process until Ctrl-C or SIGTERM; port 0 takes a free one. The address is one line, or JSON."""
    # Every open page holds a heartbeat connection: without a limit, stopping would wait until the last one is closed.
    own_log = {"log_config": None, "access_log": False}  # serving/logs.py has configured them, serving/access_log.py writes them
    config = uvicorn.Config(app, host=settings.host, port=settings.port, timeout_graceful_shutdown=5, **own_log)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has already stopped when it raises it again
        _Server(config, as_json).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, as_json: bool) -> None:
        super().__init__(config)
        self._as_json = as_json

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                address = f"http://{host}:{port}"
                print(json.dumps({"address": address}) if self._as_json else f"llmflow chat: {address}", flush=True)


def _parse(arguments: Sequence[str] | None = None) -> dict:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="base", help="configuration under conf/ (default: base)")
    parser.add_argument("--host", help="address to listen on (default: from the settings)")
    parser.add_argument("--port", type=int, help="port to listen on (default: from the settings)")
    parser.add_argument("--conf", type=Path, help="folder of the configuration (default: the project's)")
    return vars(parser.parse_args(arguments))


if __name__ == "__main__":
    main(**_parse())
