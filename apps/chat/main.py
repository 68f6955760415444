"""Run the chat: `python -m apps.chat.main --env base`."""

from collections.abc import Sequence

import uvicorn

from apps.chat.app import create_app
from apps.chat.settings import ChatAppSettings


def main(env: str = "base", host: str | None = None, port: int | None = None, settings: ChatAppSettings | None = None) -> None:
    """Serve until interrupted; prints the address once questions can be asked. `host` and `port` override the settings."""
    from llmflow.serving.catalog import open_service

    chosen = settings or ChatAppSettings()
    chosen = chosen.model_copy(update={key: value for key, value in (("host", host), ("port", port)) if value is not None})
    serve(create_app(open_service(env), chosen), chosen)


def serve(app, settings: ChatAppSettings) -> None:
    """Run `app` in this process; port 0 takes a free one."""
    _Server(uvicorn.Config(app, host=settings.host, port=settings.port, log_level="warning")).run()


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
    return vars(parser.parse_args(arguments))


if __name__ == "__main__":
    main(**_parse())
