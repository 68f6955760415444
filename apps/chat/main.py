"""Run the chat: `llmflow chat`, or `python -m apps.chat.main --env base`."""

import contextlib
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from apps.chat.app import mount_page
from apps.chat.backend import Backend
from apps.chat.settings import ChatAppSettings
from llmflow.accounts.settings import LOOPBACK
from llmflow.errors import SettingsError
from llmflow.serving.chat_settings import read_chat_settings
from llmflow.serving.people.access import Access
from llmflow.serving.people.first_accounts import first_accounts_text
from llmflow.workspace import project_path


def main(
    env: str = "base", host: str | None = None, port: int | None = None, conf: Path | None = None, as_json: bool = False
) -> None:
    """Serve until interrupted; prints the address once the page can be opened. `host` and `port` override the settings.

    `conf` None is the project's. Raises `SettingsError` when the settings are wrong or nobody could sign in.
    """
    from llmflow.serving.application import make_application, open_services
    from llmflow.serving.catalog import open_catalog
    from llmflow.serving.chat import WorkspaceChat
    from llmflow.serving.people.access import open_access
    from llmflow.serving.people.access_routes import access_routers
    from llmflow.serving.people.erasing import erasers

    settings = load_settings(env, conf or project_path() / "conf")
    wanted = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = ChatAppSettings.model_validate(settings.model_dump() | wanted)
    check_host(settings)
    workspace = open_catalog(env)
    service = WorkspaceChat(workspace)
    try:
        access = open_access(workspace, settings.auth, erasers(workspace))
        routers = access_routers(access, settings.title, settings.language)
        services = open_services(workspace, access.guard, settings.conversing)
        app = make_application(services, settings.title, routers)
        mount_page(app, Backend(services.conversations, service, access.guard), settings)
        # Models take seconds to load: they do so while the person reads the page, not after the first question.
        threading.Thread(target=service.warm, name="warm-up", daemon=True).start()
        serve(app, settings, as_json, access)
    finally:
        service.close()


def check_host(settings: ChatAppSettings) -> None:
    """Raise `SettingsError` where single-user mode would listen to more than this machine without being told to."""
    if settings.auth.mode == "single" and settings.host not in LOOPBACK and not settings.auth.single.allow_other_hosts:
        raise SettingsError(
            f"auth.mode is single: whoever reaches {settings.host} would be the administrator. Listen on 127.0.0.1, choose the "
            "mode accounts, or set auth.single.allow_other_hosts to true if you mean it."
        )


def load_settings(env: str, conf: Path) -> ChatAppSettings:
    """Return the settings of `conf/base/chat.yml`, each key replaced by that of `conf/<env>/chat.yml` where it stands there.

    Raises `SettingsError` when base has no such file, or when a key or value is wrong.
    """
    try:
        return ChatAppSettings.model_validate(read_chat_settings(env, conf))
    except (ValidationError, TypeError, ValueError) as exc:
        raise SettingsError(f"The chat's settings in {conf}/base/chat.yml or {conf}/{env}/chat.yml are wrong: {exc}") from exc


def serve(app: FastAPI, settings: ChatAppSettings, as_json: bool = False, access: Access | None = None) -> None:
    """Run `app` in this process until Ctrl-C or SIGTERM; port 0 takes a free one. The address is one line, or JSON.

    With it go the one-time passwords of accounts that `access` has just created: on the terminal, and nowhere else.
    """
    proxies = settings.auth.trusted_proxies
    config = uvicorn.Config(
        # serving/operating/logs.py has the say on logs.
        app, host=settings.host, port=settings.port, log_level="warning", log_config=None,
        # Every open page holds a heartbeat connection: without a limit, stopping would wait until the last one is closed.
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,  # longer than clients and proxies keep an idle connection: none sends into one that just closes
        proxy_headers=bool(proxies), forwarded_allow_ips=list(proxies),
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has already stopped when it raises it again
        _Server(config, as_json, access).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, as_json: bool, access: Access | None) -> None:
        super().__init__(config)
        self._as_json = as_json
        self._access = access

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                print(announcement(f"http://{host}:{port}", self._access, self._as_json), flush=True)


def announcement(address: str, access: Access | None, as_json: bool) -> str:
    """Return what the terminal is told: the address, the mode where nobody signs in, and new accounts with their passwords."""
    created, notice = (access.created, access.notice) if access else ((), "")
    if as_json:
        told = {"address": address} | ({"notice": notice} if notice else {})
        told |= {"first_accounts": [asdict(account) for account in created]} if created else {}
        return json.dumps(told, ensure_ascii=False)
    lines = [f"llmflow chat: {address}"] + ([notice] if notice else [])
    return "\n".join([*lines, *(first_accounts_text(created) if created else ())])


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
