"""Run the chat: `python -m apps.chat.main --env base`."""

from collections.abc import Sequence
from pathlib import Path

import uvicorn
import yaml
from fastapi import FastAPI
from pydantic import ValidationError

from apps.chat.app import create_app
from apps.chat.settings import ChatAppSettings
from llmflow.errors import SettingsError


def main(env: str = "base", host: str | None = None, port: int | None = None, conf: Path = Path("conf")) -> None:
    """Serve until interrupted; prints the address once questions can be asked. `host` and `port` override the settings."""
    from llmflow.serving.catalog import open_service

    settings = load_settings(env, conf)
    wanted = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = ChatAppSettings.model_validate(settings.model_dump() | wanted)
    serve(create_app(open_service(env), settings), settings)


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


def serve(app: FastAPI, settings: ChatAppSettings) -> None:
    """Run `app` in this process; port 0 takes a free one."""
    # Every open page holds a heartbeat connection: without a limit, stopping would wait until the last one is closed.
    config = uvicorn.Config(app, host=settings.host, port=settings.port, log_level="warning", timeout_graceful_shutdown=5)
    _Server(config).run()


class _Server(uvicorn.Server):
    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                print(f"llmflow chat: http://{host}:{port}", flush=True)


def _parse(arguments: Sequence[str] | None = None) -> dict:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="base", help="configuration under conf/ (default: base)")
    parser.add_argument("--host", help="address to listen on (default: from the settings)")
    parser.add_argument("--port", type=int, help="port to listen on (default: from the settings)")
    parser.add_argument("--conf", type=Path, default=Path("conf"), help="folder of the configuration (default: conf)")
    return vars(parser.parse_args(arguments))


if __name__ == "__main__":
    main(**_parse())
